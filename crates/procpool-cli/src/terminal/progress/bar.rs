//! The first line of the display: the figures, and a bar in the room that they leave: pure.

use crate::terminal::colour::{Palette, paint};
use crate::terminal::progress::figures::RunFigures;
use crate::terminal::progress::width::{cut, width};

/// The width of the bar. A narrower one tells nothing, a wider one tells no more.
const NARROWEST: usize = 10;
const WIDEST: usize = 40;

/// Around the bar.
const FRAME: &str = "[]  ";

/// A line of at most this many columns.
pub(super) fn line(figures: &RunFigures, columns: usize, palette: &Palette) -> String {
    let plain = text(figures, &Palette::default());
    let Some(room) = columns.checked_sub(width(&plain)) else { return cut(&plain, columns) };
    let text = text(figures, palette);
    let room = room.saturating_sub(FRAME.len()).min(WIDEST);
    match figures.steps_done(room) {
        Some(full) if room >= NARROWEST => {
            let bar = "#".repeat(full) + &" ".repeat(room - full);
            format!("[{}]  {text}", paint(palette.good, &bar))
        }
        _ => text,
    }
}

/// The figures; retries and failures only if there are any.
fn text(figures: &RunFigures, palette: &Palette) -> String {
    let parts = [
        Some(figures.position()),
        Some(figures.at_work()),
        figures.retries().map(|retries| paint(palette.notable, &retries)),
        figures.failures().map(|failures| paint(palette.bad, &failures)),
        Some(paint(palette.faint, &figures.times())),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn colours_take_no_room(
            done: u64, total: Option<u64>, retrying in 0_u64..3, failed in 0_u64..3, columns in 0_usize..200,
        ) {
            let elapsed = Duration::from_secs(47);
            let figures = RunFigures { done, total, running: 8, retrying, failed, elapsed };
            let coloured = line(&figures, columns, &Palette::coloured());
            let plain = line(&figures, columns, &Palette::default());
            prop_assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
        }

        #[test]
        fn of_the_bar_as_much_is_full_as_of_the_jobs_is_done(done in 0_u64..=40) {
            let elapsed = Duration::from_secs(47);
            let figures = RunFigures { done, total: Some(40), running: 8, retrying: 0, failed: 0, elapsed };
            let line = line(&figures, 200, &Palette::default());
            let full = usize::try_from(done).unwrap();
            let bar = format!("[{}{}]  {done}/40", "#".repeat(full), " ".repeat(WIDEST - full));
            prop_assert!(line.starts_with(&bar), "{line}");
        }
    }
}
