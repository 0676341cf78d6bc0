//! Rows that do not stand where they belong: in the loss, and in the parts of the data.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod training;

use finding::{Kind, Severity};
use localize::{Detector, Ending, Localizer};
use program::Program;
use serde_json::json;
use trace::Frame;

use training::{Script, Training, healthy, site};

const STEP: &str = "def step(t):\n    loss = tf.reduce_mean(tf.square(t - net(x)))\n";

fn pairing(with_columns: bool) -> Training {
    let mut training = healthy();
    training.script += STEP;
    let mut at = site(&training.script, "t - net(x)");
    if !with_columns {
        at["column"] = json!(null);
        at["end_column"] = json!(null);
    }
    let found = json!({"site": at, "operation": "Sub", "shapes": [[32], [32, 1]], "prediction": 1});
    training.set("/pairings", json!([found, found]))
}

#[test]
fn a_loss_over_all_pairs_of_rows() {
    let diagnosis = pairing(true).blames("DL750", "t - net(x)");
    let finding = &diagnosis.findings[0];
    assert_eq!(finding.kind, Kind::Shape);
    assert!(
        finding.message.contains("(32, 1)") && finding.message.contains("(32,)"),
        "{}",
        finding.message
    );
    assert_eq!(finding.fixes[0].edits[0].new_text, "(net(x))[:, 0]");
    assert_eq!(diagnosis.findings.len(), 1, "one for a line");
    // A compiled loop knows the line only.
    let line = pairing(false).blames("DL750", "loss = tf.reduce_mean(tf.square(t - net(x)))");
    assert_eq!(line.findings[0].fixes[0].edits[0].new_text, "(net(x))[:, 0]");
}

/// Labels of three classes of which two are trained on, in this order.
fn two_of_three(labels: &str, runs: f64) -> Training {
    let mut training = healthy();
    training.script = training.script.replace("y = labels()", labels);
    training
        .set("/loss/name", json!("sparse_categorical_crossentropy"))
        .set("/layers/1/activation", json!("softmax"))
        .set("/layers/1/output_shape", json!([null, 3]))
        .set("/data/y/0/whole", json!(true))
        .set("/data/y/0/max", json!(1.0))
        .set("/data/y/0/classes", json!([[0.0, 50], [1.0, 50]]))
        .set("/data/baselines", json!({"samples": 100, "label_runs": runs}))
}

#[test]
fn classes_that_training_never_holds() {
    // One change of class among a hundred rows, where 49.5 are expected.
    let sorted = 1.0 / 49.5;
    two_of_three("y = rows[:100]", sorted).blames("DL719", "rows[:100]");
    two_of_three("y = rows[order]", sorted).is_quiet();
    two_of_three("y = rows[:100]", 1.0).is_quiet();
    two_of_three("y = rows[:100]", sorted)
        .set("/layers/1/output_shape", json!([null, 2]))
        .is_quiet();
}

#[test]
fn classes_that_only_the_evaluation_holds() {
    let evaluated = |labels: &str, runs: f64, unseen: f64, shift: f64| {
        let training = two_of_three(labels, runs).set("/layers/1/output_shape", json!([null, 2]));
        let mut trace = training.trace();
        let message = json!({"type": "evaluate", "fit": 0, "samples": 50, "classes": 1, "unseen": unseen, "shift": shift});
        trace.push(Frame::Message(serde_json::from_value(message).unwrap()));
        let script = Script {
            program: Program::parse(&training.script),
            text: training.script.clone(),
        };
        let diagnosis = Localizer::new(Detector::Default).diagnose(&trace, Ending::Finished, &script);
        let first = diagnosis
            .findings
            .first()
            .filter(|finding| finding.severity >= Severity::Warning);
        first.map(|finding| {
            (
                finding.code,
                finding.range.slice(&script.text).to_owned(),
                finding.severity,
            )
        })
    };
    let sorted = 1.0 / 49.5;
    let cut = Some(("DL719", "rows[:100]".to_owned(), Severity::Error));
    assert_eq!(evaluated("y = rows[:100]", sorted, 0.0, 0.5), cut);
    // One class may be evaluated for itself, if it was trained.
    assert_eq!(evaluated("y = rows[:100]", 1.0, 0.0, 0.5), None);
    let unseen = evaluated("y = rows[order]", 1.0, 0.4, 0.4).unwrap();
    assert_eq!((unseen.0, unseen.2), ("DL719", Severity::Warning));
}

