//! Runs texts in real shells, with values that create a file if they are run.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use sleeper::needs::Need;
use tempfile::TempDir;

use crate::template::names::Names;
use crate::template::shell::Template;
use crate::template::word::JobContext;

/// Each creates the file `ran` if a shell runs it in a place of the right kind.
pub(super) const VALUES: [&str; 9] = [
    "x[$(:>ran)]",
    "x[$(:>ran)]=1",
    "path[$(:>ran)]",
    "$(:>ran)",
    ":>ran",
    "($(:>ran))",
    "-vx[$(:>ran)]",
    "-npx[$(:>ran)]",
    "y=x[$(:>ran)]",
];

/// A shell that is run without the user's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    Dash,
    Zsh,
    Ksh,
    Mksh,
    Yash,
}

impl Shell {
    pub(super) const ALL: [Shell; 6] =
        [Shell::Bash, Shell::Dash, Shell::Zsh, Shell::Ksh, Shell::Mksh, Shell::Yash];

    pub(super) fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Dash => "dash",
            Shell::Zsh => "zsh",
            Shell::Ksh => "ksh93",
            Shell::Mksh => "mksh",
            Shell::Yash => "yash",
        }
    }

    /// Whether it is installed. If it isn't, a message says so.
    pub(super) fn is_here(self) -> bool {
        Need::are_met(&[match self {
            Shell::Bash => Need::Bash,
            Shell::Dash => Need::Dash,
            Shell::Zsh => Need::Zsh,
            Shell::Ksh => Need::Ksh,
            Shell::Mksh => Need::Mksh,
            Shell::Yash => Need::Yash,
        }])
    }

    /// Parses a text as the command line does.
    pub(super) fn parse(self, text: &str) -> anyhow::Result<Template> {
        Template::parse_for_shell(self.name().as_ref(), &[text.into()], &Names::Lists(1))
    }

    /// Whether the text creates the file with this value.
    pub(super) fn runs(self, text: &str, value: &str) -> bool {
        self.makes_file(&[text.into(), self.name().into(), value.into()])
    }

    /// Whether the template creates the file with this value.
    pub(super) fn runs_template(self, template: &Template, value: &str) -> bool {
        let job = JobContext { key: "key".as_ref(), seq: 1, slot: 1 };
        let command = template.render(&[value.into()], job);
        self.makes_file(&command.arguments()[1..])
    }

    fn makes_file(self, text: &[OsString]) -> bool {
        let folder = TempDir::new().unwrap();
        let options: &[&str] = match self {
            Shell::Zsh => &["-f"],
            Shell::Yash => &["--norcfile"],
            _ => &[],
        };
        let mut command = Command::new(self.name());
        command.args(options).arg("-c").args(text).current_dir(folder.path());
        command.env_remove("ENV").env_remove("BASH_ENV");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap();
        has_run(folder.path())
    }
}

fn has_run(folder: &Path) -> bool {
    folder.join("ran").exists()
}

/// The text as it would be if no place was refused.
pub(super) fn unchecked(text: &str) -> String {
    let mut parts = text.split("{}");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_double = whole.matches('"').count() % 2 == 1;
        let is_single = whole.matches('\'').count() % 2 == 1;
        whole += match (is_single, is_double) {
            (_, true) => "${1}",
            (true, false) => "'\"${1}\"'",
            (false, false) => "\"${1}\"",
        };
        whole += part;
    }
    whole
}
