//! After an edit, a script is read as if there had been no other text before.

use program::Program;

const SCRIPT: &str = r#"import numpy as np
from tensorflow import keras
from tensorflow.keras import layers as L

UNITS, RATE = 32, 1e-3  # größe
def build(units=UNITS, *args, **kw):
    """Builds "it"."""
    model = keras.Sequential([
        L.Dense(units, activation="relu"),
        L.Dropout(.5),
    ], name=f'n{units}')
    for n in [8, 4]:
        model.add(L.Dense(n))
    if kw:
        return None
    else:
        model.add(L.Dense(1, "sigmoid"))
    return model

if __name__ == "__main__":
    model = build()
    x, y = np.load("a.npy")[:, :-1] / 255., [0, 1]
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=RATE), loss={'a': 'mse'}, metrics=["accuracy"])
    model.fit(x, y, epochs=3, **{"verbose": 0})
"#;

/// Everything a program says of its text.
fn said(program: &Program) -> String {
    format!(
        "{:#?}",
        (
            &program.calls,
            &program.models,
            &program.compiles,
            &program.fits,
            &program.events,
            &program.imports,
            &program.syntax_errors,
        )
    )
}

#[test]
fn edits_one_after_the_other_are_read_as_whole_texts_are() {
    const PIECES: [&str; 24] = [
        "x",
        " ",
        "\n",
        "    ",
        "\"",
        "'",
        "(",
        ")",
        "[",
        "]",
        ":",
        ",",
        "=",
        "#",
        "\"\"\"",
        "if a:\n    b\n",
        "else:\n",
        "def f():\n",
        "return",
        "ö",
        "\t",
        "\\\n",
        "f'",
        "L.Dense(3)",
    ];
    // A linear congruential generator: the same edits every time.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut text = SCRIPT.to_owned();
    let mut program = Program::parse(&text);
    for edit in 0..600 {
        // Now and then from the beginning: most texts are broken after a few edits.
        if edit % 6 == 0 {
            text = SCRIPT.to_owned();
            program = Program::parse(&text);
        }
        let boundary = |text: &str, mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let from = boundary(&text, random(text.len() + 1));
        let to = boundary(&text, (from + [0, 0, 1, 3, 40][random(5)]).min(text.len())).max(from);
        let mut after = text.clone();
        after.replace_range(from..to, PIECES[random(PIECES.len())]);
        let edited = program.parse_after(&text, &after);
        assert_eq!(
            said(&edited),
            said(&Program::parse(&after)),
            "{text}\n---\n{after}"
        );
        (text, program) = (after, edited);
    }
}
