//! Input with hostile numbers. Hostile sizes and bytes are in `values.rs`, `limits.rs` and `usage.rs`.

use crate::Folder;

#[test]
fn a_limit_of_ten_thousand_runs_all_jobs() {
    let values: Vec<String> = (1..=300).map(|n| n.to_string()).collect();
    let trial = Folder::new().run("-j10000 -k echo :::").args(&values);
    trial.end().exited(0).printed(values.join("\n") + "\n").silent();
}
