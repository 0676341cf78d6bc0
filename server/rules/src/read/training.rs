//! A `fit` call with what belongs to it.

use finding::Range;
use program::{Call, Expr, Fit, Model, ModelKind, Program, Value};

use crate::context::{Given, given, number};

/// A call of `fit`, with the model and the `compile` in force.
pub(crate) struct Training<'a> {
    pub fit: &'a Call,
    pub record: &'a Fit,
    pub model: Option<&'a Model>,
    pub compile: Option<&'a Call>,
}

impl<'a> Training<'a> {
    pub(crate) fn of(program: &'a Program, record: &'a Fit) -> Training<'a> {
        Training {
            fit: program.call(record.call),
            record,
            model: record.model.and_then(|model| program.model(model)),
            compile: record.compile.map(|compile| program.call(compile)),
        }
    }

    /// Whether there is validation data; `None` when that is not known.
    pub(crate) fn validates(&self) -> Option<bool> {
        let split = match given(self.fit, "validation_split") {
            Given::Value(value) => Some(number(&value.value)? > 0.0),
            Given::Absent => Some(false),
            Given::Unknown => None,
        };
        let data = match given(self.fit, "validation_data") {
            Given::Value(value) => match &value.value {
                Value::None => Some(false),
                Value::List(_) => Some(true),
                _ => None,
            },
            Given::Absent => Some(false),
            Given::Unknown => None,
        };
        match (split, data) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }

    /// The callbacks that are seen; there may be others.
    pub(crate) fn callbacks(&self, program: &'a Program) -> Vec<&'a Call> {
        let Some(argument) = self.fit.argument("callbacks") else {
            return Vec::new();
        };
        let one = |expr: &Expr| match expr.value {
            Value::Call(call) => Some(program.call(call)),
            _ => None,
        };
        match &argument.value.value {
            Value::List(list) => list.iter().filter_map(one).collect(),
            _ => one(&argument.value).into_iter().collect(),
        }
    }

    /// The names under which `compile` makes Keras log its metrics; `None` when one of them is not known.
    pub(crate) fn metrics(&self) -> Option<Vec<String>> {
        let compile = self.compile?;
        if !matches!(given(compile, "weighted_metrics"), Given::Absent) {
            return None;
        }
        match given(compile, "metrics") {
            Given::Absent => Some(Vec::new()),
            Given::Unknown => None,
            Given::Value(value) => match &value.value {
                Value::None => Some(Vec::new()),
                Value::List(list) => list.iter().map(|metric| metric_name(&metric.value)).collect(),
                _ => None,
            },
        }
    }

    /// Whether all callbacks are Keras' own, so that nothing else adds to the logs.
    pub(crate) fn only_known_callbacks(&self, program: &'a Program) -> bool {
        let known = |callback: &&Call| callback.callee.starts_with("keras.callbacks.");
        let callbacks = self.callbacks(program);
        let given = match self
            .fit
            .argument("callbacks")
            .map(|argument| &argument.value.value)
        {
            None => matches!(given(self.fit, "callbacks"), Given::Absent).then_some(0),
            Some(Value::List(list)) => Some(list.len()),
            Some(Value::Call(_)) => Some(1),
            Some(_) => None,
        };
        given == Some(callbacks.len()) && callbacks.iter().all(known)
    }

    /// Everything in the logs of an epoch; `None` when one of the names is not known.
    pub(crate) fn logged(&self) -> Option<Vec<String>> {
        let mut names = self.metrics()?;
        names.push("loss".to_owned());
        if self.validates()? {
            names.extend(names.clone().iter().map(|name| format!("val_{name}")));
        }
        Some(names)
    }
}

fn metric_name(metric: &Value) -> Option<String> {
    match metric {
        Value::Str(name) => Some(name.clone()),
        _ => None,
    }
}

/// What a callback watches, and what to underline for it; `None` when that is not known or does not matter.
pub(crate) fn monitored(callback: &Call) -> Option<(String, Range)> {
    match callback.callee.strip_prefix("keras.callbacks.")? {
        "EarlyStopping" | "ReduceLROnPlateau" => {}
        "ModelCheckpoint" => {
            let best = &callback.argument("save_best_only")?.value.value;
            if *best != Value::Bool(true) {
                return None;
            }
        }
        _ => return None,
    }
    match given(callback, "monitor") {
        Given::Absent => Some(("val_loss".to_owned(), callback.callee_range)),
        Given::Value(Expr {
            value: Value::Str(name),
            range,
            ..
        }) => Some((name.clone(), *range)),
        _ => None,
    }
}

/// Names of the same metric.
const SPELLINGS: [(&str, &str); 3] = [
    ("acc", "accuracy"),
    ("mse", "mean_squared_error"),
    ("mae", "mean_absolute_error"),
];

/// The other spelling of a metric, when that is the one in the logs.
pub(crate) fn respelled<'l>(name: &str, logged: &'l [String]) -> Option<&'l str> {
    let base = name.trim_start_matches("val_");
    let other = SPELLINGS.iter().find_map(|(short, long)| match base {
        _ if base == *short => Some(*long),
        _ if base == *long => Some(*short),
        _ => None,
    })?;
    let prefix = name.strip_suffix(base)?;
    logged
        .iter()
        .map(String::as_str)
        .find(|logged| logged.strip_prefix(prefix) == Some(other))
}

/// Whether a model is known completely and gives one output, so that its metrics are logged under their own names.
pub(crate) fn has_one_output(model: &Model) -> bool {
    model.complete
        && model.tail > 0
        && !model.custom_loss
        && matches!(model.kind, ModelKind::Sequential | ModelKind::Functional)
}

/// The model that a method is called on, where one model alone has the name it is called by.
pub(crate) fn model_of<'p>(program: &'p Program, text: &str, call: &Call) -> Option<&'p Model> {
    let name = receiver(call, text)?;
    let mut named = program
        .models
        .iter()
        .filter(|model| model.name.as_deref() == Some(name));
    let model = named.next()?;
    named.next().is_none().then_some(model)
}

/// What a method is called on, as written.
pub(crate) fn receiver<'t>(call: &Call, text: &'t str) -> Option<&'t str> {
    call.callee_range
        .slice(text)
        .rsplit_once('.')
        .map(|(object, _)| object)
}
