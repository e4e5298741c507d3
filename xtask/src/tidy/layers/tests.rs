use super::*;

const WORKSPACE: (&str, &str) = ("Cargo.toml", "[workspace]\nmembers = [\"x\", \"y\"]\n");
const MANIFEST: (&str, &str) = ("x/Cargo.toml", "[package]\nname = \"x\"\n");
const CRATES: &str = "| crate | what it is | may depend on |\n|---|---|---|\n| `x` | it | – |\n\n";

/// The problems in a package `x` with these files below its `src`, and with these rows in its table.
fn problems(rows: &[&str], files: &[(&str, &str)]) -> Vec<String> {
    let rows: Vec<_> = rows.iter().map(|row| format!("| {row} |\n")).collect();
    let page = format!("{CRATES}| `x` | what it is | may import |\n|---|---|---|\n{}", rows.concat());
    let files: Vec<_> = files.iter().map(|(path, text)| (format!("x/src/{path}"), *text)).collect();
    let files = files.iter().map(|(path, text)| (&**path, *text));
    found(&files.chain([WORKSPACE, MANIFEST, (PAGE, &page)]).collect::<Vec<_>>())
}

fn found(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = files.iter().map(SourceFile::made_up).collect();
    check(&files).unwrap().iter().map(Finding::to_string).collect()
}

/// Whether `b`, whose text this is, imports `a` where its row does not allow it.
fn is_forbidden(b: &str) -> bool {
    let files =
        [("lib.rs", "mod a; mod b; mod c; pub use a::A;"), ("a.rs", "pub struct A;"), ("b/mod.rs", b)];
    let others = [("b/inner.rs", ""), ("c.rs", "pub(crate) use crate::a::A;")];
    let rows = ["`a` | data | –", "`b` | code | –", "`c` | shows | `a`"];
    let problems = problems(&rows, &[&files[..], &others[..]].concat());
    problems.iter().any(|problem| problem.contains("`b` may not import `a`"))
}

#[test]
fn imports_that_the_table_allows_pass() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; pub use c::C;"),
        ("a.rs", "pub struct A;"),
        ("b/mod.rs", "mod inner; use crate::a::A;"),
        ("b/inner.rs", "use super::super::a::A; fn f(_: super::super::b::B) {}"),
        ("c.rs", "use crate::{a::A, b};"),
    ];
    assert!(problems(&["`a` | data | –", "`b` | code | `a`", "`c` | all | all above"], &files).is_empty());
}

#[test]
fn an_import_that_the_table_does_not_allow_is_told_with_its_place_and_what_to_do() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", ""),
        ("b/mod.rs", "mod deep;"),
        ("b/deep.rs", "\nuse crate::a::A;"),
    ];
    let expected = "x/src/b/deep.rs:2: the folder `b` may not import `a`: move what is wanted of it further down, \
                    or add `a` to the row of `b` in ARCHITECTURE.md";
    assert_eq!(problems(&["`a` | data | –", "`b` | code | –"], &files), [expected]);
}

#[test]
fn an_import_from_the_same_row_or_one_below_is_told_of_the_order() {
    let files = [("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "")];
    for rows in [&["`a` `b` | data | all above"][..], &["`a` | data | –", "`b` | code | –"]] {
        let problems = problems(rows, &files);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].ends_with("where `b` does not stand above `a`"), "{problems:?}");
    }
}

#[test]
fn no_way_of_writing_an_import_gets_past_the_table() {
    for text in [
        "use crate::a;",
        "use crate::a::*;",
        "use super::a::A as B;",
        "use self::super::a::A;",
        "use crate::{c as _, a::{self}};",
        "fn f() { crate::a::g() }",
        "fn f() { use crate::a::A; }",
        "impl crate::a::T for u8 {}",
        "type B = <crate::a::A as Clone>::C;",
        "fn f() { print!(\"{}\", crate::a::A) }",
        "thread_local! { use crate::{a::A}; }",
        "macro_rules! m { () => { $crate::a::A } }",
        "#[derive(crate::a::D)] struct B;",
        "#[serde(with = \"crate::a\")] struct B;",
        "mod inner { use super::super::a::A; }",
        "mod inner { mod deeper { use super::super::super::a::A; } }",
        "pub(crate) use crate::a::A;",
        "use crate::A;",
        "use x::a::A;",
        "use ::x::A;",
        "#[cfg(not(test))] use crate::a::A;",
        "#[cfg(any(test, unix))] use crate::a::A;",
    ] {
        assert!(is_forbidden(text), "{text}");
    }
}

#[test]
fn what_is_no_import_of_the_module_passes() {
    for text in [
        "use crate::c::A;",
        "use other::a::A;",
        "use ::a::A;",
        "mod a { pub struct A; } use a::A;",
        "pub(in crate::a) struct B;",
        "// use crate::a::A;",
        "#[cfg(test)] use crate::a::A;",
        "#[cfg(test)] mod tests { use crate::a::A; }",
        "#[test] fn f() { crate::a::g() }",
    ] {
        assert!(!is_forbidden(text), "{text}");
    }
}

#[test]
fn a_module_that_shows_what_is_not_its_own_is_what_is_imported() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub struct A;"),
        ("b.rs", "pub(crate) use crate::a::A;"),
        ("c.rs", "use crate::b::A;"),
    ];
    assert!(problems(&["`a` | data | –", "`b` | shows | `a`", "`c` | uses | `b`"], &files).is_empty());
}

