use serde_json::{Value, json};

use crate::client::{Client, FAULTY, range};

fn project(settings: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("deeplocalize.toml"), settings).unwrap();
    let uri = format!("file://{}", folder.path().join("train.py").display());
    (folder, uri)
}

fn codes(diagnostics: &[Value]) -> Vec<&str> {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic["code"].as_str().unwrap())
        .collect()
}

#[test]
fn settings_files_are_watched_and_read_again() {
    let (folder, uri) = project("ignore = ['DL101']\n");
    let mut client = Client::initialize(
        json!({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}}),
        Value::Null,
    );
    client.answer("client/registerCapability", Value::Null);
    client.open(&uri, FAULTY);
    assert_eq!(client.published(&uri).1, [] as [Value; 0]);
    let path = folder.path().join("deeplocalize.toml");
    std::fs::write(&path, "severity = { DL101 = 'hint' }\nwhat = 1\n").unwrap();
    let changed = json!({"changes": [{"uri": format!("file://{}", path.display()), "type": 2}]});
    client.notify("workspace/didChangeWatchedFiles", changed);
    let (_, diagnostics) = client.published(&uri);
    assert_eq!(
        (codes(&diagnostics), &diagnostics[0]["severity"]),
        (vec!["DL101"], &json!(4))
    );
    let message = client.expect("window/showMessage");
    assert!(
        message["message"]
            .as_str()
            .unwrap()
            .contains("deeplocalize.toml:2:1: there is no setting `what`"),
        "{message}"
    );
    client.shutdown();
}

#[test]
fn a_client_that_cannot_watch_sees_new_settings_when_it_saves() {
    let (folder, uri) = project("ignore = ['DL101']\n");
    let mut client = Client::initialize(json!({}), Value::Null);
    client.open(&uri, "");
    client.published(&uri);
    std::fs::write(folder.path().join("deeplocalize.toml"), "").unwrap();
    client.notify("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
    client.change(&uri, 2, json!([{"text": FAULTY}]));
    assert_eq!(codes(&client.published(&uri).1), ["DL101"]);
    client.shutdown();
}

#[test]
fn settings_of_the_editor_count_more_than_files_and_at_once() {
    let (_folder, uri) = project("select = []\n");
    let mut client = Client::initialize(json!({}), json!({"settings": {"select": ["DL1"]}}));
    client.open(&uri, FAULTY);
    assert_eq!(codes(&client.published(&uri).1), ["DL101"]);
    let configure = |settings: Value| json!({"settings": {"deeplocalize": settings}});
    client.notify(
        "workspace/didChangeConfiguration",
        configure(json!({"ignore": ["DL101"], "python": ""})),
    );
    assert_eq!(client.published(&uri).1, [] as [Value; 0]);
    client.notify(
        "workspace/didChangeConfiguration",
        configure(json!({"ignore": ["XX1"]})),
    );
    let message = client.expect("window/showMessage");
    assert!(
        message["message"]
            .as_str()
            .unwrap()
            .contains("no rule has the code or name `XX1`")
    );
    assert_eq!(codes(&client.published(&uri).1), ["DL101"]);
    client.notify(
        "workspace/didChangeConfiguration",
        configure(json!({"select": null, "ignore": null})),
    );
    assert_eq!(
        client.published(&uri).1,
        [] as [Value; 0],
        "the file counts again"
    );
    client.shutdown();
}

#[test]
fn a_finding_can_be_ignored_on_its_line() {
    let (_folder, uri) = project("");
    let mut client = Client::initialize(json!({}), Value::Null);
    client.open(&uri, FAULTY);
    client.published(&uri);
    let actions = client.request(
        "textDocument/codeAction",
        json!({"textDocument": {"uri": uri}, "range": range([4, 40, 4, 40]), "context": {"diagnostics": []}}),
    );
    let ignore = actions
        .as_array()
        .unwrap()
        .iter()
        .find(|action| action["title"] == "Ignore DL101 on this line")
        .unwrap();
    let edit = &ignore["edit"]["changes"][&uri][0];
    assert_eq!(edit["newText"], "  # deeplocalize: ignore[DL101]");
    client.change(
        &uri,
        2,
        json!([{"range": edit["range"], "text": edit["newText"]}]),
    );
    assert_eq!(client.published(&uri), (json!(2), Vec::new()));
    client.shutdown();
}
