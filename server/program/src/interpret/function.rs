//! Functions of the script.

use tree_sitter::Node;

use super::object::{Arguments, Function, Item, Parameter, ParameterKind, Val};
use super::{DEEPEST_CALLS, Frame, Interpreter};
use crate::field;
use crate::syntax::KindName;
use crate::syntax::{children, range};

/// Decorators that leave a function what it is.
const TRANSPARENT: [&str; 8] = [
    "tf.function",
    "tensorflow.function",
    "staticmethod",
    "classmethod",
    "override",
    "typing.override",
    "jit",
    "no_type_check",
];

impl<'a, 't> Interpreter<'a, 't> {
    /// `@decorator` around a function or class.
    pub(super) fn decorated(&mut self, node: Node<'t>) {
        let mut decorators = Vec::new();
        for child in children(node) {
            if child.kind_name() == "decorator" {
                for inner in children(child) {
                    self.eval(inner);
                }
                decorators.push(self.slice(child).trim_start_matches('@').trim());
            }
        }
        if let Some(definition) = node.child_by_field_id(field::DEFINITION) {
            if definition.kind_name() == "function_definition" {
                self.function_definition(definition, &decorators);
            } else {
                self.statement(definition);
            }
        }
    }

    /// Makes a function known; gives its number.
    pub(super) fn function_definition(&mut self, node: Node<'t>, decorators: &[&str]) -> Option<usize> {
        let opaque = decorators
            .iter()
            .any(|decorator| !TRANSPARENT.iter().any(|known| decorator.starts_with(known)))
            || yields(node);
        let is_static = decorators.contains(&"staticmethod");
        let parameters = node.child_by_field_id(field::PARAMETERS);
        let function = self.new_function(node, parameters, opaque, is_static);
        let name = node.child_by_field_id(field::NAME)?;
        let is_property = decorators
            .iter()
            .any(|decorator| decorator.contains("property") || decorator.contains("setter"));
        let item = if is_property {
            Item::unknown(range(name))
        } else {
            Item::new(Val::Function(function), range(name))
        };
        self.bind(self.slice(name), item);
        Some(function)
    }

    pub(super) fn lambda(&mut self, node: Node<'t>) -> Val {
        let parameters = node.child_by_field_id(field::PARAMETERS);
        Val::Function(self.new_function(node, parameters, false, false))
    }

    fn new_function(
        &mut self,
        node: Node<'t>,
        parameters: Option<Node<'t>>,
        opaque: bool,
        is_static: bool,
    ) -> usize {
        let mut list = Vec::new();
        let mut keyword_only = false;
        for parameter in parameters.map(children).unwrap_or_default() {
            let (kind, name) = match parameter.kind_name() {
                "keyword_separator" => {
                    keyword_only = true;
                    continue;
                }
                "positional_separator" => continue,
                "list_splat_pattern" => (ParameterKind::Rest, first_identifier(parameter)),
                "dictionary_splat_pattern" => (ParameterKind::Keywords, first_identifier(parameter)),
                "typed_parameter" => {
                    let inner = children(parameter).first().copied().unwrap_or(parameter);
                    let kind = match inner.kind_name() {
                        "list_splat_pattern" => ParameterKind::Rest,
                        "dictionary_splat_pattern" => ParameterKind::Keywords,
                        _ => ParameterKind::Plain,
                    };
                    (kind, first_identifier(inner))
                }
                _ => (ParameterKind::Plain, first_identifier(parameter)),
            };
            let default = parameter
                .child_by_field_id(field::VALUE)
                .map(|value| self.eval(value));
            let Some(name) = name else { continue };
            let kind = if kind == ParameterKind::Plain && keyword_only {
                ParameterKind::KeywordOnly
            } else {
                kind
            };
            keyword_only |= kind == ParameterKind::Rest;
            list.push(Parameter {
                name: self.slice(name),
                kind,
                default,
            });
        }
        self.functions.push(Function {
            node,
            frame: self.frame,
            parameters: list,
            class: None,
            is_static,
            opaque,
            reached: false,
        });
        self.functions.len() - 1
    }

    /// What a call of a function of the script gives.
    pub(super) fn call_function(&mut self, function: usize, this: Option<Val>, arguments: Arguments) -> Val {
        let Some(called) = self.functions.get(function) else {
            return Val::Unknown;
        };
        if called.opaque || self.call_depth >= DEEPEST_CALLS {
            return self.escape(&arguments);
        }
        let this = this.filter(|_| !called.is_static);
        let names = self.bound(function, this.as_ref(), &arguments);
        self.run_function(function, this, names)
    }

