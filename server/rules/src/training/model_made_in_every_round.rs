//! # model-made-in-every-round (DL518)
//!
//! ## What it does
//! Finds models that are made and trained anew in every round of a loop over the parts of the data or over the epochs,
//! while only the model of the last round is used behind the loop. Silent where a round is a training of its own:
//! cross-validation, ensembles, settings that are compared, anything that is scored, stored or saved within the loop.
//!
//! ## Why it matters
//! A new model starts from random weights. What the rounds before have learned is thrown away with their models, and the
//! one that is left has seen the last part of the data alone, or has been trained for one epoch.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! def make_model():
//!     model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//!     model.compile(optimizer="adam", loss="mse")
//!     return model
//! for start in range(0, 10000, 1000):
//!     model = make_model()
//!     model.fit(x[start:start + 1000], y[start:start + 1000])
//! model.evaluate(x_test, y_test)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! def make_model():
//!     model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//!     model.compile(optimizer="adam", loss="mse")
//!     return model
//! model = make_model()
//! for start in range(0, 10000, 1000):
//!     model.fit(x[start:start + 1000], y[start:start + 1000])
//! model.evaluate(x_test, y_test)
//! ```
//!
//! ## Fix safety
//! Unsafe: the model is made once, before the outermost loop.
//!
//! ## References
//! API misuse in the taxonomy of Humbatova et al. (ICSE 2020). DL743 shows the same by a run.

use finding::{Applicability, Finding, Fix, Kind, Range, RuleInfo, Severity};
use program::{Lost, RemadeModel};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL518",
    name: "model-made-in-every-round",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("model_made_in_every_round.rs"),
};

/// Callbacks that leave nothing of a model behind.
const FORGETTING: [&str; 5] = [
    "EarlyStopping",
    "ReduceLROnPlateau",
    "LearningRateScheduler",
    "TerminateOnNaN",
    "ProgbarLogger",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let keeps = |remade: &RemadeModel| {
        let mut trainings = context.trainings.iter();
        trainings.any(|training| {
            training.fit.range == remade.trained
                && !(training.only_known_callbacks(context.program)
                    && training
                        .callbacks(context.program)
                        .iter()
                        .all(|callback| FORGETTING.contains(&callback.class())))
        })
    };
    context
        .program
        .remade_models(context.text)
        .into_iter()
        .filter(|remade| !keeps(remade))
        .map(|remade| {
            let name = &remade.name;
            let used = remade.used.slice(context.text);
            let lost = match remade.lost {
                Lost::Parts => "what it learned from the parts of the data before is thrown away",
                Lost::Epochs => "what it learned in the epochs before is thrown away",
            };
            let message = format!(
                "`{name}` is made anew in every round of the loop, with new random weights: {lost}, and `{used}` behind the loop \
                 has only the model of the last round; make and compile it once, before the loop"
            );
            Finding {
                confidence: 0.93,
                fixes: hoisted(context, &remade).into_iter().collect(),
                ..context.finding(&INFO, remade.made, message)
            }
        })
        .collect()
}

