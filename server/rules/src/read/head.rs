//! The output of a model: its last layer with units, and the activation that is applied last.

use finding::Range;
use program::{Call, Model, Program, Source, Value};

use super::activation::{Activation, activation, of_layer};
use super::chain::is_convolution;
use crate::context::{Given, given};

/// The output of a Sequential model.
pub(crate) struct Head<'a> {
    /// The activation applied last.
    pub activation: Activation,
    /// Its value in the source; `None` where it is the default of the layer.
    pub place: Option<Range>,
    /// The call of the layer that applies it.
    pub call: &'a Call,
    /// Position of that layer in the model.
    pub position: usize,
    /// Units of the output, where known.
    pub units: Option<i64>,
}

impl<'a> Head<'a> {
    /// What to underline for the activation: its value, or the layer where it is left to the default.
    pub(crate) fn range(&self) -> Range {
        self.place.unwrap_or(self.call.range)
    }

    /// One layer with units for itself, as if it were a model.
    pub(crate) fn of_layer(program: &'a Program, call: &'a Call) -> Option<Head<'a>> {
        // The layer inside is a call of its own.
        if call.class() == "TimeDistributed" {
            None
        } else {
            own_head(program, call, 0)
        }
    }

    /// The output of a model; `None` when anything about it is uncertain.
    pub(crate) fn of(program: &'a Program, model: &Model) -> Option<Head<'a>> {
        let certain = model.layers.len().checked_sub(model.tail)?;
        let positions = (certain..model.layers.len()).rev();
        Head::behind(program, model, positions)
    }

    /// One of several outputs of a model; `None` when anything about it is uncertain.
    pub(crate) fn of_output(program: &'a Program, model: &Model, output: Source) -> Option<Head<'a>> {
        let before = |position: &usize| match model.layers.get(*position)?.inputs.as_slice() {
            [Source::Layer(before)] if before < position => Some(*before),
            _ => None,
        };
        let Source::Layer(last) = output else { return None };
        Head::behind(program, model, std::iter::successors(Some(last), before))
    }

    /// The output that the layers at some positions make, the last one first.
    fn behind(
        program: &'a Program,
        model: &Model,
        positions: impl Iterator<Item = usize>,
    ) -> Option<Head<'a>> {
        let mut outer: Option<Head<'a>> = None;
        let mut reshaped = false;
        for position in positions {
            let call = program.call(model.layers.get(position)?.call);
            match call.class() {
                "Dropout"
                | "SpatialDropout1D"
                | "SpatialDropout2D"
                | "SpatialDropout3D"
                | "Identity"
                | "ActivityRegularization" => {}
                "GlobalAveragePooling1D" | "GlobalAveragePooling2D" | "GlobalAveragePooling3D" => {}
                "Flatten" | "Reshape" | "Permute" => reshaped = true,
                "Activation" | "ReLU" | "LeakyReLU" | "PReLU" | "ELU" | "Softmax" => {
                    let place = call.argument("activation").map(|argument| argument.value.range);
                    let next = Head {
                        activation: of_layer(program, call)?,
                        place,
                        call,
                        position,
                        units: None,
                    };
                    let next = Head {
                        place: next.place.or(Some(call.range)),
                        ..next
                    };
                    outer = Some(compose(outer, next)?);
                }
                _ => {
                    let own = own_head(program, call, position)?;
                    let units = own.units.filter(|_| !reshaped);
                    return Some(Head {
                        units,
                        ..compose(outer, own)?
                    });
                }
            }
        }
        None
    }
}

/// Two activations in a row, as the one they amount to.
fn compose<'a>(outer: Option<Head<'a>>, inner: Head<'a>) -> Option<Head<'a>> {
    match outer {
        None => Some(inner),
        Some(outer) if outer.activation == "linear" => Some(inner),
        Some(outer) if inner.activation == "linear" => Some(outer),
        // These decide what comes out, whatever goes in.
        Some(outer) if matches!(outer.activation, "softmax" | "sigmoid") => Some(outer),
        Some(_) => None,
    }
}

/// Units of a layer that has them in an argument.
fn own_units(call: &Call) -> Option<i64> {
    let argument = match call.class() {
        "Dense" | "LSTM" | "GRU" | "SimpleRNN" => "units",
        name if is_convolution(name) => "filters",
        _ => return None,
    };
    match call.argument(argument)?.value.value {
        Value::Int(units) if units > 0 => Some(units),
        _ => None,
    }
}

fn own_head<'a>(program: &'a Program, call: &'a Call, position: usize) -> Option<Head<'a>> {
    if !call.callee.starts_with("keras.layers.") {
        return None;
    }
    let default = match call.class() {
        "Dense" => "linear",
        "LSTM" | "GRU" | "SimpleRNN" => "tanh",
        "TimeDistributed" => {
            let Value::Call(inner) = call.argument("layer")?.value.value else {
                return None;
            };
            let inner = program.call(inner);
            return (inner.class() != "TimeDistributed").then(|| own_head(program, inner, position))?;
        }
        // With the channels first, the last axis is not the units'.
        name if is_convolution(name) && matches!(given(call, "data_format"), Given::Absent) => "linear",
        _ => return None,
    };
    let (activation, place) = match given(call, "activation") {
        Given::Value(value) => (activation(program, value)?, Some(value.range)),
        Given::Absent => (default, None),
        Given::Unknown => return None,
    };
    Some(Head {
        activation,
        place,
        call,
        position,
        units: own_units(call),
    })
}
