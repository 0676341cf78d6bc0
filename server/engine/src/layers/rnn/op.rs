//! A recurrent layer over a whole sequence, and back through time.

mod weights;

use super::cell::Cell;
use crate::graph::{Param, ParamId};
use crate::layers::dense::spread_bias;
use crate::native::{Mat, matmul};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor};

/// Inputs: the sequence, the mask if there is one, initial states. Outputs: sequence or last output, then states.
///
/// All buffers are `[sample, step, …]`, so one matrix product serves all steps where nothing depends on the step before.
pub(super) struct Recurrent {
    cell: Cell,
    units: usize,
    kernel: ParamId,
    recurrent: ParamId,
    bias: Option<ParamId>,
    sequences: bool,
    masked: bool,
    /// Whether the output of a masked step is zero instead of the one before.
    blank: bool,
    /// Shares of recurrent dropout, and of that of the input where each gate has its own.
    dropout: f32,
    input_dropout: f32,
    training: Option<bool>,
    /// Path of the layer, under which noise may be given.
    path: String,
    /// Where its states stay from batch to batch; empty when they do not.
    kept: Vec<ParamId>,
    /// The kept states at the start of this batch.
    initial: Vec<Tensor>,
    /// Gates after their activations.
    gates: Vec<f32>,
    /// Outputs of each step.
    hidden: Vec<f32>,
    /// Cell states of each step (LSTM), with their `tanh` beside.
    cells: Vec<f32>,
    curved: Vec<f32>,
    /// What the recurrent kernel was multiplied with; of recurrent dropout one for each gate.
    used: Vec<f32>,
    /// Recurrent part of the candidate (GRU).
    inner: Vec<f32>,
    /// Factors of recurrent dropout, by gate, sample and unit; empty when there is none.
    factors: Vec<f32>,
    /// Those of the dropout of the input, by gate, sample and feature.
    input_factors: Vec<f32>,
    /// Gradients at the gates before their activations, and at the recurrent parts where these differ (GRU).
    slopes: Vec<f32>,
    recurrent_slopes: Vec<f32>,
    scratch: Vec<f32>,
}

/// Sizes of a run.
#[derive(Clone, Copy)]
struct Sizes {
    samples: usize,
    steps: usize,
    features: usize,
    units: usize,
    width: usize,
}

/// What a recurrent layer is told.
pub(super) struct Settings {
    pub cell: Cell,
    pub units: usize,
    pub kernel: ParamId,
    pub recurrent: ParamId,
    pub bias: Option<ParamId>,
    pub sequences: bool,
    pub masked: bool,
    /// Whether the output of a masked step is zero.
    pub blank: bool,
    pub dropout: f32,
    pub input_dropout: f32,
    pub training: Option<bool>,
    pub path: String,
    pub kept: Vec<ParamId>,
}

