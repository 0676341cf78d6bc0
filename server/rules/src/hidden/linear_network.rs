//! # linear-network (DL201)
//!
//! ## What it does
//! Finds networks of several Dense layers in which no hidden layer has an activation.
//!
//! ## Why it matters
//! Without an activation between them, two Dense layers are one: the network can only learn what linear (or logistic)
//! regression can, whatever its depth. For a regression, where that may be enough, this is information only. A model
//! fitted to its own input (a linear autoencoder) is left alone.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(64), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! ```
//!
//! ## Fix safety
//! Unsafe: relu is the usual choice, not the only one.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022 (learning layer without non-linearity)
//! - Schoop, Huang, Hartmann: UMLAUT, CHI 2021

use crate::context::{Context, Output};
use crate::read::{Chain, Head, is_passive};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL201",
    name: "linear-network",
    kind: Kind::HiddenActivation,
    severity: Severity::Warning,
    source: include_str!("linear_network.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .outputs
        .iter()
        .filter_map(|output| {
            let chain = context
                .chains
                .iter()
                .find(|chain| std::ptr::eq(chain.model, output.model))?;
            of_chain(context, output, chain)
        })
        .collect()
}

fn of_chain(context: &Context<'_>, output: &Output<'_>, chain: &Chain<'_>) -> Option<Finding> {
    if !is_linear(context, chain) || reconstructs(context) {
        return None;
    }
    let dense: Vec<_> = chain
        .layers
        .iter()
        .enumerate()
        .filter(|(_, call)| call.class() == "Dense")
        .collect();
    let (_, hidden) = dense.split_last()?;
    let (index, first) = hidden.first()?;
    let who = match hidden.len() {
        1 => "the Dense layer before the output has no activation, so the two together are".to_owned(),
        count => format!(
            "none of the {count} Dense layers before the output has an activation, so together they are"
        ),
    };
    let message = format!(
        "{who} one linear layer and the network is no more than a linear model; use `activation=\"relu\"`"
    );
    let edits: Option<Vec<_>> = hidden
        .iter()
        .map(|(_, call)| context.activation_edit(&Head::of_layer(context.program, call)?, "relu"))
        .collect();
    let fix =
        edits.map(|edits| context.fix_all("Use relu in the hidden layers", Applicability::Unsafe, edits));
    Some(Finding {
        layer: context.layer(chain.model, chain.position(*index)),
        // Numbers may depend on the features linearly; classes hardly ever do.
        severity: if output.loss.is_regression() {
            Severity::Information
        } else {
            Severity::Warning
        },
        confidence: if output.loss.is_regression() { 0.7 } else { 0.85 },
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, first.range, message)
    })
}

/// Whether everything before the output is linear; `false` when anything is not known.
pub(super) fn is_linear(context: &Context<'_>, chain: &Chain<'_>) -> bool {
    let Some(last) = chain.layers.iter().rposition(|call| call.class() == "Dense") else {
        return false;
    };
    let linear = |call: &program::Call| {
        matches!(call.class(), "Flatten" | "Reshape" | "Rescaling" | "Permute")
            || is_passive(call)
            || (call.class() == "Dense"
                && Head::of_layer(context.program, call).is_some_and(|own| own.activation == "linear"))
    };
    chain.is_whole()
        && chain.layers.iter().take(last).any(|call| call.class() == "Dense")
        && chain.layers.iter().take(last).all(|call| linear(call))
}

/// Whether something is fitted to its own input.
fn reconstructs(context: &Context<'_>) -> bool {
    context.trainings.iter().any(|training| {
        let text = |name| {
            training
                .fit
                .argument(name)
                .map(|argument| argument.value.range.slice(context.text))
        };
        text("x").is_some() && text("x") == text("y")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [model("L.Dense(1)", "'mse'"), "import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(1)])\nm.compile('sgd', 'mse')".to_owned(), "import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(8), Dense(1)])\nm.compile('sgd', 'mse')\nm.fit(x, x)".to_owned(), "import keras\nfrom keras.layers import Dense, BatchNormalization, Activation\nm = keras.Sequential([Dense(8), BatchNormalization(), Activation('relu'), Dense(1)])\nm.compile('sgd', 'mse')".to_owned(), "import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(8, activation=f), Dense(1)])\nm.compile('sgd', 'mse')".to_owned()];
        let fail = [("import keras\nfrom keras.layers import Dense, Dropout\nm = keras.Sequential([Dense(8), Dropout(0.2), Dense(4), Dense(1)])\nm.compile('sgd', 'mse')".to_owned(), "Dense(8)")];
        let fix = [("import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(8), Dense(1)])\nm.compile('sgd', 'mse')".to_owned(), "import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(8, activation='relu'), Dense(1)])\nm.compile('sgd', 'mse')".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
