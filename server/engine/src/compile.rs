//! What a model was compiled with: losses and metrics for each output.

use serde_json::Value;

use crate::Unsupported;
use crate::graph::{Graph, Port};
use crate::losses::{Loss, Reduction};
use crate::metrics::Metric;

/// The loss of one output with its weight.
pub(crate) struct OutputLoss {
    pub output: usize,
    pub loss: Loss,
    pub weight: f32,
    /// Its name in the logs when there are several.
    pub name: String,
}

/// A metric of one output.
pub(crate) struct OutputMetric {
    pub output: usize,
    pub metric: Metric,
    /// Name in the logs.
    pub name: String,
    /// Whether sample weights count.
    pub weighted: bool,
}

/// Shapes of targets and predictions, by output.
pub(crate) type Shapes = Vec<(Vec<usize>, Vec<usize>)>;

fn is_one(value: &Value) -> bool {
    value.is_string() || value.get("class_name").is_some()
}

/// The values for each output: one for all, a list, or a dictionary by name.
fn spread<'a>(what: &str, value: &'a Value, outputs: &[Port]) -> Result<Vec<Option<&'a Value>>, Unsupported> {
    let refused = |detail: String| Unsupported::new(what, detail);
    if value.is_null() {
        return Ok(vec![None; outputs.len()]);
    }
    if is_one(value) || value.is_number() {
        return Ok(vec![Some(value); outputs.len()]);
    }
    match value {
        Value::Array(items) if items.len() == outputs.len() => Ok(items
            .iter()
            .map(|item| Some(item).filter(|item| !item.is_null()))
            .collect()),
        Value::Array(items) => Err(refused(format!("{} for {} outputs", items.len(), outputs.len()))),
        Value::Object(map) => {
            let known = |name: &String| outputs.iter().any(|output| output.name == *name);
            if let Some(name) = map.keys().find(|name| !known(name)) {
                return Err(refused(format!("{name} is no output")));
            }
            Ok(outputs
                .iter()
                .map(|output| map.get(&output.name).filter(|value| !value.is_null()))
                .collect())
        }
        _ => Err(refused(value.to_string())),
    }
}

/// The losses in `compile`.
pub(crate) fn losses(
    compile: &Value,
    outputs: &[Port],
    shapes: &Shapes,
) -> Result<Vec<OutputLoss>, Unsupported> {
    let given = spread("loss", &compile["loss"], outputs)?;
    let weights = spread("loss_weights", &compile["loss_weights"], outputs)?;
    let mut losses = Vec::new();
    for (output, (value, weight)) in given.into_iter().zip(weights).enumerate() {
        let Some(value) = value else { continue };
        let (target, prediction) = &shapes[output];
        let weight = match weight {
            None => 1.0,
            Some(weight) => weight
                .as_f64()
                .ok_or_else(|| Unsupported::new("loss_weights", weight.to_string()))?
                as f32,
        };
        losses.push(OutputLoss {
            output,
            loss: Loss::read(value, target, prediction)?,
            weight,
            name: format!("{}_loss", outputs[output].name),
        });
    }
    if losses.is_empty() {
        return Err(Unsupported::new("loss", "no loss was compiled"));
    }
    Ok(losses)
}

/// Shapes as long as those of the targets are not known.
fn stand_ins(outputs: &[Port]) -> Shapes {
    let shape = |output: &Port| -> Vec<usize> { output.shape.iter().map(|size| size.unwrap_or(2)).collect() };
    outputs
        .iter()
        .map(|output| (shape(output), shape(output)))
        .collect()
}

/// Checks without knowing the targets that everything can be read; `accuracy` is known in all its forms.
pub(crate) fn check(compile: &Value, outputs: &[Port]) -> Result<(), Unsupported> {
    let shapes = stand_ins(outputs);
    losses(compile, outputs, &shapes)?;
    metrics(compile, outputs, &shapes).map(drop)
}

/// Refuses penalties beside the losses of single samples, which Keras cannot add up.
pub(crate) fn check_penalties(compile: &Value, graph: &Graph) -> Result<(), Unsupported> {
    let penalised = graph.params.iter().any(|param| param.regularizer.is_some())
        || graph
            .nodes
            .iter()
            .any(|node| node.op.name() == "activity_regularizer");
    let single = losses(compile, &graph.outputs, &stand_ins(&graph.outputs))?
        .iter()
        .any(|loss| loss.loss.reduction == Reduction::None);
    if penalised && single {
        return Err(Unsupported::new("loss", "reduction=none together with penalties"));
    }
    Ok(())
}

/// The metrics in `compile`, in the order in which Keras names them.
pub(crate) fn metrics(
    compile: &Value,
    outputs: &[Port],
    shapes: &Shapes,
) -> Result<Vec<OutputMetric>, Unsupported> {
    let mut metrics: Vec<OutputMetric> = Vec::new();
    for (key, weighted) in [("metrics", false), ("weighted_metrics", true)] {
        for (output, values) in metric_lists(key, &compile[key], outputs)?.into_iter().enumerate() {
            for value in values {
                let (target, prediction) = &shapes[output];
                let metric = Metric::read(value, target, prediction)?;
                let prefix = if outputs.len() > 1 {
                    format!("{}_", outputs[output].name)
                } else {
                    String::new()
                };
                let mut name = format!("{prefix}{}", metric.name);
                let taken = |name: &str| metrics.iter().any(|other| other.name == name);
                if taken(&name) && weighted {
                    name = format!("{prefix}weighted_{}", metric.name);
                }
                let base = name.clone();
                let mut number = 1;
                while taken(&name) {
                    name = format!("{base}_{number}");
                    number += 1;
                }
                metrics.push(OutputMetric {
                    output,
                    metric,
                    name,
                    weighted,
                });
            }
        }
    }
    Ok(metrics)
}

fn metric_lists<'a>(
    what: &str,
    value: &'a Value,
    outputs: &[Port],
) -> Result<Vec<Vec<&'a Value>>, Unsupported> {
    fn flat(value: &Value) -> Vec<&Value> {
        match value {
            Value::Null => Vec::new(),
            Value::Array(items) => items.iter().flat_map(flat).collect(),
            Value::Object(map) if !is_one(value) => map.values().flat_map(flat).collect(),
            one => vec![one],
        }
    }
    if value.is_null() {
        return Ok(vec![Vec::new(); outputs.len()]);
    }
    if outputs.len() == 1 {
        return Ok(vec![flat(value)]);
    }
    let lists = spread(what, value, outputs)?;
    Ok(lists
        .into_iter()
        .map(|list| list.map(flat).unwrap_or_default())
        .collect())
}
