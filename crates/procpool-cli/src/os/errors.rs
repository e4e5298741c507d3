//! Copies of errors that belong to another owner or are reported twice: `io::Error` is not `Clone`.

use std::io;

use anyhow::anyhow;

/// A copy by number, or else by kind and text.
pub(crate) fn copy_of(error: &io::Error) -> io::Error {
    let same = error.raw_os_error().map(io::Error::from_raw_os_error);
    same.unwrap_or_else(|| io::Error::new(error.kind(), error.to_string()))
}

/// A copy of all texts, with the system's error at the bottom if there is one: by it `ulimits` knows the
/// limit.
pub(crate) fn copy_of_chain(error: &anyhow::Error) -> anyhow::Error {
    let causes: Vec<_> = error.chain().collect();
    let own = causes.iter().find_map(|cause| cause.downcast_ref::<io::Error>());
    let Some(own) = own else { return anyhow!("{error:#}") };
    let above = causes.iter().take_while(|cause| !cause.is::<io::Error>());
    let words: Vec<String> = above.map(ToString::to_string).collect();
    words.into_iter().rev().fold(copy_of(own).into(), anyhow::Error::context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_words_and_the_number() {
        let error = anyhow::Error::from(io::Error::from_raw_os_error(27)).context("inner").context("outer");
        let copy = copy_of_chain(&error);
        assert_eq!(format!("{copy:#}"), format!("{error:#}"));
        let number = copy.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
        assert_eq!(number.and_then(io::Error::raw_os_error), Some(27));
        assert_eq!(format!("{:#}", copy_of_chain(&anyhow!("one").context("two"))), "two: one");
    }
}
