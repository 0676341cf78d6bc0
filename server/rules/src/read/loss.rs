//! Losses, however they are written.

use finding::Range;
use program::{Argument, Call, Expr, Model, Program, Source, Value};

use crate::context::{Given, given};

/// The losses rules speak about: the name used here, the strings Keras accepts for it, its class.
const NAMES: [(&str, &[&str], &str); 11] = [
    (
        "binary_crossentropy",
        &["binary_crossentropy", "bce", "BCE"],
        "BinaryCrossentropy",
    ),
    (
        "categorical_crossentropy",
        &["categorical_crossentropy"],
        "CategoricalCrossentropy",
    ),
    (
        "sparse_categorical_crossentropy",
        &["sparse_categorical_crossentropy"],
        "SparseCategoricalCrossentropy",
    ),
    (
        "mean_squared_error",
        &["mean_squared_error", "mse", "MSE"],
        "MeanSquaredError",
    ),
    (
        "mean_absolute_error",
        &["mean_absolute_error", "mae", "MAE"],
        "MeanAbsoluteError",
    ),
    (
        "mean_absolute_percentage_error",
        &["mean_absolute_percentage_error", "mape", "MAPE"],
        "MeanAbsolutePercentageError",
    ),
    (
        "mean_squared_logarithmic_error",
        &["mean_squared_logarithmic_error", "msle", "MSLE"],
        "MeanSquaredLogarithmicError",
    ),
    ("huber", &["huber"], "Huber"),
    ("log_cosh", &["log_cosh"], "LogCosh"),
    ("hinge", &["hinge"], "Hinge"),
    ("squared_hinge", &["squared_hinge"], "SquaredHinge"),
];

/// The loss a model is compiled with.
pub(crate) struct Loss<'a> {
    /// Canonical name.
    pub name: &'static str,
    /// The value of the `loss=` argument, or the one element of the list it is.
    pub range: Range,
    /// The name as written, without module and quotes; what a fix replaces.
    pub written: String,
    /// Whether it takes logits; `None` when that is not known.
    pub from_logits: Option<bool>,
    /// The `from_logits=` argument.
    pub logits_argument: Option<&'a Argument>,
}

impl<'a> Loss<'a> {
    /// The loss of a `compile` call; `None` when it is not one of those known here.
    pub(crate) fn of(program: &'a Program, compile: &'a Call) -> Option<Loss<'a>> {
        let Given::Value(mut expr) = given(compile, "loss") else {
            return None;
        };
        if let Value::List(losses) = &expr.value {
            let [only] = losses.as_slice() else { return None };
            expr = only;
        }
        Loss::of_value(program, expr)
    }

    /// The losses of the outputs of a model that has several: by the name of the output's layer, in their order, or one
    /// for all.
    pub(crate) fn of_outputs(
        program: &'a Program,
        compile: &'a Call,
        model: &Model,
    ) -> Vec<(Source, Loss<'a>)> {
        let Given::Value(expr) = given(compile, "loss") else {
            return Vec::new();
        };
        let named = |output: &Source, name: &Value| match output {
            Source::Layer(position) => model.layers.get(*position).is_some_and(|layer| {
                program
                    .call(layer.call)
                    .argument("name")
                    .is_some_and(|own| matches!(own.value.value, Value::Str(_)) && own.value.value == *name)
            }),
            _ => false,
        };
        let losses: Vec<Option<&Expr>> = match &expr.value {
            Value::Dict(items) => model
                .outputs
                .iter()
                .map(|output| items.iter().find(|(name, _)| named(output, &name.value)))
                .map(|item| item.map(|(_, loss)| loss))
                .collect(),
            Value::List(list) if list.len() == model.outputs.len() => list.iter().map(Some).collect(),
            Value::List(_) => Vec::new(),
            _ => model.outputs.iter().map(|_| Some(expr)).collect(),
        };
        model
            .outputs
            .iter()
            .zip(losses)
            .filter_map(|(output, loss)| Some((*output, Loss::of_value(program, loss?)?)))
            .collect()
    }

    fn of_value(program: &'a Program, expr: &'a Expr) -> Option<Loss<'a>> {
        let plain = |name, written: &str| Loss {
            name,
            range: expr.range,
            written: written.to_owned(),
            from_logits: Some(false),
            logits_argument: None,
        };
        match &expr.value {
            Value::Str(text) => Some(plain(by_string(text).or_else(|| by_class(text))?, text)),
            Value::Reference(path) => {
                let name = path
                    .strip_prefix("keras.losses.")
                    .or_else(|| path.strip_prefix("keras.metrics."))?;
                Some(plain(by_string(name).or_else(|| by_class(name))?, name))
            }
            Value::Call(call) => {
                let call = program.call(*call);
                let name = call.callee.strip_prefix("keras.losses.")?;
                let loss = plain(by_class(name)?, name);
                let from_logits = match given(call, "from_logits") {
                    Given::Absent => Some(false),
                    Given::Value(Expr {
                        value: Value::Bool(logits),
                        ..
                    }) => Some(*logits),
                    _ => None,
                };
                Some(Loss {
                    from_logits,
                    logits_argument: call.argument("from_logits"),
                    ..loss
                })
            }
            _ => None,
        }
    }

    /// Whether the loss compares numbers, not classes.
    pub(crate) fn is_regression(&self) -> bool {
        !self.name.ends_with("crossentropy") && !self.name.ends_with("hinge")
    }

    /// Whether it is a cross-entropy over classes that exclude one another.
    pub(crate) fn is_categorical(&self) -> bool {
        self.name.ends_with("categorical_crossentropy")
    }
}

fn by_string(text: &str) -> Option<&'static str> {
    NAMES
        .iter()
        .find(|(_, strings, _)| strings.contains(&text))
        .map(|(name, ..)| *name)
}

fn by_class(text: &str) -> Option<&'static str> {
    NAMES
        .iter()
        .find(|(.., class)| *class == text)
        .map(|(name, ..)| *name)
}
