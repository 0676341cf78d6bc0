//! Sequential models.

use super::Interpreter;
use super::graph::MOST_LAYERS;
use super::object::{Arguments, Feed, Item, Use, Val};

impl<'a, 't> Interpreter<'a, 't> {
    /// The layers given to `Sequential(…)`.
    pub(super) fn add_all(&mut self, model: usize, arguments: &Arguments) {
        let layers = arguments.get("layers", 0).cloned();
        if let Some(layers) = layers {
            match self.loose_items(&layers.val).map(<[Item]>::to_vec) {
                Some(items) => {
                    for item in items {
                        self.add(model, &item.val);
                    }
                }
                None if layers.val == Val::None => {}
                None => self.gap(model),
            }
        }
        if arguments.open {
            self.gap(model);
        }
    }

    /// Adds a layer, or what may be one.
    pub(super) fn add(&mut self, model: usize, element: &Val) {
        if self.dead > 0 {
            return;
        }
        let layer = match element {
            Val::Tensor(tensor) => {
                let record = self.input_record(*tensor);
                return self.add_input(model, record);
            }
            Val::Layer(layer) if self.is_input(*layer) => {
                let record = self.layer_record(*layer);
                return self.add_input(model, record);
            }
            Val::Layer(layer) => *layer,
            Val::Model(nested) => match self.models.get(*nested).and_then(|nested| nested.opaque) {
                Some(layer) => layer,
                None => return self.add_model(model, *nested),
            },
            _ => return self.gap(model),
        };
        let Some(draft) = self.models.get_mut(model) else {
            return;
        };
        draft.symbolic = None;
        let feeds = draft.outputs.clone();
        draft.uses.push(Use { layer, feeds });
        draft.outputs = vec![Feed::Layer(draft.uses.len() - 1)];
    }

    fn is_input(&self, layer: usize) -> bool {
        self.layer_record(layer)
            .and_then(|record| self.records.get(record))
            .is_some_and(|record| record.call.callee == "keras.layers.InputLayer")
    }

    fn add_input(&mut self, model: usize, record: Option<usize>) {
        let Some(draft) = self.models.get_mut(model) else {
            return;
        };
        match (record, draft.uses.is_empty()) {
            (Some(_), true) => {
                draft.outputs = vec![Feed::Input(record)];
                draft.inputs = vec![record];
            }
            // Keras ignores, or refuses, an input behind layers.
            (Some(_), false) => {}
            (None, _) => draft.gap(),
        }
    }

    /// Adds the layers of a model.
    fn add_model(&mut self, model: usize, nested: usize) {
        let Some(inner) = self.models.get(nested) else {
            return;
        };
        let (uses, outputs, complete) = (inner.uses.clone(), inner.outputs.clone(), inner.complete);
        let Some(draft) = self.models.get_mut(model) else {
            return;
        };
        let offset = draft.uses.len();
        if offset + uses.len() > MOST_LAYERS {
            draft.gap();
            return;
        }
        draft.symbolic = None;
        let before = draft.outputs.clone();
        let moved = |feed: Feed| match feed {
            Feed::Layer(position) => vec![Feed::Layer(position + offset)],
            Feed::Extra(position) => vec![Feed::Extra(position + offset)],
            // The first model's own `Input(…)` says what the whole takes.
            Feed::Input(record) if before == [Feed::Input(None)] => vec![Feed::Input(record)],
            Feed::Input(_) => before.clone(),
            Feed::Unknown => vec![Feed::Unknown],
        };
        for used in uses {
            let feeds = used.feeds.into_iter().flat_map(moved).collect();
            draft.uses.push(Use {
                layer: used.layer,
                feeds,
            });
        }
        let outputs: Vec<Feed> = outputs.into_iter().flat_map(moved).collect();
        draft.complete &= complete;
        match outputs.as_slice() {
            [only] => draft.outputs = vec![*only],
            _ => draft.gap(),
        }
    }
}
