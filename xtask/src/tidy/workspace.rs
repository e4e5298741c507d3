//! The packages of the workspace: their modules, and the packages that they depend on.
//!
//! The modules of a package's library and of its programs count as those of one crate: they share one
//! `src`, and a program imports from its library as one module does from another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::modules::{Import, ModuleTree};
use super::outline::{Names, Outline};
use super::tree::SourceFile;

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// The packages that a build of this one needs, without those that only tests need.
    pub(crate) dependencies: Vec<Dependency>,
    /// The library comes first.
    trees: Vec<ModuleTree>,
}

pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Where the manifest names it.
    pub(crate) line: usize,
}

/// Reads all members of the workspace.
pub(crate) fn packages(files: &[SourceFile]) -> Result<Vec<Package>> {
    let texts: BTreeMap<&Path, &str> = files.iter().map(|file| (&*file.path, &*file.text)).collect();
    let root = manifest(Path::new(""), &texts)?;
    let workspace = root.get("workspace").and_then(Value::as_table).context("Cargo.toml has no workspace")?;
    let patterns =
        workspace.get("members").and_then(Value::as_array).context("the workspace has no members")?;
    let is_member = |folder: &Path| {
        patterns.iter().filter_map(Value::as_str).any(|pattern| match pattern.strip_suffix("/*") {
            Some(parent) => folder.parent() == Some(Path::new(parent)),
            None => folder == Path::new(pattern),
        })
    };
    let manifests = texts.keys().filter(|path| path.file_name().is_some_and(|name| name == "Cargo.toml"));
    let folders = manifests.filter_map(|path| path.parent()).filter(|folder| is_member(folder));
    folders.map(|folder| Package::load(folder, workspace, &texts)).collect()
}

fn manifest(folder: &Path, texts: &BTreeMap<&Path, &str>) -> Result<Table> {
    let path = folder.join("Cargo.toml");
    let text = texts.get(&*path).with_context(|| format!("no {}", path.display()))?;
    text.parse().with_context(|| format!("cannot parse {}", path.display()))
}

impl Package {
    fn load(folder: &Path, workspace: &Table, texts: &BTreeMap<&Path, &str>) -> Result<Self> {
        let manifest = manifest(folder, texts)?;
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        let text = texts[&*folder.join("Cargo.toml")];
        let line_of =
            |key: &str| text.lines().position(|line| line.starts_with(key)).map_or(1, |index| index + 1);
        let dependencies = dependencies(&manifest).into_iter().map(|(key, value)| {
            let name = package_name(key, value, workspace).to_owned();
            Dependency { name, line: line_of(key) }
        });
        let trees = roots(folder, &manifest, texts).into_iter().map(|root| ModuleTree::load(&root, texts));
        Ok(Package {
            name: name
                .with_context(|| format!("{} has no package with a name", folder.display()))?
                .to_owned(),
            folder: folder.to_owned(),
            dependencies: dependencies.collect(),
            trees: trees.collect::<Result<_>>()?,
        })
    }

    /// The modules right below a root, each a file or a folder in `src`.
    pub(crate) fn first_modules(&self) -> BTreeSet<String> {
        self.modules().filter_map(|(name, _, _)| name.first().cloned()).collect()
    }

    /// All modules with their files. A file that two roots share occurs twice.
    pub(crate) fn modules(&self) -> impl Iterator<Item = (&Names, &Path, &Outline)> {
        self.trees.iter().flat_map(ModuleTree::modules)
    }

    /// All imports of one module by another, each once.
    pub(crate) fn imports(&self) -> BTreeSet<Import> {
        let mut imports: BTreeSet<_> = self.trees.iter().flat_map(ModuleTree::imports).collect();
        let library_name = self.name.replace('-', "_");
        if let Some(library) = self.trees.first() {
            imports.extend(self.trees.iter().flat_map(|tree| tree.imports_from(library, &library_name)));
        }
        imports
    }
}

