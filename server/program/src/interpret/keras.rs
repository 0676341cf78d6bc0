//! Calls of things of Keras.

use tree_sitter::Node;

use super::Interpreter;
use super::object::{Arguments, Op, Val};
use crate::ModelKind;

/// Functions of Keras that give a model whose layers are not seen.
const MODEL_SOURCES: [&str; 5] = [
    "keras.models.load_model",
    "keras.saving.load_model",
    "keras.models.clone_model",
    "keras.models.model_from_json",
    "keras.models.model_from_yaml",
];

impl<'a, 't> Interpreter<'a, 't> {
    /// What a call of something of Keras gives.
    pub(super) fn call_keras(&mut self, node: Node<'t>, callee: String, arguments: &Arguments) -> Val {
        let record = self.record(node, callee.clone(), arguments);
        let name = callee.rsplit('.').next().unwrap_or_default();
        let is_class = name.starts_with(|first: char| first.is_ascii_uppercase());
        match callee.as_str() {
            "keras.Sequential" => {
                let model = self.new_model(ModelKind::Sequential, record);
                self.add_all(model, arguments);
                Val::Model(model)
            }
            "keras.Model" => self.new_functional(record, arguments),
            "keras.Input" => Val::Tensor(self.new_tensor(Op::Input(record), Vec::new())),
            source if MODEL_SOURCES.contains(&source) => Val::Model(self.new_model(ModelKind::Other, record)),
            backbone if backbone.starts_with("keras.applications.") && is_class => {
                let model = self.new_model(ModelKind::Backbone, record);
                let layer = self.new_layer(record);
                if let Some(draft) = self.models.get_mut(model) {
                    draft.opaque = Some(layer);
                }
                Val::Model(model)
            }
            // The registries: `keras.losses.get("mse")` is what "mse" is.
            get if get.ends_with(".get") && get.matches('.').count() == 2 => arguments
                .get("identifier", 0)
                .map_or(Val::Object(record), |item| item.val.clone()),
            layer if layer.starts_with("keras.layers.") => {
                if is_class {
                    return Val::Layer(self.new_layer(record));
                }
                if self.tensor_arguments(arguments).is_empty() {
                    return Val::Object(record);
                }
                let layer = self.new_layer(record);
                self.apply_layer(layer, arguments)
            }
            _ => {
                let tensors = self.tensor_arguments(arguments);
                if tensors.is_empty() {
                    Val::Object(record)
                } else {
                    self.computed(tensors)
                }
            }
        }
    }
}
