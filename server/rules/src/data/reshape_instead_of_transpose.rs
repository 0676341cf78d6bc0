//! # reshape-instead-of-transpose (DL422)
//!
//! ## What it does
//! Finds `reshape` of an array to its own axes in another order, where the shape of the array can be read off the script:
//! from what creates it, from an earlier `reshape` or `transpose`, or from `n, c, t = x.shape`.
//!
//! ## Why it matters
//! `reshape` does not move axes. It leaves the values in their order in memory and deals them out anew, so that each row
//! of the result holds values of several channels, time steps or pixels. The shape is the one the model wants, nothing
//! raises, and what the network sees is scrambled.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! x = np.zeros((500, 8, 32))  # samples, channels, time
//! for i, name in enumerate(files):
//!     x[i] = read(name)
//! x = x.reshape(-1, 32, 8)
//! model = keras.Sequential([layers.Conv1D(16, 3, activation="relu"), layers.GlobalMaxPooling1D(), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! x = np.zeros((500, 8, 32))  # samples, channels, time
//! for i, name in enumerate(files):
//!     x[i] = read(name)
//! x = x.transpose(0, 2, 1)
//! model = keras.Sequential([layers.Conv1D(16, 3, activation="relu"), layers.GlobalMaxPooling1D(), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! Unsafe: `transpose` moves the axes, so the values of the result are others.
//!
//! ## References
//! - `numpy.reshape`, `numpy.transpose`

use finding::{Applicability, Finding, Fix, Kind, RuleInfo, Severity};
use program::{MixingReshape, Size};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL422",
    name: "reshape-instead-of-transpose",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("reshape_instead_of_transpose.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    if program.fits.is_empty() && !program.gradient_tape {
        return Vec::new();
    }
    program
        .mixing_reshapes(context.text)
        .into_iter()
        .map(|mixing| {
            let message = format!(
                "`reshape` from {} to {} does not move the axes: it deals the values out anew in the order they have in memory, \
                 so each row gets values of several others; move the axes with `transpose`",
                written(&mixing.from),
                written(&mixing.to),
            );
            let severity = if mixing.sure {
                Severity::Warning
            } else {
                Severity::Information
            };
            Finding {
                severity,
                confidence: if mixing.sure { 0.93 } else { 0.7 },
                fixes: fix(context, &mixing).into_iter().collect(),
                ..context.finding(&INFO, mixing.call, message)
            }
        })
        .collect()
}

/// `(…, 8, 32)`
fn written(sizes: &[Size]) -> String {
    let sizes: Vec<String> = sizes.iter().map(Size::to_string).collect();
    format!("({})", sizes.join(", "))
}

