//! The arguments of a call.

use tree_sitter::Node;

use super::Interpreter;
use super::object::{Arguments, Given, Item, Val};
use crate::field;
use crate::syntax::KindName;
use crate::syntax::{children, range};

impl<'a, 't> Interpreter<'a, 't> {
    pub(super) fn arguments(&mut self, call: Node<'t>) -> Arguments {
        let mut arguments = Arguments::default();
        let Some(list) = call.child_by_field_id(field::ARGUMENTS) else {
            arguments.open = true;
            return arguments;
        };
        if list.kind_name() != "argument_list" {
            // A generator expression as the only argument.
            let item = self.eval(list);
            arguments.open = self.items(&item.val).is_none();
            if !arguments.open {
                self.push_positional(&mut arguments, list, item);
            }
            return arguments;
        }
        for argument in children(list) {
            match argument.kind_name() {
                "keyword_argument" => {
                    let keyword = argument.child_by_field_id(field::NAME);
                    let value = argument.child_by_field_id(field::VALUE);
                    let item = self.eval_or_unknown(value, argument);
                    arguments.list.push(Given {
                        keyword: keyword.map(|name| self.slice(name).into()),
                        keyword_range: keyword.map(range),
                        range: range(argument),
                        item,
                    });
                }
                "list_splat" => self.splat(argument, &mut arguments),
                "dictionary_splat" => self.keyword_splat(argument, &mut arguments),
                "ERROR" => {
                    for child in children(argument) {
                        self.eval(child);
                    }
                    arguments.open = true;
                }
                _ => {
                    let item = self.eval(argument);
                    self.push_positional(&mut arguments, argument, item);
                }
            }
        }
        arguments
    }

    /// A positional argument; behind an unknown `*args` it is not known for which parameter it stands.
    fn push_positional(&self, arguments: &mut Arguments, argument: Node<'t>, item: Item) {
        if arguments.open {
            return;
        }
        arguments.list.push(Given {
            keyword: None,
            keyword_range: None,
            range: range(argument),
            item,
        });
    }

    fn splat(&mut self, argument: Node<'t>, arguments: &mut Arguments) {
        let inner = children(argument).first().copied();
        let inner = self.eval_or_unknown(inner, argument);
        match self.elements(&inner) {
            Some(elements) => {
                for element in elements {
                    self.push_positional(arguments, argument, element);
                }
            }
            None => arguments.open = true,
        }
    }

    fn keyword_splat(&mut self, argument: Node<'t>, arguments: &mut Arguments) {
        let inner = children(argument).first().copied();
        let inner = inner.map_or(Val::Unknown, |inner| self.eval(inner).val);
        let Some(pairs) = self.pairs(&inner).map(<[(Item, Item)]>::to_vec) else {
            arguments.open = true;
            return;
        };
        for (key, item) in pairs {
            match key.val {
                Val::Str(name) => arguments.list.push(Given {
                    keyword: Some(name),
                    // The keyword is not written here.
                    keyword_range: None,
                    range: range(argument),
                    item,
                }),
                _ => arguments.open = true,
            }
        }
    }
}