/// The statements that make the model, moved before the loops.
fn hoisted(context: &Context<'_>, remade: &RemadeModel) -> Option<Fix> {
    let text = context.text;
    let line_start = |at: usize| text.get(..at)?.rfind('\n').map_or(Some(0), |end| Some(end + 1));
    let begin = line_start(remade.loops.start)?;
    let indentation = text.get(begin..remade.loops.start)?;
    let mut moved = String::new();
    let mut edits = Vec::new();
    for statement in &remade.preparation {
        let start = line_start(statement.start)?;
        let rest = text.get(statement.end..)?;
        let end = statement.end + rest.find('\n').map_or(rest.len(), |end| end + 1);
        let code = statement.slice(text);
        let alone = text.get(start..statement.start)?.trim().is_empty()
            && rest.lines().next().unwrap_or_default().trim().is_empty();
        if !alone || code.contains('\n') {
            return None;
        }
        moved.push_str(indentation);
        moved.push_str(code);
        moved.push('\n');
        edits.push((Range::new(start, end), String::new()));
    }
    let plain = indentation.trim().is_empty() && !edits.is_empty();
    edits.push((Range::new(begin, begin), moved));
    plain.then(|| {
        context.fix_all(
            format!("Make `{}` once, before the loop", remade.name),
            Applicability::Unsafe,
            edits,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAKE: &str = "def make(n=8):\n    m = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(n, 'relu'), \
                        keras.layers.Dense(1)])\n    m.compile('adam', 'mse')\n    return m\n";

    fn script(rest: &str) -> String {
        format!("import keras\nimport numpy as np\n{MAKE}{rest}\n")
    }

    fn looped(header: &str, round: &[&str], behind: &str) -> String {
        let round: String = round.iter().map(|line| format!("    {line}\n")).collect();
        script(&format!("{header}:\n{round}{behind}"))
    }

    #[test]
    fn rounds_that_are_trainings_of_their_own() {
        let part = "m.fit(x[i * 9:(i + 1) * 9], y[i * 9:(i + 1) * 9], epochs=3)";
        let count = "for i in range(9)";
        let test = "m.evaluate(p, q)";
        let pass = [
            // Made once.
            script(&format!("m = make()\nfor i in range(9):\n    {part}\n{test}")),
            // Scored, stored or saved.
            looped(count, &["m = make()", part, "m.evaluate(p, q)"], test),
            looped(count, &["m = make()", part, "models.append(m)"], test),
            looped(count, &["m = make()", part, "m.save('m.keras')"], test),
            looped(count, &["m = make()", part, "w.append(m.get_weights())"], test),
            looped(count, &["m = make()", part, "show(m)"], test),
            looped(
                count,
                &["m = make()", &format!("h = {part}"), "hs.append(h)"],
                test,
            ),
            looped(
                count,
                &[
                    "m = make()",
                    &format!("h = {part}"),
                    "s = h.history['loss'][-1]",
                    "if s < best:",
                    "    best = s",
                ],
                test,
            ),
            looped(count, &["m = make()", &format!("scores[i] = {part}")], test),
            looped(
                count,
                &[
                    "m = make()",
                    "m.fit(x[i * 9:i * 9 + 9], y, validation_data=(x[i:i + 2], y))",
                ],
                test,
            ),
            looped(
                count,
                &[
                    "m = make()",
                    "m.fit(x[i * 9:i * 9 + 9], y, callbacks=[keras.callbacks.ModelCheckpoint('a')])",
                ],
                test,
            ),
            looped(
                count,
                &["m = make()", "m.fit(x[i * 9:i * 9 + 9], y, callbacks=own)"],
                test,
            ),
            // What an earlier round has learned is taken over.
            looped(count, &["m = make()", "m.load_weights('w.h5')", part], test),
            looped(count, &["m = make()", "m.set_weights(w)", part], test),
            script(&format!(
                "m = None\nfor i in range(9):\n    if m is None:\n        m = make()\n    {part}\n{test}"
            )),
            looped(count, &["m = keras.models.clone_model(m)", part], test),
            // The layers are made before.
            script(&format!(
                "base = keras.layers.Dense(8, 'relu')\nfor i in range(9):\n    m = keras.Sequential([base, keras.layers.Dense(1)])\n    \
                 m.compile('adam', 'mse')\n    {part}\n{test}"
            )),
            // Settings, folds, learning curves.
            looped("for i in range(2, 9)", &["m = make(i)", part], test),
            looped(
                "for size in [8, 16]",
                &["m = make()", "m.fit(x, y, batch_size=size)"],
                test,
            ),
            looped(
                "for i in range(9)",
                &[
                    "m = make()",
                    "m.compile(keras.optimizers.Adam(rates[i]), 'mse')",
                    part,
                ],
                test,
            ),
            looped(
                "for a, b in kfold.split(x)",
                &["m = make()", "m.fit(x[a], y[a])"],
                test,
            ),
            looped("for n in sizes", &["m = make()", "m.fit(x[:n], y[:n])"], test),
            looped(
                "for i in range(9)",
                &["keras.utils.set_random_seed(i)", "m = make()", part],
                test,
            ),
            looped(
                "for i in range(3)",
                &["m = make()", "m.fit(x, y, epochs=50)"],
                test,
            ),
            looped(
                "for i in range(3)",
                &[
                    "m = make()",
                    "start = time()",
                    "m.fit(x, y)",
                    "print(time() - start)",
                ],
                test,
            ),
            looped("for i in range(9)", &["m = make()", part, "break"], test),
            // Nothing is used behind the loop, or it is trained there.
            looped(count, &["m = make()", part], "print('done')"),
            looped(count, &["m = make()", part], "m.fit(x, y)\nm.evaluate(p, q)"),
            looped(
                count,
                &["m = make()", part],
                "m = make()\nm.fit(x, y)\nm.evaluate(p, q)",
            ),
            // Made by something that is not in the file.
            looped(count, &["m = other()", "m.compile('adam', 'mse')", part], test),
            script(&format!(
                "def judge():\n    print(m.evaluate(p, q))\nfor i in range(9):\n    m = make()\n    {part}\n    judge()\n{test}"
            )),
        ];
        crate::testing::check(&INFO, &pass, &[], &[]);
    }

    #[test]
    fn tables() {
        let part = "m.fit(x[i * 9:(i + 1) * 9], y[i * 9:(i + 1) * 9], epochs=3)";
        let test = "print(m.evaluate(p, q))";
        let fail = [
            (looped("for i in range(9)", &["m = make()", part], test), "make()"),
            (
                looped(
                    "for i in range(9)",
                    &[
                        "m = make()",
                        &format!("h = {part}"),
                        "print(i, h.history['loss'][-1])",
                    ],
                    test,
                ),
                "make()",
            ),
            (
                looped(
                    "for xs, ys in chunks",
                    &["m = make(xs.shape[1])", "m.fit(xs, ys)"],
                    "m.save('m.keras')",
                ),
                "make(xs.shape[1])",
            ),
            (
                looped(
                    "for name in files",
                    &[
                        "keras.backend.clear_session()",
                        "m = make()",
                        "xs, ys = load(name)",
                        "m.fit(xs, ys, validation_data=(p, q))",
                    ],
                    "z = m.predict(p)",
                ),
                "make()",
            ),
            (
                looped(
                    "for epoch in range(20)",
                    &["m = make()", "m.fit(x, y, epochs=1)"],
                    test,
                ),
                "make()",
            ),
            (
                looped(
                    "for epoch in range(20)",
                    &[
                        "m = make()",
                        "total = 0",
                        "for i in range(9):",
                        "    xs = x[i * 9:(i + 1) * 9]",
                        "    total += m.train_on_batch(xs, y[i * 9:(i + 1) * 9])",
                        "print(total / 9)",
                    ],
                    test,
                ),
                "make()",
            ),
            (
                script(&format!(
                    "def main():\n    i = 0\n    while i < 9:\n        m = keras.Sequential()\n        m.add(keras.layers.Dense(8, 'relu'))\n        \
                     m.add(keras.layers.Dense(1))\n        m.compile('adam', 'mse')\n        {part}\n        i += 1\n    return m\n"
                )),
                "keras.Sequential()",
            ),
        ];
        let fix = [
            (
                script(
                    "for r in range(2):\n    for i in range(9):\n        m = make()\n        m.fit(x[i:i + 9], y[i:i + 9])\nm.evaluate(p, q)",
                ),
                script(
                    "m = make()\nfor r in range(2):\n    for i in range(9):\n        m.fit(x[i:i + 9], y[i:i + 9])\nm.evaluate(p, q)",
                ),
            ),
            (
                script(
                    "for epoch in range(9):\n    m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\n    m.compile('adam', 'mse')\n    m.fit(x, y)\nm.evaluate(p, q)",
                ),
                script(
                    "m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nfor epoch in range(9):\n    m.fit(x, y)\nm.evaluate(p, q)",
                ),
            ),
        ];
        crate::testing::check(&INFO, &[], &fail, &fix);
    }
}
