//! What only an engine can ask of a step.

use super::{Batch, StepOutcome, Trainer};
use crate::native::flushed;
use crate::{EngineError, Tensor, View};

/// How far the last step went along its own direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepGauge {
    /// Slope of the loss along the update, before it.
    pub before: f64,
    /// The same after it.
    pub after: f64,
}

impl StepGauge {
    /// Slope after over slope before: near 1 the step was short for the curvature, at 0 it went to the lowest point of
    /// its line, below 0 beyond it; below -1 it climbed higher than it started.
    pub fn ratio(self) -> f64 {
        self.after / self.before
    }
}

impl Trainer {
    /// Bytes of the last batch's activations, of the weights and of what the optimizer keeps for each of them.
    pub fn needed_bytes(&self) -> usize {
        let outputs: usize = self.values.values.iter().map(Tensor::len).sum();
        let within: usize = self.graph.nodes.iter().map(|node| node.op.kept()).sum();
        let activations = outputs + within;
        let weights: usize = self.graph.params.iter().map(|param| param.value.len()).sum();
        size_of::<f32>() * (activations + weights + self.optimizer.kept())
    }

    /// A probed step of training, and how far it went along its own direction. That is measured without dropout.
    pub fn gauged_step(&mut self, batch: &Batch<'_>) -> Result<(StepOutcome, StepGauge), EngineError> {
        flushed(|| {
            self.watch.keep = true;
            let outcome = self.training_step(batch, true);
            let before = self.watch.kept().map(std::mem::take);
            self.watch.keep = false;
            let (outcome, mut before) = (outcome?, before.unwrap_or_default());
            let updates: Vec<Vec<f32>> = self
                .graph
                .params
                .iter()
                .zip(&before)
                .map(|(param, before)| difference(&param.value, before))
                .collect();
            // What layers keep from batch to batch is as before the step for both, and stays as it was left.
            let states = self.graph.states.iter();
            let left: Vec<Vec<f32>> = states.map(|&id| self.graph.params[id].value.clone()).collect();
            let began: Vec<Vec<f32>> = self
                .graph
                .states
                .iter()
                .filter_map(|&id| before.get(id).cloned())
                .collect();
            let mut slope = || {
                for (param, before) in self.graph.params.iter_mut().zip(&mut before) {
                    std::mem::swap(&mut param.value, before);
                }
                self.set_states(&began);
                self.gradients(batch, false, false).map(|_| self.slope(&updates))
            };
            // To the weights before the update, then back, whatever happens.
            let slopes = (slope(), slope());
            self.set_states(&left);
            let gauge = StepGauge {
                before: slopes.0?,
                after: slopes.1?,
            };
            Ok((outcome, gauge))
        })
    }

    fn set_states(&mut self, states: &[Vec<f32>]) {
        for (&id, state) in self.graph.states.iter().zip(states) {
            self.graph.params[id].value.clone_from(state);
        }
    }

    /// Derivative of the loss along a direction of the weights.
    fn slope(&self, direction: &[Vec<f32>]) -> f64 {
        let params = self.graph.params.iter().zip(direction);
        let learning = params.filter(|(param, _)| param.learns());
        learning
            .flat_map(|(param, along)| param.grad.iter().zip(along))
            .map(|(&gradient, &along)| f64::from(gradient) * f64::from(along))
            .sum()
    }

    /// Norm of the gradient of each sample's own loss, of so many samples at most. Measured without dropout; nothing is
    /// trained.
    pub fn sample_gradient_norms(&mut self, batch: &Batch<'_>, most: usize) -> Result<Vec<f64>, EngineError> {
        if !self.graph.states.is_empty() {
            // Layers that keep states take batches of one size only.
            return Ok(Vec::new());
        }
        let samples = super::samples(batch);
        let all = || batch.inputs.iter().chain(&batch.targets);
        if all().any(|view| view.shape.first() != Some(&samples)) {
            return Err(EngineError::shape(
                "batch",
                "arrays with different numbers of samples",
            ));
        }
        let shapes: Vec<Vec<usize>> = all().map(|view| one_shape(view.shape)).collect();
        flushed(|| {
            let mut norms = Vec::with_capacity(samples.min(most));
            for sample in 0..samples.min(most) {
                let mut views = Vec::with_capacity(shapes.len());
                for (view, shape) in all().zip(&shapes) {
                    let each = view.data.len() / samples;
                    views.push(View::new(shape, &view.data[sample * each..(sample + 1) * each])?);
                }
                let targets = views.split_off(batch.inputs.len());
                let one = Batch {
                    inputs: views,
                    targets,
                    weights: Vec::new(),
                };
                self.gradients(&one, false, false)?;
                let learning = self.graph.params.iter().filter(|param| param.learns());
                let squares = learning
                    .flat_map(|param| &param.grad)
                    .map(|&gradient| f64::from(gradient) * f64::from(gradient));
                norms.push(squares.sum::<f64>().sqrt());
            }
            Ok(norms)
        })
    }

    /// Slope of the loss along a random direction of the weights: by the backward pass, and by the difference of two
    /// losses. Nothing is trained.
    pub fn gradient_check(
        &mut self,
        batch: &Batch<'_>,
        seed: u64,
        step: f32,
    ) -> Result<(f64, f64), EngineError> {
        let params = &self.graph.params;
        let start: Vec<Vec<f32>> = params.iter().map(|param| param.value.clone()).collect();
        let mut rng = fastrand::Rng::with_seed(seed);
        let direction: Vec<Vec<f32>> = params
            .iter()
            .map(|param| {
                param
                    .value
                    .iter()
                    .map(|_| if param.learns() { rng.f32() - 0.5 } else { 0.0 })
                    .collect()
            })
            .collect();
        self.gradients(batch, true, false)?;
        let slope = self.slope(&direction);
        let mut losses = [0.0_f64; 2];
        for (loss, sign) in losses.iter_mut().zip([1.0, -1.0]) {
            for ((param, start), along) in self.graph.params.iter_mut().zip(&start).zip(&direction) {
                for ((weight, &from), &along) in param.value.iter_mut().zip(start).zip(along) {
                    *weight = from + sign * step * along;
                }
            }
            for &id in &self.graph.states {
                self.graph.params[id].value.clone_from(&start[id]);
            }
            *loss = f64::from(self.gradients(batch, true, false)?);
        }
        for (param, start) in self.graph.params.iter_mut().zip(start) {
            param.value = start;
        }
        Ok((slope, (losses[0] - losses[1]) / (2.0 * f64::from(step))))
    }
}

fn difference(new: &[f32], old: &[f32]) -> Vec<f32> {
    new.iter().zip(old).map(|(new, old)| new - old).collect()
}

fn one_shape(shape: &[usize]) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(first) = shape.first_mut() {
        *first = 1;
    }
    shape
}
