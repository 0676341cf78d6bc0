//! A main loop without a client: tests send events and read the messages.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use finding::{Applicability, Edit, Evidence, Finding, Fix, Kind, Range, Severity, Source, Verdict};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tower_lsp::jsonrpc;
use tower_lsp::ls_types::{MessageType, TextDocumentItem, Uri};

use super::super::client::Message;
use super::super::event::{Answer, Event, Question};
use super::super::main_loop::MainLoop;
use super::super::quick_check::{CheckedFile, Checker};
use super::super::run::Runner;
use super::super::state::State;
use crate::config::Configuration;
use crate::report::Report;
use crate::run::{Cancel, Progress, RunOptions};

const LIMIT: Duration = Duration::from_secs(10);

/// A running main loop.
pub struct Harness {
    pub events: mpsc::UnboundedSender<Event>,
    messages: mpsc::UnboundedReceiver<Message>,
}

impl Harness {
    pub async fn start(capabilities: Value, checker: Checker, runner: Runner) -> Self {
        Self::start_with(capabilities, json!({"trusted": true}), checker, runner).await
    }

    pub async fn start_with(capabilities: Value, options: Value, checker: Checker, runner: Runner) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        let (outbox, messages) = mpsc::unbounded_channel();
        tokio::spawn(
            MainLoop::new(
                State::new(
                    events.clone(),
                    outbox,
                    checker,
                    runner,
                    Arc::new(Configuration::isolated()),
                ),
                inbox,
            )
            .run(),
        );
        let harness = Harness { events, messages };
        let params = json!({"capabilities": capabilities, "initializationOptions": options});
        let params = Box::new(serde_json::from_value(params).unwrap());
        harness
            .ask(|answer| Event::Initialize(params, answer))
            .await
            .unwrap();
        harness
    }

    pub fn tell(&self, event: Event) {
        self.events.send(event).unwrap();
    }

    pub async fn ask<T>(&self, event: impl FnOnce(Answer<T>) -> Event) -> jsonrpc::Result<T> {
        let (answer, waits) = oneshot::channel();
        self.tell(event(answer));
        tokio::time::timeout(LIMIT, waits)
            .await
            .expect("no answer")
            .expect("answer dropped")
    }

    pub fn open(&self, uri: &Uri, text: &str) {
        self.tell(Event::Open(TextDocumentItem::new(
            uri.clone(),
            "python".to_owned(),
            1,
            text.to_owned(),
        )));
    }

    /// Replaces a range, given as `[line, column, line, column]`.
    pub fn edit(&self, uri: &Uri, version: i32, [l, c, m, d]: [u32; 4], text: &str) {
        let range = json!({"start": {"line": l, "character": c}, "end": {"line": m, "character": d}});
        let change = json!({
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [{"range": range, "text": text}],
        });
        self.tell(Event::Change(serde_json::from_value(change).unwrap()));
    }

    pub async fn command(&self, command: &str, arguments: Vec<Value>) -> jsonrpc::Result<Option<Value>> {
        let params = json!({"command": command, "arguments": arguments});
        let params = serde_json::from_value(params).unwrap();
        self.ask(|answer| Event::Command(params, answer)).await
    }

    pub async fn run(&self, uri: &Uri) -> u64 {
        let answer = self
            .command("deeplocalize.run", vec![json!(uri)])
            .await
            .unwrap()
            .unwrap();
        answer["run"].as_u64().unwrap()
    }

    pub async fn pull(&self, uri: &Uri, previous: Option<&str>) -> Value {
        let previous = previous.map(str::to_owned);
        let question = |answer| Event::Ask(uri.clone(), Question::Diagnostics(previous, answer));
        serde_json::to_value(self.ask(question).await.unwrap()).unwrap()
    }

    pub async fn actions(&self, uri: &Uri, line: u32, only: Option<&str>) -> Vec<Value> {
        let params = json!({
            "textDocument": {"uri": uri},
            "range": {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 99}},
            "context": {"diagnostics": [], "only": only.map(|only| [only])},
        });
        let params = serde_json::from_value(params).unwrap();
        let question = |answer| Event::Ask(uri.clone(), Question::Actions(params, answer));
        let actions = self.ask(question).await.unwrap().unwrap();
        actions
            .iter()
            .map(|action| serde_json::to_value(action).unwrap())
            .collect()
    }

    pub async fn message(&mut self) -> Message {
        tokio::time::timeout(LIMIT, self.messages.recv())
            .await
            .expect("no message")
            .expect("loop ended")
    }

    /// The next message must be a publication: its version and diagnostics.
    pub async fn published(&mut self) -> (Option<i32>, Vec<Value>) {
        match self.message().await {
            Message::Publish(_, diagnostics, version) => (
                version,
                diagnostics
                    .iter()
                    .map(|diagnostic| serde_json::to_value(diagnostic).unwrap())
                    .collect(),
            ),
            other => panic!("not a publication: {other:?}"),
        }
    }

    /// The next message must be shown to the user.
    pub async fn shown(&mut self) -> (MessageType, String) {
        match self.message().await {
            Message::Show(severity, text) => (severity, text),
            other => panic!("not shown: {other:?}"),
        }
    }

    /// Ends the loop when nothing runs any more; what was not read must be nothing.
    pub async fn finish(mut self) {
        let (stopped, waits) = oneshot::channel();
        self.tell(Event::Stop(stopped));
        tokio::time::timeout(LIMIT, waits)
            .await
            .expect("does not stop")
            .unwrap();
        if let Some(unread) = self.messages.recv().await {
            panic!("unread: {unread:?}");
        }
    }
}

