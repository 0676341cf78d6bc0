//! The tools that are compared, and what one says of one program.

use std::path::Path;

use anyhow::Context;
use e2e::Case;
use serde_json::Value;

use super::parts::Part;

/// A tool of the table.
pub struct Tool {
    /// For the files that are kept.
    pub key: &'static str,
    /// For the table of totals.
    pub title: &'static str,
    /// How it is run; `None` for the tool that runs nothing.
    pub run: Option<Run>,
    /// Whether it names kinds of its own, which then have to be right as well.
    pub kinds: bool,
}

/// How `deeplocalize run` is started.
pub struct Run {
    /// The part of the measurement this is.
    pub part: Part,
    /// Back end of Keras.
    pub backend: &'static str,
    pub arguments: &'static [&'static str],
}

impl Run {
    /// Whether changes are tried when nothing else is asked for.
    pub fn trials(&self) -> bool {
        !self.arguments.contains(&NO_TRIALS)
    }
}

pub const NO_TRIALS: &str = "--try-fixes=never";

/// The training in Keras itself, on its own back end.
const IN_KERAS: &[&str] = &["--mechanism", "callback", NO_TRIALS];

pub const TOOLS: [Tool; 5] = [
    Tool {
        key: "default",
        title: "deeplocalize run",
        run: Some(Run {
            part: Part::Default,
            backend: "tensorflow",
            arguments: &[],
        }),
        kinds: true,
    },
    Tool {
        key: "tensorflow",
        title: "the same with `--mechanism callback --try-fixes=never`, Keras on TensorFlow",
        run: Some(Run {
            part: Part::Tensorflow,
            backend: "tensorflow",
            arguments: IN_KERAS,
        }),
        kinds: true,
    },
    Tool {
        key: "jax",
        title: "the same, Keras on JAX",
        run: Some(Run {
            part: Part::Jax,
            backend: "jax",
            arguments: IN_KERAS,
        }),
        kinds: true,
    },
    Tool {
        key: "paper",
        title: "deeplocalize run --detector deeplocalize (the paper's algorithm)",
        run: Some(Run {
            part: Part::Paper,
            backend: "tensorflow",
            arguments: &[
                "--detector",
                "deeplocalize",
                NO_TRIALS,
                "--ignore",
                "DL0,DL1,DL2,DL3,DL4,DL5,DL6",
            ],
        }),
        kinds: false,
    },
    Tool {
        key: "last-layer",
        title: "always the last layer",
        run: None,
        kinds: false,
    },
];

/// Positions in [`TOOLS`].
pub const DEFAULT: usize = 0;
pub const TENSORFLOW: usize = 1;
pub const JAX: usize = 2;
pub const PAPER: usize = 3;
pub const LAST_LAYER: usize = 4;

/// What one tool says of one program.
#[derive(Debug, Default)]
pub struct Said {
    pub verdict: String,
    /// File and line (`faulty.py:12`) and kind of the first finding, when there is a warning or an error.
    pub place: Option<String>,
    pub kind: String,
    pub alarm: bool,
    pub seconds: f64,
    /// Whether changes were to be tried.
    pub trials: bool,
    /// The whole report; null of the tool that runs nothing.
    pub report: Value,
}

impl Said {
    /// Whether this names an accepted place of a faulty program.
    pub fn accepted(&self, case: &Case, kinds: bool) -> bool {
        let place = self.place.as_ref();
        self.alarm
            && place.is_some_and(|place| case.accept.contains(place))
            && (!kinds || case.kinds.contains(&self.kind))
    }
}

/// What a report says.
pub fn read(report: Value, seconds: f64, trials: bool) -> Said {
    let alarm = !e2e::alarms(&report).is_empty();
    let kind = report["findings"][0]["kind"].as_str().filter(|_| alarm);
    Said {
        verdict: report["verdict"].as_str().unwrap_or_default().to_owned(),
        place: e2e::first_place(&report).filter(|_| alarm),
        kind: kind.unwrap_or_default().to_owned(),
        alarm,
        seconds,
        trials,
        report,
    }
}

/// The tool that needs no idea: the last line before `compile` that makes a layer.
pub fn last_layer(script: &Path) -> anyhow::Result<Said> {
    const LAYERS: [&str; 6] = [
        "Dense(",
        "Activation(",
        "Conv2D(",
        "LSTM(",
        "Softmax(",
        "Flatten(",
    ];
    let text =
        std::fs::read_to_string(script).with_context(|| format!("cannot read {}", script.display()))?;
    let until = text.find(".compile(").unwrap_or(text.len());
    let line = text[..until]
        .lines()
        .zip(1..)
        .filter(|(line, _)| LAYERS.iter().any(|layer| line.contains(layer)))
        .last();
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    Ok(Said {
        verdict: "faulty".to_owned(),
        place: line.map(|(_, number)| format!("{name}:{number}")),
        alarm: true,
        ..Said::default()
    })
}
