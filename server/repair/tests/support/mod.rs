//! Trainings as a run would have described them, read from the text of a script.

#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use finding::{Edit, Range};
use localize::{Source, Sources};
use program::{Call, Program, Value};
use repair::{Facts, Part};
use serde_json::json;
use trace::{
    DataInfo, FitMessage, Frame, LayerInfo, LossInfo, Message, OptimizerInfo, Site, Trace, WeightInfo,
};

pub struct Script {
    pub text: String,
    pub program: Program,
}

impl Sources for Script {
    fn source(&self, _: &Path) -> Option<Source<'_>> {
        Some(Source {
            path: Path::new("train.py"),
            text: &self.text,
            program: &self.program,
        })
    }
}

/// Numbers of an array of that shape: evenly spread over a range.
pub fn data(shape: &[i64], min: f64, max: f64) -> DataInfo {
    DataInfo {
        shape: shape.to_vec(),
        whole: true,
        min,
        max,
        mean: f64::midpoint(min, max),
        std: (max - min) / 12.0_f64.sqrt(),
        features: shape.get(1).copied().unwrap_or(1) as u64,
        feature_std_min: (max - min) / 12.0_f64.sqrt(),
        feature_std_max: (max - min) / 12.0_f64.sqrt(),
        feature_absmean_max: f64::midpoint(min, max).abs(),
        offset_ratio: 1.0,
        ..serde_json::from_value(json!({})).unwrap()
    }
}

/// Labels 0 and 1 in one column.
pub fn binary(rows: i64) -> DataInfo {
    let half = rows as u64 / 2;
    DataInfo {
        integers: true,
        zero_one: true,
        classes: Some(vec![(0.0, half), (1.0, half)]),
        ..data(&[rows], 0.0, 1.0)
    }
}

/// One-hot rows.
pub fn one_hot(rows: i64, columns: i64) -> DataInfo {
    DataInfo {
        integers: true,
        zero_one: true,
        row_sum_min: 1.0,
        row_sum_max: 1.0,
        ..data(&[rows, columns], 0.0, 1.0)
    }
}

/// Rows of any number of 1s.
pub fn multi_hot(rows: i64, columns: i64) -> DataInfo {
    DataInfo {
        row_sum_min: 0.0,
        row_sum_max: columns as f64,
        ..one_hot(rows, columns)
    }
}

/// Class numbers.
pub fn numbers(rows: i64, classes: u32) -> DataInfo {
    DataInfo {
        integers: true,
        classes: Some((0..classes).map(|class| (f64::from(class), 10)).collect()),
        ..data(&[rows], 0.0, f64::from(classes - 1))
    }
}

pub struct Training {
    pub script: Script,
    pub trace: Trace,
}

impl Training {
    pub fn of(text: &str, x: DataInfo, y: DataInfo) -> Training {
        Training::with(text, x, y, false)
    }

    /// The same with labels that come in order.
    pub fn in_order(text: &str, x: DataInfo, y: DataInfo) -> Training {
        Training::with(text, x, y, true)
    }

    fn with(text: &str, x: DataInfo, y: DataInfo, in_order: bool) -> Training {
        let script = Script {
            text: text.to_owned(),
            program: Program::parse(text),
        };
        let info = describe(&script, x, y, in_order);
        let mut trace = Trace::default();
        trace.push(Frame::Message(Message::Fit(Box::new(info))));
        Training { script, trace }
    }

    pub fn facts(&self) -> Facts<'_> {
        Facts {
            fit: &self.trace.fits[0],
            sources: &self.script,
        }
    }

    pub fn proposed(&self) -> Vec<Part> {
        repair::propose(&self.facts())
    }

    /// The text after the proposed change of that title, which must parse.
    pub fn after(&self, title: &str) -> String {
        let parts = self.proposed();
        let titles: Vec<&str> = parts.iter().map(|part| part.title.as_str()).collect();
        let part = parts
            .iter()
            .find(|part| part.title == title)
            .unwrap_or_else(|| panic!("{title:?} is not among {titles:#?}"));
        apply(&self.script.text, &part.edits)
    }
}

pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.range));
    let mut result = text.to_owned();
    for edit in edits {
        result.replace_range(edit.range.start..edit.range.end, &edit.new_text);
    }
    assert!(Program::parse(&result).syntax_errors.is_empty(), "{result}");
    result
}

/// The lines that differ, as `-` and `+`.
pub fn changed(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let gone = old
        .iter()
        .filter(|line| !new.contains(line))
        .map(|line| format!("- {line}"));
    let come = new
        .iter()
        .filter(|line| !old.contains(line))
        .map(|line| format!("+ {line}"));
    gone.chain(come).collect::<Vec<_>>().join("\n")
}

fn site(text: &str, range: Range) -> Site {
    let place = |at: usize| {
        let line = text[..at].matches('\n').count() as u32 + 1;
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        (line, (at - start) as u32)
    };
    let (start, end) = (place(range.start), place(range.end));
    Site {
        path: PathBuf::from("/train.py"),
        line: start.0,
        column: Some(start.1),
        end_line: Some(end.0),
        end_column: Some(end.1),
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.clone()),
        Value::Reference(name) => name.rsplit('.').next().map(str::to_owned),
        _ => None,
    }
}

/// `BinaryCrossentropy` as the name of its function.
fn snake(class: &str) -> String {
    let mut name = String::new();
    for character in class.chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(character.to_lowercase());
    }
    name
}

