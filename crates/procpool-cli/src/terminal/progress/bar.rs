//! The line for a run, laid out by indicatif: a template, and a bar in what room it leaves: pure.
//! Knows nothing of the lines below it, and of where they stand.

use std::fmt::Write;

use anstyle::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::terminal::colour::{Palette, paint};
use crate::terminal::progress::figures::Figures;
use crate::terminal::progress::paper::Paper;
use crate::terminal::progress::width::{cut, width};

/// All but the bar; retries and failures come with spaces before them, where there are any. The words are ours: with
/// indicatif's own a run is at 100% before its end, and the time that is left grows and grows until the next job ends.
const FIGURES: &str = "{position}  {running}{retries}{failures}  {times}";

/// How wide the bar may be: one that is narrower says nothing, one that is wider no more.
const NARROWEST: usize = 10;
const WIDEST: usize = 40;

/// Around the bar.
const FRAME: &str = "[]  ";

/// A line of no more than so many columns.
pub(super) fn line(figures: &Figures, columns: usize, palette: &Palette) -> String {
    let plain = draw(FIGURES, figures, columns, &Palette::default());
    let figures_alone = width(&plain);
    if figures_alone > columns {
        return cut(&plain, columns);
    }
    let around = figures_alone + FRAME.len();
    if figures.total.is_none() || around + NARROWEST > columns {
        return draw(FIGURES, figures, columns, palette);
    }
    // indicatif's own colours follow other rules than ours (`colour.rs`).
    let good = palette.good;
    let template = format!("[{good}{{wide_bar}}{good:#}]  {FIGURES}");
    draw(&template, figures, columns.min(around + WIDEST), palette)
}

fn draw(template: &str, figures: &Figures, columns: usize, palette: &Palette) -> String {
    let figures = *figures;
    let key = |style: Style, words: fn(&Figures) -> String| {
        move |_: &ProgressState, out: &mut dyn Write| write(out, &paint(style, &words(&figures)))
    };
    let optional_key = |style: Style, words: fn(&Figures) -> Option<String>| {
        move |_: &ProgressState, out: &mut dyn Write| {
            if let Some(words) = words(&figures) {
                write(out, &format!("  {}", paint(style, &words)));
            }
        }
    };
    let style = ProgressStyle::with_template(template)
        .expect("BUG: no template")
        .progress_chars("# ")
        .with_key("position", key(Style::new(), Figures::position))
        .with_key("running", key(Style::new(), Figures::at_work))
        .with_key("retries", optional_key(palette.notable, Figures::retries))
        .with_key("failures", optional_key(palette.bad, Figures::failures))
        .with_key("times", key(palette.faint, Figures::times));
    let paper = Paper::new(columns);
    let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
    let bar =
        ProgressBar::with_draw_target(figures.total, target).with_style(style).with_position(figures.done);
    bar.force_draw();
    paper.take()
}

fn write(out: &mut dyn Write, text: &str) {
    out.write_str(text).expect("BUG: a string takes all");
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
            let figures = Figures { done, total, running: 8, retrying, failed, elapsed };
            let coloured = line(&figures, columns, &Palette::coloured());
            let plain = line(&figures, columns, &Palette::default());
            prop_assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
        }

        #[test]
        fn of_the_bar_as_much_is_full_as_of_the_jobs_is_done(done in 0_u64..=40) {
            let elapsed = Duration::from_secs(47);
            let figures = Figures { done, total: Some(40), running: 8, retrying: 0, failed: 0, elapsed };
            let line = line(&figures, 200, &Palette::default());
            let full = usize::try_from(done).unwrap();
            let bar = format!("[{}{}]  {done}/40", "#".repeat(full), " ".repeat(WIDEST - full));
            prop_assert!(line.starts_with(&bar), "{line}");
        }
    }
}
