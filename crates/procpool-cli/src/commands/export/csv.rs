//! CSV for spreadsheets and databases: a row for each job or attempt, without outputs.

use std::borrow::Cow;
use std::io::Write;

use crate::commands::export::row::{ExportRow, open_word};
use crate::commands::export::writer::ExportWriter;
use crate::commands::stdout::PrintError;
use crate::output::shape::StreamFilter;
use crate::terminal::shown;
use procpool_journal::format::attempt::KeyText;
use procpool_journal::format::entry::Entry;
use procpool_journal::read::reading::Reading;

pub(super) struct CsvExport {
    cells: Cells,
    passes: StreamFilter,
    text: Vec<u8>,
}

/// How values are written to cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cells {
    /// Unchanged.
    Exact,
    /// With a `'` before values that a spreadsheet would take for a formula: keys and errors are not trusted.
    NoFormulas,
}

/// The names are those of records.
const COLUMNS: [&str; 31] = [
    "key",
    "key_base64",
    "seq",
    "generation",
    "attempt",
    "outcome",
    "success",
    "status",
    "exit_code",
    "signal",
    "killer",
    "error",
    "errno",
    "started",
    "ended",
    "seconds",
    "user_seconds",
    "system_seconds",
    "peak_memory",
    "peak_memory_below",
    "stdout_bytes",
    "stderr_bytes",
    "leaked",
    "output_complete",
    "survivors",
    "slot",
    "node",
    "waited_for",
    "job",
    "fingerprint",
    "command",
];

impl ExportWriter for CsvExport {
    fn begin(&mut self, out: &mut dyn Write) -> Result<(), PrintError> {
        Ok(out.write_all(self.line(&COLUMNS))?)
    }

    fn row(&mut self, row: &ExportRow<'_>, _: &mut Reading, out: &mut dyn Write) -> Result<(), PrintError> {
        Ok(out.write_all(self.line(&fields(row)))?)
    }
}

impl CsvExport {
    pub(super) fn new(cells: Cells, passes: StreamFilter) -> CsvExport {
        CsvExport { cells, passes, text: Vec::new() }
    }

    fn line(&mut self, fields: &[impl AsRef<str>]) -> &[u8] {
        self.text.clear();
        let cells = fields.iter().map(|field| match self.passes {
            StreamFilter::Everything => self.cells.cell(field.as_ref()).into_owned(),
            // A newline in a cell is data for a program, but on a terminal it would begin a new line.
            StreamFilter::TextAndColour => self.cells.cell(&shown::name(field.as_ref())).into_owned(),
        });
        let mut writer = csv::Writer::from_writer(&mut self.text);
        writer.write_record(cells).expect("BUG: a row that memory does not take");
        drop(writer);
        &self.text
    }
}

impl Cells {
    fn cell(self, text: &str) -> Cow<'_, str> {
        match (self, text.chars().next()) {
            (Cells::NoFormulas, Some(first)) if begins_formula(first) => format!("'{text}").into(),
            _ => text.into(),
        }
    }
}

/// Whether a spreadsheet may take a cell that begins like this for a formula. Includes `'`, so that an added
/// one is unambiguous, and full-width forms, which some spreadsheets accept.
fn begins_formula(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\'' | '＝' | '＋' | '－' | '＠')
}

fn fields(row: &ExportRow<'_>) -> [String; COLUMNS.len()] {
    let seq = row.seq().to_string();
    let command = row.command().unwrap_or_default();
    match row {
        ExportRow::Ended(_, entry) => of_entry(entry, seq, command),
        ExportRow::Open(job) => {
            let (key, key_base64) = KeyText::of(&job.line.key()).into_parts();
            let mut fields = [const { String::new() }; COLUMNS.len()];
            let known = [
                ("key", key),
                ("key_base64", key_base64.unwrap_or_default()),
                ("seq", seq),
                ("outcome", open_word(job.stands).to_owned()),
                ("success", false.to_string()),
                ("command", command),
            ];
            for (name, value) in known {
                let column = COLUMNS.iter().position(|column| *column == name);
                fields[column.expect("BUG: a column that is none")] = value;
            }
            fields
        }
    }
}

