//! What is seen of a step, in the terms of the trace.

mod fault;
mod histogram;
mod predictions;
mod statistics;
mod units;
mod weights;

use std::sync::Arc;

use rayon::prelude::*;
use trace::{LayoutMessage, LayoutRow, Scalar, Stat, StepFrame, Tensor as Probed};

pub(crate) use fault::find;
pub use fault::{Fault, Moment};
pub use predictions::{COMPARED, compare};
pub use statistics::of_tensor;
pub use units::of_output;
pub(crate) use weights::{PORTION, Watch};

use crate::Tensor;
use crate::graph::{Graph, Leaf, ParamId, Values};
use statistics::Summary;
use units::Extremes;

/// Number of statistics of a tensor.
pub const WIDTH: usize = Stat::ALL.len();

/// One probed step: statistics by row.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// The tensors; the same list as in the step before where nothing has changed.
    pub rows: Arc<[ProbeRow]>,
    /// [`WIDTH`] numbers each.
    pub stats: Vec<f64>,
}

/// One probed tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRow {
    /// As it stands in the layout.
    pub row: LayoutRow,
    /// A `gout` taken before the activation.
    pub before_activation: bool,
}

/// The names of the numbers of a step with these rows, as the channel announces them.
pub fn layout(fit: usize, layout: u32, probe: &Probe, metrics: &[String]) -> LayoutMessage {
    let own = Scalar::ALL.iter().map(|scalar| scalar.name().to_owned());
    LayoutMessage {
        fit,
        layout,
        scalars: own
            .chain(metrics.iter().map(|name| format!("metric:{name}")))
            .collect(),
        stats: Stat::ALL.iter().map(|stat| stat.name().to_owned()).collect(),
        rows: probe.rows.iter().map(|row| row.row.clone()).collect(),
    }
}

/// A step as a frame of the channel.
pub fn frame(
    (fit, layout): (usize, u32),
    (epoch, batch, step): (u32, u32, u64),
    scalars: &[f64],
    probe: Option<&Probe>,
) -> StepFrame {
    StepFrame {
        fit,
        layout,
        epoch,
        batch,
        step,
        scalars: scalars.to_vec(),
        rows: probe.map_or(0, |probe| probe.rows.len()),
        stats: probe.map(|probe| probe.stats.clone()).unwrap_or_default(),
    }
}

/// From this many elements on, tensors are measured on several threads.
const WORTH_THREADS: usize = 1 << 17;

/// One row of a step, as long as nothing of it is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    layer: usize,
    tensor: Probed,
    weight: Option<ParamId>,
    before_activation: bool,
}

/// What measuring needs again in every step.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    keys: Vec<Key>,
    rows: Option<Arc<[ProbeRow]>>,
    extremes: Extremes,
}

/// What a row is taken of.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// A tensor with its activation, where that matters.
    Tensor(&'a Tensor, &'a Leaf, Option<&'a str>),
    /// A value with its ReLU, which is the row behind.
    Rectified(&'a Tensor, &'a Tensor, &'a Leaf),
    /// Written together with the row before.
    Second,
    /// The same as the row before.
    Repeated,
    /// Weights have been measured already.
    Measured(&'a Summary),
}

impl Source<'_> {
    fn len(&self) -> usize {
        match self {
            Source::Tensor(tensor, ..) | Source::Rectified(tensor, ..) => tensor.len(),
            _ => 0,
        }
    }
}

/// Statistics to be taken: of what, and the rows they belong to.
type Job<'a> = (Source<'a>, &'a mut [f64; WIDTH], Option<&'a mut [f64; WIDTH]>);

/// Takes them.
fn write((source, row, second): Job<'_>, extremes: &mut Extremes) {
    match (source, second) {
        (Source::Tensor(tensor, leaf, activation), second) => {
            units::write_output(tensor.view(), leaf.unit_axis, activation, extremes, row);
            if let Some(second) = second {
                second.copy_from_slice(row);
            }
        }
        (Source::Rectified(before, after, leaf), Some(second)) => {
            let both = (before.view(), after.view());
            units::write_rectified(both, leaf.unit_axis, extremes, (row, second));
        }
        (Source::Rectified(before, _, leaf), None) => {
            units::write_output(before.view(), leaf.unit_axis, None, extremes, row);
        }
        (Source::Measured(summary), _) => summary.write(row),
        (Source::Repeated | Source::Second, _) => {}
    }
}