/// Start and end line of a diagnostic, from 0, with its columns.
pub fn place(diagnostic: &Value) -> [u64; 4] {
    let (start, end) = (&diagnostic["range"]["start"], &diagnostic["range"]["end"]);
    [
        &start["line"],
        &start["character"],
        &end["line"],
        &end["character"],
    ]
    .map(|number| number.as_u64().unwrap())
}

/// A file with that text in a folder of its own.
pub fn script(text: &str) -> (tempfile::TempDir, Uri) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.py");
    std::fs::write(&path, text).unwrap();
    let uri = Uri::from_file_path(&path).unwrap();
    (folder, uri)
}

pub fn uri() -> Uri {
    Uri::from_str("file:///nowhere/train.py").unwrap()
}

/// A finding on each `softmax` of a text.
pub fn softmax(text: &str, path: &Path) -> Vec<Finding> {
    let find = |(start, found): (usize, &str)| {
        let range = Range::new(start, start + found.len());
        Finding {
            code: "DL101",
            name: "softmax-on-one-unit",
            kind: Kind::OutputActivation,
            severity: Severity::Error,
            source: Source::Static,
            path: path.to_owned(),
            range,
            layer: None,
            message: "softmax over one unit is always 1".to_owned(),
            evidence: Vec::new(),
            confidence: 1.0,
            fixes: vec![fix(path, range, Applicability::Safe)],
        }
    };
    text.match_indices("softmax").map(find).collect()
}

pub fn fix(path: &Path, range: Range, applicability: Applicability) -> Fix {
    let edit = Edit {
        path: path.to_owned(),
        range,
        new_text: "sigmoid".to_owned(),
    };
    Fix {
        title: "Use a sigmoid output".to_owned(),
        applicability,
        edits: vec![edit],
        trial: None,
    }
}

/// Finds softmax and `fit`; panics over a text that says so.
pub fn checker() -> Checker {
    Arc::new(|text, path| {
        assert!(!text.contains("panic"), "asked to");
        let fits = text
            .match_indices("fit(")
            .map(|(start, _)| Range::new(start, start + 3))
            .collect();
        CheckedFile {
            findings: softmax(text, path),
            fits,
            outline: Default::default(),
        }
    })
}

/// A run that finds softmax in the script, with evidence that has a place and evidence that has none.
pub fn finding_runner() -> Runner {
    Arc::new(|options, _, _| {
        let text = std::fs::read_to_string(&options.script).unwrap();
        let mut findings = softmax(&text, &options.script);
        for finding in &mut findings {
            let (code, source) = ("DL901", Source::Callback);
            let seen = |text: &str, range| Evidence {
                text: text.to_owned(),
                path: options.script.clone(),
                range,
                epoch: Some(0),
                batch: Some(4),
                phase: None,
            };
            let evidence = vec![
                seen("always 1.0", Some(finding.range)),
                seen("loss is flat", None),
            ];
            *finding = Finding {
                code,
                source,
                evidence,
                ..finding.clone()
            };
        }
        report(options, findings, &text)
    })
}

/// A run that goes on until it is cancelled.
pub fn endless_runner() -> Runner {
    Arc::new(|options, cancel: &Cancel, progress: &mut dyn FnMut(Progress)| {
        let mut step = 0;
        while !cancel.is_cancelled() {
            progress(Progress::Training {
                fit: 0,
                epoch: 0,
                epochs: Some(3),
                step,
                loss: 0.5,
                metric: None,
            });
            step += 1;
            std::thread::sleep(Duration::from_millis(10));
        }
        report(options, Vec::new(), "")
    })
}

pub fn report(options: &RunOptions, findings: Vec<Finding>, text: &str) -> Report {
    Report {
        verdict: if findings.is_empty() {
            Verdict::Healthy
        } else {
            Verdict::Faulty
        },
        files: vec![options.script.clone()],
        run: None,
        findings,
        errors: Vec::new(),
        texts: [(options.script.clone(), text.to_owned())].into(),
        cells: std::collections::BTreeMap::new(),
        trace: None,
    }
}
