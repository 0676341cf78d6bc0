use std::net::TcpListener;

use serde_json::{Value, json};

use crate::client::{Client, FAULTY, URI, range};

#[test]
fn each_fit_call_has_a_lens_that_runs_the_script() {
    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open(URI, &format!("{FAULTY}\nif x:\n    model.fit(x, y)\n"));
    let lenses = client.lenses(URI);
    assert_eq!(lenses.as_array().unwrap().len(), 4);
    for (lens, start) in [
        (0, [7, 0, 0, 0]),
        (1, [7, 0, 0, 0]),
        (2, [10, 4, 0, 0]),
        (3, [10, 4, 0, 0]),
    ] {
        assert_eq!(lenses[lens]["range"]["start"], range(start)["start"]);
    }
    assert_eq!(
        lenses[1]["command"],
        json!({"title": "Check quickly", "command": "deeplocalize.check", "arguments": [URI]})
    );
    assert_eq!(
        lenses[0]["command"],
        json!({"title": "Localize faults", "command": "deeplocalize.run", "arguments": [URI]})
    );
    client.shutdown();
}

#[test]
fn a_text_without_a_file_has_no_lens() {
    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open("untitled:Untitled-1", FAULTY);
    assert_eq!(client.lenses("untitled:Untitled-1"), Value::Null);
    client.shutdown();
}

#[test]
fn nothing_runs_without_trust() {
    for options in [Value::Null, json!({}), json!({"trusted": false})] {
        let mut client = Client::initialize(json!({}), options);
        let (_folder, uri, listener) = script_that_calls();
        let run = json!({"command": "deeplocalize.run", "arguments": [uri]});
        let refusal = client.refusal("workspace/executeCommand", run);
        assert!(refusal.contains("not trusted"), "{refusal}");
        client.shutdown();
        assert!(listener.accept().is_err(), "the script ran");
    }
}

#[test]
fn what_cannot_be_run_is_refused_with_the_reason() {
    let mut client = Client::initialize(json!({}), json!({"trusted": true}));
    for (arguments, reason) in [
        (json!([]), "needs the uri"),
        (json!([7]), "needs the uri"),
        (json!(["untitled:Untitled-1"]), "is not a file"),
        (json!([URI]), "does not exist"),
        (json!(["file:///"]), "does not exist"),
    ] {
        let refusal = client.refusal(
            "workspace/executeCommand",
            json!({"command": "deeplocalize.run", "arguments": arguments}),
        );
        assert!(refusal.contains(reason), "{arguments}: {refusal}");
    }
    let (_folder, uri, _listener) = script_that_calls();
    let run = json!({"command": "deeplocalize.run", "arguments": [uri, {"maxBatches": 0}]});
    assert!(
        client
            .refusal("workspace/executeCommand", run)
            .contains("`maxBatches`")
    );
    let unknown = client.refusal(
        "workspace/executeCommand",
        json!({"command": "deeplocalize.dance"}),
    );
    assert!(unknown.contains("deeplocalize.dance"), "{unknown}");
    client.shutdown();
}

#[test]
fn cancel_and_clear_without_a_run_do_nothing() {
    let mut client = Client::initialize(json!({}), Value::Null);
    assert_eq!(
        client.command("deeplocalize.cancel", json!([])),
        json!({"cancelled": false})
    );
    assert_eq!(client.command("deeplocalize.clear", json!([])), Value::Null);
    for token in [json!("deeplocalize/run/1"), json!("other"), json!(3)] {
        client.notify("window/workDoneProgress/cancel", json!({"token": token}));
    }
    client.shutdown();
}

#[test]
fn a_run_without_its_interpreter_says_so() {
    let mut client = Client::initialize(
        json!({"window": {"workDoneProgress": true}}),
        json!({"trusted": true, "settings": {"python": "/nowhere/python"}}),
    );
    let (_folder, uri, _listener) = script_that_calls();
    assert_eq!(
        client.command("deeplocalize.run", json!([uri])),
        json!({"run": 1})
    );
    client.answer("window/workDoneProgress/create", Value::Null);
    let shown = client.expect("window/showMessage");
    assert_eq!(shown["type"], 1, "{shown}");
    assert!(
        shown["message"].as_str().unwrap().contains("/nowhere/python"),
        "{shown}"
    );
    client.discard("$/progress");
    client.shutdown();
}

/// Files that a run writes are kept apart, so a script that runs is known by its call.
fn script_that_calls() -> (tempfile::TempDir, String, TcpListener) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.py");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!("import socket\nsocket.create_connection(('127.0.0.1', {port}))\n");
    std::fs::write(&path, text).unwrap();
    (folder, format!("file://{}", path.display()), listener)
}
