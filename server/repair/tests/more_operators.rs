//! Source in, source out: changes of labels, logits, samples and layers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use finding::{Applicability, Edit, Finding, Fix, Kind, Range, Severity, Source};
use support::{Training, binary, changed, data, numbers, one_hot};
use trace::DataInfo;

const ADAM: &str = "model.compile(loss='mean_squared_error', optimizer='adam')";

fn script(layers: &str, compile: &str, fit: &str) -> String {
    format!(
        "import keras\nimport numpy as np\n\nX = np.load('x.npy')  # raw\ny = np.load('y.npy')  # as they come\n\nmodel = keras.Sequential()\n{layers}\n{compile}\nmodel.fit({fit})  # all of it\n"
    )
}

fn unit() -> DataInfo {
    data(&[1000, 8], -1.0, 1.0)
}

#[track_caller]
fn shows(training: &Training, title: &str, expected: &str) {
    let after = training.after(title);
    assert_eq!(changed(&training.script.text, &after), expected.trim(), "{after}");
}

fn titles(training: &Training) -> Vec<String> {
    training.proposed().into_iter().map(|part| part.title).collect()
}

#[test]
fn from_logits_goes_with_the_output() {
    let told = script(
        "model.add(keras.layers.Dense(3, activation='softmax'))",
        "model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), optimizer='adam')  # ?",
        "X, y",
    );
    shows(
        &Training::of(&told, unit(), numbers(1000, 3)),
        "Leave out from_logits, since the output is no logits",
        "
- model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), optimizer='adam')  # ?
+ model.compile(loss=keras.losses.SparseCategoricalCrossentropy(), optimizer='adam')  # ?
",
    );
    let title = "Tell the loss that the output is logits";
    let named = script(
        "model.add(keras.layers.Dense(3))",
        "model.compile(loss='sparse_categorical_crossentropy', optimizer='adam')",
        "X, y",
    );
    shows(
        &Training::of(&named, unit(), numbers(1000, 3)),
        title,
        "
- model.compile(loss='sparse_categorical_crossentropy', optimizer='adam')
+ model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), optimizer='adam')
",
    );
    let made = script(
        "model.add(keras.layers.Dense(1))",
        "loss = keras.losses.BinaryCrossentropy()  # plain\nmodel.compile(loss=loss, optimizer='adam')",
        "X, y",
    );
    shows(
        &Training::of(&made, unit(), binary(1000)),
        title,
        "
- loss = keras.losses.BinaryCrossentropy()  # plain
+ loss = keras.losses.BinaryCrossentropy(from_logits=True)  # plain
",
    );
    let fits = told.replace("'softmax'", "'linear'");
    let found = titles(&Training::of(&fits, unit(), numbers(1000, 3)));
    assert!(!found.iter().any(|title| title.contains("logits")), "{found:?}");
}

