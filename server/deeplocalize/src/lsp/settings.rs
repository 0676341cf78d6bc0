//! What the client configures. Trust is read apart from everything else, so that no mistake in the settings grants it.

use std::path::PathBuf;

use localize::Detector;
use session::{Limits, Mechanism};
use tower_lsp::ls_types::LSPAny;

use crate::run::TryFixes;

/// Window of equal means of the paper.
const PAPER_N: usize = 50;
/// Share of zero means of the paper.
const PAPER_THRESHOLD: f64 = 0.25;

/// Settings of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The interpreter, when not to be searched for.
    pub python: Option<PathBuf>,
    /// A run ends after that many batches.
    pub max_batches: u64,
    /// A run ends after that many seconds of training.
    pub max_seconds: f64,
    /// A run ends when no training has started after that many seconds.
    pub startup_seconds: f64,
    /// How much memory and disk the script may take.
    pub limits: Limits,
    /// Which analysis.
    pub detector: Detector,
    /// How the training is observed.
    pub mechanism: Mechanism,
    /// Whether a run also tries changes.
    pub try_fixes: TryFixes,
    /// Seconds that trying changes may take.
    pub try_seconds: f64,
    /// Whether shapes are shown behind layers.
    pub inlay_hints: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            python: None,
            max_batches: 2000,
            max_seconds: 60.0,
            startup_seconds: 120.0,
            limits: Limits::default(),
            detector: Detector::Default,
            mechanism: Mechanism::Auto,
            // The line to blame is wanted at once; trying has a command of its own.
            try_fixes: TryFixes::Never,
            try_seconds: 10.0,
            inlay_hints: true,
        }
    }
}

impl Settings {
    /// Takes over what `value` sets. What is absent or null stays as it was; what cannot be understood stays too
    /// and is named in the result. Unknown settings belong to the client or to another version.
    #[must_use = "the user should learn which settings have no effect"]
    pub fn merge(&mut self, value: &LSPAny) -> Vec<String> {
        let mut problems = Vec::new();
        let Some(object) = value.as_object() else {
            if !value.is_null() {
                problems.push("the settings of DeepLocalize are not an object".to_owned());
            }
            return problems;
        };
        let mut read = |name: &str, expected: &str, set: &mut dyn FnMut(&LSPAny) -> Option<()>| {
            let value = object.get(name).filter(|value| !value.is_null());
            if value.is_some_and(|value| set(value).is_none()) {
                problems.push(format!(
                    "the setting `{name}` has no effect: it must be {expected}"
                ));
            }
        };
        read("python", "the path of an interpreter", &mut |value| {
            let path = value.as_str()?;
            // Editors send an empty string for a setting that was never filled in.
            self.python = (!path.is_empty()).then(|| PathBuf::from(path));
            Some(())
        });
        read("maxBatches", "a whole number above 0", &mut |value| {
            self.max_batches = value.as_u64().filter(|&batches| batches > 0)?;
            Some(())
        });
        read("maxSeconds", "a number above 0", &mut |value| {
            self.max_seconds = value.as_f64().filter(|&seconds| seconds > 0.0)?;
            Some(())
        });
        read("startupSeconds", "a number above 0", &mut |value| {
            self.startup_seconds = value.as_f64().filter(|&seconds| seconds > 0.0)?;
            Some(())
        });
        read("maxMemory", "a whole number of MiB above 0", &mut |value| {
            self.limits.memory = Some(mebibytes(value)?);
            Some(())
        });
        read("maxWritten", "a whole number of MiB above 0", &mut |value| {
            self.limits.written = mebibytes(value)?;
            Some(())
        });
        read("detector", "`default` or `deeplocalize`", &mut |value| {
            self.detector = match value.as_str()? {
                "default" => Detector::Default,
                "deeplocalize" => Detector::DeepLocalize {
                    n: PAPER_N,
                    threshold: PAPER_THRESHOLD,
                },
                _ => return None,
            };
            Some(())
        });
        read("mechanism", "`auto`, `imperative` or `callback`", &mut |value| {
            self.mechanism = match value.as_str()? {
                "auto" => Mechanism::Auto,
                "imperative" => Mechanism::Imperative,
                "callback" => Mechanism::Callback,
                _ => return None,
            };
            Some(())
        });
        read("tryFixes", "`auto`, `always` or `never`", &mut |value| {
            self.try_fixes = match value.as_str()? {
                "auto" => TryFixes::Auto,
                "always" => TryFixes::Always,
                "never" => TryFixes::Never,
                _ => return None,
            };
            Some(())
        });
        read("trySeconds", "a number above 0", &mut |value| {
            self.try_seconds = value.as_f64().filter(|&seconds| seconds > 0.0)?;
            Some(())
        });
        read("inlayHints", "`true` or `false`", &mut |value| {
            self.inlay_hints = value.as_bool()?;
            Some(())
        });
        problems
    }
}

/// A number of MiB as bytes.
fn mebibytes(value: &LSPAny) -> Option<u64> {
    value.as_u64().filter(|&number| number > 0)?.checked_mul(1 << 20)
}

/// Whether the client says that the user trusts the workspace: exactly `true`, nothing that resembles it.
pub fn is_trusted(initialization_options: Option<&LSPAny>) -> bool {
    initialization_options.and_then(|options| options.get("trusted")) == Some(&LSPAny::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_true_is_trust() {
        for (options, trusted) in [
            (json!({"trusted": true}), true),
            (json!({"trusted": true, "settings": 7}), true),
            (json!({"trusted": "true"}), false),
            (json!({"trusted": 1}), false),
            (json!({"settings": {"trusted": true}}), false),
            (json!([{"trusted": true}]), false),
            (json!(true), false),
        ] {
            assert_eq!(is_trusted(Some(&options)), trusted, "{options}");
        }
        assert!(!is_trusted(None));
    }

    #[test]
    fn each_setting_stands_alone() {
        let mut settings = Settings::default();
        let problems = settings.merge(&json!({
            "python": ["python3"], "maxBatches": 10, "maxSeconds": -1, "detector": "deeplocalize", "future": {},
            "maxMemory": 512, "maxWritten": 0.5, "startupSeconds": 7
        }));
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(
            problems[0].contains("`python`") && problems[1].contains("`maxSeconds`"),
            "{problems:?}"
        );
        assert_eq!(
            settings,
            Settings {
                max_batches: 10,
                startup_seconds: 7.0,
                limits: Limits {
                    memory: Some(512 << 20),
                    ..Limits::default()
                },
                detector: Detector::DeepLocalize {
                    n: 50,
                    threshold: 0.25
                },
                ..Settings::default()
            }
        );
        assert!(settings.merge(&json!(null)).is_empty());
        assert_eq!(settings.merge(&json!("fast")).len(), 1);
        assert_eq!(settings.max_batches, 10);
    }
}
