//! A program as a case runs it: its arguments, its input, and where its output goes.

use std::fmt;

use crate::bench::proof::OutputOrder;

/// Where standard output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// To `/dev/null`.
    Nowhere,
    File(String),
    /// Through a pipe to `cat`, whose output goes to `/dev/null`.
    Cat,
}

/// A program with all its settings. Files and folders are in the benchmark's own folder.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its name in tables.
    pub(crate) name: String,
    pub(crate) words: Vec<String>,
    pub(crate) input: Option<String>,
    pub(crate) output: Output,
    /// How many runs make one sample.
    pub(crate) runs: u32,
    /// How many rounds it takes part in; None for all.
    pub(crate) rounds: Option<usize>,
    /// The order in which its output must come.
    pub(crate) order: OutputOrder,
    /// What it creates, which is removed before each run.
    pub(crate) makes: Option<String>,
}

impl Program {
    /// A program with its arguments in `line`, split at spaces.
    pub(crate) fn new(name: &str, line: &str) -> Program {
        let words = line.split_whitespace().map(str::to_owned).collect();
        Program::of_words(name, words)
    }

    /// A shell that runs `text`.
    pub(crate) fn of_shell(name: &str, text: &str) -> Program {
        Program::of_words(name, ["sh", "-c", text].map(str::to_owned).into())
    }

    fn of_words(name: &str, words: Vec<String>) -> Program {
        let name = name.to_owned();
        Program {
            name,
            words,
            input: None,
            output: Output::Nowhere,
            runs: 1,
            rounds: None,
            order: OutputOrder::Any,
            makes: None,
        }
    }

    pub(crate) fn reads(self, file: &str) -> Program {
        Program { input: Some(file.to_owned()), ..self }
    }

    pub(crate) fn writes(self, output: Output) -> Program {
        Program { output, ..self }
    }

    pub(crate) fn in_a_row(self, runs: u32) -> Program {
        Program { runs, ..self }
    }

    pub(crate) fn in_rounds(self, rounds: usize) -> Program {
        Program { rounds: Some(rounds), ..self }
    }

    pub(crate) fn in_order(self) -> Program {
        Program { order: OutputOrder::OfInput, ..self }
    }

    pub(crate) fn makes(self, path: &str) -> Program {
        Program { makes: Some(path.to_owned()), ..self }
    }

    pub(crate) fn writes_to(&self, file: &str) -> bool {
        matches!(&self.output, Output::File(own) if own == file)
    }

    /// The same program with `echo` in place of our other small programs, to be run once.
    pub(crate) fn echoing(&self) -> Program {
        let mut echoing = self.clone();
        for word in echoing.words.iter_mut().filter(|word| word.starts_with("./")) {
            // The first word is the program itself.
            if word != &self.words[0] {
                "./echo".clone_into(word);
            }
        }
        echoing.in_a_row(1)
    }
}

impl fmt::Display for Program {
    /// As one would type it in the benchmark's folder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            let quote = if word.contains([' ', ';', '$', '|', '{']) && word != "{}" { "'" } else { "" };
            write!(f, "{separator}{quote}{word}{quote}")?;
        }
        if let Some(input) = &self.input {
            write!(f, " < {input}")?;
        }
        match &self.output {
            Output::Nowhere => write!(f, " > /dev/null"),
            Output::File(file) => write!(f, " > {file}"),
            Output::Cat => write!(f, " | cat > /dev/null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_as_one_would_type_it() {
        let program = Program::new("procpool", "procpool run -j8 -- ./noop").reads("values");
        assert_eq!(program.to_string(), "procpool run -j8 -- ./noop < values > /dev/null");
        let program = Program::of_shell("cat", "./writer 5 a | cat").writes(Output::File("out".to_owned()));
        assert_eq!(program.to_string(), "sh -c './writer 5 a | cat' > out");
        let program = Program::new("parallel", "parallel ./writer 5 {} ::: a").writes(Output::Cat);
        assert_eq!(program.to_string(), "parallel ./writer 5 {} ::: a | cat > /dev/null");
    }

    #[test]
    fn an_echo_takes_the_place_of_the_program_that_is_run_and_not_of_the_one_that_runs_it() {
        let limit = Program::new("limit", "./limit 5 1 ./nap 200").in_a_row(9).echoing();
        assert_eq!(limit.words, ["./limit", "5", "1", "./echo", "200"]);
        assert_eq!(limit.runs, 1);
        let procpool = Program::new("procpool", "procpool run -- ./noop").echoing();
        assert_eq!(procpool.words, ["procpool", "run", "--", "./echo"]);
    }
}
