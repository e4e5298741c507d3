//! The scenes that are run with calls refused. Together they make every system call that a run makes. What
//! a scene must print is what it prints without a fence.

/// A run of procpool, in a folder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// The command that is run before it, without a fence.
    pub(crate) before: Option<&'static str>,
    /// procpool's arguments, split at spaces; `JOB` stands for the job.
    pub(crate) line: &'static str,
    /// The command that is run after it, without a fence. What it prints belongs to the result.
    pub(crate) after: Option<&'static str>,
    pub(crate) order: Order,
}

/// The order in which the jobs' outputs come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Any,
    OfInput,
}

const fn scene(name: &'static str, line: &'static str) -> Scene {
    Scene { name, before: None, line, after: None, order: Order::Any }
}

pub(crate) const SCENES: [Scene; 10] = [
    scene("plain", "run -j2 -- JOB words ::: a b c"),
    scene("large", "run -j2 -- JOB large ::: a b"),
    Scene {
        order: Order::OfInput,
        ..scene("in order", "run -k -j2 -- JOB large ::: a b")
    },
    scene("lines", "run --output lines --tag -j2 -- JOB words ::: a b"),
    scene("raw", "run --output raw -j1 -- JOB words ::: a b"),
    scene("timeout", "run -j2 --timeout .2 --grace .2 -- JOB stubborn ::: a b"),
    scene("alone", "run --no-guard -j2 -- JOB words ::: a b"),
    scene("results", "run -j2 --results results --joblog joblog -- JOB large ::: a b"),
    Scene {
        after: Some("ls journal"),
        ..scene("journal", "run -j2 --durable --journal journal -- JOB large ::: a b")
    },
    Scene {
        before: Some("run --journal journal -- JOB words ::: a"),
        after: Some("ls journal"),
        ..scene("resume", "run -j2 --journal journal --resume -- JOB words ::: a b c")
    },
];

impl Scene {
    /// The arguments in a line of it.
    pub(crate) fn words(line: &str, job: &str) -> Vec<String> {
        line.split_whitespace().map(|word| if word == "JOB" { job } else { word }.to_owned()).collect()
    }
}
