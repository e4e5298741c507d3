//! Whether and how procpool's own messages are coloured. `control_filter` treats the colours of jobs' output.

use std::env;
use std::ffi::{OsStr, OsString};

use anstyle::{AnsiColor, Style};

/// The value of --color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColourChoice {
    Auto,
    Always,
    Never,
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Terminal,
    /// A pipe or a file.
    Elsewhere,
}

/// The styles of messages; all plain without colour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Palette {
    pub(crate) good: Style,
    pub(crate) bad: Style,
    pub(crate) notable: Style,
    pub(crate) faint: Style,
}

impl Palette {
    /// As --color says, else as the environment says, else coloured on a terminal.
    pub(crate) fn choose(choice: ColourChoice, place: Destination) -> Palette {
        let is_coloured = decide(choice, |name| env::var_os(name)).unwrap_or(place == Destination::Terminal);
        if is_coloured { Palette::coloured() } else { Palette::default() }
    }

    pub(crate) fn coloured() -> Palette {
        Palette {
            good: AnsiColor::Green.on_default(),
            bad: AnsiColor::Red.on_default().bold(),
            notable: AnsiColor::Yellow.on_default(),
            faint: Style::new().dimmed(),
        }
    }
}

/// Wraps a text in the sequences of a style; unchanged for the plain one.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Whether to colour regardless of the destination; `None` if that decides.
pub(crate) fn decide(choice: ColourChoice, variable: impl Fn(&str) -> Option<OsString>) -> Option<bool> {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let is_on = |name| variable(name).is_some_and(|value| !value.is_empty() && value != OsStr::new("0"));
    let is = |name, expected: &str| variable(name).is_some_and(|value| value == OsStr::new(expected));
    match choice {
        ColourChoice::Always => Some(true),
        ColourChoice::Never => Some(false),
        ColourChoice::Auto if is_set("NO_COLOR") => Some(false),
        ColourChoice::Auto if is_on("CLICOLOR_FORCE") || is_on("FORCE_COLOR") => Some(true),
        ColourChoice::Auto if is("CLICOLOR", "0") || is("TERM", "dumb") => Some(false),
        ColourChoice::Auto => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn decided(choice: ColourChoice, variables: &[(&str, &str)], expected: Option<bool>) {
        let variable = |name: &str| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, value)| OsString::from(value))
        };
        assert_eq!(decide(choice, variable), expected, "{choice:?} {variables:?}");
    }

    #[test]
    fn what_was_typed_counts_before_the_environment() {
        decided(ColourChoice::Always, &[("NO_COLOR", "1"), ("TERM", "dumb")], Some(true));
        decided(ColourChoice::Never, &[("CLICOLOR_FORCE", "1"), ("FORCE_COLOR", "1")], Some(false));
    }

    #[test]
    fn of_the_environment_no_colour_counts_first_then_what_forces_it() {
        decided(ColourChoice::Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Some(false));
        decided(ColourChoice::Auto, &[("NO_COLOR", ""), ("FORCE_COLOR", "1"), ("CLICOLOR", "0")], Some(true));
        decided(ColourChoice::Auto, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], Some(true));
        decided(ColourChoice::Auto, &[("CLICOLOR", "0")], Some(false));
        decided(ColourChoice::Auto, &[("TERM", "dumb")], Some(false));
    }

    #[test]
    fn else_the_place_decides() {
        let variables = [("CLICOLOR", "1"), ("CLICOLOR_FORCE", "0"), ("FORCE_COLOR", ""), ("TERM", "xterm")];
        decided(ColourChoice::Auto, &variables, None);
    }

    #[test]
    fn a_text_in_the_plain_style_is_as_it_was() {
        assert_eq!(paint(Palette::default().bad, "x"), "x");
        assert_eq!(paint(Palette::coloured().bad, "x"), "\x1b[1m\x1b[31mx\x1b[0m");
    }
}
