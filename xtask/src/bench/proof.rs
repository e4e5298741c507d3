//! Whether the jobs' output is complete: each once, and whole. A benchmark counts only if the work was
//! done.

use anyhow::{Result, bail, ensure};

/// The order in which output must come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputOrder {
    Any,
    OfInput,
}

/// What a run with `echo` as the jobs' program must print, as words.
pub(crate) struct Proof(Vec<String>);

impl Proof {
    pub(crate) fn of_words(words: Vec<String>) -> Proof {
        Proof(words)
    }

    /// The numbers from 1 to `count`.
    pub(crate) fn of_numbers(count: usize) -> Proof {
        Proof((1..=count).map(|number| number.to_string()).collect())
    }

    /// The same, with `word` before each number.
    pub(crate) fn of_numbers_after(word: &str, count: usize) -> Proof {
        Proof((1..=count).flat_map(|number| [word.to_owned(), number.to_string()]).collect())
    }

    pub(crate) fn judge(&self, printed: &str, order: OutputOrder) -> Result<()> {
        let mut expected: Vec<&str> = self.0.iter().map(String::as_str).collect();
        let mut printed: Vec<&str> = printed.split_whitespace().collect();
        ensure!(
            printed.len() == expected.len(),
            "{} words were printed instead of {}",
            printed.len(),
            expected.len()
        );
        if order == OutputOrder::Any {
            expected.sort_unstable();
            printed.sort_unstable();
        }
        match expected.iter().zip(&printed).find(|(expected, printed)| expected != printed) {
            Some((expected, printed)) => bail!("{printed} was printed where {expected} should be"),
            None => Ok(()),
        }
    }
}

/// Measures an output in which each job's part must be one stretch of one letter.
#[derive(Default)]
pub(crate) struct Stretches(Vec<(u8, u64)>);

impl Stretches {
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for stretch in bytes.chunk_by(|one, other| one == other) {
            let length = stretch.len() as u64;
            match self.0.last_mut() {
                Some((letter, sum)) if *letter == stretch[0] => *sum += length,
                _ => self.0.push((stretch[0], length)),
            }
        }
    }

    /// Whether the output is one stretch of `length` bytes for each of `letters`, and nothing else.
    pub(crate) fn judge(mut self, letters: &str, length: u64) -> Result<()> {
        self.0.sort_unstable();
        let expected: Vec<(u8, u64)> = letters.bytes().map(|letter| (letter, length)).collect();
        ensure!(
            self.0 == expected,
            "the output has {} stretches, not one of {length} bytes for each of {letters}",
            self.0.len()
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_order_pass_where_order_is_no_matter() {
        let proof = Proof::of_numbers(3);
        assert!(proof.judge("3\n1\n2\n", OutputOrder::Any).is_ok());
        assert!(proof.judge("3\n1\n2\n", OutputOrder::OfInput).is_err());
        assert!(proof.judge("1\n2\n3\n", OutputOrder::OfInput).is_ok());
        assert!(Proof::of_numbers_after("200", 2).judge("200 2\n200 1\n", OutputOrder::Any).is_ok());
    }

    #[test]
    fn words_that_are_missing_or_twice_do_not() {
        let error = |printed| Proof::of_numbers(3).judge(printed, OutputOrder::Any).unwrap_err().to_string();
        assert_eq!(error("1\n2\n"), "2 words were printed instead of 3");
        assert_eq!(error("1\n1\n2\n"), "1 was printed where 2 should be");
    }

    #[test]
    fn each_letter_has_one_stretch_however_it_was_read() {
        let judge = |parts: &[&str]| {
            let mut stretches = Stretches::default();
            for part in parts {
                stretches.take(part.as_bytes());
            }
            stretches.judge("ab", 3)
        };
        assert!(judge(&["bb", "baaa"]).is_ok());
        assert!(judge(&["", "aaabb", "b"]).is_ok());
        assert!(judge(&["aabbba"]).is_err());
        assert!(judge(&["aaabb"]).is_err());
        assert!(judge(&["aaabbbc"]).is_err());
    }
}