#[test]
fn a_rare_class_that_is_missed() {
    let missed = |predicted: f64, minority: f64, weighted: bool| {
        let mut training = healthy().stuck();
        (training.majority, training.skill, training.explained) = (predicted, |_| 0.94, Some(0.0));
        let training = training
            .set("/loss/name", json!("binary_crossentropy"))
            .set("/weighted", json!(weighted))
            .set("/data/y/0/mean", json!(0.02))
            .set("/data/y/0/std", json!(0.14))
            .set("/data/y/0/classes", json!([[0.0, 1254], [1.0, 26]]))
            .set(
                "/data/baselines",
                json!({"samples": 400, "neighbours": 0.0, "linear": 0.0, "minority": minority}),
            );
        training
            .diagnose()
            .findings
            .iter()
            .any(|finding| finding.code == "DL738")
    };
    assert!(missed(1.0, 0.0, false), "every prediction");
    assert!(
        missed(0.97, 0.6, false),
        "nearly every prediction, and simple models tell the classes apart"
    );
    assert!(!missed(0.97, 0.1, false), "nothing to tell them apart by");
    assert!(!missed(0.6, 0.6, false), "both are predicted");
    assert!(!missed(1.0, 0.6, true), "weights are given");
}

/// A category that shares its layers with a price whose loss is so large.
fn two_outputs(price_std: f64, logs: fn(u64) -> serde_json::Value, skill: f64) -> Training {
    let mut training = healthy();
    training.script = training
        .script
        .replace("y = labels()", "price = prices() * 400")
        .replace(
            "fit(x, y, ",
            "fit(x, {\"price\": price, \"category\": category}, ",
        );
    training.logs = Some(logs);
    let at = site(
        &training.script,
        "model.fit(x, {\"price\": price, \"category\": category}, epochs=10, batch_size=32)",
    );
    let price = json!({"shape": [1280, 1], "whole": true, "min": -1e3, "max": 1e3, "mean": 0.0, "std": price_std, "output": "price"});
    let category = json!({"shape": [1280], "whole": true, "min": 0.0, "max": 1.0, "mean": 0.5, "std": 0.5, "integers": true,
                          "zero_one": true, "classes": [[0.0, 640], [1.0, 640]], "output": "category",
                          "baselines": {"samples": 400, "neighbours": skill, "linear": 0.1}});
    training.set("/site", at).set("/data/y", json!([price, category]))
}

#[test]
fn an_output_whose_loss_another_one_drowns() {
    let starving = |_| json!({"loss": 160_001.0, "price_loss": 160_000.0, "category_loss": 0.69, "category_accuracy": 0.55});
    let diagnosis = two_outputs(400.0, starving, 0.9).blames("DL751", "prices() * 400");
    assert!(
        diagnosis.findings[0].message.contains("`category`"),
        "{}",
        diagnosis.findings[0].message
    );
    // What simple models cannot tell either is no fault of the other loss.
    let drowned = |training: Training| {
        training
            .diagnose()
            .findings
            .iter()
            .any(|finding| finding.code == "DL751")
    };
    assert!(!drowned(two_outputs(400.0, starving, 0.2)));
    let thriving = |_| json!({"loss": 160_000.1, "price_loss": 160_000.0, "category_loss": 0.1, "category_accuracy": 0.96});
    assert!(!drowned(two_outputs(400.0, thriving, 0.9)));
    let balanced =
        |_| json!({"loss": 1.69, "price_loss": 1.0, "category_loss": 0.69, "category_accuracy": 0.55});
    assert!(!drowned(two_outputs(1.0, balanced, 0.9)));
}
