//! The bytes that draw lines below the output of jobs, and erase them before more output comes: pure.
//!
//! The cursor stays at the end of the output. VT makes room below (unlike a newline it keeps the column, and
//! unlike a cursor movement it scrolls), the cursor moves up again, its position is saved, the lines are
//! drawn, and the position is restored. So a single sequence, "erase to the end of the screen", removes the
//! lines. Any process can send it, wherever the output ends, even after a resize has wrapped the lines.

use std::fmt::Write as _;
use std::mem;

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// The lines below the output, and how far the last line of the output reaches.
pub(super) struct StatusArea {
    /// The lines that are shown, or were shown last.
    lines: Vec<String>,
    size: Size,
    is_up: bool,
    /// An upper bound of the width of the output's last line; 0 after a newline.
    unfinished: usize,
}

/// The largest width of a tab.
const TAB: usize = 8;

impl StatusArea {
    pub(super) const ERASE: &'static [u8] = b"\x1b[J";

    pub(super) const fn new() -> StatusArea {
        StatusArea {
            lines: Vec::new(),
            size: Size { columns: 0, rows: 0 },
            is_up: false,
            unfinished: 0,
        }
    }

    /// Notes output that was written to the terminal.
    pub(super) fn note(&mut self, output: &[u8]) {
        let end = output.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        if end.len() < output.len() {
            self.unfinished = 0;
        }
        // No character takes more columns than bytes. Sequences are counted too, which is harmless.
        self.unfinished += end.iter().map(|byte| if *byte == b'\t' { TAB } else { 1 }).sum::<usize>();
    }

    /// A newline, if the last line of the output has none.
    pub(super) fn fresh_line(&self) -> &'static [u8] {
        if self.unfinished == 0 { b"" } else { b"\n" }
    }

    /// The bytes that erase the lines; none if no lines are shown.
    pub(super) fn erase(&mut self) -> &'static [u8] {
        if mem::take(&mut self.is_up) { StatusArea::ERASE } else { b"" }
    }

    /// The bytes that show these lines instead of the current ones; `None` if nothing changes. The lines must
    /// be narrower than the terminal, and there must be fewer than it has rows.
    pub(super) fn show(&mut self, lines: Vec<String>, size: Size) -> Option<Vec<u8>> {
        if self.is_up && self.lines == lines && self.size == size {
            return None;
        }
        self.lines = lines;
        self.size = size;
        self.draw()
    }

    /// The bytes that show the lines again that were erased; `None` if that is impossible, or the terminal
    /// was resized.
    pub(super) fn redraw(&mut self, size: Size) -> Option<Vec<u8>> {
        if self.is_up || self.size != size {
            return None;
        }
        self.draw()
    }

    fn draw(&mut self) -> Option<Vec<u8>> {
        // At the right edge a terminal delays the line break until the next character, and forgets it when
        // the cursor moves.
        if self.unfinished >= self.size.columns || self.lines.is_empty() {
            return None;
        }
        let count = self.lines.len();
        // Saving the position saves the current colour as well.
        let mut text = format!("{}\x1b[{count}A\x1b7\x1b[m\x1b[K", "\x0b".repeat(count));
        for line in &self.lines {
            write!(text, "\r\x0b{line}\x1b[K").expect("BUG: a string takes all");
        }
        text.push_str("\x1b[J\x1b8");
        self.is_up = true;
        Some(text.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: Size = Size { columns: 20, rows: 6 };

    fn terminal() -> vt100::Parser {
        vt100::Parser::new(6.try_into().unwrap(), 20.try_into().unwrap(), 1000)
    }

    fn bar(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    /// What a terminal does with a newline that a program writes.
    fn with_returns(output: &[u8]) -> Vec<u8> {
        output
            .iter()
            .flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(byte) })
            .copied()
            .collect()
    }

    /// All lines that were ever on it, as a person scrolls back to them.
    fn history(terminal: &mut vt100::Parser) -> String {
        let screen = terminal.screen_mut();
        screen.set_scrollback(usize::MAX);
        let mut lines = Vec::new();
        for offset in (1..=screen.scrollback()).rev() {
            screen.set_scrollback(offset);
            lines.extend(screen.rows(0, 20).next());
        }
        screen.set_scrollback(0);
        lines.extend(screen.rows(0, 20));
        lines.join("\n").trim_end().to_owned()
    }

    #[test]
    fn the_lines_stand_below_the_output_and_the_cursor_at_its_end() {
        let (mut area, mut terminal) = (StatusArea::new(), terminal());
        terminal.process(b"one\r\ntwo");
        area.note(b"one\ntwo");
        terminal.process(&area.show(bar(&["bar", "job"]), SIZE).unwrap());
        assert_eq!(terminal.screen().contents(), "one\ntwo\nbar\njob");
        assert_eq!(terminal.screen().cursor_position(), (1, 3));
        terminal.process(&area.show(bar(&["b"]), SIZE).unwrap());
        assert_eq!(terminal.screen().contents(), "one\ntwo\nb");
        terminal.process(area.erase());
        assert_eq!(terminal.screen().contents(), "one\ntwo");
        assert_eq!(terminal.screen().cursor_position(), (1, 3));
        assert_eq!(area.erase(), b"");
    }

    #[test]
    fn what_stands_is_not_drawn_again_but_after_a_change_of_size() {
        let mut area = StatusArea::new();
        assert!(area.show(bar(&["bar"]), SIZE).is_some());
        assert!(area.show(bar(&["bar"]), SIZE).is_none());
        assert!(area.show(bar(&["bar"]), Size { columns: 19, rows: 6 }).is_some());
    }

    #[test]
    fn what_has_stood_stands_again_unless_the_size_has_changed() {
        let mut area = StatusArea::new();
        assert!(area.redraw(SIZE).is_none());
        let drawing = area.show(bar(&["bar"]), SIZE);
        assert!(drawing.is_some() && area.redraw(SIZE).is_none());
        area.erase();
        assert_eq!(area.redraw(SIZE), drawing);
        area.erase();
        assert!(area.redraw(Size { columns: 19, rows: 6 }).is_none());
    }

    #[test]
    fn beside_a_line_that_may_reach_the_edge_nothing_is_drawn() {
        let mut area = StatusArea::new();
        area.note(&[b'x'; 19]);
        assert!(area.show(bar(&["bar"]), SIZE).is_some());
        area.note(b"x");
        area.erase();
        assert!(area.show(bar(&["bar"]), SIZE).is_none());
        area.note(b"\n\t\t");
        assert!(area.show(bar(&["bar"]), SIZE).is_some());
    }

    proptest! {
        #[test]
        fn the_output_is_on_the_terminal_as_if_nothing_had_ever_stood_there(
            pieces in proptest::collection::vec(("[a-zä€\u{4e00}\t\n]{0,30}", 0_usize..6), 0..12),
        ) {
            let (mut plain, mut drawn, mut area) = (terminal(), terminal(), StatusArea::new());
            for (output, height) in pieces {
                let bytes = with_returns(output.as_bytes());
                plain.process(&bytes);
                drawn.process(area.erase());
                drawn.process(&bytes);
                area.note(output.as_bytes());
                let lines = vec!["0123456789012345678".to_owned(); height];
                if let Some(drawing) = area.show(lines.clone(), SIZE) {
                    drawn.process(&drawing);
                    prop_assert!(drawn.screen().contents().ends_with(&lines.join("\n")));
                }
            }
            drawn.process(area.erase());
            prop_assert_eq!(history(&mut drawn), history(&mut plain));
        }
    }
}
