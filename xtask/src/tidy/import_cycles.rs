//! Imports between the files of a crate have no cycles. Each cycle is reported with a place for each of its
//! imports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::cycles::{Component, Graph, components};
use super::modules::ModuleTree;
use super::tree::{Finding, SourceFile};

/// Finds the cycles of each crate: of all roots `src/lib.rs` and `src/main.rs`.
pub(crate) fn check(files: &[SourceFile]) -> Result<Vec<Finding>> {
    let texts: BTreeMap<&Path, &str> = files.iter().map(|file| (&*file.path, &*file.text)).collect();
    let mut findings = Vec::new();
    for root in texts.keys().filter(|path| path.ends_with("src/lib.rs") || path.ends_with("src/main.rs")) {
        let mut arrows = Arrows::new();
        for import in ModuleTree::load(root, &texts)?.imports() {
            let place = (import.file, import.line);
            arrows.entry((shown(&import.from), shown(&import.to))).or_insert(place);
        }
        findings.extend(cycles(&arrows));
    }
    Ok(findings)
}

/// From and to, by name, and the first place where the one mentions the other.
pub(crate) type Arrows = BTreeMap<(String, String), (PathBuf, usize)>;

/// The cycles that `arrows` make.
pub(crate) fn cycles(arrows: &Arrows) -> Vec<Finding> {
    let mut graph = Graph::new();
    for (from, to) in arrows.keys() {
        graph.entry(from).or_default().insert(to);
    }
    components(&graph).iter().map(|component| finding(component, arrows)).collect()
}

fn finding(component: &Component, arrows: &Arrows) -> Finding {
    let mut lines = vec![format!("import cycle: {}", component.round.join(" -> "))];
    let mut start = None;
    for step in component.round.windows(2) {
        let (from, to) = (step[0], step[1]);
        let (path, line) = &arrows[&(from.to_owned(), to.to_owned())];
        lines.push(format!("{from} -> {to} at {}:{line}", path.display()));
        start = start.or(Some((path.clone(), *line)));
    }
    let is_other = |name: &&str| !component.round.contains(name);
    let others: Vec<_> = component.names.iter().copied().filter(is_other).collect();
    if !others.is_empty() {
        lines.push(format!("in the same cycle: {}", others.join(", ")));
    }
    let (path, line) = start.expect("BUG: a cycle has an arrow");
    Finding { path, line, problem: lines.join("\n    ") }
}

fn shown(module: &[String]) -> String {
    if module.is_empty() { "crate".to_owned() } else { module.join("::") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems in a crate of which each file is given as path under `src` and text.
    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let file = |&(path, text): &(&str, &str)| SourceFile {
            path: Path::new("x/src").join(path),
            text: text.to_owned(),
        };
        let files: Vec<_> = files.iter().map(file).collect();
        check(&files).unwrap().iter().map(Finding::to_string).collect()
    }

    /// The first line of the only problem, without its place.
    fn cycle(files: &[(&str, &str)]) -> String {
        let problems = problems(files);
        assert_eq!(problems.len(), 1, "{problems:?}");
        let line = problems[0].lines().next().unwrap();
        line.split_once("import cycle: ").unwrap().1.to_owned()
    }

    #[test]
    fn arrows_that_point_one_way_pass() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B;"),
        ];
        assert!(problems(&files).is_empty());
    }

    #[test]
    fn a_cycle_is_told_with_a_place_for_each_arrow() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::{\n    b::B,\n};"),
            ("b.rs", "fn f() {\n\n    crate::c::g()\n}"),
            ("c.rs", "use super::a::A;"),
        ];
        let expected = "x/src/a.rs:2: import cycle: a -> b -> c -> a\n    \
                        a -> b at x/src/a.rs:2\n    b -> c at x/src/b.rs:3\n    c -> a at x/src/c.rs:1";
        assert_eq!(problems(&files), [expected]);
    }

    #[test]
    fn a_child_that_uses_its_parent_is_a_cycle() {
        let parent = ("process.rs", "mod sys; use self::sys::spawn; pub struct Process;");
        let files = [("lib.rs", "mod process;"), parent, ("process/sys.rs", "use super::Process;")];
        assert_eq!(cycle(&files), "process -> process::sys -> process");
    }

    #[test]
    fn a_path_may_begin_with_the_name_of_a_child() {
        let parent = ("process/mod.rs", "mod sys; fn f() { sys::spawn() } pub struct Process;");
        let files = [("lib.rs", "mod process;"), parent, ("process/sys.rs", "fn f(_: super::Process) {}")];
        assert_eq!(cycle(&files), "process -> process::sys -> process");
    }

    #[test]
    fn a_child_that_uses_its_sibling_is_none() {
        let files = [
            ("lib.rs", "mod process;"),
            ("process.rs", "mod sys; mod time; use sys::spawn; use time::now;"),
            ("process/sys.rs", "use super::time::now;"),
            ("process/time.rs", "pub fn now() {}"),
        ];
        assert!(problems(&files).is_empty());
    }

    #[test]
    fn what_the_root_defines_makes_it_a_module_like_others() {
        let files =
            [("main.rs", "mod a; fn main() { a::f() } struct Settings;"), ("a.rs", "use crate::Settings;")];
        assert_eq!(cycle(&files), "a -> crate -> a");
        let files = [("main.rs", "mod a; fn main() { a::f() }"), ("a.rs", "use crate::*;")];
        assert_eq!(cycle(&files), "a -> crate -> a");
    }

    #[test]
    fn what_the_root_shows_belongs_where_it_comes_from() {
        let one_way = [("lib.rs", "mod a; mod b; pub use b::B;"), ("a.rs", "use crate::B;"), ("b.rs", "")];
        assert!(problems(&one_way).is_empty());
        let round = [
            ("lib.rs", "mod a; mod b; pub use b::B;"),
            ("a.rs", "use crate::B;"),
            ("b.rs", "use crate::a::A;"),
        ];
        assert_eq!(cycle(&round), "a -> b -> a");
    }

    #[test]
    fn a_module_within_a_file_belongs_to_the_file() {
        let inner = "mod inner { use super::C; use super::super::b::B; } struct C;";
        let files = [("lib.rs", "mod a; mod b;"), ("a.rs", inner), ("b.rs", "use crate::a::C;")];
        assert_eq!(cycle(&files), "a -> b -> a");
    }

    #[test]
    fn a_module_without_a_file_is_an_error() {
        let text = "#[path = \"b.rs\"] mod a;".to_owned();
        let error = check(&[SourceFile { path: "x/src/lib.rs".into(), text }]).unwrap_err();
        assert!(error.to_string().contains("no file for `mod a`"), "{error}");
    }

    #[test]
    fn tests_may_use_what_they_test() {
        let parent = ("a.rs", "mod b; use b::B; struct A; #[cfg(test)] mod tests { use super::*; }");
        let files = [("lib.rs", "mod a;"), parent, ("a/b.rs", "#[cfg(test)] use super::A;")];
        assert!(problems(&files).is_empty());
    }
}
