//! README's help text is what `procpool run -h` prints.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::tree::{Finding, SourceFile};
use crate::shell;

const README: &str = "README.md";
const OPENING: &str = "<!-- help:run -->\n```text\n";
const CLOSING: &str = "```\n<!-- /help -->\n";

/// What to do where README and the command differ.
#[derive(Clone, Copy)]
pub(crate) enum Help {
    Compare,
    Rewrite,
}

/// Builds the command and compares README, one of `files`, with what it prints.
pub(crate) fn check(root: &Path, files: &[SourceFile], help: Help) -> Result<Vec<Finding>> {
    let readme = files.iter().find(|file| file.path == Path::new(README));
    let Some(block) = readme.and_then(|readme| Block::find(&readme.text)) else {
        let wanted = format!("{OPENING}…\n{CLOSING}");
        let problem = format!("no block for the help text, which is:\n{}", wanted.trim_end());
        return Ok(vec![Finding { path: README.into(), line: 1, problem }]);
    };
    let printed = printed_help(root)?;
    match help {
        Help::Compare => Ok(block.compare(&printed).into_iter().collect()),
        Help::Rewrite => {
            fs::write(root.join(README), block.rewrite(&printed)).context("cannot write README.md")?;
            Ok(Vec::new())
        }
    }
}

fn printed_help(root: &Path) -> Result<String> {
    let line = "build --quiet --package procpool-cli --locked --message-format json-render-diagnostics";
    let messages = shell::read(&mut shell::cargo(root, line))?;
    let program = built_program(&messages)?.context("cargo built no program called procpool")?;
    // clap asks for the terminal's width before it believes COLUMNS; `read` gives it no terminal.
    let mut command = shell::command(root, &program.to_string_lossy(), "run -h");
    let printed = shell::read(command.env("COLUMNS", "80"))?;
    Ok(format!("{}\n", printed.trim_end()))
}

/// The path of `procpool` in cargo's messages, one JSON object a line.
fn built_program(messages: &str) -> Result<Option<PathBuf>> {
    for line in messages.lines() {
        let message: serde_json::Value = serde_json::from_str(line).context("cargo printed no JSON")?;
        if message["target"]["name"] == "procpool" && message["executable"].is_string() {
            return Ok(message["executable"].as_str().map(PathBuf::from));
        }
    }
    Ok(None)
}

/// README, split around the help text.
struct Block<'readme> {
    before: &'readme str,
    help: &'readme str,
    after: &'readme str,
}

impl<'readme> Block<'readme> {
    fn find(readme: &'readme str) -> Option<Self> {
        let (before, rest) = readme.split_once(OPENING)?;
        let (help, after) = rest.split_once(CLOSING)?;
        Some(Block { before, help, after })
    }

    fn rewrite(&self, printed: &str) -> String {
        format!("{}{OPENING}{printed}{CLOSING}{}", self.before, self.after)
    }

    fn compare(&self, printed: &str) -> Option<Finding> {
        let problem = format!(
            "not what `procpool run -h` prints; `cargo xtask tidy --bless` writes it\n{}",
            difference(self.help, printed)
        );
        let line = self.before.lines().count() + 1;
        (self.help != printed).then(|| Finding { path: README.into(), line, problem })
    }
}

/// The lines from the first to the last that differ: `-` those of README, `+` those of the command.
fn difference(readme: &str, printed: &str) -> String {
    let (mut old, mut new): (Vec<_>, Vec<_>) = (readme.lines().collect(), printed.lines().collect());
    for _ in 0..2 {
        let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        (old, new) = (old.split_off(same), new.split_off(same));
        // First from the front, then from the back; the second reversal restores the order.
        old.reverse();
        new.reverse();
    }
    let removed = old.iter().map(|line| format!("-{line}"));
    let added = new.iter().map(|line| format!("+{line}"));
    removed.chain(added).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAYS: &str =
        "# procpool\n<!-- help:run -->\n```text\nUsage\n  -a\n  -b\n```\n<!-- /help -->\nmore\n";

    #[test]
    fn the_same_text_passes() {
        assert_eq!(Block::find(SAYS).unwrap().compare("Usage\n  -a\n  -b\n"), None);
    }

    #[test]
    fn another_text_is_found_with_its_lines() {
        let finding = Block::find(SAYS).unwrap().compare("Usage\n  -c\n  -b\n").unwrap();
        assert_eq!(finding.line, 2);
        assert!(finding.problem.ends_with("writes it\n-  -a\n+  -c"), "{}", finding.problem);
    }

    #[test]
    fn a_readme_without_the_block_has_none() {
        assert!(Block::find("# procpool\n<!-- help:run -->\nUsage\n<!-- /help -->\n").is_none());
        // This is found before anything is built, so the root does not matter.
        let found = |files: &[SourceFile]| check(Path::new("nowhere"), files, Help::Rewrite).unwrap().len();
        assert_eq!(found(&[SourceFile { path: README.into(), text: "# procpool\n".into() }]), 1);
        assert_eq!(found(&[]), 1);
    }

    #[test]
    fn a_rewritten_text_passes_and_the_rest_stays() {
        let rewritten = Block::find(SAYS).unwrap().rewrite("Usage\n");
        assert_eq!(rewritten, "# procpool\n<!-- help:run -->\n```text\nUsage\n```\n<!-- /help -->\nmore\n");
    }

    #[test]
    fn the_program_is_found_among_the_messages_of_cargo() {
        let library = r#"{"target":{"name":"procpool_core"},"executable":null}"#;
        let program = r#"{"target":{"name":"procpool"},"executable":"/t/procpool"}"#;
        let found =
            built_program(&format!("{library}\n{program}\n{{\"reason\":\"build-finished\"}}\n")).unwrap();
        assert_eq!(found, Some(PathBuf::from("/t/procpool")));
        assert_eq!(built_program(library).unwrap(), None);
    }
}
