//! Attributes of objects.

use std::rc::Rc;

use finding::Range;
use tree_sitter::Node;

use super::Interpreter;
use super::object::{Happening, Item, Op, Val};
use crate::field;
use crate::syntax::range;

/// Longest dotted name that is followed.
const LONGEST: usize = 256;

impl<'a, 't> Interpreter<'a, 't> {
    pub(super) fn attribute(&mut self, node: Node<'t>) -> Item {
        let (Some(object), Some(name)) = (
            node.child_by_field_id(field::OBJECT),
            node.child_by_field_id(field::ATTRIBUTE),
        ) else {
            return self.unknown(node);
        };
        let object = self.eval(object).val;
        let name = self.slice(name);
        if let Some(item) = self.stored(&object, name) {
            return item.used_at(range(node));
        }
        Item::new(self.attribute_of(&object, name, range(node)), range(node))
    }

    /// What was assigned to an attribute of an object of the script.
    fn stored(&self, object: &Val, name: &str) -> Option<Item> {
        let item = match object {
            Val::Class(class) => self.member(*class, name)?,
            object => {
                let instance = self.instances.get(self.instance_of(object)?)?;
                instance
                    .attributes
                    .get(name)
                    .cloned()
                    .or_else(|| self.member(instance.class, name))?
            }
        };
        match (&item.val, object) {
            (Val::Function(function), object) if !matches!(object, Val::Class(_)) => {
                // A function assigned to an attribute of an object is not bound to it.
                let method = self
                    .functions
                    .get(*function)
                    .is_some_and(|function| function.class.is_some());
                let val = if method {
                    Val::Method(*function, Rc::new(object.clone()))
                } else {
                    item.val.clone()
                };
                Some(Item { val, ..item })
            }
            _ => Some(item),
        }
    }

    pub(super) fn instance_of(&self, object: &Val) -> Option<usize> {
        match object {
            Val::Instance(instance) => Some(*instance),
            Val::Model(model) => self.models.get(*model)?.instance,
            _ => None,
        }
    }

    pub(super) fn attribute_of(&mut self, object: &Val, name: &str, at: Range) -> Val {
        if let Some(item) = self.stored(object, name) {
            return item.used_at(at).val;
        }
        match object {
            Val::Named(path) if path.len() < LONGEST => Val::Named(format!("{path}.{name}").into()),
            Val::Model(model) => self.model_attribute(*model, name),
            Val::LayerOf(model) if matches!(name, "output" | "outputs") => self.inner_output(*model),
            Val::Layer(_) if matches!(name, "output" | "input") => {
                Val::Tensor(self.new_tensor(Op::Unknown, Vec::new()))
            }
            Val::List(_) | Val::Tensor(_) if name == "shape" => Val::Unknown,
            _ => Val::Unknown,
        }
    }

    fn model_attribute(&mut self, model: usize, name: &str) -> Val {
        match name {
            "layers" => Val::LayersOf(model),
            "input" | "output" | "inputs" | "outputs" => {
                let (inputs, outputs) = self.symbolic(model);
                let tensors = if name.starts_with("in") { inputs } else { outputs };
                match tensors.as_slice() {
                    [only] if !name.ends_with('s') => Val::Tensor(*only),
                    _ => {
                        let items = tensors
                            .into_iter()
                            .map(|tensor| Item::new(Val::Tensor(tensor), Range::default()))
                            .collect();
                        self.new_list(Some(items))
                    }
                }
            }
            // `add = model.add`: who calls it cannot be seen.
            "add" | "pop" => {
                self.gap(model);
                Val::Unknown
            }
            _ => Val::Unknown,
        }
    }

    /// The output of some layer of a model: behind some of its layers.
    fn inner_output(&mut self, model: usize) -> Val {
        let (inputs, _) = self.symbolic(model);
        match self.models.get(model).and_then(|draft| draft.opaque) {
            Some(layer) => Val::Tensor(self.new_tensor(Op::Layer(layer), inputs)),
            None => self.computed(inputs),
        }
    }

    pub(super) fn set_attribute(&mut self, target: Node<'t>, item: Item) {
        let (Some(object), Some(name)) = (
            target.child_by_field_id(field::OBJECT),
            target.child_by_field_id(field::ATTRIBUTE),
        ) else {
            return;
        };
        let object = self.eval(object).val;
        let name = self.slice(name);
        if self.dead > 0 {
            return;
        }
        if name == "trainable" {
            self.note_trainable(&object, &item, range(target));
        }
        match &object {
            Val::Model(model) if name == "trainable" => self.set_trainable(*model, &item.val),
            Val::Model(model) if matches!(name, "layers" | "_layers") => self.gap(*model),
            Val::LayersOf(model) | Val::LayerOf(model) => {
                if name == "trainable" {
                    self.set_trainable(*model, &Val::Unknown);
                } else if !name.starts_with("_name") && name != "name" {
                    self.gap(*model);
                }
            }
            Val::Layer(layer) if name == "trainable" => {
                let doubt = self
                    .layers
                    .get(*layer)
                    .is_some_and(|layer| self.in_doubt(layer.made));
                if let Some(layer) = self.layers.get_mut(*layer) {
                    layer.trainable = match item.val {
                        Val::Bool(trainable) if !doubt => Some(trainable),
                        _ => None,
                    };
                }
            }
            Val::Class(class) => {
                let doubt = !self.blocks.is_empty();
                if let Some(class) = self.classes.get_mut(*class) {
                    class
                        .attributes
                        .insert(name, if doubt { Item::doubtful() } else { item.clone() });
                }
            }
            _ => {}
        }
        if let Some(instance) = self.instance_of(&object) {
            self.set_instance_attribute(instance, name, item);
        }
    }

    fn set_instance_attribute(&mut self, instance: usize, name: &'a str, item: Item) {
        let Some(object) = self.instances.get(instance) else {
            return;
        };
        let agrees = object
            .attributes
            .get(name)
            .is_some_and(|old| self.agree(old, &item));
        let item = if self.in_doubt(object.made) && !agrees {
            Item::doubtful()
        } else {
            item
        };
        if let Some(object) = self.instances.get_mut(instance) {
            object.attributes.insert(name, item);
        }
    }

    fn note_trainable(&mut self, object: &Val, item: &Item, range: Range) {
        let (model, layer) = match object {
            Val::Model(model) | Val::LayersOf(model) | Val::LayerOf(model) => (Some(*model), None),
            Val::Layer(layer) => (None, Some(*layer)),
            _ => return,
        };
        let value = match item.val {
            Val::Bool(value) => Some(value),
            _ => None,
        };
        self.happenings.push(Happening::Trainable {
            range,
            model,
            layer,
            value,
        });
    }

    fn set_trainable(&mut self, model: usize, val: &Val) {
        let doubt = self
            .models
            .get(model)
            .is_some_and(|draft| self.in_doubt(draft.made));
        let trainable = match val {
            Val::Bool(trainable) if !doubt => Some(*trainable),
            _ => None,
        };
        let Some(draft) = self.models.get_mut(model) else {
            return;
        };
        draft.trainable = trainable;
        let layers: Vec<usize> = draft
            .uses
            .iter()
            .map(|used| used.layer)
            .chain(draft.opaque)
            .collect();
        for layer in layers {
            if let Some(layer) = self.layers.get_mut(layer) {
                layer.trainable = trainable;
            }
        }
    }
}