impl Recurrent {
    pub fn new(settings: Settings) -> Self {
        Recurrent {
            cell: settings.cell,
            units: settings.units,
            kernel: settings.kernel,
            recurrent: settings.recurrent,
            bias: settings.bias,
            sequences: settings.sequences,
            masked: settings.masked,
            blank: settings.blank,
            dropout: settings.dropout,
            input_dropout: settings.input_dropout,
            training: settings.training,
            path: settings.path,
            kept: settings.kept,
            initial: Vec::new(),
            gates: Vec::new(),
            hidden: Vec::new(),
            cells: Vec::new(),
            curved: Vec::new(),
            used: Vec::new(),
            inner: Vec::new(),
            factors: Vec::new(),
            input_factors: Vec::new(),
            slopes: Vec::new(),
            recurrent_slopes: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// How many masks of recurrent dropout there are.
    fn masks(&self) -> usize {
        if self.factors.is_empty() {
            1
        } else {
            self.cell.gates()
        }
    }

    /// The columns of a range of gates' units that go with each mask: which mask, from where, to where.
    fn blocks(&self, from: usize, to: usize) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let size = if self.masks() == 1 {
            (to - from).max(1)
        } else {
            self.units
        };
        let (units, several) = (self.units, self.masks() > 1);
        (from..to)
            .step_by(size)
            .map(move |at| (if several { at / units } else { 0 }, at, at + size))
    }

    fn sizes(&self, x: &Tensor) -> Sizes {
        Sizes {
            samples: x.dim(0),
            steps: x.dim(1),
            features: x.dim(2),
            units: self.units,
            width: self.cell.gates() * self.units,
        }
    }

    /// The kept states before this batch, which the backward pass needs again; none where the call gives some.
    fn take_kept(
        &mut self,
        params: &[Param],
        samples: usize,
        given: usize,
    ) -> Result<Vec<Tensor>, EngineError> {
        self.initial.clear();
        if given == 0 {
            for &id in &self.kept {
                let state = Tensor::new(&params[id].shape, params[id].value.clone())?;
                if state.dim(0) != samples {
                    let what = format!("{samples} samples, while it keeps the state of {}", state.dim(0));
                    return Err(EngineError::shape(self.name(), what));
                }
                self.initial.push(state);
            }
        }
        Ok(self.initial.clone())
    }

    /// Value of a state before a step.
    fn before<'a>(
        all: &'a [f32],
        initial: Option<&'a Tensor>,
        sizes: Sizes,
        sample: usize,
        step: usize,
    ) -> Option<&'a [f32]> {
        let units = sizes.units;
        if step == 0 {
            return initial.map(|initial| &initial.data()[sample * units..(sample + 1) * units]);
        }
        let at = (sample * sizes.steps + step - 1) * units;
        Some(&all[at..at + units])
    }

    /// The part of the gates that comes from the input, for all steps.
    fn project(&mut self, params: &[Param], x: &Tensor, sizes: Sizes) {
        let rows = sizes.samples * sizes.steps;
        self.gates.resize(rows * sizes.width, 0.0);
        if let Some(bias) = self.bias {
            spread_bias(&mut self.gates, &params[bias].value[..sizes.width]);
        }
        if !self.input_factors.is_empty() {
            for gate in 0..self.cell.gates() {
                let dropped = self.dropped(x, sizes, gate);
                let at = gate * self.units;
                let kernel = Mat {
                    data: &params[self.kernel].value[at..],
                    row: sizes.width,
                    column: 1,
                };
                let (input, shape) = (
                    Mat::rows(&dropped, sizes.features),
                    (rows, sizes.features, self.units),
                );
                matmul(
                    shape,
                    input,
                    kernel,
                    &mut self.gates[at..],
                    sizes.width,
                    self.bias.is_some(),
                );
            }
            return;
        }
        let kernel = Mat::rows(&params[self.kernel].value, sizes.width);
        let shape = (rows, sizes.features, sizes.width);
        matmul(
            shape,
            Mat::rows(x.data(), sizes.features),
            kernel,
            &mut self.gates,
            sizes.width,
            self.bias.is_some(),
        );
    }

    /// The input as a gate sees it.
    fn dropped(&self, x: &Tensor, sizes: Sizes, gate: usize) -> Vec<f32> {
        let mut dropped = x.data().to_vec();
        self.drop_input(&mut dropped, sizes, gate);
        dropped
    }

    /// Times the factors of a gate, the same at all steps.
    fn drop_input(&self, values: &mut [f32], sizes: Sizes, gate: usize) {
        let (samples, features) = (sizes.samples, sizes.features);
        for (row, values) in values.chunks_exact_mut(features.max(1)).enumerate() {
            let at = (gate * samples + row / sizes.steps) * features;
            let factors = &self.input_factors[at..at + features];
            values
                .iter_mut()
                .zip(factors)
                .for_each(|(value, factor)| *value *= factor);
        }
    }

    /// `gates[:, step, from..to] += used[:, step] · recurrent[:, from..to]`.
    fn add_recurrent(&mut self, params: &[Param], sizes: Sizes, step: usize, (from, to): (usize, usize)) {
        for (mask, from, to) in self.blocks(from, to) {
            let kernel = Mat {
                data: &params[self.recurrent].value[from..],
                row: sizes.width,
                column: 1,
            };
            let used = used_at(&self.used, sizes, mask, step);
            let out = &mut self.gates[step * sizes.width + from..];
            let shape = (sizes.samples, sizes.units, to - from);
            matmul(shape, used, kernel, out, sizes.steps * sizes.width, true);
        }
    }

    /// Draws what dropout keeps of this batch.
    fn draw(&mut self, ctx: &mut Ctx<'_>, samples: usize, features: usize) {
        self.factors.clear();
        self.input_factors.clear();
        if !self.training.unwrap_or(ctx.training) {
            return;
        }
        let gates = self.cell.gates();
        let recurrent = format!("{}/recurrent", self.path);
        for (rate, count, name, factors) in [
            (
                self.dropout,
                gates * samples * self.units,
                &recurrent,
                &mut self.factors,
            ),
            (
                self.input_dropout,
                gates * samples * features,
                &self.path,
                &mut self.input_factors,
            ),
        ] {
            if rate <= 0.0 {
                continue;
            }
            if let Some(given) = ctx.given_noise(name, count) {
                factors.extend_from_slice(given);
                continue;
            }
            let rng = &mut *ctx.rng;
            let keep = 1.0 / (1.0 - rate);
            factors.extend((0..count).map(|_| if rng.f32() >= rate { keep } else { 0.0 }));
        }
    }

    /// What the recurrent kernel sees of the state before a step.
    fn use_state(&mut self, initial: Option<&Tensor>, sizes: Sizes, step: usize) {
        let (units, samples) = (sizes.units, sizes.samples);
        for mask in 0..self.masks() {
            for sample in 0..samples {
                let at = ((mask * samples + sample) * sizes.steps + step) * units;
                let to = &mut self.used[at..at + units];
                match Self::before(&self.hidden, initial, sizes, sample, step) {
                    Some(state) => to.copy_from_slice(state),
                    None => to.fill(0.0),
                }
                let at = (mask * samples + sample) * units;
                if let Some(factors) = self.factors.get(at..at + units) {
                    to.iter_mut()
                        .zip(factors)
                        .for_each(|(value, factor)| *value *= factor);
                }
            }
        }
    }

    fn step(
        &mut self,
        params: &[Param],
        states: &[&Tensor],
        mask: Option<&Tensor>,
        sizes: Sizes,
        step: usize,
    ) {
        let (units, width) = (sizes.units, sizes.width);
        match self.cell {
            Cell::Simple(_) | Cell::Lstm(..) => self.add_recurrent(params, sizes, step, (0, width)),
            Cell::Gru {
                reset_after: true, ..
            } => self.recurrent_apart(params, sizes, step),
            Cell::Gru { .. } => self.add_recurrent(params, sizes, step, (0, 2 * units)),
        }
        let candidate_mask = self.masks() - 1;
        for sample in 0..sizes.samples {
            let at = sample * sizes.steps + step;
            let gates = &mut self.gates[at * width..(at + 1) * width];
            let (done, here) = self.hidden.split_at_mut(at * units);
            let hidden = &mut here[..units];
            let first = (step == 0).then(|| {
                states
                    .first()
                    .map(|state| &state.data()[sample * units..(sample + 1) * units])
            });
            let before: Option<&[f32]> = match first {
                Some(initial) => initial,
                None => Some(&done[(at - 1) * units..]),
            };
            let real = mask.is_none_or(|mask| mask.data()[at] != 0.0);
            match self.cell {
                Cell::Simple(curve) => {
                    curve.apply(gates);
                    hidden.copy_from_slice(gates);
                }
                Cell::Lstm(curve, gate) => {
                    gate.apply(&mut gates[..2 * units]);
                    curve.apply(&mut gates[2 * units..3 * units]);
                    gate.apply(&mut gates[3 * units..]);
                    let (done, here) = self.cells.split_at_mut(at * units);
                    let cell = &mut here[..units];
                    let old: Option<&[f32]> = if step == 0 {
                        states
                            .get(1)
                            .map(|state| &state.data()[sample * units..(sample + 1) * units])
                    } else {
                        Some(&done[(at - 1) * units..])
                    };
                    let (input, rest) = gates.split_at(units);
                    let (forget, rest) = rest.split_at(units);
                    let (candidate, output) = rest.split_at(units);
                    for unit in 0..units {
                        let kept = old.map_or(0.0, |old| forget[unit] * old[unit]);
                        cell[unit] = kept + input[unit] * candidate[unit];
                    }
                    if !real {
                        match old {
                            Some(old) => cell.copy_from_slice(old),
                            None => cell.fill(0.0),
                        }
                    }
                    let curved = &mut self.curved[at * units..(at + 1) * units];
                    curved.copy_from_slice(cell);
                    curve.apply(curved);
                    for unit in 0..units {
                        hidden[unit] = output[unit] * curved[unit];
                    }
                }
                Cell::Gru {
                    curve,
                    gate,
                    reset_after,
                } => {
                    let (both, candidate) = gates.split_at_mut(2 * units);
                    gate.apply(both);
                    let inner = &mut self.inner[at * units..(at + 1) * units];
                    if reset_after {
                        for unit in 0..units {
                            candidate[unit] += both[units + unit] * inner[unit];
                        }
                    } else {
                        // The candidate's own product, with the state that the reset gate lets through.
                        let seen = (candidate_mask * sizes.samples * sizes.steps + at) * units;
                        let used = &self.used[seen..seen + units];
                        for unit in 0..units {
                            inner[unit] = both[units + unit] * used[unit];
                        }
                        let kernel = Mat {
                            data: &params[self.recurrent].value[2 * units..],
                            row: width,
                            column: 1,
                        };
                        matmul(
                            (1, units, units),
                            Mat::rows(inner, units),
                            kernel,
                            candidate,
                            units,
                            true,
                        );
                    }
                    curve.apply(candidate);
                    for unit in 0..units {
                        let kept = before.map_or(0.0, |before| both[unit] * before[unit]);
                        hidden[unit] = kept + (1.0 - both[unit]) * candidate[unit];
                    }
                }
            }
            if !real {
                match before {
                    Some(before) => hidden.copy_from_slice(before),
                    None => hidden.fill(0.0),
                }
            }
        }
    }

    /// GRU with the reset gate after the product: the candidate's recurrent part stays apart.
    fn recurrent_apart(&mut self, params: &[Param], sizes: Sizes, step: usize) {
        let (units, width) = (sizes.units, sizes.width);
        self.scratch.resize(sizes.samples * width, 0.0);
        if let Some(bias) = self.bias {
            spread_bias(&mut self.scratch, &params[bias].value[width..]);
        }
        for (mask, from, to) in self.blocks(0, width) {
            let kernel = Mat {
                data: &params[self.recurrent].value[from..],
                row: width,
                column: 1,
            };
            let used = used_at(&self.used, sizes, mask, step);
            let shape = (sizes.samples, units, to - from);
            matmul(
                shape,
                used,
                kernel,
                &mut self.scratch[from..],
                width,
                self.bias.is_some(),
            );
        }
        for sample in 0..sizes.samples {
            let at = sample * sizes.steps + step;
            let part = &self.scratch[sample * width..(sample + 1) * width];
            let gates = &mut self.gates[at * width..at * width + 2 * units];
            gates.iter_mut().zip(part).for_each(|(gate, &part)| *gate += part);
            self.inner[at * units..(at + 1) * units].copy_from_slice(&part[2 * units..]);
        }
    }

    /// Gradients at the gates of one sample and step from those at its new states, which become those at the old ones.
    fn step_back(
        &mut self,
        params: &[Param],
        states: &[&Tensor],
        sizes: Sizes,
        (sample, step): (usize, usize),
        hidden: &mut [f32],
        cells: &mut [f32],
    ) {
        let (units, width) = (sizes.units, sizes.width);
        let at = sample * sizes.steps + step;
        let gates = &self.gates[at * width..(at + 1) * width];
        let slopes = &mut self.slopes[at * width..(at + 1) * width];
        match self.cell {
            Cell::Simple(curve) => {
                for unit in 0..units {
                    slopes[unit] = hidden[unit] * curve.slope(gates[unit]);
                }
                hidden.fill(0.0);
            }
            Cell::Lstm(curve, gate) => {
                let old = Self::before(&self.cells, states.get(1).copied(), sizes, sample, step);
                let curved = &self.curved[at * units..(at + 1) * units];
                for unit in 0..units {
                    let (i, f) = (gates[unit], gates[units + unit]);
                    let (g, o) = (gates[2 * units + unit], gates[3 * units + unit]);
                    let grad = hidden[unit];
                    let cell = cells[unit] + grad * o * curve.slope(curved[unit]);
                    let before = old.map_or(0.0, |old| old[unit]);
                    slopes[unit] = cell * g * gate.slope(i);
                    slopes[units + unit] = cell * before * gate.slope(f);
                    slopes[2 * units + unit] = cell * i * curve.slope(g);
                    slopes[3 * units + unit] = grad * curved[unit] * gate.slope(o);
                    cells[unit] = cell * f;
                }
                hidden.fill(0.0);
            }
            Cell::Gru {
                curve,
                gate,
                reset_after,
            } => {
                let before = Self::before(&self.hidden, states.first().copied(), sizes, sample, step);
                let inner = &self.inner[at * units..(at + 1) * units];
                let apart = &mut self.recurrent_slopes[at * width..(at + 1) * width];
                for unit in 0..units {
                    let (z, candidate) = (gates[unit], gates[2 * units + unit]);
                    let grad = hidden[unit];
                    let old = before.map_or(0.0, |before| before[unit]);
                    slopes[unit] = grad * (old - candidate) * gate.slope(z);
                    slopes[2 * units + unit] = grad * (1.0 - z) * curve.slope(candidate);
                    hidden[unit] = grad * z;
                }
                if reset_after {
                    for unit in 0..units {
                        let (r, candidate) = (gates[units + unit], slopes[2 * units + unit]);
                        slopes[units + unit] = candidate * inner[unit] * gate.slope(r);
                        apart[2 * units + unit] = candidate * r;
                    }
                } else {
                    // Back through the candidate's own product to the reset gate and the state.
                    let kernel = Mat {
                        data: &params[self.recurrent].value[2 * units..],
                        row: 1,
                        column: width,
                    };
                    self.scratch.resize(units, 0.0);
                    let candidate = Mat::rows(&slopes[2 * units..], units);
                    matmul(
                        (1, units, units),
                        candidate,
                        kernel,
                        &mut self.scratch,
                        units,
                        false,
                    );
                    let mask = if self.factors.is_empty() { 0 } else { 2 };
                    let seen = (mask * sizes.samples * sizes.steps + at) * units;
                    let used = &self.used[seen..seen + units];
                    for unit in 0..units {
                        let r = gates[units + unit];
                        slopes[units + unit] = self.scratch[unit] * used[unit] * gate.slope(r);
                        let factor = (mask * sizes.samples + sample) * units + unit;
                        let factor = self.factors.get(factor).copied().unwrap_or(1.0);
                        hidden[unit] += self.scratch[unit] * r * factor;
                    }
                }
                apart[..2 * units].copy_from_slice(&slopes[..2 * units]);
            }
        }
    }
}

