//! A training that goes well, to be made faulty in one respect.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::path::Path;

use finding::{Severity, Verdict};
use localize::{Detector, Diagnosis, Ending, Localizer, Source, Sources};
use program::Program;
use serde_json::{Value, json};
use trace::{Frame, LayoutMessage, LayoutRow, Message, Scalar, Stat, StepFrame, Tensor, Trace};

const SCRIPT: &str = r#"x = load()
y = labels()
model = keras.Sequential()
model.add(keras.layers.Dense(8, activation="relu", name="hidden"))
model.add(keras.layers.Dense(1, activation="sigmoid", name="output"))
model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.01))
model.fit(x, y, epochs=10, batch_size=32)
"#;

/// A training that goes well, to be made faulty in one respect.
pub struct Training {
    pub script: String,
    pub info: Value,
    pub steps: u64,
    pub finished: bool,
    /// Loss by step.
    pub loss: fn(u64) -> f64,
    /// Share of the variance (or of the answers) that is right, by step.
    pub skill: fn(u64) -> f64,
    /// Share of the variance, where it is another than that of the answers.
    pub explained: Option<f64>,
    /// Changes to the statistics of a tensor: (layer, tensor, step, statistic) → value.
    pub stat: fn(usize, Tensor, u64, Stat) -> Option<f64>,
    pub prediction_spread: f64,
    /// Share of the most frequent predicted class.
    pub majority: f64,
    pub batch_size: f64,
    /// Learning rate by step.
    pub rate: fn(u64) -> f64,
    /// What Keras logs at the end of an epoch.
    pub logs: Option<fn(u64) -> Value>,
}

pub fn site(script: &str, call: &str) -> Value {
    let start = script
        .find(call)
        .unwrap_or_else(|| panic!("{call} is not in the script"));
    let line = script[..start].matches('\n').count() + 1;
    let column = start - script[..start].rfind('\n').map_or(0, |at| at + 1);
    json!({"path": "/train.py", "line": line, "column": column, "end_line": line, "end_column": column + call.len()})
}

