use serde_json::{Value, json};

use crate::client::{Client, FAULTY, URI, range};

#[test]
fn findings_are_pushed_with_everything_an_editor_shows() {
    let mut client = Client::initialize(json!({}), Value::Null);
    client.open(URI, FAULTY);
    let (version, diagnostics) = client.published(URI);
    assert_eq!((version, diagnostics.len()), (json!(1), 1));
    let diagnostic = &diagnostics[0];
    assert_eq!(diagnostic["code"], "DL101");
    assert_eq!(diagnostic["source"], "deeplocalize");
    assert_eq!(diagnostic["severity"], 1);
    assert_eq!(diagnostic["range"], range([4, 37, 4, 46]));
    assert_eq!(
        diagnostic["codeDescription"]["href"],
        "https://github.com/deeplocalize/deeplocalize/blob/main/docs/rules/DL101.md"
    );
    assert!(diagnostic["message"].as_str().unwrap().contains("softmax"));

    client.change(
        URI,
        2,
        json!([{"range": range([4, 38, 4, 45]), "text": "sigmoid"}]),
    );
    assert_eq!(client.published(URI), (json!(2), Vec::new()));
    client.change(URI, 3, json!([{"text": FAULTY}]));
    assert_eq!(client.published(URI).1.len(), 1);
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": URI}}));
    assert_eq!(client.published(URI), (Value::Null, Vec::new()));
    client.shutdown();
}

#[test]
fn columns_count_in_the_encoding_agreed_on() {
    let text = FAULTY
        .replace("keras.layers", "*['é😀'][1:], keras.layers")
        .replace('\n', "\r\n");
    let line = text.lines().position(|line| line.contains("softmax")).unwrap();
    let before = text
        .lines()
        .nth(line)
        .unwrap()
        .split("\"softmax\"")
        .next()
        .unwrap()
        .to_owned();
    for (encoding, column) in [
        ("utf-8", before.len()),
        ("utf-16", before.encode_utf16().count()),
        ("utf-32", before.chars().count()),
    ] {
        let mut client =
            Client::initialize(json!({"general": {"positionEncodings": [encoding]}}), Value::Null);
        client.open(URI, &text);
        let (_, diagnostics) = client.published(URI);
        let start = json!({"line": line, "character": column});
        assert_eq!(diagnostics[0]["range"]["start"], start, "{encoding}: {text}");
        client.shutdown();
    }
}

#[test]
fn typing_on_is_checked_once_and_saving_at_once() {
    let mut client = Client::initialize(json!({}), Value::Null);
    client.open(URI, "");
    client.published(URI);
    for version in 2..7 {
        client.change(URI, version, json!([{"text": FAULTY}]));
    }
    assert_eq!(client.published(URI).0, 6);
    client.assert_quiet();
    // A busy machine may delay any one answer, not the fastest of them.
    let answers = (7..12).map(|version| {
        let text = if version % 2 == 0 { FAULTY } else { "" };
        let saved = std::time::Instant::now();
        client.change(URI, version, json!([{"text": text}]));
        client.notify("textDocument/didSave", json!({"textDocument": {"uri": URI}}));
        assert_eq!(client.published(URI).0, version);
        saved.elapsed()
    });
    let fastest = answers.min().unwrap();
    assert!(fastest.as_millis() < 140, "waited for a pause: {fastest:?}");
    client.shutdown();
}

#[test]
fn clients_that_pull_get_nothing_pushed() {
    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open(URI, FAULTY);
    let pull = |previous: &Value| json!({"textDocument": {"uri": URI}, "previousResultId": previous});
    let report = client.request("textDocument/diagnostic", pull(&Value::Null));
    assert_eq!(
        (&report["kind"], &report["items"][0]["code"]),
        (&json!("full"), &json!("DL101"))
    );
    let again = client.request("textDocument/diagnostic", pull(&report["resultId"]));
    assert_eq!(again["kind"], "unchanged");
    client.change(URI, 2, json!([{"range": range([0, 0, 0, 0]), "text": "\n"}]));
    let moved = client.request("textDocument/diagnostic", pull(&report["resultId"]));
    assert_eq!(moved["items"][0]["range"]["start"]["line"], 5);
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": URI}}));
    let closed = client.request("textDocument/diagnostic", pull(&Value::Null));
    assert_eq!(closed["items"], json!([]));
    client.shutdown();
}

#[test]
fn a_fix_is_offered_though_the_client_dropped_the_data() {
    let mut client = Client::initialize(
        json!({"workspace": {"workspaceEdit": {"documentChanges": true}}}),
        Value::Null,
    );
    client.open(URI, FAULTY);
    client.published(URI);
    let actions = client.request(
        "textDocument/codeAction",
        json!({"textDocument": {"uri": URI}, "range": range([4, 40, 4, 40]), "context": {"diagnostics": []}}),
    );
    let fix = &actions[0];
    assert_eq!(
        (&fix["kind"], &fix["isPreferred"]),
        (&json!("quickfix"), &json!(true))
    );
    let change = &fix["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({"uri": URI, "version": 1}));
    assert_eq!(fix["diagnostics"][0]["code"], "DL101");
    let all = actions.as_array().unwrap().last().unwrap();
    assert_eq!(all["kind"], "source.fixAll.deeplocalize");

    // What the fix leads to is clean.
    let changes: Vec<Value> = change["edits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| json!({"range": edit["range"], "text": edit["newText"]}))
        .collect();
    client.change(URI, 2, json!(changes));
    assert_eq!(client.published(URI), (json!(2), Vec::new()));
    client.shutdown();
}

#[test]
fn a_script_that_does_not_parse_is_left_to_the_python_server() {
    let mut client = Client::initialize(json!({}), Value::Null);
    client.open(URI, "import keras\nmodel = keras.Sequential([\n");
    assert_eq!(client.published(URI), (json!(1), Vec::new()));
    client.shutdown();
}
