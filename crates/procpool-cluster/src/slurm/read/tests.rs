//! Outputs of Slurm 22.05.

use super::*;

/// A row of squeue with [`FORMAT`].
fn row(columns: [&str; 5]) -> String {
    let columns = [&columns[..], &["run-1"]].concat();
    columns.iter().zip(WIDTHS).fold(String::new(), |row, (column, width)| row + &format!("{column:<width$}"))
        + "\n"
}

fn state(columns: [&str; 5]) -> State {
    let seen = seen(row(columns).as_bytes(), "17", "run-1");
    seen.elements.into_iter().next().unwrap().state
}

fn fate(columns: [&str; 5]) -> (String, Cause) {
    match state(columns) {
        State::Ended(fate) => (fate.words, fate.cause),
        other => panic!("not ended but {other:?}"),
    }
}

#[test]
fn the_columns_that_squeue_is_asked_for_are_those_that_are_read() {
    let widths = FORMAT.split(',').map(|column| column.split_once(':').unwrap().1.parse::<usize>().unwrap());
    assert_eq!(widths.collect::<Vec<_>>(), WIDTHS);
}

#[test]
fn an_elements_end_is_told_in_words() {
    assert_eq!(fate(["0", "COMPLETED", "0", "n1", "None"]), ("exit 0".into(), Cause::Other));
    assert_eq!(fate(["1", "FAILED", "256", "n1", "NonZeroExitCode"]), ("exit 1".into(), Cause::Other));
    assert_eq!(fate(["1", "FAILED", "127:0", "n1", "NonZeroExitCode"]), ("exit 127".into(), Cause::Other));
    assert_eq!(fate(["1", "FAILED", "9", "n1", "None"]), ("killed by signal 9".into(), Cause::Other));
    let told = "told to end by TERM, as before its time is over";
    for status in ["15", "0:15"] {
        assert_eq!(fate(["1", "FAILED", status, "n1", "NonZeroExitCode"]), (told.into(), Cause::Evicted));
    }
    assert_eq!(
        fate(["1", "FAILED", "0", "", "BadConstraints"]),
        ("FAILED (BadConstraints)".into(), Cause::Other)
    );
    assert_eq!(fate(["1", "NODE_FAIL", "0", "n2", "NodeDown"]), ("NODE_FAIL".into(), Cause::Other));
    assert_eq!(fate(["1", "TIMEOUT", "0", "n2", "TimeLimit"]), ("TIMEOUT".into(), Cause::Evicted));
    assert_eq!(fate(["1", "PREEMPTED", "0", "n2", "None"]), ("PREEMPTED".into(), Cause::Evicted));
    assert_eq!(fate(["1", "CANCELLED", "15", "n1", "None"]), ("CANCELLED".into(), Cause::Cancelled));
}

#[test]
fn an_element_that_is_being_cleared_away_still_runs() {
    let there = State::Running { node: "n3".into() };
    assert_eq!(state(["4", "RUNNING", "0", "n3", "None"]), there);
    assert_eq!(state(["4", "COMPLETING", "0", "n3", "None"]), there);
    assert_eq!(state(["4", "CONFIGURING", "0", "n3", "None"]), there);
    assert_eq!(state(["4", "A_STATE_OF_TOMORROW", "0", "n3", "None"]), there);
}

#[test]
fn an_element_that_waits_says_why() {
    let wait = |reason: &str| State::Waiting(Wait { reason: reason.into(), remedy: None });
    assert_eq!(state(["4", "PENDING", "0", "", "Resources"]), wait("Resources"));
    assert_eq!(state(["4", "PENDING", "0", "", "None"]), wait("not considered yet"));
    assert_eq!(state(["4", "REQUEUE_HOLD", "0", "", "None"]), wait("REQUEUE_HOLD"));
    let resume = Some(Remedy::Command("scontrol resume 17_4".into()));
    let suspended = State::Waiting(Wait { reason: "SUSPENDED".into(), remedy: resume });
    assert_eq!(state(["4", "SUSPENDED", "0", "n1", "None"]), suspended);
}

#[test]
fn elements_that_were_cancelled_before_they_began_share_a_row_without_an_index() {
    let rows = [
        row(["N/A", "CANCELLED", "0", "", "JobHeldUser"]),
        row(["1", "CANCELLED", "0", "", "JobHeldAdmin"]),
        row(["0", "RUNNING", "0", "n1", "None"]),
    ];
    let seen = seen(rows.concat().as_bytes(), "17", "run-1");
    let indices: Vec<u32> = seen.elements.iter().map(|element| element.index).collect();
    assert_eq!(indices, [1, 0]);
    assert_eq!(
        seen.others,
        Some(Fate {
            node: None,
            words: "CANCELLED".into(),
            cause: Cause::Cancelled
        })
    );
}

#[test]
fn another_array_that_has_got_the_same_id_says_nothing_of_ours() {
    let rows = row(["0", "RUNNING", "0", "n1", "None"]);
    assert_eq!(seen(rows.as_bytes(), "17", "run-2"), ArrayState::default());
    let long = "x".repeat(200);
    let rows = format!("{}{long:.160}", &rows[..rows.len() - 161]);
    assert_eq!(seen(rows.as_bytes(), "17", &long).elements.len(), 1);
}

#[test]
fn rows_of_other_kinds_are_passed_over() {
    let rows = ["\n", "CLUSTER: far\n", &row(["0", "RUNNING", "0", "n1", "None"])].concat();
    let seen = seen(rows.as_bytes(), "17", "run-1");
    assert_eq!((seen.elements.len(), seen.others), (1, None));
}

