//! Tensors, and the models between them.

use std::collections::{BTreeSet, HashMap};

use super::Interpreter;
use super::object::{Arguments, Draft, Feed, Op, Use, Val};
use crate::ModelKind;

/// Most layers of a model that are followed.
pub(super) const MOST_LAYERS: usize = 4096;

impl<'a, 't> Interpreter<'a, 't> {
    pub(super) fn new_model(&mut self, kind: ModelKind, record: usize) -> usize {
        let made = self.tick();
        let sequential = kind == ModelKind::Sequential;
        self.models.push(Draft {
            kind,
            record,
            name: None,
            uses: Vec::new(),
            outputs: vec![if sequential {
                Feed::Input(None)
            } else {
                Feed::Unknown
            }],
            inputs: Vec::new(),
            complete: sequential,
            opaque: None,
            instance: None,
            symbolic: None,
            made,
            block: self.current_block(),
            compile: None,
            trainable: None,
            custom_loss: false,
        });
        self.models.len() - 1
    }

    /// From here on it is not known which layers a model has.
    pub(super) fn gap(&mut self, model: usize) {
        if self.dead == 0
            && let Some(draft) = self.models.get_mut(model)
        {
            draft.gap();
        }
    }

    /// `Model(inputs, outputs)`
    pub(super) fn new_functional(&mut self, record: usize, arguments: &Arguments) -> Val {
        let model = self.new_model(ModelKind::Functional, record);
        let given = |names: [&str; 2], index| {
            names
                .iter()
                .find_map(|name| arguments.keyword(name))
                .or_else(|| arguments.positional(index))
                .map(|item| item.val.clone())
        };
        // Keras 1 spelled them `input` and `output`.
        let inputs = given(["inputs", "input"], 0).and_then(|val| self.tensor_list(&val));
        let outputs = given(["outputs", "output"], 1).and_then(|val| self.tensor_list(&val));
        if let Some(outputs) = outputs {
            self.set_graph(model, inputs, &outputs);
        }
        Val::Model(model)
    }

    /// The tensors a value is, or is a list or dict of; `None` when one of them is something else.
    pub(super) fn tensor_list(&self, val: &Val) -> Option<Vec<usize>> {
        let vals: Vec<&Val> = match val {
            Val::Tensor(tensor) => return Some(vec![*tensor]),
            Val::Dict(_) => self.pairs(val)?.iter().map(|(_, item)| &item.val).collect(),
            val => self.items(val)?.iter().map(|item| &item.val).collect(),
        };
        let tensors: Option<Vec<usize>> = vals
            .into_iter()
            .map(|val| match val {
                Val::Tensor(tensor) => Some(*tensor),
                _ => None,
            })
            .collect();
        tensors.filter(|tensors| !tensors.is_empty())
    }

    /// Makes a model of what lies between inputs and outputs.
    pub(super) fn set_graph(&mut self, model: usize, inputs: Option<Vec<usize>>, outputs: &[usize]) {
        let known_inputs = inputs.is_some();
        let inputs = inputs.unwrap_or_default();
        // Tensors are made before what is computed from them, so their numbers are an order of execution.
        let mut reached = BTreeSet::new();
        let mut todo = outputs.to_vec();
        while let Some(tensor) = todo.pop() {
            if reached.insert(tensor)
                && !inputs.contains(&tensor)
                && let Some(tensor) = self.tensors.get(tensor)
            {
                todo.extend(&tensor.inputs);
            }
            if reached.len() > MOST_LAYERS {
                return;
            }
        }
        let mut positions: HashMap<usize, usize> = HashMap::new();
        let mut uses = Vec::new();
        let mut complete = known_inputs;
        for tensor in &reached {
            if inputs.contains(tensor) {
                continue;
            }
            let Some(made) = self.tensors.get(*tensor) else {
                continue;
            };
            match made.op {
                Op::Layer(layer) => {
                    let feeds = made
                        .inputs
                        .iter()
                        .map(|input| self.feed(*input, &inputs, &positions))
                        .collect();
                    positions.insert(*tensor, uses.len());
                    uses.push(Use { layer, feeds });
                }
                Op::Input(_) | Op::Extra => {}
                Op::Other | Op::Unknown => complete = false,
            }
        }
        let feeds = outputs
            .iter()
            .map(|output| self.feed(*output, &inputs, &positions))
            .collect();
        let records = inputs
            .iter()
            .map(|input| match self.feed(*input, &inputs, &positions) {
                Feed::Input(record) => record,
                _ => None,
            })
            .collect();
        if let Some(draft) = self.models.get_mut(model) {
            draft.uses = uses;
            draft.outputs = feeds;
            draft.inputs = records;
            draft.complete = complete;
            draft.symbolic = Some((inputs, outputs.to_vec()));
        }
    }

    fn feed(&self, tensor: usize, inputs: &[usize], positions: &HashMap<usize, usize>) -> Feed {
        let op = self.tensors.get(tensor).map_or(Op::Unknown, |tensor| tensor.op);
        match op {
            Op::Input(record) => Feed::Input(Some(record)),
            _ if inputs.contains(&tensor) => Feed::Input(None),
            Op::Layer(_) => positions
                .get(&tensor)
                .map_or(Feed::Unknown, |position| Feed::Layer(*position)),
            Op::Extra => {
                let whole = self.tensors.get(tensor).and_then(|tensor| tensor.inputs.first());
                match whole.map(|whole| self.feed(*whole, inputs, positions)) {
                    Some(Feed::Layer(position) | Feed::Extra(position)) => Feed::Extra(position),
                    Some(Feed::Input(None)) => Feed::Input(None),
                    _ => Feed::Unknown,
                }
            }
            Op::Other | Op::Unknown => Feed::Unknown,
        }
    }

