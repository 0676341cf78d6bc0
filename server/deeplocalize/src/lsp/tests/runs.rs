use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tower_lsp::ls_types::{MessageType, Uri, WorkDoneProgress};

use super::super::client::Message;
use super::super::event::{Event, Question};
use super::super::run::Runner;
use super::harness::{Harness, checker, endless_runner, finding_runner, place, report, script, softmax};
use crate::report::ToolError;

async fn lens_titles(server: &Harness, uri: &Uri) -> Vec<String> {
    let lenses = server
        .ask(|answer| Event::Ask(uri.clone(), Question::Lenses(answer)))
        .await;
    lenses
        .unwrap()
        .unwrap()
        .into_iter()
        .map(|lens| lens.command.unwrap().title)
        .collect()
}

#[tokio::test]
async fn findings_of_a_run_follow_the_edits() {
    let (_folder, uri) = script("a\nsoftmax\nb\n");
    let client = json!({"textDocument": {"publishDiagnostics": {"relatedInformation": true}}});
    let nothing = Arc::new(|_: &str, _: &std::path::Path| super::super::quick_check::CheckedFile::default());
    let mut server = Harness::start(client, nothing, finding_runner()).await;
    server.open(&uri, "a\nsoftmax\nb\n");
    assert_eq!(server.published().await, (Some(1), Vec::new()));

    assert_eq!(server.run(&uri).await, 1);
    let (version, diagnostics) = server.published().await;
    assert_eq!((version, place(&diagnostics[0])), (Some(1), [1, 0, 1, 7]));
    assert_eq!(
        diagnostics[0]["message"],
        "softmax over one unit is always 1\nSeen: loss is flat (epoch 1, batch 5)"
    );
    let related = &diagnostics[0]["relatedInformation"];
    assert_eq!(related[0]["message"], "always 1.0 (epoch 1, batch 5)");
    assert_eq!(related[0]["location"]["range"], diagnostics[0]["range"]);
    let (severity, text) = server.shown().await;
    assert_eq!(severity, MessageType::INFO);
    assert_eq!(text, "faulty: train.py:2: softmax over one unit is always 1");

    server.edit(&uri, 2, [0, 0, 0, 1], "one\ntwo");
    let (version, diagnostics) = server.published().await;
    assert_eq!((version, place(&diagnostics[0])), (Some(2), [2, 0, 2, 7]));
    assert_eq!(
        diagnostics[0]["relatedInformation"][0]["location"]["range"],
        diagnostics[0]["range"]
    );
    server.edit(&uri, 3, [2, 7, 2, 7], "!");
    assert_eq!(server.published().await, (Some(3), Vec::new()));
    server.finish().await;
}

#[tokio::test]
async fn a_run_does_not_repeat_what_the_text_tells_and_can_be_cleared() {
    let text = "softmax\nmodel.fit()\n";
    let (_folder, uri) = script(text);
    let repeating: Runner = Arc::new(|options, _, _| {
        let text = std::fs::read_to_string(&options.script).unwrap();
        let mut findings = softmax(&text, &options.script);
        let other = finding::Finding {
            code: "DL901",
            ..findings[0].clone()
        };
        findings.push(other);
        report(options, findings, &text)
    });
    let mut server = Harness::start(json!({}), checker(), repeating).await;
    server.open(&uri, text);
    assert_eq!(server.published().await.1.len(), 1);
    server.run(&uri).await;
    let codes: Vec<Value> = server
        .published()
        .await
        .1
        .iter()
        .map(|diagnostic| diagnostic["code"].clone())
        .collect();
    assert_eq!(codes, ["DL101", "DL901"]);
    server.shown().await;
    server.command("deeplocalize.clear", Vec::new()).await.unwrap();
    assert_eq!(server.published().await.1.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn the_last_request_wins() {
    let (_folder, uri) = script("");
    let runs = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&runs);
    let endless = endless_runner();
    let runner: Runner = Arc::new(move |options, cancel, progress| {
        seen.lock().unwrap().push(options.max_batches);
        endless(options, cancel, progress)
    });
    let server = Harness::start(json!({}), checker(), runner).await;
    for batches in [1, 2, 3] {
        let arguments = vec![json!(uri), json!({"maxBatches": batches})];
        server.command("deeplocalize.run", arguments).await.unwrap();
    }
    let both = async {
        while runs.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), both)
        .await
        .expect("the waiting run starts");
    assert_eq!(*runs.lock().unwrap(), [1, 3]);
    // Ends the third; no run said anything.
    server.finish().await;
}

