//! The job log of GNU parallel, as `--joblog` writes it; `record/joblog` formats the rows.

use std::io::Write;
use std::time::SystemTime;

use crate::commands::export::row::ExportRow;
use crate::commands::export::writer::ExportWriter;
use crate::commands::stdout::PrintError;
use crate::record::joblog::{HEADER, JoblogFigures};
use procpool_journal::read::reading::Reading;

pub(super) struct JoblogExport;

impl ExportWriter for JoblogExport {
    fn begin(&mut self, out: &mut dyn Write) -> Result<(), PrintError> {
        Ok(out.write_all(HEADER.as_bytes())?)
    }

    fn row(&mut self, row: &ExportRow<'_>, _: &mut Reading, out: &mut dyn Write) -> Result<(), PrintError> {
        Ok(out.write_all(text(row).as_bytes())?)
    }
}

/// Empty for a job that has not ended.
fn text(row: &ExportRow<'_>) -> String {
    let ExportRow::Ended(_, entry) = row else { return String::new() };
    let ended = entry.ended().unwrap_or(SystemTime::UNIX_EPOCH);
    JoblogFigures::of(&entry.outcome(), entry.stdout_bytes, ended)
        .map(|figures| figures.row(row.seq(), entry.node.as_deref(), &row.command().unwrap_or_default()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use procpool_core::{End, Outcome, Ran, Status};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::commands::export::row::RowOwner;
    use procpool_journal::format::attempt::Report;
    use procpool_journal::testing::scripted;

    /// The row that is written as the job ends, and the one that is made of its record.
    fn rows(started: Duration, elapsed: Duration) -> (String, String) {
        let mut ran = Ran::new(End::Itself(Status::Exited(0)));
        (ran.started, ran.elapsed) = (UNIX_EPOCH + started, elapsed);
        let outcome = Outcome::from(ran);
        // As a text in between: a fraction is written down and read again.
        let report = serde_json::to_string(&Report::of(&outcome)).unwrap();
        let entry = scripted(&serde_json::from_str(&report).unwrap());
        let written = JoblogFigures::of(&outcome, 0, UNIX_EPOCH).unwrap().row(1, None, "");
        (written, text(&ExportRow::Ended(RowOwner::Nobody, &entry)))
    }

    #[test]
    fn a_row_is_the_same_whether_it_is_written_at_once_or_made_of_the_record() {
        let (written, exported) =
            rows(Duration::from_micros(1_767_323_045_999_600), Duration::from_micros(1_999_600));
        assert_eq!(written, exported);
        assert_eq!(written, "1\t:\t1767323045.999\t     2.000\t0\t0\t0\t0\t\n");
    }

    proptest! {
        #[test]
        fn whatever_the_time_a_row_is_the_same(started in 0_u64..4_000_000_000_000_000_000, elapsed in 0_u64..4_000_000_000_000_000) {
            let (written, exported) = rows(Duration::from_nanos(started), Duration::from_nanos(elapsed));
            prop_assert_eq!(written, exported);
        }
    }

    #[test]
    fn a_row_is_that_of_the_record_of_this_name() {
        let entry = scripted(&json!({
            "outcome": "timed_out", "success": false, "exit_code": null, "signal": 15, "stdout_bytes": 7, "seq": 3,
        }));
        let expected = "3\t:\t1767323045.478\t     0.200\t0\t7\t-1\t15\t\n";
        assert_eq!(text(&ExportRow::Ended(RowOwner::Nobody, &entry)), expected);
        let entry = scripted(&json!({
            "outcome": "not_started", "success": false, "status": 127, "exit_code": null, "started": null,
            "errno": 2, "error": "program \"x\": No such file or directory (os error 2)",
        }));
        let expected = "1\t:\t1767323045.678\t     0.000\t0\t0\t127\t0\t\n";
        assert_eq!(text(&ExportRow::Ended(RowOwner::Nobody, &entry)), expected);
    }
}
