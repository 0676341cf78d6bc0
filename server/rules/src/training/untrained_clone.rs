//! # untrained-clone (DL517)
//!
//! ## What it does
//! Finds a `clone_model` of a trained model that is evaluated or used for predictions without ever being given the
//! weights or trained.
//!
//! ## Why it matters
//! `clone_model` makes the same layers with new weights at their initial values; what the model has learned is not
//! copied. The clone is no better than guessing.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! final = keras.models.clone_model(model)
//! final.compile(loss="mse")
//! final.evaluate(x_test, y_test)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! final = keras.models.clone_model(model)
//! final.set_weights(model.get_weights())
//! final.compile(loss="mse")
//! final.evaluate(x_test, y_test)
//! ```
//!
//! ## Fix safety
//! Unsafe: the clone is given the weights of the model; it may have been meant to be trained.
//!
//! ## References
//! - `keras.models.clone_model`

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};

use crate::context::Context;
use crate::read::{compact, is_plain};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL517",
    name: "untrained-clone",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("untrained_clone.rs"),
};

/// Methods that show what a model has learned.
const JUDGES: [&str; 4] = ["evaluate", "predict", "predict_on_batch", "test_on_batch"];

/// Methods that leave the weights of a model as they are.
const HARMLESS: [&str; 6] = [
    "compile",
    "summary",
    "save",
    "to_json",
    "count_params",
    "get_config",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let text = context.text;
    let mut findings = Vec::new();
    for call in &context.program.calls {
        // A function for the layers may hand on the layers themselves, with their weights.
        if !matches!(
            call.callee.as_str(),
            "keras.models.clone_model" | "keras.clone_model"
        ) || call.open_ended
            || call.arguments.len() != 1
        {
            continue;
        }
        let line_start = text
            .get(..call.range.start)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |at| at + 1);
        let left = Range::new(line_start, call.range.start).slice(text);
        let (Some(source), Some(clone)) = (
            call.arguments
                .first()
                .and_then(|argument| plain(argument.value.range.slice(text))),
            left.trim_end()
                .strip_suffix('=')
                .and_then(|name| plain(name.trim())),
        ) else {
            continue;
        };
        if !is_trained(text, source, line_start) || !is_only_judged(text, clone, call.range, left) {
            continue;
        }
        let message = format!(
            "`clone_model` copies the layers and not the weights: `{clone}` starts from new random weights and is used without \
             training; give it those of `{source}` with `{clone}.set_weights({source}.get_weights())`"
        );
        let alone = text
            .get(call.range.end..)
            .is_some_and(|rest| rest.lines().next().unwrap_or_default().trim().is_empty());
        let indentation: String = left.chars().take_while(|letter| letter.is_whitespace()).collect();
        let fix = context.fix(
            "Copy the weights too",
            Applicability::Unsafe,
            Range::new(call.range.end, call.range.end),
            format!("\n{indentation}{clone}.set_weights({source}.get_weights())"),
        );
        findings.push(Finding {
            confidence: 0.93,
            fixes: alone.then_some(fix).into_iter().collect(),
            ..context.finding(&INFO, call.range, message)
        });
    }
    findings
}

fn plain(text: &str) -> Option<&str> {
    is_plain(text).filter(|name| !name.contains('.'))
}

/// Whether a model has learned something before a byte: it is trained, or loaded.
fn is_trained(text: &str, model: &str, before: usize) -> bool {
    text.get(..before).unwrap_or_default().lines().any(|line| {
        let line = compact(line);
        let follows = |rest: &str| {
            line.match_indices(model).any(|(at, _)| {
                let alone = line.get(..at).is_some_and(|before| {
                    !before
                        .ends_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.')
                });
                alone
                    && line
                        .get(at + model.len()..)
                        .is_some_and(|after| after.starts_with(rest))
            })
        };
        follows(".fit(")
            || follows(".fit_generator(")
            || follows(".load_weights(")
            || (line.starts_with(&format!("{model}=")) && line.contains("load_model("))
    })
}

/// Whether everything that is done with a clone is to judge it, or leaves its weights as they are.
fn is_only_judged(text: &str, clone: &str, call: Range, left: &str) -> bool {
    let assigned = text
        .lines()
        .filter(|line| {
            line.trim_start().strip_prefix(clone).is_some_and(|rest| {
                rest.trim_start().starts_with('=') && !rest.trim_start().starts_with("==")
            })
        })
        .count();
    // Where the name has had another value before, only what stands behind counts, and only where nothing comes back.
    let part = if assigned == 1 {
        text
    } else if left.starts_with(clone) {
        text.get(call.end..).unwrap_or_default()
    } else {
        return false;
    };
    let mut judged = false;
    for line in part.lines() {
        let code = line.split('#').next().unwrap_or_default();
        for (at, _) in code.match_indices(clone) {
            let word = |letter: char| letter.is_alphanumeric() || letter == '_';
            let before = code.get(..at).unwrap_or_default();
            let after = code.get(at + clone.len()..).unwrap_or_default();
            if before.ends_with(word) || before.ends_with('.') || after.starts_with(word) {
                continue;
            }
            let Some(method) = after.strip_prefix('.') else {
                let is_assignment =
                    assigned == 1 && before.trim().is_empty() && after.trim_start().starts_with('=');
                if is_assignment {
                    continue;
                }
                return false;
            };
            let method = method.split(|letter| !word(letter)).next().unwrap_or_default();
            if JUDGES.contains(&method) {
                judged = true;
            } else if !HARMLESS.contains(&method) {
                return false;
            }
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(rest: &str) -> String {
        format!(
            "import keras\nm = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\nm.compile('adam', 'mse')\n\
             m.fit(x, y)\n{rest}\n"
        )
    }

    #[test]
    fn tables() {
        let clone = "c = keras.models.clone_model(m)";
        let pass = [
            script(&format!(
                "{clone}\nc.set_weights(m.get_weights())\nc.compile('adam', 'mse')\nc.evaluate(p, q)"
            )),
            script(&format!(
                "{clone}\nc.compile('adam', 'mse')\nc.fit(x, y)\nc.evaluate(p, q)"
            )),
            script(&format!(
                "{clone}\nc.compile('adam', 'mse')\ntrain(c)\nc.evaluate(p, q)"
            )),
            script(&format!("{clone}\nc.layers[0].set_weights(w)\nc.predict(p)")),
            script(&format!("{clone}\nc.summary()")),
            script("c = keras.models.clone_model(m, clone_function=f)\nc.predict(p)"),
            script("c = keras.models.clone_model(other)\nc.predict(p)"),
            script("c = load()\nfor i in range(3):\n    c = keras.models.clone_model(m)\n    c.predict(p)"),
        ];
        let place = "keras.models.clone_model(m)";
        let fail = [
            (
                script(&format!("{clone}\nc.compile('adam', 'mse')\nc.evaluate(p, q)")),
                place,
            ),
            (script(&format!("{clone}\nprint(c.predict(p))")), place),
            (
                script("m = keras.models.clone_model(m)\nm.compile('adam', 'mse')\nm.evaluate(p, q)"),
                place,
            ),
        ];
        let fix = [(
            script(&format!("{clone}\nc.predict(p)")),
            script(&format!("{clone}\nc.set_weights(m.get_weights())\nc.predict(p)")),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
