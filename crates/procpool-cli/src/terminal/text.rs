//! Shortens text for messages: the last lines of an output, the start of a long line. The result is escaped.

use procpool_core::Shown;

/// Longer keys and lines are cut, in characters.
const MOST_OF_A_TEXT: usize = 200;

/// How many lines of a job's standard error a message shows.
const LAST_LINES: usize = 3;

/// The last lines of `text` that are not blank, escaped.
pub(crate) fn last_lines(text: &[u8]) -> Vec<String> {
    let lines: Vec<&[u8]> =
        text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    last.iter().map(|line| shorten(&Shown(line).to_string())).collect()
}

/// Cuts a text that is too long for a line.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MOST_OF_A_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_those_that_say_something() {
        assert_eq!(last_lines(b"1\n2\n\n3\n4\n  \n"), ["2", "3", "4"]);
        assert_eq!(last_lines(b"no newline"), ["no newline"]);
        assert!(last_lines(b"").is_empty());
    }

    #[test]
    fn what_is_too_long_for_a_line_is_cut() {
        assert_eq!(shorten(&"ä".repeat(200)), "ä".repeat(200));
        assert_eq!(shorten(&"ä".repeat(201)), "ä".repeat(200) + "…");
    }

    #[test]
    fn the_last_lines_can_not_garble_a_terminal() {
        assert_eq!(last_lines(b"\x1b[2Jgone\n"), ["\\u{1b}[2Jgone"]);
    }
}
