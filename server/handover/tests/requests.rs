//! The server over its protocol: a model is taken over and trained, and nothing that arrives ends it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Seek, SeekFrom, Write};

use handover::Server;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A server whose shared file holds these values.
fn server(values: &[f32]) -> Server {
    let mut file = tempfile::tempfile().unwrap();
    for value in values {
        file.write_all(&value.to_le_bytes()).unwrap();
    }
    file.seek(SeekFrom::Start(0)).unwrap();
    Server::new(file)
}

fn ask(server: &mut Server, request: &Value) -> (Value, Vec<u8>) {
    server.answer(request.to_string().as_bytes())
}

/// Dense(1) on two inputs, kernel and bias, mean squared error, plain SGD.
fn open() -> Value {
    let policy = json!({"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": null});
    let zeros =
        json!({"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null});
    json!({
        "do": "open", "model": 0, "remember_logits": true, "seed": 1,
        "weights": [{"path": "dense/kernel", "shape": [2, 1]}, {"path": "dense/bias", "shape": [1]}],
        "graph": {
            "module": "keras", "class_name": "Sequential", "registered_name": null,
            "config": {"name": "sequential", "trainable": true, "dtype": policy, "layers": [
                {"module": "keras.layers", "class_name": "InputLayer", "registered_name": null,
                 "config": {"batch_shape": [null, 2], "dtype": "float32", "sparse": false, "name": "input"}},
                {"module": "keras.layers", "class_name": "Dense", "registered_name": null,
                 "config": {"name": "dense", "trainable": true, "dtype": policy, "units": 1, "activation": "linear",
                            "use_bias": true, "kernel_initializer": zeros, "bias_initializer": zeros,
                            "kernel_regularizer": null, "bias_regularizer": null,
                            "kernel_constraint": null, "bias_constraint": null},
                 "build_config": {"input_shape": [null, 2]}}
            ], "build_input_shape": [null, 2]}
        },
        "compile": {
            "loss": "mse", "loss_weights": null, "metrics": ["mae"], "weighted_metrics": null,
            "optimizer": {"module": "keras.optimizers", "class_name": "SGD", "registered_name": null,
                          "config": {"name": "SGD", "learning_rate": 0.5, "momentum": 0.0, "nesterov": false}}
        }
    })
}

fn train() -> Value {
    json!({
        "do": "train", "model": 0, "fresh": true, "rates": [0.1], "probed": [true],
        "weights": [{"index": 0, "offset": 0, "shape": [2, 1]}, {"index": 1, "offset": 8, "shape": [1]}],
        "batches": [{"x": [{"offset": 12, "shape": [2, 2]}], "y": [{"offset": 28, "shape": [2, 1]}], "weight": []}]
    })
}

/// Kernel, bias, inputs, labels, room.
const VALUES: [f32; 12] = [1.0, -1.0, 0.5, 1.0, 2.0, 3.0, 4.0, 1.0, 0.0, 0.0, 0.0, 0.0];

fn number(bytes: &[u8], at: usize) -> f64 {
    f64::from_le_bytes(bytes[8 * at..8 * at + 8].try_into().unwrap())
}

#[test]
fn a_model_is_taken_over_trained_evaluated_and_handed_back() {
    let mut server = server(&VALUES);
    let (answer, _) = ask(&mut server, &open());
    assert_eq!(answer, json!({"leaves": ["dense"]}));

    let (answer, numbers) = ask(&mut server, &train());
    // Both predictions are -0.5: the errors are -1.5 and -0.5.
    assert_eq!(answer["logs"], json!({"loss": 1.25, "mae": 1.0}), "{answer}");
    assert_eq!(answer["steps"], json!([0]));
    let rows = answer["layouts"][0].as_array().unwrap().len();
    let scalars = answer["scalars"].as_array().unwrap().len();
    assert_eq!(numbers.len(), 8 * (scalars + engine::probe::WIDTH * rows));
    assert_eq!((number(&numbers, 0), number(&numbers, 2)), (1.25, 2.0));
    assert!((number(&numbers, 1) - 0.1).abs() < 1e-6);
    assert_eq!(answer["scalars"][scalars - 1], "metric:mae");

    let into = json!([{"offset": 36, "shape": [2, 1]}, {"offset": 44, "shape": [1]}]);
    let (answer, _) = ask(&mut server, &json!({"do": "weights", "model": 0, "into": into}));
    assert_eq!(answer, json!({}));
    // Gradient of the kernel: mean of 2 · error · input; of the bias: mean of 2 · error.
    let x = json!([{"offset": 36, "shape": [1, 2]}]);
    let (answer, numbers) = ask(&mut server, &json!({"do": "predict", "model": 0, "x": x}));
    assert_eq!(answer, json!({"shapes": [[1, 1]]}));
    let kernel = [
        1.0 + 0.1 * (1.5 * 1.0 + 0.5 * 3.0),
        -1.0 + 0.1 * (1.5 * 2.0 + 0.5 * 4.0),
    ];
    let bias = 0.5 + 0.1 * (1.5 + 0.5);
    let wanted = kernel[0] * kernel[0] + kernel[1] * kernel[1] + bias;
    let found = f64::from(f32::from_le_bytes(numbers[..4].try_into().unwrap()));
    assert!((found - wanted).abs() < 1e-5, "{found} instead of {wanted}");

    let batches = train()["batches"].clone();
    let evaluate = json!({"do": "evaluate", "model": 0, "fresh": true, "batches": batches});
    let (answer, _) = ask(&mut server, &evaluate);
    // With a kernel of 1.3 and -0.5 and a bias of 0.7 the errors are 0 and 2.6.
    let loss = answer["logs"]["loss"].as_f64().unwrap();
    assert!((loss - 3.38).abs() < 1e-5, "{answer}");
}

#[test]
fn states_of_layers_stay_until_they_are_set() {
    // Kernel, recurrent kernel, bias, the state as the script resets it, and inputs.
    let mut server = server(&[1.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 3.0, 0.0, 0.0]);
    let mut open = open();
    open["weights"] = json!([
        {"path": "rnn/simple_rnn_cell/kernel", "shape": [2, 1]}, {"path": "rnn/simple_rnn_cell/recurrent_kernel", "shape": [1, 1]},
        {"path": "rnn/simple_rnn_cell/bias", "shape": [1]}, {"path": "rnn/rnn_state_0", "shape": [2, 1]},
    ]);
    open["graph"]["config"]["layers"] = json!([
        {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [2, 1, 2], "name": "input"}},
        {"module": "keras.layers", "class_name": "SimpleRNN", "config": {"name": "rnn", "units": 1, "activation": "tanh", "stateful": true}},
    ]);
    let (answer, _) = ask(&mut server, &open);
    assert_eq!(answer, json!({"leaves": ["rnn"]}));
    let mut predict = |weights: Value| -> Vec<f64> {
        let x = json!([{"offset": 24, "shape": [2, 1, 2]}]);
        let request = json!({"do": "predict", "model": 0, "x": x, "weights": weights});
        let (answer, numbers) = ask(&mut server, &request);
        assert_eq!(answer, json!({"shapes": [[2, 1]]}));
        numbers
            .chunks(4)
            .map(|bytes| f64::from(f32::from_le_bytes(bytes.try_into().unwrap())))
            .collect()
    };
    let close = |found: &[f64], wanted: [f64; 2]| {
        assert!(
            found
                .iter()
                .zip(wanted)
                .all(|(found, wanted)| (found - wanted).abs() < 1e-6),
            "{found:?}, not {wanted:?}"
        );
    };
    let weights = json!([{"index": 0, "offset": 0, "shape": [2, 1]}, {"index": 1, "offset": 8, "shape": [1, 1]},
                         {"index": 2, "offset": 12, "shape": [1]}]);
    let first = [(-0.5_f64).tanh(), (-1.0_f64).tanh()];
    close(&predict(weights), first);
    close(
        &predict(json!([])),
        [(first[0] - 0.5).tanh(), (first[1] - 1.0).tanh()],
    );
    close(
        &predict(json!([{"index": 3, "offset": 16, "shape": [2, 1]}])),
        first,
    );
}

#[test]
fn numbers_that_json_lacks_are_strings() {
    let mut values = VALUES;
    values[3] = f32::NAN;
    let mut server = server(&values);
    ask(&mut server, &open());
    let (answer, _) = ask(&mut server, &train());
    assert_eq!(answer["logs"]["loss"], "nan", "{answer}");
    assert_eq!(answer["faults"][0]["step"], 0, "{answer}");
}

#[test]
fn what_does_not_fit_is_said() {
    let mut server = server(&VALUES);
    let mut foreign = open();
    foreign["graph"]["config"]["layers"][1]["class_name"] = json!("Hologram");
    assert!(
        ask(&mut server, &foreign).0["not_covered"]
            .as_str()
            .unwrap()
            .contains("Hologram")
    );
    let mut fewer = open();
    fewer["weights"] = json!([]);
    assert!(ask(&mut server, &fewer).0["not_covered"].is_string());
    assert!(
        ask(&mut server, &train()).0["error"]
            .as_str()
            .unwrap()
            .contains("no model 0")
    );
    ask(&mut server, &open());
    for (pointer, value) in [
        ("/batches/0/x/0/shape", json!([2, 3])),
        ("/batches/0/x/0/shape", json!([0, 2])),
        (
            "/batches/0/x/0/shape",
            json!([4_294_967_296_u64, 4_294_967_296_u64]),
        ),
        ("/batches/0/x/0/offset", json!(u64::MAX)),
        ("/batches/0/y/0/offset", json!(44)),
        ("/batches/0/x", json!([])),
        ("/weights/0/index", json!(7)),
        ("/weights/0/shape", json!([1, 2])),
        ("/rates", json!([])),
        ("/do", json!("undo")),
    ] {
        let mut request = train();
        *request.pointer_mut(pointer).unwrap() = value;
        let (answer, _) = ask(&mut server, &request);
        assert!(answer["error"].is_string(), "{pointer}: {answer}");
    }
    assert!(ask(&mut server, &train()).0["logs"]["loss"].is_number());
}

#[test]
fn arrays_of_a_batch_do_not_take_more_than_the_file_has() {
    let mut server = server(&VALUES);
    ask(&mut server, &open());
    let mut request = train();
    // Each lies within the file; the labels that there are too many of would otherwise be refused only after reading.
    let label = json!({"offset": 28, "shape": [2, 1]});
    request["batches"][0]["y"] = json!(vec![label; 8]);
    let (answer, _) = ask(&mut server, &request);
    assert!(answer["error"].as_str().unwrap().contains("together"), "{answer}");
}

#[test]
fn a_closed_model_is_gone_and_another_takes_its_place() {
    let mut server = server(&VALUES);
    ask(&mut server, &open());
    for _ in 0..2 {
        assert_eq!(ask(&mut server, &json!({"do": "close", "model": 0})).0, json!({}));
    }
    assert!(ask(&mut server, &train()).0["error"].is_string());
    ask(&mut server, &open());
    assert!(ask(&mut server, &train()).0["logs"]["loss"].is_number());
}

#[test]
fn a_request_beyond_the_limit_is_answered_and_so_is_the_next() {
    let length = (64_u32 << 20) + 1;
    let mut requests: Vec<u8> = length.to_le_bytes().to_vec();
    requests.resize(4 + length as usize, b' ');
    requests.extend(2_u32.to_le_bytes());
    requests.extend(b"{}");
    let mut answers = Vec::new();
    server(&VALUES)
        .run(&mut requests.as_slice(), &mut answers)
        .unwrap();
    let text = String::from_utf8_lossy(&answers);
    assert!(
        text.contains("beyond the limit") && text.contains("does not parse"),
        "{text}"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (answer, _) = server(&VALUES).answer(&bytes);
        prop_assert!(answer["error"].is_string());
    }

    #[test]
    fn a_damaged_model_is_answered(at in 0_usize..2000, with in any::<u8>()) {
        let mut text = open().to_string().into_bytes();
        let at = at % text.len();
        text[at] = with;
        let mut server = server(&VALUES);
        server.answer(&text);
        server.answer(train().to_string().as_bytes());
    }

    #[test]
    fn a_damaged_batch_is_answered(at in 0_usize..2000, with in any::<u8>()) {
        let mut server = server(&VALUES);
        server.answer(open().to_string().as_bytes());
        let mut text = train().to_string().into_bytes();
        let at = at % text.len();
        text[at] = with;
        server.answer(&text);
    }

    #[test]
    fn a_stream_of_anything_ends(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut answers = Vec::new();
        // An error is fine; going on for ever or a panic is not.
        let _ = server(&VALUES).run(&mut bytes.as_slice(), &mut answers);
    }
}
