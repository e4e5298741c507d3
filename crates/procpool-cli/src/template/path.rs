//! The parts of a path that placeholders stand for, as GNU parallel defines them.
//! A path is bytes here: no file is looked at.

/// Which part of a value a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    WithoutExtension,
    BaseName,
    Directory,
    BaseNameWithoutExtension,
}

/// The suffixes of placeholders for a part, the longer ones first.
const SUFFIXES: [(&[u8], Form); 4] = [
    (b"//", Form::Directory),
    (b"/.", Form::BaseNameWithoutExtension),
    (b".", Form::WithoutExtension),
    (b"/", Form::BaseName),
];

impl Form {
    /// Splits the text in braces into a name and the part that is asked for: `2/.` into `2` and the form.
    pub(crate) fn split(inner: &[u8]) -> (&[u8], Form) {
        let found = SUFFIXES.iter().find_map(|(suffix, form)| Some((inner.strip_suffix(*suffix)?, *form)));
        found.unwrap_or((inner, Form::Whole))
    }

    /// This part of `path`.
    pub(crate) fn of(self, path: &[u8]) -> &[u8] {
        match self {
            Form::Whole => path,
            Form::WithoutExtension => without_extension(path),
            Form::BaseName => base_name(path),
            Form::Directory => directory(path),
            Form::BaseNameWithoutExtension => without_extension(base_name(path)),
        }
    }
}

/// Without the base name's last dot and what follows it. As in GNU parallel, all of `.profile` is an
/// extension.
fn without_extension(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| matches!(byte, b'.' | b'/')) {
        Some(position) if path[position] == b'.' => &path[..position],
        _ => path,
    }
}

/// What follows the last slash, which may be nothing.
fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// As dirname(1).
fn directory(path: &[u8]) -> &[u8] {
    let Some(end) = path.iter().rposition(|byte| *byte != b'/') else {
        return if path.is_empty() { b"." } else { b"/" };
    };
    let Some(slash) = path[..end].iter().rposition(|byte| *byte == b'/') else { return b"." };
    match path[..slash].iter().rposition(|byte| *byte != b'/') {
        Some(end) => &path[..=end],
        None => b"/",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_ends_a_placeholder_says_which_part_it_asks_for() {
        for (inner, name, form) in [
            ("", "", Form::Whole),
            (".", "", Form::WithoutExtension),
            ("/", "", Form::BaseName),
            ("//", "", Form::Directory),
            ("/.", "", Form::BaseNameWithoutExtension),
            ("12", "12", Form::Whole),
            ("2//", "2", Form::Directory),
            ("name/.", "name", Form::BaseNameWithoutExtension),
        ] {
            assert_eq!(Form::split(inner.as_bytes()), (name.as_bytes(), form), "{inner}");
        }
    }

    proptest! {
        #[test]
        fn the_parts_of_a_path_are_parts_of_it(value: Vec<u8>) {
            let joined = [Form::BaseNameWithoutExtension.of(&value), Form::BaseName.of(&value)];
            prop_assert!(value.ends_with(joined[1]));
            prop_assert!(joined[1].starts_with(joined[0]));
            prop_assert!(value.starts_with(Form::WithoutExtension.of(&value)));
            prop_assert!(!Form::Directory.of(&value).is_empty());
        }
    }
}
