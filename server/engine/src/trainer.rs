//! Trains a graph step by step.

mod diagnosis;

use std::collections::HashMap;

use serde_json::Value;

use crate::compile::{self, OutputLoss, OutputMetric, Shapes};
use crate::graph::{Graph, Pass, Values};
use crate::losses::{Gradients, Pair};
use crate::optimizers::Optimizer;
use crate::probe::{self, Fault, Layout, Probe, Watch};
use crate::{EngineError, Tensor, Unsupported, View, native};

pub use diagnosis::StepGauge;

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Seed of dropout and noise.
    pub seed: u64,
    /// Whether cross-entropy uses the logits of softmax and sigmoid, as Keras on TensorFlow does.
    pub remembered_logits: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 0,
            remembered_logits: true,
        }
    }
}

/// One batch. Integers travel as floats.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    /// In the order of `model.inputs`.
    pub inputs: Vec<View<'a>>,
    /// In the order of `model.outputs`.
    pub targets: Vec<View<'a>>,
    /// None, one for all outputs, or one for each. Class weights come as sample weights.
    pub weights: Vec<Option<View<'a>>>,
}

/// What a step of training gave.
#[derive(Clone, Debug, Default)]
pub struct StepOutcome {
    /// Loss of this batch with all penalties.
    pub loss: f32,
    /// Learning rate used.
    pub learning_rate: f32,
    /// Numbers of the step as the trace names them: [`trace::Scalar::ALL`], then the metrics.
    pub scalars: Vec<f64>,
    /// Statistics of all tensors, when asked for.
    pub probe: Option<Probe>,
    /// Where a number first became NaN or infinite: once in a training.
    pub fault: Option<Fault>,
}

/// A running weighted mean.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    total: f64,
    count: f64,
}

impl Running {
    fn add(&mut self, value: f32, weight: usize) {
        self.total += f64::from(value) * weight as f64;
        self.count += weight as f64;
    }

    fn mean(self) -> f64 {
        if self.count == 0.0 {
            0.0
        } else {
            self.total / self.count
        }
    }
}

/// What is known once the shapes of the first batch are.
struct Compiled {
    losses: Vec<OutputLoss>,
    metrics: Vec<OutputMetric>,
    /// Running loss of each output.
    running: Vec<Running>,
    /// What stands in the logs besides the loss, sorted by name.
    order: Vec<Log>,
}

/// A number in the logs.
#[derive(Clone, Copy, Debug)]
enum Log {
    /// The loss of an output.
    Loss(usize),
    Metric(usize),
}

impl Compiled {
    fn new(losses: Vec<OutputLoss>, metrics: Vec<OutputMetric>) -> Self {
        let several = if losses.len() > 1 { losses.len() } else { 0 };
        let order = (0..several)
            .map(Log::Loss)
            .chain((0..metrics.len()).map(Log::Metric))
            .collect();
        let mut compiled = Compiled {
            running: vec![Running::default(); losses.len()],
            losses,
            metrics,
            order,
        };
        let mut order = std::mem::take(&mut compiled.order);
        order.sort_by(|&a, &b| compiled.name(a).cmp(compiled.name(b)));
        order.retain(|&log| compiled.name(log) != "loss");
        compiled.order = order;
        compiled
    }

    fn name(&self, log: Log) -> &str {
        match log {
            Log::Loss(at) => &self.losses[at].name,
            Log::Metric(at) => &self.metrics[at].name,
        }
    }

    fn value(&self, log: Log) -> f64 {
        match log {
            Log::Loss(at) => self.running[at].mean(),
            Log::Metric(at) => self.metrics[at].metric.measure.result(),
        }
    }
}

/// A compiled model in training.
pub struct Trainer {
    graph: Graph,
    values: Values,
    compile: Value,
    compiled: Option<Compiled>,
    optimizer: Optimizer,
    options: Options,
    rng: fastrand::Rng,
    noise: HashMap<String, Vec<f32>>,
    running: Running,
    /// What probed steps look at weights with, and the rows they give.
    watch: Watch,
    layout: Layout,
    fault_found: bool,
}

impl std::fmt::Debug for Trainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer")
            .field("graph", &self.graph)
            .finish_non_exhaustive()
    }
}

