//! `SimpleRNN`, `LSTM`, `GRU`, and `RNN` around their cells.

mod cell;
mod op;

use super::Entry;
use super::gather::{Rule, gather};
use crate::Unsupported;
use crate::config::{Config, serialized};
use crate::graph::{Call, Dim, ParamId, Sym};
use cell::Cell;
pub(super) use cell::Curve;
use op::{Recurrent, Settings};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("SimpleRNN", layer),
    Entry::unmasked("LSTM", layer),
    Entry::unmasked("GRU", layer),
    Entry::unmasked("RNN", of_cells),
];

/// A layer, its cell in `RNN`, and the name of the cell within the layer.
const CELLS: &[(&str, &str, &str)] = &[
    ("SimpleRNN", "SimpleRNNCell", "simple_rnn_cell"),
    ("LSTM", "LSTMCell", "lstm_cell"),
    ("GRU", "GRUCell", "gru_cell"),
];

/// A cell with its own arguments and the name that its weights have within the layer.
struct Part<'a> {
    cell: Cell,
    config: Config<'a>,
    name: String,
    /// Whether another cell comes before it, and behind it.
    before: bool,
    behind: bool,
}

/// `SimpleRNN`, `LSTM` or `GRU`.
fn layer(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let config = call.config;
    let name = CELLS
        .iter()
        .find(|(layer, ..)| *layer == call.class)
        .map_or("", |(.., name)| name);
    let part = Part {
        cell: cell(call.class, config)?,
        config,
        name: name.to_owned(),
        before: false,
        behind: false,
    };
    recurrent(call, &part)
}

/// `RNN` around one of Keras' cells, or several.
fn of_cells(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let layer = call.config;
    let refused = || layer.not("cell");
    let (class, config) = layer.get("cell").and_then(serialized).ok_or_else(refused)?;
    let (cells, outer) = if class == "StackedRNNCells" {
        let name = config["name"].as_str().unwrap_or_default();
        let list = config["cells"].as_array().ok_or_else(refused)?;
        let inner: Option<Vec<_>> = list.iter().map(serialized).collect();
        (
            inner.filter(|cells| !cells.is_empty()).ok_or_else(refused)?,
            format!("{name}/"),
        )
    } else {
        (vec![(class, config)], String::new())
    };
    // The states of several cells have a structure of their own, and a mask holds at all of them.
    let plain = cells.len() == 1
        || !(layer.flag("return_state", false)?
            || layer.flag("stateful", false)?
            || call.inputs.iter().any(|x| x.mask.is_some()));
    if !plain {
        return Err(call.unsupported("several cells with states or masks"));
    }
    let last = cells.len() - 1;
    let mut outputs = Vec::new();
    for (at, (class, config)) in cells.into_iter().enumerate() {
        let (known, ..) = CELLS
            .iter()
            .find(|(_, cell, _)| *cell == class)
            .ok_or_else(refused)?;
        let own = Config::new(layer.place, config);
        let part = Part {
            cell: cell(known, own)?,
            config: own,
            name: format!("{outer}{}", config["name"].as_str().unwrap_or_default()),
            before: at > 0,
            behind: at < last,
        };
        outputs = recurrent(call, &part)?;
        call.inputs = outputs.clone();
    }
    Ok(outputs)
}

fn cell(class: &str, config: Config<'_>) -> Result<Cell, Unsupported> {
    let activation = curve(config, "activation", "tanh")?;
    Ok(match class {
        "SimpleRNN" => Cell::Simple(activation),
        "LSTM" => Cell::Lstm(activation, curve(config, "recurrent_activation", "sigmoid")?),
        _ => Cell::Gru {
            curve: activation,
            gate: curve(config, "recurrent_activation", "sigmoid")?,
            reset_after: config.flag("reset_after", true)?,
        },
    })
}

pub(super) fn curve(config: Config<'_>, key: &str, usual: &str) -> Result<Curve, Unsupported> {
    match config.get(key) {
        // An activation given as `None` is written as "linear".
        None => Curve::named(usual),
        Some(value) => value.as_str().and_then(Curve::named),
    }
    .ok_or_else(|| config.not(key))
}

/// The input of a call and the states it is given.
fn arguments(call: &mut Call<'_>, part: &Part<'_>) -> Result<(Sym, Vec<Sym>), Unsupported> {
    let mut inputs = std::mem::take(&mut call.inputs);
    let mut states = call.take("initial_state").unwrap_or_default();
    if inputs.len() > 1 && states.is_empty() {
        states = inputs.split_off(1);
    }
    let [x]: [Sym; 1] = inputs.try_into().map_err(|_| call.unsupported("not one input"))?;
    if x.rank() != 3 {
        return Err(call.unsupported(format!("an input of {} axes", x.rank())));
    }
    if !states.is_empty() && (states.len() != part.cell.states() || part.before || part.behind) {
        return Err(call.unsupported("an initial state of another kind of cell"));
    }
    if !states.is_empty() && x.mask.is_some() {
        return Err(call.unsupported("an initial state together with a mask"));
    }
    Ok((x, states))
}

