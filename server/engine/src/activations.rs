//! Every activation function of Keras.

use serde_json::Value;

use crate::config::{Config, serialized, snake};
use crate::functions::{exp, sigmoid, softplus, tanh};
use crate::glu::Glu;
use crate::graph::{Builder, Sym};
use crate::op::{Backward, Ctx, Elementwise, Op};
use crate::sparsemax::Sparsemax;
use crate::tensor::around;
use crate::{EngineError, Tensor};

/// An activation with its arguments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// Identity.
    Linear,
    /// With slope below the threshold, maximum and threshold.
    Relu {
        /// Slope below the threshold.
        slope: f32,
        /// Largest output.
        max: f32,
        /// Where it starts.
        threshold: f32,
    },
    /// Exponential below 0.
    Elu(f32),
    /// Continuously differentiable `Elu`.
    Celu(f32),
    /// Along an axis.
    Softmax(i64),
    /// Along an axis.
    LogSoftmax(i64),
    /// Along an axis.
    Sparsemax(i64),
    /// Half of an axis, gated by the other half.
    Glu(i64),
    /// Gaussian error linear unit; whether approximate.
    Gelu(bool),
    /// One of those without arguments.
    Plain(Plain),
}

/// Activations without arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Plain {
    Sigmoid,
    Tanh,
    Exponential,
    HardSigmoid,
    HardSilu,
    HardTanh,
    HardShrink,
    LogSigmoid,
    Mish,
    Selu,
    Silu,
    SoftShrink,
    Softplus,
    Softsign,
    SparsePlus,
    SparseSigmoid,
    Squareplus,
    TanhShrink,
}

impl Activation {
    /// Whether it is the identity above 0 and zero below.
    pub fn is_plain_relu(self) -> bool {
        let plain = Activation::Relu {
            slope: 0.0,
            max: f32::INFINITY,
            threshold: 0.0,
        };
        self == plain
    }
}

/// The name of the activation, as the trace gives it, and the activation; `None` when it is not covered.
pub fn read(value: Option<&Value>) -> Option<(String, Activation)> {
    let Some(value) = value else {
        return Some(("linear".into(), Activation::Linear));
    };
    let (name, config) = serialized(value)?;
    let activation = named(name, Config::new("activation", config))?;
    Some((snake(name).replace("re_lu", "relu"), activation))
}

fn named(name: &str, config: Config<'_>) -> Option<Activation> {
    use Plain::*;
    let relu = |slope: f32, max: f32| Activation::Relu {
        slope,
        max,
        threshold: 0.0,
    };
    Some(match name {
        "linear" => Activation::Linear,
        "relu" => relu(0.0, f32::INFINITY),
        "relu6" => relu(0.0, 6.0),
        "leaky_relu" => relu(0.2, f32::INFINITY),
        "LeakyReLU" => relu(config.f32("negative_slope", 0.3).ok()?, f32::INFINITY),
        "ReLU" => Activation::Relu {
            slope: config.f32("negative_slope", 0.0).ok()?,
            max: config.f32("max_value", f32::INFINITY).ok()?,
            threshold: config.f32("threshold", 0.0).ok()?,
        },
        "elu" => Activation::Elu(1.0),
        "ELU" => Activation::Elu(config.f32("alpha", 1.0).ok()?),
        "celu" => Activation::Celu(1.0),
        "softmax" => Activation::Softmax(-1),
        "Softmax" => Activation::Softmax(config.int("axis", -1).ok()?),
        "log_softmax" => Activation::LogSoftmax(-1),
        "sparsemax" => Activation::Sparsemax(-1),
        "gelu" => Activation::Gelu(false),
        "glu" => Activation::Glu(-1),
        "sigmoid" => Activation::Plain(Sigmoid),
        "tanh" => Activation::Plain(Tanh),
        "exponential" => Activation::Plain(Exponential),
        "hard_sigmoid" => Activation::Plain(HardSigmoid),
        "hard_silu" | "hard_swish" => Activation::Plain(HardSilu),
        "hard_tanh" => Activation::Plain(HardTanh),
        "hard_shrink" => Activation::Plain(HardShrink),
        "log_sigmoid" => Activation::Plain(LogSigmoid),
        "mish" => Activation::Plain(Mish),
        "selu" => Activation::Plain(Selu),
        "silu" | "swish" => Activation::Plain(Silu),
        "soft_shrink" => Activation::Plain(SoftShrink),
        "softplus" => Activation::Plain(Softplus),
        "softsign" => Activation::Plain(Softsign),
        "sparse_plus" => Activation::Plain(SparsePlus),
        "sparse_sigmoid" => Activation::Plain(SparseSigmoid),
        "squareplus" => Activation::Plain(Squareplus),
        "tanh_shrink" => Activation::Plain(TanhShrink),
        _ => return None,
    })
}

