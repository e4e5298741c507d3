//! The commands that resolve waits which don't resolve by themselves. Pure.

use crate::engine::{Element, Remedy, State, Wait};
use crate::piece::ranges;

/// Whether elements wait because nodes are away, and not because others use them.
pub(crate) fn is_for_nodes(wait: &Wait) -> bool {
    let reasons = ["DOWN, DRAINED", "DOWN,_DRAINED", "ReqNodeNotAvail", "NodeDown"];
    reasons.iter().any(|known| wait.reason.contains(known))
}

/// Whether a node has refused to start an element. If the controller was killed, nodes may think that the last start still
/// runs, and then accept nothing else.
pub(crate) fn is_after_launch(wait: &Wait) -> bool {
    wait.reason.contains("launch failed")
}

fn is_held(wait: &Wait) -> bool {
    let reason = wait.reason.to_lowercase();
    ["held", "requeue_hold", "special_exit", "jobholdmaxrequeue"].iter().any(|word| reason.contains(word))
}

/// Adds the command that releases held elements: for the whole array if all are held, else for those.
pub(crate) fn release_held(job: &str, elements: &mut [Element]) {
    let held = elements.iter().filter_map(|element| match &element.state {
        State::Waiting(wait) if is_held(wait) => Some(u64::from(element.index)),
        _ => None,
    });
    let mut held: Vec<u64> = held.collect();
    held.sort_unstable();
    let which =
        if held.len() == elements.len() { job.to_owned() } else { format!("{job}_[{}]", spans(&held)) };
    for element in elements {
        match &mut element.state {
            State::Waiting(wait) if is_held(wait) => {
                wait.remedy = Some(Remedy::Command(format!("scontrol release {which}")));
            }
            _ => {}
        }
    }
}

/// Adds the nodes that elements wait for, or that have refused them, and the command that resumes those.
pub(crate) fn resume_nodes(away: &[Away<'_>], elements: &mut [Element]) {
    let after_launch: Vec<Away<'_>> =
        away.iter().filter(|away| away.reason == "Duplicate jobid").copied().collect();
    for element in elements {
        let State::Waiting(wait) = &mut element.state else { continue };
        let away = match () {
            () if is_for_nodes(wait) => away,
            () if is_after_launch(wait) => &after_launch,
            () => continue,
        };
        if away.is_empty() {
            continue;
        }
        let described: Vec<String> = away.iter().map(Away::describe).collect();
        wait.reason = format!("{} ({})", wait.reason, described.join("; "));
        // A node that doesn't answer can't be resumed by a command.
        let resumable = away.iter().filter(|away| !away.state.ends_with('*')).map(|away| away.nodes);
        let resumable = resumable.collect::<Vec<_>>().join(",");
        if !resumable.is_empty() {
            let resume = format!("scontrol update nodename={resumable} state=resume");
            let line = match wait.remedy.take() {
                Some(Remedy::Command(release)) => format!("{resume}; {release}"),
                _ => resume,
            };
            wait.remedy = Some(Remedy::Command(line));
        }
    }
}

/// Formats indices as `0,2-3`.
fn spans(indices: &[u64]) -> String {
    let spans = ranges(indices.iter().copied()).into_iter().map(|range| match range.end - range.start {
        1 => range.start.to_string(),
        _ => format!("{}-{}", range.start, range.end - 1),
    });
    spans.collect::<Vec<_>>().join(",")
}

/// Nodes that accept no work, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away<'a> {
    nodes: &'a str,
    state: &'a str,
    reason: &'a str,
}

/// Parses sinfo's rows: nodes, state, reason.
pub(crate) fn away(rows: &str) -> Vec<Away<'_>> {
    let columns = |row| {
        let mut columns = str::trim(row).splitn(3, '|');
        Some(Away {
            nodes: columns.next()?,
            state: columns.next()?,
            reason: columns.next()?,
        })
    };
    rows.lines().filter_map(columns).collect()
}

impl Away<'_> {
    fn describe(&self) -> String {
        // The distinction doesn't matter to whoever resumes them.
        let state = if self.state.starts_with("drain") { "drained" } else { self.state };
        format!("{} {state}: {}", self.nodes, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(reasons: &[&str]) -> Vec<Element> {
        let state = |reason: &&str| match *reason {
            "" => State::Running { node: "n1".into() },
            reason => State::Waiting(Wait { reason: reason.into(), remedy: None }),
        };
        (0..).zip(reasons).map(|(index, reason)| Element { index, state: state(reason) }).collect()
    }

    fn waits(elements: &[Element]) -> Vec<(&str, Option<&str>)> {
        let waits = elements.iter().filter_map(|element| match &element.state {
            State::Waiting(wait) => Some((
                wait.reason.as_str(),
                wait.remedy.as_ref().map(|remedy| match remedy {
                    Remedy::Command(words) | Remedy::Ask(words) => words.as_str(),
                }),
            )),
            _ => None,
        });
        waits.collect()
    }

    const DRAINED: &str =
        "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions";

    #[test]
    fn held_elements_are_released_by_their_indices_and_an_array_that_is_held_as_a_whole() {
        let mut some =
            elements(&["JobHeldUser", "", "JobHeldAdmin", "launch failed requeued held", "Priority"]);
        release_held("17", &mut some);
        let remedy = Some("scontrol release 17_[0,2-3]");
        assert_eq!(waits(&some)[0], ("JobHeldUser", remedy));
        assert_eq!(waits(&some)[2], ("launch failed requeued held", remedy));
        assert_eq!(waits(&some)[3], ("Priority", None));
        let mut all = elements(&["JobHeldUser", "JobHeldUser"]);
        release_held("17", &mut all);
        assert_eq!(waits(&all)[1], ("JobHeldUser", Some("scontrol release 17")));
    }

    #[test]
    fn drained_nodes_are_named_where_an_element_waits_for_them_and_nowhere_else() {
        let mut elements = elements(&[DRAINED, "Resources"]);
        resume_nodes(&away("n[1-2]|drained|bad disk\nn3|down*|Not responding\n"), &mut elements);
        let reason = format!("{DRAINED} (n[1-2] drained: bad disk; n3 down*: Not responding)");
        let remedy = Some("scontrol update nodename=n[1-2] state=resume");
        assert_eq!(waits(&elements), [(reason.as_str(), remedy), ("Resources", None)]);
    }

    #[test]
    fn nodes_that_only_do_not_answer_have_no_remedy() {
        let mut elements = elements(&[DRAINED]);
        resume_nodes(&away("n3|down*|Not responding\n"), &mut elements);
        assert_eq!(waits(&elements)[0].1, None);
    }

    #[test]
    fn after_the_controller_was_killed_two_commands_are_named() {
        let mut elements = elements(&["launch failed requeued held", ""]);
        release_held("303", &mut elements);
        resume_nodes(&away("n4|drained|bad disk\nn[1-3]|draining|Duplicate jobid\n"), &mut elements);
        let reason = "launch failed requeued held (n[1-3] drained: Duplicate jobid)";
        let remedy = Some("scontrol update nodename=n[1-3] state=resume; scontrol release 303_[0]");
        assert_eq!(waits(&elements), [(reason, remedy)]);
    }
}
