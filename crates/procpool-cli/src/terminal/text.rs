//! Texts that are too long for where they are shown, cut.
//! What is left of them is harmless for a terminal.

use procpool_core::Shown;

/// So much of a key or a line is kept, in characters.
const MOST_OF_A_TEXT: usize = 200;

/// So many lines of a job's standard error are kept, from so many bytes.
const LAST_LINES: usize = 3;

/// The last lines of a text that are not blank, made harmless for a terminal.
pub(crate) fn last_lines(text: &[u8]) -> Vec<String> {
    let lines: Vec<&[u8]> =
        text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    last.iter().map(|line| shorten(&Shown(line).to_string())).collect()
}

/// The beginning of a text that is too long for a line.
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
