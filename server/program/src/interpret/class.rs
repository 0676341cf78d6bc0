//! Classes of the script and their objects.

use std::collections::HashMap;
use std::rc::Rc;

use tree_sitter::Node;

use super::object::{Arguments, Class, Feed, Given, Instance, Item, Op, Use, Val};
use super::{Frame, Interpreter, Names};
use crate::ModelKind;
use crate::field;
use crate::names::canonical;
use crate::syntax::KindName;
use crate::syntax::{children, range};

/// Longest chain of base classes that is followed.
const LONGEST: usize = 8;

/// Methods with which a model takes its loss, or its training, into its own hands.
const OWN_TRAINING: [&str; 4] = ["train_step", "compute_loss", "compile", "fit"];

impl<'a, 't> Interpreter<'a, 't> {
    pub(super) fn class_definition(&mut self, node: Node<'t>) {
        let bases = node
            .child_by_field_id(field::SUPERCLASSES)
            .map(children)
            .unwrap_or_default()
            .into_iter()
            .filter(|base| base.kind_name() != "keyword_argument")
            .map(|base| self.eval(base).val)
            .collect();
        let Some(name) = node.child_by_field_id(field::NAME) else {
            return;
        };
        self.classes.push(Class {
            name: self.slice(name),
            bases,
            attributes: Names::default(),
            instance: None,
        });
        let class = self.classes.len() - 1;
        let outer = self.frame;
        self.frames.push(Frame {
            parent: Some(outer),
            is_class: true,
            ..Frame::default()
        });
        self.frame = self.frames.len() - 1;
        if let Some(body) = node.child_by_field_id(field::BODY) {
            self.statement(body);
        }
        let frame = self.frames.get_mut(self.frame);
        let attributes = frame
            .map(|frame| std::mem::take(&mut frame.names))
            .unwrap_or_default();
        self.frame = outer;
        for item in attributes.values() {
            if let Val::Function(function) = item.val
                && let Some(function) = self.functions.get_mut(function)
                && function.node.kind_name() == "function_definition"
            {
                function.class = Some(class);
            }
        }
        if let Some(class) = self.classes.get_mut(class) {
            class.attributes = attributes;
        }
        self.bind(self.slice(name), Item::new(Val::Class(class), range(name)));
    }

    /// An attribute or method of a class or the classes of the script it derives from.
    pub(super) fn member(&self, class: usize, name: &str) -> Option<Item> {
        let mut todo = vec![class];
        for _ in 0..LONGEST {
            let class = self.classes.get(todo.pop()?)?;
            if let Some(item) = class.attributes.get(name) {
                return Some(item.clone());
            }
            todo.extend(class.bases.iter().rev().filter_map(|base| match base {
                Val::Class(base) => Some(*base),
                _ => None,
            }));
        }
        None
    }

