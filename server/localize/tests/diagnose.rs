//! Synthetic trainings of networks and settings that are at fault, one per cause and one near miss each: the right place, or silence.
//! Those of the data are in `data.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod training;

use finding::{Severity, Verdict};
use localize::{Detector, Ending, Localizer};
use program::Program;
use serde_json::{Value, json};
use trace::{Stat, Tensor, Trace};

use training::{Script, Training, healthy, site};

#[test]
fn a_network_that_learns_is_healthy() {
    let diagnosis = healthy().diagnose();
    assert_eq!(diagnosis.verdict, Verdict::Healthy, "{diagnosis:#?}");
    assert!(diagnosis.findings.is_empty());
    let mut localizer = Localizer::new(Detector::Default);
    assert_eq!(localizer.observe(&healthy().trace()), Some(Verdict::Healthy));
}

#[test]
fn too_few_steps_are_no_verdict() {
    let mut training = healthy();
    (training.steps, training.finished) = (8, false);
    assert_eq!(training.diagnose().verdict, Verdict::Inconclusive);
}

#[test]
fn one_unit_softmax() {
    healthy()
        .set("/layers/1/activation", json!("softmax"))
        .stuck()
        .stat(|layer, tensor, _, stat| {
            let constant = layer == 1 && tensor == Tensor::V2 && matches!(stat, Stat::Min | Stat::Max);
            constant.then_some(1.0)
        })
        .blames("DL705", r#""sigmoid""#);
}

#[test]
fn hidden_layer_that_starts_at_one_value() {
    let constant = |layer: usize, tensor: Tensor, _: u64, stat: Stat| {
        (layer == 0 && tensor == Tensor::W && matches!(stat, Stat::Min | Stat::Max)).then_some(1.0)
    };
    let call = r#"keras.layers.Dense(8, activation="relu", name="hidden")"#;
    healthy().stuck().stat(constant).blames("DL706", call);
    healthy().stat(constant).is_quiet();
    // A layer of the script's own: where its class makes the matrix.
    let matrix = "self.add_weight(shape=(n, m), initializer=\"zeros\")";
    let mut own = healthy().set("/layers/0/class", json!("Linear"));
    own.script += &format!(
        "class Linear(keras.layers.Layer):\n    def build(self, shape):\n        self.w = {matrix}\n"
    );
    own.stuck().stat(constant).blames("DL706", matrix);
    let moves = |layer: usize, tensor: Tensor, step: u64, stat: Stat| {
        let first = step == 0 || stat == Stat::Min;
        (layer == 0 && tensor == Tensor::W && matches!(stat, Stat::Min | Stat::Max)).then_some(if first {
            0.0
        } else {
            0.5
        })
    };
    let branch = healthy()
        .set("/layers/0/class", json!("Linear"))
        .stuck()
        .stat(moves)
        .diagnose();
    assert!(
        !branch.findings.iter().any(|finding| finding.code == "DL706"),
        "{branch:#?}"
    );
}

#[test]
fn loss_that_grows_until_it_is_not_a_number() {
    let mut training = healthy()
        .set("/optimizer/learning_rate", json!(3.0))
        .stat(|_, tensor, step, stat| {
            (tensor == Tensor::W && stat == Stat::Nans && step >= 5).then_some(8.0)
        });
    training.loss = |step| {
        if step < 5 {
            10_f64.powi(step as i32 * 4)
        } else {
            f64::NAN
        }
    };
    let diagnosis = training.blames("DL710", "0.01");
    assert_eq!(diagnosis.findings[0].severity, Severity::Error);
    let seen = &diagnosis.findings[0].evidence[0];
    assert_eq!((seen.epoch, seen.batch), (Some(0), Some(5)));
    // The symptom of the same weight in the same phase adds nothing.
    let again = diagnosis.findings[0]
        .evidence
        .iter()
        .filter(|seen| seen.text.contains("the first NaN"));
    assert_eq!(again.count(), 0);
    let fix = &diagnosis.findings[0].fixes[0].edits[0];
    assert_eq!(
        (fix.range.slice(&training.script), fix.new_text.as_str()),
        ("0.01", "0.01")
    );
    let mut localizer = Localizer::new(Detector::Default);
    assert_eq!(localizer.observe(&training.trace()), Some(Verdict::Faulty));
}

#[test]
fn numbers_that_break_at_a_usual_rate_and_scale() {
    let mut training = healthy();
    training.loss = |step| if step < 50 { 0.3 } else { f64::NAN };
    let diagnosis = training.blames("DL720", r#""mse""#);
    assert_eq!(diagnosis.findings[0].kind, finding::Kind::Loss);
}

#[test]
fn rates_too_low_to_move() {
    let mut training = healthy().set("/optimizer/learning_rate", json!(1e-7)).stuck();
    training.prediction_spread = 0.3;
    training.blames("DL711", "0.01");
}

#[test]
fn settings_that_keep_the_optimizer_from_its_work() {
    let told = |name: &str, value: f64| {
        let mut training = healthy().set("/optimizer/config", json!({name: value}));
        let plain = "SGD(learning_rate=0.01)";
        training.script = training
            .script
            .replace(plain, &format!("SGD(learning_rate=0.01, {name}={value})"));
        let call = format!("keras.optimizers.SGD(learning_rate=0.01, {name}={value})");
        let place = site(&training.script, &call);
        training.set("/optimizer/site", place)
    };
    let diagnosis = told("momentum", 0.999).stuck().blames("DL729", "0.999");
    let edits = &diagnosis.findings[0].fixes[0].edits;
    assert_eq!((edits.len(), edits[0].new_text.as_str()), (1, "0.9"), "{edits:?}");
    let diagnosis = told("epsilon", 100.0).stuck().blames("DL729", "100");
    assert_eq!(diagnosis.findings[0].fixes[0].edits[0].new_text, "1e-7");
    told("momentum", 0.999).is_quiet();
    let usual = told("momentum", 0.9).stuck().diagnose();
    assert!(usual.findings.iter().all(|finding| finding.code != "DL729"));
}

#[test]
fn gradients_that_vanish() {
    let vanishing = |layer: usize, tensor: Tensor, _: u64, stat: Stat| {
        (layer == 0 && tensor == Tensor::Dw && stat == Stat::L2).then_some(1e-6)
    };
    let deep = |training: Training| {
        let mut training = training.set("/layers/0/activation", json!("tanh"));
        let hidden = training.info["layers"][0].clone();
        let layers = training.info["layers"].as_array_mut().unwrap();
        layers.insert(1, hidden);
        for (index, layer) in layers.iter_mut().enumerate() {
            // The probed rows know two layers; the one between has none.
            layer["index"] = json!([0, 9, 1][index]);
        }
        training
    };
    deep(healthy().stuck().stat(vanishing)).blames("DL714", r#""relu""#);
    deep(healthy().stat(vanishing)).is_quiet();
}

#[test]
fn units_that_start_saturated() {
    let saturated = |layer: usize, tensor: Tensor, _: u64, stat: Stat| match (layer, tensor, stat) {
        (0, Tensor::V1, Stat::Saturated) => Some(0.9),
        (0, Tensor::W, Stat::Std) => Some(5.0),
        _ => None,
    };
    let call = r#"keras.layers.Dense(8, activation="relu", name="hidden")"#;
    let tanh = |training: Training| {
        training
            .set("/layers/0/activation", json!("tanh"))
            .stat(saturated)
    };
    tanh(healthy().stuck()).blames("DL715", call);
    tanh(healthy()).is_quiet();
}

#[test]
fn units_that_died() {
    let dead = |layer: usize, tensor: Tensor, step: u64, stat: Stat| match (layer, tensor, stat) {
        (0, Tensor::V2, Stat::DeadUnits) if step >= 4 => Some(8.0),
        (_, Tensor::Dw, Stat::L2) if step >= 4 => Some(0.0),
        _ => None,
    };
    healthy().stuck().stat(dead).blames("DL716", r#""relu""#);
    let rate = healthy()
        .stuck()
        .stat(dead)
        .set("/optimizer/learning_rate", json!(0.2));
    rate.blames("DL710", "0.01");
    // Half of the units dead, the others learning.
    let half = |layer: usize, tensor: Tensor, _: u64, stat: Stat| {
        (layer == 0 && tensor == Tensor::V2 && stat == Stat::DeadUnits).then_some(4.0)
    };
    healthy().stat(half).is_quiet();
}

#[test]
fn linear_network_on_a_task_that_is_not() {
    let training = healthy().set("/layers/0/activation", json!("linear"));
    training.stuck().blames("DL717", r#""relu""#);
    healthy().set("/layers/0/activation", json!("linear")).is_quiet();
}

#[test]
fn a_handful_of_steps() {
    let mut training = healthy();
    training.steps = 60;
    training.skill = |_| 0.01;
    training.loss = |step| 0.25 - 0.001 * step as f64;
    training.blames("DL721", "10");
}

#[test]
fn constant_predictions_without_a_known_cause() {
    healthy().stuck().blames("DL722", "10");
    // Noise that cannot be learned: predictions vary, nothing is gained. Not an alarm.
    let mut noise = healthy().stuck();
    noise.prediction_spread = 0.3;
    assert_eq!(noise.diagnose().verdict, Verdict::Inconclusive);
    noise.is_quiet();
}

#[test]
fn a_batch_of_one_sample_is_judged_over_batches() {
    let mut training = healthy();
    (training.batch_size, training.prediction_spread) = (1.0, 0.0);
    // Every prediction is 0.5 here, however much is "right".
    assert_ne!(training.diagnose().verdict, Verdict::Healthy);
}

#[test]
fn the_algorithm_of_the_paper_raises_its_alarms() {
    let first = |training: &Training| {
        let mut localizer = Localizer::new(Detector::DeepLocalize {
            n: 5,
            threshold: 0.25,
        });
        let mut trace = Trace::default();
        for frame in training.frames() {
            trace.push(frame);
            if localizer.observe(&trace).is_some() {
                break;
            }
        }
        let script = Script {
            program: Program::parse(&training.script),
            text: training.script.clone(),
        };
        let diagnosis = localizer.diagnose(&trace, Ending::Clear, &script);
        diagnosis.findings.first().map(|finding| finding.message.clone())
    };
    let varying = || healthy().stat(|_, _, step, stat| (stat == Stat::Mean).then_some(1.0 + step as f64));
    #[track_caller]
    fn starts(message: Option<String>, expected: &str) {
        let message = message.unwrap_or_default();
        assert!(message.starts_with(expected), "{message:?} is not {expected:?}");
    }
    let nan = |stat: fn(usize, Tensor, u64, Stat) -> Option<f64>| first(&healthy().stat(stat));
    let alarm = nan(|_, tensor, _, stat| (tensor == Tensor::V1 && stat == Stat::Nans).then_some(1.0));
    starts(alarm, "Error Before Activation, hidden");
    let alarm = nan(|_, tensor, _, stat| (tensor == Tensor::V2 && stat == Stat::Nans).then_some(1.0));
    starts(alarm, "Error After Activation, hidden");
    let alarm = nan(|_, tensor, _, stat| (tensor == Tensor::Dw && stat == Stat::Nans).then_some(1.0));
    starts(alarm, "Error Backward in ΔWeight, output");
    let alarm = nan(|_, tensor, _, stat| (tensor == Tensor::W && stat == Stat::Nans).then_some(1.0));
    starts(alarm, "Error Backward in Weight, output");
    // Equal means in a row: the false alarm on every healthy softmax.
    starts(
        first(&healthy()),
        "Error Before Activation, hidden: its mean was 0.1 in 5 batches in a row",
    );
    let mut training = varying();
    training.loss = |_| f64::NAN;
    starts(first(&training), "Error in Loss Function");
    training.loss = |_| 0.7;
    starts(first(&training), "Model Does not Learn");
    training.loss = |step| 1.0 / (1.0 + step as f64);
    assert_eq!(first(&training), None);
}

#[test]
fn weights_that_may_not_change() {
    let compile = r#"model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.01))"#;
    let frozen = |training: Training| training.set("/layers/0/trainable", json!(false));
    frozen(healthy())
        .set("/layers/1/trainable", json!(false))
        .blames("DL718", compile);
    // A frozen base under a head that learns is transfer learning.
    frozen(healthy()).is_quiet();
}

#[test]
fn a_straight_border_on_data_that_have_none() {
    let alone = |linear: f64| {
        healthy()
            .set("/layers/0/weights", json!([]))
            .set(
                "/data/baselines",
                json!({"samples": 400, "neighbours": 0.9, "linear": linear, "copied": 0.1}),
            )
            .stuck()
    };
    let layer = r#"keras.layers.Dense(1, activation="sigmoid", name="output")"#;
    alone(0.1).blames("DL740", layer);
    // Where a linear model does as well, something else is wrong.
    assert_ne!(alone(0.9).diagnose().findings[0].code, "DL740");
}

#[test]
fn far_behind_a_simple_model_is_not_healthy() {
    let behind = |skill: fn(u64) -> f64| {
        let mut training = healthy().set(
            "/data/baselines",
            json!({"samples": 400, "neighbours": 0.95, "linear": 0.9, "copied": 0.1}),
        );
        training.skill = skill;
        training.loss = |step| 0.24 - 1e-5 * step as f64;
        training
    };
    assert_eq!(behind(|_| 0.15).diagnose().verdict, Verdict::Faulty);
    behind(|_| 0.8).is_quiet();
}

#[test]
fn answers_that_are_right_by_luck_are_not_learned() {
    let lucky = |loss: fn(u64) -> f64| {
        let mut training = healthy().set(
            "/data/baselines",
            json!({"samples": 400, "neighbours": 1.0, "linear": 0.0, "copied": 0.1}),
        );
        training.skill = |_| 0.55;
        training.explained = Some(0.01);
        training.loss = loss;
        training
    };
    assert_ne!(
        lucky(|step| 0.498 - 1e-6 * step as f64).diagnose().verdict,
        Verdict::Healthy
    );
    lucky(|step| 0.5 - 5e-4 * step as f64).is_quiet();
}

#[test]
fn a_rate_that_is_used_up() {
    let decays = |skill: fn(u64) -> f64, simple: f64| {
        let mut training = healthy().set(
            "/data/baselines",
            json!({"samples": 400, "neighbours": simple, "linear": 0.1, "copied": 0.1}),
        );
        training.skill = skill;
        training.rate = |step| {
            if step < 20 {
                0.01
            } else {
                0.01 * 0.5_f64.powi(step as i32 - 20)
            }
        };
        training
    };
    let messages = |training: Training| -> Vec<String> {
        let findings = training.diagnose().findings.into_iter();
        findings
            .filter(|finding| finding.code == "DL728")
            .map(|finding| finding.message)
            .collect()
    };
    let lagging = messages(decays(|_| 0.6, 0.95));
    assert!(
        lagging[0].contains("under a ten-thousandth of it within 35 of"),
        "{lagging:?}"
    );
    // As good as these data allow: a rate that was lowered on a plateau.
    assert_eq!(messages(decays(|_| 0.6, 0.65)), [""; 0]);
    // Nor is a number of steps that nobody can mean a reason to panic.
    let mut endless = decays(|_| 0.6, 0.95);
    endless.info["epochs"] = json!(u64::MAX);
    assert_eq!(messages(endless).len(), 1);
}

#[test]
fn a_normalised_batch_of_one() {
    let one = || {
        let mut training = healthy().set("/layers/0/class", json!("BatchNormalization"));
        training.batch_size = 1.0;
        training
    };
    let blamed = |training: Training| {
        let findings = training.diagnose().findings;
        findings.iter().any(|finding| finding.code == "DL739")
    };
    assert!(blamed(one().stuck()));
    assert!(!blamed(one()));
}

#[test]
fn statistics_of_a_batch_normalisation_that_do_not_arrive() {
    let normalised = |momentum: f64| {
        let mut training = healthy()
            .set("/layers/0/class", json!("BatchNormalization"))
            .set("/layers/0/config", json!({"momentum": momentum}));
        training.logs = Some(|_| json!({"accuracy": 0.98, "val_accuracy": 0.5}));
        training
    };
    let hidden = r#"keras.layers.Dense(8, activation="relu", name="hidden")"#;
    normalised(0.99999).blames("DL748", hidden);
    normalised(0.99).is_quiet();
}

#[test]
fn a_validation_loss_that_climbs_and_one_that_jumps() {
    let overfitted = |logs: fn(u64) -> Value| {
        let mut training = healthy();
        training.logs = Some(logs);
        training
    };
    let hidden = r#"keras.layers.Dense(8, activation="relu", name="hidden")"#;
    overfitted(|epoch| json!({"loss": 0.2 / (1 + epoch) as f64, "val_loss": 0.3 + 0.1 * epoch as f64, "val_accuracy": 0.7}))
        .blames("DL737", hidden);
    overfitted(|epoch| {
        let loss = if epoch % 2 == 0 {
            0.1 * (1 + epoch) as f64
        } else {
            4.0
        };
        json!({"loss": 0.2 / (1 + epoch) as f64, "val_loss": loss, "val_accuracy": 0.7})
    })
    .is_quiet();
    // Never right there, so nothing was unlearned.
    overfitted(|epoch| json!({"loss": 0.2 / (1 + epoch) as f64, "val_loss": 30.0 + 9.0 * epoch as f64, "val_accuracy": 0.5}))
        .is_quiet();
}

#[test]
fn a_training_that_a_callback_ends() {
    let stopped = |planned: u64| {
        let mut training = healthy().set("/epochs", json!(planned)).set(
            "/data/baselines",
            json!({"samples": 400, "neighbours": 0.9, "linear": 0.9}),
        );
        training.steps = 80;
        training.skill = |_| 0.1;
        training.loss = |step| 0.25 - 1e-3 * step as f64;
        training.logs = Some(|_| json!({"loss": 0.2}));
        training.diagnose().findings.remove(0)
    };
    let early = stopped(15);
    assert_eq!(early.code, "DL721");
    assert!(
        early.message.contains("after 2 of 15 epochs"),
        "{}",
        early.message
    );
    assert!(stopped(2).message.starts_with("training ends after 80 steps"));
}

#[test]
fn an_accuracy_of_the_script_may_count_anything() {
    let counted = |logs: fn(u64) -> Value| {
        let mut training = healthy();
        training.logs = Some(logs);
        training
    };
    counted(|_| json!({"accuracy": 0.1})).blames(
        "DL726",
        r#"model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.01))"#,
    );
    counted(|_| json!({"pair_accuracy": 0.1})).is_quiet();
}

#[test]
fn what_only_normalises_the_output_is_no_bottleneck() {
    let training = healthy().stuck().set("/layers/0/output_shape", json!([null, 1]));
    assert!(
        training
            .diagnose()
            .findings
            .iter()
            .any(|finding| finding.code == "DL735")
    );
    let gamma = json!([{"name": "gamma", "shape": [1], "trainable": true}]);
    let normalised = training
        .set("/layers/1/weights", gamma)
        .set("/layers/1/class", json!("LayerNormalization"))
        .diagnose();
    assert!(normalised.findings.iter().all(|finding| finding.code != "DL735"));
}

#[test]
fn a_handful_of_steps_that_end_half_way() {
    let half_way = |steps: u64, skill: fn(u64) -> f64| {
        let mut training = healthy().set(
            "/data/baselines",
            json!({"samples": 400, "neighbours": 0.95, "linear": 0.5}),
        );
        training.steps = steps;
        training.skill = skill;
        training.loss = |step| 0.25 * (-(step as f64) / 10.0).exp();
        training
    };
    half_way(32, |_| 0.5).blames("DL721", "10");
    half_way(32, |_| 0.7).is_quiet();
    half_way(120, |_| 0.5).is_quiet();
}

#[test]
fn an_autoencoder_with_one_number_in_the_middle() {
    let through = |units: i64, skill: fn(u64) -> f64| {
        let array = json!({"shape": [1280, 3], "dtype": "float32", "whole": true, "min": -3.0, "max": 3.0, "mean": 0.1, "std": 1.0,
                           "features": 3, "integers": false, "zero_one": false});
        let mut training = healthy()
            .set("/data/x", json!([array]))
            .set("/data/y", json!([array]))
            .set("/layers/0/output_shape", json!([null, units]))
            .set("/layers/1/output_shape", json!([null, 3]))
            .set("/layers/1/activation", json!("linear"));
        training.skill = skill;
        training
    };
    let found = |training: Training| {
        let findings = training.diagnose().findings;
        findings
            .iter()
            .any(|finding| finding.code == "DL735" && finding.severity >= Severity::Warning)
    };
    assert!(found(through(1, |_| 0.3)));
    assert!(!found(through(1, |_| 0.8)));
    assert!(!found(through(8, |_| 0.3)));
}