pub fn healthy() -> Training {
    let script = format!("import keras\n{SCRIPT}");
    let hidden = site(
        &script,
        r#"keras.layers.Dense(8, activation="relu", name="hidden")"#,
    );
    let output = site(
        &script,
        r#"keras.layers.Dense(1, activation="sigmoid", name="output")"#,
    );
    let weights = |inputs: i64, units: i64| {
        json!([{"name": "kernel", "shape": [inputs, units], "trainable": true},
               {"name": "bias", "shape": [units], "trainable": true}])
    };
    let info = json!({
        "fit": 0, "call": "fit", "epochs": 10, "batch_size": 32, "steps_per_epoch": 40, "samples": 1280,
        "site": site(&script, "model.fit(x, y, epochs=10, batch_size=32)"),
        "compile_site": site(&script, r#"model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.01))"#),
        "layers": [
            {"index": 0, "name": "hidden", "class": "Dense", "activation": "relu", "trainable": true, "site": hidden,
             "output_shape": [null, 8], "weights": weights(3, 8)},
            {"index": 1, "name": "output", "class": "Dense", "activation": "sigmoid", "trainable": true, "site": output,
             "output_shape": [null, 1], "weights": weights(8, 1)},
        ],
        "optimizer": {"class": "SGD", "site": site(&script, "keras.optimizers.SGD(learning_rate=0.01)"), "learning_rate": 0.01},
        "loss": {"name": "mean_squared_error"},
        "data": {
            "x": [{"shape": [1280, 3], "dtype": "float32", "whole": true, "min": -3.0, "max": 3.0, "mean": 0.0, "std": 1.0,
                   "features": 3, "feature_absmean_max": 0.1, "offset_ratio": 0.05}],
            "y": [{"shape": [1280, 1], "dtype": "float32", "whole": true, "min": 0.0, "max": 1.0, "mean": 0.5, "std": 0.5,
                   "integers": true, "zero_one": true, "classes": [[0.0, 640], [1.0, 640]]}],
        },
    });
    Training {
        script,
        info,
        steps: 400,
        finished: true,
        loss: |step| 0.25 * (-(step as f64) / 150.0).exp() + 0.01 * ((step * 7919) % 13) as f64 / 13.0,
        skill: |step| 1.0 - (-(step as f64) / 100.0).exp(),
        explained: None,
        stat: |_, _, _, _| None,
        prediction_spread: 0.4,
        majority: f64::NAN,
        batch_size: 32.0,
        rate: |_| 0.01,
        logs: None,
    }
}

pub fn usual(stat: Stat) -> f64 {
    match stat {
        Stat::Count => 256.0,
        Stat::Mean => 0.1,
        Stat::Std | Stat::Spread => 0.4,
        Stat::Min => -1.0,
        Stat::Max | Stat::AbsMax => 1.0,
        Stat::L2 => 2.0,
        Stat::Units => 8.0,
        Stat::Zeros | Stat::Nans | Stat::Infs => 0.0,
        Stat::DeadUnits | Stat::ConstantUnits | Stat::Saturated | Stat::SaturatedUnits => 0.0,
        // The bins of the histogram.
        _ => 0.1,
    }
}

impl Training {
    pub fn set(mut self, pointer: &str, value: Value) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        self.info.pointer_mut(parent).unwrap()[key] = value;
        self
    }

    /// Not learning: the loss stays, the skill is 0, all predictions are one.
    pub fn stuck(mut self) -> Self {
        self.loss = |step| 0.25 + 0.01 * ((step * 7919) % 13) as f64 / 13.0;
        self.skill = |_| 0.0;
        self.prediction_spread = 1e-5;
        self
    }

    pub fn stat(mut self, stat: fn(usize, Tensor, u64, Stat) -> Option<f64>) -> Self {
        self.stat = stat;
        self
    }

    pub fn trace(&self) -> Trace {
        let mut trace = Trace::default();
        self.frames().into_iter().for_each(|frame| trace.push(frame));
        trace
    }

    pub fn frames(&self) -> Vec<Frame> {
        let mut rows = Vec::new();
        for layer in 0..2 {
            rows.extend([Tensor::V1, Tensor::V2, Tensor::Gout].map(|tensor| LayoutRow {
                layer,
                tensor,
                weight: None,
            }));
            for tensor in [Tensor::W, Tensor::Dw, Tensor::Update] {
                rows.extend(["kernel", "bias"].map(|name| LayoutRow {
                    layer,
                    tensor,
                    weight: Some(name.into()),
                }));
            }
        }
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<String>>()
        };
        let mut frames = vec![Frame::Message(Message::Fit(
            serde_json::from_value(self.info.clone()).unwrap(),
        ))];
        frames.push(Frame::Message(Message::Layout(LayoutMessage {
            fit: 0,
            layout: 0,
            scalars: names(&Scalar::ALL.iter().map(|scalar| scalar.name()).collect::<Vec<_>>()),
            stats: names(&Stat::ALL.iter().map(|stat| stat.name()).collect::<Vec<_>>()),
            rows: rows.clone(),
        })));
        let label = |name: &str| self.info["data"]["y"][0][name].as_f64().unwrap();
        let (mean, std) = (label("mean"), label("std"));
        for step in 0..self.steps {
            let skill = (self.skill)(step);
            let scalars = Scalar::ALL
                .iter()
                .map(|scalar| match scalar {
                    Scalar::Loss => (self.loss)(step),
                    Scalar::LearningRate => (self.rate)(step),
                    Scalar::BatchSize | Scalar::LabelCount => self.batch_size,
                    Scalar::Hits => 0.5 + 0.5 * skill,
                    Scalar::LabelSum => mean * self.batch_size,
                    Scalar::LabelSquareSum => (mean * mean + std * std) * self.batch_size,
                    Scalar::ResidualSquareSum => {
                        (1.0 - self.explained.unwrap_or(skill)) * std * std * self.batch_size
                    }
                    Scalar::PredictionSpread => self.prediction_spread,
                    // Of a batch of one they are the prediction itself.
                    Scalar::PredictionMin | Scalar::PredictionMax if self.batch_size == 1.0 => {
                        0.5 + self.prediction_spread * if step % 2 == 0 { 1.0 } else { -1.0 }
                    }
                    Scalar::PredictionMin | Scalar::PredictionMax => 0.5,
                    Scalar::PredictionMajority => self.majority,
                })
                .collect();
            let stats = rows
                .iter()
                .flat_map(|row| {
                    Stat::ALL.iter().map(move |stat| {
                        let update = if row.tensor == Tensor::Update && *stat == Stat::L2 {
                            Some(0.01)
                        } else {
                            None
                        };
                        (self.stat)(row.layer, row.tensor, step, *stat)
                            .or(update)
                            .unwrap_or_else(|| usual(*stat))
                    })
                })
                .collect();
            let (epoch, batch) = ((step / 40) as u32, (step % 40) as u32);
            let frame = StepFrame {
                fit: 0,
                layout: 0,
                epoch,
                batch,
                step,
                scalars,
                rows: rows.len(),
                stats,
            };
            frames.push(Frame::Step(frame));
            if let Some(logs) = self.logs.filter(|_| step % 40 == 39) {
                let end = json!({"type": "epoch", "fit": 0, "epoch": epoch, "steps": step + 1, "logs": logs(u64::from(epoch))});
                frames.push(Frame::Message(serde_json::from_value(end).unwrap()));
            }
        }
        if self.finished {
            let end = json!({"type": "fit-end", "fit": 0, "reason": "finished"});
            frames.push(Frame::Message(serde_json::from_value(end).unwrap()));
        }
        frames
    }

    pub fn diagnose(&self) -> Diagnosis {
        let script = Script {
            program: Program::parse(&self.script),
            text: self.script.clone(),
        };
        Localizer::new(Detector::Default).diagnose(&self.trace(), Ending::Finished, &script)
    }

    /// The same when `fit` raises at the end of what was seen.
    pub fn raises(&self, message: &str) -> Diagnosis {
        let call = site(&self.script, "model.fit(x, y, epochs=10, batch_size=32)");
        let mut trace = self.trace();
        let exception = json!({"type": "exception", "class": "InvalidArgumentError", "fit": 0, "message": message,
                               "frames": [{"site": call, "user": true, "function": "<module>"}]});
        trace.push(Frame::Message(serde_json::from_value(exception).unwrap()));
        let script = Script {
            program: Program::parse(&self.script),
            text: self.script.clone(),
        };
        Localizer::new(Detector::Default).diagnose(&trace, Ending::Finished, &script)
    }

    /// Code and underlined text of the first finding.
    #[track_caller]
    pub fn blames(&self, code: &str, underlined: &str) -> Diagnosis {
        let diagnosis = self.diagnose();
        let first = diagnosis
            .findings
            .first()
            .unwrap_or_else(|| panic!("nothing found; expected {code}"));
        assert_eq!(
            (first.code, first.range.slice(&self.script)),
            (code, underlined),
            "{}",
            first.message
        );
        assert!(first.severity >= Severity::Warning);
        assert_eq!(diagnosis.verdict, Verdict::Faulty);
        diagnosis
    }

    #[track_caller]
    pub fn is_quiet(&self) {
        let diagnosis = self.diagnose();
        let alarms: Vec<_> = diagnosis
            .findings
            .iter()
            .filter(|finding| finding.severity >= Severity::Warning)
            .collect();
        assert!(alarms.is_empty(), "{alarms:#?}");
    }
}

pub struct Script {
    pub text: String,
    pub program: Program,
}

impl Sources for Script {
    fn source(&self, path: &Path) -> Option<Source<'_>> {
        (path == Path::new("/train.py")).then(|| Source {
            path: Path::new("train.py"),
            text: &self.text,
            program: &self.program,
        })
    }
}