/// Statistics of a step after its update, during which `watch` looked at the weights.
pub(crate) fn measure(graph: &Graph, values: &Values, watch: &Watch, layout: &mut Layout) -> Probe {
    let (mut keys, mut sources) = (Vec::with_capacity(layout.keys.len()), Vec::new());
    for (layer, leaf) in graph.leaves.iter().enumerate() {
        let mut add = |tensor, weight, before_activation, source| {
            keys.push(Key {
                layer,
                tensor,
                weight,
                before_activation,
            });
            sources.push(source);
        };
        outputs(values, leaf, &mut add);
        for &id in &leaf.params {
            let seen = &watch.seen[id];
            let param = &graph.params[id];
            add(Probed::W, Some(id), false, Source::Measured(&seen.weight));
            if param.learns() && param.touched {
                add(Probed::Dw, Some(id), false, Source::Measured(&seen.gradient));
            }
            add(Probed::Update, Some(id), false, Source::Measured(&seen.update));
        }
    }
    let rows = match &layout.rows {
        Some(rows) if layout.keys == keys => rows.clone(),
        _ => {
            let rows: Arc<[ProbeRow]> = keys.iter().map(|key| row(graph, key)).collect();
            layout.keys = keys;
            layout.rows = Some(rows.clone());
            rows
        }
    };
    Probe {
        rows,
        stats: all_stats(&sources, &mut layout.extremes),
    }
}

/// The rows of what a layer puts out, and of the gradient at it.
fn outputs<'a>(
    values: &'a Values,
    leaf: &'a Leaf,
    add: &mut impl FnMut(Probed, Option<ParamId>, bool, Source<'a>),
) {
    let took_part = |&&(before, after): &&(Option<usize>, usize)| {
        values.has_grad[after] || before.is_some_and(|before| values.has_grad[before])
    };
    let Some(&(v1, v2)) = leaf.calls.iter().find(took_part).or(leaf.calls.first()) else {
        return;
    };
    let activation = leaf.activation.as_deref();
    let rectified = leaf.rectified && v1.is_some_and(|v1| v1 != v2);
    if let Some(v1) = v1 {
        let before = &values.values[v1];
        let source = if rectified {
            Source::Rectified(before, &values.values[v2], leaf)
        } else {
            Source::Tensor(before, leaf, activation)
        };
        add(Probed::V1, None, false, source);
    }
    // A linear layer's output is its value before the activation.
    let same = v1 == Some(v2) && !units::is_saturating(activation);
    let source = if rectified {
        Source::Second
    } else if same {
        Source::Repeated
    } else {
        Source::Tensor(&values.values[v2], leaf, None)
    };
    add(Probed::V2, None, false, source);
    let gradient = |id: usize| Source::Tensor(&values.grads[id], leaf, None);
    if values.has_grad[v2] {
        add(Probed::Gout, None, false, gradient(v2));
    } else if let Some(v1) = v1.filter(|&v1| values.has_grad[v1]) {
        add(Probed::Gout, None, true, gradient(v1));
    }
}

fn row(graph: &Graph, key: &Key) -> ProbeRow {
    ProbeRow {
        row: LayoutRow {
            layer: key.layer,
            tensor: key.tensor,
            weight: key.weight.map(|id| graph.params[id].name.clone()),
        },
        before_activation: key.before_activation,
    }
}

fn all_stats(sources: &[Source<'_>], extremes: &mut Extremes) -> Vec<f64> {
    let elements: usize = sources.iter().map(Source::len).sum();
    let mut stats = vec![0.0; sources.len() * WIDTH];
    let (rows, _) = stats.as_chunks_mut::<WIDTH>();
    let mut jobs: Vec<Job<'_>> = Vec::with_capacity(sources.len());
    for (&source, row) in sources.iter().zip(rows) {
        match (source, jobs.last_mut()) {
            (Source::Second | Source::Repeated, Some((_, _, second))) => *second = Some(row),
            _ => jobs.push((source, row, None)),
        }
    }
    if elements >= WORTH_THREADS {
        // The large ones first, so that no thread is left with one in the end.
        jobs.sort_by_key(|(source, ..)| std::cmp::Reverse(source.len()));
        jobs.into_par_iter()
            .with_max_len(1)
            .for_each_init(Extremes::default, |extremes, job| write(job, extremes));
    } else {
        for job in jobs {
            write(job, extremes);
        }
    }
    stats
}