/// Names of all activations, for the documentation.
pub const NAMES: &[&str] = &[
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "celu",
    "selu",
    "gelu",
    "glu",
    "silu",
    "swish",
    "mish",
    "softmax",
    "log_softmax",
    "sparsemax",
    "sigmoid",
    "log_sigmoid",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "hard_shrink",
    "tanh",
    "tanh_shrink",
    "exponential",
    "softplus",
    "softsign",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
];

/// Adds the operation of an activation; `None` when its axis does not exist.
pub fn apply(builder: &mut Builder, kind: Activation, x: &Sym) -> Option<Sym> {
    let shape = x.shape.clone();
    let remembers = matches!(kind, Activation::Softmax(_) | Activation::Plain(Plain::Sigmoid));
    let mut y = match kind {
        Activation::Linear => return Some(x.clone()),
        Activation::Softmax(axis) | Activation::LogSoftmax(axis) => {
            let axis = x.axis(axis)?;
            let log = matches!(kind, Activation::LogSoftmax(_));
            builder.op(Softmax { axis, log }, &[x], shape)
        }
        Activation::Sparsemax(axis) => {
            let axis = x.axis(axis)?;
            builder.op(Sparsemax { axis }, &[x], shape)
        }
        Activation::Glu(axis) => {
            let axis = x.axis(axis).filter(|&axis| axis > 0)?;
            let mut half = shape;
            half[axis] = match half[axis] {
                Some(size) if size.is_multiple_of(2) => Some(size / 2),
                Some(_) => return None,
                None => None,
            };
            builder.op(Glu { axis }, &[x], half)
        }
        Activation::Relu {
            slope,
            max,
            threshold,
        } if slope == 0.0 && threshold == 0.0 => builder.op(
            Elementwise {
                name: "relu",
                // Keeps NaN, as TensorFlow does.
                forward: move |x: f32| {
                    if x < 0.0 {
                        0.0
                    } else if x > max {
                        max
                    } else {
                        x
                    }
                },
                backward: move |x: f32, _, gy: f32| if x > 0.0 && x < max { gy } else { 0.0 },
            },
            &[x],
            shape,
        ),
        Activation::Relu {
            slope,
            max,
            threshold,
        } => builder.op(
            Elementwise {
                name: "relu",
                forward: move |x: f32| {
                    if x < threshold {
                        slope * (x - threshold)
                    } else if x > max {
                        max
                    } else if threshold != 0.0 && x <= threshold {
                        0.0
                    } else {
                        x
                    }
                },
                backward: move |x: f32, _, gy: f32| {
                    if x <= threshold {
                        slope * gy
                    } else if x < max {
                        gy
                    } else {
                        0.0
                    }
                },
            },
            &[x],
            shape,
        ),
        Activation::Elu(alpha) => builder.op(
            Elementwise {
                name: "elu",
                forward: move |x: f32| if x > 0.0 { x } else { alpha * x.exp_m1() },
                backward: move |x: f32, y: f32, gy: f32| if x > 0.0 { gy } else { gy * (y + alpha) },
            },
            &[x],
            shape,
        ),
        Activation::Celu(alpha) => builder.op(
            Elementwise {
                name: "celu",
                forward: move |x: f32| x.max(0.0) + alpha * (x.min(0.0) / alpha).exp_m1(),
                backward: move |x: f32, _, gy: f32| if x > 0.0 { gy } else { gy * (x / alpha).exp() },
            },
            &[x],
            shape,
        ),
        Activation::Gelu(approximate) => builder.op(
            Elementwise {
                name: "gelu",
                forward: move |x: f32| x * gaussian(x, approximate).0,
                backward: move |x: f32, _, gy: f32| {
                    let (share, slope) = gaussian(x, approximate);
                    gy * (share + x * slope)
                },
            },
            &[x],
            shape,
        ),
        Activation::Plain(Plain::Sigmoid) => builder.op(
            Elementwise {
                name: "sigmoid",
                forward: sigmoid,
                backward: |_, y: f32, gy: f32| gy * y * (1.0 - y),
            },
            &[x],
            shape,
        ),
        Activation::Plain(Plain::Tanh) => builder.op(
            Elementwise {
                name: "tanh",
                forward: tanh,
                backward: |_, y: f32, gy: f32| gy * (1.0 - y * y),
            },
            &[x],
            shape,
        ),
        Activation::Plain(plain) => builder.op(
            Elementwise {
                name: "activation",
                forward: move |x: f32| plain.value(x),
                backward: move |x: f32, y: f32, gy: f32| gy * plain.slope(x, y),
            },
            &[x],
            shape,
        ),
    };
    y.mask = x.mask;
    y.logits = remembers.then_some(x.id);
    Some(y)
}