    /// What of Keras a class derives from, by canonical name.
    fn keras_base(&self, class: usize) -> Option<String> {
        let mut todo = vec![class];
        for _ in 0..LONGEST {
            for base in &self.classes.get(todo.pop()?)?.bases {
                match base {
                    Val::Class(base) => todo.push(*base),
                    Val::Named(path) => {
                        if let Some(name) = canonical(path) {
                            return Some(name);
                        }
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// A method that a model's own class defines.
    pub(super) fn own_method(&self, model: usize, name: &str) -> Option<Val> {
        let instance = self.instances.get(self.models.get(model)?.instance?)?;
        if let Some(item) = instance.attributes.get(name) {
            return Some(item.val.clone());
        }
        match self.member(instance.class, name)?.val {
            Val::Function(function) => Some(Val::Method(function, Rc::new(Val::Model(model)))),
            val => Some(val),
        }
    }

    pub(super) fn instantiate(&mut self, node: Node<'t>, class: usize, arguments: Arguments) -> Val {
        let base = self.keras_base(class);
        let instance = self.new_instance(class);
        let this = match base.as_deref() {
            Some("keras.Model" | "keras.Sequential") => {
                let name = self.classes.get(class).map_or("", |class| class.name);
                let record = self.record(node, name.to_owned(), &arguments);
                let kind = if base.as_deref() == Some("keras.Sequential") {
                    ModelKind::Sequential
                } else {
                    ModelKind::Subclassed
                };
                let model = self.new_model(kind, record);
                let own = OWN_TRAINING.iter().any(|name| self.member(class, name).is_some());
                if let Some(draft) = self.models.get_mut(model) {
                    draft.instance = Some(instance);
                    draft.custom_loss = own;
                }
                Val::Model(model)
            }
            _ => Val::Instance(instance),
        };
        if let Some(class) = self.classes.get_mut(class) {
            class.instance.get_or_insert_with(|| this.clone());
        }
        self.construct(class, &this, arguments);
        if let Val::Model(model) = this {
            self.follow_forward(model, class);
        }
        this
    }

    fn new_instance(&mut self, class: usize) -> usize {
        let made = self.tick();
        self.instances.push(Instance {
            class,
            attributes: HashMap::new(),
            made,
        });
        self.instances.len() - 1
    }

    fn construct(&mut self, class: usize, this: &Val, arguments: Arguments) {
        if let Some(Item {
            val: Val::Function(function),
            ..
        }) = self.member(class, "__init__")
        {
            self.call_function(function, Some(this.clone()), arguments);
        } else if let Val::Model(model) = this {
            self.construct_keras(*model, &arguments);
        }
    }

    /// Some object of a class that the script makes none of.
    pub(super) fn any_instance(&mut self, class: usize) -> Val {
        if let Some(instance) = self.classes.get(class).and_then(|class| class.instance.clone()) {
            return instance;
        }
        let this = Val::Instance(self.new_instance(class));
        if let Some(class) = self.classes.get_mut(class) {
            class.instance = Some(this.clone());
        }
        let unknown = Arguments {
            open: true,
            ..Arguments::default()
        };
        self.construct(class, &this, unknown);
        this
    }

    /// The layers of a subclassed model, in the order in which `call` applies them.
    fn follow_forward(&mut self, model: usize, class: usize) {
        let unfinished = self
            .models
            .get(model)
            .is_some_and(|draft| draft.kind == ModelKind::Subclassed && draft.symbolic.is_none());
        if !unfinished {
            return;
        }
        let open = Arguments {
            open: true,
            ..Arguments::default()
        };
        if let Some(build) = self.own_method(model, "build")
            && let Val::Method(build, this) = build
        {
            self.call_function(build, Some((*this).clone()), open.clone());
        }
        let input = self.new_tensor(Op::Unknown, Vec::new());
        let forward = self.member(class, "call").map(|item| item.val);
        let output = match forward {
            Some(Val::Function(function)) => {
                let given = Given {
                    keyword: None,
                    keyword_range: None,
                    range: finding::Range::default(),
                    item: Item::new(Val::Tensor(input), finding::Range::default()),
                };
                let arguments = Arguments {
                    list: vec![given],
                    open: true,
                };
                self.call_function(function, Some(Val::Model(model)), arguments)
            }
            _ => Val::Unknown,
        };
        let inputs = vec![input];
        match self.tensor_list(&output) {
            Some(outputs) => self.set_graph(model, Some(inputs), &outputs),
            None => self.list_layers(model),
        }
    }

    /// The layers that a model has as attributes, in the order they were made; how they are applied is not known.
    fn list_layers(&mut self, model: usize) {
        let instance = self.models.get(model).and_then(|draft| draft.instance);
        let Some(instance) = instance.and_then(|instance| self.instances.get(instance)) else {
            return;
        };
        let mut layers: Vec<usize> = instance
            .attributes
            .values()
            .filter_map(|item| match item.val {
                Val::Layer(layer) => Some(layer),
                _ => None,
            })
            .collect();
        layers.sort_unstable();
        layers.dedup();
        if let Some(draft) = self.models.get_mut(model) {
            draft.uses = layers
                .into_iter()
                .map(|layer| Use {
                    layer,
                    feeds: vec![Feed::Unknown],
                })
                .collect();
            draft.gap();
        }
    }

    pub(super) fn super_value(&self) -> Val {
        match self
            .frames
            .get(self.frame)
            .and_then(|frame| frame.method_of.clone())
        {
            Some((class, this)) => Val::Super(class, Rc::new(this)),
            None => Val::Unknown,
        }
    }

    pub(super) fn super_method(
        &mut self,
        node: Node<'t>,
        class: usize,
        this: &Val,
        method: &'a str,
        arguments: Arguments,
    ) -> Val {
        let bases = self
            .classes
            .get(class)
            .map(|class| class.bases.clone())
            .unwrap_or_default();
        for base in bases {
            if let Val::Class(base) = base
                && let Some(Item {
                    val: Val::Function(function),
                    ..
                }) = self.member(base, method)
            {
                return self.call_function(function, Some(this.clone()), arguments);
            }
        }
        match this {
            Val::Model(model) if method == "__init__" => {
                self.construct_keras(*model, &arguments);
                Val::None
            }
            Val::Model(model) => self.model_method(node, *model, method, &arguments),
            _ => Val::Unknown,
        }
    }

    /// What Keras' own constructor does with what a class of the script hands it.
    fn construct_keras(&mut self, model: usize, arguments: &Arguments) {
        let Some(draft) = self.models.get(model) else {
            return;
        };
        if draft.kind == ModelKind::Sequential {
            self.add_all(model, arguments);
            return;
        }
        let inputs = arguments.get("inputs", 0).map(|item| item.val.clone());
        let outputs = arguments.get("outputs", 1).map(|item| item.val.clone());
        if let (Some(inputs), Some(outputs)) = (inputs, outputs)
            && let Some(outputs) = self.tensor_list(&outputs)
        {
            let inputs = self.tensor_list(&inputs);
            self.set_graph(model, inputs, &outputs);
        }
    }

    /// What calling an object of a class of the script gives.
    pub(super) fn call_instance(&mut self, instance: usize, arguments: Arguments) -> Val {
        let class = self.instances.get(instance).map(|instance| instance.class);
        let Some(class) = class else {
            return Val::Unknown;
        };
        let own = self.member(class, "__call__").map(|item| item.val);
        if let Some(Val::Function(function)) = own {
            return self.call_function(function, Some(Val::Instance(instance)), arguments);
        }
        let tensors = self.tensor_arguments(&arguments);
        self.computed(tensors)
    }
}
