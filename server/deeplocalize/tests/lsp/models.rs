//! What the server shows of models: hints, hover, outline.

use serde_json::{Value, json};

use crate::client::{Client, URI, range};

/// Lines with characters of two bytes, and of two units in UTF-16, before the layers.
const NET: &str = r#"import keras
from keras import layers as L
net = keras.Sequential([
    keras.Input((28, 28, 1)),
    L.Conv2D(32, 3, activation="relu"),  # é 😀
    L.Flatten(), L.Dense(8, name="é😀"), L.Dense(10, trainable=False),
    L.Dense(units
])
"#;

fn hints(client: &mut Client, uri: &str, lines: [u32; 2]) -> Vec<Value> {
    let range = range([lines[0], 0, lines[1], 0]);
    let answer = client.request(
        "textDocument/inlayHint",
        json!({"textDocument": {"uri": uri}, "range": range}),
    );
    answer.as_array().unwrap().clone()
}

fn hover(client: &mut Client, line: u32, character: u32) -> Value {
    let place = json!({"textDocument": {"uri": URI}, "position": {"line": line, "character": character}});
    client.request("textDocument/hover", place)
}

/// Label, line and column.
fn places(hints: &[Value]) -> Vec<(String, u64, u64)> {
    let number = |hint: &Value, name: &str| hint["position"][name].as_u64().unwrap();
    hints
        .iter()
        .map(|hint| {
            (
                hint["label"].as_str().unwrap().to_owned(),
                number(hint, "line"),
                number(hint, "character"),
            )
        })
        .collect()
}

#[test]
fn layers_are_followed_by_shape_and_parameters_in_every_encoding() {
    for (encoding, comment, flatten, dense, last) in [
        ("utf-8", 50, 15, 42, 72),
        ("utf-16", 47, 15, 39, 69),
        ("utf-32", 46, 15, 38, 68),
    ] {
        let mut client = Client::initialize(
            json!({"general": {"positionEncodings": [encoding]}, "textDocument": {"diagnostic": {}}}),
            Value::Null,
        );
        assert_eq!(client.initialized["capabilities"]["inlayHintProvider"], true);
        // The layer that is being typed is not there yet; the others are.
        client.open(URI, NET);
        let found = hints(&mut client, URI, [0, 99]);
        let expected = [
            ("→ (None, 26, 26, 32), 320 params", 4, comment),
            ("→ (None, 21632), 0 params", 5, flatten),
            ("→ (None, 8), 173,064 params", 5, dense),
            ("→ (None, 10), 90 params", 5, last),
        ];
        let expected: Vec<_> = expected
            .map(|(label, line, column)| (label.to_owned(), line, column))
            .into();
        assert_eq!(places(&found), expected, "{encoding}");
        assert_eq!(found[0]["tooltip"], "Conv2D: input (None, 28, 28, 1)");
        assert_eq!(hints(&mut client, URI, [0, 3]), [] as [Value; 0]);
        assert_eq!(hints(&mut client, URI, [4, 4]).len(), 1);
        client.shutdown();
    }
}

#[test]
fn hints_follow_the_text_and_can_be_turned_off() {
    let capabilities = json!({
        "workspace": {"inlayHint": {"refreshSupport": true}},
        "textDocument": {"diagnostic": {}},
    });
    let mut client = Client::initialize(capabilities, Value::Null);
    client.open(URI, NET);
    client.change(URI, 2, json!([{"range": range([4, 13, 4, 15]), "text": "4"}]));
    assert_eq!(
        places(&hints(&mut client, URI, [4, 4]))[0].0,
        "→ (None, 26, 26, 4), 40 params"
    );
    let off = json!({"settings": {"deeplocalize": {"inlayHints": false}}});
    client.notify("workspace/didChangeConfiguration", off);
    client.answer("workspace/inlayHint/refresh", Value::Null);
    assert_eq!(hints(&mut client, URI, [0, 99]), [] as [Value; 0]);
    client.shutdown();
}

#[test]
fn hover_tells_what_a_layer_takes_gives_and_costs() {
    let markdown = json!({"textDocument": {"diagnostic": {}, "hover": {"contentFormat": ["markdown"]}}});
    let mut client = Client::initialize(markdown, Value::Null);
    client.open(URI, NET);
    let found = hover(&mut client, 4, 8);
    assert_eq!(found["range"], range([4, 4, 4, 12]));
    assert_eq!(
        found["contents"],
        json!({"kind": "markdown", "value": "**Conv2D** layer\n\n`(None, 28, 28, 1)` → `(None, 26, 26, 32)` · 320 params"})
    );
    let frozen = hover(&mut client, 5, 43);
    let frozen = frozen["contents"]["value"].as_str().unwrap();
    assert!(frozen.ends_with("90 params · frozen"), "{frozen}");
    let model = hover(&mut client, 2, 12);
    let model = model["contents"]["value"].as_str().unwrap();
    assert!(model.starts_with("**Sequential** model `net`"), "{model}");
    // On an argument, on nothing, and where nothing is open.
    assert_eq!(hover(&mut client, 4, 20), Value::Null);
    assert_eq!(hover(&mut client, 0, 0), Value::Null);
    let nowhere =
        json!({"textDocument": {"uri": "file:///closed.py"}, "position": {"line": 0, "character": 0}});
    assert_eq!(client.request("textDocument/hover", nowhere), Value::Null);
    client.shutdown();
    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open(URI, NET);
    assert_eq!(
        hover(&mut client, 4, 8)["contents"],
        json!({"kind": "plaintext", "value": "Conv2D layer\n\n(None, 28, 28, 1) → (None, 26, 26, 32) · 320 params"})
    );
    client.shutdown();
}

const FUNCTIONAL: &str = r#"from keras import Input, Model, layers
i = Input((4,))
x = layers.Dense(8, name="hidden")(i)
net = Model(i, layers.Dense(1)(x))
"#;

#[test]
fn models_are_an_outline_with_their_layers() {
    let nested = json!({"textDocument": {"diagnostic": {}, "documentSymbol": {"hierarchicalDocumentSymbolSupport": true}}});
    let mut client = Client::initialize(nested, Value::Null);
    client.open(URI, FUNCTIONAL);
    let ask = json!({"textDocument": {"uri": URI}});
    let symbols = client.request("textDocument/documentSymbol", ask.clone());
    let [model] = symbols.as_array().unwrap().as_slice() else {
        panic!("{symbols}")
    };
    assert_eq!(
        (&model["name"], &model["detail"]),
        (&json!("net"), &json!("Model"))
    );
    // It spans its layers, and what is selected lies inside.
    assert_eq!(model["range"], range([2, 4, 3, 34]));
    assert_eq!(model["selectionRange"], range([3, 6, 3, 11]));
    let layers = model["children"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    assert_eq!(
        (&layers[0]["name"], &layers[0]["detail"]),
        (&json!("hidden"), &json!("Dense · (None, 8) · 40 params"))
    );
    assert_eq!(layers[1]["selectionRange"], range([3, 15, 3, 27]));
    client.shutdown();

    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open(URI, FUNCTIONAL);
    let symbols = client.request("textDocument/documentSymbol", ask);
    let names: Vec<&Value> = symbols
        .as_array()
        .unwrap()
        .iter()
        .map(|symbol| &symbol["name"])
        .collect();
    assert_eq!(names, ["net", "hidden", "Dense"]);
    assert_eq!(symbols[1]["containerName"], "net");
    client.shutdown();
}

#[test]
fn the_quick_check_can_be_asked_for() {
    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open(URI, crate::client::FAULTY);
    let answer = client.command("deeplocalize.check", json!([URI]));
    assert_eq!(answer, json!({"findings": 1}));
    let shown = client.expect("window/showMessage");
    assert_eq!(
        shown,
        json!({"type": 3, "message": "DeepLocalize: the quick check finds 1 error."})
    );
    let refusal = client.refusal(
        "workspace/executeCommand",
        json!({"command": "deeplocalize.check", "arguments": ["file:///closed.py"]}),
    );
    assert!(refusal.contains("open document"), "{refusal}");
    client.shutdown();
}
