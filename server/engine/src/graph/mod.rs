//! The imperative form of a model: operations in the order of execution, their values and weights.

mod builder;
mod read;
mod run;

use serde_json::Value;

pub use builder::{Builder, Call, Dim, Sym};
pub(crate) use run::{Pass, Values};

use crate::constraints::Constraint;
use crate::op::Op;
use crate::regularizers::Regularizer;
use crate::{EngineError, Unsupported};

/// Index of a value (the output of an operation).
pub type ValueId = usize;
/// Index of a weight.
pub type ParamId = usize;

/// One weight variable.
#[derive(Clone, Debug)]
pub struct Param {
    /// Path of its layer (`outer/inner`).
    pub layer: String,
    /// Its name within the layer (`kernel`, `forward_lstm/lstm_cell/kernel`).
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether gradients are wanted by its nature (moving averages are not).
    pub trainable: bool,
    /// Whether its layer or a model around it is frozen.
    pub frozen: bool,
    /// Its values.
    pub value: Vec<f32>,
    /// Gradient of the loss.
    pub grad: Vec<f32>,
    /// Whether anything was added to the gradient in this step.
    pub touched: bool,
    /// Its regularizer.
    pub regularizer: Option<Regularizer>,
    /// Its constraint.
    pub constraint: Option<Constraint>,
}

impl Param {
    /// Whether the optimizer changes it.
    pub fn learns(&self) -> bool {
        self.trainable && !self.frozen
    }

    /// The gradient, to add to.
    pub fn grad_mut(&mut self) -> &mut [f32] {
        self.touched = true;
        &mut self.grad
    }
}

/// A leaf layer, as the trace numbers them.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Path of the layer (`outer/inner`).
    pub path: String,
    /// Class.
    pub class: String,
    /// Name of the activation it applies, as the trace names it.
    pub activation: Option<String>,
    /// Its calls, in order: the value before the activation where it has one, and the output.
    pub calls: Vec<(Option<ValueId>, ValueId)>,
    /// Its weights.
    pub params: Vec<ParamId>,
    /// Axis of the units in the output.
    pub unit_axis: isize,
    /// Whether the activation is the plain ReLU, so that its output can be told from its input.
    pub rectified: bool,
}

/// One call of an operation.
pub(crate) struct Node {
    pub op: Box<dyn Op>,
    pub inputs: Vec<ValueId>,
    pub outputs: Vec<ValueId>,
    pub leaf: Option<usize>,
}

/// An input or output of the model.
#[derive(Clone, Debug)]
pub struct Port {
    /// Name: of the input layer, of the output in a dictionary, or of the layer that makes it.
    pub name: String,
    /// Key in a dictionary of inputs or outputs.
    pub key: Option<String>,
    /// Shape, `None` where open; samples first.
    pub shape: Vec<Dim>,
    pub(crate) value: ValueId,
    pub(crate) mask: Option<ValueId>,
    pub(crate) logits: Option<ValueId>,
}

/// A model that Keras built, as a list of operations.
pub struct Graph {
    pub(crate) name: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) value_count: usize,
    /// Which values a gradient flows through.
    pub(crate) needs_grad: Vec<bool>,
    /// Which values besides these a probe asks the gradient of.
    pub(crate) probe_grad: Vec<bool>,
    pub(crate) params: Vec<Param>,
    /// In the order of `model.weights`.
    pub(crate) order: Vec<ParamId>,
    /// What layers keep from batch to batch besides their weights.
    pub(crate) states: Vec<ParamId>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operations: Vec<_> = self.nodes.iter().map(|node| node.op.name()).collect();
        f.debug_struct("Graph")
            .field("name", &self.name)
            .field("operations", &operations)
            .finish_non_exhaustive()
    }
}

impl Graph {
    /// Reads what `keras.saving.serialize_keras_object(model)` or `model.to_json()` gives.
    pub fn from_keras(model: &Value) -> Result<Self, Unsupported> {
        read::model(model)
    }

    /// Name of the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The leaf layers in the order of the forward pass.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The inputs in the order of `model.inputs`.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// The outputs in the order of `model.outputs`.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// The weights in the order of `model.weights`.
    pub fn weights(&self) -> impl ExactSizeIterator<Item = &Param> {
        self.order.iter().map(|&id| &self.params[id])
    }

    /// The weights, and behind them what layers keep from batch to batch (`stateful`).
    pub fn variables(&self) -> impl Iterator<Item = &Param> {
        self.order.iter().chain(&self.states).map(|&id| &self.params[id])
    }

    /// Sets the variable at a place: of the weights in the order of `model.weights`, or of the states behind them.
    pub fn set_weight(&mut self, index: usize, shape: &[usize], values: &[f32]) -> Result<(), EngineError> {
        let param = self
            .order
            .iter()
            .chain(&self.states)
            .nth(index)
            .map(|&id| &mut self.params[id])
            .ok_or_else(|| EngineError::shape("weights", format!("there is no weight {index}")))?;
        if param.shape != shape || param.value.len() != values.len() {
            return Err(EngineError::shape(
                format!("{}/{}", param.layer, param.name),
                format!("has shape {:?}, not {shape:?}", param.shape),
            ));
        }
        param.value.copy_from_slice(values);
        Ok(())
    }

    /// Place of a weight by layer path and name; either may be the end of a longer path.
    pub fn find_weight(&self, layer: &str, name: &str) -> Option<usize> {
        self.weights()
            .position(|param| param.layer == layer && param.name == name)
    }

    /// Place of a weight by Keras' `variable.path`, of which the front may be missing or be the model's name.
    pub fn find_path(&self, path: &str) -> Option<usize> {
        let ours = |param: &Param| format!("{}/{}", param.layer, param.name);
        let mut found = self.weights().enumerate().filter(|(_, param)| {
            let own = ours(param);
            own == path
                || path
                    .strip_suffix(own.as_str())
                    .is_some_and(|front| front.ends_with('/'))
                || own.strip_suffix(path).is_some_and(|front| front.ends_with('/'))
        });
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Some(index),
            _ => self.weights().position(|param| ours(param) == path),
        }
    }
}
