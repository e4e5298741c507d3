//! A command with placeholders: parsed once, rendered for each job.
//! Rendering never splits: a value stays within one argument, whatever bytes it has.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::slice;

use procpool_core::Command;

use crate::template::names::{Names, Placeholder};
use crate::template::path::Form;
use crate::template::word::{JobContext, Word, WordPart};

/// A command with placeholders anywhere in its words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// The program is the first of them.
    pub(super) words: Vec<SpreadWord>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct SpreadWord {
    pub(super) word: Word,
    pub(super) spread: Spread,
}

/// How a word is rendered if the job has several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// One argument, in which all values are joined by a space.
    Joined,
    /// An argument for each value.
    Each,
}

/// Why a job has several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Several {
    /// One of each list or column. A word that is nothing but `{}` is an argument for each.
    Combined,
    /// So many of the same list: any word with `{}` in it is an argument for each.
    Batched,
}

impl Template {
    /// Parses a command, the program first. Without a placeholder, the values become its last arguments,
    /// except with `-I`, as in xargs.
    ///
    /// # Errors
    /// If it has a placeholder for something that no job has.
    pub(crate) fn parse(command: &[OsString], names: &Names, several: Several) -> anyhow::Result<Template> {
        let parsed = command.iter().map(|word| Word::parse(word.as_bytes(), names));
        let mut words: Vec<Word> = parsed.collect::<anyhow::Result<_>>()?;
        let is_literal = |word: &Word| word.placeholders().next().is_none();
        if names.are_appended() && words.iter().all(is_literal) {
            words.push(Word(vec![WordPart::Placeholder(Placeholder::Values(Form::Whole))]));
        }
        let spread = |word: Word| SpreadWord { spread: Spread::of(&word, several), word };
        Ok(Template { words: words.into_iter().map(spread).collect() })
    }

    /// The command for one job.
    pub(crate) fn render(&self, values: &[OsString], job: JobContext<'_>) -> Command {
        let mut words = self.words.iter().flat_map(|word| word.render(values, job));
        let program = words.next().unwrap_or_default();
        Command::new(program).args(words)
    }
}

impl Spread {
    fn of(word: &Word, several: Several) -> Spread {
        let is_bare = matches!(&*word.0, [WordPart::Placeholder(Placeholder::Values(_))]);
        if is_bare || (several == Several::Batched && word.holds_all_values()) {
            Spread::Each
        } else {
            Spread::Joined
        }
    }
}

impl SpreadWord {
    fn render(&self, values: &[OsString], job: JobContext<'_>) -> impl Iterator<Item = OsString> {
        let (joined, each) = match self.spread {
            Spread::Joined => (Some(values), &[][..]),
            Spread::Each => (None, values),
        };
        let chosen = joined.into_iter().chain(each.iter().map(slice::from_ref));
        chosen.map(move |these| OsString::from_vec(self.word.render(these, values, job)))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::*;

    fn job() -> JobContext<'static> {
        JobContext { key: "the key".as_ref(), seq: 12, slot: 3 }
    }

    fn words(command: &Command) -> Vec<OsString> {
        [&[command.program().to_owned()], command.arguments()].concat()
    }

    fn template(words: &[&str], names: &Names, several: Several) -> Template {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Template::parse(&words, names, several).unwrap()
    }

    fn render(command: &[&str], value: &OsStr) -> Vec<OsString> {
        let template = template(command, &Names::Lists(1), Several::Combined);
        words(&template.render(&[value.to_owned()], job()))
    }

    fn several(command: &str, names: &Names, several: Several, values: &str) -> String {
        let command: Vec<&str> = command.split(' ').collect();
        let values: Vec<OsString> = values.split(' ').map(OsString::from).collect();
        let rendered = words(&template(&command, names, several).render(&values, job()));
        let bracketed = |word: &OsString| format!("<{}>", word.to_string_lossy());
        rendered.iter().skip(1).map(bracketed).collect()
    }

