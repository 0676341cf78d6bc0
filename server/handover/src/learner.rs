//! One model that was taken over.

use std::sync::Arc;

use engine::graph::Param;
use engine::probe::ProbeRow;
use engine::{Batch as EngineBatch, Graph, Options, Tensor, Trainer, Unsupported, View};
use serde_json::{Value, json};
use trace::{Scalar, Stat};

use crate::arrays::Shared;
use crate::request::{Batch, Changed, Place, Weight};
use crate::server::{Answer, Refusal};

/// Most steps of one request.
const MOST_STEPS: usize = 1 << 16;

/// Of how many samples of a gauged step the gradients are measured singly.
const GAUGED_SAMPLES: usize = 16;

/// A model with its optimizer, losses and metrics.
#[derive(Debug)]
pub struct Learner {
    trainer: Trainer,
    /// For each weight of Keras, its place in the engine.
    order: Vec<usize>,
    /// Whether it was compiled, or is only to predict.
    compiled: bool,
}

impl Learner {
    /// Reads what Keras gives of the model.
    pub fn open(
        graph: &Value,
        compile: &Value,
        remember_logits: bool,
        weights: &[Weight],
        seed: u64,
    ) -> Result<Self, Refusal> {
        let graph = Graph::from_keras(graph)?;
        let order = order(&graph, weights)?;
        let compiled = !compile.is_null();
        // A model that only predicts needs something that the engine can read.
        let stand_in = json!({"loss": "mean_squared_error", "optimizer": "sgd"});
        let options = Options {
            seed,
            remembered_logits: remember_logits,
        };
        let trainer = Trainer::new(graph, if compiled { compile } else { &stand_in }, options)?;
        Ok(Learner {
            trainer,
            order,
            compiled,
        })
    }

    /// What the tracer needs to know of it.
    pub fn describe(&self) -> Value {
        let leaves = self.trainer.graph().leaves().iter();
        json!({"leaves": leaves.map(|leaf| leaf.path.as_str()).collect::<Vec<_>>()})
    }

    /// Takes in what has changed since the last request.
    pub fn update(&mut self, changed: &[Changed], fresh: bool, shared: &mut Shared) -> Result<(), Refusal> {
        for change in changed {
            let index = *self
                .order
                .get(change.index)
                .ok_or_else(|| Refusal::Request(format!("there is no weight {}", change.index)))?;
            let values = shared.values(&change.place)?;
            self.trainer
                .graph_mut()
                .set_weight(index, &change.place.shape, &values)?;
        }
        if fresh {
            self.trainer.reset_metrics();
        }
        Ok(())
    }

    /// Trains on batches, one after the other.
    pub fn train(
        &mut self,
        batches: &[Batch],
        rates: &[f64],
        probed: &[bool],
        shared: &mut Shared,
    ) -> Result<Answer, Refusal> {
        self.must_be_compiled()?;
        if batches.len() != rates.len() || batches.len() != probed.len() || batches.len() > MOST_STEPS {
            return Err(Refusal::Request(format!(
                "{} batches, {} learning rates and {} choices of probes",
                batches.len(),
                rates.len(),
                probed.len()
            )));
        }
        // On the engine's threads as a whole, since going over to them takes as long as a small step.
        engine::flushed(|| self.train_each(batches, rates, probed, shared))
    }