impl Trainer {
    /// `compile` is what `model.get_compile_config()` gives. Weights are set in `graph`.
    pub fn new(graph: Graph, compile: &Value, options: Options) -> Result<Self, Unsupported> {
        compile::check(compile, &graph.outputs)?;
        compile::check_penalties(compile, &graph)?;
        let optimizer = Optimizer::read(&compile["optimizer"], &graph.params)?;
        Ok(Trainer {
            values: Values::new(&graph),
            compile: compile.clone(),
            compiled: None,
            optimizer,
            options,
            rng: fastrand::Rng::with_seed(options.seed),
            noise: HashMap::new(),
            running: Running::default(),
            watch: Watch::default(),
            layout: Layout::default(),
            fault_found: false,
            graph,
        })
    }

    /// The model with its present weights.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The model, for setting weights.
    pub fn graph_mut(&mut self) -> &mut Graph {
        &mut self.graph
    }

    /// Learning rate of the next step.
    pub fn learning_rate(&self) -> f32 {
        self.optimizer.learning_rate()
    }

    /// Sets the learning rate, as a callback of Keras would.
    pub fn set_learning_rate(&mut self, rate: f32) {
        self.optimizer.set_learning_rate(rate);
    }

    /// Finished steps.
    pub fn iterations(&self) -> u64 {
        self.optimizer.iterations()
    }

    /// Noise for the next steps in place of the generator's, by path of the layer: the factors of dropout, what
    /// `GaussianNoise` adds, which elements `AlphaDropout` keeps.
    pub fn set_noise(&mut self, layer: &str, values: Vec<f32>) {
        self.noise.insert(layer.to_owned(), values);
    }

    /// At the end of the training: averages of the weights take their place where the optimizer keeps some.
    pub fn finish(&mut self) {
        self.optimizer.finish(&mut self.graph.params);
    }

    /// One step of training.
    pub fn step(&mut self, batch: &Batch<'_>, probed: bool) -> Result<StepOutcome, EngineError> {
        native::flushed(|| self.training_step(batch, probed))
    }

    /// One step of `evaluate`: the loss of the batch; metrics take it in.
    pub fn test_step(&mut self, batch: &Batch<'_>) -> Result<f32, EngineError> {
        native::flushed(|| {
            let added = self.run(&batch.inputs, false)?;
            let loss = self.losses(batch, false)? + added + self.penalties(false);
            self.running.add(loss, samples(batch));
            self.update_metrics(batch)?;
            Ok(loss)
        })
    }