/// Share and density of the normal distribution below `x`, exact or by `tanh`.
fn gaussian(x: f32, approximate: bool) -> (f32, f32) {
    if approximate {
        let root = (2.0 / std::f32::consts::PI).sqrt();
        let inner = tanh(root * (x + 0.044_715 * x * x * x));
        let slope = 0.5 * (1.0 - inner * inner) * root * (1.0 + 3.0 * 0.044_715 * x * x);
        (0.5 * (1.0 + inner), slope)
    } else {
        let wide = f64::from(x);
        let share = 0.5 * (1.0 + erf(wide / std::f64::consts::SQRT_2));
        let density = (-0.5 * wide * wide).exp() / (2.0 * std::f64::consts::PI).sqrt();
        #[allow(clippy::cast_possible_truncation)]
        (share as f32, density as f32)
    }
}

/// The error function: Taylor series near 0, continued fraction further out.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a < 2.5 {
        let (mut term, mut sum) = (a, a);
        for n in 1..60 {
            term *= -a * a / f64::from(n);
            let part = term / f64::from(2 * n + 1);
            sum += part;
            if part.abs() < 1e-17 {
                break;
            }
        }
        (2.0 / std::f64::consts::PI.sqrt() * sum).copysign(x)
    } else if a < 6.5 {
        let fraction = (1..=60).rev().fold(a, |below, n| a + f64::from(n) / 2.0 / below);
        (1.0 - (-a * a).exp() / fraction / std::f64::consts::PI.sqrt()).copysign(x)
    } else if x.is_nan() {
        x
    } else {
        1.0_f64.copysign(x)
    }
}

const SELU_ALPHA: f32 = 1.673_263_2;
const SELU_SCALE: f32 = 1.050_701;

impl Plain {
    /// The function.
    pub fn value(self, x: f32) -> f32 {
        match self {
            Plain::Sigmoid => sigmoid(x),
            Plain::Tanh => tanh(x),
            Plain::Exponential => exp(x),
            Plain::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Plain::HardSilu => x * ((x + 3.0).clamp(0.0, 6.0) / 6.0),
            Plain::HardTanh => x.clamp(-1.0, 1.0),
            Plain::HardShrink => {
                if x.abs() <= 0.5 {
                    0.0
                } else {
                    x
                }
            }
            Plain::LogSigmoid => -softplus(-x),
            Plain::Mish => x * tanh(softplus(x)),
            Plain::Selu => SELU_SCALE * if x > 0.0 { x } else { SELU_ALPHA * x.exp_m1() },
            Plain::Silu => x * sigmoid(x),
            Plain::SoftShrink => {
                if x > 0.5 {
                    x - 0.5
                } else if x < -0.5 {
                    x + 0.5
                } else {
                    0.0 * x
                }
            }
            Plain::Softplus => softplus(x),
            Plain::Softsign => x / (1.0 + x.abs()),
            Plain::SparsePlus => {
                if x <= -1.0 {
                    0.0
                } else if x < 1.0 {
                    0.25 * (x + 1.0) * (x + 1.0)
                } else {
                    x
                }
            }
            Plain::SparseSigmoid => (0.5 * (x + 1.0)).clamp(0.0, 1.0),
            Plain::Squareplus => 0.5 * (x + (x * x + 4.0).sqrt()),
            Plain::TanhShrink => x - tanh(x),
        }
    }

