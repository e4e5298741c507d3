//! The placeholders that a tag may have, converted between the template's type and the journal's. The journal
//! keeps them because a resume from the journal alone has no input that would tell.

use crate::template::Names;
use procpool_journal::format::names::NamesLine;
use procpool_journal::format::text::Text;

impl From<&Names> for NamesLine {
    fn from(names: &Names) -> NamesLine {
        let text = |bytes: &Vec<u8>| Text(bytes.clone().into());
        match names {
            Names::Lists(lists) => NamesLine::Lists(*lists),
            Names::UpTo(most) => NamesLine::UpTo(*most),
            Names::AnyNumber => NamesLine::AnyNumber,
            Names::Columns(columns) => NamesLine::Columns(columns.iter().map(text).collect()),
            Names::NoValues => NamesLine::NoValues,
            Names::Only(own) => NamesLine::Only(text(own)),
        }
    }
}

impl From<NamesLine> for Names {
    fn from(line: NamesLine) -> Names {
        match line {
            NamesLine::Lists(lists) => Names::Lists(lists),
            NamesLine::UpTo(most) => Names::UpTo(most),
            NamesLine::AnyNumber => Names::AnyNumber,
            NamesLine::Columns(columns) => {
                Names::Columns(columns.into_iter().map(|column| column.0.into_owned()).collect())
            }
            NamesLine::NoValues => Names::NoValues,
            NamesLine::Only(own) => Names::Only(own.0.into_owned()),
        }
    }
}
