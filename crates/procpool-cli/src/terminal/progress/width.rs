//! An upper bound of the width of a text on a terminal: pure.

use unicode_width::UnicodeWidthChar;

/// Cuts a text to this many columns, with `..` at the end if something is missing.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(CUT));
    let mut used = 0;
    let fits = text.char_indices().find(|(_, character)| {
        used += columns_of(*character);
        used > room
    });
    let end = fits.map_or(text.len(), |(at, _)| at);
    if columns < width(CUT) { String::new() } else { format!("{}{CUT}", &text[..end]) }
}

const CUT: &str = "..";

pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Terminals differ on characters that are wide in some fonts, and on characters that are joined into one.
/// This is the largest width that any of them uses.
fn columns_of(character: char) -> usize {
    /// Turns the character before it into an emoji, which is wide.
    const PICTURE: char = '\u{fe0f}';
    if character == PICTURE { 1 } else { character.width_cjk().unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_too_wide_is_cut() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcd..");
        assert_eq!(cut("\u{4e00}\u{4e00}\u{4e00}", 5), "\u{4e00}..");
        assert_eq!(cut("abc", 1), "");
    }

    #[test]
    fn a_picture_is_as_wide_as_its_parts() {
        assert_eq!(width("\u{1f468}\u{200d}\u{1f469}"), 4);
        assert!(width("\u{2764}\u{fe0f}") >= 2);
    }

    proptest! {
        #[test]
        fn nothing_is_ever_wider_than_it_may_be(text in "\\PC{0,30}", columns in 0_usize..40) {
            let cut = cut(&text, columns);
            prop_assert!(width(&cut) <= columns);
            prop_assert!(cut == text || width(&text) > columns);
        }
    }
}
