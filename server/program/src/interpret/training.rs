//! Methods of models: `add`, `compile`, `fit` and the rest.

use tree_sitter::Node;

use super::Interpreter;
use super::object::{Arguments, Happening, MethodCall, Val};

/// Methods that train; with these keywords nothing but a Keras model has them.
const FITS: [&str; 3] = ["fit", "fit_generator", "train_on_batch"];
const FIT_KEYWORDS: [&str; 9] = [
    "epochs",
    "nb_epoch",
    "batch_size",
    "validation_data",
    "validation_split",
    "callbacks",
    "steps_per_epoch",
    "samples_per_epoch",
    "class_weight",
];
const COMPILE_KEYWORDS: [&str; 3] = ["optimizer", "loss", "metrics"];

impl<'a, 't> Interpreter<'a, 't> {
    /// A method of a model that is followed.
    pub(super) fn model_method(
        &mut self,
        node: Node<'t>,
        model: usize,
        method: &'a str,
        arguments: &Arguments,
    ) -> Val {
        let record = self.record(node, format!("Model.{method}"), arguments);
        let Some(draft) = self.models.get(model) else {
            return Val::Unknown;
        };
        if self.dead > 0 {
            return Val::Unknown;
        }
        let mut compile = None;
        let mut val = Val::Unknown;
        match method {
            "add" => {
                let straight = !self.in_doubt(draft.made) && draft.compile.is_none();
                if let Some(layer) = arguments.list.first() {
                    let layer = layer.item.val.clone();
                    self.add(model, &layer);
                }
                if !straight || arguments.list.len() != 1 || arguments.open {
                    self.gap(model);
                }
            }
            "pop" => self.gap(model),
            "compile" => {
                let block = self.current_block();
                if let Some(draft) = self.models.get_mut(model) {
                    draft.compile = Some((record, block));
                }
            }
            "get_layer" => val = Val::LayerOf(model),
            "add_loss" => {
                if let Some(draft) = self.models.get_mut(model) {
                    draft.custom_loss = true;
                }
            }
            _ => {
                compile = draft
                    .compile
                    .filter(|(_, block)| *block == 0 || *block == draft.block || self.blocks.contains(block))
                    .map(|(record, _)| record);
            }
        }
        self.note_method(MethodCall {
            record,
            method,
            model: Some(model),
            compile,
        });
        val
    }

    fn note_method(&mut self, method: MethodCall<'a>) {
        self.happenings.push(Happening::Method(self.methods.len()));
        self.methods.push(method);
    }

    /// A method of something that is not followed but can only be a Keras model.
    pub(super) fn stranger(
        &mut self,
        node: Node<'t>,
        object: Node<'t>,
        method: &'a str,
        arguments: &Arguments,
    ) -> bool {
        let key = (self.frame, self.slice(object));
        let compile = self.strangers.get(&key).copied();
        let any = |keywords: &[&str]| {
            keywords
                .iter()
                .any(|keyword| arguments.keyword(keyword).is_some())
        };
        let is_model = match method {
            "compile" => any(&COMPILE_KEYWORDS),
            name if FITS.contains(&name) => compile.is_some() || any(&FIT_KEYWORDS),
            "evaluate" | "predict" => compile.is_some(),
            _ => false,
        };
        if is_model {
            let record = self.record(node, format!("Model.{method}"), arguments);
            if method == "compile" {
                self.strangers.insert(key, record);
            }
            self.note_method(MethodCall {
                record,
                method,
                model: None,
                compile: compile.filter(|_| method != "compile"),
            });
        }
        is_model
    }
}
