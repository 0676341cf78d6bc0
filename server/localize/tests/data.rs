//! Synthetic trainings on features and labels that are at fault, and near misses: the right place, or silence.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod training;

use finding::Verdict;
use serde_json::{Value, json};
use trace::{Stat, Tensor};

use training::{Training, healthy, site};

const FIT: &str = "model.fit(x, y, epochs=10, batch_size=32)";

#[test]
fn nan_in_the_features() {
    let training = healthy()
        .set("/data/x/0/nans", json!(3))
        .stat(|_, tensor, _, stat| (tensor == Tensor::V1 && stat == Stat::Nans).then_some(4.0));
    training.blames("DL701", "load()");
    // A model that deals with them keeps a finite loss.
    healthy().set("/data/x/0/nans", json!(3)).is_quiet();
}

#[test]
fn labels_the_loss_is_not_defined_for() {
    let labels = |low: f64, high: f64| {
        healthy()
            .set("/loss/name", json!("binary_crossentropy"))
            .set("/data/y/0/min", json!(low))
            .set("/data/y/0/max", json!(high))
            .set("/data/y/0/zero_one", json!(low == 0.0 && high == 1.0))
    };
    labels(1.0, 2.0).blames("DL702", "labels()");
    labels(-1.0, 1.0).blames("DL702", "labels()");
    labels(0.0, 1.0).is_quiet();
    let several = labels(0.0, 2.0)
        .set("/data/y/0/classes", json!([[0.0, 400], [1.0, 400], [2.0, 480]]))
        .blames("DL702", "1");
    assert_eq!(several.findings[0].kind, finding::Kind::LayerSize);
    let classes = |units: i64, high: f64, integers: bool| {
        healthy()
            .set("/loss/name", json!("sparse_categorical_crossentropy"))
            .set("/layers/1/activation", json!("softmax"))
            .set("/layers/1/output_shape", json!([null, units]))
            .set("/data/y/0/max", json!(high))
            .set("/data/y/0/integers", json!(integers))
            .set("/data/y/0/zero_one", json!(false))
    };
    classes(3, 3.0, true).blames("DL702", "labels()");
    classes(4, 0.9, false).blames("DL702", "labels()");
    classes(4, 3.0, true).is_quiet();
    // Numbered as they should be, but without a unit for each; with a gap, a number is the fault.
    let numbered = |low: i64, high: i64, gap: i64| {
        let numbers: Vec<_> = (low..=high)
            .filter(|number| *number != gap)
            .map(|number| json!([number as f64, 300]))
            .collect();
        classes(3, high as f64, true)
            .set("/data/y/0/min", json!(low as f64))
            .set("/data/y/0/classes", json!(numbers))
    };
    let fewer = numbered(0, 3, -1).blames("DL702", "1");
    assert_eq!(fewer.findings[0].kind, finding::Kind::LayerSize);
    assert_eq!(fewer.findings[0].fixes[0].edits[0].new_text, "4");
    numbered(1, 3, -1).blames("DL702", "labels()");
    numbered(0, 9, 5).blames("DL702", "labels()");
}

#[test]
fn the_spread_of_predictions_is_measured_against_classes_not_their_numbers() {
    let mut training = healthy()
        .set("/loss/name", json!("sparse_categorical_crossentropy"))
        .set("/layers/1/activation", json!("softmax"))
        .set("/layers/1/output_shape", json!([null, 100]))
        .set("/data/y/0/max", json!(99.0))
        .set("/data/y/0/mean", json!(49.5))
        .set("/data/y/0/std", json!(28.9))
        .set("/data/y/0/zero_one", json!(false))
        .set(
            "/data/y/0/classes",
            json!((0..100).map(|class| (class, 12)).collect::<Vec<_>>()),
        );
    // Probabilities of a hundred classes differ by less than a hundredth of the spread of their numbers.
    training.prediction_spread = 0.05;
    assert_eq!(
        training.diagnose().verdict,
        Verdict::Healthy,
        "{:#?}",
        training.diagnose()
    );
    training.prediction_spread = 1e-5;
    assert_ne!(training.diagnose().verdict, Verdict::Healthy);
}

