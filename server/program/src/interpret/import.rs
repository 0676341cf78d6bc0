//! Imports.

use tree_sitter::Node;

use super::Interpreter;
use super::object::{Item, Val};
use crate::field;
use crate::syntax::KindName;
use crate::syntax::dotted;
use crate::syntax::{children, range};

impl<'a, 't> Interpreter<'a, 't> {
    fn bind_import(&mut self, name: &'a str, path: String, node: Node<'t>) {
        self.bind(name.trim(), Item::new(Val::Named(path.into()), range(node)));
    }

    /// `import a.b as c`
    pub(super) fn import(&mut self, node: Node<'t>) {
        for item in children(node) {
            if item.kind_name() == "aliased_import" {
                if let (Some(module), Some(alias)) = (
                    item.child_by_field_id(field::NAME),
                    item.child_by_field_id(field::ALIAS),
                ) {
                    self.bind_import(self.slice(alias), dotted(module, self.text), item);
                }
            } else if let Some(first) = self.slice(item).split('.').next() {
                self.bind_import(first, first.trim().to_owned(), item);
            }
        }
    }

    /// `from a.b import c as d`
    pub(super) fn import_from(&mut self, node: Node<'t>) {
        let Some(module) = node.child_by_field_id(field::MODULE_NAME) else {
            return;
        };
        let prefix = dotted(module, self.text);
        for item in children(node) {
            if item == module {
                continue;
            }
            match item.kind_name() {
                "wildcard_import" => self.wildcards.push(prefix.clone()),
                "aliased_import" => {
                    if let (Some(name), Some(alias)) = (
                        item.child_by_field_id(field::NAME),
                        item.child_by_field_id(field::ALIAS),
                    ) {
                        let path = format!("{prefix}.{}", dotted(name, self.text));
                        self.bind_import(self.slice(alias), path, item);
                    }
                }
                _ => {
                    let name = self.slice(item);
                    self.bind_import(name, format!("{prefix}.{name}"), item);
                }
            }
        }
    }
}
