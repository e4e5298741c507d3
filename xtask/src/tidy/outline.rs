//! What a Rust file says about modules: which it declares, what it defines, the paths it mentions.
//!
//! Only the syntax: where a path leads is resolved in `modules`, with the outlines of all files of a crate.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{
    Attribute, ImplItemFn, Item, ItemMod, ItemUse, LitStr, Macro, MetaList, Path, UseTree, Visibility,
};

use super::test_code::is_for_tests;

/// A path as it was written: `crate::a::B` is `["crate", "a", "B"]`.
pub(crate) type Names = Vec<String>;

/// What matters of a file, without test code.
#[derive(Default)]
pub(crate) struct Outline {
    pub(crate) declared: Vec<Declared>,
    /// The items at its top level, by name, without imports.
    pub(crate) defined: BTreeSet<String>,
    /// The macros with `#[macro_export]`, which other files find at the root of the crate.
    pub(crate) exported_macros: BTreeSet<String>,
    pub(crate) types: Vec<TypeDefinition>,
    pub(crate) mentions: Vec<Mention>,
    /// The inline modules in which the visitor is.
    inside: Names,
}

/// `mod name;`
pub(crate) struct Declared {
    pub(crate) inside: Names,
    pub(crate) name: String,
}

/// A struct, enum, union, trait or type alias, wherever in the file.
pub(crate) struct TypeDefinition {
    pub(crate) inside: Names,
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Has a `#[cfg]`, so that another build may have another definition in its place.
    pub(crate) is_conditional: bool,
}

/// A path somewhere in the file.
pub(crate) struct Mention {
    /// The inline modules around it.
    pub(crate) inside: Names,
    /// `::a::B` is `["::", "a", "B"]`.
    pub(crate) path: Names,
    pub(crate) line: usize,
    pub(crate) form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Import { name: String },
    Reexport { name: String },
    InCode,
}

impl Form {
    /// Whether this import gives the module that has it the name `wanted`; `*` is that of a glob.
    fn binds(&self, wanted: &str) -> bool {
        match self {
            Form::Import { name } | Form::Reexport { name } => name == wanted,
            Form::InCode => false,
        }
    }
}

/// Reads a file.
pub(crate) fn outline(text: &str) -> Result<Outline> {
    let file =
        syn::parse_file(text).map_err(|error| anyhow!("line {}: {error}", error.span().start().line))?;
    let mut outline = Outline::default();
    for item in &file.items {
        let (attributes, name) = anatomy(item);
        if attributes.iter().any(is_for_tests) {
            continue;
        }
        if attributes.iter().any(|attribute| attribute.path().is_ident("macro_export")) {
            outline.exported_macros.extend(name.map(Ident::to_string));
        }
        outline.defined.extend(name.map(Ident::to_string));
    }
    outline.visit_file(&file);
    Ok(outline)
}

