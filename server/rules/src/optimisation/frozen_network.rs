//! # frozen-network (DL314)
//!
//! ## What it does
//! Finds models in which every layer with weights is made with `trainable=False`, or is frozen by a loop over all
//! layers before its training.
//!
//! ## Why it matters
//! There is nothing left that training could change: the loss stays where it is. At least the output layer has to
//! learn.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(8, activation="relu", trainable=False), layers.Dense(1, trainable=False)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(8, activation="relu", trainable=False), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No fix: which layers are to learn is not known.
//!
//! ## References
//! - Measured on Keras 3.15.1: "UserWarning: The model does not have any trainable weights"

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{EventKind, Value};

use crate::context::Context;
use crate::read::{function, is_activation, is_passive, is_unconditional};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL314",
    name: "frozen-network",
    kind: Kind::Optimizer,
    severity: Severity::Warning,
    source: include_str!("frozen_network.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    // Something may thaw layers later.
    if context.text.contains(".trainable") {
        return frozen_later(context).into_iter().collect();
    }
    let mut findings = Vec::new();
    for training in &context.trainings {
        let Some(chain) = context.chains.iter().find(|chain| {
            training
                .model
                .is_some_and(|model| chain.is_whole() && std::ptr::eq(chain.model, model))
        }) else {
            continue;
        };
        let frozen = |call: &&program::Call| {
            call.argument("trainable")
                .is_some_and(|argument| argument.value.value == Value::Bool(false))
        };
        let weightless = |call: &&program::Call| {
            is_passive(call)
                || is_activation(call)
                || call.class().contains("Pooling")
                || matches!(call.class(), "Flatten" | "Reshape" | "Rescaling")
        };
        let all = chain.layers.iter().all(|call| frozen(call) || weightless(call));
        let Some((index, last)) = chain
            .layers
            .iter()
            .enumerate()
            .rfind(|(_, call)| frozen(call))
            .filter(|_| all)
        else {
            continue;
        };
        let argument = last
            .argument("trainable")
            .map_or(last.range, |argument| argument.range);
        let message = "every layer with weights has `trainable=False`, so training changes nothing and the loss stays where it \
                       is; at least the output layer has to learn";
        findings.push(Finding {
            layer: context.layer(chain.model, chain.position(index)),
            ..context.finding(&INFO, argument, message)
        });
    }
    findings
}

/// A model whose layers are all frozen by a loop, and that is trained then.
fn frozen_later(context: &Context<'_>) -> Option<Finding> {
    let (program, text) = (context.program, context.text);
    // Once, in the whole script: what is set elsewhere may thaw some of them.
    if text.matches(".trainable").count() != 1 {
        return None;
    }
    let at = program.events.iter().position(|event| {
        matches!(
            event.kind,
            EventKind::Trainable {
                layer: None,
                value: Some(false)
            }
        )
    })?;
    let event = program.events.get(at)?;
    let model = program.model(event.model?)?;
    let name = model.name.as_deref()?;
    let variable = event.range.slice(text).strip_suffix(".trainable")?;
    let statement = text.get(..event.range.start)?.rfind('\n')?;
    let header = text.get(..statement)?.lines().next_back()?;
    let over_all = header.trim() == format!("for {variable} in {name}.layers:");
    // In the order in which it happens: `fit` may stand in a function further up.
    let trained = program.events.iter().skip(at).any(|other| {
        other.model == event.model
            && matches!(other.kind, EventKind::Method(call) if program.call(call).class() == "fit")
    });
    let grows = text.get(event.range.end..)?.contains(&format!("{name}.add("));
    let sure = model.complete
        && trained
        && !grows
        && is_unconditional(text, event.range.start)
        && function(text, event.range.start).is_none();
    (over_all && sure).then(|| {
        let message = format!(
            "the loop freezes every layer of `{name}`, so its training changes nothing and the loss stays where it is; leave out at least \
             the output layer (`{name}.layers[:-1]`)"
        );
        Finding {
            kind: Kind::ApiMisuse,
            ..context.finding(&INFO, event.range, message)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(1, trainable=False), Dense(1)])\nm.compile('adam', 'mae')\nm.fit(x, x)".to_owned(), "import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(1, trainable=False)])\nm.compile('adam', 'mae')\nm.layers[0].trainable = True\nm.fit(x, y)".to_owned()];
        let looped = |over: &str, rest: &str| {
            format!(
                "import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(4, 'relu'), Dense(1)])\nfor layer in {over}:\n    \
                 layer.trainable = False\n{rest}m.compile('adam', 'mae')\nm.fit(x, y)"
            )
        };
        let pass = [
            pass.to_vec(),
            vec![
                looped("m.layers[:-1]", ""),
                looped("m.layers", "m.add(Dense(1))\n"),
                looped("m.layers", "m.layers[-1].trainable = True\n"),
                looped(
                    "m.layers",
                    "x = m.predict(x)\nm = keras.Sequential([m, Dense(1)])\n",
                ),
            ],
        ]
        .concat();
        let fail = [
            ("import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(1, trainable=False)])\nm.compile('adam', 'mae')\nm.fit(x, y)".to_owned(), "trainable=False"),
            (looped("m.layers", ""), "layer.trainable"),
            (
                looped("m.layers", "train(m)\n")
                    .replace("m.compile('adam', 'mae')\nm.fit(x, y)", "")
                    .replace("Dense\n", "Dense\ndef train(n):\n    n.compile('adam', 'mae')\n    n.fit(x, y)\n"),
                "layer.trainable",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
