//! What was recorded of each training, as the page draws it.

use std::collections::BTreeSet;

use finding::Finding;
use ndarray::ArrayView1;
use serde::Serialize;
use trace::{Fit, History, LayerInfo, Scalar, Series, Stat, Tensor, Trace};

/// Points drawn of one line; more cannot be told apart on a screen.
const POINTS: usize = 400;

/// One training.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Training {
    title: String,
    about: String,
    /// First step at which something is not finite.
    broken: Option<u64>,
    /// What that is.
    broken_in: Option<String>,
    curves: Vec<Curve>,
    layers: Vec<Layer>,
}

/// A number over the steps.
#[derive(Debug, Serialize)]
struct Curve {
    name: String,
    log: bool,
    x: Vec<u64>,
    y: Vec<Number>,
}

/// What was probed of a layer, over the probed steps.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    index: usize,
    name: String,
    about: String,
    /// Whether a finding names it.
    accused: bool,
    x: Vec<u64>,
    mean: Vec<Number>,
    min: Vec<Number>,
    max: Vec<Number>,
    dead: Vec<Number>,
    saturated: Vec<Number>,
    gradient: Vec<Number>,
    kernel_gradient: Vec<Number>,
    kernel: Vec<Number>,
    ratio: Vec<Number>,
}

/// A finite number with six digits, or `null`.
type Number = Option<f64>;

fn shorten(value: f64) -> Number {
    value
        .is_finite()
        .then(|| format!("{value:.5e}").parse().unwrap_or(value))
}

/// The trainings of a run.
pub fn trainings(trace: &Trace, findings: &[Finding]) -> Vec<Training> {
    let accused: BTreeSet<usize> = findings
        .iter()
        .filter_map(|finding| Some(finding.layer.as_ref()?.index))
        .collect();
    trace
        .fits
        .iter()
        .enumerate()
        .map(|(number, fit)| training(number, fit, &accused))
        .collect()
}

fn training(number: usize, fit: &Fit, accused: &BTreeSet<usize>) -> Training {
    let (broken, broken_in) = broken(fit).map_or((None, None), |(step, what)| (Some(step), Some(what)));
    let optimizer = fit.info.optimizer.as_ref().map_or_else(String::new, |optimizer| {
        format!(
            ", {} with learning rate {}",
            optimizer.class,
            shorten(optimizer.learning_rate).unwrap_or(f64::NAN)
        )
    });
    let loss = fit
        .info
        .loss
        .as_ref()
        .map_or("a loss of its own", |loss| &loss.name);
    Training {
        title: format!("Training {}: {}", number + 1, fit.info.model.name),
        about: format!(
            "{} steps, {} of them probed; {loss}{optimizer}",
            fit.steps, fit.probed
        ),
        broken,
        broken_in,
        curves: curves(fit),
        layers: fit
            .info
            .layers
            .iter()
            .filter_map(|layer| self::layer(fit, layer, accused))
            .collect(),
    }
}

/// The first step at which something is not finite, and what: in the order of the forward pass, then the loss, then
/// backward.
fn broken(fit: &Fit) -> Option<(u64, String)> {
    let order = |tensor: Tensor| match tensor {
        Tensor::W => 0,
        Tensor::V1 => 1,
        Tensor::V2 => 2,
        _ => 4,
    };
    let name = |index: usize| {
        let layer = fit.info.layers.iter().find(|layer| layer.index == index);
        layer.map_or_else(|| format!("layer {index}"), |layer| layer.name.clone())
    };
    let mut found: Vec<(u64, usize, usize, String)> = Vec::new();
    for (row, series) in fit.all_series() {
        let (nans, infs) = (series.stat(Stat::Nans), series.stat(Stat::Infs));
        let at = nans
            .iter()
            .zip(infs.iter())
            .position(|(nans, infs)| *nans > 0.0 || *infs > 0.0);
        if let Some(moment) = at.and_then(|at| series.history().moments().get(at)) {
            let what = match row.tensor {
                Tensor::W => "weights",
                Tensor::V1 => "output before the activation",
                Tensor::V2 => "output",
                _ => "gradient",
            };
            let text = format!("the {what} of {}", name(row.layer));
            found.push((moment.step, order(row.tensor), row.layer, text));
        }
    }
    let losses = fit.scalar(Scalar::Loss);
    if let Some(at) = losses.iter().position(|loss| !loss.is_finite())
        && let Some(moment) = fit.scalars().moments().get(at)
    {
        found.push((moment.step, 3, 0, "the loss".to_owned()));
    }
    found.sort();
    found.into_iter().next().map(|(step, _, _, what)| (step, what))
}