#[test]
fn errors_are_told_without_the_commands_name_and_without_advice() {
    assert_eq!(
        words(
            "sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified\n"
        ),
        "invalid partition specified: nope; Batch job submission failed: Invalid partition name specified"
    );
    assert_eq!(
        words("sbatch: unrecognized option '--foo'\nTry \"sbatch --help\" for more information\n"),
        "sbatch: unrecognized option '--foo'"
    );
}

#[test]
fn what_the_controller_cannot_do_now_is_no_refusal() {
    for now in [
        "Batch job submission failed: Unable to contact slurm controller (connect failure)",
        "Batch job submission failed: Socket timed out on send/recv operation",
        "Slurm temporarily unable to accept job, sleeping and retrying",
        "slurm_load_partitions: Zero Bytes were transmitted or received",
        "Batch job submission failed: Slurm backup controller in standby mode",
    ] {
        assert!(passes(now), "{now}");
    }
    for never in [
        "Batch job submission failed: Invalid job array specification",
        "Batch job submission failed: Requested node configuration is not available",
        "sbatch: unrecognized option '--foo'",
    ] {
        assert!(!passes(never), "{never}");
    }
}

#[test]
fn an_array_that_was_purged_is_forgotten() {
    assert!(is_forgotten("slurm_load_jobs error: Invalid job id specified"));
    assert!(is_forgotten("Kill job error on job id 9999: Invalid job id specified"));
    assert!(!is_forgotten("slurm_load_jobs error: Unable to contact slurm controller (connect failure)"));
}

#[test]
fn a_machine_without_a_configuration_is_known_by_its_words() {
    let said = "sinfo: error: resolve_ctls_from_dns_srv: res_nsearch error: Unknown host\n\
                sinfo: error: fetch_config: DNS SRV lookup failed\n\
                sinfo: error: _establish_config_source: failed to fetch config\n\
                sinfo: fatal: Could not establish a configuration source\n";
    assert!(is_unconfigured(&words(said)));
    assert!(!is_unconfigured("slurm_load_partitions: Unable to contact slurm controller (connect failure)"));
}

#[test]
fn the_id_is_what_sbatch_prints_alone() {
    assert_eq!(submitted("17\n"), Ok(ArrayId::new("17")));
    assert_eq!(submitted("a greeting of a wrapper\n17;far\n"), Ok(ArrayId::new("17;far")));
    assert!(matches!(submitted("\n"), Err(EngineError::Unreachable(_))));
}

#[test]
fn of_several_arrays_of_a_name_the_last_is_found() {
    assert_eq!(latest("17\n17\n103\n18\n"), Some(ArrayId::new("103")));
    assert_eq!(latest(""), None);
}

#[test]
fn an_arrays_size_is_the_configurations() {
    let config = |value: &str| {
        format!("MailProg                = /bin/true\nMaxArraySize            = {value}\nMaxJobCount = 9\n")
    };
    assert_eq!(most_elements(&config("1001")), Ok(1001));
    assert!(matches!(most_elements(&config("0")), Err(EngineError::Refused(_))));
    assert!(matches!(most_elements(""), Err(EngineError::Unreachable(_))));
}

#[test]
fn nodes_count_once_and_only_those_that_take_work() {
    let rows = "main*|n1|idle|8\nlong|n1|idle|8\nmain*|n2|mixed|8\nmain*|n3|drained|8\nmain*|n4|down*|8\n\
                main*|n5|idle~|8\nlong|n6|allocated|64\nmain*|n7|idle*|8\n";
    assert_eq!(nodes(rows, Partitions::Default), (3, 24));
    assert_eq!(nodes(rows, Partitions::All), (4, 88));
    assert_eq!(nodes("main*|n3|drained|8\nmain*|n4|down*|8\n", Partitions::Default), (2, 16));
    assert_eq!(nodes("", Partitions::All), (0, 0));
}

#[test]
fn the_partition_is_the_one_that_sbatch_would_take() {
    let of = |words: &[&str]| partition(&words.iter().map(OsString::from).collect::<Vec<_>>());
    assert_eq!(of(&["--mem=1G", "-p", "long"]), Some("long".into()));
    assert_eq!(of(&["-plong"]), Some("long".into()));
    assert_eq!(of(&["--partition=a", "--partition", "b,c"]), Some("b,c".into()));
    assert_eq!(of(&["--account=-p"]), None);
    assert_eq!(of(&["-p"]), None);
}

#[test]
fn too_many_elements_are_told_from_what_one_element_asks_for() {
    let policy = "Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";
    for words in [
        policy.to_owned(),
        format!("AssocMaxSubmitJobLimit; {policy}"),
        format!("QOSMaxSubmitJobPerUserLimit; {policy}"),
        format!("AssocGrpSubmitJobsLimit; {policy}"),
        format!("MaxSubmitJobsPerAccount; {policy}"),
        "Batch job submission failed: Invalid job array specification".to_owned(),
    ] {
        assert!(is_too_many(&words), "{words}");
    }
    for words in [
        format!("AssocMaxWallDurationPerJobLimit; {policy}"),
        format!("QOSMaxCpuPerJobLimit; {policy}"),
        "Batch job submission failed: Invalid account or account/partition combination specified".to_owned(),
        "Batch job submission failed: Invalid qos specification".to_owned(),
    ] {
        assert!(!is_too_many(&words), "{words}");
    }
}
