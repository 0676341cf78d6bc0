use std::process::{Child, Command};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, FAULTY, URI};

#[test]
fn exit_without_shutdown_is_a_failure() {
    let mut client = Client::initialize(json!({}), Value::Null);
    client.notify("exit", Value::Null);
    assert_eq!(client.ends().code(), Some(1));
}

#[test]
fn exit_ends_the_server_though_its_input_stays_open() {
    let mut client = Client::start();
    client.notify("exit", Value::Null);
    assert_eq!(client.ends().code(), Some(1));
}

#[test]
fn the_end_of_the_input_ends_the_server() {
    let mut client = Client::initialize(json!({}), Value::Null);
    client.open(URI, FAULTY);
    client.published(URI);
    client.close_input();
    assert_eq!(client.ends().code(), Some(1));

    let mut client = Client::initialize(json!({}), Value::Null);
    client.request("shutdown", Value::Null);
    client.close_input();
    assert_eq!(client.ends().code(), Some(0));
}

/// A server that was told this editor, and has had the time to look for it.
fn started_by(editor: &Child) -> Client {
    let mut client = Client::start();
    client.request(
        "initialize",
        json!({"processId": editor.id(), "capabilities": {}}),
    );
    client.notify("initialized", json!({}));
    std::thread::sleep(Duration::from_millis(1500));
    client
}

#[test]
fn the_death_of_the_editor_ends_the_server() {
    let mut editor = Command::new("sleep").arg("600").spawn().unwrap();
    let mut client = started_by(&editor);
    assert!(!client.has_ended(), "the editor is alive");
    editor.kill().unwrap();
    editor.wait().unwrap();
    // Its input is still open.
    assert_eq!(client.ends().code(), Some(1));
}

#[test]
fn an_editor_that_cannot_be_seen_is_not_watched() {
    let mut editor = Command::new("true").spawn().unwrap();
    editor.wait().unwrap();
    started_by(&editor).shutdown();
}

#[test]
fn requests_before_and_after_the_session_are_refused() {
    let mut client = Client::start();
    let lens = json!({"textDocument": {"uri": URI}});
    assert_eq!(
        client.ask("textDocument/codeLens", lens.clone())["error"]["code"],
        -32002
    );
    client.request("initialize", json!({"processId": null, "capabilities": {}}));
    client.notify("initialized", json!({}));
    client.request("shutdown", Value::Null);
    assert_eq!(client.ask("textDocument/codeLens", lens)["error"]["code"], -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.ends().code(), Some(0));
}
