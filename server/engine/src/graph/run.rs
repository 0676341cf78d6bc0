//! Executing the operations forward and backward.

use std::collections::HashMap;

use super::{Graph, ValueId};
use crate::op::{Backward, Ctx};
use crate::{EngineError, Tensor};

/// Marks the values a gradient flows through, and those a probe asks it of.
pub(super) fn plan_gradients(graph: &mut Graph) {
    let mut needs = vec![false; graph.value_count];
    let mut asked = vec![false; graph.value_count];
    let trains: Vec<bool> = graph.nodes.iter().map(|node| node.op.trains()).collect();
    for (node, trains) in graph.nodes.iter().zip(trains) {
        let flows = node.op.differentiable() && (trains || node.inputs.iter().any(|&value| needs[value]));
        if flows {
            for &output in &node.outputs {
                needs[output] = true;
            }
            // TensorFlow has the gradient at what enters the first operation with weights, too.
            for &input in &node.inputs {
                asked[input] = true;
            }
        }
    }
    let masks = graph.outputs.iter().filter_map(|output| output.mask);
    for mask in masks {
        needs[mask] = false;
    }
    let inputs: Vec<ValueId> = graph.inputs.iter().map(|input| input.value).collect();
    let leaf_values: std::collections::HashSet<ValueId> = graph
        .leaves
        .iter()
        .flat_map(|leaf| {
            leaf.calls
                .iter()
                .flat_map(|&(before, after)| before.into_iter().chain([after]))
        })
        .filter(|value| !inputs.contains(value))
        .collect();
    graph.probe_grad = (0..graph.value_count)
        .map(|value| !needs[value] && asked[value] && leaf_values.contains(&value))
        .collect();
    graph.needs_grad = needs;
}

/// The values of one step and the gradients at them.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub values: Vec<Tensor>,
    pub grads: Vec<Tensor>,
    /// Whether anything was added to the gradient.
    pub has_grad: Vec<bool>,
    scratch: Vec<Tensor>,
}

/// What drives a pass over the graph.
pub(crate) struct Pass<'a> {
    pub training: bool,
    pub rng: &'a mut fastrand::Rng,
    pub noise: &'a HashMap<String, Vec<f32>>,
}

impl Values {
    pub fn new(graph: &Graph) -> Self {
        Values {
            values: vec![Tensor::default(); graph.value_count],
            grads: vec![Tensor::default(); graph.value_count],
            has_grad: vec![false; graph.value_count],
            scratch: Vec::new(),
        }
    }

    /// Runs all operations; the inputs are set. Gives what layers add to the loss.
    pub fn forward(&mut self, graph: &mut Graph, pass: Pass<'_>) -> Result<f32, EngineError> {
        let mut ctx = Ctx {
            params: &mut graph.params,
            training: pass.training,
            rng: pass.rng,
            noise: pass.noise,
            added_loss: 0.0,
            overwrite: false,
        };
        for node in &mut graph.nodes {
            self.scratch.clear();
            for &id in &node.outputs {
                self.scratch.push(std::mem::take(&mut self.values[id]));
            }
            let ins: Vec<&Tensor> = node.inputs.iter().map(|&id| &self.values[id]).collect();
            node.op.forward(&mut ctx, &ins, &mut self.scratch)?;
            for (&id, value) in node.outputs.iter().zip(self.scratch.drain(..)) {
                self.values[id] = value;
            }
        }
        Ok(ctx.added_loss)
    }

    /// Before the backward pass: no gradient anywhere.
    pub fn clear_grads(&mut self) {
        self.has_grad.fill(false);
    }

    /// The gradient at a value, zero at first.
    pub fn grad_mut(&mut self, id: ValueId) -> Result<&mut Tensor, EngineError> {
        if !self.has_grad[id] {
            let shape = self.values[id].shape();
            self.grads[id].zero(shape)?;
            self.has_grad[id] = true;
        }
        Ok(&mut self.grads[id])
    }

    /// Runs all operations backward from the gradients that are there.
    pub fn backward(&mut self, graph: &mut Graph, pass: Pass<'_>, probed: bool) -> Result<(), EngineError> {
        let mut ctx = Ctx {
            params: &mut graph.params,
            training: pass.training,
            rng: pass.rng,
            noise: pass.noise,
            added_loss: 0.0,
            overwrite: false,
        };
        for node in graph.nodes.iter_mut().rev() {
            if !node.op.differentiable()
                || !node.outputs.iter().any(|&id| self.has_grad[id])
                || !node.outputs.iter().any(|&id| graph.needs_grad[id])
            {
                continue;
            }
            for &id in &node.outputs {
                self.grad_mut(id)?;
            }
            ctx.overwrite = node.op.overwrites() && node.inputs.iter().all(|&id| !self.has_grad[id]);
            let mut gins: Vec<Option<Tensor>> = Vec::with_capacity(node.inputs.len());
            for (at, &id) in node.inputs.iter().enumerate() {
                let wanted = graph.needs_grad[id] || (probed && graph.probe_grad[id]);
                gins.push(if !wanted {
                    None
                } else if node.inputs[..at].contains(&id) {
                    // The same value twice: a second buffer, added below.
                    let mut second = Tensor::default();
                    second.zero(self.values[id].shape())?;
                    Some(second)
                } else {
                    if ctx.overwrite {
                        self.grads[id].resize(self.values[id].shape())?;
                        self.has_grad[id] = true;
                    } else {
                        self.grad_mut(id)?;
                    }
                    Some(std::mem::take(&mut self.grads[id]))
                });
            }
            let ins: Vec<&Tensor> = node.inputs.iter().map(|&id| &self.values[id]).collect();
            let outs: Vec<&Tensor> = node.outputs.iter().map(|&id| &self.values[id]).collect();
            let gouts: Vec<&Tensor> = node.outputs.iter().map(|&id| &self.grads[id]).collect();
            let values = Backward {
                ins: &ins,
                outs: &outs,
                gouts: &gouts,
                gins: &mut gins,
            };
            node.op.backward(&mut ctx, values)?;
            for (at, (&id, gin)) in node.inputs.iter().zip(gins).enumerate() {
                let Some(gin) = gin else { continue };
                if node.inputs[..at].contains(&id) {
                    let sums = self.grads[id].data_mut().iter_mut();
                    sums.zip(gin.data()).for_each(|(sum, &part)| *sum += part);
                } else {
                    self.grads[id] = gin;
                }
            }
        }
        Ok(())
    }
}
