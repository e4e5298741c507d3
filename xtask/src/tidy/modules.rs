//! The modules of a crate, and the module that each import leads to.
//!
//! An import belongs to the module that its path names, even if that one only re-exports what another one
//! defines: who reads the path sees a use of the module that it names. Only re-exports of the root are
//! followed, because re-exporting is what a root is for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::{Context, Result};

use super::outline::{Form, Mention, Names, Outline, outline};

/// A file of a crate. An inline module belongs to its file.
struct Module {
    file: PathBuf,
    outline: Outline,
}

/// The modules below one root, a `lib.rs` or `main.rs`, by their path; the root's is empty.
pub(crate) struct ModuleTree {
    modules: BTreeMap<Names, Module>,
}

/// One module uses another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: Names,
    pub(crate) to: Names,
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
}

impl ModuleTree {
    pub(crate) fn load(root: &Path, texts: &BTreeMap<&Path, &str>) -> Result<Self> {
        let mut modules = BTreeMap::new();
        let mut pending = vec![(Names::new(), root.to_path_buf())];
        let source = root.parent().context("BUG: a root lies in src")?;
        while let Some((name, file)) = pending.pop() {
            let text = texts[&*file];
            let outline = outline(text).with_context(|| format!("cannot parse {}", file.display()))?;
            for child in &outline.declared {
                let name = [&*name, &child.inside, slice::from_ref(&child.name)].concat();
                let path = source.join(name.iter().collect::<PathBuf>());
                let candidates = [path.with_extension("rs"), path.join("mod.rs")];
                // An import that is not seen could close a cycle, so a missing file is an error.
                let found = candidates.into_iter().find(|path| texts.contains_key(&**path));
                let found = found.with_context(|| {
                    let declaring = file.display();
                    format!("{declaring}: no file for `mod {}` (tidy knows no #[path])", child.name)
                })?;
                pending.push((name, found));
            }
            modules.insert(name, Module { file, outline });
        }
        Ok(ModuleTree { modules })
    }

    /// All modules with their files and outlines.
    pub(crate) fn modules(&self) -> impl Iterator<Item = (&Names, &Path, &Outline)> {
        self.modules.iter().map(|(name, module)| (name, &*module.file, &module.outline))
    }

    /// All imports of one module by another.
    pub(crate) fn imports(&self) -> Vec<Import> {
        self.resolve_all(|from, mention| {
            // Re-exports of the root are no use of a module.
            let shows = from.is_empty() && matches!(mention.form, Form::Reexport { .. });
            self.target(from, mention).filter(|to| !shows && to != from)
        })
    }

    /// All imports from `library`, which is the one of the same package and goes by `name`.
    pub(crate) fn imports_from(&self, library: &ModuleTree, name: &str) -> Vec<Import> {
        self.resolve_all(|from, mention| {
            let path = mention.path.strip_prefix(&["::".to_owned()]).unwrap_or(&mention.path);
            let is_shadowed = self.target(from, mention).is_some();
            let inner = path.strip_prefix(&[name.to_owned()]).filter(|_| !is_shadowed)?;
            library.below_root(inner)
        })
    }

    fn resolve_all(&self, target: impl Fn(&Names, &Mention) -> Option<Names>) -> Vec<Import> {
        let mut imports = Vec::new();
        for (from, module) in &self.modules {
            for mention in &module.outline.mentions {
                if let Some(to) = target(from, mention) {
                    let (file, line) = (module.file.clone(), mention.line);
                    imports.push(Import { from: from.clone(), to, file, line });
                }
            }
        }
        imports
    }

    /// The module that a mention points at, if it is one of this crate.
    fn target(&self, from: &[String], mention: &Mention) -> Option<Names> {
        self.below_root(&self.absolute(&[from, &mention.inside].concat(), &mention.path)?)
    }

    /// The module that `path` leads to from the root; None for a name that the root imports from another
    /// crate.
    fn below_root(&self, path: &[String]) -> Option<Names> {
        let module = self.module_of(path);
        match path.first() {
            Some(name) if module.is_empty() => self.shown_by_root(name),
            _ => Some(module),
        }
    }

    /// The module that the root has `name` from.
    fn shown_by_root(&self, name: &str) -> Option<Names> {
        let root = &self.modules[&Names::new()].outline;
        if root.defined.contains(name) {
            return Some(Names::new());
        }
        if let Some(path) = root.imported_at_top(name).next() {
            return Some(self.module_of(&self.absolute(&[], path)?));
        }
        let paths = root.imported_at_top("*").filter_map(|path| self.absolute(&[], path));
        let mut globs = paths.map(|path| self.module_of(&path));
        let exporter = || {
            let exports = |module: &Module| module.outline.exported_macros.contains(name);
            self.modules.iter().find(|(_, module)| exports(module)).map(|(path, _)| path.clone())
        };
        // A name that is found nowhere counts as the root's own, so that it is reported rather than missed.
        globs.find(|module| self.provides(module, name)).or_else(exporter).or(Some(Names::new()))
    }

    /// Whether `name` can be imported from `module`.
    fn provides(&self, module: &Names, name: &str) -> bool {
        let outline = &self.modules[module].outline;
        let reexports = |mention: &Mention| match &mention.form {
            Form::Reexport { name: bound } => bound == name || bound == "*",
            Form::Import { .. } | Form::InCode => false,
        };
        outline.defined.contains(name) || outline.mentions.iter().any(reexports)
    }

    /// The path from the root, if it leads into this crate and not into another.
    fn absolute(&self, scope: &[String], path: &[String]) -> Option<Names> {
        let (mut base, mut rest) = match path.first()?.as_str() {
            "crate" => (Names::new(), &path[1..]),
            "self" => (scope.to_vec(), &path[1..]),
            "super" => (scope.to_vec(), path),
            child => {
                let child = [scope, &[child.to_owned()]].concat();
                return self.modules.contains_key(&child).then(|| [scope, path].concat());
            }
        };
        while let Some(("super", after)) = rest.split_first().map(|(first, after)| (first.as_str(), after)) {
            base.pop()?;
            rest = after;
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The innermost module on the way that `path` goes.
    fn module_of(&self, path: &[String]) -> Names {
        let ways = (0..=path.len()).rev().map(|length| path[..length].to_vec());
        ways.into_iter().find(|way| self.modules.contains_key(way)).unwrap_or_default()
    }
}
