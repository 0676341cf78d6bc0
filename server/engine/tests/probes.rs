//! What the engine sees of a step: the statistics of the tracer, the first broken number, the gauge of the step.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use engine::probe::{Moment, compare, of_output, of_tensor};
use engine::{Batch, Graph, Options, Trainer, View};
use serde_json::{Value, json};
use support::values;
use trace::{Stat, Tensor};

/// A sequential model of dense layers on four features, with weights from the generator.
fn dense(layers: &[(usize, &str)], compile: &Value) -> Trainer {
    let input = json!({"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [null, 4]}});
    let dense = layers.iter().enumerate().map(|(at, (units, activation))| {
        json!({"module": "keras.layers", "class_name": "Dense",
               "config": {"name": format!("dense_{at}"), "units": units, "activation": activation}})
    });
    let layers: Vec<Value> = std::iter::once(input).chain(dense).collect();
    let model = json!({"class_name": "Sequential", "config": {"name": "model", "layers": layers}});
    let mut graph = Graph::from_keras(&model).unwrap();
    let shapes: Vec<Vec<usize>> = graph.weights().map(|weight| weight.shape.clone()).collect();
    for (at, shape) in shapes.iter().enumerate() {
        graph
            .set_weight(at, shape, &values(at as u64, shape.iter().product()))
            .unwrap();
    }
    Trainer::new(graph, compile, Options::default()).unwrap()
}

fn with_batch<R>(targets: &[f32], width: usize, use_it: impl FnOnce(&Batch<'_>) -> R) -> R {
    let samples = targets.len() / width;
    let x = values(77, samples * 4);
    let (x_shape, y_shape) = ([samples, 4], [samples, width]);
    use_it(&Batch {
        inputs: vec![View::new(&x_shape, &x).unwrap()],
        targets: vec![View::new(&y_shape, targets).unwrap()],
        weights: Vec::new(),
    })
}

fn spoiled(mut values: Vec<f32>, last: usize, how: &str) -> Vec<f32> {
    match how {
        "dead" => values
            .chunks_mut(last)
            .for_each(|row| (row[0], row[1]) = (0.0, 0.75)),
        "broken" => (values[3], values[5], values[8]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY),
        "large" => values.iter_mut().for_each(|value| *value *= 1e20),
        "offset" => values.iter_mut().for_each(|value| *value += 1000.0),
        "steep" => values.iter_mut().for_each(|value| *value *= 9.0),
        _ => {}
    }
    values
}

fn same(place: &str, ours: &[f64], reference: &Value) {
    for (at, (&ours, known)) in ours.iter().zip(reference.as_array().unwrap()).enumerate() {
        // Of small means: both sum numbers around 1 in single precision.
        let floor = if at == Stat::Mean as usize { 1e-2 } else { 1e-3 };
        let close = match known.as_f64() {
            None => ours.is_nan(),
            Some(known) => (ours - known).abs() <= 1e-5 * known.abs().max(floor),
        };
        assert!(close, "{place}: number {at} is {ours} instead of {known}");
    }
}

#[test]
fn statistics_are_those_of_the_tracer() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/probes.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let tensors = file["tensors"].as_array().unwrap();
    assert_eq!(tensors.len(), 30);
    for (at, case) in tensors.iter().enumerate() {
        let shape: Vec<usize> = serde_json::from_value(case["shape"].clone()).unwrap();
        let how = case["how"].as_str().unwrap();
        let data = values(at as u64, shape.iter().product());
        let data = spoiled(data, *shape.last().unwrap(), how);
        let place = format!("{shape:?} {how}");
        same(&format!("tensor {place}"), &of_tensor(&data), &case["tensor"]);
        let activation = (how == "steep").then_some("tanh");
        let view = View::new(&shape, &data).unwrap();
        same(
            &format!("output {place}"),
            &of_output(view, -1, activation),
            &case["output"],
        );
    }
    for case in file["compared"].as_array().unwrap() {
        let array = |value: &Value| -> (Vec<usize>, Value) {
            (
                serde_json::from_value(value[0].clone()).unwrap(),
                value[1].clone(),
            )
        };
        let (shape, seed) = array(&case["prediction"]);
        let prediction = values(seed.as_u64().unwrap(), shape.iter().product());
        let (label_shape, labels) = array(&case["labels"]);
        let labels: Vec<f32> = serde_json::from_value(labels).unwrap();
        let found = compare(
            Some(View::new(&label_shape, &labels).unwrap()),
            View::new(&shape, &prediction).unwrap(),
            case["loss"].as_str().unwrap(),
            case["logits"].as_bool().unwrap(),
        );
        same(&case["labels"].to_string(), &found, &case["scalars"]);
    }
}

#[test]
fn rows_are_those_of_the_channel() {
    let compile = json!({"optimizer": "sgd", "loss": "binary_crossentropy", "metrics": ["accuracy"]});
    let mut trainer = dense(&[(5, "relu"), (1, "sigmoid")], &compile);
    let outcome = with_batch(&[0.0, 1.0, 1.0, 0.0], 1, |batch| {
        trainer.step(batch, true).unwrap()
    });
    let probe = outcome.probe.unwrap();
    let rows: Vec<(usize, Tensor, Option<&str>, bool)> = probe
        .rows
        .iter()
        .map(|row| {
            (
                row.row.layer,
                row.row.tensor,
                row.row.weight.as_deref(),
                row.before_activation,
            )
        })
        .collect();
    let weights = |layer| {
        ["kernel", "bias"].map(|name| {
            [Tensor::W, Tensor::Dw, Tensor::Update].map(|tensor| (layer, tensor, Some(name), false))
        })
    };
    let mut expected = vec![
        (0, Tensor::V1, None, false),
        (0, Tensor::V2, None, false),
        (0, Tensor::Gout, None, false),
    ];
    expected.extend(weights(0).into_iter().flatten());
    // The loss uses the remembered logits, so the gradient is known before the activation only.
    expected.extend([
        (1, Tensor::V1, None, false),
        (1, Tensor::V2, None, false),
        (1, Tensor::Gout, None, true),
    ]);
    expected.extend(weights(1).into_iter().flatten());
    assert_eq!(rows, expected);
    let layout = engine::probe::layout(0, 0, &probe, &trainer.metric_names());
    assert_eq!(layout.scalars.len(), outcome.scalars.len());
    assert_eq!(layout.scalars.last().unwrap(), "metric:accuracy");
    assert_eq!(layout.rows.len() * layout.stats.len(), probe.stats.len());
    // W + update is the new weight: gradient descent steps by the learning rate times the gradient.
    let stat = |row: usize, stat: Stat| probe.stats[row * engine::probe::WIDTH + stat as usize];
    let (gradient, update) = (stat(4, Stat::L2), stat(5, Stat::L2));
    assert!((update / gradient - 0.01).abs() < 1e-5, "{update} of {gradient}");
}

#[test]
fn without_remembered_logits_one_unit_of_softmax_learns_nothing() {
    let compile = json!({"optimizer": "sgd", "loss": "binary_crossentropy"});
    let run = |remembered_logits| {
        let options = Options {
            remembered_logits,
            ..Options::default()
        };
        let graph = std::mem::replace(
            dense(&[(1, "softmax")], &compile).graph_mut(),
            Graph::from_keras(&json!({"class_name": "Sequential", "config": {"layers": [], "build_input_shape": [null, 4]}})).unwrap(),
        );
        let mut trainer = Trainer::new(graph, &compile, options).unwrap();
        with_batch(&[0.0, 1.0, 1.0, 0.0], 1, |batch| {
            let first = trainer.step(batch, false).unwrap().loss;
            (first, trainer.step(batch, false).unwrap().loss)
        })
    };
    let (first, second) = run(true);
    assert!(second < first);
    let (first, second) = run(false);
    assert_eq!(first, second);
}

#[test]
fn the_first_broken_number_is_named() {
    let compile =
        json!({"optimizer": {"class_name": "SGD", "config": {"learning_rate": 1e30}}, "loss": "mse"});
    let mut trainer = dense(&[(5, "relu"), (3, "linear")], &compile);
    let targets = values(5, 12);
    let faults: Vec<_> = with_batch(&targets, 3, |batch| {
        (0..4).map(|_| trainer.step(batch, true).unwrap().fault).collect()
    });
    let found: Vec<usize> = (0..4).filter(|&at| faults[at].is_some()).collect();
    assert_eq!(found.len(), 1, "{faults:?}");
    let fault = faults.into_iter().flatten().next().unwrap();
    assert_eq!(
        (fault.moment, fault.layer),
        (Moment::Forward, Some(1)),
        "{fault:?}"
    );
    assert_eq!(fault.what, "matmul");
    assert_eq!(fault.element.len(), 2);

    // A weight that is broken from the start, probed or not.
    for probed in [true, false] {
        let mut trainer = dense(&[(3, "linear")], &json!({"optimizer": "sgd", "loss": "mse"}));
        let mut weights = values(0, 12);
        weights[7] = f32::NAN;
        trainer.graph_mut().set_weight(0, &[4, 3], &weights).unwrap();
        let fault = with_batch(&values(5, 12), 3, |batch| {
            trainer.step(batch, probed).unwrap().fault.unwrap()
        });
        let expected = if probed {
            (Moment::Weight, "kernel", vec![2, 1])
        } else {
            (Moment::Forward, "matmul", vec![0, 1])
        };
        assert_eq!((fault.moment, fault.what.as_str(), fault.element), expected);
        assert_eq!(fault.layer, Some(0));
    }

    let mut trainer = dense(&[(3, "linear")], &json!({"optimizer": "sgd", "loss": "mse"}));
    let mut broken = values(5, 12);
    broken[4] = f32::NAN;
    let fault = with_batch(&broken, 3, |batch| {
        trainer.step(batch, false).unwrap().fault.unwrap()
    });
    assert_eq!(fault.moment, Moment::Loss);
}

#[test]
fn the_gauge_knows_short_steps_from_long_ones() {
    let gauge = |rate: f64| {
        let compile =
            json!({"optimizer": {"class_name": "SGD", "config": {"learning_rate": rate}}, "loss": "mse"});
        let mut trainer = dense(&[(3, "linear")], &compile);
        let targets = values(5, 24);
        with_batch(&targets, 3, |batch| {
            let (_, gauge) = trainer.gauged_step(batch).unwrap();
            let after = |trainer: &Trainer| -> Vec<_> {
                let weights = trainer.graph().weights();
                weights.map(|weight| weight.value.clone()).collect()
            };
            // The step itself is that of any training.
            let mut plain = dense(&[(3, "linear")], &compile);
            plain.step(batch, true).unwrap();
            assert_eq!(after(&trainer), after(&plain));
            gauge
        })
    };
    let (short, long) = (gauge(1e-3), gauge(30.0));
    assert!(short.before < 0.0 && short.ratio() > 0.99, "{short:?}");
    assert!(long.ratio() < -1.0, "{long:?}");
}

#[test]
fn gradients_of_samples_add_up_to_that_of_the_batch() {
    let mut trainer = dense(&[(3, "linear")], &json!({"optimizer": "sgd", "loss": "mse"}));
    let targets = values(5, 3);
    let (norms, whole) = with_batch(&targets, 3, |batch| {
        let norms = trainer.sample_gradient_norms(batch, 8).unwrap();
        let probe = trainer.step(batch, true).unwrap().probe.unwrap();
        let of = |tensor: Tensor| {
            let rows = probe
                .rows
                .iter()
                .enumerate()
                .filter(move |(_, row)| row.row.tensor == tensor);
            rows.map(|(at, _)| probe.stats[at * engine::probe::WIDTH + Stat::L2 as usize].powi(2))
                .sum::<f64>()
        };
        (norms, of(Tensor::Dw).sqrt())
    });
    assert_eq!(norms.len(), 1);
    assert!((norms[0] - whole).abs() < 1e-5 * whole, "{norms:?} and {whole}");
}