impl Op for Recurrent {
    fn name(&self) -> &'static str {
        match self.cell {
            Cell::Simple(_) => "rnn",
            Cell::Lstm(..) => "lstm",
            Cell::Gru { .. } => "gru",
        }
    }

    fn trains(&self) -> bool {
        true
    }

    fn kept(&self) -> usize {
        self.gates.len() + self.hidden.len() + self.cells.len() + self.curved.len() + self.inner.len()
    }

    fn forward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &mut [Tensor],
    ) -> Result<(), EngineError> {
        let x = ins[0];
        let sizes = self.sizes(x);
        let (samples, steps, units) = (sizes.samples, sizes.steps, sizes.units);
        if steps == 0 || sizes.features != ctx.params[self.kernel].shape[0] {
            return Err(EngineError::shape(
                self.name(),
                format!("an input of shape {:?}", x.shape()),
            ));
        }
        let mask = self.masked.then(|| ins[1]);
        let given = &ins[1 + usize::from(self.masked)..];
        let held = self.take_kept(ctx.params, samples, given.len())?;
        let held: Vec<&Tensor> = held.iter().collect();
        let states = if held.is_empty() { given } else { &held };
        if states.iter().any(|state| state.len() != samples * units) {
            return Err(EngineError::shape(
                self.name(),
                "an initial state of another size",
            ));
        }
        self.draw(ctx, samples, sizes.features);
        let params = &*ctx.params;
        self.project(params, x, sizes);
        let total = samples * steps * units;
        self.hidden.resize(total, 0.0);
        self.used.resize(self.masks() * total, 0.0);
        if matches!(self.cell, Cell::Lstm(..)) {
            self.cells.resize(total, 0.0);
            self.curved.resize(total, 0.0);
        } else if matches!(self.cell, Cell::Gru { .. }) {
            self.inner.resize(total, 0.0);
        }
        for step in 0..steps {
            self.use_state(states.first().copied(), sizes, step);
            self.step(params, states, mask, sizes, step);
        }
        let last = |all: &[f32], out: &mut Tensor| -> Result<(), EngineError> {
            out.resize(&[samples, units])?;
            for (sample, to) in out.data_mut().chunks_exact_mut(units).enumerate() {
                let at = (sample * steps + steps - 1) * units;
                to.copy_from_slice(&all[at..at + units]);
            }
            Ok(())
        };
        if self.sequences {
            outs[0].resize(&[samples, steps, units])?;
            outs[0].data_mut().copy_from_slice(&self.hidden);
            if let (true, Some(mask)) = (self.blank, mask) {
                for (row, &real) in outs[0].data_mut().chunks_exact_mut(units).zip(mask.data()) {
                    row.iter_mut().for_each(|value| *value *= real);
                }
            }
        } else {
            last(&self.hidden, &mut outs[0])?;
        }
        if let Some(out) = outs.get_mut(1) {
            last(&self.hidden, out)?;
        }
        if let Some(out) = outs.get_mut(2) {
            last(&self.cells, out)?;
        }
        for (&id, all) in self.kept.iter().zip([&self.hidden, &self.cells]) {
            let mut state = Tensor::default();
            last(all, &mut state)?;
            ctx.params[id].value.copy_from_slice(state.data());
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let x = ins[0];
        let sizes = self.sizes(x);
        let (samples, steps, units, width) = (sizes.samples, sizes.steps, sizes.units, sizes.width);
        let mask = self.masked.then(|| ins[1]);
        let held = std::mem::take(&mut self.initial);
        let held: Vec<&Tensor> = held.iter().collect();
        let states = if held.is_empty() {
            &ins[1 + usize::from(self.masked)..]
        } else {
            &held
        };
        let rows = samples * steps;
        self.slopes.resize(rows * width, 0.0);
        let apart = matches!(self.cell, Cell::Gru { .. });
        if apart {
            self.recurrent_slopes.resize(rows * width, 0.0);
        }
        let mut hidden = vec![0.0; samples * units];
        let mut cells = vec![0.0; samples * units];
        let add = |to: &mut [f32], from: &[f32]| to.iter_mut().zip(from).for_each(|(to, &from)| *to += from);
        if !self.sequences {
            add(&mut hidden, gouts[0].data());
        }
        if let Some(state) = gouts.get(1) {
            add(&mut hidden, state.data());
        }
        if let Some(state) = gouts.get(2) {
            add(&mut cells, state.data());
        }
        let mut carried = vec![0.0; samples * units];
        for step in (0..steps).rev() {
            let params = &*ctx.params;
            for sample in 0..samples {
                let at = sample * steps + step;
                let own = sample * units..(sample + 1) * units;
                let unseen = self.blank && mask.is_some_and(|mask| mask.data()[at] == 0.0);
                if self.sequences && !unseen {
                    add(
                        &mut hidden[own.clone()],
                        &gouts[0].data()[at * units..(at + 1) * units],
                    );
                }
                if mask.is_some_and(|mask| mask.data()[at] == 0.0) {
                    // The states went through unchanged.
                    self.slopes[at * width..(at + 1) * width].fill(0.0);
                    if apart {
                        self.recurrent_slopes[at * width..(at + 1) * width].fill(0.0);
                    }
                    continue;
                }
                let (hidden, cells) = (&mut hidden[own.clone()], &mut cells[own]);
                self.step_back(params, states, sizes, (sample, step), hidden, cells);
            }
            // What reached the state through the recurrent kernel.
            let reset_before = matches!(
                self.cell,
                Cell::Gru {
                    reset_after: false,
                    ..
                }
            );
            let wide = if reset_before { 2 * units } else { width };
            let all = if apart {
                &self.recurrent_slopes
            } else {
                &self.slopes
            };
            for (mask, from, to) in self.blocks(0, wide) {
                let slopes = Mat {
                    data: &all[step * width + from..],
                    row: steps * width,
                    column: 1,
                };
                let kernel = Mat {
                    data: &params[self.recurrent].value[from..],
                    row: 1,
                    column: width,
                };
                matmul(
                    (samples, to - from, units),
                    slopes,
                    kernel,
                    &mut carried,
                    units,
                    false,
                );
                let factors = self
                    .factors
                    .get(mask * samples * units..(mask + 1) * samples * units);
                for (value, factor) in carried.iter_mut().zip(factors.into_iter().flatten()) {
                    *value *= factor;
                }
                add(&mut hidden, &carried);
            }
        }
        let offset = 1 + usize::from(self.masked);
        for (gradient, at) in [(&hidden, offset), (&cells, offset + 1)] {
            if let Some(Some(gin)) = gins.get_mut(at) {
                add(gin.data_mut(), gradient);
            }
        }
        self.weights_back(ctx.params, sizes);
        let kernel = &mut ctx.params[self.kernel];
        kernel.touched = true;
        if !self.input_factors.is_empty() {
            self.dropped_back(kernel, x, sizes, gins[0].as_mut());
            return Ok(());
        }
        let slopes = Mat::rows(&self.slopes, width);
        let turned = Mat::transposed(x.data(), sizes.features);
        matmul(
            (sizes.features, rows, width),
            turned,
            slopes,
            &mut kernel.grad,
            width,
            true,
        );
        if let Some(gin) = &mut gins[0] {
            let back = Mat::transposed(&kernel.value, width);
            matmul(
                (rows, width, sizes.features),
                slopes,
                back,
                gin.data_mut(),
                sizes.features,
                true,
            );
        }
        Ok(())
    }
}

/// What was multiplied with the recurrent kernel at a step, by sample.
fn used_at(used: &[f32], sizes: Sizes, mask: usize, step: usize) -> Mat<'_> {
    Mat {
        data: &used[(mask * sizes.samples * sizes.steps + step) * sizes.units..],
        row: sizes.steps * sizes.units,
        column: 1,
    }
}
