//! JSON Lines: the record of a job or attempt, with its command.

use std::io::Write;

use serde::Serialize;

use crate::commands::export::row::{ExportRow, open_word};
use crate::commands::export::writer::ExportWriter;
use crate::commands::stdout::PrintError;
use procpool_journal::format::attempt::KeyText;
use procpool_journal::format::entry::Entry;
use procpool_journal::read::reading::Reading;

pub(super) struct JsonlExport;

#[derive(Serialize)]
struct EndedLine<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    command: Option<String>,
}

#[derive(Serialize)]
struct OpenLine<'a> {
    outcome: &'static str,
    success: bool,
    seq: u64,
    #[serde(flatten)]
    key: KeyText<'a>,
    command: Option<String>,
}

impl ExportWriter for JsonlExport {
    fn row(&mut self, row: &ExportRow<'_>, _: &mut Reading, out: &mut dyn Write) -> Result<(), PrintError> {
        Ok(out.write_all(&line(row))?)
    }
}

fn line(row: &ExportRow<'_>) -> Vec<u8> {
    let json = match row {
        ExportRow::Ended(_, entry) => {
            // The current position in the list.
            let entry = Entry { seq: row.seq(), ..(*entry).clone() };
            serde_json::to_vec(&EndedLine { entry: &entry, command: row.command() })
        }
        ExportRow::Open(job) => serde_json::to_vec(&OpenLine {
            outcome: open_word(job.stands),
            success: false,
            seq: job.position,
            key: KeyText::of(&job.line.key()),
            command: row.command(),
        }),
    };
    let mut line = json.expect("BUG: a record that is no JSON");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::commands::export::row::RowOwner;
    use procpool_journal::testing::scripted;

    #[test]
    fn a_line_is_the_record_and_the_command() {
        let entry = scripted(&json!({"stdout": "a\n", "stdout_bytes": 2, "stderr_at": 7, "stderr_sum": 9}));
        let line: Value = serde_json::from_slice(&line(&ExportRow::Ended(RowOwner::Nobody, &entry))).unwrap();
        assert_eq!(line["stdout"], "a\n");
        assert_eq!((&line["stderr_at"], &line["stderr_sum"]), (&json!(7), &json!(9)));
        assert_eq!(
            (&line["outcome"], &line["key"], &line["command"]),
            (&json!("exited"), &json!("k"), &Value::Null)
        );
        assert_eq!((line.get("check"), line.get("key_base64")), (None, None));
    }
}