    fn train_each(
        &mut self,
        batches: &[Batch],
        rates: &[f64],
        probed: &[bool],
        shared: &mut Shared,
    ) -> Result<Answer, Refusal> {
        let mut layouts: Vec<Arc<[ProbeRow]>> = Vec::new();
        let mut steps: Vec<Option<usize>> = Vec::new();
        let (mut faults, mut gauges) = (Vec::new(), Vec::new());
        let mut numbers = Vec::new();
        for ((batch, &rate), &probed) in batches.iter().zip(rates).zip(probed) {
            let arrays = Arrays::read(batch, shared)?;
            #[allow(clippy::cast_possible_truncation)]
            self.trainer.set_learning_rate(rate as f32);
            let views = arrays.views()?;
            let outcome = if probed && is_gauged(self.trainer.iterations()) {
                let (outcome, gauge) = self.trainer.gauged_step(&views)?;
                let norms = self.sample_gradients(&views)?;
                gauges.push((steps.len(), gauge, norms));
                outcome
            } else {
                self.trainer.step(&views, probed)?
            };
            let probe = outcome.probe.as_ref();
            put(&mut numbers, &outcome.scalars);
            steps.push(probe.map(|probe| {
                put(&mut numbers, &probe.stats);
                let known = layouts
                    .iter()
                    .position(|rows| Arc::ptr_eq(rows, &probe.rows) || *rows == probe.rows);
                known.unwrap_or_else(|| {
                    layouts.push(probe.rows.clone());
                    layouts.len() - 1
                })
            }));
            faults.extend(outcome.fault.map(|fault| (steps.len() - 1, fault)));
        }
        let own = Scalar::ALL.iter().map(|scalar| scalar.name().to_owned());
        let metrics = self.trainer.metric_names();
        let answer = json!({
            "logs": self.logs(),
            "scalars": own.chain(metrics.iter().map(|name| format!("metric:{name}"))).collect::<Vec<_>>(),
            "stats": Stat::ALL.iter().map(|stat| stat.name()).collect::<Vec<_>>(),
            "layouts": layouts.iter().map(|rows| rows.iter().map(row).collect()).collect::<Vec<Vec<_>>>(),
            "steps": steps,
            "faults": faults.iter().map(|(step, fault)| json!({
                "step": step,
                "moment": fault.moment.name(),
                "layer": fault.layer,
                "what": fault.what,
                "element": fault.element,
                "value": plain(f64::from(fault.value)),
            })).collect::<Vec<_>>(),
            "gauges": gauges.iter().map(|(step, gauge, norms)| json!({
                "step": step,
                "slope_before": plain(gauge.before),
                "slope_after": plain(gauge.after),
                "sample_gradients": norms,
            })).collect::<Vec<_>>(),
        });
        Ok((answer, numbers))
    }

    /// Loss and metrics so far, these batches included.
    pub fn evaluate(&mut self, batches: &[Batch], shared: &mut Shared) -> Result<Answer, Refusal> {
        self.must_be_compiled()?;
        for batch in batches {
            let arrays = Arrays::read(batch, shared)?;
            self.trainer.test_step(&arrays.views()?)?;
        }
        Ok((json!({"logs": self.logs()}), Vec::new()))
    }

    /// The outputs for one batch of inputs.
    pub fn predict(&mut self, x: &[Place], shared: &mut Shared) -> Result<Answer, Refusal> {
        shared.check(x)?;
        let inputs = x
            .iter()
            .map(|place| shared.tensor(place))
            .collect::<Result<Vec<_>, _>>()?;
        let views: Vec<View<'_>> = inputs.iter().map(Tensor::view).collect();
        let outputs = self.trainer.predict(&views)?;
        let mut numbers = Vec::new();
        for output in &outputs {
            numbers.extend(output.data().iter().flat_map(|value| value.to_le_bytes()));
        }
        let shapes: Vec<&[usize]> = outputs.iter().map(Tensor::shape).collect();
        Ok((json!({"shapes": shapes}), numbers))
    }

    /// Ends the training: averages of weights take their place where the optimizer keeps some.
    pub fn finish(&mut self) {
        self.trainer.finish();
    }

    /// Writes the weights into the shared file.
    pub fn weights(&mut self, into: &[Place], shared: &mut Shared) -> Result<(), Refusal> {
        if into.len() != self.order.len() {
            return Err(Refusal::Request(format!(
                "{} places for {} weights",
                into.len(),
                self.order.len()
            )));
        }
        let weights: Vec<_> = self.trainer.graph().variables().collect();
        for (place, &index) in into.iter().zip(&self.order) {
            let weight = weights[index];
            shared.write(place, &weight.shape, &weight.value)?;
        }
        Ok(())
    }

    fn must_be_compiled(&self) -> Result<(), Refusal> {
        match self.compiled {
            true => Ok(()),
            false => Err(Refusal::Request("the model was not compiled".to_owned())),
        }
    }

    fn logs(&self) -> Value {
        let logs = self.trainer.logs().into_iter();
        Value::Object(logs.map(|(name, number)| (name, plain(number))).collect())
    }

    /// Norms of the gradients of the first samples, as far as they are finite.
    fn sample_gradients(&mut self, batch: &EngineBatch<'_>) -> Result<Vec<f64>, Refusal> {
        let mut norms = self.trainer.sample_gradient_norms(batch, GAUGED_SAMPLES)?;
        norms.retain(|norm| norm.is_finite());
        Ok(norms)
    }
}

