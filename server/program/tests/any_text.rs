//! Any text is read without a panic and in bounded time.

use std::time::{Duration, Instant};

use program::Program;

const SCRIPT: &str = r#"import numpy as np
import tensorflow as tf
from tensorflow.keras import layers as L
from keras.optimizers import *

UNITS, RATE = 32, 1e-3  # größe
def build(units=UNITS, *args, **kw):
    model = tf.keras.Sequential([L.Dense(units, activation="relu"), L.Dropout(.5)], name='n')
    for n in [8, 4]:
        model.add(L.Dense(n))
    model.add(L.Dense(1, "sigmoid"))
    return model

if __name__ == "__main__":
    model = build()
    x, y = np.load(f"{a}.npy")[:, :-1] / 255., [0, 1]
    x -= x.mean()
    model.compile(optimizer=tf.keras.optimizers.SGD(learning_rate=RATE), loss={'a': 'mse'}, metrics=["accuracy"])
    model.fit(x, y, epochs=3, callbacks=[lambda e: print(e)], **{"verbose": 0})
"#;

const GRAPH: &str = r#"import keras
from keras.layers import *
from functools import partial
Conv = partial(Conv2D, kernel_size=3, **{"padding": "same"})
class Net(keras.Model):
    def __init__(self, n, *sizes):
        super().__init__()
        self.stack = [Dense(size) for size in sizes] + [Dense(n)]
    def call(self, x, training=None):
        for layer in self.stack:
            x = layer(x)
        return x if training else (x + 1)
def block(x, n=8, depth=2):
    return block(Conv(n)(x), n * 2, depth - 1) if depth > 0 else Flatten()(x)
a, b = keras.Input((28, 28, 1)), Input(shape=(3,))
y = Concatenate()([block(a), Dense(4)(b)])
h, *_ = LSTM(3, return_state=True)(Reshape((-1, 2))(y))
model = keras.Model(inputs=[a, b], outputs={"o": Dense(1)(h)})
model.layers[0].trainable = not True
while model: model = keras.Sequential([model, Net(3, 4, 5)])
"#;

