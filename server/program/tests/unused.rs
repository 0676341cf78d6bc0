//! Layers and tensors that nothing looks at.

use program::{Program, UnusedKind};

const HEAD: &str = "import keras\nfrom keras import layers as L\ni = keras.Input((4,))\n";

/// What is found: the callee's first argument, what it is of, and whether it is overwritten.
fn found(body: &str) -> Vec<String> {
    let text = format!("{HEAD}{body}");
    let program = Program::parse(&text);
    assert_eq!(program.syntax_errors, [], "{text}");
    program
        .unused(&text)
        .iter()
        .map(|unused| {
            let call = &program.calls[unused.call.0];
            let name = match &unused.kind {
                UnusedKind::Dropped => "dropped".to_owned(),
                UnusedKind::Layer(name) => format!("layer {name}"),
                UnusedKind::Attribute(name) => format!("attribute {name}"),
                UnusedKind::Tensor(name) => format!("tensor {name}"),
            };
            let more = if unused.overwritten { ", overwritten" } else { "" };
            format!("{} {name}{more}", call.range.slice(&text))
        })
        .collect()
}

#[test]
fn what_nobody_looks_at_is_found() {
    for (body, expected) in [
        (
            "x = L.Dense(8)(i)\nx = L.Dense(2)(i)\nm = keras.Model(i, x)",
            vec!["L.Dense(8) tensor x, overwritten"],
        ),
        (
            "x = L.Dense(8)(i)\ny = L.Dense(7)(x)\nm = keras.Model(i, L.Dense(1)(x))",
            vec!["L.Dense(7) tensor y"],
        ),
        (
            "d = L.Dense(8)\nm = keras.Model(i, L.Dense(1)(i))",
            vec!["L.Dense(8) layer d"],
        ),
        (
            "m = keras.Sequential()\nm.add(L.Dense(1))\nL.Dense(3)",
            vec!["L.Dense(3) dropped"],
        ),
        (
            "class N(keras.Model):\n    def __init__(self):\n        super().__init__()\n        self.first = L.Dense(8)\n        self.second = L.Dense(9)\n    def call(self, x):\n        return self.first(x)\nm = N()",
            vec!["L.Dense(9) attribute second"],
        ),
        (
            "def f(i):\n    x = L.Dense(8)(i)\n    return i\ndef g():\n    j = keras.Input((2,))\n    x = L.Dense(7)(j)\n    y = L.Dense(6)(x)\n    return keras.Model(j, x)\nm = g()",
            vec!["L.Dense(6) tensor y"],
        ),
    ] {
        assert_eq!(found(body), expected, "{body}");
    }
}

#[test]
fn what_may_be_looked_at_is_not() {
    for body in [
        "x = L.Dense(8)(i)\nm = keras.Model(i, x)",
        "x = L.Dense(8)(i)\nx = L.Dense(2)(x)\nm = keras.Model(i, x)",
        "x = L.Dense(8)(i)\nif a:\n    x = L.Dense(2)(i)\nm = keras.Model(i, x)",
        // A loop, a function, something unknown.
        "y = i\nfor n in range(k):\n    print(y)\n    y = L.Dense(8)(i)\nm = keras.Model(i, L.Dense(1)(i))",
        "d = L.Dense(8)\ndef f(x):\n    return d(x)\nm = keras.Model(i, f(i))",
        "d = L.Dense(8)\nf(d)\nm = keras.Model(i, L.Dense(1)(i))",
        "_ = L.Dense(8)(i)\nm = keras.Model(i, L.Dense(1)(i))",
        "d = L.Dense(8)\nm = keras.Model(i, L.Dense(1)(i))\nprint(locals())",
        // Applied to numbers: the layer is built, or shown.
        "a = numpy.ones((2, 4))\nb = L.Dense(8)(a)\nm = keras.Model(i, L.Dense(1)(i))",
        // To see what happens.
        "m = keras.Model(i, L.Dense(1)(i))\nwith raises():\n    L.Dense(-1)",
        "L.Dense(3)\nm = keras.Model(i, L.Dense(1)(i))",
        // No model: a part of something else.
        "d = L.Dense(8)",
        "class N(keras.Model):\n    def __init__(self):\n        self.first = L.Dense(8)\nclass M(N):\n    def call(self, x):\n        return self.first(x)\nm = M()",
        "for n in (8, 4):\n    x = L.Dense(n)(i)\nm = keras.Model(i, x)",
    ] {
        assert_eq!(found(body), [] as [&str; 0], "{body}");
    }
}