#[tokio::test]
async fn progress_begins_when_the_client_agrees_and_ends_with_the_run() {
    let (_folder, uri) = script("model.fit()\n");
    let client = json!({
        "window": {"workDoneProgress": true},
        "textDocument": {"diagnostic": {}},
        "workspace": {"codeLens": {"refreshSupport": true}},
    });
    let mut server = Harness::start(client, checker(), endless_runner()).await;
    server.open(&uri, "model.fit()\n");
    assert_eq!(
        lens_titles(&server, &uri).await,
        ["Localize faults", "Check quickly"]
    );
    let generation = server.run(&uri).await;
    let Message::CreateProgress(_, token) = server.message().await else {
        panic!("no question for a place")
    };
    assert_eq!(server.message().await, Message::RefreshLenses);
    assert_eq!(
        lens_titles(&server, &uri).await,
        ["Localizing… (cancel)", "Check quickly"]
    );

    server.tell(Event::ProgressCreated(generation, true));
    let begun = server.message().await;
    assert!(
        matches!(&begun, Message::Progress(_, WorkDoneProgress::Begin(begin)) if begin.cancellable == Some(true))
    );
    let start = Instant::now();
    for _ in 0..3 {
        let Message::Progress(_, WorkDoneProgress::Report(report)) = server.message().await else {
            panic!("no report")
        };
        let text = report.message.unwrap();
        assert!(
            text.starts_with("epoch 1/3, step ") && text.ends_with(", loss 0.5000"),
            "{text}"
        );
    }
    assert!(start.elapsed().as_millis() >= 200, "at most ten reports a second");

    server.tell(Event::ProgressCancelled(token));
    let end = loop {
        match server.message().await {
            Message::Progress(_, WorkDoneProgress::End(end)) => break end,
            Message::Progress(..) | Message::RefreshLenses => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(end.message.as_deref(), Some("cancelled"));
    assert_eq!(server.message().await, Message::RefreshLenses);
    assert_eq!(
        lens_titles(&server, &uri).await,
        ["Localize faults", "Check quickly"]
    );
    assert_eq!(
        server.command("deeplocalize.cancel", Vec::new()).await,
        Ok(Some(json!({"cancelled": false})))
    );
    server.finish().await;
}

#[tokio::test]
async fn a_client_that_asks_is_told_what_the_server_does() {
    let (_folder, uri) = script("softmax\n");
    let options = json!({"trusted": true, "status": true});
    let mut server = Harness::start_with(json!({}), options, checker(), finding_runner()).await;
    let told = async |server: &mut Harness| match server.message().await {
        Message::Status(status) => serde_json::to_value(status).unwrap(),
        other => panic!("not a status: {other:?}"),
    };
    server.run(&uri).await;
    assert_eq!(
        told(&mut server).await,
        json!({"state": "running", "script": "train.py", "message": "starting"})
    );
    assert!(matches!(server.message().await, Message::Publish(..)));
    let (_, line) = server.shown().await;
    assert_eq!(
        told(&mut server).await,
        json!({"state": "idle", "script": "train.py", "message": line, "verdict": "faulty"})
    );
    server.finish().await;
}

#[tokio::test]
async fn the_last_run_can_be_had_as_a_page() {
    let (_folder, uri) = script("softmax\n");
    let client = json!({"window": {"showDocument": {"support": true}}});
    let mut server = Harness::start(client, checker(), finding_runner()).await;
    let report =
        async |server: &Harness, options: Value| server.command("deeplocalize.report", vec![options]).await;
    let refused = report(&server, json!({})).await.unwrap_err();
    assert!(refused.message.starts_with("There is no report yet"), "{refused}");
    server.run(&uri).await;
    server.published().await;
    server.shown().await;
    let answer = report(&server, json!({})).await.unwrap().unwrap();
    let page = std::fs::read_to_string(answer["path"].as_str().unwrap()).unwrap();
    assert!(page.contains("softmax over one unit is always 1"));
    let answer = report(&server, json!({"show": true})).await.unwrap().unwrap();
    let Message::ShowDocument(shown) = server.message().await else {
        panic!("not shown")
    };
    assert_eq!(shown.to_file_path().unwrap().to_str(), answer["path"].as_str());
    server.finish().await;
}

#[tokio::test]
async fn a_refused_progress_is_not_used() {
    let (_folder, uri) = script("");
    let mut server = Harness::start(
        json!({"window": {"workDoneProgress": true}}),
        checker(),
        endless_runner(),
    )
    .await;
    let generation = server.run(&uri).await;
    assert!(matches!(server.message().await, Message::CreateProgress(..)));
    server.tell(Event::ProgressCreated(generation, false));
    assert_eq!(
        server.command("deeplocalize.cancel", Vec::new()).await,
        Ok(Some(json!({"cancelled": true})))
    );
    server.finish().await;
}

#[tokio::test]
async fn the_end_of_the_server_waits_for_the_run() {
    let (_folder, uri) = script("");
    let ended = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&ended);
    let endless = endless_runner();
    let runner: Runner = Arc::new(move |options, cancel, progress| {
        let report = endless(options, cancel, progress);
        std::thread::sleep(Duration::from_millis(200));
        count.fetch_add(1, Ordering::SeqCst);
        report
    });
    let server = Harness::start(json!({}), checker(), runner).await;
    server.run(&uri).await;
    server.finish().await;
    assert_eq!(ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_run_that_panics_or_fails_is_told_and_the_next_one_starts() {
    let (_folder, uri) = script("");
    let calls = AtomicUsize::new(0);
    let runner: Runner = Arc::new(move |options, _, _| {
        assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "asked to");
        let mut report = report(options, Vec::new(), "");
        report.errors.push(ToolError {
            code: "no-interpreter".to_owned(),
            message: "No Python was found.".to_owned(),
            path: None,
            hint: "Set one.".to_owned(),
        });
        report
    });
    let mut server = Harness::start(json!({}), checker(), runner).await;
    server.run(&uri).await;
    let (severity, text) = server.shown().await;
    assert_eq!(severity, MessageType::ERROR);
    assert!(text.contains("failed"), "{text}");
    assert_eq!(server.run(&uri).await, 2);
    assert_eq!(
        server.shown().await,
        (MessageType::ERROR, "No Python was found. Set one.".to_owned())
    );
    server.finish().await;
}

#[tokio::test]
async fn clients_that_pull_get_findings_of_runs_once() {
    let text = "softmax\n";
    for refresh in [true, false] {
        let (_folder, uri) = script(text);
        let client = json!({
            "textDocument": {"diagnostic": {}},
            "workspace": {"diagnostics": {"refreshSupport": refresh}},
        });
        let mut server = Harness::start(client, checker(), finding_runner()).await;
        server.open(&uri, text);
        let before = server.pull(&uri, None).await;
        server.run(&uri).await;
        let pulled = if refresh {
            assert_eq!(server.message().await, Message::RefreshDiagnostics);
            2
        } else {
            assert_eq!(server.published().await.1.len(), 1);
            1
        };
        server.shown().await;
        let after = server.pull(&uri, before["resultId"].as_str()).await;
        assert_eq!(after["items"].as_array().unwrap().len(), pulled);
        server.tell(Event::Close(uri));
        if !refresh {
            assert_eq!(server.published().await, (None, Vec::new()));
        }
        server.finish().await;
    }
}

#[tokio::test]
async fn a_file_that_is_not_open_gets_findings_too_and_opening_it_adopts_them() {
    let (_folder, uri) = script("softmax\n");
    let mut server = Harness::start(json!({}), Arc::new(|_, _| Default::default()), finding_runner()).await;
    server.run(&uri).await;
    let (version, diagnostics) = server.published().await;
    assert_eq!((version, place(&diagnostics[0])), (None, [0, 0, 0, 7]));
    server.shown().await;
    // An unsaved text the editor restored.
    server.open(&uri, "# new\nsoftmax\n");
    let (version, diagnostics) = server.published().await;
    assert_eq!((version, place(&diagnostics[0])), (Some(1), [1, 0, 1, 7]));
    server.finish().await;
}

#[tokio::test]
async fn unsaved_changes_are_told_and_findings_stand_where_the_editor_shows_them() {
    let (_folder, uri) = script("softmax\n");
    let given = Arc::new(Mutex::new(String::new()));
    let (finding, take) = (finding_runner(), Arc::clone(&given));
    let runner: Runner = Arc::new(move |options, cancel, progress| {
        *take.lock().unwrap() = options.overrides[&options.script].clone();
        finding(options, cancel, progress)
    });
    let mut server = Harness::start(json!({}), Arc::new(|_, _| Default::default()), runner).await;
    server.open(&uri, "# unsaved\nsoftmax\n");
    server.published().await;
    server.run(&uri).await;
    let (severity, text) = server.shown().await;
    assert_eq!(severity, MessageType::INFO);
    assert!(text.starts_with("train.py has unsaved changes"), "{text}");
    assert_eq!(place(&server.published().await.1[0]), [1, 0, 1, 7]);
    assert_eq!(*given.lock().unwrap(), "# unsaved\nsoftmax\n");
    server.shown().await;
    server.finish().await;
}