/// Kernel, recurrent kernel and bias.
fn weights<'a>(
    call: &mut Call<'a>,
    part: &Part<'a>,
    features: usize,
    units: usize,
) -> Result<(ParamId, ParamId, Option<ParamId>), Unsupported> {
    // Penalties and constraints are those of the cell.
    let layer = std::mem::replace(&mut call.config, part.config);
    let width = part.cell.gates() * units;
    let name = |name: &str| format!("{}/{name}", part.name);
    let kernel = call.weight(&name("kernel"), &[features, width], true)?;
    let recurrent = call.weight(&name("recurrent_kernel"), &[units, width], true)?;
    let bias = if part.config.flag("use_bias", true)? {
        let shape = if part.cell.two_biases() {
            vec![2, width]
        } else {
            vec![width]
        };
        Some(call.weight(&name("bias"), &shape, true)?)
    } else {
        None
    };
    call.config = layer;
    Ok((kernel, recurrent, bias))
}

fn recurrent<'a>(call: &mut Call<'a>, part: &Part<'a>) -> Result<Vec<Sym>, Unsupported> {
    let (mut x, states) = arguments(call, part)?;
    let (layer, cell) = (call.config, part.cell);
    let blank = layer.flag("zero_output_for_mask", false)?;
    let units = part.config.size("units")?;
    let features = call.known(&x, 2)?;
    let (kernel, recurrent, bias) = weights(call, part, features, units)?;
    let sequences = part.behind || layer.flag("return_sequences", false)?;
    if blank && !sequences {
        return Err(layer.not("zero_output_for_mask"));
    }
    let with_state = layer.flag("return_state", false)?;
    call.activation = Some(part.config.text("activation", "tanh")?.to_owned());
    let (of_input, of_state) = (
        part.config.f32("dropout", 0.0)?,
        part.config.f32("recurrent_dropout", 0.0)?,
    );
    // With recurrent dropout each gate has masks of its own, also of the input.
    let each_gate = of_state > 0.0 && cell.gates() > 1;
    if of_input > 0.0 && !each_gate {
        let mask = x.mask;
        x = super::dropout::over_time(call, &x, of_input);
        x.mask = mask;
    }
    let mut mask = x.mask.map(|id| Sym {
        id,
        shape: x.shape[..2].to_vec(),
        mask: None,
        logits: None,
    });
    if layer.flag("go_backwards", false)? && !part.before {
        x = gather(call, &x, Rule::Reverse(0))?;
        mask = mask
            .map(|mask| gather(call, &mask, Rule::Reverse(0)))
            .transpose()?;
    }
    let outer = mask.as_ref().map(|mask| mask.id);
    let op = Recurrent::new(Settings {
        cell,
        units,
        kernel,
        recurrent,
        bias,
        sequences,
        masked: mask.is_some(),
        blank,
        dropout: of_state,
        input_dropout: if each_gate { of_input } else { 0.0 },
        training: call.training,
        path: call.path.to_owned(),
        kept: kept_states(call, units, cell.states())?,
    });
    let ids = std::iter::once(&x)
        .chain(mask.iter())
        .chain(states.iter())
        .map(|sym| sym.id)
        .collect();
    let count = if with_state { 1 + cell.states() } else { 1 };
    let outputs = call.builder.op_ids(Box::new(op), ids, count);
    let vector: Vec<Dim> = vec![None, Some(units)];
    let sequence: Vec<Dim> = vec![None, x.shape[1], Some(units)];
    Ok(outputs
        .into_iter()
        .enumerate()
        .map(|(at, id)| Sym {
            id,
            shape: if at == 0 && sequences {
                sequence.clone()
            } else {
                vector.clone()
            },
            mask: if at == 0 && sequences { outer } else { None },
            logits: None,
        })
        .collect())
}

/// Where a layer with `stateful` keeps its states from batch to batch.
fn kept_states(call: &mut Call<'_>, units: usize, count: usize) -> Result<Vec<ParamId>, Unsupported> {
    if !call.config.flag("stateful", false)? {
        return Ok(Vec::new());
    }
    let samples = call.builder.samples;
    let samples =
        samples.ok_or_else(|| call.unsupported("stateful, and an input of any number of samples"))?;
    (0..count)
        .map(|at| call.state(&format!("rnn_state_{at}"), &[samples, units]))
        .collect()
}
