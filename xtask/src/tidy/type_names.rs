//! One type name stands for one type within a crate, so that a reader can search for it.
//!
//! A second type of a name is allowed with a reason that stands where a reader meets it, right above its definition:
//! ``// Same name as `other::Place`: what makes two of them clearer than two names.``

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::outline::Names;
use super::tree::{Finding, SourceFile};
use super::workspace::{Package, packages};

/// How many names of several types a crate may have, all of them with reasons.
const MOST_SHARED: usize = 6;
const REASON: &str = "// Same name as ";

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Definition<'package> {
    module: Names,
    file: &'package Path,
    line: usize,
    is_conditional: bool,
}

/// Finds the names of each crate that stand for several types without a reason, or if there are too many with one.
pub(crate) fn check(files: &[SourceFile]) -> Result<Vec<Finding>> {
    let texts: BTreeMap<&Path, &str> = files.iter().map(|file| (&*file.path, &*file.text)).collect();
    let packages = packages(files)?;
    Ok(packages.iter().flat_map(|package| check_package(package, &texts)).collect())
}

fn check_package(package: &Package, texts: &BTreeMap<&Path, &str>) -> Vec<Finding> {
    let shared = shared_names(package);
    let lacks_reasons = |definitions: &[Definition]| {
        let explained = definitions.iter().filter(|it| has_reason(texts[it.file], it.line));
        explained.count() + 1 < definitions.len()
    };
    let unexplained = shared.iter().filter(|(_, definitions)| lacks_reasons(definitions));
    let mut findings: Vec<_> =
        unexplained.map(|(name, definitions)| unexplained_name(name, definitions)).collect();
    if shared.len() > MOST_SHARED {
        findings.push(Finding {
            path: package.folder.join("Cargo.toml"),
            line: 1,
            problem: format!(
                "{} names stand for several types in {}, more than {MOST_SHARED}: {}",
                shared.len(),
                package.name,
                shared.keys().copied().collect::<Vec<_>>().join(", ")
            ),
        });
    }
    findings
}

/// All names with more than one type.
fn shared_names(package: &Package) -> BTreeMap<&str, Vec<Definition<'_>>> {
    let mut by_name: BTreeMap<&str, BTreeSet<Definition>> = BTreeMap::new();
    for (module, file, outline) in package.modules() {
        for found in &outline.types {
            let module = [&**module, &found.inside].concat();
            let (line, is_conditional) = (found.line, found.is_conditional);
            by_name.entry(&found.name).or_default().insert(Definition { module, file, line, is_conditional });
        }
    }
    let by_name = by_name.into_iter().map(|(name, definitions)| {
        let mut definitions: Vec<_> = definitions.into_iter().collect();
        // Two definitions with a `#[cfg]` in one module are alternatives.
        definitions
            .dedup_by(|next, one| next.module == one.module && next.is_conditional && one.is_conditional);
        (name, definitions)
    });
    by_name.filter(|(_, definitions)| definitions.len() > 1).collect()
}

fn unexplained_name(name: &str, definitions: &[Definition]) -> Finding {
    let places: Vec<_> = definitions.iter().map(|it| format!("{}:{}", it.file.display(), it.line)).collect();
    let Definition { file, line, .. } = &definitions[1];
    let problem = format!(
        "`{name}` stands for {} types: rename them, or say above each but one `{REASON}…: REASON`\n    {}",
        definitions.len(),
        places.join("\n    ")
    );
    Finding { path: file.to_path_buf(), line: *line, problem }
}

/// Whether a reason stands among the comments and attributes right above `line`.
fn has_reason(text: &str, line: usize) -> bool {
    let above: Vec<_> = text.lines().take(line - 1).map(str::trim).collect();
    let mut above = above.iter().rev().take_while(|line| line.starts_with("//") || line.starts_with("#["));
    above.any(|line| {
        let said = line.strip_prefix(REASON).and_then(|rest| rest.split_once(": "));
        said.is_some_and(|(other, reason)| !other.is_empty() && !reason.trim().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems in a package of which each file is given as path below `src` and text.
    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, text)| (format!("x/src/{path}"), *text)).collect();
        let own = [
            ("Cargo.toml", "[workspace]\nmembers = [\"x\"]\n"),
            ("x/Cargo.toml", "[package]\nname = \"x\"\n"),
        ];
        let files = files.iter().map(|(path, text)| (&**path, *text)).chain(own);
        let files: Vec<_> = files.map(|file| SourceFile::made_up(&file)).collect();
        check(&files).unwrap().iter().map(Finding::to_string).collect()
    }

    #[test]
    fn names_of_one_type_each_pass() {
        assert!(
            problems(&[("lib.rs", "mod a; struct A;"), ("a.rs", "enum B {} trait C {} type D = B;")])
                .is_empty()
        );
    }

    #[test]
    fn a_name_of_several_types_is_told_with_all_places() {
        let files = [("lib.rs", "mod a; mod b;"), ("a.rs", "\nstruct Place;"), ("b.rs", "trait Place {}")];
        let expected = "x/src/b.rs:1: `Place` stands for 2 types: rename them, or say above each but one \
                        `// Same name as …: REASON`\n    x/src/a.rs:2\n    x/src/b.rs:1";
        assert_eq!(problems(&files), [expected]);
    }

    #[test]
    fn modules_within_files_and_functions_count() {
        assert_eq!(problems(&[("lib.rs", "mod inner { struct A; } struct A;")]).len(), 1);
        assert_eq!(problems(&[("lib.rs", "fn f() { struct A; }\nfn g() { struct A; }")]).len(), 1);
    }

    #[test]
    fn a_reason_above_each_other_type_excuses() {
        let a = "struct Place;\n";
        let b = "// Same name as `a::Place`: each is the one of its own format.\n/// A place.\n#[derive(Clone)]\nstruct Place;";
        let c = "// Same name as `a::Place`: \nstruct Place;";
        let excused = [("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b)];
        assert!(problems(&excused).is_empty());
        assert_eq!(problems(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", c)]).len(), 1);
        let third = [("lib.rs", "mod a; mod b; struct Place;"), ("a.rs", a), ("b.rs", b)];
        assert_eq!(problems(&third).len(), 1);
    }

    #[test]
    fn more_than_six_names_are_too_many_with_any_reason() {
        let module = |count, reason| {
            let define = |number| format!("{reason}struct S{number};\n");
            (0..count).map(define).collect::<String>()
        };
        let problems = |count| {
            let (a, b) = (module(count, ""), module(count, "// Same name as `a`: it has to be.\n"));
            problems(&[("lib.rs", "mod a; mod b;"), ("a.rs", &a), ("b.rs", &b)])
        };
        assert!(problems(6).is_empty());
        assert_eq!(problems(7).len(), 1);
        assert!(problems(7)[0].ends_with("more than 6: S0, S1, S2, S3, S4, S5, S6"));
    }

    #[test]
    fn one_of_each_build_is_one_type_and_tests_do_not_count() {
        let conditional = "#[cfg(unix)] struct A; #[cfg(not(unix))] struct A;";
        assert!(problems(&[("lib.rs", conditional)]).is_empty());
        assert!(problems(&[("lib.rs", "struct A; #[cfg(test)] mod tests { struct A; }")]).is_empty());
    }
}
