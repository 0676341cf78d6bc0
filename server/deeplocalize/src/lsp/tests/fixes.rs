use std::sync::Arc;

use finding::Applicability;
use serde_json::{Value, json};

use super::super::quick_check::{CheckedFile, Checker};
use super::harness::{Harness, checker, endless_runner, fix, softmax, uri};

fn titles(actions: &[Value]) -> Vec<&str> {
    actions
        .iter()
        .map(|action| action["title"].as_str().unwrap())
        .collect()
}

/// Each finding has a display-only, an unsafe and a safe fix, and there is another finding on the same place.
fn many_fixes() -> Checker {
    Arc::new(|text, path| {
        let mut findings = softmax(text, path);
        for finding in &mut findings {
            for applicability in [Applicability::Unsafe, Applicability::DisplayOnly] {
                finding.fixes.insert(0, fix(path, finding.range, applicability));
            }
        }
        let mut other = softmax(text, path);
        other.iter_mut().for_each(|finding| finding.code = "DL102");
        findings.extend(other);
        CheckedFile {
            findings,
            fits: Vec::new(),
            outline: Default::default(),
        }
    })
}

#[tokio::test]
async fn fixes_of_a_line_are_offered() {
    let server = Harness::start(
        json!({"textDocument": {"diagnostic": {}}}),
        many_fixes(),
        endless_runner(),
    )
    .await;
    server.open(&uri(), "softmax\nsoftmax\n");
    let actions = server.actions(&uri(), 1, Some("quickfix")).await;
    let unsafe_title = "Use a sigmoid output (unsafe: may change what the program does)";
    assert_eq!(
        titles(&actions),
        [
            unsafe_title,
            "Use a sigmoid output",
            "Use a sigmoid output",
            "Try all fixes of DeepLocalize (runs the script)",
            "Ignore DL101 on this line",
            "Ignore DL102 on this line",
        ]
    );
    let preferred: Vec<_> = actions.iter().map(|action| &action["isPreferred"]).collect();
    assert_eq!(preferred, [false, true, true, false, false, false]);
    assert_eq!(actions[3]["command"]["command"], "deeplocalize.tryFixes");
    // This client knows no versions.
    let edits = &actions[1]["edit"]["changes"][uri().as_str()];
    assert_eq!(edits[0]["newText"], "sigmoid");
    assert_eq!(edits[0]["range"]["start"], json!({"line": 1, "character": 0}));
    assert_eq!(actions[1]["diagnostics"][0]["data"], actions[1]["data"]);
    server.finish().await;
}

#[tokio::test]
async fn all_safe_fixes_apply_together() {
    let capabilities = json!({
        "textDocument": {"diagnostic": {}},
        "workspace": {"workspaceEdit": {"documentChanges": true}},
    });
    let server = Harness::start(capabilities, many_fixes(), endless_runner()).await;
    server.open(&uri(), "softmax\nsoftmax\n");
    server.edit(&uri(), 7, [0, 0, 0, 0], "\n");
    for only in ["source", "source.fixAll", "source.fixAll.deeplocalize"] {
        let actions = server.actions(&uri(), 9, Some(only)).await;
        assert_eq!(
            titles(&actions),
            ["Apply all safe fixes of DeepLocalize"],
            "{only}"
        );
        let changes = &actions[0]["edit"]["documentChanges"][0];
        assert_eq!(changes["textDocument"], json!({"uri": uri(), "version": 7}));
        // Two findings stand on each of the two places; the second fix of a place would undo the first.
        let lines: Vec<_> = changes["edits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edit| &edit["range"]["start"]["line"])
            .collect();
        assert_eq!(lines, [1, 2], "{only}");
    }
    assert!(
        server
            .actions(&uri(), 1, Some("source.organizeImports"))
            .await
            .is_empty()
    );
    assert!(server.actions(&uri(), 1, Some("source.fix")).await.is_empty());
    server.finish().await;
}

#[tokio::test]
async fn a_text_without_findings_offers_nothing() {
    let server = Harness::start(
        json!({"textDocument": {"diagnostic": {}}}),
        checker(),
        endless_runner(),
    )
    .await;
    server.open(&uri(), "relu\n");
    assert!(server.actions(&uri(), 0, None).await.is_empty());
    server.finish().await;
}
