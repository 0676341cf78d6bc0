//! `ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D`: an LSTM of images, whose products are convolutions.

use super::Entry;
use super::conv::Conv;
use super::gather::{Rule, gather};
use super::geometry::{Padding, Windows, axes_of};
use super::rnn::{Curve, curve};
use super::wrappers::{Fold, Unfold};
use crate::graph::{Call, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("ConvLSTM1D", conv_lstm),
    Entry::unmasked("ConvLSTM2D", conv_lstm),
    Entry::unmasked("ConvLSTM3D", conv_lstm),
];

/// All time steps one after the other, as operations of their own.
fn conv_lstm(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let axes = axes_of(call.class);
    let config = call.config;
    let mut inputs = std::mem::take(&mut call.inputs);
    let mut states = call.take("initial_state").unwrap_or_default();
    if inputs.len() > 1 && states.is_empty() {
        states = inputs.split_off(1);
    }
    let [mut x]: [Sym; 1] = inputs.try_into().map_err(|_| call.unsupported("not one input"))?;
    if x.rank() != axes + 3 || x.mask.is_some() || !(states.is_empty() || states.len() == 2) {
        return Err(call.unsupported(format!("an input of {} axes, masks or states", x.rank())));
    }
    for key in ["stateful", "dropout", "recurrent_dropout"] {
        config.only(key, &[false.into(), 0.into(), 0.0.into()])?;
    }
    let (steps, filters) = (call.known(&x, 1)?, config.size("filters")?);
    let channels = call.known(&x, axes + 2)?;
    let step = Step {
        curve: curve(config, "activation", "tanh")?,
        gate: curve(config, "recurrent_activation", "sigmoid")?,
        saved: Vec::new(),
    };
    let windows = Windows::read(call, "kernel_size", axes)?;
    let shape = |channels| -> Vec<usize> {
        let sizes = windows.kernel[3 - axes..].iter().copied();
        sizes.chain([channels, 4 * filters]).collect()
    };
    let kernel = call.weight("conv_lstm_cell/kernel", &shape(channels), true)?;
    let recurrent = call.weight("conv_lstm_cell/recurrent_kernel", &shape(filters), true)?;
    let bias = match config.flag("use_bias", true)? {
        true => Some(call.weight("conv_lstm_cell/bias", &[4 * filters], true)?),
        false => None,
    };
    call.activation = Some(config.text("activation", "tanh")?.to_owned());
    if config.flag("go_backwards", false)? {
        x = gather(call, &x, Rule::Reverse(0))?;
    }
    // What comes from the input, of all steps at once.
    let conv = |windows, kernel, bias| Conv {
        windows,
        axes,
        groups: 1,
        filters: 4 * filters,
        kernel,
        bias,
        tasks: Vec::new(),
    };
    let mut inner = vec![None];
    inner.extend_from_slice(&x.shape[2..]);
    let folded = call.builder.op(Fold, &[&x], inner);
    let shape = windows.output(call, &folded, axes, Some(4 * filters))?;
    let projected = call
        .builder
        .op(conv(windows, kernel, bias), &[&folded], shape.clone());
    let mut unfolded = vec![None, Some(steps)];
    unfolded.extend_from_slice(&shape[1..]);
    let projected = call.builder.op(Unfold, &[&projected, &x], unfolded);
    let same = Windows {
        stride: [1; 3],
        dilation: [1; 3],
        padding: Padding::Same,
        ..windows
    };
    let mut image = shape.clone();
    image[axes + 1] = Some(filters);
    let sym = |id, shape: &[Option<usize>]| Sym {
        id,
        shape: shape.to_vec(),
        mask: None,
        logits: None,
    };
    let mut state = states.into_iter();
    let mut state = state.next().zip(state.next());
    let mut outputs = Vec::new();
    for at in 0..steps {
        let part = call.builder.op(Pick { at }, &[&projected], shape.clone());
        let mut ids = vec![part.id];
        if let Some((hidden, cell)) = &state {
            let gates = call
                .builder
                .op(conv(same, recurrent, None), &[hidden], shape.clone());
            ids.extend([gates.id, cell.id]);
        }
        let made = call.builder.op_ids(Box::new(step.clone()), ids, 2);
        let (hidden, cell) = (sym(made[0], &image), sym(made[1], &image));
        outputs.push(hidden.clone());
        state = Some((hidden, cell));
    }
    let Some((hidden, cell)) = state else {
        return Err(call.unsupported("no time steps"));
    };
    let first = if config.flag("return_sequences", false)? {
        let mut shape = vec![None, Some(steps)];
        shape.extend_from_slice(&image[1..]);
        call.builder.op(Stack, &outputs.iter().collect::<Vec<_>>(), shape)
    } else {
        hidden.clone()
    };
    Ok(if config.flag("return_state", false)? {
        vec![first, hidden, cell]
    } else {
        vec![first]
    })
}

/// One time step of a sequence.
struct Pick {
    at: usize,
}

/// Where the time step of a sample lies in a sequence, by sample: `(sample, from, to)`.
fn places(sequence: &[usize], at: usize) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
    let size: usize = sequence.iter().skip(2).product();
    let steps = sequence.get(1).copied().unwrap_or(1);
    let samples = sequence.first().copied().unwrap_or(0);
    (0..samples).map(move |sample| {
        (
            sample * size,
            (sample * steps + at) * size,
            (sample * steps + at + 1) * size,
        )
    })
}

