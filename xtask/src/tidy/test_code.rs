//! Which code is compiled for tests only, by its attributes: `#[test]` and `#[cfg(test)]`.
//!
//! A `#[cfg]` is evaluated with `test` being false and everything else unknown, so that
//! `#[cfg(any(test, unix))]`, which is in the program too, counts as code of the program.

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// Whether an item with this attribute is only in builds of tests.
pub(crate) fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args().is_ok_and(|predicate| outside_tests(&predicate) == Some(false))
        }
        Meta::List(_) | Meta::NameValue(_) => false,
    }
}

/// The value of a `cfg` predicate outside of tests, where `test` alone decides it.
fn outside_tests(predicate: &Meta) -> Option<bool> {
    let Meta::List(list) = predicate else {
        return predicate.path().is_ident("test").then_some(false);
    };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    let values: Vec<_> = parts.iter().map(outside_tests).collect();
    let decided_by = |deciding: bool| {
        if values.contains(&Some(deciding)) {
            Some(deciding)
        } else {
            values.iter().all(Option::is_some).then_some(!deciding)
        }
    };
    match list.path.get_ident()?.to_string().as_str() {
        "all" => decided_by(false),
        "any" => decided_by(true),
        "not" => values.first()?.map(|value| !value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::{Item, parse_str};

    use super::*;

    fn is_test_code(attribute: &str) -> bool {
        let Item::Fn(function) = parse_str(&format!("{attribute} fn f() {{}}")).unwrap() else {
            unreachable!("BUG: it is written as a function")
        };
        function.attrs.iter().any(is_for_tests)
    }

    #[test]
    fn what_no_other_build_has_is_for_tests() {
        for attribute in ["#[test]", "#[cfg(test)]", "#[cfg(all(unix, test))]", "#[cfg(not(not(test)))]"] {
            assert!(is_test_code(attribute), "{attribute}");
        }
    }

    #[test]
    fn what_another_build_may_have_is_not() {
        let others =
            ["", "#[cfg(not(test))]", "#[cfg(any(test, unix))]", "#[cfg(unix)]", "#[cfg(a = \"test\")]"];
        for attribute in others {
            assert!(!is_test_code(attribute), "{attribute}");
        }
    }
}
