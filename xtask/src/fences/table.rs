//! docs/fences.md: a table with a row for each call and a column for each error, and the messages. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::fences::call::Call;
use crate::fences::error::Error;
use crate::fences::judge::Cell;

/// The worst result of all scenes, for each call and error.
pub(crate) type Cells = BTreeMap<(Call, Error), Cell>;

const HEAD: &str = "# Fences

A container, a sandbox or an old kernel refuses system calls. This page says what procpool does then. Each row is a call that
procpool makes from its own first step on (at the start, for a job, at the end; of the child, up to its exec), or one meaning of
that call. Each column is the error that the call always returns.

| cell | means |
|---|---|
| works | as without a fence: the same output, records, messages and exit status |
| said | the same, and one line says what is weaker; with a journal a second line says what a resume can't find |
| exit 1 | every job that could not run is named, with the call |
| exit 2, exit 3 | procpool gives up, and a line names the call or what it was for |

No cell loses output or a record at exit 0, repeats a message, hangs, panics or leaves a process behind. A cell is empty where
the kernel never returns that error.

`cargo xtask fences` writes this page: strace(1) records which calls some runs make (`scene.rs`); each run is then repeated behind
a seccomp filter for each call and error that was seen there (`c/fence.c`). A cell is the worst of its runs. The jobs are built so
that the filter doesn't affect them (`c/job.c`). The filter is installed when procpool begins, after the loader and Rust's runtime,
which end any program by themselves; for `rseq` and `set_robust_list`, which only those call, before the loader. To read it, find
the call, then the error that your sandbox returns (mostly EPERM or ENOSYS), then the message below.
`cargo xtask fences --call NAME` shows how a cell came about.

";

/// The text of the page.
pub(crate) fn page(cells: &Cells) -> String {
    let mut page = HEAD.to_owned();
    page += &table(cells);
    let _ = write!(page, "\n{}.\n\n## Messages\n", counts(cells));
    for (call, lines) in lines(cells) {
        let _ = write!(page, "\n`{call}`\n\n");
        for line in lines {
            let _ = writeln!(page, "- {}", line.replace('<', "&lt;"));
        }
    }
    page
}

/// How many cells of each kind there are.
pub(crate) fn counts(cells: &Cells) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for verdict in cells.values() {
        *counts.entry(verdict.told()).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(told, count)| format!("{told}: {count}")).collect();
    format!("{} cells; {}", cells.len(), counts.join(", "))
}

/// The cells that differ from those on the page.
pub(crate) fn differences(page: &str, cells: &Cells) -> Vec<String> {
    let written: BTreeMap<&str, Vec<&str>> = page.lines().filter_map(row_in).collect();
    let head = written.get("call").cloned().unwrap_or_default();
    let cell = |call: &str, error: Error| {
        let place = head.iter().position(|name| *name == error.to_string())?;
        written.get(call)?.get(place).copied()
    };
    let mut differences = Vec::new();
    for ((call, error), verdict) in cells {
        let before = cell(&call.told(), *error).unwrap_or("nothing");
        if before != verdict.told() {
            differences.push(format!("{} {error}: {verdict}; the page says {before}", call.told()));
        }
    }
    differences
}

/// The first cell of a row, without its backticks, and the other cells.
fn row_in(line: &str) -> Option<(&str, Vec<&str>)> {
    let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::trim).collect();
    let (call, cells) = cells.split_first()?;
    Some((call.trim_matches('`'), cells.to_vec()))
}

fn table(cells: &Cells) -> String {
    let columns = columns(cells);
    let names: Vec<String> = columns.iter().map(Error::to_string).collect();
    let mut table = format!("| call | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(columns.len()));
    let rows: BTreeSet<&Call> = cells.keys().map(|(call, _)| call).collect();
    for call in rows {
        let cell = |error: &Error| cells.get(&(call.clone(), *error)).map_or_else(String::new, Cell::told);
        let row: Vec<String> = columns.iter().map(cell).collect();
        let _ = writeln!(table, "| `{}` | {} |", call.told(), row.join(" | "));
    }
    table
}

fn columns(cells: &Cells) -> Vec<Error> {
    cells.keys().map(|(_, error)| *error).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The messages for each call, each once. Those of the first error stand for the others, which repeat them.
fn lines(cells: &Cells) -> BTreeMap<String, BTreeSet<String>> {
    let mut lines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for ((call, error), verdict) in cells {
        let is_first = !cells.contains_key(&(call.clone(), Error::Eperm)) || *error == Error::Eperm;
        let is_broken = matches!(verdict, Cell::Broken(_));
        if let Some(line) = verdict.line().filter(|_| is_first || is_broken) {
            lines.entry(call.told()).or_default().insert(format!("{error}: {line}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Cells {
        let call = |name| Call::whole(name);
        Cells::from([
            ((call("a"), Error::Eperm), Cell::Works),
            ((call("a"), Error::Enosys), Cell::Said("a is <missing>".into())),
            ((call("b"), Error::Eio), Cell::Refused(3, "b(2): no".into())),
        ])
    }

    #[test]
    fn a_page_has_a_row_a_call_and_what_is_said() {
        let page = page(&cells());
        let rows = "| call | EPERM | ENOSYS | EIO |\n|---|---|---|---|\n\
                    | `a` | works | said |  |\n| `b` |  |  | exit 3 |\n";
        assert!(page.contains(rows), "{page}");
        assert!(page.contains("3 cells; exit 3: 1, said: 1, works: 1."), "{page}");
        assert!(page.contains("`b`\n\n- EIO: b(2): no\n"), "{page}");
    }

    #[test]
    fn cells_that_are_others_than_on_the_page_are_told() {
        let page = page(&cells());
        assert_eq!(differences(&page, &cells()), [""; 0]);
        let mut now = cells();
        now.insert((Call::whole("b"), Error::Eio), Cell::Works);
        now.insert((Call::whole("c"), Error::Eio), Cell::Works);
        let expected = ["b EIO: works; the page says exit 3", "c EIO: works; the page says nothing"];
        assert_eq!(differences(&page, &now), expected);
    }
}
