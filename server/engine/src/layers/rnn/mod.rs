//! `SimpleRNN`, `LSTM`, `GRU`.

mod cell;
mod op;

use super::Entry;
use super::gather::{Rule, gather};
use crate::Unsupported;
use crate::graph::{Call, Dim, Sym};
use cell::{Cell, Curve};
use op::Recurrent;

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("SimpleRNN", simple),
    Entry::unmasked("LSTM", lstm),
    Entry::unmasked("GRU", gru),
];

fn simple(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let cell = Cell::Simple(curve(call, "activation", "tanh")?);
    recurrent(call, cell, "simple_rnn_cell")
}

fn lstm(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let cell = Cell::Lstm(
        curve(call, "activation", "tanh")?,
        curve(call, "recurrent_activation", "sigmoid")?,
    );
    recurrent(call, cell, "lstm_cell")
}

fn gru(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let cell = Cell::Gru {
        curve: curve(call, "activation", "tanh")?,
        gate: curve(call, "recurrent_activation", "sigmoid")?,
        reset_after: call.config.flag("reset_after", true)?,
    };
    recurrent(call, cell, "gru_cell")
}

fn curve(call: &Call<'_>, key: &str, usual: &str) -> Result<Curve, Unsupported> {
    match call.config.get(key) {
        // An activation given as `None` is written as "linear".
        None => Curve::named(usual),
        Some(value) => value.as_str().and_then(Curve::named),
    }
    .ok_or_else(|| call.config.not(key))
}

fn recurrent(call: &mut Call<'_>, cell: Cell, inner: &str) -> Result<Vec<Sym>, Unsupported> {
    let mut inputs = std::mem::take(&mut call.inputs);
    let mut states = call.take("initial_state").unwrap_or_default();
    if inputs.len() > 1 && states.is_empty() {
        states = inputs.split_off(1);
    }
    let [mut x]: [Sym; 1] = inputs.try_into().map_err(|_| call.unsupported("not one input"))?;
    if x.rank() != 3 {
        return Err(call.unsupported(format!("an input of {} axes", x.rank())));
    }
    call.config.only("stateful", &[false.into()])?;
    let blank = call.config.flag("zero_output_for_mask", false)?;
    let units = call.config.size("units")?;
    let features = call.known(&x, 2)?;
    let width = cell.gates() * units;
    let weight = |name: &str| format!("{inner}/{name}");
    let kernel = call.weight(&weight("kernel"), &[features, width], true)?;
    let recurrent = call.weight(&weight("recurrent_kernel"), &[units, width], true)?;
    let bias = if call.config.flag("use_bias", true)? {
        let shape = if cell.two_biases() {
            vec![2, width]
        } else {
            vec![width]
        };
        Some(call.weight(&weight("bias"), &shape, true)?)
    } else {
        None
    };
    let sequences = call.config.flag("return_sequences", false)?;
    if blank && !sequences {
        return Err(call.config.not("zero_output_for_mask"));
    }
    let with_state = call.config.flag("return_state", false)?;
    call.activation = Some(call.config.text("activation", "tanh")?.to_owned());
    let dropout = call.config.f32("dropout", 0.0)?;
    if dropout > 0.0 {
        let mask = x.mask;
        x = super::dropout::over_time(call, &x, dropout);
        x.mask = mask;
    }
    let mut mask = x.mask.map(|id| Sym {
        id,
        shape: x.shape[..2].to_vec(),
        mask: None,
        logits: None,
    });
    if call.config.flag("go_backwards", false)? {
        x = gather(call, &x, Rule::Reverse(0))?;
        mask = mask
            .map(|mask| gather(call, &mask, Rule::Reverse(0)))
            .transpose()?;
    }
    if !states.is_empty() && states.len() != cell.states() {
        return Err(call.unsupported("an initial state of another kind of cell"));
    }
    if !states.is_empty() && mask.is_some() {
        return Err(call.unsupported("an initial state together with a mask"));
    }
    let outer = mask.as_ref().map(|mask| mask.id);
    let op = Recurrent::new(
        cell,
        units,
        (kernel, recurrent, bias),
        sequences,
        (mask.is_some(), blank),
        call.config.f32("recurrent_dropout", 0.0)?,
        call.training,
    );
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
