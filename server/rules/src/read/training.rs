//! A `fit` call with what belongs to it.

use program::{Call, Expr, Fit, Model, Program, Value};

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

/// What a method is called on, as written.
pub(crate) fn receiver<'t>(call: &Call, text: &'t str) -> Option<&'t str> {
    call.callee_range
        .slice(text)
        .rsplit_once('.')
        .map(|(object, _)| object)
}
