//! Reasons of Slurm for waiting that don't resolve by themselves, and what the user could ask for instead. Pure.
//!
//! Covers Slurm 22.05 to 24.11 (squeue(1), "JOB REASON CODES"). Reasons that are missing here resolve by themselves or are
//! handled in `remedy.rs`.

use crate::engine::{Element, Remedy, State};

/// When a reason needs a change by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// It never resolves by itself.
    Always(&'static str),
    /// It resolves when other jobs end. If nothing of the array runs there may be none, and the array asks for too much.
    WhereNothingRuns(&'static str),
}

use Change::{Always, WhereNothingRuns};

const TIME: Change = Always(
    "it asks for more time than is allowed there: give a shorter --time, or another --sbatch-arg=--partition=NAME",
);
const PARTITION: Change =
    Always("that partition starts nothing like it now: give another one by --sbatch-arg=--partition=NAME");
const SIZE: Change = Always(
    "a slice asks for more than one job may have: give a smaller -j, a shorter --time, or less by --sbatch-arg",
);
const TOO_SMALL: Change =
    Always("a slice asks for less than one job has to have: give a larger -j, or more by --sbatch-arg");
const NODES: Change = Always(
    "no node is like that: change -j, or what --sbatch-arg asks for, such as --constraint, --mem or --gres",
);
const ACCOUNT: Change =
    Always("that account may not be used there: give another one by --sbatch-arg=--account=NAME");
const QOS: Change =
    Always("that quality of service may not be used there: give another one by --sbatch-arg=--qos=NAME");
const BUDGET: Change = Always(
    "what was granted is used up: give another --sbatch-arg=--account=NAME or --sbatch-arg=--qos=NAME",
);
const RESERVATION: Change =
    Always("give a reservation that is there by --sbatch-arg=--reservation=NAME, or none");
const DEPENDENCY: Change = Always("what it was to wait for has failed: leave --sbatch-arg=--dependency out");
const OTHERS: Change = WhereNothingRuns(
    "it waits for other jobs of the same user or account; where there are none, give a smaller -j, or less by --sbatch-arg",
);
const LICENSES: Change = WhereNothingRuns(
    "it waits for licences: where nobody else has them, there are fewer than --sbatch-arg=--licenses asks for",
);

/// What the user could change about this reason, if anything.
fn change(reason: &str) -> Option<Change> {
    let code: &str = reason.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    let is_limit = ["Assoc", "QOS", "Max"].iter().any(|begin| code.starts_with(begin));
    Some(match code {
        "PartitionTimeLimit"
        | "AssociationTimeLimit"
        | "QOSTimeLimit"
        | "AssocMaxWallDurationPerJobLimit"
        | "QOSMaxWallDurationPerJobLimit" => TIME,
        "PartitionDown" | "PartitionInactive" | "PartitionNodeLimit" | "PartitionConfig" => PARTITION,
        "BadConstraints" => NODES,
        "AccountNotAllowed" | "InvalidAccount" | "AccountingPolicy" => ACCOUNT,
        "InvalidQOS" | "QOSNotAllowed" | "QOSUsageThreshold" => QOS,
        "ReservationDeleted" | "RequiresReservation" | "ReqResv" => RESERVATION,
        "DependencyNeverSatisfied" => DEPENDENCY,
        "Licenses" => LICENSES,
        // Resolves: idle nodes are powered down.
        "MaxPoweredUpNodes" => return None,
        _ if is_limit && code.starts_with("QOSMin") => TOO_SMALL,
        "MaxMemPerLimit" | "MaxCPUsPerNode" | "MaxMemPerCPU" => SIZE,
        _ if is_limit && (code.contains("PerJob") || code.contains("PerNode")) => SIZE,
        _ if is_limit && (code.contains("Minutes") || code.contains("WallLimit")) => BUDGET,
        _ if is_limit => OTHERS,
        _ => return None,
    })
}

/// Adds remedies in words to elements that wait for one of these reasons.
pub(crate) fn say_changes(elements: &mut [Element]) {
    let runs = elements.iter().any(|element| matches!(element.state, State::Running { .. }));
    for element in elements {
        let State::Waiting(wait) = &mut element.state else { continue };
        let words = match change(&wait.reason) {
            Some(Always(words)) => words,
            Some(WhereNothingRuns(words)) if !runs => words,
            _ => continue,
        };
        wait.remedy.get_or_insert_with(|| Remedy::Ask(words.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Wait;

    #[test]
    fn what_does_not_pass_by_itself_has_a_remedy_of_the_users() {
        for (reason, change) in [
            ("PartitionTimeLimit", TIME),
            ("AssocMaxWallDurationPerJobLimit", TIME),
            ("PartitionDown", PARTITION),
            ("PartitionInactive", PARTITION),
            ("PartitionNodeLimit", PARTITION),
            ("BadConstraints", NODES),
            ("AccountNotAllowed", ACCOUNT),
            ("InvalidAccount", ACCOUNT),
            ("InvalidQOS", QOS),
            ("QOSMaxCpuPerJobLimit", SIZE),
            ("AssocMaxMemPerNode", SIZE),
            ("MaxMemPerLimit", SIZE),
            ("QOSMinCpuNotSatisfied", TOO_SMALL),
            ("AssocGrpCPUMinutesLimit", BUDGET),
            ("QOSGrpCPURunMinutesLimit", BUDGET),
            ("AssocGrpWallLimit", BUDGET),
            ("ReservationDeleted", RESERVATION),
            ("DependencyNeverSatisfied", DEPENDENCY),
            ("Licenses", LICENSES),
            ("AssocMaxJobsLimit", OTHERS),
            ("QOSMaxCpuPerUserLimit", OTHERS),
            ("AssocGrpCpuLimit", OTHERS),
            ("MaxCpuPerAccount", OTHERS),
            ("AssociationResourceLimit", OTHERS),
        ] {
            assert_eq!(super::change(reason), Some(change), "{reason}");
        }
    }

    #[test]
    fn what_passes_and_what_has_a_command_of_its_own_has_none() {
        for reason in [
            "Priority",
            "Resources",
            "None",
            "not considered yet",
            "BeginTime",
            "Dependency",
            "Reservation",
            "Prolog",
            "Cleaning",
            "JobArrayTaskLimit",
            "JobHeldUser",
            "JobHeldAdmin",
            "ReqNodeNotAvail, UnavailableNodes:n1",
            "NodeDown",
            "FedJobLock",
            "BurstBufferStageIn",
            "MaxPoweredUpNodes",
            "launch failed requeued held",
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
        ] {
            assert_eq!(change(reason), None, "{reason}");
        }
    }

    #[test]
    fn limits_that_others_share_are_no_matter_where_something_runs() {
        let wait = |reason: &str| State::Waiting(Wait { reason: reason.into(), remedy: None });
        let remedies = |first: State| {
            let states = [first, wait("AssocMaxJobsLimit"), wait("PartitionDown")];
            let mut elements: Vec<Element> =
                (0..).zip(states).map(|(index, state)| Element { index, state }).collect();
            say_changes(&mut elements);
            elements
                .iter()
                .filter(|element| matches!(&element.state, State::Waiting(Wait { remedy: Some(_), .. })))
                .count()
        };
        assert_eq!(remedies(wait("Priority")), 2);
        assert_eq!(remedies(State::Running { node: "n1".into() }), 1);
    }
}
