//! The arguments of a layer, as the rules for shapes need them.

use finding::Range;

use super::{Shape, ShapeError};
use crate::{Call, Program, Value};

/// The arguments of the call that makes a layer.
pub(super) struct Arguments<'a> {
    pub program: &'a Program,
    pub call: &'a Call,
    /// Whether the script sets which axis holds the channels when a layer does not say.
    pub channels_may_be_first: bool,
}

impl<'a> Arguments<'a> {
    /// The value of an argument: `None` when it is not known, `Some(None)` when it is left to the default.
    pub(super) fn value(&self, name: &str) -> Option<Option<&'a Value>> {
        match self.call.argument(name) {
            Some(argument) => match &argument.value.value {
                Value::Unknown => None,
                value => Some(Some(value)),
            },
            None if self.call.open_ended
                || self.call.arguments.iter().any(|argument| argument.name.is_none()) =>
            {
                None
            }
            None => Some(None),
        }
    }

    pub(super) fn bool(&self, name: &str, default: bool) -> Option<bool> {
        match self.value(name)? {
            None => Some(default),
            Some(Value::Bool(truth)) => Some(*truth),
            Some(_) => None,
        }
    }

    pub(super) fn text(&self, name: &str, default: &'static str) -> Option<&'a str> {
        match self.value(name)? {
            None => Some(default),
            Some(Value::Str(text)) => Some(text),
            Some(_) => None,
        }
    }

    /// A whole number; a default of `None` means that it must be given.
    pub(super) fn int(&self, name: &str, default: Option<i64>) -> Option<i64> {
        match self.value(name)? {
            None => default,
            Some(Value::Int(number)) => Some(*number),
            Some(_) => None,
        }
    }

    /// A size: a whole number above 0.
    pub(super) fn size(&self, name: &str) -> Option<u64> {
        positive(self.int(name, None)?)
    }

    /// One size per axis, from one number for all or a list of them.
    pub(super) fn sizes(&self, name: &str, axes: usize, default: u64) -> Option<Vec<u64>> {
        match self.value(name)? {
            None | Some(Value::None) => Some(vec![default; axes]),
            Some(value) => sizes_of(value, axes),
        }
    }

    /// Whether the channels are the last axis.
    pub(super) fn channels_last(&self) -> Option<bool> {
        match self.value("data_format")? {
            None | Some(Value::None) => (!self.channels_may_be_first).then_some(true),
            Some(Value::Str(format)) => match format.as_str() {
                "channels_last" => Some(true),
                "channels_first" => Some(false),
                _ => None,
            },
            Some(_) => None,
        }
    }

    /// An error at an argument, or at the layer where the argument is not written.
    pub(super) fn error(&self, argument: &str, message: String) -> ShapeError {
        let range: Range = self
            .call
            .argument(argument)
            .map_or(self.call.range, |argument| argument.value.range);
        ShapeError { range, message }
    }

    /// Checks the number of axes of an input.
    pub(super) fn rank(&self, input: &Shape, rank: usize, axes: &str) -> Result<(), ShapeError> {
        if input.0.len() == rank {
            return Ok(());
        }
        let class = self.call.class();
        Err(ShapeError {
            range: self.call.range,
            message: format!(
                "{class} takes inputs of {rank} axes, {axes}, but this one has the shape {input}"
            ),
        })
    }
}

pub(super) fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}

pub(super) fn sizes_of(value: &Value, axes: usize) -> Option<Vec<u64>> {
    match value {
        Value::Int(number) => Some(vec![positive(*number)?; axes]),
        Value::List(items) if items.len() == axes => items
            .iter()
            .map(|item| match item.value {
                Value::Int(number) => positive(number),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// The product of numbers; `None` when it is too large to be one.
pub(super) fn product(sizes: impl IntoIterator<Item = u64>) -> Option<u64> {
    sizes
        .into_iter()
        .try_fold(1_u64, |product, size| product.checked_mul(size))
}