    /// The record of the `Input(…)` that a tensor is.
    pub(super) fn input_record(&self, tensor: usize) -> Option<usize> {
        match self.tensors.get(tensor)?.op {
            Op::Input(record) => Some(record),
            _ => None,
        }
    }

    /// A layer is called.
    pub(super) fn apply_layer(&mut self, layer: usize, arguments: &Arguments) -> Val {
        let inputs = self.layer_inputs(arguments);
        Val::Tensor(self.new_tensor(Op::Layer(layer), inputs))
    }

    /// The tensors a layer or model is called with; something unknown among them is an unknown tensor.
    fn layer_inputs(&mut self, arguments: &Arguments) -> Vec<usize> {
        let mut inputs = Vec::new();
        for (index, given) in arguments.list.iter().enumerate() {
            let val = &given.item.val;
            let tensors = self.tensors_in(val);
            let many = match val {
                Val::List(_) => self.items(val).map(<[_]>::len),
                Val::Dict(_) => self.pairs(val).map(<[_]>::len),
                _ => Some(1),
            };
            if many == Some(tensors.len()) {
                inputs.extend(tensors);
            } else if index == 0 || !tensors.is_empty() {
                inputs.extend(tensors);
                inputs.push(self.new_tensor(Op::Unknown, Vec::new()));
            }
        }
        if inputs.is_empty() {
            inputs.push(self.new_tensor(Op::Unknown, Vec::new()));
        }
        inputs
    }

    /// A model is called: its layers are applied to something else.
    pub(super) fn apply_model(&mut self, model: usize, arguments: &Arguments) -> Val {
        let given = self.layer_inputs(arguments);
        let outputs = self.applied(model, &given);
        match outputs.as_slice() {
            [only] => Val::Tensor(*only),
            _ => {
                let items = outputs
                    .into_iter()
                    .map(|tensor| super::object::Item::new(Val::Tensor(tensor), finding::Range::default()))
                    .collect();
                self.new_list(Some(items))
            }
        }
    }

    fn applied(&mut self, model: usize, given: &[usize]) -> Vec<usize> {
        let Some(draft) = self.models.get(model) else {
            return Vec::new();
        };
        if let Some(layer) = draft.opaque {
            return vec![self.new_tensor(Op::Layer(layer), given.to_vec())];
        }
        let (uses, outputs, inputs) = (draft.uses.clone(), draft.outputs.clone(), draft.inputs.clone());
        if uses.len() > self.steps || self.tensors.len() > MOST_LAYERS * 16 {
            return vec![self.new_tensor(Op::Unknown, Vec::new())];
        }
        self.steps -= uses.len();
        let mut made: Vec<usize> = Vec::with_capacity(uses.len());
        for used in uses {
            let feeds = used
                .feeds
                .iter()
                .map(|feed| self.fed(*feed, given, &inputs, &made))
                .collect();
            made.push(self.new_tensor(Op::Layer(used.layer), feeds));
        }
        outputs
            .into_iter()
            .map(|feed| self.fed(feed, given, &inputs, &made))
            .collect()
    }

    fn fed(&mut self, feed: Feed, given: &[usize], inputs: &[Option<usize>], made: &[usize]) -> usize {
        let tensor = match feed {
            Feed::Layer(position) => made.get(position),
            Feed::Extra(position) => {
                let whole = made.get(position).copied();
                let whole = whole.unwrap_or_else(|| self.new_tensor(Op::Unknown, Vec::new()));
                return self.new_tensor(Op::Extra, vec![whole]);
            }
            Feed::Input(_) if given.len() == 1 => given.first(),
            Feed::Input(record) => inputs
                .iter()
                .position(|input| *input == record && record.is_some())
                .filter(|_| inputs.len() == given.len())
                .and_then(|position| given.get(position)),
            Feed::Unknown => None,
        };
        match tensor {
            Some(tensor) => *tensor,
            None => self.new_tensor(Op::Unknown, Vec::new()),
        }
    }

    /// The symbolic inputs and outputs of a model.
    pub(super) fn symbolic(&mut self, model: usize) -> (Vec<usize>, Vec<usize>) {
        let Some(draft) = self.models.get(model) else {
            return (Vec::new(), Vec::new());
        };
        if let Some(symbolic) = &draft.symbolic {
            return symbolic.clone();
        }
        let input = match draft.uses.first().and_then(|first| first.feeds.first()) {
            Some(Feed::Input(Some(record))) => self.new_tensor(Op::Input(*record), Vec::new()),
            _ => self.new_tensor(Op::Unknown, Vec::new()),
        };
        let outputs = self.applied(model, &[input]);
        let symbolic = (vec![input], outputs);
        if let Some(draft) = self.models.get_mut(model) {
            draft.symbolic = Some(symbolic.clone());
        }
        symbolic
    }
}
