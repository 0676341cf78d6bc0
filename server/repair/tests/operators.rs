//! Source in, source out: every operator on small scripts.

mod support;

use support::{Training, binary, changed, data, multi_hot, numbers, one_hot};
use trace::DataInfo;

/// A script with this head, `compile` and `fit`.
fn script(imports: &str, layers: &str, compile: &str) -> String {
    format!(
        "import keras\nimport numpy as np\n{imports}\nX = np.load('x.npy')  # raw\ny = np.load('y.npy')\n\nmodel = keras.Sequential()\n{layers}\n{compile}\nmodel.fit(X, y, epochs=5)\n"
    )
}

#[track_caller]
fn check(text: &str, x: DataInfo, y: DataInfo, title: &str, expected: &str) {
    let after = Training::of(text, x, y).after(title);
    assert_eq!(changed(text, &after), expected.trim(), "{after}");
}

fn never(text: &str, x: DataInfo, y: DataInfo, words: &str) {
    let parts = Training::of(text, x, y).proposed();
    let found: Vec<_> = parts
        .iter()
        .map(|part| &part.title)
        .filter(|title| title.contains(words))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

fn unit() -> DataInfo {
    data(&[1000, 8], -1.0, 1.0)
}

#[test]
fn output_and_loss_follow_the_labels() {
    let text = script(
        "",
        "model.add(keras.layers.Dense(16, activation='relu'))\nmodel.add(keras.layers.Dense(3, activation='relu'))",
        "model.compile(loss='mean_squared_error', optimizer='adam')  # why not",
    );
    let title = "Use a softmax output with categorical cross-entropy, for one-hot labels";
    check(
        &text,
        unit(),
        one_hot(1000, 3),
        title,
        "
- model.add(keras.layers.Dense(3, activation='relu'))
- model.compile(loss='mean_squared_error', optimizer='adam')  # why not
+ model.add(keras.layers.Dense(3, activation='softmax'))
+ model.compile(loss='categorical_crossentropy', optimizer='adam')  # why not
",
    );
    let title = "Use a sigmoid output with binary cross-entropy, for several labels per row";
    check(
        &text,
        unit(),
        multi_hot(1000, 3),
        title,
        "
- model.add(keras.layers.Dense(3, activation='relu'))
- model.compile(loss='mean_squared_error', optimizer='adam')  # why not
+ model.add(keras.layers.Dense(3, activation='sigmoid'))
+ model.compile(loss='binary_crossentropy', optimizer='adam')  # why not
",
    );
    check(
        &text,
        unit(),
        data(&[1000, 3], -5.0, 5.0),
        "Use a linear output, for real numbers",
        "
- model.add(keras.layers.Dense(3, activation='relu'))
+ model.add(keras.layers.Dense(3, activation='linear'))
",
    );
}

#[test]
fn an_activation_layer_of_its_own_is_the_output() {
    let text = script(
        "",
        "model.add(keras.layers.Dense(1))\nmodel.add(keras.layers.Activation(\"softmax\"))",
        "model.compile(loss=\"binary_crossentropy\", optimizer=\"adam\")",
    );
    check(
        &text,
        unit(),
        binary(1000),
        "Use a sigmoid output, for labels 0 and 1",
        "
- model.add(keras.layers.Activation(\"softmax\"))
+ model.add(keras.layers.Activation(\"sigmoid\"))
",
    );
}

#[test]
fn class_numbers_need_a_unit_each() {
    let text = script(
        "",
        "model.add(keras.layers.Dense(1, activation=\"sigmoid\"))",
        "model.compile(loss=\"binary_crossentropy\", optimizer=\"adam\")",
    );
    let title = "Use 3 softmax outputs with sparse categorical cross-entropy, for class numbers";
    check(
        &text,
        unit(),
        numbers(1000, 3),
        title,
        "
- model.add(keras.layers.Dense(1, activation=\"sigmoid\"))
- model.compile(loss=\"binary_crossentropy\", optimizer=\"adam\")
+ model.add(keras.layers.Dense(3, activation=\"softmax\"))
+ model.compile(loss=\"sparse_categorical_crossentropy\", optimizer=\"adam\")
",
    );
}

#[test]
fn what_fits_the_labels_stays() {
    let text = script(
        "",
        "model.add(keras.layers.Dense(1, activation='sigmoid'))",
        "model.compile(loss='binary_crossentropy', optimizer='adam')",
    );
    never(&text, unit(), binary(1000), "output");
    never(&text, unit(), binary(1000), "tandardise");
    let text = text
        .replace("sigmoid", "linear")
        .replace("binary_crossentropy", "mean_absolute_error");
    never(&text, unit(), data(&[1000], -1.0, 1.0), "real numbers");
}

#[test]
fn features_are_scaled_in_the_idiom_of_the_script() {
    let layers = "model.add(keras.layers.Dense(1, activation='sigmoid'))";
    let compile = "model.compile(loss='binary_crossentropy', optimizer='adam')";
    let large = || data(&[1000, 8], 0.0, 5000.0);
    check(
        &script("", layers, compile),
        large(),
        binary(1000),
        "Standardise the features",
        "
+ X = (X - X.mean(axis=0)) / X.std(axis=0)
",
    );
    let constant = DataInfo {
        constant_features: 1,
        ..large()
    };
    check(
        &script("", layers, compile),
        constant,
        binary(1000),
        "Standardise the features",
        "
+ X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-8)
",
    );
    let sklearn = script("from sklearn.metrics import f1_score\n", layers, compile);
    check(
        &sklearn,
        large(),
        binary(1000),
        "Standardise the features",
        "
+ from sklearn.preprocessing import StandardScaler
+ X = StandardScaler().fit_transform(X)
",
    );
    let pixels = || data(&[1000, 28, 28], 0.0, 255.0);
    check(
        &script("", layers, compile),
        pixels(),
        binary(1000),
        "Divide the pixels by 255",
        "
- X = np.load('x.npy')  # raw
+ X = np.load('x.npy') / 255.0  # raw
",
    );
}

#[test]
fn labels_computed_from_the_features_stay_what_they_were() {
    let text = "import keras\nimport numpy as np\n\nx = np.random.uniform(0, 10000, size=(500, 3))\ny = 2 * x[:, 0] + x[:, 1]\n\nmodel = keras.Sequential()\nmodel.add(keras.layers.Dense(1))\nmodel.compile(loss='mean_squared_error', optimizer='adam')\nmodel.fit(x, y)\n";
    let after = Training::of(text, data(&[500, 3], 0.0, 10000.0), data(&[500], 0.0, 30000.0))
        .after("Standardise the features");
    let labels = after.find("y = 2 * x").unwrap_or_default();
    let scaled = after
        .find("x = (x - x.mean(axis=0)) / x.std(axis=0)")
        .unwrap_or_default();
    assert!(0 < labels && labels < scaled, "{after}");
}

#[test]
fn a_split_by_the_loader_is_scaled_on_both_sides() {
    let text = "import keras\n\n(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()\nmodel = keras.Sequential()\nmodel.add(keras.layers.Dense(10, activation='softmax'))\nmodel.compile(loss='sparse_categorical_crossentropy', optimizer='adam')\nmodel.fit(x_train, y_train)\n";
    check(
        text,
        data(&[1000, 28, 28], 0.0, 255.0),
        numbers(1000, 10),
        "Divide the pixels by 255",
        "
+ x_train = x_train / 255.0
+ x_test = x_test / 255.0
",
    );
}

#[test]
fn the_learning_rate_is_changed_where_it_is() {
    let layers = "model.add(keras.layers.Dense(1))";
    let real = || data(&[1000], -1.0, 1.0);
    let written = script(
        "",
        layers,
        "opt = keras.optimizers.SGD(learning_rate=3.0, momentum=0.9)\nmodel.compile(loss='mean_squared_error', optimizer=opt)",
    );
    check(
        &written,
        unit(),
        real(),
        "Lower the learning rate to 0.01",
        "
- opt = keras.optimizers.SGD(learning_rate=3.0, momentum=0.9)
+ opt = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9)
",
    );
    let named = script(
        "",
        layers,
        "model.compile(loss='mean_squared_error', optimizer='sgd')",
    );
    check(
        &named,
        unit(),
        real(),
        "Raise the learning rate to 0.1",
        "
- model.compile(loss='mean_squared_error', optimizer='sgd')
+ model.compile(loss='mean_squared_error', optimizer=keras.optimizers.SGD(learning_rate=0.1))
",
    );
    let imported = "from tensorflow.keras.layers import Dense\nfrom tensorflow.keras.models import Sequential\n\nmodel = Sequential([Dense(1)])\nmodel.compile(loss='mean_squared_error', optimizer='sgd')\nmodel.fit(x, y)\n";
    check(
        imported,
        unit(),
        real(),
        "Raise the learning rate to 0.1",
        "
- model.compile(loss='mean_squared_error', optimizer='sgd')
+ from tensorflow.keras.optimizers import SGD
+ model.compile(loss='mean_squared_error', optimizer=SGD(learning_rate=0.1))
",
    );
    check(
        &written,
        unit(),
        real(),
        "Use Adam with a learning rate of 0.01",
        "
- opt = keras.optimizers.SGD(learning_rate=3.0, momentum=0.9)
+ opt = keras.optimizers.Adam(learning_rate=0.01)
",
    );
}

#[test]
fn dropout_is_taken_out_whatever_way_it_was_put_in() {
    let compile = "model.compile(loss='mean_squared_error', optimizer='adam')";
    let real = || data(&[1000], -1.0, 1.0);
    let added = script(
        "",
        "model.add(keras.layers.Dense(4))\nmodel.add(keras.layers.Dropout(0.5))\nmodel.add(keras.layers.Dense(1))",
        compile,
    );
    check(
        &added,
        unit(),
        real(),
        "Take out the dropout",
        "
- model.add(keras.layers.Dropout(0.5))
",
    );
    let listed = "import keras\nmodel = keras.Sequential([\n    keras.layers.Dense(4),\n    keras.layers.Dropout(0.5),\n    keras.layers.Dense(1),\n])\nmodel.compile(loss='mean_squared_error', optimizer='adam')\nmodel.fit(x, y)\n";
    check(
        listed,
        unit(),
        real(),
        "Take out the dropout",
        "
-     keras.layers.Dropout(0.5),
",
    );
}

#[test]
fn hidden_layers_get_an_activation() {
    let compile = "model.compile(loss='mean_squared_error', optimizer='adam')";
    let text = script(
        "",
        "model.add(keras.layers.Dense(\n    40,\n    name='a',  # wide\n))\nmodel.add(keras.layers.Dense(1))",
        compile,
    );
    check(
        &text,
        unit(),
        data(&[1000], -1.0, 1.0),
        "Give the hidden layers a relu activation",
        "
-     name='a',  # wide
+     name='a',
+     activation='relu',  # wide
",
    );
}

#[test]
fn shorter_batches_and_longer_trainings() {
    let text = script(
        "",
        "model.add(keras.layers.Dense(1))",
        "model.compile(loss='mean_squared_error', optimizer='adam')",
    )
    .replace("epochs=5", "batch_size=500, epochs=5");
    check(
        &text,
        unit(),
        data(&[1000], -1.0, 1.0),
        "Train on batches of 32",
        "
- model.fit(X, y, batch_size=500, epochs=5)
+ model.fit(X, y, batch_size=32, epochs=5)
",
    );
    check(
        &text,
        unit(),
        data(&[1000], -1.0, 1.0),
        "Train for 50 epochs",
        "
- model.fit(X, y, batch_size=500, epochs=5)
+ model.fit(X, y, batch_size=500, epochs=50)
",
    );
}

#[test]
fn odd_initial_weights_are_left_to_keras() {
    let text = script(
        "",
        "model.add(keras.layers.Dense(1, kernel_initializer=\"Zeros\", name='out'))",
        "model.compile(loss='mean_squared_error', optimizer='adam')",
    );
    check(
        &text,
        unit(),
        data(&[1000], -1.0, 1.0),
        "Leave the initial weights to Keras",
        "
- model.add(keras.layers.Dense(1, kernel_initializer=\"Zeros\", name='out'))
+ model.add(keras.layers.Dense(1, name='out'))
",
    );
}
