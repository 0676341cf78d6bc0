//! What must hold for every text, tried on many.

#![allow(
    clippy::unwrap_used,
    reason = "clippy counts only the test functions themselves as tests"
)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use deeplocalize::check::notebook::{Notebook, python};
use deeplocalize::check::{FileReport, check_text, read};
use deeplocalize::config::{Layer, Settings};
use deeplocalize::text::{Encoding, SourceText};
use deeplocalize::{fixes, suppress};
use finding::Applicability;
use proptest::collection::vec;
use proptest::prelude::*;

const PATH: &str = "train.py";

/// The fixtures' scripts.
static SCRIPTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let folders = |path: PathBuf| -> Vec<PathBuf> {
        std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect()
    };
    let mut files: Vec<PathBuf> = folders(fixtures)
        .into_iter()
        .flat_map(&folders)
        .map(|case| case.join("faulty.py"))
        .filter(|file| file.is_file())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
        .into_iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
});

/// Lines that change what a script means to the rules.
const LINES: [&str; 12] = [
    "model.add(keras.layers.Dense(1, activation='softmax'))",
    "model.add(Dense(units=1, activation=\"softmax\"))",
    "model.compile(optimizer=keras.optimizers.SGD(lr=0.1, decay=1e-6), loss='binary_crossentropy')",
    "model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])",
    "model.compile(",
    "    loss='mse', metrics=['accuracy'])",
    "model.fit(x, y, nb_epoch=3)",
    "from tensorflow.keras.layers import *",
    "import keras",
    "'''",
    "for i in range(3):",
    "x = \"é😀\" # noqa: E501",
];

/// A script with lines taken out, repeated and put in.
fn mutated() -> impl Strategy<Value = String> {
    let changes = vec((any::<prop::sample::Index>(), 0..3_u8, 0..LINES.len()), 0..8);
    (any::<prop::sample::Index>(), changes).prop_map(|(script, changes)| {
        let mut lines: Vec<String> = script.get(&SCRIPTS).lines().map(str::to_owned).collect();
        for (at, what, line) in changes {
            let at = at.index(lines.len());
            match what {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                _ => lines.insert(at, LINES[line].to_owned()),
            }
        }
        lines.join("\n") + "\n"
    })
}

/// Text made of what Python and notebooks are made of.
fn soup() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        prop::sample::select(vec![
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "'",
            "\"",
            "'''",
            "\\",
            "\n",
            "\r\n",
            "    ",
            "#",
            " noqa",
            ":",
            ",",
            "=",
            "%",
            "!",
            "?",
            "import keras",
            "keras.",
            "layers.",
            "Dense",
            "model",
            ".add",
            ".compile",
            ".fit",
            "lambda ",
            "def f",
            "*",
            "**",
            "f'{",
            "😀",
            "é",
            "\u{feff}",
            "\t",
            "deeplocalize: ignore",
            "[DL1]",
            "1e999",
            "-1",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ];
    vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

fn check(text: &str) -> FileReport {
    let began = Instant::now();
    let report = check_text(Path::new(PATH), text, &Settings::default());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(
        report.errors.iter().all(|error| error.code != "internal-error"),
        "a panic"
    );
    for finding in &report.findings {
        assert!(
            text.get(finding.range.start..finding.range.end).is_some(),
            "a range off the text"
        );
        assert!((0.0..=1.0).contains(&finding.confidence));
    }
    report
}

fn count(report: &FileReport, code: &str) -> usize {
    report
        .findings
        .iter()
        .filter(|finding| finding.code == code)
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(Some(text)) = read::text(&bytes[..], Path::new(PATH), false) {
            check(&text.text);
        }
    }

    #[test]
    fn any_text_is_checked(text in soup()) {
        check(&text);
    }

    #[test]
    fn any_cell_keeps_its_bytes(text in soup()) {
        let program = python(&text);
        prop_assert_eq!(program.len(), text.len());
        let breaks = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
        prop_assert_eq!(breaks(&program), breaks(&text));
    }

    #[test]
    fn any_notebook_is_read_or_refused_and_comes_back_as_it_was(cells in vec(soup(), 0..4), cut in 0..200_usize) {
        let cells: Vec<_> = cells
            .iter()
            .map(|cell| serde_json::json!({"cell_type": "code", "source": cell.split_inclusive('\n').collect::<Vec<_>>()}))
            .collect();
        let json = serde_json::json!({"cells": cells}).to_string();
        let notebook = Notebook::parse(json.clone()).unwrap();
        check(&notebook.program);
        let same = notebook.edited(&[]);
        prop_assert_eq!(same.as_deref(), Some(json.as_str()));
        if let Some(part) = json.get(..cut) {
            // Whatever is left of it, it is only refused.
            let _ = Notebook::parse(part.to_owned());
        }
    }

    #[test]
    fn any_settings_are_read(name in "\\PC{0,8}", value in "\\PC{0,8}") {
        let settings = serde_json::json!({"select": [value], "exclude": [value], "severity": {&name: value}, &name: value});
        let (layer, _) = Layer::from_json(&settings, &["/x".into()]);
        let settings = Settings::new(vec![layer]);
        settings.selects("DL101");
        settings.excludes(Path::new("/x/y.py"));
    }

    #[test]
    fn offsets_and_positions_agree(text in soup(), offset in 0..400_usize, line in any::<u32>(), character in any::<u32>()) {
        let source = SourceText::new(text.as_str());
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            let place = source.position(offset, encoding);
            let back = source.offset(place.line, place.character, encoding);
            prop_assert!(back <= offset.min(text.len()));
            prop_assert!(text.is_char_boundary(back));
            let any = source.offset(line % 50, character % 500, encoding);
            prop_assert!(text.is_char_boundary(any));
        }
    }

    #[test]
    fn a_safe_fix_leaves_code_that_parses_and_silences_its_rule(text in mutated()) {
        let before = check(&text);
        prop_assume!(before.errors.is_empty());
        for finding in &before.findings {
            let safe = |fix: &&finding::Fix| fix.applicability == Applicability::Safe;
            for fix in finding.fixes.iter().filter(safe) {
                let fixed = fixes::apply(&text, &fix.edits).expect("edits fit the text");
                let after = check(&fixed);
                prop_assert!(after.errors.is_empty(), "{}: {:?}\n{fixed}", finding.code, after.errors);
                prop_assert!(
                    count(&after, finding.code) < count(&before, finding.code),
                    "{} is still there\n{fixed}", finding.code
                );
            }
        }
    }

    #[test]
    fn the_comment_that_is_offered_silences_and_parses(text in mutated()) {
        let before = check(&text);
        prop_assume!(before.errors.is_empty());
        for finding in &before.findings {
            if let Some(edit) = suppress::silence(&text, finding) {
                let silenced = fixes::apply(&text, [&edit]).expect("the edit fits the text");
                let after = check(&silenced);
                prop_assert!(after.errors.is_empty(), "{silenced}");
                prop_assert!(count(&after, finding.code) < count(&before, finding.code), "{silenced}");
            }
        }
    }
}
