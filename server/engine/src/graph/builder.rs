use std::collections::HashMap;

use serde_json::Value;

use super::{Leaf, Node, Param, ParamId, ValueId};
use crate::Unsupported;
use crate::config::Config;
use crate::constraints::Constraint;
use crate::op::Op;
use crate::regularizers::Regularizer;

/// Size of an axis, `None` where it is known only with the batch.
pub type Dim = Option<usize>;

/// Most weights of one model (1 GiB of values).
const MOST_WEIGHTS: usize = 1 << 28;
/// Most operations of one model.
const MOST_NODES: usize = 100_000;

/// A value while the graph is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Sym {
    /// Its index.
    pub id: ValueId,
    /// Its shape, samples first.
    pub shape: Vec<Dim>,
    /// Value of the mask it carries: 1 where a time step is real.
    pub mask: Option<ValueId>,
    /// Value of the logits that TensorFlow remembers on the output of softmax and sigmoid.
    pub logits: Option<ValueId>,
}

impl Sym {
    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The axis that a possibly negative number means.
    pub fn axis(&self, axis: i64) -> Option<usize> {
        let rank = i64::try_from(self.shape.len()).ok()?;
        let axis = if axis < 0 { axis + rank } else { axis };
        (0..rank)
            .contains(&axis)
            .then(|| usize::try_from(axis).ok())
            .flatten()
    }
}

/// Collects operations, values and weights.
#[derive(Default)]
pub struct Builder {
    pub(super) nodes: Vec<Node>,
    pub(super) value_count: usize,
    pub(super) params: Vec<Param>,
    by_name: HashMap<(String, String), ParamId>,
    weight_total: usize,
    pub(super) leaves: Vec<Leaf>,
    pub(super) leaf_of: HashMap<String, usize>,
    /// Layer whose operations are being added.
    pub(super) current: Option<usize>,
    /// What layers keep from batch to batch besides their weights.
    pub(super) states: Vec<ParamId>,
    /// Number of samples of a batch, where the model fixes it.
    pub samples: Option<usize>,
}

impl Builder {
    /// A value that no operation makes.
    pub fn input(&mut self, shape: Vec<Dim>) -> Sym {
        self.value_count += 1;
        Sym {
            id: self.value_count - 1,
            shape,
            mask: None,
            logits: None,
        }
    }

    /// Adds an operation with one output of that shape.
    pub fn op(&mut self, op: impl Op + 'static, inputs: &[&Sym], shape: Vec<Dim>) -> Sym {
        let ids: Vec<ValueId> = inputs.iter().map(|sym| sym.id).collect();
        let outputs = self.op_ids(Box::new(op), ids, 1);
        Sym {
            id: outputs[0],
            shape,
            mask: None,
            logits: None,
        }
    }

    /// Adds an operation with several outputs.
    pub fn op_ids(&mut self, op: Box<dyn Op>, inputs: Vec<ValueId>, outputs: usize) -> Vec<ValueId> {
        let ids: Vec<ValueId> = (self.value_count..self.value_count + outputs).collect();
        self.value_count += outputs;
        self.nodes.push(Node {
            op,
            inputs,
            outputs: ids.clone(),
            leaf: self.current,
        });
        ids
    }

    pub(super) fn within_limits(&self) -> Result<(), Unsupported> {
        if self.nodes.len() > MOST_NODES {
            return Err(Unsupported::new(
                "model",
                format!("more than {MOST_NODES} operations"),
            ));
        }
        Ok(())
    }
}

/// One call of a layer while the graph is built.
pub struct Call<'a> {
    /// Where its operations go.
    pub builder: &'a mut Builder,
    /// The layer's arguments.
    pub config: Config<'a>,
    /// Path of the layer.
    pub path: &'a str,
    /// Class of the layer.
    pub class: &'a str,
    /// The tensors it is called with, in order.
    pub inputs: Vec<Sym>,
    /// Positional arguments of the call, as serialised.
    pub args: &'a Value,
    /// Keyword arguments of the call, as serialised.
    pub kwargs: &'a Value,
    /// Tensors among the keyword arguments; a layer takes out those it knows.
    pub tensors: Vec<(String, Vec<Sym>)>,
    /// `training` as the call fixes it.
    pub training: Option<bool>,
    /// Whether the layer or a model around it is frozen.
    pub frozen: bool,
    /// Value before the activation; set by layers that apply one.
    pub before: Option<ValueId>,
    /// Name of the activation applied, for the trace.
    pub activation: Option<String>,
    /// Axis of the units in the output.
    pub unit_axis: isize,
    /// How deep layers within layers are being read.
    pub depth: usize,
    /// How many time steps lie side by side as samples of their own (`TimeDistributed`).
    pub steps: usize,
    /// The mask that the call was given, which may be another one than that of its input.
    pub given_mask: Option<ValueId>,
    /// Whether the activation is the plain ReLU.
    pub rectified: bool,
}