#[test]
fn a_metric_of_another_kind_goes_with_the_loss() {
    let text = script(
        "model.add(keras.layers.Dense(1, activation='softmax'))",
        "model.compile(\n    loss='binary_crossentropy',  # ?\n    optimizer='adam',\n    metrics=['accuracy'],\n)",
        "X, y",
    );
    shows(
        &Training::of(&text, unit(), data(&[1000], -5.0, 5.0)),
        "Use a linear output with mean squared error, for real numbers",
        "
- model.add(keras.layers.Dense(1, activation='softmax'))
-     loss='binary_crossentropy',  # ?
-     metrics=['accuracy'],
+ model.add(keras.layers.Dense(1, activation='linear'))
+     loss='mean_squared_error',  # ?
+     metrics=['mae'],
",
    );
    let text = script(
        "model.add(keras.layers.Dense(3))",
        "model.compile(loss='mse', optimizer='adam', metrics=[\"mae\", 'AUC'])",
        "X, y",
    );
    shows(
        &Training::of(&text, unit(), one_hot(1000, 3)),
        "Use a softmax output with categorical cross-entropy, for one-hot labels",
        "
- model.add(keras.layers.Dense(3))
- model.compile(loss='mse', optimizer='adam', metrics=[\"mae\", 'AUC'])
+ model.add(keras.layers.Dense(3, activation='softmax'))
+ model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy', 'AUC'])
",
    );
}

#[test]
fn labels_are_encoded_as_output_and_loss_ask() {
    let sigmoid = script(
        "model.add(keras.layers.Dense(1, activation='sigmoid'))",
        "model.compile(loss='binary_crossentropy', optimizer='adam')",
        "X, y",
    );
    let signs = DataInfo {
        zero_one: false,
        classes: Some(vec![(-1.0, 500), (1.0, 500)]),
        ..data(&[1000], -1.0, 1.0)
    };
    shows(
        &Training::of(&sigmoid, unit(), signs),
        "Make the labels 0 and 1 instead of -1 and 1",
        "+ y = (y == 1).astype(\"float32\")",
    );
    let softmax = script(
        "model.add(keras.layers.Dense(3, activation='softmax'))",
        "model.compile(loss='sparse_categorical_crossentropy', optimizer='adam')",
        "X, y",
    );
    let from_one = DataInfo {
        min: 1.0,
        max: 3.0,
        classes: Some(vec![(1.0, 300), (2.0, 300), (3.0, 400)]),
        ..numbers(1000, 3)
    };
    shows(
        &Training::of(&softmax, unit(), from_one),
        "Count the classes from 0",
        "+ y = y - 1",
    );
    let categorical = softmax.replace("sparse_categorical", "categorical");
    shows(
        &Training::of(&categorical, unit(), numbers(1000, 3)),
        "Make the class numbers one-hot rows",
        "+ y = keras.utils.to_categorical(y, 3)",
    );
    let found = titles(&Training::of(&softmax, unit(), numbers(1000, 3)));
    assert!(
        !found
            .iter()
            .any(|title| title.contains("lasses") || title.contains("labels")),
        "{found:?}"
    );
}

#[test]
fn samples_in_order_are_shuffled() {
    let sigmoid = "model.add(keras.layers.Dense(1, activation='sigmoid'))";
    let compile = "model.compile(loss='binary_crossentropy', optimizer='adam')";
    let text = script(sigmoid, compile, "X, y, shuffle=False");
    shows(
        &Training::in_order(&text, unit(), binary(1000)),
        "Shuffle the samples in every epoch",
        "
- model.fit(X, y, shuffle=False)  # all of it
+ model.fit(X, y, shuffle=True)  # all of it
",
    );
    let text = script(sigmoid, compile, "X, y, validation_split=0.2");
    let title = "Shuffle the samples before some are held out";
    shows(
        &Training::in_order(&text, unit(), binary(1000)),
        title,
        "
+ order = np.random.permutation(len(X))
+ X, y = X[order], y[order]
",
    );
    let found = titles(&Training::of(&text, unit(), binary(1000)));
    assert!(!found.contains(&title.to_owned()), "{found:?}");
}

#[test]
fn rare_classes_get_more_weight() {
    let text = script(
        "model.add(keras.layers.Dense(1, activation='sigmoid'))",
        "model.compile(loss='binary_crossentropy', optimizer='adam')",
        "X, y",
    );
    let rare = || DataInfo {
        classes: Some(vec![(0.0, 900), (1.0, 100)]),
        ..binary(1000)
    };
    let title = "Weigh the classes by how rare they are";
    shows(
        &Training::of(&text, unit(), rare()),
        title,
        "
- model.fit(X, y)  # all of it
+ model.fit(X, y, class_weight={0: 0.56, 1: 5})  # all of it
",
    );
    let found = titles(&Training::of(&text, unit(), binary(1000)));
    assert!(!found.contains(&title.to_owned()), "{found:?}");
    let given = text.replace("X, y)", "X, y, class_weight=weights)");
    let found = titles(&Training::of(&given, unit(), rare()));
    assert!(!found.contains(&title.to_owned()), "{found:?}");
}

#[test]
fn a_normalization_layer_is_fitted_and_put_in_front() {
    let large = || data(&[1000, 8], 0.0, 5000.0);
    let title = "Normalise the features in the model";
    let added = script("model.add(keras.layers.Dense(1))", ADAM, "X, y");
    let after = Training::of(&added, large(), data(&[1000], -1.0, 1.0)).after(title);
    let expected = "model = keras.Sequential()\nnormalization = keras.layers.Normalization()\nnormalization.adapt(X)\nmodel.add(normalization)\nmodel.add(keras.layers.Dense(1))\n";
    assert!(after.contains(expected), "{after}");
    let listed = "import keras\nimport numpy as np\n\nX = np.load('x.npy')\ny = np.load('y.npy')\nmodel = keras.Sequential([\n    keras.layers.Dense(4),  # wide\n    keras.layers.Dense(1),\n])\nmodel.compile(loss='mean_squared_error', optimizer='adam')\nmodel.fit(X, y)\n";
    let after = Training::of(listed, large(), data(&[1000], -1.0, 1.0)).after(title);
    let expected = "normalization = keras.layers.Normalization()\nnormalization.adapt(X)\nmodel = keras.Sequential([\n    normalization,\n    keras.layers.Dense(4),  # wide\n";
    assert!(after.contains(expected), "{after}");
    let sklearn = added.replace(
        "import keras\n",
        "import keras\nfrom sklearn.preprocessing import StandardScaler\n",
    );
    let found = titles(&Training::of(&sklearn, large(), data(&[1000], -1.0, 1.0)));
    assert!(!found.contains(&title.to_owned()), "{found:?}");
}

#[test]
fn dropout_is_moved_to_where_it_belongs() {
    let first = script(
        "model.add(keras.layers.Dropout(0.3))  # against overfitting\nmodel.add(keras.layers.Dense(16, activation='relu'))\nmodel.add(keras.layers.Dense(1))",
        ADAM,
        "X, y",
    );
    let first = first.replace("  # against overfitting", "");
    let after = Training::of(&first, unit(), data(&[1000], -1.0, 1.0))
        .after("Move the dropout behind the first hidden layer");
    let expected = "Sequential()\nmodel.add(keras.layers.Dense(16, activation='relu'))\nmodel.add(keras.layers.Dropout(0.3))\nmodel.add(keras.layers.Dense(1))\n";
    assert!(after.contains(expected), "{after}");
    let last = script(
        "model.add(keras.layers.Dense(16, activation='relu'))\nmodel.add(keras.layers.Dense(1))\nmodel.add(keras.layers.Dropout(0.3))",
        ADAM,
        "X, y",
    );
    let after = Training::of(&last, unit(), data(&[1000], -1.0, 1.0))
        .after("Move the dropout before the output layer");
    assert!(after.contains(expected), "{after}");
}

#[test]
fn batches_are_normalised_in_the_form_of_the_model() {
    let title = "Normalise the batches after each hidden layer";
    let dense = "model.add(keras.layers.Dense(16, activation='relu'))\n".repeat(3);
    let added = script(&format!("{dense}model.add(keras.layers.Dense(1))"), ADAM, "X, y");
    let after = Training::of(&added, unit(), data(&[1000], -1.0, 1.0)).after(title);
    assert_eq!(
        after
            .matches("'relu'))\nmodel.add(keras.layers.BatchNormalization())")
            .count(),
        3,
        "{after}"
    );
    let listed = "import keras\nmodel = keras.Sequential([\n    keras.layers.Dense(8, activation='relu'),  # a\n    keras.layers.Dense(9, activation='relu'),  # b\n    keras.layers.Dense(10, activation='relu'),\n    keras.layers.Dense(1),\n])\nmodel.compile(loss='mean_squared_error', optimizer='adam')\nmodel.fit(X, y)\n";
    let after = Training::of(listed, unit(), data(&[1000], -1.0, 1.0)).after(title);
    let expected = "    keras.layers.Dense(8, activation='relu'),  # a\n    keras.layers.BatchNormalization(),\n    keras.layers.Dense(9, activation='relu'),  # b\n    keras.layers.BatchNormalization(),\n    keras.layers.Dense(10, activation='relu'),\n    keras.layers.BatchNormalization(),\n    keras.layers.Dense(1),\n";
    assert!(after.contains(expected), "{after}");
}

#[test]
fn narrow_layers_get_units_and_frozen_ones_are_trained() {
    let text = script(
        "model.add(keras.layers.Dense(2, activation='relu'))  # tight\nmodel.add(keras.layers.Dense(1))",
        ADAM,
        "X, y",
    );
    shows(
        &Training::of(&text, unit(), data(&[1000], -1.0, 1.0)),
        "Give the hidden layers 32 units",
        "
- model.add(keras.layers.Dense(2, activation='relu'))  # tight
+ model.add(keras.layers.Dense(32, activation='relu'))  # tight
",
    );
    let text = script(
        "model.add(keras.layers.Dense(16, activation='relu'))\nmodel.add(keras.layers.Dense(1, trainable=False))  # why",
        ADAM,
        "X, y",
    );
    shows(
        &Training::of(&text, unit(), data(&[1000], -1.0, 1.0)),
        "Train the frozen layers",
        "
- model.add(keras.layers.Dense(1, trainable=False))  # why
+ model.add(keras.layers.Dense(1, trainable=True))  # why
",
    );
}

#[test]
fn strong_penalties_and_single_samples_are_given_up() {
    let text = script(
        "model.add(keras.layers.Dense(16, kernel_regularizer=keras.regularizers.L2(0.5), name='a'))\nmodel.add(keras.layers.Dense(1))",
        ADAM,
        "X, y, batch_size=1",
    );
    let training = Training::of(&text, unit(), data(&[1000], -1.0, 1.0));
    shows(
        &training,
        "Leave out the strong penalties on weights",
        "
- model.add(keras.layers.Dense(16, kernel_regularizer=keras.regularizers.L2(0.5), name='a'))
+ model.add(keras.layers.Dense(16, name='a'))
",
    );
    shows(
        &training,
        "Train on batches of 32",
        "
- model.fit(X, y, batch_size=1)  # all of it
+ model.fit(X, y, batch_size=32)  # all of it
",
    );
}

#[test]
fn targets_are_scaled_with_both_halves_alike() {
    let text = "import keras\n\n(x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data()\nmodel = keras.Sequential()\nmodel.add(keras.layers.Dense(1))\nmodel.compile(loss='mean_squared_error', optimizer='adam')\nmodel.fit(x_train, y_train)\n";
    shows(
        &Training::of(text, unit(), data(&[1000], 100.0, 900.0)),
        "Standardise the targets",
        "
+ y_mean, y_std = y_train.mean(), y_train.std()
+ y_train, y_test = (y_train - y_mean) / y_std, (y_test - y_mean) / y_std
",
    );
}

#[test]
fn features_of_many_decades_are_seen_as_logarithms() {
    let text = script("model.add(keras.layers.Dense(1))", ADAM, "X, y");
    let skewed = DataInfo {
        min: 1.0,
        mean: 5000.0,
        ..data(&[1000, 1], 1.0, 100_000.0)
    };
    shows(
        &Training::of(&text, skewed, data(&[1000], -1.0, 1.0)),
        "Standardise the logarithms of the features",
        "
+ X = np.log(X)
+ X = (X - X.mean(axis=0)) / X.std(axis=0)
",
    );
}

/// A script that shapes its own rows held out, or not, and predicts for them in the end.
fn split(shaped: &str, after: &str) -> String {
    format!(
        "import keras\nfrom sklearn.model_selection import train_test_split\n\n(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()\n{shaped}\nmodel = keras.Sequential()\nmodel.add(keras.layers.Dense(10, activation='softmax'))\nmodel.compile(loss='sparse_categorical_crossentropy', optimizer='adam')\nmodel.fit(x_train, y_train)\n{after}\n"
    )
}

#[test]
fn rows_held_out_are_scaled_where_they_have_their_shape() {
    let train = "x_train = x_train.reshape(60000, 784)";
    let test = "x_test = x_test.reshape(10000, 784)";
    let evaluate = "model.evaluate(x_test, y_test, verbose=0)";
    let divide = |shaped: &str, after: &str| {
        let text = split(shaped, after);
        let training = Training::of(&text, data(&[60000, 784], 0.0, 255.0), numbers(60000, 10));
        let title = "Divide the pixels by 255";
        titles(&training)
            .contains(&title.to_owned())
            .then(|| changed(&text, &training.after(title)))
    };
    let both = Some("+ x_train = x_train / 255.0\n+ x_test = x_test / 255.0".to_owned());
    let alone = Some(format!("- {train}\n+ {train} / 255.0"));
    for (shaped, after, expected) in [
        (format!("{train}\n{test}"), evaluate, &both),
        (format!("{test}\n{train}"), evaluate, &both),
        ("x_train = x_train[:1000]".to_owned(), evaluate, &both),
        // Not shaped before the training, so nobody knows where to scale it.
        (
            train.to_owned(),
            "model.predict(x_test.reshape(10000, 784))",
            &None,
        ),
        (train.to_owned(), test, &None),
        (train.to_owned(), "print('done')", &alone),
        // Cut off what is scaled already.
        (
            format!("{train}\nx_train, x_val, y_train, y_val = train_test_split(x_train, y_train)"),
            "model.evaluate(x_val, y_val)",
            &alone,
        ),
    ] {
        assert_eq!(divide(&shaped, after), *expected, "{shaped}\n{after}");
    }
    let text = split(&format!("{train}\n{test}"), evaluate);
    let place = text.find(test).unwrap();
    let after = Training::of(&text, data(&[60000, 784], 0.0, 255.0), numbers(60000, 10))
        .after("Divide the pixels by 255");
    assert!(
        after.find("x_train / 255").unwrap() > place,
        "behind both: {after}"
    );
}

#[test]
fn halves_are_known_by_their_place_whatever_they_are_called() {
    for (statement, expected) in [
        (
            "(a, b), (c, d) = keras.datasets.california_housing.load_data()",
            "a, c",
        ),
        (
            "a, c, b, d = train_test_split(np.load('x.npy'), np.load('y.npy'))",
            "a, c",
        ),
    ] {
        let text = format!(
            "import keras\nimport numpy as np\n\n{statement}\nmodel = keras.Sequential()\nmodel.add(keras.layers.Dense(1))\nmodel.compile(loss='mean_squared_error', optimizer='adam')\nmodel.fit(a, b)\nmodel.evaluate(c, d)\n"
        );
        let training = Training::of(&text, data(&[1000, 8], 0.0, 5000.0), data(&[1000], -1.0, 1.0));
        shows(
            &training,
            "Standardise the features",
            &format!(
                "+ mean, std = a.mean(axis=0), a.std(axis=0)\n+ {expected} = (a - mean) / std, (c - mean) / std"
            ),
        );
    }
}

#[test]
fn variables_of_the_script_keep_their_values() {
    let load = "(x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data()";
    let text = |imports: &str| {
        format!(
            "import keras\n{imports}\n\nmean, y_std, scaler = 1, 2, 3\n{load}\nmodel = keras.Sequential()\nmodel.add(keras.layers.Dense(1))\nmodel.compile(loss='mean_squared_error', optimizer='adam')\nmodel.fit(x_train, y_train)\nprint(mean, y_std, scaler)\n"
        )
    };
    let training = |imports: &str| {
        Training::of(
            &text(imports),
            data(&[1000, 8], 0.0, 5000.0),
            data(&[1000], 0.0, 900.0),
        )
    };
    shows(
        &training(""),
        "Standardise the features",
        "
+ mean_2, std = x_train.mean(axis=0), x_train.std(axis=0)
+ x_train, x_test = (x_train - mean_2) / std, (x_test - mean_2) / std
",
    );
    shows(
        &training(""),
        "Standardise the targets",
        "
+ y_mean, y_std_2 = y_train.mean(), y_train.std()
+ y_train, y_test = (y_train - y_mean) / y_std_2, (y_test - y_mean) / y_std_2
",
    );
    shows(
        &training("from sklearn.preprocessing import StandardScaler"),
        "Standardise the features",
        "
+ scaler_2 = StandardScaler().fit(x_train)
+ x_train, x_test = scaler_2.transform(x_train), scaler_2.transform(x_test)
",
    );
}

#[test]
fn a_rule_that_scales_both_halves_keeps_its_fix() {
    let text = "import keras\nimport numpy as np\n\nx = np.load('x.npy')\np = np.load('p.npy')\ny = np.load('y.npy')\nmodel = keras.Sequential()\nmodel.add(keras.layers.Dense(1))\nmodel.compile(loss='mean_squared_error', optimizer='adam')\nmodel.fit(x, y)\nmodel.predict(p)\n";
    let training = Training::of(text, data(&[1000, 784], 0.0, 255.0), data(&[1000], -1.0, 1.0));
    let place = text.find("x = np").unwrap();
    let fix = |title: &str, new_text: &str| Fix {
        title: title.to_owned(),
        applicability: Applicability::Unsafe,
        edits: vec![Edit {
            path: "train.py".into(),
            range: Range::new(place, place),
            new_text: new_text.to_owned(),
        }],
        trial: None,
    };
    let finding = Finding {
        code: "DL404",
        name: "pixels-not-scaled",
        kind: Kind::InputScale,
        severity: Severity::Warning,
        source: Source::Static,
        path: "train.py".into(),
        range: Range::new(place, place + 1),
        layer: None,
        message: String::new(),
        evidence: Vec::new(),
        confidence: 0.9,
        fixes: vec![
            fix("both", "x, p = x / 255.0, p / 255.0\n"),
            fix("one", "x = x / 255.0\n"),
        ],
    };
    let parts = repair::proposals(&training.facts(), &[finding]);
    let offered = |title: &str| parts.iter().any(|part| part.title == title);
    assert!(offered("both") && !offered("one"), "{parts:#?}");
}

#[test]
fn settings_of_the_optimizer_far_from_the_usual_are_set_back() {
    let changes = |call: &str| {
        let compile = format!("model.compile(loss='mean_squared_error', optimizer=keras.optimizers.{call})");
        let text = script("model.add(keras.layers.Dense(1))", &compile, "X, y");
        let training = Training::of(&text, unit(), data(&[1000], -1.0, 1.0));
        let about = |title: &String| {
            title.contains(" of ") && ["Set ", "Leave out "].iter().any(|verb| title.starts_with(verb))
        };
        let after = |title: String| {
            let after = training.after(&title);
            let call = after.split("keras.optimizers.").nth(1).unwrap();
            call.lines().next().unwrap().strip_suffix(')').unwrap().to_owned()
        };
        titles(&training)
            .into_iter()
            .filter(about)
            .map(after)
            .collect::<Vec<_>>()
    };
    for (call, expected) in [
        ("Adam(epsilon=1e6)", "Adam(epsilon=1e-7)"),
        (
            "Adam(0.001, 0.9, 0.999, 10.0, name='a')",
            "Adam(0.001, 0.9, 0.999, 1e-7, name='a')",
        ),
        ("Adam(beta_1=0.999, beta_2=0.99)", "Adam(beta_1=0.9, beta_2=0.99)"),
        ("SGD(0.1, momentum=0.999)", "SGD(0.1, momentum=0.9)"),
        ("RMSprop(rho=0.9999)", "RMSprop(rho=0.9)"),
        ("Adadelta(rho=0.1)", "Adadelta(rho=0.95)"),
        ("SGD(clipvalue=1e-6, momentum=0.9)", "SGD(momentum=0.9)"),
        ("Adam(0.001, clipnorm=1e-9)", "Adam(0.001)"),
        ("AdamW(weight_decay=0.9)", "AdamW()"),
        (
            "Adagrad(initial_accumulator_value=1e4)",
            "Adagrad(initial_accumulator_value=0.1)",
        ),
    ] {
        assert_eq!(changes(call), [expected], "{call}");
    }
    for call in [
        "Adam(0.01, epsilon=1e-8)",
        "Adam(beta_1=0.5, beta_2=0.95)",
        "SGD(0.1, momentum=0.9, nesterov=True)",
        "RMSprop(rho=0.99)",
        "SGD(clipnorm=1.0)",
        "Adam(clipvalue=0.01)",
        "AdamW(weight_decay=0.01)",
        "Lion(beta_2=0.8)",
    ] {
        assert_eq!(changes(call), [""; 0], "{call}");
    }
    let both = script(
        "model.add(keras.layers.Dense(1))",
        "model.compile(loss='mean_squared_error', optimizer=keras.optimizers.Adam(1e-9, beta_1=0.999, epsilon=100.0))",
        "X, y",
    );
    let training = Training::of(&both, unit(), data(&[1000], -1.0, 1.0));
    let wanted = [
        "Raise the learning rate to 0.001",
        "Set beta_1 of Adam to 0.9",
        "Set epsilon of Adam to 1e-7",
    ];
    let parts = training.proposed().into_iter();
    let together = repair::Candidate::of(parts.filter(|part| wanted.contains(&part.title.as_str()))).unwrap();
    assert_eq!(together.parts.len(), 3, "they go together");

    // The same as the fix of a finding still goes with a change of the learning rate.
    let epsilon = training
        .proposed()
        .into_iter()
        .find(|part| part.title == wanted[2])
        .unwrap();
    let finding = Finding {
        code: "DL729",
        name: "optimizer-setting-out-of-range",
        kind: Kind::Optimizer,
        severity: Severity::Warning,
        source: Source::Callback,
        path: epsilon.path.clone(),
        range: epsilon.place,
        layer: None,
        message: String::new(),
        evidence: Vec::new(),
        confidence: 0.9,
        fixes: vec![Fix {
            title: epsilon.title.clone(),
            applicability: Applicability::Unsafe,
            edits: epsilon.edits.clone(),
            trial: None,
        }],
    };
    let parts = repair::proposals(&training.facts(), &[finding]).into_iter();
    let together = repair::Candidate::of(parts.filter(|part| wanted.contains(&part.title.as_str()))).unwrap();
    assert_eq!(together.parts.len(), 3, "{together:#?}");
}

#[test]
fn positions_are_kept() {
    let text = script(
        "model.add(keras.layers.Input((30, 4)))\nmodel.add(keras.layers.Conv1D(8, 3))\nmodel.add(keras.layers.GlobalAveragePooling1D())  # all\nmodel.add(keras.layers.Dense(3, activation='softmax'))",
        "model.compile(loss='sparse_categorical_crossentropy', optimizer='adam')",
        "X, y",
    );
    let title = "Keep the positions: flatten instead of pooling over all of them";
    let mut training = Training::of(&text, data(&[1000, 30, 4], -1.0, 1.0), numbers(1000, 3));
    let shape = |training: &mut Training, sizes: &[Option<i64>]| {
        let layers = &mut training.trace.fits[0].info.layers;
        let convolution = layers.iter_mut().find(|layer| layer.class == "Conv1D").unwrap();
        convolution.output_shape = Some(sizes.to_vec());
    };
    shape(&mut training, &[None, Some(28), Some(8)]);
    shows(
        &training,
        title,
        "
- model.add(keras.layers.GlobalAveragePooling1D())  # all
+ model.add(keras.layers.Flatten())  # all
",
    );
    for sizes in [[None, Some(28), Some(8000)], [None, None, Some(8)]] {
        shape(&mut training, &sizes);
        assert!(!titles(&training).iter().any(|found| found == title), "{sizes:?}");
    }
}
