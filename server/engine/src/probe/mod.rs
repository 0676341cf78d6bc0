//! What is seen of a step, in the terms of the trace.

mod fault;
mod histogram;
mod predictions;
mod statistics;

use trace::{LayoutMessage, LayoutRow, Scalar, Stat, StepFrame, Tensor as Probed};

pub(crate) use fault::find;
pub use fault::{Fault, Moment};
pub use predictions::compare;
pub use statistics::{of_output, of_tensor};

use crate::graph::{Graph, Values};

/// Number of statistics of a tensor.
pub const WIDTH: usize = Stat::ALL.len();

/// One probed step: statistics by row.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// The tensors.
    pub rows: Vec<ProbeRow>,
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

impl Probe {
    fn add(&mut self, layer: usize, tensor: Probed, weight: Option<&str>, before: bool, stats: [f64; WIDTH]) {
        self.rows.push(ProbeRow {
            row: LayoutRow {
                layer,
                tensor,
                weight: weight.map(str::to_owned),
            },
            before_activation: before,
        });
        self.stats.extend(stats);
    }
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

/// Statistics of a step after its update; `before` holds the weights from before, by index.
pub(crate) fn measure(graph: &Graph, values: &Values, before: &[Vec<f32>], pool: &mut Vec<f32>) -> Probe {
    let mut probe = Probe::default();
    for (index, leaf) in graph.leaves.iter().enumerate() {
        let took_part = |&&(before, after): &&(Option<usize>, usize)| {
            values.has_grad[after] || before.is_some_and(|before| values.has_grad[before])
        };
        let chosen = leaf.calls.iter().find(took_part).or(leaf.calls.first());
        if let Some(&(v1, v2)) = chosen {
            let of = |tensor: &crate::Tensor, activation: Option<&str>| {
                of_output(tensor.view(), leaf.unit_axis, activation)
            };
            if let Some(v1) = v1 {
                let stats = of(&values.values[v1], leaf.activation.as_deref());
                probe.add(index, Probed::V1, None, false, stats);
            }
            // A linear layer's output is its value before the activation.
            let same = v1 == Some(v2) && !is_saturating(leaf.activation.as_deref());
            let stats = if same {
                repeat_last(&probe.stats)
            } else {
                of(&values.values[v2], None)
            };
            probe.add(index, Probed::V2, None, false, stats);
            if values.has_grad[v2] {
                probe.add(index, Probed::Gout, None, false, of(&values.grads[v2], None));
            } else if let Some(v1) = v1.filter(|&v1| values.has_grad[v1]) {
                probe.add(index, Probed::Gout, None, true, of(&values.grads[v1], None));
            }
        }
        for &id in &leaf.params {
            let param = &graph.params[id];
            let name = Some(param.name.as_str());
            let old = before.get(id).map_or(param.value.as_slice(), Vec::as_slice);
            probe.add(index, Probed::W, name, false, of_tensor(old));
            if param.learns() && param.touched {
                probe.add(index, Probed::Dw, name, false, of_tensor(&param.grad));
            }
            pool.clear();
            pool.extend(param.value.iter().zip(old).map(|(new, old)| new - old));
            probe.add(index, Probed::Update, name, false, of_tensor(pool));
        }
    }
    probe
}

fn is_saturating(activation: Option<&str>) -> bool {
    matches!(activation, Some("sigmoid" | "tanh"))
}

fn repeat_last(stats: &[f64]) -> [f64; WIDTH] {
    let mut last = [f64::NAN; WIDTH];
    let from = stats.len().saturating_sub(WIDTH);
    for (to, &value) in last.iter_mut().zip(&stats[from..]) {
        *to = value;
    }
    last
}
