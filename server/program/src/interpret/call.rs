//! Calls, by what is called.

use tree_sitter::Node;

use super::object::{Arguments, Given, Item, Val};
use super::{Interpreter, builtin};
use crate::field;
use crate::names::canonical;
use crate::syntax::KindName;
use crate::syntax::range;

/// Functions of others that do not change a model they are given.
const HARMLESS: [&str; 10] = [
    "print",
    "type",
    "len",
    "isinstance",
    "id",
    "str",
    "repr",
    "display",
    "getattr",
    "hasattr",
];

impl<'a, 't> Interpreter<'a, 't> {
    pub(super) fn call(&mut self, node: Node<'t>) -> Item {
        let here = range(node);
        let Some(function) = node.child_by_field_id(field::FUNCTION) else {
            return self.unknown(node);
        };
        let val = if function.kind_name() == "attribute" {
            self.method_call(node, function)
        } else {
            let callee = self.eval(function).val;
            let arguments = self.arguments(node);
            self.apply(node, callee, arguments)
        };
        Item::new(val, here)
    }

    fn method_call(&mut self, node: Node<'t>, function: Node<'t>) -> Val {
        let (Some(object_node), Some(method)) = (
            function.child_by_field_id(field::OBJECT),
            function.child_by_field_id(field::ATTRIBUTE),
        ) else {
            return Val::Unknown;
        };
        let method = self.slice(method);
        let object = self.eval(object_node).val;
        match &object {
            Val::Model(model) => {
                let own = self.own_method(*model, method);
                let arguments = self.arguments(node);
                match own {
                    Some(callee) => self.apply(node, callee, arguments),
                    None => self.model_method(node, *model, method, &arguments),
                }
            }
            Val::Super(class, this) => {
                let arguments = self.arguments(node);
                self.super_method(node, *class, this, method, arguments)
            }
            Val::List(list) => {
                let arguments = self.arguments(node);
                self.list_method(*list, method, &arguments)
            }
            Val::Dict(dict) => {
                let arguments = self.arguments(node);
                self.dict_method(*dict, method, &arguments)
            }
            Val::Str(text) => {
                let arguments = self.arguments(node);
                builtin::text_method(text, method, &arguments)
            }
            Val::Tensor(tensor) => {
                self.arguments(node);
                self.computed(vec![*tensor])
            }
            Val::LayersOf(model) => {
                self.arguments(node);
                if matches!(
                    method,
                    "pop" | "append" | "insert" | "remove" | "clear" | "extend"
                ) {
                    self.gap(*model);
                }
                Val::LayerOf(*model)
            }
            Val::Unknown | Val::Object(_) | Val::Layer(_) | Val::LayerOf(_) => {
                let arguments = self.arguments(node);
                if !self.stranger(node, object_node, method, &arguments) {
                    self.adds_loss |= method == "add_loss";
                    return self.escape(&arguments);
                }
                Val::Unknown
            }
            _ => {
                let callee = self.attribute_of(&object, method, range(function));
                let arguments = self.arguments(node);
                self.adds_loss |= method == "add_loss";
                if callee == Val::Unknown && self.stranger(node, object_node, method, &arguments) {
                    return Val::Unknown;
                }
                self.apply(node, callee, arguments)
            }
        }
    }

    /// What a call of a value gives.
    pub(super) fn apply(&mut self, node: Node<'t>, callee: Val, arguments: Arguments) -> Val {
        match callee {
            Val::Named(path) => self.call_named(node, &path, arguments),
            Val::Function(function) => self.call_function(function, None, arguments),
            Val::Method(function, this) => self.call_function(function, Some((*this).clone()), arguments),
            Val::Partial(partial) => self.call_partial(node, partial, arguments),
            Val::Class(class) => self.instantiate(node, class, arguments),
            Val::Layer(layer) => self.apply_layer(layer, &arguments),
            Val::Model(model) => self.apply_model(model, &arguments),
            Val::Instance(instance) => self.call_instance(instance, arguments),
            Val::LayerOf(_) => {
                let inputs = self.tensor_arguments(&arguments);
                self.computed(inputs)
            }
            _ => self.escape(&arguments),
        }
    }

    fn call_named(&mut self, node: Node<'t>, path: &str, arguments: Arguments) -> Val {
        if let Some(callee) = canonical(path) {
            return self.call_keras(node, callee, &arguments);
        }
        if let Some(name) = path.strip_prefix("builtins.") {
            if name == "super" {
                return self.super_value();
            }
            if let Some(val) = self.call_builtin(name, &arguments) {
                return val;
            }
            if HARMLESS.contains(&name) {
                return Val::Unknown;
            }
        }
        if path == "functools.partial" {
            return self.new_partial(arguments);
        }
        self.gradient_tape |= path.ends_with(".GradientTape");
        self.adds_loss |= path.ends_with(".add_loss");
        if path.ends_with("shuffle") {
            for val in arguments.values() {
                if let Val::List(list) = val {
                    self.lose_list(*list);
                }
            }
        }
        self.escape(&arguments)
    }

    fn new_partial(&mut self, mut arguments: Arguments) -> Val {
        let callee = match arguments.list.first() {
            Some(first) if first.keyword.is_none() => arguments.list.remove(0).item.val,
            _ => return Val::Unknown,
        };
        self.partials.push((callee, arguments));
        Val::Partial(self.partials.len() - 1)
    }

    fn call_partial(&mut self, node: Node<'t>, partial: usize, own: Arguments) -> Val {
        let (Some((callee, mut arguments)), true) = (self.partials.get(partial).cloned(), self.enter())
        else {
            return Val::Unknown;
        };
        let function = node.child_by_field_id(field::FUNCTION).unwrap_or(node);
        arguments.list.retain(|given| {
            let again = |other: &Given| other.keyword == given.keyword;
            given.keyword.is_none() || !own.list.iter().any(again)
        });
        for given in &mut arguments.list {
            // They are written elsewhere; here, what is called stands for them.
            given.range = range(function);
            given.keyword_range = None;
        }
        arguments.list.extend(own.list);
        arguments.open |= own.open;
        let val = self.apply(node, callee, arguments);
        self.leave();
        val
    }

    /// Arguments go to code that is not followed.
    pub(super) fn escape(&mut self, arguments: &Arguments) -> Val {
        let models: Vec<usize> = arguments
            .values()
            .filter_map(|val| match val {
                Val::Model(model) => Some(*model),
                _ => None,
            })
            .collect();
        for model in models {
            if self
                .models
                .get(model)
                .is_some_and(|draft| draft.compile.is_none())
            {
                self.gap(model);
            }
        }
        let tensors = self.tensor_arguments(arguments);
        if tensors.is_empty() {
            Val::Unknown
        } else {
            self.computed(tensors)
        }
    }

    /// The symbolic tensors among arguments.
    pub(super) fn tensor_arguments(&self, arguments: &Arguments) -> Vec<usize> {
        arguments.values().flat_map(|val| self.tensors_in(val)).collect()
    }
}