fn curves(fit: &Fit) -> Vec<Curve> {
    let mut curves = vec![curve("loss", fit.scalars(), Scalar::Loss as usize)];
    curves.extend(fit.metrics().map(|(name, history)| curve(name, history, 0)));
    curves.push(curve(
        "share of right answers in the batch",
        fit.scalars(),
        Scalar::Hits as usize,
    ));
    curves.push(curve(
        "learning rate",
        fit.scalars(),
        Scalar::LearningRate as usize,
    ));
    curves.retain(|curve| curve.y.iter().any(Option::is_some));
    curves
}

fn curve(name: &str, history: &History, column: usize) -> Curve {
    let kept = kept(history.len());
    let values = history.column(column);
    let y: Vec<Number> = kept.iter().map(|&row| shorten(values[row])).collect();
    let known = || y.iter().flatten();
    let largest = known().copied().fold(0.0, f64::max);
    let smallest = known().copied().fold(f64::INFINITY, f64::min);
    Curve {
        name: name.to_owned(),
        // A loss that explodes hides everything else on a linear axis.
        log: smallest > 0.0 && largest > 1e3 * smallest,
        x: kept.iter().map(|&row| history.moments()[row].step).collect(),
        y,
    }
}

fn layer(fit: &Fit, info: &LayerInfo, accused: &BTreeSet<usize>) -> Option<Layer> {
    let series = |tensor| fit.series(info.index, tensor);
    let output = series(Tensor::V2)?;
    let kept = kept(output.history().len());
    let steps: Vec<u64> = kept
        .iter()
        .map(|&row| output.history().moments()[row].step)
        .collect();
    // Tensors of a layer are probed at the same steps, but one may have begun later.
    let at = |series: Option<&Series>, value: &dyn Fn(&Series, usize) -> f64| -> Vec<Number> {
        let Some(series) = series else {
            return vec![None; steps.len()];
        };
        let moments = series.history().moments();
        steps
            .iter()
            .map(|step| {
                let row = moments.binary_search_by_key(step, |moment| moment.step).ok()?;
                shorten(value(series, row))
            })
            .collect()
    };
    let stat = |tensor, stat: Stat| at(series(tensor), &|series, row| value(series.stat(stat), row));
    let share = |series: &Series, row: usize| {
        value(series.stat(Stat::DeadUnits), row) / value(series.stat(Stat::Units), row)
    };
    let kernel = series(Tensor::W);
    let ratio = |update: &Series, row: usize| {
        let step = update.history().moments().get(row).map(|moment| moment.step);
        let weights = kernel.and_then(|kernel| {
            let moments = kernel.history().moments();
            let row = moments.binary_search_by_key(&step?, |moment| moment.step).ok()?;
            Some(value(kernel.stat(Stat::L2), row))
        });
        value(update.stat(Stat::L2), row) / weights.unwrap_or(f64::NAN)
    };
    let shape = info.output_shape.as_ref().map(|shape| {
        let sizes: Vec<String> = shape
            .iter()
            .map(|size| size.map_or_else(|| "None".to_owned(), |size| size.to_string()))
            .collect();
        format!(", output ({})", sizes.join(", "))
    });
    let parameters: i64 = info
        .weights
        .iter()
        .map(|weight| weight.shape.iter().product::<i64>())
        .sum();
    let activation = info
        .activation
        .as_ref()
        .map(|name| format!(", {name}"))
        .unwrap_or_default();
    Some(Layer {
        index: info.index,
        name: info.name.clone(),
        about: format!(
            "{}{activation}{}, {parameters} parameters{}",
            info.class,
            shape.unwrap_or_default(),
            if info.trainable || parameters == 0 {
                ""
            } else {
                ", frozen"
            }
        ),
        accused: accused.contains(&info.index),
        mean: stat(Tensor::V2, Stat::Mean),
        min: stat(Tensor::V2, Stat::Min),
        max: stat(Tensor::V2, Stat::Max),
        dead: at(Some(output), &share),
        saturated: stat(Tensor::V1, Stat::Saturated),
        gradient: stat(Tensor::Gout, Stat::L2),
        kernel_gradient: stat(Tensor::Dw, Stat::L2),
        kernel: stat(Tensor::W, Stat::L2),
        ratio: at(series(Tensor::Update), &ratio),
        x: steps,
    })
}

fn value(values: ArrayView1<'_, f64>, row: usize) -> f64 {
    values.get(row).copied().unwrap_or(f64::NAN)
}

/// Rows that are drawn: all of a short history, else evenly spread ones with the first and the last.
fn kept(rows: usize) -> Vec<usize> {
    if rows <= POINTS {
        return (0..rows).collect();
    }
    (0..POINTS)
        .map(|point| point * (rows - 1) / (POINTS - 1))
        .collect()
}
