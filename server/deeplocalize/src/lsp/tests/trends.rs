use std::sync::Arc;

use serde_json::json;
use tower_lsp::ls_types::{HoverContents, Position, Uri};
use trace::{Frame, LayoutRow, Message, StepFrame, Tensor, Trace};

use super::super::event::{Event, Question};
use super::super::quick_check;
use super::super::run::Runner;
use super::harness::{Harness, report, script};
use crate::config::Configuration;

const TEXT: &str = "import keras\nmodel = keras.Sequential([\n    keras.layers.Dense(3),\n])\n";

/// A training whose layer, made on line 3, dies.
fn dying(script: &std::path::Path) -> Trace {
    let mut trace = Trace::default();
    let fit = json!({
        "type": "fit", "fit": 0,
        "layers": [{"index": 0, "name": "dense", "class": "Dense",
                    "site": {"path": script, "line": 3, "column": 4}}],
    });
    let layout = json!({
        "type": "layout", "fit": 0, "layout": 0, "scalars": ["loss"], "stats": ["mean", "units", "dead_units"],
        "rows": [{"layer": 0, "tensor": "v2", "weight": null}],
    });
    for message in [fit, layout] {
        let message: Message = serde_json::from_value(message).unwrap();
        trace.push(Frame::Message(message));
    }
    for step in 0..4 {
        trace.push(Frame::Step(StepFrame {
            fit: 0,
            layout: 0,
            epoch: 0,
            batch: step,
            step: u64::from(step),
            scalars: vec![0.5],
            rows: 1,
            stats: vec![0.5 - 0.125 * f64::from(step), 3.0, f64::from(step)],
        }));
    }
    let row = LayoutRow {
        layer: 0,
        tensor: Tensor::V2,
        weight: None,
    };
    assert!(trace.fits[0].all_series().any(|(known, _)| *known == row));
    trace
}

async fn hover(server: &Harness, uri: &Uri, line: u32) -> String {
    let question = |answer| Event::Ask(uri.clone(), Question::Hover(Position::new(line, 20), answer));
    let hover = server.ask(question).await.unwrap().unwrap();
    let HoverContents::Markup(content) = hover.contents else {
        panic!("no markup")
    };
    content.value
}

#[tokio::test]
async fn a_layer_shows_what_the_last_run_saw_of_it_while_its_line_is_unchanged() {
    let (_folder, uri) = script(TEXT);
    let runner: Runner = Arc::new(|options, _, _| {
        let mut report = report(options, Vec::new(), TEXT);
        report.trace = Some(Arc::new(dying(&options.script)));
        report
    });
    let checker = quick_check::checker(Arc::new(Configuration::isolated()));
    let mut server = Harness::start(json!({}), checker, runner).await;
    server.open(&uri, TEXT);
    server.published().await;
    assert!(!hover(&server, &uri, 2).await.contains("Last run"));
    server.run(&uri).await;
    server.shown().await;
    let text = hover(&server, &uri, 2).await;
    assert!(text.contains("Last run (healthy, 4 steps), dense"), "{text}");
    assert!(text.contains("▁▃▆█ dead units 0 % → 100 %"), "{text}");
    assert!(text.contains("█▆▃▁ mean of the output 0.5 → 0.125"), "{text}");
    server.edit(&uri, 2, [2, 23, 2, 24], "9");
    server.published().await;
    assert!(!hover(&server, &uri, 2).await.contains("Last run"));
    server.finish().await;
}