    /// Its derivative at `x`, where it is `y`.
    pub fn slope(self, x: f32, y: f32) -> f32 {
        let within = |low: f32, high: f32| f32::from(u8::from(x > low && x < high));
        match self {
            Plain::Sigmoid => y * (1.0 - y),
            Plain::Tanh => 1.0 - y * y,
            Plain::Exponential => y,
            Plain::HardSigmoid => within(-3.0, 3.0) / 6.0,
            Plain::HardSilu => (x + 3.0).clamp(0.0, 6.0) / 6.0 + x * within(-3.0, 3.0) / 6.0,
            Plain::HardTanh => f32::from(u8::from((-1.0..=1.0).contains(&x))),
            Plain::HardShrink | Plain::SoftShrink => f32::from(u8::from(x.abs() > 0.5)),
            Plain::LogSigmoid => sigmoid(-x),
            Plain::Mish => {
                let t = tanh(softplus(x));
                t + x * (1.0 - t * t) * sigmoid(x)
            }
            Plain::Selu => {
                if x > 0.0 {
                    SELU_SCALE
                } else {
                    y + SELU_SCALE * SELU_ALPHA
                }
            }
            Plain::Silu => {
                let s = sigmoid(x);
                s * (1.0 + x * (1.0 - s))
            }
            Plain::Softplus => sigmoid(x),
            Plain::Softsign => 1.0 / ((1.0 + x.abs()) * (1.0 + x.abs())),
            Plain::SparsePlus => {
                if x <= -1.0 {
                    0.0
                } else if x < 1.0 {
                    0.5 * (x + 1.0)
                } else {
                    1.0
                }
            }
            Plain::SparseSigmoid => 0.5 * within(-1.0, 1.0),
            Plain::Squareplus => 0.5 + 0.5 * x / (x * x + 4.0).sqrt(),
            Plain::TanhShrink => {
                let t = tanh(x);
                t * t
            }
        }
    }
}

/// Softmax, or its logarithm, along an axis.
struct Softmax {
    axis: usize,
    log: bool,
}

/// Softmax of one row, in place.
pub fn softmax_row(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = exp(*value - largest);
        sum += *value;
    }
    let scale = 1.0 / sum;
    for value in row {
        *value *= scale;
    }
}

impl Op for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        outs[0].copy_from(ins[0].view())?;
        let (before, size, after) = around(ins[0].shape(), self.axis);
        let data = outs[0].data_mut();
        let mut row = vec![0.0; size];
        for outer in 0..before {
            for inner in 0..after {
                let start = outer * size * after + inner;
                let places = (0..size).map(|at| start + at * after);
                for (value, place) in row.iter_mut().zip(places.clone()) {
                    *value = data[place];
                }
                if self.log {
                    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    let sum: f32 = row.iter().map(|&value| exp(value - largest)).sum();
                    let shift = largest + sum.ln();
                    row.iter_mut().for_each(|value| *value -= shift);
                } else {
                    softmax_row(&mut row);
                }
                for (&value, place) in row.iter().zip(places) {
                    data[place] = value;
                }
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward {
            ins,
            outs,
            gouts,
            gins,
        }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let (before, size, after) = around(ins[0].shape(), self.axis);
        let (y, gy, gx) = (outs[0].data(), gouts[0].data(), gin.data_mut());
        for outer in 0..before {
            for inner in 0..after {
                let start = outer * size * after + inner;
                let places = (0..size).map(|at| start + at * after);
                if self.log {
                    let sum: f32 = places.clone().map(|place| gy[place]).sum();
                    for place in places {
                        gx[place] += gy[place] - exp(y[place]) * sum;
                    }
                } else {
                    let dot: f32 = places.clone().map(|place| gy[place] * y[place]).sum();
                    for place in places {
                        gx[place] += y[place] * (gy[place] - dot);
                    }
                }
            }
        }
        Ok(())
    }
}