    #[test]
    fn a_value_of_each_list_is_an_argument_or_a_part_of_one() {
        // As GNU parallel 20221122 passes them to printf, but for the fourth, where its shell splits the
        // word.
        let lists = Names::Lists(2);
        for (command, expected) in [
            ("x {}", "<a/b.c><d.e>"),
            ("x {.} {1}", "<a/b><d><a/b.c>"),
            ("x q", "<q><a/b.c><d.e>"),
            ("x y{}z", "<ya/b.c d.ez>"),
            ("x {2}-{1/}", "<d.e-b.c>"),
            ("x {1.}{1//}{1/.}", "<a/bab>"),
        ] {
            assert_eq!(several(command, &lists, Several::Combined, "a/b.c d.e"), expected, "{command}");
        }
    }

    #[test]
    fn a_word_is_repeated_for_each_value_of_a_batch() {
        // As `parallel -N3` passes them to printf.
        for (command, expected) in [
            ("x y{}z{}", "<yaza><ybzb><yczc>".to_owned()),
            ("x q", "<q><a><b><c>".into()),
            ("x {#}_{}", "<12_a><12_b><12_c>".into()),
            ("x {1}-{2}-{3}", "<a-b-c>".into()),
        ] {
            assert_eq!(several(command, &Names::UpTo(3), Several::Batched, "a b c"), expected, "{command}");
        }
        assert_eq!(several("x {1}-{2}", &Names::UpTo(2), Several::Batched, "a"), "<a->");
    }

    #[test]
    fn a_placeholder_of_ones_own_leaves_all_others_literal() {
        // As xargs -I, which appends nothing either.
        let own = Names::Only(b"@".to_vec());
        assert_eq!(several("x {} @{.}@ {1}", &own, Several::Combined, "v"), "<{}><v{.}v><{1}>");
        assert_eq!(several("x y", &own, Several::Combined, "v"), "<y>");
    }

    #[test]
    fn paths_are_taken_apart_as_gnu_parallel_does() {
        // Printed by GNU parallel 20221122 for each value.
        for (value, expected) in [
            ("a.b", "a|a.b|.|a"),
            (".bashrc", "|.bashrc|.|"),
            ("dir/.x", "dir/|.x|dir|"),
            ("a.", "a|a.|.|a"),
            ("a.b.c", "a.b|a.b.c|.|a.b"),
            ("d.e/f", "d.e/f|f|d.e|f"),
            ("/x", "/x|x|/|x"),
            ("/", "/||/|"),
            ("a/b/", "a/b/||a|"),
            ("", "||.|"),
            ("//a", "//a|a|/|a"),
            ("a//b", "a//b|b|a|b"),
            ("x/", "x/||.|"),
            ("..", ".|..|.|."),
            ("a..b", "a.|a..b|.|a."),
        ] {
            assert_eq!(render(&["x", "{.}|{/}|{//}|{/.}"], value.as_ref())[1], expected, "{value}");
        }
    }

    #[test]
    fn placeholders_stand_anywhere_and_several_times() {
        let rendered = render(&["{}", "<{}{}>", "{#}-{%}", "{key}!"], "v w".as_ref());
        assert_eq!(rendered, ["v w", "<v wv w>", "12-3", "the key!"]);
    }

    #[test]
    fn without_a_placeholder_the_value_is_appended() {
        assert_eq!(render(&["echo", "{print $1}"], "v".as_ref()), ["echo", "{print $1}", "v"]);
        assert_eq!(render(&["echo", "{#}"], "v".as_ref()), ["echo", "12"]);
    }

    #[test]
    fn other_braces_mean_themselves() {
        for literal in
            ["{print $1}", "${HOME}", "{1..3}", r#"{"a": {"b": 1}}"#, "{", "}", "{{", "{ }", "{keys}", "{0}"]
        {
            assert_eq!(render(&["x", literal, "{}"], "v".as_ref())[1], literal);
        }
        assert_eq!(render(&["x", "{{}}"], "v".as_ref())[1], "{v}");
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_is_not_replaced_again() {
        assert_eq!(render(&["x", "{}{#}"], "{#}{}".as_ref())[1], "{#}{}12");
    }

    proptest! {
        #[test]
        fn any_bytes_make_exactly_one_argument(value: Vec<u8>, around in "[^{}]*") {
            let value = OsString::from_vec(value);
            let rendered = render(&["x", &format!("{around}{{}}{around}")], &value);
            let expected = [around.as_bytes(), value.as_bytes(), around.as_bytes()].concat();
            prop_assert_eq!(rendered.len(), 2);
            prop_assert_eq!(rendered[1].as_bytes(), expected);
        }
    }
}