/// The files at which crates begin, that of the library first.
fn roots(folder: &Path, manifest: &Table, texts: &BTreeMap<&Path, &str>) -> Vec<PathBuf> {
    let source = folder.join("src");
    let programs = manifest.get("bin").and_then(Value::as_array).into_iter().flatten();
    let named = programs.filter_map(|program| program.get("path")?.as_str()).map(|path| folder.join(path));
    let unnamed = texts.keys().filter(|path| path.parent() == Some(&source.join("bin")));
    let mut roots = vec![source.join("lib.rs"), source.join("main.rs")];
    for root in named.chain(unnamed.map(|path| path.to_path_buf())) {
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots.retain(|root| texts.contains_key(&**root));
    roots
}

/// What a build needs, on any system: `[dependencies]`, `[build-dependencies]`, and the same in
/// `[target.…]`.
fn dependencies(manifest: &Table) -> Vec<(&String, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    let kinds = ["dependencies", "build-dependencies"];
    let tables = tables.flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()));
    tables.flatten().collect()
}

/// The package behind a dependency, which may have another name here or in the workspace.
fn package_name<'manifest>(
    key: &'manifest str,
    value: &'manifest Value,
    workspace: &'manifest Table,
) -> &'manifest str {
    let shared = workspace.get("dependencies").and_then(|table| table.get(key));
    let renamed = [Some(value), shared].into_iter().flatten().find_map(|value| value.get("package"));
    renamed.and_then(Value::as_str).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: (&str, &str) = (
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\", \"tool\"]\n[workspace.dependencies]\nold = { package = \"new\", version = \"1\" }\n",
    );

    fn load(files: &[(&str, &str)]) -> Vec<Package> {
        let files: Vec<_> = [WORKSPACE].iter().chain(files).map(SourceFile::made_up).collect();
        packages(&files).unwrap()
    }

    #[test]
    fn members_are_those_that_the_workspace_names() {
        let member = "[package]\nname = \"it\"\n";
        let files = [
            ("crates/a/Cargo.toml", member),
            ("crates/a/fuzz/Cargo.toml", member),
            ("tool/Cargo.toml", member),
            ("other/Cargo.toml", member),
        ];
        let folders: Vec<_> = load(&files).into_iter().map(|package| package.folder).collect();
        assert_eq!(folders, [Path::new("crates/a"), Path::new("tool")]);
    }

    #[test]
    fn dependencies_are_those_of_builds_by_their_own_names() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nold.workspace = true\nx = { package = \"y\" }\n\
                        [dev-dependencies]\nz = \"1\"\n[target.'cfg(unix)'.dependencies]\nu = \"1\"\n\
                        [build-dependencies]\nb = \"1\"\n";
        let packages = load(&[("crates/a/Cargo.toml", manifest)]);
        let mut found: Vec<_> = packages[0].dependencies.iter().map(|it| (&*it.name, it.line)).collect();
        found.sort_unstable();
        assert_eq!(found, [("b", 11), ("new", 4), ("u", 9), ("y", 5)]);
    }

    #[test]
    fn a_program_imports_from_the_library_beside_it_as_from_modules() {
        let manifest = "[package]\nname = \"my-tool\"\n[[bin]]\nname = \"other\"\npath = \"src/other.rs\"\n";
        let packages = load(&[
            ("tool/Cargo.toml", manifest),
            ("tool/src/lib.rs", "pub mod a; pub use a::A;"),
            ("tool/src/a.rs", "pub struct A;"),
            ("tool/src/main.rs", "mod b; mod c;"),
            ("tool/src/b.rs", "use my_tool::a::A;"),
            ("tool/src/c.rs", "fn f() { ::my_tool::A }"),
            ("tool/src/other.rs", "mod d;"),
            ("tool/src/d.rs", ""),
        ]);
        let imports = packages[0].imports();
        let shown: Vec<_> =
            imports.iter().map(|it| format!("{} > {}", it.from.join("::"), it.to.join("::"))).collect();
        assert_eq!(shown, ["b > a", "c > a"]);
        assert_eq!(packages[0].first_modules().into_iter().collect::<String>(), "abcd");
    }
}
