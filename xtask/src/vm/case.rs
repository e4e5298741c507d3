//! A case: the script that a virtual machine runs, and the facts that it must report. Judging is pure.

use crate::vm::console::{Fact, OVER};

/// A script, and the expected facts.
pub(crate) struct VmCase {
    pub(crate) script: &'static str,
    /// The facts that must be reported, once each, in any order, and no others.
    pub(crate) right: &'static [(&'static str, Right)],
    pub(crate) end: MachineEnd,
}

/// What a fact's value must be.
#[derive(Clone, Copy)]
pub(crate) enum Right {
    Is(&'static str),
    /// It contains all of these.
    Says(&'static [&'static str]),
    /// A number in this range.
    Between(u64, u64),
}

/// How the machine must end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MachineEnd {
    /// Its script ends.
    OfScript,
    /// Its first process ends, so the kernel panics.
    OfFirstProcess,
}

impl Right {
    fn fits(self, value: &str) -> bool {
        match self {
            Right::Is(right) => value == right,
            Right::Says(parts) => parts.iter().all(|part| value.contains(part)),
            Right::Between(least, most) => value.parse().is_ok_and(|value| (least..=most).contains(&value)),
        }
    }

    fn describe(self) -> String {
        match self {
            Right::Is(right) => format!("`{right}`"),
            Right::Says(parts) => format!("something with {parts:?}"),
            Right::Between(least, most) => format!("a number from {least} to {most}"),
        }
    }
}

impl VmCase {
    /// What is wrong with the reported facts, one sentence each.
    pub(crate) fn judge(&self, told: &[Fact]) -> Vec<String> {
        let facts: Vec<&Fact> = told.iter().filter(|fact| !matches!(&*fact.name, "booted" | OVER)).collect();
        let mut faults = Vec::new();
        for (name, right) in self.right {
            let values: Vec<&str> =
                facts.iter().filter(|fact| fact.name == *name).map(|fact| &*fact.value).collect();
            match values[..] {
                [value] if right.fits(value) => {}
                [value] => faults.push(format!("{name} is `{value}`, and ought to be {}", right.describe())),
                [] => faults.push(format!("{name} was not told")),
                _ => faults.push(format!("{name} was told more than once: {values:?}")),
            }
        }
        let is_known = |fact: &&&Fact| self.right.iter().any(|(name, _)| fact.name == *name);
        let unknown = facts.iter().filter(|fact| !is_known(fact));
        faults.extend(unknown.map(|fact| format!("nobody expected {} `{}`", fact.name, fact.value)));
        if self.end == MachineEnd::OfScript && !told.iter().any(|fact| fact.name == OVER) {
            faults.push("its script did not come to its end".into());
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: VmCase = VmCase {
        script: "",
        right: &[
            ("status", Right::Is("0")),
            ("peak", Right::Between(10, 20)),
            ("words", Right::Says(&["disk", "full"])),
        ],
        end: MachineEnd::OfScript,
    };

    fn judge(case: &VmCase, lines: &[&str]) -> Vec<String> {
        let facts: Vec<Fact> = lines.iter().map(|line| Fact::in_line(line).unwrap()).collect();
        case.judge(&facts)
    }

    #[test]
    fn all_right_values_once_and_nothing_else_pass() {
        let lines = ["@booted", "@peak 20", "@status 0", "@words the disk is full", "@over"];
        assert_eq!(judge(&CASE, &lines), [""; 0]);
    }

    #[test]
    fn wrong_missing_repeated_and_unknown_facts_are_named() {
        let lines = ["@peak 21", "@status 0", "@status 1", "@other x", "@over"];
        let expected = [
            "status was told more than once: [\"0\", \"1\"]",
            "peak is `21`, and ought to be a number from 10 to 20",
            "words was not told",
            "nobody expected other `x`",
        ];
        assert_eq!(judge(&CASE, &lines), expected);
        assert!(judge(&CASE, &["@words the disk"]).contains(
            &"words is `the disk`, and ought to be something with [\"disk\", \"full\"]".to_owned()
        ));
    }

    #[test]
    fn a_script_that_did_not_come_to_its_end_is_no_pass_unless_it_has_none() {
        let told = ["@peak 10", "@status 0", "@words disk full"];
        assert_eq!(judge(&CASE, &told), ["its script did not come to its end"]);
        assert_eq!(judge(&VmCase { end: MachineEnd::OfFirstProcess, ..CASE }, &told), [""; 0]);
    }
}
