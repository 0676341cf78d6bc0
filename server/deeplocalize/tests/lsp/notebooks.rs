use serde_json::{Value, json};

use crate::client::{Client, range};

const NOTEBOOK: &str = "file:///nowhere/train.ipynb";

fn uri(cell: usize) -> String {
    format!("vscode-notebook-cell:/nowhere/train.ipynb#{cell}")
}

fn item(cell: usize, text: &str) -> Value {
    json!({"uri": uri(cell), "languageId": "python", "version": 1, "text": text})
}

fn code(cell: usize) -> Value {
    json!({"kind": 2, "document": uri(cell)})
}

/// The next publications, one per cell, in the order of the cells.
fn published(client: &mut Client, cells: &[usize]) -> Vec<Vec<Value>> {
    cells.iter().map(|cell| client.published(&uri(*cell)).1).collect()
}

fn change(client: &mut Client, version: i32, cells: Value) {
    client.notify(
        "notebookDocument/didChange",
        json!({"notebookDocument": {"uri": NOTEBOOK, "version": version}, "change": {"cells": cells}}),
    );
}

fn open(client: &mut Client, texts: &[&str]) {
    let cells: Vec<Value> = (0..texts.len()).map(code).collect();
    let items: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(cell, text)| item(cell, text))
        .collect();
    client.notify(
        "notebookDocument/didOpen",
        json!({
            "notebookDocument": {"uri": NOTEBOOK, "notebookType": "jupyter-notebook", "version": 1, "cells": cells},
            "cellTextDocuments": items,
        }),
    );
}

const MODEL: &str =
    "!pip list\nmodel = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation='softmax')])\n";

#[test]
fn cells_are_one_program_and_each_has_its_findings() {
    let mut client = Client::initialize(json!({}), Value::Null);
    assert_eq!(
        client.initialized["capabilities"]["notebookDocumentSync"]["notebookSelector"][0]["cells"][0]["language"],
        "python"
    );
    open(
        &mut client,
        &[
            "%matplotlib inline\nimport keras",
            MODEL,
            "model.compile(loss='binary_crossentropy')",
        ],
    );
    let found = published(&mut client, &[0, 1, 2]);
    // Shapes stand in the cell of the layer, counted from its own first line.
    let hints = client.request(
        "textDocument/inlayHint",
        json!({"textDocument": {"uri": uri(1)}, "range": range([0, 0, 9, 0])}),
    );
    assert_eq!(hints.as_array().unwrap().len(), 1);
    assert_eq!(hints[0]["label"], "→ (None, 1), 5 params");
    assert_eq!(hints[0]["position"], json!({"line": 1, "character": 90}));
    assert_eq!((found[0].len(), found[1].len(), found[2].len()), (0, 1, 0));
    assert_eq!(found[1][0]["range"], range([1, 78, 1, 87]));

    // The fix of a cell is an edit of that cell, and the whole notebook is checked with it.
    let actions = client.request(
        "textDocument/codeAction",
        json!({"textDocument": {"uri": uri(1)}, "range": range([1, 80, 1, 80]), "context": {"diagnostics": []}}),
    );
    let edit = &actions[0]["edit"]["changes"][uri(1)][0];
    assert_eq!(edit["newText"], "'sigmoid'");
    let text = json!([{
        "document": {"uri": uri(1), "version": 2},
        "changes": [{"range": edit["range"], "text": edit["newText"]}],
    }]);
    change(&mut client, 2, json!({"textContent": text}));
    let found = published(&mut client, &[0, 1, 2]);
    assert!(found.iter().all(Vec::is_empty), "{found:?}");
    client.shutdown();
}

#[test]
fn a_change_of_one_cell_or_of_their_order_counts_for_all() {
    let mut client = Client::initialize(json!({}), Value::Null);
    open(
        &mut client,
        &["import numpy", MODEL, "model.compile(loss='binary_crossentropy')"],
    );
    assert!(
        published(&mut client, &[0, 1, 2]).iter().all(Vec::is_empty),
        "no Keras"
    );
    let text = json!([{
        "document": {"uri": uri(0), "version": 2},
        "changes": [{"text": "import keras"}],
    }]);
    change(&mut client, 2, json!({"textContent": text}));
    assert_eq!(published(&mut client, &[0, 1, 2])[1].len(), 1);
    // The import goes to another cell behind the model.
    let structure = json!({
        "array": {"start": 0, "deleteCount": 1, "cells": []},
        "didClose": [{"uri": uri(0)}],
    });
    change(&mut client, 3, json!({"structure": structure}));
    assert_eq!(
        published(&mut client, &[0, 1, 2]),
        [[], [], []] as [[Value; 0]; 3]
    );
    let structure = json!({
        "array": {"start": 0, "deleteCount": 0, "cells": [code(7)]},
        "didOpen": [item(7, "import keras")],
    });
    change(&mut client, 4, json!({"structure": structure}));
    assert_eq!(published(&mut client, &[7, 1, 2])[1].len(), 1);
    client.notify(
        "notebookDocument/didClose",
        json!({
            "notebookDocument": {"uri": NOTEBOOK},
            "cellTextDocuments": [{"uri": uri(7)}, {"uri": uri(1)}, {"uri": uri(2)}],
        }),
    );
    assert_eq!(
        published(&mut client, &[7, 1, 2]),
        [[], [], []] as [[Value; 0]; 3]
    );
    client.shutdown();
}