fn of_entry(entry: &Entry, seq: String, command: String) -> [String; COLUMNS.len()] {
    [
        entry.key.clone(),
        entry.key_base64.clone().unwrap_or_default(),
        seq,
        entry.generation.to_string(),
        entry.attempt.to_string(),
        entry.outcome.word().to_owned(),
        entry.success.to_string(),
        some(entry.status),
        some(entry.exit_code),
        some(entry.signal),
        some(entry.killer.as_ref()),
        some(entry.error.as_ref()),
        some(entry.errno),
        some(entry.started.as_ref()),
        entry.ended.clone(),
        entry.seconds.to_string(),
        entry.user_seconds.to_string(),
        entry.system_seconds.to_string(),
        some(entry.peak_memory),
        some(entry.peak_memory_below),
        entry.stdout_bytes.to_string(),
        entry.stderr_bytes.to_string(),
        entry.leaked.to_string(),
        entry.output_complete.to_string(),
        survivors(entry),
        some(entry.slot),
        some(entry.node.as_ref()),
        some(entry.waited_for.as_ref()),
        entry.job.clone(),
        entry.fingerprint.clone(),
        command,
    ]
}

/// A list, in the JSON of records.
fn survivors(entry: &Entry) -> String {
    match &entry.survivors[..] {
        [] => String::new(),
        survivors => serde_json::to_string(survivors).expect("BUG: names and numbers that are no JSON"),
    }
}

/// Empty for `None`.
fn some(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::commands::export::row::RowOwner;
    use procpool_journal::testing::scripted;

    #[test]
    fn each_field_of_a_record_stands_below_its_name() {
        let says = json!({
            "generation": 2, "attempt": 3, "job": "j", "fingerprint": "f", "outcome": "signalled", "success": false,
            "status": 137, "exit_code": null, "signal": 9, "killer": "out_of_memory", "error": "e, \"f\"", "errno": 5,
            "seconds": 0.000_25, "peak_memory": 7, "peak_memory_below": 9, "stdout_bytes": 8, "stderr_bytes": 10, "leaked": true,
            "output_complete": false, "survivors": [{"pid": 13, "program": "su"}], "seq": 11, "slot": 12, "node": "n, 3", "waited_for": "load", "key": "a\nb", "key_base64": "YQpi",
        });
        let entry = scripted(&says);
        let mut csv = CsvExport::new(Cells::Exact, StreamFilter::Everything);
        let mut text = csv.line(&COLUMNS).to_vec();
        text.extend(csv.line(&fields(&ExportRow::Ended(RowOwner::Nobody, &entry))));
        let mut reader = csv::Reader::from_reader(&text[..]);
        let head = reader.headers().unwrap().clone();
        let row = reader.records().next().unwrap().unwrap();
        let record = serde_json::to_value(&entry).unwrap();
        for (name, value) in head.iter().zip(&row) {
            let expected = match record.get(name).unwrap_or(&Value::Null) {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(value, expected, "{name}");
        }
        let named: Vec<&str> = head.iter().collect();
        let left: Vec<&String> =
            record.as_object().unwrap().keys().filter(|name| !named.contains(&name.as_str())).collect();
        assert_eq!(left, Vec::<&String>::new());
    }

    #[test]
    fn no_cell_begins_a_formula_where_that_is_asked_for_and_all_are_told_apart() {
        let safe = |text| Cells::NoFormulas.cell(text).into_owned();
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1"] {
            assert_eq!(safe(text), format!("'{text}"));
            assert_eq!(Cells::Exact.cell(text), text);
        }
        for text in ["", "a=1", " =1", "1-1", "\"=1"] {
            assert_eq!(safe(text), text);
        }
    }
}
