//! Compares a table of layers with the imports in the source.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::tree::Finding;
use super::tables::{Allowed, LayerRow, Layers};

/// The page with the tables.
pub(crate) const PAGE: &str = "ARCHITECTURE.md";

/// A mention of `to` in `from`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arrow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
}

/// What the rows of a table must name, and the words for it in messages.
pub(crate) struct Members {
    pub(crate) kind: &'static str,
    pub(crate) verb: &'static str,
    pub(crate) place: String,
    pub(crate) names: BTreeSet<String>,
}

impl Arrow {
    pub(crate) fn of_root(self) -> Finding {
        let Arrow { from, file, line, .. } = self;
        let problem = format!("`{from}` imports what the root of its crate defines: move that into a folder");
        Finding { path: file, line, problem }
    }
}

/// Finds imports that the table does not allow, and entries of the table that are not true.
pub(crate) fn judge(layers: &Layers, members: &Members, arrows: &[Arrow]) -> Vec<Finding> {
    let known = |name: &String| members.names.contains(name);
    // A module without a row gets one finding for that, and none for its imports.
    let both_have_rows =
        |arrow: &&Arrow| [&arrow.from, &arrow.to].iter().all(|name| layers.row_of(name).is_some());
    let forbidden =
        arrows.iter().filter(both_have_rows).filter(|arrow| !layers.allows(&arrow.from, &arrow.to));
    let mut findings: Vec<_> = forbidden.map(|arrow| forbid(layers, members, arrow)).collect();

    let missing = members.names.iter().filter(|name| layers.row_of(name).is_none());
    findings.extend(missing.map(|name| {
        on_page(
            layers.line,
            format!(
                "no row for `{name}` of {}: say what it is, and what it may {}",
                members.place, members.verb
            ),
        )
    }));
    for row in &layers.rows {
        findings.extend(row.names.iter().filter(|name| !known(name)).map(|name| {
            on_page(row.line, format!("there is no `{name}` in {}: take it out of the table", members.place))
        }));
        findings.extend(
            doubts(layers, members, row, arrows).into_iter().map(|problem| on_page(row.line, problem)),
        );
    }
    findings
}

/// Drafts the rows of a table from the imports: what is imported stands above, unless there is a cycle.
pub(crate) fn draft(members: &Members, arrows: &[Arrow]) -> String {
    let targets = |name: &str| -> BTreeSet<&str> {
        arrows.iter().filter(|arrow| arrow.from == name).map(|arrow| &*arrow.to).collect()
    };
    let mut waiting: Vec<_> = members.names.iter().map(|name| (&**name, targets(name))).collect();
    let mut rows = vec!["|---|---|---|".to_owned()];
    while !waiting.is_empty() {
        let is_waiting = |name: &str| waiting.iter().any(|(other, _)| *other == name);
        let is_next =
            |(_, targets): &(&str, BTreeSet<&str>)| !targets.iter().any(|target| is_waiting(target));
        let (name, targets) = waiting.remove(waiting.iter().position(is_next).unwrap_or(0));
        let targets: Vec<_> = targets.into_iter().map(|target| format!("`{target}`")).collect();
        let allowed = if targets.is_empty() { "–".to_owned() } else { targets.join(" ") };
        rows.push(format!("| `{name}` | | {allowed} |"));
    }
    rows.join("\n")
}

pub(crate) fn on_page(line: usize, problem: String) -> Finding {
    Finding { path: PAGE.into(), line, problem }
}

fn forbid(layers: &Layers, members: &Members, arrow: &Arrow) -> Finding {
    let Arrow { from, to, file, line } = arrow;
    let Members { kind, verb, .. } = members;
    let remedy = if layers.is_above(to, from) {
        format!("add `{to}` to the row of `{from}` in ARCHITECTURE.md")
    } else {
        format!("change the rows in ARCHITECTURE.md, where `{to}` does not stand above `{from}`")
    };
    let problem = format!(
        "the {kind} `{from}` may not {verb} `{to}`: move what is wanted of it further down, or {remedy}"
    );
    Finding { path: file.clone(), line: *line, problem }
}

/// What is wrong with a row by itself, or with what it allows.
fn doubts(layers: &Layers, members: &Members, row: &LayerRow, arrows: &[Arrow]) -> Vec<String> {
    let Members { kind, verb, .. } = members;
    let mut doubts = Vec::new();
    if row.names.is_empty() {
        doubts.push(format!("a row without a {kind} between backticks"));
    }
    let is_again = |name: &&String| layers.names().filter(|it| it == name).count() > 1;
    doubts.extend(row.names.iter().filter(is_again).map(|name| format!("`{name}` has more than one row")));
    match &row.allowed {
        Allowed::AllAbove => {}
        Allowed::Unreadable => doubts.push(format!(
            "what this row may {verb} can't be read: write names between backticks, `all above`, or a dash for nothing"
        )),
        Allowed::Only(allowed) => {
            let is_above = |name: &String| row.names.first().is_some_and(|first| layers.is_above(name, first));
            let is_used = |name: &String| {
                arrows.iter().any(|arrow| row.names.contains(&arrow.from) && arrow.to == *name)
            };
            for name in allowed {
                if !is_above(name) {
                    doubts.push(format!("the row allows `{name}`, which does not stand above it"));
                } else if !is_used(name) {
                    doubts.push(format!("nothing in this row needs to {verb} `{name}`: take it out"));
                }
            }
        }
    }
    doubts
}
