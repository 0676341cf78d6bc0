use std::sync::{Arc, Mutex, mpsc};

use serde_json::json;

use super::super::event::{Event, Question};
use super::super::quick_check::CheckedFile;
use super::harness::{Harness, checker, endless_runner, place, softmax, uri};

#[tokio::test]
async fn diagnostics_are_pushed_with_the_version_they_belong_to() {
    let mut server = Harness::start(json!({}), checker(), endless_runner()).await;
    server.open(&uri(), "a = 'softmax'\n");
    let (version, diagnostics) = server.published().await;
    assert_eq!(version, Some(1));
    assert_eq!(place(&diagnostics[0]), [0, 5, 0, 12]);
    assert_eq!(diagnostics[0]["code"], "DL101");
    assert_eq!(diagnostics[0]["severity"], 1);
    assert_eq!(diagnostics[0]["source"], "deeplocalize");
    assert!(
        diagnostics[0]["codeDescription"]["href"]
            .as_str()
            .unwrap()
            .ends_with("/docs/rules/DL101.md")
    );

    server.edit(&uri(), 2, [0, 0, 0, 0], "\n");
    server.edit(&uri(), 3, [0, 0, 0, 0], "\n");
    let (version, diagnostics) = server.published().await;
    assert_eq!((version, place(&diagnostics[0])), (Some(3), [2, 5, 2, 12]));

    server.tell(Event::Close(uri()));
    assert_eq!(server.published().await, (None, Vec::new()));
    server.finish().await;
}

#[tokio::test]
async fn the_result_of_a_check_that_was_overtaken_is_dropped() {
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let slow = Arc::new(move |text: &str, path: &std::path::Path| {
        gate.lock().unwrap().recv().unwrap();
        CheckedFile {
            findings: softmax(text, path),
            fits: Vec::new(),
            outline: Default::default(),
        }
    });
    let mut server = Harness::start(json!({}), slow, endless_runner()).await;
    server.open(&uri(), "softmax");
    server.edit(&uri(), 2, [0, 0, 0, 7], "relu");
    server.tell(Event::Save(uri()));
    release.send(()).unwrap();
    release.send(()).unwrap();
    assert_eq!(server.published().await, (Some(2), Vec::new()));
    server.finish().await;
}

#[tokio::test]
async fn a_check_that_panics_does_not_end_the_session() {
    let mut server = Harness::start(json!({}), checker(), endless_runner()).await;
    server.open(&uri(), "panic");
    assert_eq!(server.published().await, (Some(1), Vec::new()));
    server.edit(&uri(), 2, [0, 0, 0, 5], "softmax");
    assert_eq!(server.published().await.1.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn a_pull_is_answered_for_the_present_text() {
    let server = Harness::start(
        json!({"textDocument": {"diagnostic": {}}}),
        checker(),
        endless_runner(),
    )
    .await;
    server.open(&uri(), "softmax");
    server.edit(&uri(), 2, [0, 0, 0, 0], "\n");
    let report = server.pull(&uri(), None).await;
    assert_eq!(report["kind"], "full");
    assert_eq!(place(&report["items"][0]), [1, 0, 1, 7]);

    let id = report["resultId"].as_str().unwrap();
    let again = server.pull(&uri(), Some(id)).await;
    assert_eq!(again, json!({"kind": "unchanged", "resultId": id}));
    server.edit(&uri(), 3, [0, 0, 2, 0], "");
    assert_eq!(server.pull(&uri(), Some(id)).await["items"], json!([]));
    // Nothing was pushed besides.
    server.finish().await;
}

#[tokio::test]
async fn questions_about_unknown_documents_are_answered_with_nothing() {
    let server = Harness::start(json!({}), checker(), endless_runner()).await;
    assert_eq!(server.pull(&uri(), None).await["items"], json!([]));
    let lenses = server
        .ask(|answer| Event::Ask(uri(), Question::Lenses(answer)))
        .await;
    assert_eq!(lenses.unwrap(), None);
    server.edit(&uri(), 2, [0, 0, 0, 0], "text");
    server.tell(Event::Save(uri()));
    server.tell(Event::Close(uri()));
    server.finish().await;
}
