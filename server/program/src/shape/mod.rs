//! Shapes and parameter counts, by Keras' own rules, wherever the shape of the input is known.

mod arguments;
mod attention;
mod convolution;
mod dense;
mod keep;
mod merge;
mod normalization;
mod pooling;
mod recurrent;
mod reshaping;

use std::fmt;

use finding::Range;

use crate::{Call, CallId, Model, ModelId, Program, Source, Value};
use arguments::Arguments;

/// Sizes of the axes of a tensor, the batch first; `None` where a size is not fixed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(pub Vec<Option<u64>>);

impl fmt::Display for Shape {
    /// As Keras writes it: `(None, 28, 28, 1)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(")?;
        for (axis, size) in self.0.iter().enumerate() {
            if axis > 0 {
                formatter.write_str(", ")?;
            }
            match size {
                Some(size) => write!(formatter, "{size}")?,
                None => formatter.write_str("None")?,
            }
        }
        formatter.write_str(if self.0.len() == 1 { ",)" } else { ")" })
    }
}

/// Why Keras refuses a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The argument that does not fit, or the call of the layer.
    pub range: Range,
    /// What does not fit, with the numbers, for a person.
    pub message: String,
}

/// What is known of the shapes of one layer of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerShape {
    /// The model.
    pub model: ModelId,
    /// Position in [`Model::layers`].
    pub layer: usize,
    /// The call that creates the layer.
    pub call: CallId,
    /// Shape of its (first) input.
    pub input: Option<Shape>,
    /// Shape of its (first) output.
    pub output: Option<Shape>,
    /// Number of weights, those that are not trained included.
    pub params: Option<u64>,
    /// Why Keras raises an exception here; nothing behind it has a shape.
    pub error: Option<ShapeError>,
}

impl Program {
    /// The shapes of the layers of all models, in the order of [`Program::models`] and [`Model::layers`].
    pub fn shapes(&self) -> Vec<LayerShape> {
        let channels_may_be_first = self.calls.iter().any(|call| {
            call.callee.contains("set_image_data_format") || call.callee.contains("set_image_dim_ordering")
        });
        self.models
            .iter()
            .enumerate()
            .flat_map(|(number, model)| self.shapes_of(ModelId(number), model, channels_may_be_first))
            .collect()
    }

    fn shapes_of(&self, id: ModelId, model: &Model, channels_may_be_first: bool) -> Vec<LayerShape> {
        let mut shapes: Vec<LayerShape> = Vec::with_capacity(model.layers.len());
        for (position, layer) in model.layers.iter().enumerate() {
            let call = self.call(layer.call);
            let inputs: Vec<Option<Shape>> = layer
                .inputs
                .iter()
                .map(|source| match source {
                    Source::Layer(before) => shapes.get(*before)?.output.clone(),
                    Source::Input(Some(input)) => self.input_shape(self.call(*input)),
                    Source::Input(None) => self.input_shape(call),
                    Source::Extra(_) | Source::Unknown => None,
                })
                .collect();
            let arguments = Arguments {
                program: self,
                call,
                channels_may_be_first,
            };
            let (inferred, error) = match infer(&arguments, &inputs) {
                Ok(inferred) => (inferred, None),
                Err(error) => (Inferred::default(), Some(error)),
            };
            shapes.push(LayerShape {
                model: id,
                layer: position,
                call: layer.call,
                input: inputs.into_iter().next().flatten(),
                output: inferred.output,
                params: inferred.params,
                error,
            });
        }
        shapes
    }

    /// The shape that a call of `Input`, or the first layer of a Sequential model, declares.
    fn input_shape(&self, call: &Call) -> Option<Shape> {
        let sizes = |name: &str| -> Option<Vec<Option<u64>>> {
            let Value::List(items) = &call.argument(name)?.value.value else {
                return None;
            };
            items
                .iter()
                .map(|item| match item.value {
                    Value::None => Some(None),
                    Value::Int(size) => Some(Some(u64::try_from(size).ok()?)),
                    _ => None,
                })
                .collect()
        };
        if let Some(whole) = sizes("batch_shape").or_else(|| sizes("batch_input_shape")) {
            return Some(Shape(whole));
        }
        let batch = match call.argument("batch_size").map(|argument| &argument.value.value) {
            None | Some(Value::None) => None,
            Some(Value::Int(size)) => Some(u64::try_from(*size).ok()?),
            Some(_) => return None,
        };
        let rest = match sizes("shape")
            .filter(|_| call.class().starts_with("Input"))
            .or_else(|| sizes("input_shape"))
        {
            Some(rest) => rest,
            None => match call.argument("input_dim").map(|argument| &argument.value.value) {
                // Of an Embedding, it is another thing.
                Some(Value::Int(size)) if call.class() != "Embedding" => {
                    vec![Some(u64::try_from(*size).ok()?)]
                }
                _ => return None,
            },
        };
        Some(Shape([vec![batch], rest].concat()))
    }
}

/// What follows for a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Inferred {
    output: Option<Shape>,
    params: Option<u64>,
}

impl Inferred {
    fn new(output: Option<Shape>, params: Option<u64>) -> Self {
        Inferred { output, params }
    }

    /// A layer without weights.
    fn weightless(output: Option<Shape>) -> Self {
        Inferred::new(output, Some(0))
    }
}

type Inference = Result<Inferred, ShapeError>;

/// What follows for a layer from the shapes of its inputs.
fn infer(layer: &Arguments<'_>, inputs: &[Option<Shape>]) -> Inference {
    let Some(class) = layer.call.callee.strip_prefix("keras.layers.") else {
        return Ok(Inferred::default());
    };
    if let Some(inferred) = merge::infer(class, layer, inputs) {
        return inferred;
    }
    if class == "MultiHeadAttention" {
        return attention::infer(layer, inputs);
    }
    let input = match inputs {
        [only] => only.as_ref(),
        // Initial states, masks: the first is what the layer works on.
        [first, ..] => first.as_ref(),
        [] => None,
    };
    one(class, layer, input)
}

/// The same for a layer with one input.
fn one(class: &str, layer: &Arguments<'_>, input: Option<&Shape>) -> Inference {
    [
        keep::infer,
        dense::infer,
        convolution::infer,
        pooling::infer,
        reshaping::infer,
        recurrent::infer,
        normalization::infer,
    ]
    .iter()
    .find_map(|group| group(class, layer, input))
    .unwrap_or_else(|| Ok(Inferred::default()))
}