    /// The outputs for one batch of inputs.
    pub fn predict(&mut self, inputs: &[View<'_>]) -> Result<Vec<Tensor>, EngineError> {
        native::flushed(|| {
            self.run(inputs, false)?;
            let outputs = self.graph.outputs.iter();
            Ok(outputs
                .map(|output| self.values.values[output.value].clone())
                .collect())
        })
    }

    /// Loss and metrics since the last reset, by name, sorted as Keras' logs are.
    pub fn logs(&self) -> Vec<(String, f64)> {
        let mut logs = vec![("loss".to_owned(), self.running.mean())];
        if let Some(compiled) = &self.compiled {
            let order = compiled.order.iter();
            logs.extend(order.map(|&log| (compiled.name(log).to_owned(), compiled.value(log))));
        }
        logs.sort_by(|a, b| a.0.cmp(&b.0));
        logs
    }

    /// Names of the metrics behind the scalars of a step.
    pub fn metric_names(&self) -> Vec<String> {
        let compiled = self.compiled.iter();
        compiled
            .flat_map(|compiled| compiled.order.iter().map(|&log| compiled.name(log).to_owned()))
            .collect()
    }

    /// Starts a new epoch of loss and metrics.
    pub fn reset_metrics(&mut self) {
        self.running = Running::default();
        if let Some(compiled) = &mut self.compiled {
            compiled.running.fill(Running::default());
            for metric in &mut compiled.metrics {
                metric.metric.measure.reset();
            }
        }
    }

    /// The loss of a batch with its gradients, without an update.
    fn gradients(&mut self, batch: &Batch<'_>, training: bool, probed: bool) -> Result<f32, EngineError> {
        for param in &mut self.graph.params {
            param.grad.fill(0.0);
            param.touched = false;
        }
        self.values.clear_grads();
        let added = self.run(&batch.inputs, training)?;
        let loss = self.losses(batch, true)? + added + self.penalties(true);
        let pass = Pass {
            training,
            rng: &mut self.rng,
            noise: &self.noise,
        };
        self.values.backward(&mut self.graph, pass, probed)?;
        Ok(loss)
    }

    fn training_step(&mut self, batch: &Batch<'_>, probed: bool) -> Result<StepOutcome, EngineError> {
        let loss = self.gradients(batch, true, probed)?;
        let learning_rate = self.optimizer.learning_rate();
        let watch = probed.then_some(&mut self.watch);
        self.optimizer.apply(&mut self.graph.params, watch);
        self.running.add(loss, samples(batch));
        self.update_metrics(batch)?;
        let mut outcome = StepOutcome {
            loss,
            learning_rate,
            scalars: Vec::new(),
            probe: None,
            fault: None,
        };
        if probed {
            let probe = probe::measure(&self.graph, &self.values, &self.watch, &mut self.layout);
            outcome.fault = self.fault(loss, &probe);
            outcome.probe = Some(probe);
        } else if !loss.is_finite() && !self.fault_found {
            self.fault_found = true;
            outcome.fault = probe::find(&self.graph, &self.values, loss, &[]);
        }
        outcome.scalars = self.scalars(batch, &outcome, probed);
        Ok(outcome)
    }

    fn fault(&mut self, loss: f32, probe: &Probe) -> Option<Fault> {
        let broken = |stats: &[f64]| {
            stats[trace::Stat::Nans as usize] > 0.0 || stats[trace::Stat::Infs as usize] > 0.0
        };
        let any = !loss.is_finite() || probe.stats.chunks_exact(probe::WIDTH).any(broken);
        if self.fault_found || !any {
            return None;
        }
        self.fault_found = true;
        probe::find(&self.graph, &self.values, loss, &self.watch.seen)
    }

    fn scalars(&self, batch: &Batch<'_>, outcome: &StepOutcome, probed: bool) -> Vec<f64> {
        let mut scalars = vec![
            f64::from(outcome.loss),
            f64::from(outcome.learning_rate),
            samples(batch) as f64,
        ];
        let loss = self
            .compiled
            .as_ref()
            .and_then(|compiled| compiled.losses.first());
        match (probed, self.graph.outputs.first(), loss) {
            (true, Some(output), Some(loss)) => {
                let prediction = self.values.values[output.value].view();
                let (name, logits) = (loss.loss.canonical_name(), loss.loss.takes_logits());
                scalars.extend(probe::compare(
                    batch.targets.first().copied(),
                    prediction,
                    name,
                    logits,
                ));
            }
            _ => scalars.extend([f64::NAN; probe::COMPARED]),
        }
        // What else the trace may know of a step is not known here.
        scalars.resize(trace::Scalar::ALL.len(), f64::NAN);
        if let Some(compiled) = &self.compiled {
            scalars.extend(compiled.order.iter().map(|log| compiled.value(*log)));
        }
        scalars
    }

    /// Puts the inputs in place and runs the graph forward.
    fn run(&mut self, inputs: &[View<'_>], training: bool) -> Result<f32, EngineError> {
        if inputs.len() != self.graph.inputs.len() {
            return Err(EngineError::shape(
                "batch",
                format!("{} arrays for {} inputs", inputs.len(), self.graph.inputs.len()),
            ));
        }
        for (given, port) in inputs.iter().zip(&self.graph.inputs) {
            let shape = adjusted(given.shape, &port.shape).ok_or_else(|| {
                EngineError::shape(
                    format!("input {}", port.name),
                    format!("shape {:?} for {:?}", given.shape, port.shape),
                )
            })?;
            let given = View::new(&shape, given.data)?;
            self.values.values[port.value].copy_from(given)?;
        }
        let pass = Pass {
            training,
            rng: &mut self.rng,
            noise: &self.noise,
        };
        self.values.forward(&mut self.graph, pass)
    }

    fn compiled(&mut self, batch: &Batch<'_>) -> Result<(), EngineError> {
        if self.compiled.is_some() {
            return Ok(());
        }
        let outputs = &self.graph.outputs;
        if batch.targets.len() != outputs.len() {
            return Err(EngineError::shape(
                "batch",
                format!("{} targets for {} outputs", batch.targets.len(), outputs.len()),
            ));
        }
        let shapes: Shapes = outputs
            .iter()
            .zip(&batch.targets)
            .map(|(output, target)| {
                let prediction = self.values.values[output.value].shape();
                (target.shape.to_vec(), prediction.to_vec())
            })
            .collect();
        let fits = |error: Unsupported| EngineError::shape(error.place, error.what);
        let losses = compile::losses(&self.compile, outputs, &shapes).map_err(fits)?;
        let metrics = compile::metrics(&self.compile, outputs, &shapes).map_err(fits)?;
        self.compiled = Some(Compiled::new(losses, metrics));
        Ok(())
    }

    /// The losses of all outputs; puts their gradients where the backward pass starts.
    fn losses(&mut self, batch: &Batch<'_>, gradients: bool) -> Result<f32, EngineError> {
        self.compiled(batch)?;
        let Some(compiled) = &mut self.compiled else {
            return Ok(0.0);
        };
        let mut total = 0.0;
        for (at, loss) in compiled.losses.iter().enumerate() {
            let output = &self.graph.outputs[loss.output];
            let target = batch.targets.get(loss.output).copied().ok_or_else(|| {
                EngineError::shape("batch", format!("no target for output {}", output.name))
            })?;
            let remembered = output.logits.filter(|_| self.options.remembered_logits);
            let uses = loss.loss.uses(remembered.is_some());
            // Taken out while the values they belong to are read.
            let mut take = |id: Option<usize>, wanted: bool| -> Result<Option<Tensor>, EngineError> {
                match id {
                    Some(id) if gradients && wanted && self.graph.needs_grad[id] => {
                        self.values.grad_mut(id)?;
                        Ok(Some(std::mem::take(&mut self.values.grads[id])))
                    }
                    _ => Ok(None),
                }
            };
            let mut at_prediction = take(Some(output.value), uses.prediction)?;
            let mut at_logits = take(remembered, uses.logits)?;
            let pair = Pair {
                target,
                prediction: &self.values.values[output.value],
                logits: remembered.map(|id| &self.values.values[id]),
            };
            let mask = output.mask.map(|id| self.values.values[id].view());
            let value = loss.loss.reduced(
                pair,
                weights_of(batch, loss.output),
                mask,
                loss.weight,
                &mut Gradients {
                    prediction: at_prediction.as_mut().map(Tensor::data_mut),
                    logits: at_logits.as_mut().map(Tensor::data_mut),
                },
            )?;
            if let Some(gradient) = at_prediction {
                self.values.grads[output.value] = gradient;
            }
            if let (Some(gradient), Some(id)) = (at_logits, remembered) {
                self.values.grads[id] = gradient;
            }
            // Keras weighs the losses of single outputs with the size of the batch, which is not known yet where
            // TensorFlow traces the step: there every batch counts alike.
            let weight = if self.options.remembered_logits {
                1
            } else {
                samples(batch)
            };
            compiled.running[at].add(value, weight);
            total += value * loss.weight;
        }
        Ok(total)
    }

    /// The penalties on weights; adds their gradients.
    fn penalties(&mut self, gradients: bool) -> f32 {
        let mut total = 0.0;
        for param in &mut self.graph.params {
            if let Some(regularizer) = param.regularizer
                && param.learns()
            {
                param.touched |= gradients;
                let gradient = gradients.then_some(param.grad.as_mut_slice());
                total += regularizer.penalize(&param.shape, &param.value, gradient);
            }
        }
        total
    }

    fn update_metrics(&mut self, batch: &Batch<'_>) -> Result<(), EngineError> {
        let Some(compiled) = &mut self.compiled else {
            return Ok(());
        };
        for metric in &mut compiled.metrics {
            let output = &self.graph.outputs[metric.output];
            let Some(&target) = batch.targets.get(metric.output) else {
                continue;
            };
            let pair = Pair {
                target,
                prediction: &self.values.values[output.value],
                logits: output
                    .logits
                    .filter(|_| self.options.remembered_logits)
                    .map(|id| &self.values.values[id]),
            };
            let mask = output.mask.map(|id| self.values.values[id].view());
            let weights = weights_of(batch, metric.output).filter(|_| metric.weighted);
            metric.metric.measure.update(pair, weights, mask)?;
        }
        Ok(())
    }
}

fn samples(batch: &Batch<'_>) -> usize {
    batch
        .inputs
        .first()
        .and_then(|input| input.shape.first())
        .copied()
        .unwrap_or(0)
}

fn weights_of<'a>(batch: &Batch<'a>, output: usize) -> Option<View<'a>> {
    match batch.weights.as_slice() {
        [one] => *one,
        several => several.get(output).copied().flatten(),
    }
}

/// The shape under which an array enters the model: Keras adds or drops a last axis of size 1.
fn adjusted(given: &[usize], wanted: &[Option<usize>]) -> Option<Vec<usize>> {
    let mut shape = given.to_vec();
    if shape.len() == wanted.len() + 1 && shape.last() == Some(&1) {
        shape.pop();
    } else if shape.len() + 1 == wanted.len() && wanted.last() == Some(&Some(1)) {
        shape.push(1);
    }
    let fits = shape.len() == wanted.len()
        && shape[1..]
            .iter()
            .zip(&wanted[1..])
            .all(|(&have, want)| want.is_none_or(|want| want == have));
    fits.then_some(shape)
}
