//! First-level modules of a crate, and the packages of the workspace, import each other only as the tables
//! of layers in ARCHITECTURE.md allow.
//!
//! The page itself is read, not a copy, so the map that readers use is true, and a new import has to be
//! written there. A root may import anything, and nobody may import what a root itself defines.

mod judge;
mod tables;

use std::path::Path;

use anyhow::Result;

pub(crate) use self::judge::PAGE;
use self::judge::{Arrow, Members, on_page};
use self::tables::Layers;
use super::import_cycles::{Arrows, cycles};
use super::tree::{Finding, SourceFile};
use super::workspace::{Package, packages};

/// The subject of the table of packages.
const PACKAGES: &str = "crate";
/// The name of a root among those of modules; it is a keyword, so no module has it.
const ROOT: &str = "crate";

/// Compares the workspace with the tables, in both directions.
pub(crate) fn check(files: &[SourceFile]) -> Result<Vec<Finding>> {
    let page = files.iter().find(|file| file.path == Path::new(PAGE));
    let tables = tables::read(page.map_or("", |page| &page.text));
    let packages = packages(files)?;
    let mut findings = check_packages(&packages, &tables);
    findings.extend(packages.iter().flat_map(|package| check_modules(package, &tables)));
    let is_known =
        |subject: &str| subject == PACKAGES || packages.iter().any(|package| package.name == subject);
    findings.extend(tables.iter().filter(|layers| !is_known(&layers.subject)).map(|layers| {
        on_page(layers.line, format!("no package of the workspace is called `{}`", layers.subject))
    }));
    Ok(findings)
}

/// The dependencies between packages.
fn check_packages(packages: &[Package], tables: &[Layers]) -> Vec<Finding> {
    let names = packages.iter().map(|package| package.name.clone()).collect();
    let is_ours = |name: &str| packages.iter().any(|package| package.name == name);
    let arrows = packages.iter().flat_map(|package| {
        let ours = package.dependencies.iter().filter(|dependency| is_ours(&dependency.name));
        ours.map(|dependency| Arrow {
            from: package.name.clone(),
            to: dependency.name.clone(),
            file: package.folder.join("Cargo.toml"),
            line: dependency.line,
        })
    });
    let members = Members {
        kind: "crate",
        verb: "depend on",
        place: "the workspace".to_owned(),
        names,
    };
    compare(tables, PACKAGES, &members, &arrows.collect::<Vec<_>>())
}

/// The imports between the modules of a package.
fn check_modules(package: &Package, tables: &[Layers]) -> Vec<Finding> {
    let first = |module: &[String]| module.first().map_or(ROOT, String::as_str).to_owned();
    let mut arrows: Vec<Arrow> = Vec::new();
    for import in package.imports() {
        let arrow = Arrow {
            from: first(&import.from),
            to: first(&import.to),
            file: import.file,
            line: import.line,
        };
        // A root may import anything.
        if arrow.from != arrow.to && arrow.from != ROOT && !arrows.contains(&arrow) {
            arrows.push(arrow);
        }
    }
    let (of_root, arrows): (Vec<_>, Vec<_>) = arrows.into_iter().partition(|arrow| arrow.to == ROOT);
    let mut findings: Vec<_> = of_root.into_iter().map(Arrow::of_root).collect();

    let mut places = Arrows::new();
    for arrow in &arrows {
        let place = (arrow.file.clone(), arrow.line);
        places.entry((arrow.from.clone(), arrow.to.clone())).or_insert(place);
    }
    findings.extend(cycles(&places));

    let place = package.folder.join("src").display().to_string();
    let members = Members {
        kind: "folder",
        verb: "import",
        place,
        names: package.first_modules(),
    };
    findings.extend(compare(tables, &package.name, &members, &arrows));
    findings
}

fn compare(tables: &[Layers], subject: &str, members: &Members, arrows: &[Arrow]) -> Vec<Finding> {
    let mut ours = tables.iter().filter(|layers| layers.subject == subject);
    match (ours.next(), ours.next()) {
        (Some(layers), None) => judge::judge(layers, members, arrows),
        (Some(_), Some(second)) => {
            vec![on_page(second.line, format!("a second table of layers for `{subject}`"))]
        }
        // Without modules there is nothing to say about layers.
        (None, _) if members.names.is_empty() => Vec::new(),
        (None, _) => {
            let head = if subject == PACKAGES { subject.to_owned() } else { format!("`{subject}`") };
            let problem = format!(
                "no table of layers for {head}; as it is today:\n| {head} | what it is | may {} |\n{}",
                members.verb,
                judge::draft(members, arrows)
            );
            vec![on_page(1, problem)]
        }
    }
}

#[cfg(test)]
mod tests;
