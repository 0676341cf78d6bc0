//! Scripts for Keras 1 and 2 are carried to Keras 3 by the safe fixes. That Keras takes what comes out is tried in `tests/`.

#![allow(
    clippy::unwrap_used,
    reason = "clippy counts only the test functions themselves as tests"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deeplocalize::check::{FixOptions, Stdin, check_paths};
use deeplocalize::config::Configuration;
use finding::{Applicability, Severity};

/// What each script must no longer say.
const OLD: [(&str, &[&str]); 3] = [
    (
        "keras1_mlp.py",
        &[
            "layers.core",
            "nb_epoch",
            "nb_classes",
            "output_dim",
            "init=",
            "W_regularizer",
            "p=",
            "lr=",
            "predict_proba",
            "bias=",
        ],
    ),
    (
        "keras2_images.py",
        &[
            "advanced_activations",
            "layers.convolutional",
            "np_utils",
            "lr=",
            "_generator(",
        ],
    ),
    (
        "keras2_sequences.py",
        &[
            "import CuDNNLSTM,",
            "layers.core",
            "layers.embeddings",
            "layers.merge",
            "layers.normalization",
            "lr=",
        ],
    ),
];

#[test]
fn safe_fixes_carry_old_scripts_to_keras_3() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/old_scripts");
    let stdin = Stdin {
        reader: std::io::empty(),
        name: PathBuf::new(),
    };
    let fix = FixOptions {
        least: Applicability::Safe,
        write: false,
    };
    let checks = check_paths(&[folder], stdin, &Arc::new(Configuration::isolated()), Some(fix));
    assert_eq!(checks.report.errors, []);
    assert_eq!(checks.fixed.len(), OLD.len());
    let left: Vec<_> = checks
        .report
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning)
        .collect();
    assert!(left.is_empty(), "{left:#?}");
    for (name, gone) in OLD {
        let file = checks
            .fixed
            .iter()
            .find(|file| file.path.ends_with(name))
            .unwrap();
        for old in gone {
            // Whole words: `input_dim=` stays.
            let has = |text: &str| {
                text.match_indices(old).any(|(at, _)| {
                    let before = text[..at].chars().next_back();
                    !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
                        || old.starts_with('_')
                })
            };
            assert!(has(&file.before), "{name} has no {old}");
            assert!(!has(&file.after), "{name} still has {old}:\n{}", file.after);
        }
    }
}
