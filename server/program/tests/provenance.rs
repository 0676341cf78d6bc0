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

/// The same through functions: the text of the value, and how many calls were entered.
fn through_calls(text: &str, index: usize) -> (Option<String>, usize) {
    let text = format!("import numpy as np\nimport keras\nimport tensorflow as tf\n{text}");
    let program = Program::parse(&text);
    let call = program.call(program.fits[program.fits.len() - 1].call);
    let value = call.arguments[index].value.range;
    let found = program.provenance_through_calls(&text, value, call.range.start);
    let value = found.change.map(|change| change.value.slice(&text).to_owned());
    (value, found.entered.len())
}

#[test]
fn values_are_followed_into_the_functions_that_return_them() {
    for (text, index, expected, entered) in [
        (
            "def read():\n    x = np.load(f)\n    y = np.sign(g)\n    return x[..., None].astype('float32'), y\nx, y = read()\nm.fit(x[:10], y[:10], epochs=1)",
            1,
            "np.sign(g)",
            1,
        ),
        (
            "def read():\n    x = np.load(f)\n    return x / 2, np.sign(g)\nx, y = read()\nm.fit(x, y, epochs=1)",
            0,
            "x / 2",
            1,
        ),
        (
            "def read(p):\n    return np.load(p)\ndef data():\n    x = read(f)\n    return x\nm.fit(data(), y, epochs=1)",
            0,
            "np.load(p)",
            2,
        ),
        (
            "def data():\n    (a, b), (c, d) = keras.datasets.mnist.load_data()\n    b = b * 2\n    return (a, b), (c, d)\n(x, y), (v, w) = data()\nm.fit(x, y, epochs=1)",
            1,
            "b * 2",
            1,
        ),
        (
            "def data():\n    return np.load(f), np.load(g)\nd = data()\nm.fit(d[0], d[1][:5], epochs=1)",
            1,
            "np.load(g)",
            1,
        ),
        // Out again by a parameter.
        (
            "def cut(a, n=5):\n    return a[:n]\nz = np.load(f)\nx = cut(z)\nm.fit(x, y, epochs=1)",
            0,
            "np.load(f)",
            1,
        ),
        (
            "def read():\n    return np.load(f), np.load(g)\ndef make(x, y, n):\n    d = tf.data.Dataset.from_tensor_slices((x, y))\n    return d.batch(n)\nd = make(*read(), n=3)\nm.fit(d, epochs=1)",
            0,
            "np.load(f)",
            2,
        ),
        (
            "class A:\n    def read(self):\n        x = np.load(f)\n        return x\n    def train(self):\n        x = self.read()\n        m.fit(x, y, epochs=1)",
            0,
            "np.load(f)",
            1,
        ),
    ] {
        assert_eq!(
            through_calls(text, index),
            (Some(expected.to_owned()), entered),
            "{text}"
        );
    }
}

#[test]
fn a_function_that_cannot_be_followed_is_where_the_values_come_from() {
    for text in [
        // It is not known which of the two is meant.
        "def read(a):\n    if a:\n        return np.load(f), g\n    return np.save(f), h\nx, y = read(1)\nm.fit(x, y, epochs=1)",
        "def read(a):\n    return read(a - 1)\nx, y = read(1)\nm.fit(x, y, epochs=1)",
        "def read(a):\n    for x in a:\n        pass\n    return x\nx = read(1)\nm.fit(x, y, epochs=1)",
        "def read(a):\n    yield np.load(a)\nx = read(1)\nm.fit(x, y, epochs=1)",
        "def read(a):\n    pass\nx = read(1)\nm.fit(x, y, epochs=1)",
        "@cached\ndef read(a):\n    return np.load(a)\nx = read(1)\nm.fit(x, y, epochs=1)",
        "def read(a):\n    return np.load(a)\nread = wrap(read)\nx = read(1)\nm.fit(x, y, epochs=1)",
    ] {
        let (value, _) = through_calls(text, 0);
        assert!(value.is_some_and(|value| value.starts_with("read(")), "{text}");
    }
}

#[test]
fn the_labels_of_a_data_set_are_the_second_of_its_pairs() {
    let text = "import tensorflow as tf\nimport keras\nx = f(1)\ny = g(2)\nd = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)\nm.fit(d, epochs=1)\nm.fit(x, epochs=1)";
    let program = Program::parse(text);
    let labels = |fit: usize| {
        let call = program.call(program.fits[fit].call);
        let found = program.provenance_of_pair_labels(text, call.arguments[0].value.range, call.range.start);
        found.and_then(|found| Some(found.change?.value.slice(text)))
    };
    assert_eq!(labels(0), Some("g(2)"));
    assert_eq!(labels(1), None);
}

#[test]
fn the_batch_size_of_a_data_set_is_where_its_number_is_written() {
    for (text, expected) in [
        ("d = s.shuffle(9).batch(64).map(f).prefetch(1)", Some("64")),
        ("BATCH = 32\nd = s.batch(BATCH)", Some("32")),
        // The number of samples is not there for the batches.
        ("N = 3200\nd = s.batch(N)", Some("N")),
        (
            "def make(s, n=7):\n    s = s.map(f)\n    return s.batch(n).cache()\nd = make(s)",
            Some("7"),
        ),
        (
            "class C:\n    batch_size = 99\ndef make(s, c):\n    return s.batch(c.batch_size)\nc = C()\nd = make(s, c)",
            Some("99"),
        ),
        ("d = s.batch(args.batch_size)", Some("args.batch_size")),
        (
            "d = keras.utils.image_dataset_from_directory(p, batch_size=12)",
            Some("12"),
        ),
        ("d = s.batch(8).unbatch()", None),
        ("d = s.map(f)", None),
    ] {
        let text = format!("import keras\n{text}\nm.fit(d, epochs=1)");
        let program = Program::parse(&text);
        let call = program.call(program.fits[0].call);
        let found = program.batch_size_of(&text, call.arguments[0].value.range, call.range.start);
        assert_eq!(found.map(|range| range.slice(&text)), expected, "{text}");
    }
}
