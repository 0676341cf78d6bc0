//! What one step of a recurrent layer computes for one sample, forward and backward.

use crate::functions::{sigmoid, tanh};
use crate::native::wide;

/// An activation whose slope follows from its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::layers) enum Curve {
    Linear,
    Tanh,
    Sigmoid,
    Relu,
    HardSigmoid,
}

impl Curve {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "linear" => Curve::Linear,
            "tanh" => Curve::Tanh,
            "sigmoid" => Curve::Sigmoid,
            "relu" => Curve::Relu,
            "hard_sigmoid" => Curve::HardSigmoid,
            _ => return None,
        })
    }

    /// The function, in place.
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Curve::Linear => {}
            Curve::Tanh => wide(
                #[inline(always)]
                || values.iter_mut().for_each(|x| *x = tanh(*x)),
            ),
            Curve::Sigmoid => wide(
                #[inline(always)]
                || values.iter_mut().for_each(|x| *x = sigmoid(*x)),
            ),
            Curve::Relu => values
                .iter_mut()
                .for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x }),
            Curve::HardSigmoid => values
                .iter_mut()
                .for_each(|x| *x = (*x + 3.0).clamp(0.0, 6.0) / 6.0),
        }
    }

    /// Its slope where it has the value `y`.
    #[inline]
    pub fn slope(self, y: f32) -> f32 {
        match self {
            Curve::Linear => 1.0,
            Curve::Tanh => 1.0 - y * y,
            Curve::Sigmoid => y * (1.0 - y),
            Curve::Relu => f32::from(u8::from(y > 0.0)),
            Curve::HardSigmoid => f32::from(u8::from(y > 0.0 && y < 1.0)) / 6.0,
        }
    }
}

/// A kind of cell with its activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Simple(Curve),
    /// Activation, and that of the gates.
    Lstm(Curve, Curve),
    Gru {
        curve: Curve,
        gate: Curve,
        reset_after: bool,
    },
}

impl Cell {
    /// Blocks of its kernel.
    pub fn gates(self) -> usize {
        match self {
            Cell::Simple(_) => 1,
            Cell::Lstm(..) => 4,
            Cell::Gru { .. } => 3,
        }
    }

    /// States it keeps.
    pub fn states(self) -> usize {
        match self {
            Cell::Lstm(..) => 2,
            _ => 1,
        }
    }

    /// Whether input and recurrent part have a bias each.
    pub fn two_biases(self) -> bool {
        matches!(
            self,
            Cell::Gru {
                reset_after: true,
                ..
            }
        )
    }
}