#[test]
fn softmax_on_labels_that_are_not_exclusive() {
    let labels = |most: f64| {
        healthy()
            .set("/layers/1/activation", json!("softmax"))
            .set("/layers/1/output_shape", json!([null, 3]))
            .set("/data/y/0/shape", json!([1280, 3]))
            .set("/data/y/0/row_sum_min", json!(1.0))
            .set("/data/y/0/row_sum_max", json!(most))
    };
    labels(3.0).blames("DL703", r#""sigmoid""#);
    labels(1.0).is_quiet();
}

#[test]
fn labels_beyond_the_reach_of_the_output() {
    let labels = |mean: f64, std: f64, most: f64| {
        healthy()
            .set("/data/y/0/mean", json!(mean))
            .set("/data/y/0/std", json!(std))
            .set("/data/y/0/max", json!(most))
            .set("/data/y/0/zero_one", json!(false))
    };
    labels(12.0, 5.0, 25.0).blames("DL704", r#""sigmoid""#);
    // One outlier above the range is no wrong activation.
    labels(0.4, 0.2, 1.4).is_quiet();
}

#[test]
fn unscaled_features_and_targets() {
    let features = |stuck: bool| {
        let training = healthy()
            .set("/data/x/0/mean", json!(120.0))
            .set("/data/x/0/std", json!(70.0));
        if stuck { training.stuck() } else { training }
    };
    features(true).blames("DL712", "load()");
    // The same features under a network that learns are nobody's fault.
    features(false).is_quiet();
    let mut targets = healthy()
        .set("/layers/1/activation", json!("linear"))
        .set("/data/y/0/mean", json!(180_000.0))
        .set("/data/y/0/std", json!(79_000.0))
        .set("/data/y/0/zero_one", json!(false))
        .stuck();
    targets.loss = |step| 3.9e10 + 1e8 * ((step * 7919) % 13) as f64;
    targets.blames("DL713", "labels()");
}

#[test]
fn an_embedding_takes_numbers_of_any_size() {
    let training = healthy()
        .set("/data/x/0/mean", json!(5000.0))
        .set("/data/x/0/std", json!(2900.0))
        .set("/layers/0/class", json!("Embedding"))
        .stuck();
    let diagnosis = training.diagnose();
    assert!(
        diagnosis.findings.iter().all(|finding| finding.code != "DL712"),
        "{diagnosis:#?}"
    );
}

#[test]
fn data_made_in_functions_are_blamed_where_they_are_made() {
    let mut training = healthy()
        .set("/loss/name", json!("binary_crossentropy"))
        .set("/data/y/0/min", json!(-1.0))
        .set("/data/y/0/zero_one", json!(false));
    // The sites count from the start of the line, and these lines stand behind the call.
    training.script = training
        .script
        .replace("x = load()\ny = labels()", "x, y = rows()\n")
        + "\ndef rows():\n    x = read(1)\n    y = signs(x)\n    return x[:9], y.astype('int32')\n";
    training.blames("DL702", "signs(x)");
    let mut training = healthy();
    training.steps = 60;
    training.skill = |_| 0.01;
    training.loss = |step| 0.25 - 0.001 * step as f64;
    training.script = training.script.replace("x = load()", "x = pairs(1280)").replace(
        "fit(x, y, epochs=10, batch_size=32)",
        "fit(x, epochs=10)                      ",
    ) + "\ndef pairs(batch):\n    return dataset().batch(batch)\n";
    let training = training
        .set("/batch_size", json!(1280))
        .set("/steps_per_epoch", json!(1));
    training.blames("DL736", "1280");
}

#[test]
fn validation_data_of_other_classes() {
    let held_out = |shift: f64| {
        healthy().set(
            "/data/held_out",
            json!({"samples": 300, "classes": 1, "shift": shift}),
        )
    };
    held_out(0.9).blames("DL719", FIT);
    held_out(0.1).is_quiet();
}

#[test]
fn a_feature_that_is_the_label() {
    let copied = |correlation: f64, copies: u64| {
        healthy().set(
            "/data/baselines",
            json!({"samples": 400, "neighbours": 0.9, "linear": 0.9, "copied": correlation, "copied_feature": 2,
                   "copies": copies}),
        )
    };
    copied(1.0, 1).blames("DL723", "load()");
    copied(0.97, 0).is_quiet();
    // All of them are: telling the label from them is the task.
    copied(1.0, 1000).is_quiet();
}

#[test]
fn one_number_against_several_outputs() {
    let outputs = |units: i64| {
        healthy()
            .set("/layers/1/output_shape", json!([null, units]))
            .set("/data/y/0/shape", json!([1280, 1]))
    };
    outputs(3).blames("DL707", "labels()");
    outputs(1).is_quiet();
    // Numbers of classes are for another loss.
    let classes = outputs(3)
        .set("/layers/1/activation", json!("softmax"))
        .set("/data/y/0/max", json!(2.0))
        .set("/data/y/0/zero_one", json!(false))
        .set("/data/y/0/classes", json!([[0.0, 400], [1.0, 400], [2.0, 480]]));
    let on_loss = classes.blames("DL707", r#""mse""#);
    assert_eq!(
        (on_loss.findings.len(), on_loss.findings[0].kind),
        (1, finding::Kind::Loss)
    );
    assert_eq!(
        on_loss.findings[0].fixes[0].edits[0].new_text,
        r#""sparse_categorical_crossentropy""#
    );
    let raised = classes.raises(
        "Dimensions must be equal, but are 32 and 3 for '{{node compile_loss/mse/sub}} = Sub[T=DT_FLOAT](compile_loss/mse/Cast, \
         functional_1/dense_2_1/Softmax)' with input shapes: [32], [32,3].",
    );
    let found: Vec<_> = raised.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(
        (found, raised.verdict),
        (vec!["DL707"], Verdict::Crashed),
        "{:#?}",
        raised.findings
    );
}

#[test]
fn small_features_slow_a_network_down_and_let_nothing_diverge() {
    let small = || {
        healthy()
            .set("/data/x/0/min", json!(0.0))
            .set("/data/x/0/max", json!(0.004))
            .set("/data/x/0/std", json!(0.001))
            .set("/data/x/0/feature_std_max", json!(0.001))
    };
    let blamed = |training: Training| {
        let findings = training.diagnose().findings;
        findings.iter().any(|finding| finding.code == "DL712")
    };
    assert!(blamed(small().stuck()));
    let mut broken = small();
    broken.loss = |step| if step < 50 { 0.3 } else { f64::NAN };
    assert!(!blamed(broken));
}

#[test]
fn validation_features_of_another_scale() {
    let unlike = |apart: f64| {
        let mut training = healthy().set("/data/held_out", json!({"samples": 100, "apart": apart}));
        training.logs = Some(|_| json!({"accuracy": 0.98, "val_accuracy": 0.5}));
        training
    };
    unlike(0.6).blames("DL747", FIT);
    unlike(0.1).is_quiet();
}

#[test]
fn labels_scaled_with_the_features() {
    let labels = json!({"shape": [1280, 1], "dtype": "float64", "whole": true, "min": -0.5, "max": 2.0, "mean": 0.0, "std": 1.0,
                        "integers": false, "zero_one": false});
    let scaled = healthy().set("/loss/name", json!("binary_crossentropy"));
    scaled.set("/data/y", json!([labels])).blames("DL702", "labels()");
}

#[test]
fn class_weights_that_rise_with_the_frequency() {
    let rare = |of_zero: f64, of_one: f64| {
        healthy()
            .set("/data/y/0/classes", json!([[0.0, 1200], [1.0, 80]]))
            .set("/class_weight", json!({"0": of_zero, "1": of_one}))
    };
    rare(8.0, 0.5).blames("DL749", FIT);
    rare(0.5, 8.0).is_quiet();
    rare(1.0, 1.0).is_quiet();
}

#[test]
fn the_largest_of_several_labels() {
    let labels = |smallest: f64, largest: f64| {
        let mut training = healthy().set("/loss/name", json!("binary_crossentropy")).set(
            "/data/y",
            json!([{"shape": [1280, 4], "dtype": "float32", "whole": true, "min": 0.0, "max": 1.0, "mean": 0.3, "std": 0.45,
                    "features": 4, "integers": true, "zero_one": true, "row_sum_min": smallest, "row_sum_max": largest,
                    "classes": [[0.0, 3584], [1.0, 1536]]}]),
        );
        training.logs = Some(|_| json!({"categorical_accuracy": 0.6}));
        training
    };
    let compile = r#"model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.01))"#;
    labels(0.0, 3.0).blames("DL726", compile);
}

#[test]
fn a_class_number_for_every_step_is_no_axis_too_many() {
    let tagger = |labels: Value| {
        healthy()
            .set("/loss/name", json!("sparse_categorical_crossentropy"))
            .set("/layers/0/class", json!("Bidirectional"))
            .set("/layers/0/config", json!({"layer.return_sequences": true}))
            .set("/layers/0/output_shape", json!([null, 10, 8]))
            .set("/layers/1/output_shape", json!([null, 10, 3]))
            .set("/layers/1/activation", json!("softmax"))
            .set("/data/y/0/shape", labels)
    };
    let broadcast = |training: Training| {
        training
            .diagnose()
            .findings
            .iter()
            .any(|finding| finding.code == "DL707")
    };
    assert!(!broadcast(tagger(json!([1280, 10]))));
    assert!(broadcast(tagger(json!([1280]))));
}

#[test]
fn padding_behind_sequences_that_a_recurrent_layer_ends_on() {
    let training = |share: f64, mask: bool, sequences: bool| {
        let mut training = healthy();
        training.script = training
            .script
            .replace(
                "Dense(8, activation=\"relu\", name=\"hidden\")",
                "Embedding(99, 8, name=\"hidden\")",
            )
            .replace(
                "Dense(1, activation=\"sigmoid\", name=\"output\")",
                "LSTM(1, name=\"output\")",
            );
        let (embedding, lstm) = (
            site(&training.script, "keras.layers.Embedding(99, 8, name=\"hidden\")"),
            site(&training.script, "keras.layers.LSTM(1, name=\"output\")"),
        );
        training.info["site"] = site(&training.script, "model.fit(x, y, epochs=10, batch_size=32)");
        training
            .set("/layers/0/class", json!("Embedding"))
            .set("/layers/0/config", json!({"mask_zero": mask}))
            .set("/layers/0/site", embedding)
            .set("/layers/1/class", json!("LSTM"))
            .set("/layers/1/config", json!({"return_sequences": sequences}))
            .set("/layers/1/site", lstm)
            .set("/layers/1/inputs", json!([0]))
            .set("/data/x/0/integers", json!(true))
            .set("/data/x/0/trailing_zeros", json!(share))
    };
    let blames = |training: Training| {
        let findings = training.stuck().diagnose().findings;
        findings.iter().any(|finding| finding.code == "DL760")
    };
    let found = training(0.8, false, false).stuck().diagnose();
    let cause = found.findings.iter().find(|finding| finding.code == "DL760");
    let cause = cause.unwrap_or_else(|| panic!("{found:#?}"));
    assert!(cause.message.contains("80"), "{}", cause.message);
    assert!(!cause.fixes.is_empty());
    assert!(!blames(training(0.1, false, false)));
    assert!(!blames(training(0.8, true, false)));
    assert!(!blames(training(0.8, false, true)));
    training(0.8, false, false).is_quiet();
}
