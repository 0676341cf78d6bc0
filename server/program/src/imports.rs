//! What a script imports.

use finding::Range;
use tree_sitter::Node;

use crate::field;
use crate::roles::Role;
use crate::syntax::KindName;
use crate::syntax::{children, dotted, range, slice};

/// A module or a name that is imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The module, as a dotted name (`keras.layers.core`).
    pub module: String,
    /// The module as written.
    pub module_range: Range,
    /// What is imported from it; `None` for `import module`.
    pub name: Option<String>,
    /// The name as written, without its alias; the module where no name is imported from it.
    pub name_range: Range,
    /// The name it has in this file; `None` for `from module import *`.
    pub bound: Option<String>,
    /// The whole statement.
    pub statement: Range,
    /// Whether the statement imports nothing else.
    pub alone: bool,
}

/// The imports among the nodes of a text, in source order.
pub(crate) fn imports(roles: &[(Role, Node<'_>)], text: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    for (role, statement) in roles {
        match role {
            Role::Import => of_import(*statement, text, &mut imports),
            Role::ImportFrom => of_import_from(*statement, text, &mut imports),
            _ => {}
        }
    }
    imports
}

/// An item of an import statement, without its alias, and the alias.
fn item<'a, 't>(item: Node<'t>, text: &'a str) -> (Node<'t>, Option<&'a str>) {
    let name = item.child_by_field_id(field::NAME);
    let alias = item
        .child_by_field_id(field::ALIAS)
        .map(|alias| slice(alias, text));
    match name.filter(|_| item.kind_name() == "aliased_import") {
        Some(name) => (name, alias),
        None => (item, None),
    }
}

fn of_import(statement: Node<'_>, text: &str, imports: &mut Vec<Import>) {
    let items = children(statement);
    for one in &items {
        let (name, alias) = item(*one, text);
        let module = dotted(name, text);
        let first = module.split('.').next().unwrap_or_default();
        imports.push(Import {
            bound: Some(alias.unwrap_or(first).to_owned()),
            module,
            module_range: range(name),
            name: None,
            name_range: range(name),
            statement: range(statement),
            alone: items.len() == 1,
        });
    }
}

fn of_import_from(statement: Node<'_>, text: &str, imports: &mut Vec<Import>) {
    let Some(module) = statement.child_by_field_id(field::MODULE_NAME) else {
        return;
    };
    let items: Vec<_> = children(statement)
        .into_iter()
        .filter(|child| *child != module)
        .collect();
    for one in &items {
        let (name, alias) = item(*one, text);
        let wildcard = one.kind_name() == "wildcard_import";
        let written = if wildcard {
            "*".to_owned()
        } else {
            dotted(name, text)
        };
        imports.push(Import {
            module: dotted(module, text),
            module_range: range(module),
            bound: (!wildcard).then(|| alias.unwrap_or(&written).to_owned()),
            name: Some(written),
            name_range: range(name),
            statement: range(statement),
            alone: items.len() == 1,
        });
    }
}
