//! Localisation runs of real scripts, asked for by the editor.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::client::Client;

pub fn fixture(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/deeplocalize-40")
        .join(case)
}

/// A trusted session with a fixture's script open, and the script's uri.
pub fn session(path: &Path) -> (Client, String) {
    let python = std::env::var("DEEPLOCALIZE_TEST_PYTHON").expect("`cargo xtask test` sets it");
    let mut client = Client::initialize(
        json!({"window": {"workDoneProgress": true}, "textDocument": {"publishDiagnostics": {"relatedInformation": true}}}),
        json!({"trusted": true, "settings": {"python": python}}),
    );
    let uri = format!("file://{}", path.canonicalize().unwrap().display());
    client.open(&uri, &std::fs::read_to_string(path).unwrap());
    client.published(&uri);
    (client, uri)
}

/// Runs the script and gives the line with the verdict.
fn run(client: &mut Client, uri: &str) -> String {
    client.command("deeplocalize.run", json!([uri]));
    client.answer("window/workDoneProgress/create", Value::Null);
    let shown = client.expect_from_run("window/showMessage");
    client.discard("$/progress");
    shown["message"].as_str().unwrap().to_owned()
}

/// The faulty twin gets a diagnostic of the run on one of `lines` (from 1); the fixed twin gets none.
fn comes_out_right(case: &str, lines: &[u64]) {
    let (mut client, uri) = session(&fixture(case).join("faulty.py"));
    let verdict = run(&mut client, &uri);
    assert!(!verdict.contains("healthy"), "{verdict}");
    let (version, diagnostics) = client.published(&uri);
    assert_eq!(version, 1);
    let worst = diagnostics
        .iter()
        .min_by_key(|diagnostic| diagnostic["severity"].as_u64())
        .expect("a diagnostic");
    let line = worst["range"]["start"]["line"].as_u64().unwrap() + 1;
    assert!(lines.contains(&line), "{worst:#}");
    assert!(worst["severity"].as_u64().unwrap() <= 2, "{worst:#}");
    let actions = client.request(
        "textDocument/codeAction",
        json!({"textDocument": {"uri": uri}, "range": worst["range"], "context": {"diagnostics": []}}),
    );
    assert!(actions[0]["edit"].is_object(), "no quick fix: {actions}");
    assert_eq!(client.command("deeplocalize.clear", json!([])), Value::Null);
    client.published(&uri);
    client.shutdown();

    let (mut client, uri) = session(&fixture(case).join("fixed.py"));
    let verdict = run(&mut client, &uri);
    assert!(verdict.contains("healthy"), "{verdict}");
    client.discard("textDocument/publishDiagnostics");
    client.shutdown();
}

#[test]
fn numbers_that_overflow() {
    comes_out_right("48385830-digits-mlp", &[19, 20, 23, 24]);
}

#[test]
fn a_learning_rate_too_high() {
    comes_out_right("48934338-quadratic", &[22]);
}

#[test]
fn unscaled_features() {
    comes_out_right("39525358-codes", &[11, 14, 26]);
}

#[test]
fn the_wrong_output_head() {
    comes_out_right("38648195-multilabel", &[20, 21, 24]);
}

#[test]
fn a_run_can_be_cancelled_and_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("train.py");
    // Files that a run writes are kept apart, so the script tells its number by a call.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::fs::write(
        &script,
        format!(
            "import os, socket, time\n\
             with socket.create_connection(('127.0.0.1', {port})) as call:\n    call.sendall(str(os.getpid()).encode())\n\
             time.sleep(600)\nmodel.fit(x)\n"
        ),
    )
    .unwrap();
    let (mut client, uri) = session(&script);
    client.command("deeplocalize.run", json!([uri]));
    client.answer("window/workDoneProgress/create", Value::Null);
    let mut pid = String::new();
    listener.accept().unwrap().0.read_to_string(&mut pid).unwrap();
    let process = PathBuf::from(format!("/proc/{pid}"));
    assert!(process.exists());
    assert_eq!(
        client.command("deeplocalize.cancel", json!([])),
        json!({"cancelled": true})
    );
    while client.expect_from_run("$/progress")["value"]["kind"] != "end" {}
    assert!(!process.exists(), "the script is still there");
    client.shutdown();
}