#[test]
fn a_glob_at_the_root_is_looked_through() {
    let rows = ["`a` | data | –", "`b` | code | –"];
    let files = |b| [("lib.rs", "mod a; mod b; pub use a::*;"), ("a.rs", "pub struct A;"), ("b.rs", b)];
    assert!(problems(&rows, &files("use crate::A;"))[0].contains("`b` may not import `a`"));
    assert!(problems(&rows, &files("use crate::B;"))[0].contains("what the root of its crate defines"));
}

#[test]
fn a_macro_belongs_to_the_module_that_exports_it() {
    let a = "#[macro_export] macro_rules! m { () => {} }";
    let files = [("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", "fn f() { crate::m!() }")];
    assert!(problems(&["`a` | data | –", "`b` | code | –"], &files)[0].contains("`b` may not import `a`"));
}

#[test]
fn nobody_may_import_what_a_root_defines() {
    for import in ["use crate::Settings;", "use super::*;", "fn f() -> crate::Settings {}"] {
        let files = [("main.rs", "mod a; struct Settings;"), ("a.rs", import)];
        let expected =
            "x/src/a.rs:1: `a` imports what the root of its crate defines: move that into a folder";
        assert_eq!(problems(&["`a` | data | –"], &files), [expected], "{import}");
    }
}

#[test]
fn a_cycle_between_folders_is_found_where_their_files_make_none() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod one; mod two;"),
        ("a/one.rs", "use crate::b::one::B;"),
        ("a/two.rs", ""),
        ("b/mod.rs", "mod one; mod two;"),
        ("b/one.rs", ""),
        ("b/two.rs", "use crate::a::two::A;"),
    ];
    let problems = problems(&["`a` | it | –", "`b` | it | `a`"], &files);
    assert!(problems[0].contains("import cycle: a -> b -> a"), "{problems:?}");
}

#[test]
fn a_table_and_the_folders_have_the_same_names() {
    let files = [("lib.rs", "mod a; mod b;"), ("a.rs", ""), ("b.rs", "use crate::a::A;")];
    let expected = [
        "ARCHITECTURE.md:5: no row for `b` of x/src: say what it is, and what it may import",
        "ARCHITECTURE.md:8: there is no `gone` in x/src: take it out of the table",
    ];
    assert_eq!(problems(&["`a` | data | –", "`gone` | data | –"], &files), expected);
}

#[test]
fn a_row_that_allows_too_much_is_found() {
    let files = [("lib.rs", "mod a; mod b;"), ("a.rs", ""), ("b.rs", "")];
    let told = |row| problems(&["`a` | data | –", row], &files);
    assert_eq!(
        told("`b` | it | `a`"),
        ["ARCHITECTURE.md:8: nothing in this row needs to import `a`: take it out"]
    );
    assert_eq!(
        told("`b` | it | `b`"),
        ["ARCHITECTURE.md:8: the row allows `b`, which does not stand above it"]
    );
    assert_eq!(told("`b` | it | all above"), [""; 0]);
    assert!(told("`b` | it | anything")[0].contains("can't be read"));
    assert!(told("`b` `a` | it | –")[0].contains("`a` has more than one row"));
}

#[test]
fn for_a_package_without_a_table_one_is_drafted() {
    let lib = ("x/src/lib.rs", "mod a; mod b;");
    let files = [WORKSPACE, MANIFEST, lib, ("x/src/a.rs", "use crate::b::B;"), ("x/src/b.rs", "")];
    let expected = "ARCHITECTURE.md:1: no table of layers for `x`; as it is today:\n\
                    | `x` | what it is | may import |\n|---|---|---|\n| `b` | | – |\n| `a` | | `b` |";
    assert_eq!(found(&[&files[..], &[(PAGE, CRATES)]].concat()), [expected]);
}

#[test]
fn a_table_is_of_a_package_that_there_is_and_the_only_one() {
    let table = |subject| format!("| `{subject}` | what it is | may import |\n|---|---|---|\n\n");
    let page = |subject| CRATES.to_owned() + &table(subject);
    let twice = page("x") + &table("x");
    let second = "ARCHITECTURE.md:8: a second table of layers for `x`";
    assert_eq!(found(&[WORKSPACE, MANIFEST, (PAGE, &twice)]), [second]);
    assert_eq!(
        found(&[WORKSPACE, MANIFEST, (PAGE, &page("z"))]),
        ["ARCHITECTURE.md:5: no package of the workspace is called `z`"]
    );
}

#[test]
fn packages_depend_on_one_another_as_their_table_says() {
    let page = |row: &str| {
        let page = format!("{}{row}\n", CRATES.trim_end_matches('\n').to_owned() + "\n");
        let y = "[package]\nname = \"y\"\n\n[dependencies]\nx = { path = \"../x\" }\nserde = \"1\"\n";
        found(&[WORKSPACE, MANIFEST, ("y/Cargo.toml", y), (PAGE, &page)])
    };
    assert!(page("| `y` | uses it | `x` |").is_empty());
    let expected = "y/Cargo.toml:5: the crate `y` may not depend on `x`: move what is wanted of it further down, \
                    or add `x` to the row of `y` in ARCHITECTURE.md";
    assert_eq!(page("| `y` | uses it | – |"), [expected]);
    let expected =
        "ARCHITECTURE.md:1: no row for `y` of the workspace: say what it is, and what it may depend on";
    assert_eq!(page(""), [expected]);
}

#[test]
fn what_only_tests_depend_on_is_no_arrow() {
    let y = "[package]\nname = \"y\"\n[dev-dependencies]\nx = { path = \"../x\" }\n";
    let page = format!("{}| `y` | tries it | – |\n", CRATES.trim_end_matches('\n').to_owned() + "\n");
    assert!(found(&[WORKSPACE, MANIFEST, ("y/Cargo.toml", y), (PAGE, &page)]).is_empty());
}