/// Arguments that are numbers.
fn scalars(call: &Call) -> BTreeMap<String, serde_json::Value> {
    let number = |value: &Value| match value {
        Value::Int(value) => Some(json!(value)),
        Value::Float(value) => Some(json!(value)),
        _ => None,
    };
    call.arguments
        .iter()
        .filter_map(|argument| Some((argument.name.clone()?, number(&argument.value.value)?)))
        .collect()
}

fn describe(script: &Script, x: DataInfo, y: DataInfo, in_order: bool) -> FitMessage {
    let (text, program) = (&script.text, &script.program);
    let fit = &program.fits[0];
    let compile = program.call(fit.compile.unwrap());
    let model = program.model(fit.model.unwrap()).unwrap();
    let layers: Vec<LayerInfo> = model
        .layers
        .iter()
        .map(|layer| {
            let call = program.call(layer.call);
            let computes = call.class() == "Dense" || call.class().starts_with("Conv");
            let named = call
                .argument("activation")
                .and_then(|argument| word(&argument.value.value));
            let mut config = BTreeMap::new();
            for name in ["units", "rate"] {
                match call.argument(name).map(|argument| &argument.value.value) {
                    Some(Value::Int(value)) => drop(config.insert(name.to_owned(), json!(value))),
                    Some(Value::Float(value)) => drop(config.insert(name.to_owned(), json!(value))),
                    _ => {}
                }
            }
            if let Some(name) = call
                .argument("kernel_initializer")
                .and_then(|argument| word(&argument.value.value))
            {
                config.insert("kernel_initializer".into(), json!(name));
            }
            let given = |name: &str| call.argument(name).map(|argument| &argument.value.value);
            if let Some(Value::Call(id)) = given("kernel_regularizer")
                && let Some(Value::Float(factor)) = program
                    .call(*id)
                    .arguments
                    .first()
                    .map(|first| &first.value.value)
            {
                config.insert("kernel_regularizer.l2".into(), json!(factor));
            }
            let trainable = given("trainable") != Some(&Value::Bool(false));
            LayerInfo {
                index: layer.index,
                name: format!("layer_{}", layer.index),
                class: call.class().to_owned(),
                site: Some(site(text, call.range)),
                activation: named.or_else(|| computes.then(|| "linear".to_owned())),
                output_shape: config.get("units").map(|units| vec![None, units.as_i64()]),
                weights: vec![WeightInfo {
                    name: "kernel".into(),
                    shape: vec![layer.index as i64 + 1],
                    trainable,
                }],
                config,
                trainable,
                ..LayerInfo::default()
            }
        })
        .collect();
    let mut layers = layers;
    // The layers that keep the shape.
    for at in 1..layers.len() {
        if layers[at].output_shape.is_none() {
            layers[at].output_shape = layers[at - 1].output_shape.clone();
        }
    }
    let optimizer = compile
        .argument("optimizer")
        .map(|argument| match &argument.value.value {
            Value::Call(id) => {
                let call = program.call(*id);
                let rate = match call
                    .argument("learning_rate")
                    .map(|argument| &argument.value.value)
                {
                    Some(Value::Float(rate)) => *rate,
                    _ => 0.01,
                };
                (
                    call.class().to_owned(),
                    Some(site(text, call.range)),
                    rate,
                    scalars(call),
                )
            }
            Value::Str(name) if name == "sgd" => ("SGD".to_owned(), None, 0.01, BTreeMap::new()),
            _ => ("Adam".to_owned(), None, 0.001, BTreeMap::new()),
        });
    let call = program.call(fit.call);
    let int = |name: &str| match call.argument(name).map(|argument| &argument.value.value) {
        Some(Value::Int(value)) => Some(*value as u64),
        _ => None,
    };
    let samples = x.shape[0] as u64;
    let batch = int("batch_size").unwrap_or(32);
    FitMessage {
        call: "fit".into(),
        site: Some(site(text, call.range)),
        compile_site: Some(site(text, compile.range)),
        layers,
        optimizer: optimizer.map(|(class, site, learning_rate, config)| OptimizerInfo {
            class,
            site,
            learning_rate,
            config,
        }),
        loss: compile
            .argument("loss")
            .and_then(|argument| match &argument.value.value {
                Value::Call(id) => {
                    let call = program.call(*id);
                    let told = call
                        .argument("from_logits")
                        .map(|argument| argument.value.value == Value::Bool(true));
                    Some(LossInfo {
                        name: snake(call.class()),
                        config: told
                            .map(|told| ("from_logits".to_owned(), json!(told)))
                            .into_iter()
                            .collect(),
                    })
                }
                other => word(other).map(|name| LossInfo {
                    name,
                    config: Default::default(),
                }),
            }),
        shuffle: call
            .argument("shuffle")
            .map(|argument| argument.value.value != Value::Bool(false)),
        epochs: Some(int("epochs").unwrap_or(1)),
        batch_size: Some(batch),
        steps_per_epoch: Some(samples.div_ceil(batch)),
        samples: Some(samples),
        data: trace::FitData {
            x: vec![x],
            y: vec![y],
            baselines: in_order.then(|| serde_json::from_value(json!({"label_runs": 0.01})).unwrap()),
            ..trace::FitData::default()
        },
        ..serde_json::from_value(json!({"fit": 0})).unwrap()
    }
}