/// What this thread has worked so far, whatever else the machine does; where the system does not tell, the time that has passed.
fn work(since: Instant) -> Duration {
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

fn read(text: &str) -> Program {
    let begin = Instant::now();
    let start = work(begin);
    let program = Program::parse(text);
    assert_eq!(
        program.shapes().len(),
        program
            .models
            .iter()
            .map(|model| model.layers.len())
            .sum::<usize>()
    );
    for call in &program.calls {
        assert!(
            text.get(call.range.start..call.range.end).is_some(),
            "a range off the text"
        );
    }
    let uses: Vec<_> = program
        .fits
        .iter()
        .map(|fit| program.call(fit.call))
        .flat_map(|fit| {
            fit.arguments
                .iter()
                .map(|argument| (argument.value.range, fit.range.start))
        })
        .collect();
    assert_eq!(program.provenances(text, &uses).len(), uses.len());
    assert_eq!(program.trails(text, &uses).len(), uses.len());
    for (expression, before) in uses.iter().take(8) {
        program.provenance_through_calls(text, *expression, *before);
        program.provenance_of_pair_labels(text, *expression, *before);
        program.batch_size_of(text, *expression, *before);
    }
    program.unused(text);
    program.remade_models(text);
    program.mixing_reshapes(text);
    let taken = work(begin) - start;
    assert!(
        taken < Duration::from_secs(10),
        "{taken:?} for {} bytes",
        text.len()
    );
    program
}

#[test]
fn every_prefix_of_a_script() {
    for script in [SCRIPT, GRAPH] {
        assert!(read(script).syntax_errors.is_empty());
        for end in 0..script.len() {
            if let Some(prefix) = script.get(..end) {
                read(prefix);
            }
        }
    }
}

#[test]
fn scripts_with_bytes_changed_at_random() {
    // A linear congruential generator: the same texts every time.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for run in 0..400 {
        let mut bytes = [SCRIPT, GRAPH][run % 2].as_bytes().to_vec();
        for _ in 0..=random(8) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => bytes.insert(at, b"()[]{}:=,.\n \"'#\\*@\t"[random(19)]),
                2 => drop(bytes.remove(at)),
                _ => {
                    let end = (at + random(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
            }
        }
        read(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn deep_and_wide_texts() {
    const N: usize = 20_000;
    let keras = "import keras\nfrom keras.layers import Dense\nfrom keras import Sequential\nm = Sequential()\nm.compile(loss='mse')\n";
    for text in [
        "(".repeat(N),
        "[".repeat(N) + &"]".repeat(N),
        format!("{keras}m.fit({}1{})\n", "[".repeat(N), "]".repeat(N)),
        format!("{keras}m.fit({}x{})\n", "(".repeat(N), ")".repeat(N)),
        format!("{keras}{}1{}\n", "Dense(".repeat(N), ")".repeat(N)),
        format!("{keras}m.fit({}1)\n", "1+".repeat(N)),
        format!("{keras}m.fit({}1)\n", "-".repeat(N)),
        format!("{keras}m.fit(x{})\n", ".a".repeat(N)),
        format!("{keras}m.fit(x{})\n", "[0]".repeat(N)),
        format!("{keras}m.fit(x{})\n", ".copy()".repeat(N)),
        format!("{keras}m.fit({})\n", "x,".repeat(N)),
        format!("{keras}{}", "m.add(Dense(1))\n".repeat(N / 4)),
        format!("{keras}{}", "m = Sequential([m, m])\n".repeat(60)),
        format!(
            "{keras}{}",
            "x = Dense(1)(x)\n".repeat(N / 4) + "m = keras.Model(x, x)\n"
        ),
        format!("{keras}{}", "x = m(m(x))\n".repeat(N / 8)),
        format!("{keras}{}", "if a:\n    x = 1\n".repeat(N / 8)),
        (0..N / 8)
            .map(|n| format!("v{n} = {n}\nif v{n} > u:\n    v{n} = 0\n"))
            .collect(),
        "def f(n):\n    f(n)\n    f(n)\n    return f(n)\nf(1)\n".to_owned(),
        "class A(A):\n    def __init__(self):\n        self.a = A()\n        super().__init__()\nA()\n"
            .to_owned(),
        "from functools import partial\np = partial(p, 1)\np = partial(p, p)\np(p)\n".repeat(50),
        "for i in range(9):\n".to_owned()
            + &(1..40)
                .map(|n| format!("{}for i in range(9):\n", " ".repeat(n)))
                .collect::<String>(),
        format!("{keras}{}", "x = x.copy()\n".repeat(N / 4) + "m.fit(x)\n"),
        (0..150)
            .map(|depth| format!("{}if a:\n", " ".repeat(depth)))
            .collect(),
        (0..150)
            .map(|depth| format!("{}def f{depth}(a):\n", " ".repeat(depth)))
            .collect(),
        format!("{keras}a0 = [1, 2]\n")
            + &(1..40)
                .map(|n| format!("a{n} = [a{0}, a{0}, a{0}, a{0}]\n", n - 1))
                .collect::<String>()
            + "m.fit(a39, a38, a37)\n",
        "a = b\nb = a\nimport keras\nkeras.layers.Dense(a)\n".to_owned(),
        format!("{keras}{}", "m.fit(x, y)\n".repeat(N / 4)),
        format!("{keras}{}", "x = x / 2\nm.fit(x, y)\n".repeat(N / 8)),
        format!("{keras}{}", "l = Dense(1)\nif l: l = Dense(2)\n".repeat(50)) + &"y = l\n".repeat(N / 4),
        "if a:\n    a = 1\n".to_owned()
            + &(0..N)
                .map(|n| format!("elif b{n}:\n    v{n} = {n}\n"))
                .collect::<String>(),
        "lambda: ".repeat(N),
        "\"\"\"".to_owned() + &"x\n".repeat(N),
        "\u{0}\u{feff}\u{202e}🙂 = (\r\n\t".repeat(500),
    ] {
        read(&text);
    }
}

#[test]
fn what_does_not_parse_is_said_and_the_rest_is_read() {
    let text = "import keras\nmodel = keras.Sequential([keras.layers.Dense(1, activation=)])\nmodel.compile(loss='mse'\n";
    let program = read(text);
    assert!(!program.syntax_errors.is_empty());
    assert!(
        program
            .syntax_errors
            .iter()
            .all(|error| !error.message.is_empty())
    );
    assert!(
        program
            .calls
            .iter()
            .any(|call| call.callee == "keras.layers.Dense")
    );
    let huge = "x = 1\n".repeat(900_000);
    assert_eq!(read(&huge).syntax_errors.len(), 1);
}
