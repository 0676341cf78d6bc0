//! The first operation and element that became NaN or infinite.

use super::weights::Seen;
use crate::Tensor;
use crate::graph::{Graph, Values};

/// When in the step it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It came in with the batch.
    Input,
    /// A weight had it from the start.
    Weight,
    /// In the forward pass.
    Forward,
    /// In the loss.
    Loss,
    /// In the backward pass.
    Backward,
    /// In the gradient of a weight.
    Gradient,
    /// In the update of a weight.
    Update,
}

/// Where a number first became NaN or infinite.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// When.
    pub moment: Moment,
    /// Index of the leaf layer.
    pub layer: Option<usize>,
    /// The operation (`matmul`), the weight (`kernel`) or the input.
    pub what: String,
    /// Index of the element along each axis.
    pub element: Vec<usize>,
    /// The value: NaN or infinite.
    pub value: f32,
}

impl Moment {
    /// As the trace names it.
    pub const fn name(self) -> &'static str {
        match self {
            Moment::Input => "input",
            Moment::Weight => "weight",
            Moment::Forward => "forward",
            Moment::Loss => "loss",
            Moment::Backward => "backward",
            Moment::Gradient => "gradient",
            Moment::Update => "update",
        }
    }
}

fn first(shape: &[usize], values: &[f32]) -> Option<(Vec<usize>, f32)> {
    let at = values.iter().position(|value| !value.is_finite())?;
    Some((place(shape, at), values[at]))
}

/// Index along each axis of the element at that place.
fn place(shape: &[usize], at: usize) -> Vec<usize> {
    let mut rest = at;
    let mut element = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        element[axis] = rest % shape[axis].max(1);
        rest /= shape[axis].max(1);
    }
    element
}

/// Looks through a finished step in the order in which things were computed. `seen`: what the weights were before the
/// update, by index, where that is known.
pub(crate) fn find(graph: &Graph, values: &Values, loss: f32, seen: &[Seen]) -> Option<Fault> {
    let make = |moment, layer, what: &str, (element, value)| Fault {
        moment,
        layer,
        what: what.to_owned(),
        element,
        value,
    };
    let of = |tensor: &Tensor| first(tensor.shape(), tensor.data());
    for input in &graph.inputs {
        if let Some(found) = of(&values.values[input.value]) {
            return Some(make(Moment::Input, None, &input.name, found));
        }
    }
    let owner = |id: usize| graph.leaves.iter().position(|leaf| leaf.params.contains(&id));
    for (id, seen) in seen.iter().enumerate() {
        if let Some((at, value)) = seen.weight.broken() {
            let param = &graph.params[id];
            let found = (place(&param.shape, at), value);
            return Some(make(Moment::Weight, owner(id), &param.name, found));
        }
    }
    for node in &graph.nodes {
        for &output in &node.outputs {
            if let Some(found) = of(&values.values[output]) {
                return Some(make(Moment::Forward, node.leaf, node.op.name(), found));
            }
        }
    }
    if !loss.is_finite() {
        return Some(make(Moment::Loss, None, "loss", (Vec::new(), loss)));
    }
    for node in graph.nodes.iter().rev() {
        for &output in &node.outputs {
            if values.has_grad[output]
                && let Some(found) = of(&values.grads[output])
            {
                return Some(make(Moment::Backward, node.leaf, node.op.name(), found));
            }
        }
    }
    for (moment, gradients) in [(Moment::Gradient, true), (Moment::Update, false)] {
        for (id, param) in graph.params.iter().enumerate().rev() {
            if !param.learns() || !param.touched {
                continue;
            }
            let looked_at = if gradients { &param.grad } else { &param.value };
            if let Some(found) = first(&param.shape, looked_at) {
                return Some(make(moment, owner(id), &param.name, found));
            }
        }
    }
    None
}