impl Call<'_> {
    /// The only input.
    pub fn input(&self) -> Result<Sym, Unsupported> {
        match self.inputs.as_slice() {
            [one] => Ok(one.clone()),
            other => Err(self.unsupported(format!("called with {} inputs", other.len()))),
        }
    }

    /// Takes out the tensors of a keyword argument.
    pub fn take(&mut self, key: &str) -> Option<Vec<Sym>> {
        let at = self.tensors.iter().position(|(name, _)| name == key)?;
        Some(self.tensors.swap_remove(at).1)
    }

    /// Something about this layer that is not covered.
    pub fn unsupported(&self, what: impl Into<String>) -> Unsupported {
        Unsupported::new(format!("layer {} ({})", self.path, self.class), what)
    }

    /// The size of an axis of an input, which must be known.
    pub fn known(&self, sym: &Sym, axis: usize) -> Result<usize, Unsupported> {
        sym.shape
            .get(axis)
            .copied()
            .flatten()
            .ok_or_else(|| self.unsupported(format!("axis {axis} of its input has no fixed size")))
    }

    /// A weight of the layer; `regularizer` and `constraint` are names of arguments.
    pub fn weight(&mut self, name: &str, shape: &[usize], trainable: bool) -> Result<ParamId, Unsupported> {
        let prefix = name.rsplit('/').next().unwrap_or(name);
        let regularizer = self
            .config
            .get(&format!("{prefix}_regularizer"))
            .map_or(Ok(None), |value| Regularizer::read(value).map(Some).ok_or(()));
        let constraint = self
            .config
            .get(&format!("{prefix}_constraint"))
            .map_or(Ok(None), |value| Constraint::read(value).map(Some).ok_or(()));
        let regularizer = regularizer.map_err(|()| self.config.not(&format!("{prefix}_regularizer")))?;
        if regularizer.is_some_and(|regularizer| !regularizer.fits(shape.len())) {
            return Err(self.config.not(&format!("{prefix}_regularizer")));
        }
        let constraint = constraint.map_err(|()| self.config.not(&format!("{prefix}_constraint")))?;
        self.weight_with(name, shape, trainable, regularizer, constraint)
    }

    /// A weight with these.
    pub fn weight_with(
        &mut self,
        name: &str,
        shape: &[usize],
        trainable: bool,
        regularizer: Option<Regularizer>,
        constraint: Option<Constraint>,
    ) -> Result<ParamId, Unsupported> {
        let key = (self.path.to_owned(), name.to_owned());
        if let Some(&id) = self.builder.by_name.get(&key) {
            if self.builder.params[id].shape != shape {
                return Err(self.unsupported(format!("{name} is used with two shapes")));
            }
            return Ok(id);
        }
        let length = shape
            .iter()
            .try_fold(1_usize, |product, &size| product.checked_mul(size))
            .filter(|length| self.builder.weight_total + length <= MOST_WEIGHTS)
            .ok_or_else(|| self.unsupported("more weights than the engine's limit of 2^28"))?;
        self.builder.weight_total += length;
        let id = self.added(key, shape, length, trainable, (regularizer, constraint));
        if let Some(leaf) = self.builder.current {
            self.builder.leaves[leaf].params.push(id);
        }
        Ok(id)
    }

    /// What a layer keeps from batch to batch, which Keras does not count among the weights. Zeros at first.
    pub fn state(&mut self, name: &str, shape: &[usize]) -> Result<ParamId, Unsupported> {
        let key = (self.path.to_owned(), name.to_owned());
        if let Some(&id) = self.builder.by_name.get(&key) {
            return Ok(id);
        }
        let length =
            crate::tensor::checked_len(shape).map_err(|error| self.unsupported(error.to_string()))?;
        let id = self.added(key, shape, length, false, (None, None));
        self.builder.states.push(id);
        Ok(id)
    }

    fn added(
        &mut self,
        key: (String, String),
        shape: &[usize],
        length: usize,
        trainable: bool,
        (regularizer, constraint): (Option<Regularizer>, Option<Constraint>),
    ) -> ParamId {
        let name = key.1.as_str();
        let id = self.builder.params.len();
        // Within a layer that Keras composes of others, weights are named from the outer one.
        let outer = self
            .builder
            .current
            .map(|leaf| self.builder.leaves[leaf].path.clone());
        let (layer, name) = match outer {
            Some(outer) if outer != self.path => {
                let inner = self
                    .path
                    .strip_prefix(&outer)
                    .unwrap_or(self.path)
                    .trim_start_matches('/');
                (outer, format!("{inner}/{name}"))
            }
            _ => (self.path.to_owned(), name.to_owned()),
        };
        self.builder.params.push(Param {
            layer,
            name,
            shape: shape.to_vec(),
            trainable,
            frozen: self.frozen,
            value: vec![0.0; length],
            grad: if trainable { vec![0.0; length] } else { Vec::new() },
            touched: false,
            regularizer,
            constraint,
        });
        self.builder.by_name.insert(key, id);
        id
    }

    /// Adds the operations of a layer within this one.
    pub fn inner(&mut self, layer: &Value, inputs: Vec<Sym>) -> Result<Vec<Sym>, Unsupported> {
        let how = super::read::Use::plain(self.training, self.frozen, self.depth, self.steps);
        let prefix = format!("{}/", self.path);
        super::read::layer_call(self.builder, layer, &prefix, inputs, &how)
    }

    /// Applies the activation named by an argument; the trace's V1 is its input.
    pub fn activate(&mut self, x: Sym) -> Result<Sym, Unsupported> {
        let (name, kind) = crate::activations::read(self.config.get("activation"))
            .ok_or_else(|| self.config.not("activation"))?;
        self.before = Some(x.id);
        self.activation = Some(name);
        self.apply(kind, x)
    }

    /// Applies an activation.
    pub fn apply(&mut self, kind: crate::activations::Activation, x: Sym) -> Result<Sym, Unsupported> {
        self.rectified = self.before == Some(x.id) && kind.is_plain_relu();
        crate::activations::apply(self.builder, kind, &x)
            .ok_or_else(|| self.unsupported("activation over an axis that does not exist"))
    }
}
