//! "Try all fixes" on a real script.

use serde_json::{Value, json};

use crate::runs::{fixture, session};

/// `accuracy 0.10 → 0.96 after 1500 steps` of a title; what it was before, and after.
fn effect(title: &str) -> Option<(f64, f64)> {
    let title = title.replace('−', "-");
    let (before, after) = title.split_once(" → ")?;
    let before = before.rsplit(' ').next()?.parse().ok()?;
    let after = after.split(' ').next()?.parse().ok()?;
    Some((before, after))
}

#[test]
fn fixes_come_with_their_effect_the_best_first_and_each_is_one_edit() {
    let (mut client, uri) = session(&fixture("48934338-quadratic").join("faulty.py"));
    // More than the search needs on a machine that is busy with other tests.
    client.command("deeplocalize.tryFixes", json!([uri, {"trySeconds": 60}]));
    client.answer("window/workDoneProgress/create", Value::Null);
    let mut told = Vec::new();
    loop {
        let progress = client.expect_from_run("$/progress")["value"].take();
        if progress["kind"] == "end" {
            break;
        }
        assert_eq!(progress["cancellable"], true, "{progress}");
        told.push(progress["message"].as_str().unwrap_or_default().to_owned());
    }
    assert!(
        told.iter().any(|message| message.starts_with("trying")),
        "{told:?}"
    );
    client.expect_from_run("window/showMessage");
    let (_, diagnostics) = client.published(&uri);
    let mut seen = Vec::new();
    for diagnostic in &diagnostics {
        let actions = client.request(
            "textDocument/codeAction",
            json!({"textDocument": {"uri": uri}, "range": diagnostic["range"], "context": {"diagnostics": [], "only": ["quickfix"]}}),
        );
        let actions = actions.as_array().unwrap().clone();
        let gain = |action: &Value| {
            effect(action["title"].as_str().unwrap())
                .map_or(0.0, |(before, after)| (after - before).clamp(0.0, 1.0))
        };
        assert!(actions.is_sorted_by(|a, b| gain(a) >= gain(b)), "{actions:#?}");
        seen.extend(actions.into_iter().filter(|action| gain(action) > 0.0));
    }
    let best = seen.first().expect("a fix with a measured effect");
    let (before, after) = effect(best["title"].as_str().unwrap()).unwrap();
    assert!(before < 0.3 && after > 0.8, "{best:#}");
    // All edits come in one change of the workspace, which an editor takes back with one undo.
    let changes = best["edit"]["changes"].as_object().unwrap();
    assert!(
        changes.len() == 1 && !changes[&uri].as_array().unwrap().is_empty(),
        "{best:#}"
    );
    client.discard("$/progress");
    client.shutdown();
}

#[test]
fn trying_can_be_cancelled() {
    let (mut client, uri) = session(&fixture("48934338-quadratic").join("faulty.py"));
    client.command("deeplocalize.tryFixes", json!([uri, {"trySeconds": 600}]));
    client.answer("window/workDoneProgress/create", Value::Null);
    let token = loop {
        let progress = client.expect_from_run("$/progress");
        let value = &progress["value"];
        assert_ne!(value["kind"], "end", "it ended before anything was tried");
        let message = value["message"].as_str().unwrap_or_default();
        if message.starts_with("trying: ") {
            break progress["token"].clone();
        }
    };
    client.notify("window/workDoneProgress/cancel", json!({"token": token}));
    while client.expect_from_run("$/progress")["value"]["kind"] != "end" {}
    client.discard("$/progress");
    client.discard("window/showMessage");
    client.discard("textDocument/publishDiagnostics");
    client.shutdown();
}