fn fix(context: &Context<'_>, mixing: &MixingReshape) -> Option<Fix> {
    if mixing.order.is_empty() {
        return None;
    }
    let axes: Vec<String> = mixing.order.iter().map(usize::to_string).collect();
    let axes = axes.join(", ");
    let array = mixing.array.slice(context.text);
    let call = match mixing.module {
        Some(module) => format!("{}.transpose({array}, ({axes}))", module.slice(context.text)),
        None => format!("{array}.transpose({axes})"),
    };
    Some(context.fix(
        "Move the axes with `transpose`",
        Applicability::Unsafe,
        mixing.call,
        call,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(lines: &str) -> String {
        format!(
            "import keras\nimport numpy as np\nfrom keras.datasets import cifar10\nfrom sklearn.model_selection import \
             train_test_split\n{lines}\nm = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\n\
             m.compile('adam', 'mse')\nm.fit(features, labels)\n"
        )
    }

    #[test]
    fn other_shapes() {
        let pass = [
            // The same order, with axes of size 1 or merged ones.
            "x = np.zeros((500, 28, 28)).reshape(-1, 28, 28, 1)",
            "x = np.zeros((500, 1, 28, 28))\nx = x.reshape(500, 28, 28, 1)",
            "x = np.zeros((500, 8, 32)).reshape(500, 256)",
            "x = np.zeros((500, 8, 32)).reshape(-1, 8, 32)",
            "x = np.zeros((500, 8, 8)).reshape(-1, 8, 8)",
            "x = np.zeros((32, 1)).reshape(1, 32)",
            "x = np.zeros((500, 3072)).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)",
            "x = np.zeros((500, 256)).reshape(-1, 32, 8)",
            "x = np.zeros((500, 8, 32)).reshape(-1, 16, 16)",
            // Moved first.
            "x = np.zeros((500, 8, 32)).transpose(0, 2, 1)\nx = x.reshape(-1, 32, 8)",
            "x = np.moveaxis(np.zeros((500, 8, 32)), 1, 2).reshape(-1, 32, 8)",
            // Another order of the values.
            "x = np.zeros((500, 8, 32)).reshape((500, 32, 8), order='F')",
            // Not known, or not certain.
            "x = load().reshape(-1, 32, 8)",
            "x = np.zeros((500, 8, 32))\nif swapped:\n    x = x.transpose(0, 2, 1)\nx = x.reshape(-1, 32, 8)",
            "x = np.zeros((500, 8, 32))\nfor i in range(2):\n    z = x.reshape(-1, 32, 8)\n    x = other(x)",
            "x = np.zeros((500, c, t))\nx = x.reshape(-1, t2, c)",
            "x = load()\nn, c, t = x.shape\nx = other(x)\nx = x.reshape(n, t, c)",
            "x = load()\nx = x.reshape(x.shape[1], x.shape[0])",
            "x = load()\nx = x.reshape(x.shape[0], x.shape[1], 1)",
            "(x, y), (p, q) = cifar10.load_data()\nx = x.reshape(-1, 32, 32, 3)",
            "(x, y), (p, q) = cifar10.load_data()\nx = x.reshape(len(x), 3072)",
            "def load(n):\n    return np.zeros((n, 8, 32)), np.zeros(n)\nx, y = load(5)\ny = y.reshape(-1, 1)",
            "x = tf.zeros((500, 8, 32)).reshape(-1, 32, 8)",
            "x = np.zeros((2, 3))\nnp.testing.assert_allclose(mine(x), x.reshape(3, 2))",
        ]
        .map(script);
        crate::testing::check(&INFO, &pass, &[], &[]);
    }

    #[test]
    fn tables() {
        let call = "x.reshape(-1, 32, 8)";
        let array = |value: &str| (script(&format!("x = {value}\nx = {call}")), call);
        let fail = [
            array("np.zeros((500, 8, 32))"),
            array("np.random.rand(500, 8, 32)"),
            array("np.random.normal(size=(n, 8, 32)).astype('float32')"),
            array("np.random.default_rng(0).normal(0, 1, (500, 8, 32))"),
            array("np.zeros((500, 256)).reshape(500, 8, 32) / 255.0"),
            array("np.zeros((500, 32, 8)).transpose(0, 2, 1)"),
            array("np.swapaxes(np.zeros((500, 32, 8)), 1, 2)"),
            array("np.zeros((500, 8, 32))[:100]"),
            array(
                "np.stack([np.zeros((500, 32)), np.ones((500, 32))], axis=1)[:, :, :][:, 0, None] * np.zeros((8, 32))",
            ),
            array("np.array([np.zeros((8, 32)) for i in range(500)])"),
            array("np.concatenate([np.zeros((9, 8, 32)), np.ones((9, 8, 32))], axis=0)"),
            (
                script(&format!(
                    "w = []\nfor i in names:\n    w.append(np.zeros((8, 32)))\nx = np.array(w)\nx = {call}"
                )),
                call,
            ),
            (
                script(&format!(
                    "s = np.zeros((9000, 32))\nT = 8\nx = np.array([s[i:i + T] for i in range(500)])\nx = {call}"
                )),
                call,
            ),
            (
                script(&format!(
                    "x = np.zeros((500, 8, 32))\nfor i in range(500):\n    x[i, 0] += 2.0\nx = (x - x.mean()) / x.std()\nx = {call}"
                )),
                call,
            ),
            (
                script(&format!(
                    "def load(n, seed):\n    r = np.random.default_rng(seed)\n    a = r.normal(0, 1, (n, 8, 32))\n    a[0] = 2\n    return a.astype('float32'), r.integers(0, 4, n)\nx, y = load(500, 0)\nx = {call}"
                )),
                call,
            ),
            (
                script(&format!(
                    "def turn(x):\n    return {call}\na = np.zeros((500, 8, 32))\nx = turn(a)"
                )),
                call,
            ),
            (
                script(&format!(
                    "a = np.zeros((500, 8, 32))\nx, p, y, q = train_test_split(a, b)\nx = {call}"
                )),
                call,
            ),
            (
                script("n, c, t = 500, 8, 32\nx = np.zeros((n, c, t))\nx = np.reshape(x, (n, t, c))"),
                "np.reshape(x, (n, t, c))",
            ),
            (
                script("n, c, t = sizes()\nx = np.zeros((n, c, t))\nx = x.reshape((n, t, c))"),
                "x.reshape((n, t, c))",
            ),
            (
                script("x = np.zeros((500, 8, 32))\nx = x.reshape(x.shape[0], x.shape[2], x.shape[1])"),
                "x.reshape(x.shape[0], x.shape[2], x.shape[1])",
            ),
            (
                script("x = load()\nn, c, t = x.shape\nx = x.reshape(n, t, c)"),
                "x.reshape(n, t, c)",
            ),
            (
                script("x = load()\nx = x.reshape(len(x), x.shape[2], x.shape[1])"),
                "x.reshape(len(x), x.shape[2], x.shape[1])",
            ),
            (
                script("x = np.zeros((n, 3, 32, 32))\nx = x.reshape(n, 32, 32, 3)"),
                "x.reshape(n, 32, 32, 3)",
            ),
            (
                script("(x, y), (p, q) = cifar10.load_data()\nx = x.reshape(x.shape[0], 3, 32, 32) / 255"),
                "x.reshape(x.shape[0], 3, 32, 32)",
            ),
        ];
        let fix = [
            (
                script("x = np.zeros((500, 8, 32))\nx = x.reshape(-1, 32, 8)"),
                script("x = np.zeros((500, 8, 32))\nx = x.transpose(0, 2, 1)"),
            ),
            (
                script("x = np.zeros((n, 3, 32, 32))\nx = np.reshape(x, (-1, 32, 32, 3))"),
                script("x = np.zeros((n, 3, 32, 32))\nx = np.transpose(x, (0, 2, 3, 1))"),
            ),
            (
                script("(x, y), (p, q) = cifar10.load_data()\nx = x.reshape(-1, 3, 32, 32) / 255"),
                script("(x, y), (p, q) = cifar10.load_data()\nx = x.transpose(0, 3, 1, 2) / 255"),
            ),
        ];
        crate::testing::check(&INFO, &[], &fail, &fix);
    }
}
