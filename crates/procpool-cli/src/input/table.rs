//! Tables: a header row that names the columns, and one row for each job. Only the header is read ahead.

use std::ffi::OsString;
use std::io::{self, Cursor, Read};
use std::os::unix::ffi::OsStringExt;

use anyhow::{Context, anyhow, bail};
use csv::{ByteRecord, ReaderBuilder, Terminator};
use procpool_core::Shown;

use crate::input::lines::explain;
use crate::input::source::{InputSource, Reader};
use crate::job::work::Values;
use crate::template::{Braced, Form};

/// How fields are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableFormat {
    /// By commas. A field that contains a comma, a newline or a quote is quoted: RFC 4180.
    Csv,
    /// By tabs. Quotes have no special meaning, as in text/tab-separated-values.
    Tsv,
}

/// Appended to the table as a row of its own. If it isn't read back as one, an unclosed quote has swallowed
/// it and everything between.
const END: &[u8] = b"\n\0";

/// The rows of a table.
pub(crate) struct TableInput {
    reader: csv::Reader<io::Chain<Reader, Cursor<&'static [u8]>>>,
    name: String,
    columns: Vec<Vec<u8>>,
    line_end: LineEnd,
}

/// The line ending of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnd {
    Newline,
    /// A carriage return before a newline is not part of the field.
    Windows,
}

impl TableInput {
    /// Opens a table and reads its header.
    ///
    /// # Errors
    /// If it can't be read, has no header, or has a header that can't be used for placeholders.
    pub(crate) fn open(source: &InputSource, format: TableFormat) -> anyhow::Result<TableInput> {
        TableInput::new(source.open("rows")?, source.name(), format)
    }

    fn new(reader: Reader, name: String, format: TableFormat) -> anyhow::Result<TableInput> {
        let mut builder = ReaderBuilder::new();
        // Headers, row lengths and carriage returns are handled here, not by the csv reader: its errors name
        // no file, and its line numbers are wrong if lines end in carriage returns.
        builder.has_headers(false).flexible(true).terminator(Terminator::Any(b'\n'));
        match format {
            TableFormat::Csv => builder.delimiter(b','),
            TableFormat::Tsv => builder.delimiter(b'\t').quoting(false),
        };
        let reader = builder.from_reader(reader.chain(Cursor::new(END)));
        let mut table = TableInput {
            reader,
            name,
            columns: Vec::new(),
            line_end: LineEnd::Newline,
        };
        let Some((line, mut columns)) = table.record()? else {
            bail!("{} is empty: its first row has to name the columns", table.name);
        };
        if let Some(stripped) = columns.last().and_then(|last| last.strip_suffix(b"\r")).map(<[u8]>::to_vec) {
            table.line_end = LineEnd::Windows;
            columns.pop();
            columns.push(stripped);
        }
        check_columns(&columns).with_context(|| format!("{}, line {line}", table.name))?;
        table.columns = columns;
        Ok(table)
    }

    pub(crate) fn columns(&self) -> &[Vec<u8>] {
        &self.columns
    }

    fn row(&mut self) -> anyhow::Result<Option<Values>> {
        while let Some((line, mut fields)) = self.record()? {
            if self.line_end == LineEnd::Windows {
                if fields == [b"\r"] && self.columns.len() > 1 {
                    // A blank line. The csv reader skips only those without a carriage return.
                    continue;
                }
                if let Some(last) = fields.last_mut().filter(|last| last.ends_with(b"\r")) {
                    last.pop();
                }
            }
            let (expected, found) = (self.columns.len(), fields.len());
            if expected != found {
                bail!("{}, line {line}: {}, and the header has {expected}", self.name, counted(found));
            }
            return Ok(Some(Values::Several(fields.into_iter().map(OsString::from_vec).collect())));
        }
        Ok(None)
    }

    /// The next record's fields and the line on which it begins; `None` after the last record.
    fn record(&mut self) -> anyhow::Result<Option<(u64, Vec<Vec<u8>>)>> {
        let mut record = ByteRecord::new();
        self.read(&mut record)?;
        let newlines = record.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        let end = self.reader.position().line();
        if record.iter().any(|field| field.contains(&0)) {
            let is_last = !self.read(&mut ByteRecord::new())?;
            let last_field = record.iter().next_back().unwrap_or_default();
            if is_last && record.len() == 1 && last_field == b"\0" {
                return Ok(None);
            }
            if is_last && last_field.ends_with(END) {
                bail!("{}: the row on line {} opens a quote that nothing closes", self.name, end - newlines);
            }
            bail!("{}, line {}: a NUL byte can't be in an argument", self.name, end - 1 - newlines);
        }
        Ok(Some((end - 1 - newlines, record.iter().map(<[u8]>::to_vec).collect())))
    }

    fn read(&mut self, record: &mut ByteRecord) -> anyhow::Result<bool> {
        let read = self.reader.read_byte_record(record);
        read.map_err(plain).with_context(|| format!("{} can't be read", self.name))
    }
}

impl Iterator for TableInput {
    type Item = anyhow::Result<Values>;

    fn next(&mut self) -> Option<anyhow::Result<Values>> {
        self.row().transpose()
    }
}

/// The underlying error. With byte records of any length the csv reader itself can't fail, only the stream
/// below it.
fn plain(error: csv::Error) -> anyhow::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => explain(error),
        other => anyhow!("{other:?}"),
    }
}

