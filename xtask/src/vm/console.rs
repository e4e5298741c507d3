//! Parses a virtual machine's serial console: facts that scripts report, results of jobs, the kernel's
//! panic. Pure.

/// A line `@NAME VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The fact that a script reports at its end.
pub(crate) const OVER: &str = "over";

/// The fact of how the first process ended, from the kernel's panic.
pub(crate) const FIRST_PROCESS: &str = "first-process";

/// Before the wait status in the kernel's message.
const PANIC: &str = "Attempted to kill init! exitcode=0x";

impl Fact {
    /// The fact in a line, if it has one.
    pub(crate) fn in_line(line: &str) -> Option<Fact> {
        if let Some((_, rest)) = line.split_once(PANIC) {
            return Some(Fact { name: FIRST_PROCESS.into(), value: end_of(rest)? });
        }
        let (name, value) = line.strip_prefix('@').map(|fact| fact.split_once(' ').unwrap_or((fact, "")))?;
        Some(Fact { name: name.into(), value: value.trim().into() })
    }
}

fn end_of(rest: &str) -> Option<String> {
    let digits: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    let number = u32::from_str_radix(&digits, 16).ok()?;
    Some(match number & 0x7f {
        0 => format!("exited {}", number >> 8 & 0xff),
        signal => format!("signalled {signal}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(line: &str) -> Option<(String, String)> {
        Fact::in_line(line).map(|fact| (fact.name, fact.value))
    }

    #[test]
    fn a_fact_has_a_name_and_the_rest_of_the_line() {
        assert_eq!(fact("@status of-term 143 "), Some(("status".into(), "of-term 143".into())));
        assert_eq!(fact("@over"), Some(("over".into(), String::new())));
        assert_eq!(fact("result 1"), None);
    }

    #[test]
    fn a_panic_tells_how_the_first_process_ended() {
        let line = |code| {
            format!("[ 2.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x{code} ]---")
        };
        let end = |text: &str| Some((FIRST_PROCESS.to_owned(), text.to_owned()));
        assert_eq!(fact(&line("00008f00")), end("exited 143"));
        assert_eq!(fact(&line("00000000")), end("exited 0"));
        assert_eq!(fact(&line("0000000f")), end("signalled 15"));
    }
}
