//! The values of --retry-on.

use procpool_core::Cause;

/// # Errors
/// Describes the syntax.
pub(super) fn cause(text: &str) -> Result<Cause, String> {
    Ok(match text {
        "exit" => Cause::Exit,
        "signal" => Cause::Signal,
        "timeout" => Cause::Timeout,
        "spawn" => Cause::Spawn,
        _ => {
            let code = text.strip_prefix("exit:").and_then(|code| code.parse::<u8>().ok());
            Cause::ExitCode(code.filter(|code| *code > 0).ok_or(
                "give exit, exit:N with a code from 1 to 255, signal, timeout or spawn; several with commas between",
            )?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_have_names_and_an_exit_code_may_be_added() {
        assert_eq!(cause("exit"), Ok(Cause::Exit));
        assert_eq!(cause("exit:75"), Ok(Cause::ExitCode(75)));
        assert_eq!(cause("signal"), Ok(Cause::Signal));
        for text in ["", "exit:", "exit:0", "exit:256", "exit75", "error", "EXIT"] {
            assert!(cause(text).is_err(), "{text}");
        }
    }
}
