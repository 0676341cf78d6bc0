//! What a rule looks at, and how it says what it found.

use std::path::Path;

use finding::{Applicability, Edit, Finding, Fix, LayerRef, Range, RuleInfo, Source};
use program::{Call, Model, Program, Value};

use crate::read::{Head, Loss, layer_name};

/// A model as it is compiled, when its output and its loss are known.
pub(crate) struct Output<'a> {
    pub compile: &'a Call,
    pub model: &'a Model,
    pub head: Head<'a>,
    pub loss: Loss<'a>,
}

/// What every rule is given.
pub(crate) struct Context<'a> {
    pub program: &'a Program,
    pub text: &'a str,
    path: &'a Path,
    /// One per `compile` of a model whose output and loss are known.
    pub outputs: Vec<Output<'a>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(program: &'a Program, text: &'a str, path: &'a Path) -> Self {
        let outputs = program
            .compiles
            .iter()
            .filter_map(|compile| {
                let call = program.call(compile.call);
                let model = program.model(compile.model?)?;
                let head = Head::of(program, model)?;
                Some(Output {
                    compile: call,
                    model,
                    head,
                    loss: Loss::of(program, call)?,
                })
            })
            .collect();
        Context {
            program,
            text,
            path,
            outputs,
        }
    }

    /// A finding with what the rule itself says; the rest is for the rule to fill in.
    pub(crate) fn finding(&self, rule: &RuleInfo, range: Range, message: impl Into<String>) -> Finding {
        Finding {
            code: rule.code,
            name: rule.name,
            kind: rule.kind,
            severity: rule.severity,
            source: Source::Static,
            path: self.path.to_owned(),
            range,
            layer: None,
            message: message.into(),
            evidence: Vec::new(),
            confidence: 0.9,
            fixes: Vec::new(),
        }
    }

    /// A fix of one edit.
    pub(crate) fn fix(
        &self,
        title: impl Into<String>,
        applicability: Applicability,
        range: Range,
        text: impl Into<String>,
    ) -> Fix {
        self.fix_all(title, applicability, vec![(range, text.into())])
    }

    /// A fix of several edits.
    pub(crate) fn fix_all(
        &self,
        title: impl Into<String>,
        applicability: Applicability,
        edits: Vec<(Range, String)>,
    ) -> Fix {
        let edit = |(range, new_text)| Edit {
            path: self.path.to_owned(),
            range,
            new_text,
        };
        Fix {
            title: title.into(),
            applicability,
            edits: edits.into_iter().map(edit).collect(),
            trial: None,
        }
    }

    /// The edit that gives a layer's head another activation; `None` where that takes more than one replacement.
    pub(crate) fn activation_edit(&self, head: &Head<'_>, activation: &str) -> Option<(Range, String)> {
        match head.place {
            Some(place) => self.replace_name(place, head.activation, activation),
            None => self.append_argument(head.call, &format!("activation={}", self.quoted(activation))),
        }
    }

    /// Replaces a name, whether it is written as a string, as an attribute of a module (`activations.relu`) or by a
    /// variable.
    pub(crate) fn replace_name(&self, place: Range, old: &str, new: &str) -> Option<(Range, String)> {
        let written = place.slice(self.text);
        if written.starts_with(['"', '\'']) {
            let quote = written.get(..1)?;
            return Some((place, format!("{quote}{new}{quote}")));
        }
        if written.ends_with(&format!(".{old}")) {
            return Some((Range::new(place.end - old.len(), place.end), new.to_owned()));
        }
        let is_name = written
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_');
        is_name.then(|| (place, self.quoted(new)))
    }

    /// The edit that gives a call one more argument.
    fn append_argument(&self, call: &Call, argument: &str) -> Option<(Range, String)> {
        let last = call.arguments.last()?;
        // Something other than arguments may stand behind the last one (`**kwargs`, a comment): only the plain case.
        let rest = Range::new(last.range.end, call.range.end).slice(self.text);
        let plain = rest
            .chars()
            .all(|letter| letter.is_whitespace() || letter == ',' || letter == ')');
        plain.then(|| {
            (
                Range::new(last.range.end, last.range.end),
                format!(", {argument}"),
            )
        })
    }

    /// A string literal in the kind of quotes the file prefers.
    pub(crate) fn quoted(&self, text: &str) -> String {
        let count = |quote: char| self.text.matches(quote).count();
        if count('"') > count('\'') {
            format!("\"{text}\"")
        } else {
            format!("'{text}'")
        }
    }

    /// The layer at a position of a model; `None` when its position is not certain.
    pub(crate) fn layer(&self, model: &Model, position: usize) -> Option<LayerRef> {
        let layer = model.layers.get(position).filter(|_| model.complete)?;
        let call = self.program.call(layer.call);
        Some(LayerRef {
            index: layer.index,
            name: layer_name(self.program, model, position)?,
            type_name: call.class().to_owned(),
        })
    }
}

/// What is known of an argument.
pub(crate) enum Given<'a> {
    /// It is given.
    Value(&'a program::Expr),
    /// It is not given: the default holds.
    Absent,
    /// It may be given in a way that cannot be seen.
    Unknown,
}

/// The argument of a call by name.
pub(crate) fn given<'a>(call: &'a Call, name: &str) -> Given<'a> {
    match call.argument(name) {
        Some(argument) => Given::Value(&argument.value),
        None if call.open_ended || call.arguments.iter().any(|argument| argument.name.is_none()) => {
            Given::Unknown
        }
        None => Given::Absent,
    }
}

/// A number.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}