fn counted(fields: usize) -> String {
    if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") }
}

/// Checks that each column can be named by a placeholder, and that no two have the same name.
fn check_columns(columns: &[Vec<u8>]) -> anyhow::Result<()> {
    for (column, number) in columns.iter().zip(1_usize..) {
        let shown = String::from_utf8_lossy(column);
        if column.is_empty() {
            bail!("column {number} has no name; the first row has to name each");
        }
        let Braced::Name(stem, form) = Braced::parse(column) else {
            bail!(
                "column {number} is called {shown:?}, but `{{{}}}` is a placeholder already; rename it",
                Shown(column)
            );
        };
        if columns[..number - 1].contains(column) {
            bail!("column {number} is called {shown:?} like another before it; rename one of them");
        }
        if form != Form::Whole && columns.iter().any(|other| other == stem) {
            let stem = String::from_utf8_lossy(stem);
            bail!(
                "column {number} is called {shown:?}, but `{{{}}}` is a part of the column {stem:?}; rename one of them",
                Shown(column)
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(text: &[u8], format: TableFormat) -> anyhow::Result<TableInput> {
        TableInput::new(Box::new(Cursor::new(text.to_vec())), "t".to_owned(), format)
    }

    /// The columns, then the rows.
    fn read(text: &[u8], format: TableFormat) -> anyhow::Result<Vec<Vec<Vec<u8>>>> {
        let table = table(text, format)?;
        let mut all = vec![table.columns().to_vec()];
        for row in table {
            all.push(row?.as_slice().iter().map(|field| field.clone().into_vec()).collect());
        }
        Ok(all)
    }

    fn shown(text: &str, format: TableFormat) -> String {
        let rows = read(text.as_bytes(), format).unwrap();
        let row = |row: &Vec<Vec<u8>>| String::from_utf8(row.join(&b'|')).unwrap();
        rows.iter().map(row).collect::<Vec<_>>().join(";")
    }

    #[test]
    fn rows_are_read_with_quotes_newlines_and_either_end_of_a_line() {
        for (text, expected) in [
            ("a,b\n1,2\n", "a|b;1|2"),
            ("a,b\n1,2", "a|b;1|2"),
            ("a,b\n", "a|b"),
            ("a,b", "a|b"),
            ("a,b\r\n1,2\r\n\r\n3,\"4\r\"\r\n", "a|b;1|2;3|4\r"),
            ("a,b\n1,2\r\n", "a|b;1|2\r"),
            ("a,b\n\n\"x,\ny\",\"\"\"q\"\"\"\n,\n", "a|b;x,\ny|\"q\";|"),
            ("\u{feff}a,b\n1,2\n", "a|b;1|2"),
            ("a\n\"\"\n b \n", "a;; b "),
            ("a\r\n\"\"\r\nb", "a;;b"),
        ] {
            assert_eq!(shown(text, TableFormat::Csv), expected, "{text:?}");
        }
        assert_eq!(shown("a\tb c\n\"1\t2\"\n,\t\n", TableFormat::Tsv), "a|b c;\"1|2\";,|");
    }

    #[test]
    fn faults_are_told_with_the_line_on_which_their_row_begins() {
        for (text, expected) in [
            ("", "t is empty"),
            ("\n\n", "t is empty"),
            ("a,b\n\n1,\"x\ny\"\n1,2,3\n", "t, line 5: 3 fields, and the header has 2"),
            ("a,b\r\n1,2\r\n1\r\n", "t, line 3: 1 field, and the header has 2"),
            ("a,b\n1,\"x\n2,y\n", "t: the row on line 2 opens a quote that nothing closes"),
            ("\"a,b\n1,2\n", "t: the row on line 1 opens a quote"),
            ("a,b\n1,2\n\"x\"\"", "t: the row on line 3 opens a quote"),
            ("a,b\n1,x\0y\n", "t, line 2: a NUL byte"),
            ("a\n1\n\0\n", "t, line 3: a NUL byte"),
            ("a,b,\n", "t, line 1: column 3 has no name"),
            ("a,b,a\n", "t, line 1: column 3 is called \"a\" like another before it"),
            ("\na,key\n", "t, line 2: column 2 is called \"key\", but `{key}` is a placeholder already"),
            ("a,2\n", "t, line 1: column 2 is called \"2\""),
            ("a.,a\n", "t, line 1: column 1 is called \"a.\", but `{a.}` is a part of the column \"a\""),
        ] {
            let error = format!("{:#}", read(text.as_bytes(), TableFormat::Csv).unwrap_err());
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_a_writer_of_tables_writes_is_read_back(
            rows in proptest::collection::vec(proptest::collection::vec(
                proptest::collection::vec(prop_oneof![Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b','), 1_u8..], 0..6), 2), 0..5),
            terminator in prop_oneof![Just(Terminator::CRLF), Just(Terminator::Any(b'\n'))],
        ) {
            let header = vec![b"one".to_vec(), b"two".to_vec()];
            let mut writer = csv::WriterBuilder::new()
                .terminator(terminator)
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(Vec::new());
            for row in [&header].into_iter().chain(&rows) {
                writer.write_record(row).unwrap();
            }
            let text = writer.into_inner().unwrap();
            prop_assert_eq!(read(&text, TableFormat::Csv).unwrap(), [vec![header], rows].concat());
        }
    }
}
