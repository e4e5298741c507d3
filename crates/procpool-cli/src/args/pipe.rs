//! Options of --pipe, which splits standard input into blocks.

use crate::units::size;

/// Blocks of standard input.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct PipeArgs {
    /// Split standard input into blocks of whole records, and give each to a job as its standard input
    ///
    /// The command gets no value; {#} is the block's number, and its key. Every byte goes to exactly one job.
    /// With -k the outputs come in the order of the input.
    #[arg(long, conflicts_with_all = ["file", "arg_file", "csv", "tsv", "max_args", "fill", "replace", "key", "delimiter"])]
    pub(crate) pipe: bool,

    /// The largest size of a block of --pipe: 64K, 10M, 1G
    ///
    /// A block ends at the last end of a record that fits; a longer record is a block by itself. Blocks are
    /// held in memory: up to about five for each job of the limit, and five more.
    #[arg(long, value_name = "SIZE", requires = "pipe", default_value = "1M", value_parser = parse_block)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) block: usize,

    /// The end of a record of --pipe
    ///
    /// A text, in which \n, \t, \r, \0, \\ and \xNN stand for one byte each. With -0 it is \0.
    #[arg(long, value_name = "END", requires = "pipe", default_value = "\\n", value_parser = parse_end)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) records: RecordEnd,
}

/// The bytes at the end of a record; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordEnd(pub(crate) Vec<u8>);

fn parse_block(text: &str) -> Result<usize, String> {
    size::parse(text).map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn parse_end(text: &str) -> Result<RecordEnd, String> {
    let mut end = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        end.push(if byte == b'\\' { escaped(&mut rest)? } else { byte });
    }
    if end.is_empty() {
        return Err("give at least one byte".to_owned());
    }
    Ok(RecordEnd(end))
}

fn escaped(rest: &mut impl Iterator<Item = u8>) -> Result<u8, String> {
    let byte = match rest.next() {
        Some(b'n') => Some(b'\n'),
        Some(b't') => Some(b'\t'),
        Some(b'r') => Some(b'\r'),
        Some(b'0') => Some(0),
        Some(b'\\') => Some(b'\\'),
        Some(b'x') => {
            hexadecimal(rest.next()).zip(hexadecimal(rest.next())).map(|(high, low)| high << 4 | low)
        }
        _ => None,
    };
    byte.ok_or_else(|| "a backslash stands before n, t, r, 0, another one, or xNN with two digits".to_owned())
}

fn hexadecimal(digit: Option<u8>) -> Option<u8> {
    char::from(digit?).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_text_with_escapes() {
        for (text, end) in [
            ("\\n", &b"\n"[..]),
            ("\n", b"\n"),
            (";;", b";;"),
            ("a\\tb\\r\\0\\\\", b"a\tb\r\0\\"),
            ("\\x00\\xFfé", b"\0\xff\xc3\xa9"),
        ] {
            assert_eq!(parse_end(text), Ok(RecordEnd(end.to_vec())), "{text}");
        }
        for text in ["", "\\", "a\\q", "\\x", "\\x1", "\\xg0", "\\x+1"] {
            assert!(parse_end(text).is_err(), "{text}");
        }
    }
}
