//! Lines that are commands: one job per line, with the line as its key. Blank lines and comments are skipped,
//! as a shell would.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use anyhow::anyhow;
use procpool_core::{Command, Job, Key};

use crate::job::terms::Terms;
use crate::job::work::Work;
use crate::shell::{script, split};

/// What splits a line into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineParser {
    /// procpool, which refuses lines that need a shell.
    Procpool,
    /// This shell, which gets the whole line.
    Shell(OsString),
}

/// The jobs of these lines. `name` is their source, for errors.
pub(crate) fn jobs<L>(
    lines: L,
    name: String,
    parser: LineParser,
    terms: Terms,
) -> impl Iterator<Item = anyhow::Result<Job<Work>>>
where
    L: Iterator<Item = anyhow::Result<OsString>>,
{
    lines.zip(1_u64..).filter_map(move |(line, number)| {
        let job = line.and_then(|line| {
            job(&line, &parser, &terms).map_err(|error| anyhow!("{name}, line {number}: {error}"))
        });
        job.transpose()
    })
}

fn job(line: &OsStr, parser: &LineParser, terms: &Terms) -> Result<Option<Job<Work>>, split::SplitError> {
    if split::is_blank(line.as_bytes()) {
        return Ok(None);
    }
    let command = match parser {
        LineParser::Shell(shell) => Some(Command::new(shell).arg("-c").arg(script(line.as_bytes()))),
        LineParser::Procpool => {
            let mut words = split::split(line.as_bytes())?.into_iter();
            words.next().map(|program| Command::new(program).args(words))
        }
    };
    Ok(command
        .map(|command| terms.with_timeout(Job::new(Key::from(line), Work::Command(terms.apply(command))))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str, parser: &LineParser) -> Vec<Result<String, String>> {
        let lines = text.lines().map(|line| Ok(OsString::from(line)));
        jobs(lines, "the test".into(), parser.clone(), Terms::default())
            .map(|job| match job {
                Ok(Job { key, work: Work::Command(command), .. }) => {
                    Ok(format!("{key}: {:?} {:?}", command.program(), command.arguments()))
                }
                Ok(other) => panic!("no command: {other:?}"),
                Err(error) => Err(error.to_string()),
            })
            .collect()
    }

    #[test]
    fn a_line_is_a_command_and_its_key_and_blank_ones_are_neither() {
        assert_eq!(
            commands("echo 'a b'\n\n  # no command\n ls\n", &LineParser::Procpool),
            [Ok(r#"echo 'a b': "echo" ["a b"]"#.into()), Ok(r#" ls: "ls" []"#.into())]
        );
    }

    #[test]
    fn a_shell_is_given_the_whole_line() {
        assert_eq!(
            commands("a | b\n#\n", &LineParser::Shell("sh".into())),
            [Ok(r#"a | b: "sh" ["-c", "a | b"]"#.into())]
        );
    }

    #[test]
    fn a_line_that_needs_a_shell_is_refused_with_its_number() {
        let commands = commands("a\n\nb | c\n", &LineParser::Procpool);
        let error = commands[1].clone().unwrap_err();
        assert!(error.starts_with("the test, line 3: `|` is for a shell"), "{error}");
    }
}
