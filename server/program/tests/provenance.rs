//! Where the data of a `fit` call last changes.

use program::Program;

/// Statement and number of steps looked through, for the features of the last `fit` in the text.
fn features(text: &str) -> (Option<String>, usize) {
    argument(text, 0)
}

fn argument(text: &str, index: usize) -> (Option<String>, usize) {
    let text = format!(
        "import numpy as np\nimport keras\nfrom sklearn.model_selection import train_test_split\nimport tensorflow as tf\n{text}"
    );
    let program = Program::parse(&text);
    let call = program.call(program.fits[program.fits.len() - 1].call);
    let found = program.provenance(&text, call.arguments[index].value.range, call.range.start);
    let statement = found
        .change
        .map(|change| change.statement.slice(&text).to_owned());
    (statement, found.chain.len())
}

#[test]
fn the_last_change_is_found_behind_what_only_moves_values() {
    for (text, expected, steps) in [
        (
            "x = np.loadtxt(f)\nx = x / 255\nm.fit(x, y, epochs=1)",
            "x = x / 255",
            0,
        ),
        (
            "x = np.loadtxt(f)\nx /= 255\nm.fit(x, y, epochs=1)",
            "x /= 255",
            0,
        ),
        (
            "x = np.loadtxt(f)\nx[:, 0] = 1\nm.fit(x, y, epochs=1)",
            "x[:, 0] = 1",
            0,
        ),
        (
            "x = np.loadtxt(f)\nx = scaler.fit_transform(x)\nm.fit(x, y, epochs=1)",
            "x = scaler.fit_transform(x)",
            0,
        ),
        (
            "d = np.loadtxt(f)\nx = d[:, 0:8]\nx = x.reshape(-1, 8)\nz = np.asarray(x).astype('float32')\nm.fit(z, y, epochs=1)",
            "d = np.loadtxt(f)",
            3,
        ),
        (
            "x = np.load(f)\na, b, c, d = train_test_split(x, y)\nm.fit(a, c, epochs=1)",
            "x = np.load(f)",
            1,
        ),
        (
            "(a, b), (c, d) = keras.datasets.mnist.load_data()\na = a.reshape(60000, 784)\nm.fit(a, b, epochs=1)",
            "(a, b), (c, d) = keras.datasets.mnist.load_data()",
            1,
        ),
        (
            "x = np.array([[0, 0], [0, 1]])\nm.fit(x, y, epochs=1)",
            "x = np.array([[0, 0], [0, 1]])",
            0,
        ),
        (
            "x = np.load(f)\nd = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(10).batch(32)\nm.fit(d, epochs=1)",
            "x = np.load(f)",
            1,
        ),
        (
            "x = []\nfor p in ps:\n    x.append(read(p))\nx = np.array(x)\nm.fit(x, y, epochs=1)",
            "x.append(read(p))",
            1,
        ),
        (
            "m.fit(X / 255.0, y, epochs=1)",
            "m.fit(X / 255.0, y, epochs=1)",
            0,
        ),
        (
            "a, b = np.load(f), np.load(g)\nm.fit(a, b, epochs=1)",
            "a, b = np.load(f), np.load(g)",
            0,
        ),
        (
            "x = np.load(f)\ndef train():\n    m.fit(x, y, epochs=1)\nx = x * 2\ntrain()",
            "x = x * 2",
            0,
        ),
    ] {
        assert_eq!(features(text), (Some(expected.to_owned()), steps), "{text}");
    }
}

#[test]
fn labels_follow_their_own_way() {
    let text = "x = np.load(f)\ny = np.load(g) - 1\na, b, c, d = train_test_split(x, y, test_size=0.2)\nm.fit(a, c, epochs=1)";
    assert_eq!(argument(text, 1), (Some("y = np.load(g) - 1".to_owned()), 1));
}

#[test]
fn a_way_that_leaves_the_file_has_no_change() {
    assert_eq!(
        features("def f(x):\n    z = x[:, 1:]\n    m.fit(z, y, epochs=1)"),
        (None, 1)
    );
    assert_eq!(
        features("for x in parts:\n    pass\nm.fit(x, y, epochs=1)"),
        (None, 0)
    );
    assert_eq!(features("m.fit(nobody, y, epochs=1)"), (None, 0));
}
