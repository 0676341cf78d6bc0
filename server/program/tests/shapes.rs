//! Shapes and parameter counts, against what Keras says.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use program::{LayerShape, Program};

fn shapes(text: &str) -> (Program, Vec<LayerShape>) {
    let program = Program::parse(text);
    let shapes = program.shapes();
    (program, shapes)
}

#[test]
fn every_layer_has_the_shape_keras_gives_it() {
    let table: toml::Table = toml::from_str(include_str!("shapes.toml")).expect("the table reads");
    let cases = table["case"].as_array().expect("cases");
    assert!(cases.len() > 150);
    let mut wrong = Vec::new();
    for case in cases {
        let text = |key: &str| case.get(key).and_then(toml::Value::as_str);
        let inputs: String = case["inputs"]
            .as_array()
            .expect("inputs")
            .iter()
            .zip(["a", "b", "c"])
            .map(|(shape, name)| format!("{name} = Input({})\n", shape.as_str().expect("a shape")))
            .collect();
        let names = ["a", "b", "c"][..case["inputs"].as_array().expect("inputs").len()].join(", ");
        let script = format!(
            "from keras import Input, Model\nfrom keras.layers import *\n{inputs}o = {}{}\nm = Model([{names}], o)\n",
            text("layer").expect("a layer"),
            text("call").expect("a call"),
        );
        let (_, found) = shapes(&script);
        let last = found.last().expect("the layer is in the model");
        let output = last.output.as_ref().map(ToString::to_string);
        let params = last.params.and_then(|params| i64::try_from(params).ok());
        let right = match text("output") {
            Some(expected) => {
                last.error.is_none()
                    && output.as_deref() == Some(expected)
                    && params == case["params"].as_integer()
            }
            None => last.error.is_some(),
        };
        if !right {
            wrong.push(format!("{case}\n  but: {output:?} {params:?} {:?}", last.error));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn shapes_follow_each_other_through_a_model() {
    let (_, found) = shapes(
        "from keras import Sequential\nfrom keras.layers import *\nm = Sequential([Conv2D(8, 3, input_shape=(8, 8, 1)), MaxPooling2D(), Flatten(), Dense(10)])\n",
    );
    let outputs: Vec<String> = found
        .iter()
        .map(|layer| layer.output.as_ref().expect("known").to_string())
        .collect();
    assert_eq!(
        outputs,
        ["(None, 6, 6, 8)", "(None, 3, 3, 8)", "(None, 72)", "(None, 10)"]
    );
    let params: u64 = found.iter().filter_map(|layer| layer.params).sum();
    assert_eq!(params, 80 + 730);
    let (_, old) = shapes(
        "from keras import Sequential\nfrom keras.layers import *\nm = Sequential([Dense(4, input_dim=3), Dense(1)])\n",
    );
    assert_eq!(
        old.iter().map(|layer| layer.params).collect::<Vec<_>>(),
        [Some(16), Some(5)]
    );
    let (_, open) = shapes(
        "from keras import Sequential\nfrom keras.layers import *\nm = Sequential([Dense(4), Dense(1)])\n",
    );
    assert!(
        open.iter()
            .all(|layer| layer.output.is_none() && layer.error.is_none())
    );
    let (_, first) = shapes(
        "import keras\nkeras.backend.set_image_data_format('channels_first')\nfrom keras.layers import *\nm = keras.Sequential([Input((1, 28, 28)), Conv2D(4, 5)])\n",
    );
    assert_eq!((&first[0].output, &first[0].error), (&None, &None));
}

#[test]
fn what_keras_refuses_is_said_where_it_is_written() {
    for (layers, place, part) in [
        (
            "Input((4, 4, 1)), Conv2D(8, kernel_size=5), Dense(1)",
            "5",
            "window of 5",
        ),
        ("Input((28, 28)), Conv2D(8, 3)", "Conv2D(8, 3)", "(None, 28, 28)"),
        ("Input((10,)), LSTM(4)", "LSTM(4)", "3 axes"),
        (
            "Input((10, 3)), LSTM(4), LSTM(4)",
            "LSTM(4)",
            "return_sequences=True",
        ),
        ("Input((10,)), Reshape((3, 4))", "(3, 4)", "10 values"),
        ("Input((4, 4, 1)), MaxPooling2D((8, 8))", "(8, 8)", "window of 8"),
    ] {
        let text = format!("import keras\nfrom keras.layers import *\nm = keras.Sequential([{layers}])\n");
        let (_, found) = shapes(&text);
        let errors: Vec<_> = found.iter().filter_map(|layer| layer.error.as_ref()).collect();
        assert_eq!(errors.len(), 1, "{layers}");
        assert_eq!(errors[0].range.slice(&text), place, "{layers}");
        assert!(errors[0].message.contains(part), "{}", errors[0].message);
    }
}
