//! What a rule looks at, and how it says what it found.

use std::cell::OnceCell;
use std::path::Path;

use finding::{Applicability, Edit, Finding, Fix, LayerRef, Range, RuleInfo, Severity, Source};
use program::{Call, Code, Compile, Expr, Model, ModelKind, Program, Statement, Unused, Value};

use crate::read::{
    Chain, Family, Head, Loss, Sets, Training, is_for_keras_3, is_old_name, layer_name, misspelled, sets,
};

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
    /// One per output of a model with several, as far as the output and its loss are known.
    parts: Vec<Output<'a>>,
    /// The layers of each model that certainly follow one another.
    pub chains: Vec<Chain<'a>>,
    /// The `fit` calls.
    pub trainings: Vec<Training<'a>>,
    sets: OnceCell<Vec<Sets<'a>>>,
    unused: OnceCell<Vec<Unused>>,
    keras_3: OnceCell<bool>,
    code: OnceCell<Vec<Statement>>,
    tree: OnceCell<Option<Code<'a>>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(program: &'a Program, text: &'a str, path: &'a Path) -> Self {
        let outputs = program
            .compiles
            .iter()
            .filter(|compile| may_be_trained(program, compile))
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
        let parts = program
            .compiles
            .iter()
            .filter(|compile| may_be_trained(program, compile))
            .flat_map(|compile| parts(program, compile))
            .collect();
        Context {
            program,
            text,
            path,
            outputs,
            parts,
            chains: program
                .models
                .iter()
                .filter_map(|model| Chain::of(program, model))
                .collect(),
            trainings: program
                .fits
                .iter()
                .filter(|fit| program.call(fit.call).class() == "fit")
                .map(|fit| Training::of(program, fit))
                .collect(),
            sets: OnceCell::new(),
            unused: OnceCell::new(),
            keras_3: OnceCell::new(),
            code: OnceCell::new(),
            tree: OnceCell::new(),
        }
    }

    /// Every output with its loss, also those of models that have several.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &Output<'a>> {
        self.outputs.iter().chain(&self.parts)
    }

    /// Whether the script is certainly written for Keras 3.
    pub(crate) fn keras_3(&self) -> bool {
        *self
            .keras_3
            .get_or_init(|| is_for_keras_3(self.program, self.text))
    }

    /// The tree of the script; `None` where it has syntax errors. Made when a rule first asks.
    pub(crate) fn tree(&self) -> Option<&Code<'a>> {
        self.tree.get_or_init(|| self.program.tree(self.text)).as_ref()
    }

    /// A finding on something that earlier versions of Keras accept: only a script that is certainly written for
    /// Keras 3 is wrong about it.
    pub(crate) fn dated(&self, finding: Finding) -> Finding {
        let severity = if self.keras_3() {
            finding.severity
        } else {
            finding.severity.min(Severity::Information)
        };
        Finding { severity, ..finding }
    }

    /// The arrays of each `fit`; followed through the text when a rule first asks.
    pub(crate) fn sets(&self) -> &[Sets<'a>] {
        self.sets.get_or_init(|| sets(self.program, self.text))
    }

    /// Layers that no model gets; looked for when a rule first asks.
    pub(crate) fn unused(&self) -> &[Unused] {
        self.unused.get_or_init(|| self.program.unused(self.text))
    }

    /// The statements of the script; read when a rule first asks.
    pub(crate) fn code(&self) -> &[Statement] {
        self.code.get_or_init(|| self.program.code(self.text))
    }

    /// Whether the script may have a loss of its own.
    pub(crate) fn may_have_own_loss(&self) -> bool {
        let own = |compile: &Compile| {
            let call = self.program.call(compile.call);
            call.argument("loss")
                .map_or(call.open_ended, |loss| self.may_be_own(&loss.value))
        };
        // Models that are not followed are compiled as well.
        let others = self.text.matches("compile(").count() > self.program.compiles.len();
        self.text.contains("GradientTape") || others || self.program.compiles.iter().any(own)
    }

    fn may_be_own(&self, loss: &Expr) -> bool {
        match &loss.value {
            Value::Unknown => true,
            Value::List(losses) => losses.iter().any(|loss| self.may_be_own(loss)),
            Value::Dict(losses) => losses.iter().any(|(_, loss)| self.may_be_own(loss)),
            Value::Call(call) => {
                let call = self.program.call(*call);
                !call.callee.starts_with("keras.losses.") || call.class() == "Loss"
            }
            _ => false,
        }
    }

    /// The arrays of each of [`Context::trainings`].
    pub(crate) fn training_sets(&self) -> impl Iterator<Item = &Sets<'a>> {
        self.sets()
            .iter()
            .filter(|sets| sets.training.call.class() == "fit")
    }

    /// The output of the model that a `compile` call compiles.
    pub(crate) fn output_of(&self, compile: &Call) -> Option<&Output<'a>> {
        self.outputs
            .iter()
            .find(|output| std::ptr::eq(output.compile, compile))
    }

    /// The `compile` in force at a `fit`, with the output of its model.
    pub(crate) fn output_of_fit(&self, fit: &Call) -> Option<&Output<'a>> {
        let record = self
            .program
            .fits
            .iter()
            .find(|record| std::ptr::eq(self.program.call(record.call), fit))?;
        self.output_of(self.program.call(record.compile?))
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

    /// The `compile` calls of models that take them as Keras does: no class of the user's own.
    pub(crate) fn plain_compiles(&self) -> impl Iterator<Item = &'a Call> {
        let program = self.program;
        let plain = |model: &Model| matches!(model.kind, ModelKind::Sequential | ModelKind::Functional);
        program
            .compiles
            .iter()
            .filter(move |compile| {
                compile
                    .model
                    .and_then(|model| program.model(model))
                    .is_some_and(plain)
            })
            .map(|compile| program.call(compile.call))
    }

    /// A finding on a string that names nothing Keras knows.
    pub(crate) fn unknown_name(
        &self,
        rule: &RuleInfo,
        family: Family,
        expr: &Expr,
        noun: &str,
    ) -> Option<Finding> {
        let Value::Str(name) = &expr.value else {
            return None;
        };
        let near = misspelled(self.program, self.text, family, name)?;
        let advice = match near {
            Some(near) => format!("`{near}` is the name"),
            None => format!("take one of Keras' own, or pass the {noun} as a function or object"),
        };
        let message =
            format!("Keras knows no {noun} `{name}` and raises an exception when it looks it up; {advice}");
        let edit = near.and_then(|near| self.replace_name(expr.origin, name, near));
        let fix = edit.map(|(range, text)| self.fix("Correct the name", Applicability::Safe, range, text));
        let finding = Finding {
            confidence: if near.is_some() { 0.97 } else { 0.9 },
            fixes: fix.into_iter().collect(),
            ..self.finding(rule, expr.range, message)
        };
        Some(if is_old_name(name) {
            self.dated(finding)
        } else {
            finding
        })
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
    pub(crate) fn append_argument(&self, call: &Call, argument: &str) -> Option<(Range, String)> {
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

/// The outputs of a model that has several, with their losses.
fn parts<'a>(program: &'a Program, compile: &Compile) -> Vec<Output<'a>> {
    let Some(model) = compile.model.and_then(|model| program.model(model)) else {
        return Vec::new();
    };
    if model.outputs.len() < 2 || model.kind != ModelKind::Functional || model.custom_loss {
        return Vec::new();
    }
    let call = program.call(compile.call);
    Loss::of_outputs(program, call, model)
        .into_iter()
        .filter_map(|(output, loss)| {
            Some(Output {
                compile: call,
                model,
                head: Head::of_output(program, model, output)?,
                loss,
            })
        })
        .collect()
}

/// Whether a compiled model may be the one that learns. Generators of a GAN, for one, are often compiled with whatever
/// loss is at hand and only ever trained as a part of another model.
fn may_be_trained(program: &Program, compile: &Compile) -> bool {
    program.fits.is_empty()
        || program
            .fits
            .iter()
            .any(|fit| fit.model.is_none() || fit.model == compile.model)
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
