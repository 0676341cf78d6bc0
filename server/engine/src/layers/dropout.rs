//! Layers that are random in training and pass values on in inference.

use serde_json::Value;

use super::Entry;
use crate::graph::{Call, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::new("Dropout", dropout),
    Entry::new("SpatialDropout1D", spatial),
    Entry::new("SpatialDropout2D", spatial),
    Entry::new("SpatialDropout3D", spatial),
    Entry::new("GaussianDropout", gaussian_dropout),
    Entry::new("GaussianNoise", gaussian_noise),
    Entry::new("AlphaDropout", alpha_dropout),
    Entry::new("ActivityRegularization", activity),
];

/// What is drawn, and what becomes of it.
#[derive(Clone, Copy)]
enum Kind {
    /// Times `1 / keep` or 0.
    Drop,
    /// Times a normal number around 1.
    Times(f32),
    /// Plus a normal number.
    Plus(f32),
    /// Keeps mean and variance of self-normalising networks.
    Alpha,
}

struct Noise {
    kind: Kind,
    rate: f32,
    /// Axes along which one number is drawn for all.
    shared: Vec<bool>,
    layer: String,
    training: Option<bool>,
    active: bool,
    factor: Vec<f32>,
}

fn noise(call: &mut Call<'_>, kind: Kind, rate: f32, shared: Vec<bool>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let op = Noise {
        kind,
        rate,
        shared,
        layer: call.path.to_owned(),
        training: call.training,
        active: false,
        factor: Vec::new(),
    };
    let shape = x.shape.clone();
    let y = call.builder.op(op, &[&x], shape);
    Ok(vec![Sym { mask: x.mask, ..y }])
}

/// Dropout of the inputs of a recurrent layer: the same at all time steps.
pub(super) fn over_time(call: &mut Call<'_>, x: &Sym, rate: f32) -> Sym {
    let op = Noise {
        kind: Kind::Drop,
        rate,
        shared: vec![false, true, false],
        layer: call.path.to_owned(),
        training: call.training,
        active: false,
        factor: Vec::new(),
    };
    let shape = x.shape.clone();
    call.builder.op(op, &[x], shape)
}

fn rate(call: &Call<'_>) -> Result<f32, Unsupported> {
    let rate = call.config.f32("rate", 0.0)?;
    if (0.0..=1.0).contains(&rate) {
        Ok(rate)
    } else {
        Err(call.config.not("rate"))
    }
}

fn dropout(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let rank = call.input()?.rank();
    let shared = match call.config.get("noise_shape") {
        None => vec![false; rank],
        Some(Value::Array(sizes)) if sizes.len() == rank => {
            sizes.iter().map(|size| size.as_u64() == Some(1)).collect()
        }
        Some(_) => return Err(call.config.not("noise_shape")),
    };
    let rate = rate(call)?;
    noise(call, Kind::Drop, rate, shared)
}

fn spatial(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    if call.config.text("data_format", "channels_last")? != "channels_last" {
        return Err(call.config.not("data_format"));
    }
    let rank = call.input()?.rank();
    let shared = (0..rank).map(|axis| axis > 0 && axis + 1 < rank).collect();
    let rate = rate(call)?;
    noise(call, Kind::Drop, rate, shared)
}

fn gaussian_dropout(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let rate = rate(call)?;
    let deviation = (rate / (1.0 - rate)).sqrt();
    noise(call, Kind::Times(deviation), rate, Vec::new())
}

fn gaussian_noise(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let deviation = call.config.f32("stddev", 0.0)?;
    noise(call, Kind::Plus(deviation), deviation, Vec::new())
}

fn alpha_dropout(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    call.config.only("noise_shape", &[])?;
    let rate = rate(call)?;
    noise(call, Kind::Alpha, rate, Vec::new())
}

fn activity(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    // Its penalty stands in `activity_regularizer`, or in `l1` and `l2`.
    let x = call.input()?;
    if call.config.get("activity_regularizer").is_some() {
        return Ok(vec![super::reshape::same(call, &x)]);
    }
    let both = serde_json::json!({"class_name": "L1L2", "config": {
        "l1": call.config.number("l1", 0.0)?, "l2": call.config.number("l2", 0.0)?,
    }});
    let regularizer = crate::regularizers::Regularizer::read(&both).ok_or_else(|| call.config.not("l1"))?;
    Ok(vec![super::penalize(call, regularizer, &x)])
}

/// A number of the standard normal distribution (Box and Muller).
fn normal(rng: &mut fastrand::Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.f32()).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.f32()).cos()
}

const ALPHA: f32 = -1.758_099_3;

impl Noise {
    fn draw(&mut self, ctx: &mut Ctx<'_>, shape: &[usize], length: usize) {
        self.factor.clear();
        if let Some(given) = ctx.given_noise(&self.layer, length) {
            self.factor.extend_from_slice(given);
            return;
        }
        let keep = 1.0 - self.rate;
        let rate = self.rate;
        let kind = self.kind;
        let rng = &mut *ctx.rng;
        let mut one = || match kind {
            Kind::Drop => {
                if rng.f32() < rate {
                    0.0
                } else {
                    1.0 / keep
                }
            }
            Kind::Alpha => f32::from(u8::from(rng.f32() >= rate)),
            Kind::Times(deviation) => 1.0 + deviation * normal(rng),
            Kind::Plus(deviation) => deviation * normal(rng),
        };
        if !self.shared.iter().any(|&shared| shared) {
            self.factor.extend((0..length).map(|_| one()));
            return;
        }
        let mut drawn: Vec<f32> = Vec::new();
        let mut strides = vec![0; shape.len()];
        let mut count = 1;
        for axis in (0..shape.len()).rev() {
            if !self.shared.get(axis).copied().unwrap_or(false) {
                strides[axis] = count;
                count *= shape[axis];
            }
        }
        drawn.extend((0..count).map(|_| one()));
        self.factor.extend((0..length).map(|index| {
            let (mut rest, mut at) = (index, 0);
            for axis in (0..shape.len()).rev() {
                at += rest % shape[axis] * strides[axis];
                rest /= shape[axis];
            }
            drawn[at]
        }));
    }

    /// Scale and shift that keep mean and variance under alpha dropout.
    fn affine(&self) -> (f32, f32) {
        let a = ((1.0 - self.rate) * (1.0 + self.rate * ALPHA * ALPHA)).powf(-0.5);
        (a, -a * ALPHA * self.rate)
    }
}

impl Op for Noise {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn forward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &mut [Tensor],
    ) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        self.active = self.training.unwrap_or(ctx.training) && self.rate > 0.0;
        if !self.active {
            return y.copy_from(x.view());
        }
        self.draw(ctx, x.shape(), x.len());
        y.resize(x.shape())?;
        let pairs = x.data().iter().zip(&self.factor);
        let (scale, shift) = self.affine();
        for (y, (&x, &factor)) in y.data_mut().iter_mut().zip(pairs) {
            *y = match self.kind {
                Kind::Drop | Kind::Times(_) => x * factor,
                Kind::Plus(_) => x + factor,
                Kind::Alpha => scale * (x * factor + ALPHA * (1.0 - factor)) + shift,
            };
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let passes = !self.active || matches!(self.kind, Kind::Plus(_));
        let scale = if matches!(self.kind, Kind::Alpha) {
            self.affine().0
        } else {
            1.0
        };
        for (at, (gx, &gy)) in gin.data_mut().iter_mut().zip(gouts[0].data()).enumerate() {
            *gx += if passes { gy } else { gy * scale * self.factor[at] };
        }
        Ok(())
    }
}