impl Op for Pick {
    fn name(&self) -> &'static str {
        "step"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let shape = ins[0].shape();
        if shape.len() < 2 || self.at >= shape[1] {
            return Err(EngineError::shape("step", format!("{} of {shape:?}", self.at)));
        }
        let own: Vec<usize> = shape[..1].iter().chain(&shape[2..]).copied().collect();
        outs[0].resize(&own)?;
        for (to, from, end) in places(shape, self.at) {
            outs[0].data_mut()[to..to + end - from].copy_from_slice(&ins[0].data()[from..end]);
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        if let Some(gin) = &mut gins[0] {
            for (own, from, end) in places(ins[0].shape(), self.at) {
                let gradient = gouts[0].data()[own..own + end - from].iter();
                gin.data_mut()[from..end]
                    .iter_mut()
                    .zip(gradient)
                    .for_each(|(gx, gy)| *gx += gy);
            }
        }
        Ok(())
    }
}

/// Time steps as one sequence.
struct Stack;

impl Op for Stack {
    fn name(&self) -> &'static str {
        "stack"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let mut shape = ins[0].shape().to_vec();
        shape.insert(1, ins.len());
        outs[0].resize(&shape)?;
        for (at, x) in ins.iter().enumerate() {
            for (own, from, end) in places(&shape, at) {
                outs[0].data_mut()[from..end].copy_from_slice(&x.data()[own..own + end - from]);
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        for (at, gin) in gins.iter_mut().enumerate() {
            let Some(gin) = gin else { continue };
            for (own, from, end) in places(gouts[0].shape(), at) {
                let gradient = gouts[0].data()[from..end].iter();
                gin.data_mut()[own..own + end - from]
                    .iter_mut()
                    .zip(gradient)
                    .for_each(|(gx, gy)| *gx += gy);
            }
        }
        Ok(())
    }
}

/// From the gates' parts of input and state and the cell before to the state and the cell after. Without the last two
/// inputs both were zero.
#[derive(Clone)]
struct Step {
    curve: Curve,
    gate: Curve,
    /// For each place the four gates and the cell behind its activation.
    saved: Vec<f32>,
}

impl Op for Step {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn kept(&self) -> usize {
        self.saved.len()
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let size = ins[0].last() / 4;
        let mut shape = ins[0].shape().to_vec();
        shape.pop();
        shape.push(size);
        let fits = ins.get(1).is_none_or(|gates| gates.len() == ins[0].len())
            && ins.get(2).is_none_or(|cell| cell.shape() == shape);
        if !fits || size == 0 {
            return Err(EngineError::shape(
                "lstm",
                "states of another size than its images",
            ));
        }
        let [hidden, cell] = outs else { return Ok(()) };
        hidden.resize(&shape)?;
        cell.resize(&shape)?;
        let rows = ins[0].len() / (4 * size);
        self.saved.resize(rows * 5 * size, 0.0);
        for row in 0..rows {
            let own = row * size..(row + 1) * size;
            let (gates, curved) = self.saved[row * 5 * size..(row + 1) * 5 * size].split_at_mut(4 * size);
            gates.copy_from_slice(&ins[0].data()[row * 4 * size..(row + 1) * 4 * size]);
            if let Some(other) = ins.get(1) {
                let other = &other.data()[row * 4 * size..(row + 1) * 4 * size];
                gates
                    .iter_mut()
                    .zip(other)
                    .for_each(|(gate, other)| *gate += other);
            }
            self.gate.apply(&mut gates[..2 * size]);
            self.curve.apply(&mut gates[2 * size..3 * size]);
            self.gate.apply(&mut gates[3 * size..]);
            let before = ins.get(2).map(|cell| &cell.data()[own.clone()]);
            let cell = &mut cell.data_mut()[own.clone()];
            for at in 0..size {
                let old = before.map_or(0.0, |before| before[at]);
                cell[at] = gates[size + at] * old + gates[at] * gates[2 * size + at];
            }
            curved.copy_from_slice(cell);
            self.curve.apply(curved);
            for (at, hidden) in hidden.data_mut()[own].iter_mut().enumerate() {
                *hidden = gates[3 * size + at] * curved[at];
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let size = ins[0].last() / 4;
        let (at_gates, rest) = gins.split_at_mut(1);
        let (at_others, at_cell) = rest.split_at_mut(rest.len().min(1));
        let mut slopes = vec![0.0; 4 * size];
        for (row, saved) in self.saved.chunks_exact(5 * size).enumerate() {
            for at in 0..size {
                let index = row * size + at;
                let gate = |number: usize| saved[number * size + at];
                let (i, f, g, o, curved) = (gate(0), gate(1), gate(2), gate(3), gate(4));
                let (hidden, cell) = (gouts[0].data()[index], gouts[1].data()[index]);
                let cell = cell + hidden * o * self.curve.slope(curved);
                let before = ins.get(2).map_or(0.0, |cell| cell.data()[index]);
                slopes[at] = cell * g * self.gate.slope(i);
                slopes[size + at] = cell * before * self.gate.slope(f);
                slopes[2 * size + at] = cell * i * self.curve.slope(g);
                slopes[3 * size + at] = hidden * curved * self.gate.slope(o);
                if let Some(Some(gin)) = at_cell.first_mut() {
                    gin.data_mut()[index] += cell * f;
                }
            }
            for gin in at_gates.iter_mut().chain(&mut *at_others).flatten() {
                let gradient = gin.data_mut()[row * 4 * size..(row + 1) * 4 * size].iter_mut();
                gradient.zip(&slopes).for_each(|(sum, slope)| *sum += slope);
            }
        }
        Ok(())
    }
}
