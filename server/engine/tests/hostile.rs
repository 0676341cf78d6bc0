//! Corrupt configurations and arrays are errors, never panics.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use engine::{Batch, Graph, Options, Trainer, View};
use serde_json::{Value, json};
use support::cases;

/// Replaces one value somewhere in a configuration, the one at this place in depth-first order.
fn corrupt(value: &mut Value, place: &mut usize, with: &Value) {
    if *place == 0 {
        *value = with.clone();
        *place = usize::MAX;
        return;
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| {
            if *place != usize::MAX {
                corrupt(item, place, with);
            }
        }),
        Value::Object(map) => map.iter_mut().for_each(|(_, item)| {
            if *place != usize::MAX {
                corrupt(item, place, with);
            }
        }),
        _ => {}
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// Reads and, if that works, trains a step on arrays of the model's own shapes.
fn attempt(model: &Value, compile: &Value) {
    let Ok(graph) = Graph::from_keras(model) else {
        return;
    };
    let elements = |port: &engine::graph::Port| -> Option<usize> {
        port.shape
            .iter()
            .try_fold(1_usize, |product, size| product.checked_mul(size.unwrap_or(2)))
    };
    let small = |port: &engine::graph::Port| elements(port).is_some_and(|count| count < 1 << 14);
    let weights: usize = graph.weights().map(|weight| weight.value.len()).sum();
    if !graph.inputs().iter().chain(graph.outputs()).all(small) || weights > 1 << 14 {
        return;
    }
    let arrays = |ports: &[engine::graph::Port]| -> Vec<(Vec<usize>, Vec<f32>)> {
        let shape = |port: &engine::graph::Port| port.shape.iter().map(|size| size.unwrap_or(2)).collect();
        ports
            .iter()
            .map(|port| (shape(port), vec![0.5; elements(port).unwrap()]))
            .collect()
    };
    let (x, y) = (arrays(graph.inputs()), arrays(graph.outputs()));
    let Ok(mut trainer) = Trainer::new(graph, compile, Options::default()) else {
        return;
    };
    let views = |arrays: &'static [(Vec<usize>, Vec<f32>)]| -> Vec<View<'static>> {
        arrays
            .iter()
            .map(|(shape, data)| View::new(shape, data).unwrap())
            .collect()
    };
    // Leaked: the test is short.
    let batch = Batch {
        inputs: views(Vec::leak(x)),
        targets: views(Vec::leak(y)),
        weights: Vec::new(),
    };
    let _ = trainer.step(&batch, true);
    let _ = trainer.predict(&batch.inputs);
}

#[test]
fn corrupt_configurations_are_errors() {
    let replacements = [
        Value::Null,
        json!(0),
        json!(-3),
        json!(7),
        json!(1e300),
        json!(u64::MAX),
        json!("nonsense"),
        json!([]),
        json!([0, 5, 2]),
        json!({"class_name": "Dense"}),
    ];
    let mut rng = fastrand::Rng::with_seed(3);
    for table in ["layers", "losses", "optimizers", "metrics"] {
        for case in cases(table) {
            let (model, compile) = (case.get("model"), case.get("compile"));
            attempt(model, compile);
            for _ in 0..25 {
                let (mut spoiled, mut other) = (model.clone(), compile.clone());
                let with = &replacements[rng.usize(..replacements.len())];
                if rng.bool() {
                    corrupt(&mut spoiled, &mut rng.usize(..count(model)), with);
                } else {
                    corrupt(&mut other, &mut rng.usize(..count(compile)), with);
                }
                attempt(&spoiled, &other);
            }
        }
    }
}

#[test]
fn arrays_that_do_not_fit_are_errors() {
    for case in cases("layers") {
        let graph = Graph::from_keras(case.get("model")).unwrap();
        let mut trainer = Trainer::new(graph, case.get("compile"), Options::default()).unwrap();
        let data = vec![0.5; 840];
        for shape in [
            vec![840],
            vec![0, 4],
            vec![2, 420],
            vec![2, 3, 140],
            vec![2, 3, 4, 35],
            vec![1, 2, 3, 4, 35],
        ] {
            let values = &data[..shape.iter().product()];
            for arrays in 0..3 {
                let view = View::new(&shape, values).unwrap();
                let batch = Batch {
                    inputs: vec![view; arrays],
                    targets: vec![view; arrays],
                    weights: vec![Some(view)],
                };
                let _ = trainer.step(&batch, false);
                let _ = trainer.test_step(&batch);
            }
        }
    }
    assert!(View::new(&[2, 3], &[0.0; 5]).is_err());
    assert!(View::new(&[usize::MAX, 2], &[]).is_err());
}

#[test]
fn what_is_not_covered_is_named() {
    let layer_on = |shape: Value, class: &str, config: Value| {
        let model = json!({"class_name": "Sequential", "config": {"layers": [
            {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": shape}},
            {"module": "keras.layers", "class_name": class, "config": config},
        ]}});
        Graph::from_keras(&model).unwrap_err().to_string()
    };
    let layer = |class: &str, config: Value| layer_on(json!([null, 4]), class, config);
    let first = json!({"name": "c", "filters": 4, "kernel_size": 1, "data_format": "channels_first"});
    assert_eq!(
        layer_on(json!([null, 3, 5, 4]), "Conv2D", first),
        "layer c (Conv2D): channels first, as many as the image is wide, with a bias"
    );
    let stateful = json!({"name": "s", "units": 2, "stateful": true});
    assert_eq!(
        layer_on(json!([null, 3, 5]), "GRU", stateful),
        "layer s (GRU): stateful, and an input of any number of samples"
    );
    assert_eq!(
        layer("Lambda", json!({"name": "mine"})),
        "layer mine (Lambda): Lambda is not covered"
    );
    assert_eq!(
        layer(
            "Dense",
            json!({"name": "d", "units": 3, "activation": {"module": "builtins", "class_name": "function",
            "config": "my", "registered_name": "function"}})
        )
        .split('=')
        .next(),
        Some("layer d (Dense): activation")
    );
    assert_eq!(
        layer("Dense", json!({"name": "d", "units": 3, "dtype": "float16"})),
        "layer d (Dense): dtype=float16"
    );
    assert_eq!(
        layer("Dense", json!({"name": "d", "units": 1_u64 << 27})),
        "layer d (Dense): more weights than the engine's limit of 2^28"
    );
    assert_eq!(
        layer("LSTM", json!({"name": "l", "units": 3})),
        "layer l (LSTM): an input of 2 axes"
    );
    let graph = || Graph::from_keras(cases("layers")[0].get("model")).unwrap();
    let refused = |compile: Value| {
        Trainer::new(graph(), &compile, Options::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(json!({"optimizer": "muon", "loss": "mse"})),
        "optimizer: muon is not covered"
    );
    assert!(refused(json!({"optimizer": "sgd", "loss": "own"})).starts_with("loss: "));
    assert!(refused(json!({"optimizer": "sgd", "loss": "mse", "metrics": ["BLEU"]})).starts_with("metric"));
}