impl Outline {
    /// The paths that an import outside of inline modules gives the name `name`; `*` stands for globs.
    pub(crate) fn imported_at_top<'outline>(
        &'outline self,
        name: &'outline str,
    ) -> impl Iterator<Item = &'outline Names> {
        let at_top = self.mentions.iter().filter(|mention| mention.inside.is_empty());
        at_top.filter(|mention| mention.form.binds(name)).map(|mention| &mention.path)
    }

    fn mention(&mut self, path: Names, line: usize, form: Form) {
        // In code a single name is local, and `self` is a value.
        if form != Form::InCode || path.len() > 1 {
            self.mentions.push(Mention { inside: self.inside.clone(), path, line, form });
        }
    }

    fn import(&mut self, mut path: Names, tree: &UseTree, form: &dyn Fn(String) -> Form) {
        let (ident, name) = match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                return self.import(path, &tree.tree, form);
            }
            UseTree::Group(tree) => {
                return tree.items.iter().for_each(|tree| self.import(path.clone(), tree, form));
            }
            UseTree::Glob(tree) => {
                let line = tree.star_token.spans[0].start().line;
                return self.mention(path, line, form("*".to_owned()));
            }
            UseTree::Name(tree) => (&tree.ident, &tree.ident),
            UseTree::Rename(tree) => (&tree.ident, &tree.rename),
        };
        // `a::{self}` imports `a`, `self::a` begins at this module.
        if path.is_empty() || ident != "self" {
            path.push(ident.to_string());
        }
        self.mention(path, ident.span().start().line, form(name.to_string()));
    }

    /// Finds the paths in the tokens of a macro, which only the macro could parse. Each begins with `prefix`,
    /// which is not empty within the braces of `use crate::{…}`.
    fn scan(&mut self, prefix: &[String], tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.scan(prefix, group.stream()),
                // What follows is the new name, not a path.
                TokenTree::Ident(name) if name == "as" => drop(tokens.next()),
                TokenTree::Ident(first) => {
                    let mut path = [prefix, &[first.to_string()]].concat();
                    let mut braces = None;
                    while tokens.next_if(is_first_colon).is_some() {
                        tokens.next();
                        match tokens
                            .next_if(|token| matches!(token, TokenTree::Ident(_) | TokenTree::Group(_)))
                        {
                            Some(TokenTree::Group(group)) => braces = Some(group.stream()),
                            Some(name) => path.push(name.to_string()),
                            None => break,
                        }
                    }
                    match braces {
                        Some(inner) => self.scan(&path, inner),
                        None => self.mention(path, first.span().start().line, Form::InCode),
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// Finds the paths that an attribute has in its strings, as `#[serde(with = "crate::a")]`.
    fn scan_strings(&mut self, tokens: TokenStream) {
        for token in tokens {
            let line = token.span().start().line;
            match token {
                TokenTree::Group(group) => self.scan_strings(group.stream()),
                TokenTree::Literal(literal) => {
                    let path = syn::parse2::<LitStr>(TokenTree::from(literal).into())
                        .and_then(|string| string.parse_with(Path::parse_mod_style));
                    if let Ok(path) = path {
                        self.mention(names(&path), line, Form::InCode);
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

/// The segments of a path without their arguments.
fn names(path: &Path) -> Names {
    let first = path.leading_colon.map(|_| "::".to_owned());
    first.into_iter().chain(path.segments.iter().map(|segment| segment.ident.to_string())).collect()
}

fn is_first_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == ':' && mark.spacing() == Spacing::Joint)
}

impl<'file> Visit<'file> for Outline {
    fn visit_item(&mut self, item: &'file Item) {
        let (attributes, name) = anatomy(item);
        if attributes.iter().any(is_for_tests) {
            return;
        }
        if let (
            Some(name),
            Item::Struct(_) | Item::Enum(_) | Item::Union(_) | Item::Trait(_) | Item::Type(_),
        ) = (name, item)
        {
            self.types.push(TypeDefinition {
                inside: self.inside.clone(),
                name: name.to_string(),
                line: name.span().start().line,
                is_conditional: attributes.iter().any(|attribute| attribute.path().is_ident("cfg")),
            });
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'file ImplItemFn) {
        if !function.attrs.iter().any(is_for_tests) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, module: &'file ItemMod) {
        let name = module.ident.to_string();
        if module.content.is_some() {
            self.inside.push(name);
            visit::visit_item_mod(self, module);
            self.inside.pop();
        } else {
            self.declared.push(Declared { inside: self.inside.clone(), name });
        }
    }

    fn visit_item_use(&mut self, item: &'file ItemUse) {
        let form = |name| match item.vis {
            Visibility::Inherited => Form::Import { name },
            _ => Form::Reexport { name },
        };
        let first = item.leading_colon.map(|_| "::".to_owned());
        self.import(first.into_iter().collect(), &item.tree, &form);
    }

    fn visit_path(&mut self, path: &'file Path) {
        if let Some(first) = path.segments.first() {
            self.mention(names(path), first.ident.span().start().line, Form::InCode);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'file Macro) {
        self.scan(&[], call.tokens.clone());
        visit::visit_macro(self, call);
    }

    // `#[arg(value_parser = super::parse)]` uses what it names.
    fn visit_meta_list(&mut self, list: &'file MetaList) {
        self.scan(&[], list.tokens.clone());
        self.scan_strings(list.tokens.clone());
    }

    // `pub(in crate::a)` uses nothing of `a`.
    fn visit_visibility(&mut self, _: &'file Visibility) {}
}

/// The attributes of an item, and the name that it defines.
fn anatomy(item: &Item) -> (&[Attribute], Option<&Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, item.content.as_ref().map(|_| &item.ident)),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(text: &str) -> Vec<String> {
        let outline = outline(text).unwrap();
        outline
            .mentions
            .iter()
            .map(|mention| format!("{}@{}", mention.path.join("::"), mention.line))
            .collect()
    }

    #[test]
    fn grouped_imports_are_taken_apart() {
        let text = "use crate::{a::B, c::{self, D as E},\n  f::*};\nuse ::clap::Parser;\n";
        let expected = ["crate::a::B@1", "crate::c@1", "crate::c::D@1", "crate::f@2", "::::clap::Parser@3"];
        assert_eq!(mentions(text), expected);
    }

    #[test]
    fn paths_in_code_types_macros_and_attributes_are_found() {
        assert_eq!(mentions("fn f() -> crate::a::B { one; self.two() }"), ["crate::a::B@1"]);
        assert_eq!(mentions("fn f() { print!(\"{}\",\n if x { super::a::b() }) }"), ["super::a::b@2"]);
        assert_eq!(mentions("struct S { #[arg(parser = super::parse)] s: u8 }"), ["super::parse@1"]);
        assert_eq!(mentions("fn f() { Vec::<crate::a::B>::new() }"), ["Vec::new@1", "crate::a::B@1"]);
    }

    #[test]
    fn imports_within_a_macro_are_taken_apart_too() {
        let text = "thread_local! { use crate::{a::{self, B as C}, d}; }";
        assert_eq!(mentions(text), ["crate::a::self@1", "crate::a::B@1", "crate::d@1"]);
    }

    #[test]
    fn paths_in_the_strings_of_attributes_are_found() {
        assert_eq!(mentions("#[serde(with = \"crate::a\")] struct S;"), ["crate::a@1"]);
        assert!(mentions("#[expect(dead_code, reason = \"see crate::a\")] struct S;").is_empty());
    }

    #[test]
    fn types_are_found_wherever_they_are_defined() {
        let text = "struct A; enum B {}\nmod inner { pub trait C {} }\nfn f() { type D = A; }\n\
                    #[cfg(unix)] union E { e: u8 }\n#[cfg(test)] mod tests { struct F; }\nimpl C for A { type G = B; }";
        let types = outline(text).unwrap().types;
        let shown: Vec<_> =
            types.iter().map(|it| format!("{}@{} {}", it.name, it.line, it.is_conditional)).collect();
        assert_eq!(shown, ["A@1 false", "B@1 false", "C@2 false", "D@3 false", "E@4 true"]);
        assert_eq!(types[2].inside, ["inner"]);
    }

    #[test]
    fn comments_strings_and_visibilities_are_no_paths() {
        assert!(mentions("//! crate::a::B\npub(in crate::a) const C: &str = \"crate::a::B\";\n").is_empty());
    }

    #[test]
    fn what_is_only_for_tests_is_left_out() {
        let text = "#[cfg(test)] mod tests { use super::*; }\n#[cfg(all(test, unix))] use crate::a;\n\
                    #[test] fn f() { crate::a::b() }\n#[cfg(not(test))] use crate::b;\n\
                    #[cfg(test)] mod fixtures;\n#[cfg(test)] fn g() {}\nfn h() {}\n";
        assert_eq!(mentions(text), ["crate::b@4"]);
        assert!(outline(text).unwrap().declared.is_empty());
        assert_eq!(outline(text).unwrap().defined, BTreeSet::from(["h".to_owned()]));
    }

    #[test]
    fn a_file_that_is_not_rust_is_refused_with_its_line() {
        assert!(outline("fn f() {}\nfn {}\n").err().unwrap().to_string().starts_with("line 2: "));
    }
}
