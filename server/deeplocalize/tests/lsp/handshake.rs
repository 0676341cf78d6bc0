use serde_json::{Value, json};

use crate::client::{Client, FAULTY, URI};

#[test]
fn the_server_says_what_it_offers() {
    let client = Client::initialize(json!({}), Value::Null);
    let offered = &client.initialized["capabilities"];
    assert_eq!(client.initialized["serverInfo"]["name"], "deeplocalize");
    assert_eq!(offered["positionEncoding"], "utf-16");
    assert_eq!(offered["textDocumentSync"]["change"], 2, "incremental");
    assert_eq!(
        offered["executeCommandProvider"]["commands"],
        json!([
            "deeplocalize.run",
            "deeplocalize.tryFixes",
            "deeplocalize.cancel",
            "deeplocalize.clear",
            "deeplocalize.check",
            "deeplocalize.report"
        ])
    );
    assert_eq!(
        offered["codeActionProvider"]["codeActionKinds"],
        json!(["quickfix", "source.fixAll.deeplocalize"])
    );
    assert!(offered["codeLensProvider"].is_object());
    assert!(
        offered.get("diagnosticProvider").is_none(),
        "only for clients that pull"
    );
    client.shutdown();
}

#[test]
fn clients_that_pull_are_offered_it() {
    let client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    assert!(client.initialized["capabilities"]["diagnosticProvider"].is_object());
    client.shutdown();
}

#[test]
fn the_best_encoding_of_the_offer_is_agreed_on() {
    for (offer, agreed) in [
        (json!(["utf-16", "utf-8"]), "utf-8"),
        (json!(["utf-32"]), "utf-32"),
        (json!(["utf-32", "utf-16"]), "utf-16"),
        (json!([]), "utf-16"),
    ] {
        let client = Client::initialize(json!({"general": {"positionEncodings": offer}}), Value::Null);
        assert_eq!(client.initialized["capabilities"]["positionEncoding"], agreed);
        client.shutdown();
    }
}

#[test]
fn malformed_options_neither_break_the_start_nor_grant_trust() {
    for (options, complaints) in [
        (json!("fast"), 0),
        (json!([1, 2]), 0),
        (json!({"trusted": "yes", "settings": 7}), 1),
        (
            json!({"trusted": 1, "settings": {"maxBatches": "many", "python": 3, "unknown": null}}),
            2,
        ),
        (json!({"settings": {"trusted": true}}), 0),
    ] {
        let mut client = Client::initialize(json!({}), options);
        for _ in 0..complaints {
            let shown = client.expect("window/showMessage");
            assert_eq!(shown["type"], 2, "{shown}");
        }
        client.open(URI, FAULTY);
        client.published(URI);
        let arguments = json!({"command": "deeplocalize.run", "arguments": [URI]});
        assert!(
            client
                .refusal("workspace/executeCommand", arguments)
                .contains("not trusted")
        );
        client.shutdown();
    }
}

#[test]
fn settings_of_the_editor_are_asked_for_and_mistakes_are_told() {
    let mut client = Client::initialize(json!({"workspace": {"configuration": true}}), Value::Null);
    client.answer("workspace/configuration", json!([{"maxSeconds": -3}]));
    let shown = client.expect("window/showMessage");
    assert!(
        shown["message"].as_str().unwrap().contains("`maxSeconds`"),
        "{shown}"
    );
    client.notify("workspace/didChangeConfiguration", json!({"settings": null}));
    client.answer("workspace/configuration", json!([{"maxSeconds": 3}]));
    client.shutdown();
}

#[test]
fn unknown_methods_and_broken_messages_are_answered() {
    let mut client = Client::initialize(json!({}), Value::Null);
    assert_eq!(
        client.ask("textDocument/inventory", json!({}))["error"]["code"],
        -32601
    );
    assert_eq!(
        client.ask("textDocument/codeLens", json!({"textDocument": 7}))["error"]["code"],
        -32602
    );
    client.notify("$/inventory", json!({}));
    client.shutdown();
}
