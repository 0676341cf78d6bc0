//! The facts about old versions of Keras, tried on the one that is installed.
#![cfg(feature = "keras")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use e2e::{python, root, tool};

#[test]
fn every_row_of_the_tables_is_true() {
    for arguments in [["grammars/names.py", ""], ["grammars/facts.py", "verify"]] {
        let output = Command::new(python().unwrap())
            .current_dir(root())
            .args(arguments.iter().filter(|argument| !argument.is_empty()))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}: {said}");
    }
}

#[test]
fn old_scripts_run_on_keras_3_after_the_safe_fixes() {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(root().join("tests/data/old_scripts")).unwrap() {
        let old = entry.unwrap().path();
        let script = folder.path().join(old.file_name().unwrap());
        std::fs::copy(&old, &script).unwrap();
        let run = || {
            Command::new(python().unwrap())
                .current_dir(&folder)
                .arg(&script)
                .output()
                .unwrap()
        };
        assert!(!run().status.success(), "{} runs as it is", old.display());
        tool(folder.path())
            .unwrap()
            .args(["check", "--fix"])
            .arg(&script)
            .output()
            .unwrap();
        let output = run();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{said}", old.display());
    }
}