    /// The parameters of a function with what they are given.
    fn bound(&mut self, function: usize, this: Option<&Val>, arguments: &Arguments) -> Vec<(&'a str, Item)> {
        let parameters = self
            .functions
            .get(function)
            .map(|function| function.parameters.clone())
            .unwrap_or_default();
        let mut positional = this
            .map(|this| Item::new(this.clone(), finding::Range::default()))
            .into_iter()
            .chain(
                arguments
                    .list
                    .iter()
                    .filter(|given| given.keyword.is_none())
                    .map(|given| given.item.clone()),
            )
            .collect::<Vec<_>>()
            .into_iter();
        let mut names = Vec::new();
        let mut used: Vec<&str> = Vec::new();
        for parameter in &parameters {
            let item = match parameter.kind {
                ParameterKind::Rest => {
                    let rest: Vec<Item> = positional.by_ref().collect();
                    let rest = self.new_list((!arguments.open).then_some(rest));
                    Item::new(rest, finding::Range::default())
                }
                ParameterKind::Keywords => {
                    let pairs = arguments
                        .list
                        .iter()
                        .filter_map(|given| Some((given.keyword.as_deref()?, given)))
                        .filter(|(keyword, _)| !used.contains(keyword))
                        .map(|(keyword, given)| {
                            let key = Item::new(Self::text_value(keyword), given.range);
                            (key, given.item.clone())
                        })
                        .collect();
                    let rest = self.new_dict((!arguments.open).then_some(pairs));
                    Item::new(rest, finding::Range::default())
                }
                kind => {
                    used.push(parameter.name);
                    let given = arguments.keyword(parameter.name).cloned();
                    let given = if kind == ParameterKind::Plain && given.is_none() {
                        positional.next()
                    } else {
                        given
                    };
                    match given {
                        Some(item) => item,
                        None if arguments.open => Item::doubtful(),
                        None => parameter.default.clone().unwrap_or_else(Item::doubtful),
                    }
                }
            };
            names.push((parameter.name, item));
        }
        names
    }

    fn run_function(&mut self, function: usize, this: Option<Val>, names: Vec<(&'a str, Item)>) -> Val {
        let Some(called) = self.functions.get_mut(function) else {
            return Val::Unknown;
        };
        called.reached = true;
        let (node, parent, class) = (called.node, called.frame, called.class);
        if !self.enter() {
            return Val::Unknown;
        }
        let caller = self.frame;
        self.frames.push(Frame {
            names: names.into_iter().collect(),
            parent: Some(parent),
            method_of: class.zip(this),
            ..Frame::default()
        });
        self.frame = self.frames.len() - 1;
        self.call_depth += 1;
        let body = node.child_by_field_id(field::BODY);
        let val = match body {
            Some(body) if node.kind_name() == "lambda" => self.eval(body).val,
            Some(body) => {
                let falls_through = self.block(body) == super::statement::Flow::On;
                self.result(falls_through)
            }
            None => Val::Unknown,
        };
        self.call_depth -= 1;
        self.frame = caller;
        self.leave();
        val
    }

    /// What the function that runs gives: the one value that all its `return`s agree about.
    fn result(&mut self, falls_through: bool) -> Val {
        let Some(frame) = self.frames.get_mut(self.frame) else {
            return Val::Unknown;
        };
        let mut returned = std::mem::take(&mut frame.returned).into_iter();
        let Some(first) = returned.next() else {
            return Val::None;
        };
        if falls_through || returned.any(|other| other.val != first.val) {
            return Val::Unknown;
        }
        first.val
    }

    /// Functions that nothing in the script calls: their parameters may be anything.
    pub(super) fn follow_uncalled(&mut self) {
        let mut next = 0;
        // Following one may define others.
        while next < self.functions.len() && self.steps > 0 {
            let function = next;
            next += 1;
            let Some(uncalled) = self.functions.get(function).filter(|function| !function.reached) else {
                continue;
            };
            let class = uncalled.class.filter(|_| !uncalled.is_static);
            let this = class.map(|class| self.any_instance(class));
            // Making the object may have reached it.
            let Some(uncalled) = self.functions.get(function).filter(|function| !function.reached) else {
                continue;
            };
            let names = uncalled
                .parameters
                .iter()
                .map(|parameter| (parameter.name, Item::doubtful()))
                .collect::<Vec<_>>();
            let names = match (&this, names.split_first()) {
                (Some(this), Some(((first, _), rest))) => {
                    let this = Item::new(this.clone(), finding::Range::default());
                    std::iter::once((*first, this)).chain(rest.to_vec()).collect()
                }
                _ => names,
            };
            self.in_block(|interpreter| interpreter.run_function(function, this, names));
        }
    }
}

fn first_identifier(node: Node<'_>) -> Option<Node<'_>> {
    if node.kind_name() == "identifier" {
        return Some(node);
    }
    node.child_by_field_id(field::NAME)
        .or_else(|| children(node).first().copied())
        .filter(|node| node.kind_name() == "identifier")
}

/// Whether a function is a generator.
fn yields(function: Node<'_>) -> bool {
    let mut todo: Vec<Node<'_>> = function.child_by_field_id(field::BODY).into_iter().collect();
    while let Some(node) = todo.pop() {
        match node.kind_name() {
            "yield" => return true,
            "function_definition" | "class_definition" | "lambda" | "call" | "binary_operator" => {}
            _ => todo.extend(children(node)),
        }
    }
    false
}
