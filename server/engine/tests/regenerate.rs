//! Keras still gives what the reference files hold: a part of them is made anew and compared.
#![cfg(feature = "keras")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn the_reference_files_are_what_keras_gives() {
    let python = std::env::var("DEEPLOCALIZE_TEST_PYTHON").unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let folder = std::env::temp_dir().join(format!("deeplocalize-engine-{}", std::process::id()));
    for (table, case) in [
        ("losses", "binary, softmax over one unit"),
        ("optimizers", "Adam AMSGrad"),
        ("layers", "GRU reset before"),
    ] {
        let status = Command::new(&python)
            .arg(tests.join("reference.py"))
            .args(["--only", &format!("{table}/{case}"), "--out"])
            .arg(&folder)
            .status()
            .unwrap();
        assert!(status.success());
        let read = |path: &Path| -> Value {
            let file = path.join(format!("{table}.json"));
            let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
            cases.into_iter().find(|found| found["name"] == case).unwrap()
        };
        let (fresh, kept) = (read(&folder), read(&tests.join("reference")));
        let losses = |case: &Value| -> Vec<f64> { serde_json::from_value(case["losses"].clone()).unwrap() };
        for (fresh, kept) in losses(&fresh).iter().zip(losses(&kept)) {
            assert!(
                (fresh - kept).abs() <= 1e-5 * kept.abs(),
                "{table}/{case}: {fresh} instead of {kept}"
            );
        }
        assert_eq!(
            fresh["final"].as_array().unwrap().len(),
            kept["final"].as_array().unwrap().len()
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}