/// Whether the step after so many is gauged: 32, 128, 512 and so on, so that it costs a small share of any training.
fn is_gauged(steps: u64) -> bool {
    steps >= 32 && steps.is_power_of_two() && steps.trailing_zeros() % 2 == 1
}

/// JSON has no NaN; the tracer reads these strings as floats.
fn plain(value: f64) -> Value {
    match value {
        _ if value.is_finite() => json!(value),
        _ if value.is_nan() => json!("nan"),
        _ if value > 0.0 => json!("inf"),
        _ => json!("-inf"),
    }
}

/// For each weight of Keras, its place in the engine.
fn order(graph: &Graph, weights: &[Weight]) -> Result<Vec<usize>, Refusal> {
    // Behind the weights comes what layers keep from batch to batch.
    let ours: Vec<_> = graph.variables().collect();
    let strange = |what: String| Unsupported::new("model", what);
    if ours.len() != weights.len() {
        return Err(strange(format!(
            "{} weights where {} are expected",
            weights.len(),
            ours.len()
        ))
        .into());
    }
    let same = |index: usize, weight: &Weight| {
        ours.get(index)
            .is_some_and(|own| own.shape == weight.shape && weight.path.ends_with(own.name.as_str()))
    };
    let in_order = weights
        .iter()
        .enumerate()
        .all(|(index, weight)| same(index, weight));
    let mut taken = vec![false; ours.len()];
    weights
        .iter()
        .enumerate()
        .map(|(index, weight)| {
            let found = if in_order {
                Some(index)
            } else {
                let state = |own: &&Param| format!("{}/{}", own.layer, own.name) == weight.path;
                let states = ours.iter().copied().enumerate().skip(graph.weights().len());
                let mut states = states.filter(|(_, own)| state(own));
                graph
                    .find_path(&weight.path)
                    .or_else(|| states.next().map(|(index, _)| index))
            };
            let found = found.filter(|&found| same(found, weight) && !taken[found]);
            let found = found.ok_or_else(|| strange(format!("the weight {}", weight.path)))?;
            taken[found] = true;
            Ok(found)
        })
        .collect()
}

fn row(row: &ProbeRow) -> Value {
    let mut found = json!(row.row);
    if row.before_activation {
        found["before_activation"] = json!(true);
    }
    found
}

fn put(numbers: &mut Vec<u8>, values: &[f64]) {
    numbers.reserve(size_of_val(values));
    for value in values {
        numbers.extend_from_slice(&value.to_le_bytes());
    }
}

/// The arrays of one batch.
struct Arrays {
    inputs: Vec<Tensor>,
    targets: Vec<Tensor>,
    weights: Vec<Option<Tensor>>,
}

impl Arrays {
    fn read(batch: &Batch, shared: &mut Shared) -> Result<Self, Refusal> {
        let samples = batch
            .x
            .first()
            .and_then(|place| place.shape.first().copied())
            .unwrap_or(0);
        let arrays = batch
            .x
            .iter()
            .chain(batch.y.iter().flatten())
            .chain(batch.weight.iter().flatten());
        shared.check(arrays.clone())?;
        for place in arrays {
            if place.shape.first() != Some(&samples) {
                return Err(Refusal::Request(format!(
                    "a batch of arrays of {samples} samples and of shape {:?}",
                    place.shape
                )));
            }
        }
        if samples == 0 {
            return Err(Refusal::Request("a batch without samples".to_owned()));
        }
        let mut read = |place: &Place| shared.tensor(place);
        let inputs = batch.x.iter().map(&mut read).collect::<Result<Vec<_>, _>>()?;
        let mut targets = Vec::new();
        for place in &batch.y {
            targets.push(match place {
                Some(place) => read(place)?,
                // An output without a loss has no labels.
                None => Tensor::new(&[samples, 1], vec![0.0; samples])?,
            });
        }
        let weights = batch
            .weight
            .iter()
            .map(|place| place.as_ref().map(&mut read).transpose());
        let weights = weights.collect::<Result<Vec<_>, _>>()?;
        Ok(Arrays {
            inputs,
            targets,
            weights,
        })
    }

    fn views(&self) -> Result<EngineBatch<'_>, Refusal> {
        Ok(EngineBatch {
            inputs: self.inputs.iter().map(Tensor::view).collect(),
            targets: self.targets.iter().map(Tensor::view).collect(),
            weights: self
                .weights
                .iter()
                .map(|weight| weight.as_ref().map(Tensor::view))
                .collect(),
        })
    }
}
