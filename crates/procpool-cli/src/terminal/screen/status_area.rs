//! What a terminal is sent so that lines stand below the output, and go when more of that comes: pure.
//! Knows nothing of what they say, nor how they get there.
//!
//! The cursor never leaves the end of the output. Room is made below it by moving down (VT, which unlike a newline
//! keeps the column and unlike a cursor movement scrolls) and up again; then the position is saved, the lines
//! are drawn, and the position is taken up again. So one sequence, "erase to the end of the screen", takes them away,
//! whoever sends it, wherever the output has ended, and also after the terminal was resized and has wrapped them.

use std::fmt::Write as _;
use std::mem;

/// How large a terminal is, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// The lines that stand, and where the output ends.
pub(super) struct StatusArea {
    /// Those that stand, or that did last.
    lines: Vec<String>,
    size: Size,
    is_up: bool,
    /// How wide the last line of the output is, at most: zero where it has ended.
    unfinished: usize,
}

/// A tab is as wide as that, at most.
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

    /// This much more output there is.
    pub(super) fn note(&mut self, output: &[u8]) {
        let end = output.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        if end.len() < output.len() {
            self.unfinished = 0;
        }
        // No character is wider than it is long. Sequences count too, which does no harm.
        self.unfinished += end.iter().map(|byte| if *byte == b'\t' { TAB } else { 1 }).sum::<usize>();
    }

    /// What ends the last line of the output, if need be.
    pub(super) fn fresh_line(&self) -> &'static [u8] {
        if self.unfinished == 0 { b"" } else { b"\n" }
    }

    /// What takes the lines away, where some stand.
    pub(super) fn erase(&mut self) -> &'static [u8] {
        if mem::take(&mut self.is_up) { StatusArea::ERASE } else { b"" }
    }

    /// What makes these lines stand in the place of those that do; `None` where it makes no difference. They have
    /// to be narrower than the terminal, and no more than it has rows, less one.
    pub(super) fn show(&mut self, lines: Vec<String>, size: Size) -> Option<Vec<u8>> {
        if self.is_up && self.lines == lines && self.size == size {
            return None;
        }
        self.lines = lines;
        self.size = size;
        self.draw()
    }

    /// What makes the lines stand again that did before they were taken down; `None` where none can, or where the
    /// terminal has another size now.
    pub(super) fn redraw(&mut self, size: Size) -> Option<Vec<u8>> {
        if self.is_up || self.size != size {
            return None;
        }
        self.draw()
    }

    fn draw(&mut self) -> Option<Vec<u8>> {
        // At the very edge a terminal waits with the cursor for what comes next, and forgets that when it is moved.
        if self.unfinished >= self.size.columns || self.lines.is_empty() {
            return None;
        }
        let count = self.lines.len();
        // The colour that the output may just be in is saved and taken up again with the position.
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
