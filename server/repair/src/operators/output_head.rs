//! Output activation, loss, units: what the labels ask for. Changes one of them, or all that differ.

use finding::{Edit, Kind, Range};
use program::Value;

use super::part;
use crate::candidate::Part;
use crate::facts::{Facts, Labels, Spot};
use crate::names::quoted;

/// What labels ask of the end of a network.
struct Wanted {
    activation: &'static str,
    loss: &'static str,
    /// Words for the pair.
    words: &'static str,
    units: Option<i64>,
}

fn wanted(labels: Labels, units: Option<i64>) -> Option<Wanted> {
    let wanted = |activation, loss, words, units| {
        Some(Wanted {
            activation,
            loss,
            words,
            units,
        })
    };
    match labels {
        Labels::Binary if units == Some(2) => wanted(
            "softmax",
            "sparse_categorical_crossentropy",
            "class numbers",
            None,
        ),
        Labels::Binary => wanted("sigmoid", "binary_crossentropy", "labels 0 and 1", None),
        Labels::OneHot(_) => wanted("softmax", "categorical_crossentropy", "one-hot labels", None),
        Labels::MultiHot(_) => wanted("sigmoid", "binary_crossentropy", "several labels per row", None),
        Labels::Numbers(classes) => wanted(
            "softmax",
            "sparse_categorical_crossentropy",
            "class numbers",
            (units.is_some_and(|units| units < classes)).then_some(classes),
        ),
        Labels::Real => wanted("linear", "mean_squared_error", "real numbers", None),
        Labels::Unknown => None,
    }
}

/// Losses that suit real numbers: any of them may be meant.
const OF_NUMBERS: [&str; 7] = [
    "mean_squared_error",
    "mean_absolute_error",
    "huber",
    "log_cosh",
    "mean_squared_logarithmic_error",
    "mean_absolute_percentage_error",
    "poisson",
];

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let Some(wanted) = wanted(facts.labels(), facts.outputs()) else {
        return Vec::new();
    };
    let from_logits = facts
        .fit
        .info
        .loss
        .as_ref()
        .and_then(|loss| loss.config.get("from_logits"))
        .is_some_and(|value| value.as_bool() == Some(true));
    let activation = activation(facts, &wanted, from_logits);
    let loss = loss(facts, &wanted);
    let metric = metric(facts, &wanted);
    let mut parts: Vec<Part> = Vec::new();
    if let (Some((spot, place, edits)), Some((_, _, edit))) = (&activation, &loss) {
        let both = edits
            .iter()
            .cloned()
            .chain([edit.clone()])
            .chain(metric.clone())
            .collect();
        let title = format!(
            "Use {} with {}, for {}",
            output(&wanted),
            spoken(wanted.loss),
            wanted.words
        );
        parts.push(part(
            title,
            Kind::OutputActivation,
            spot.source.path,
            *place,
            both,
            0.85,
        ));
    }
    let alone = if loss.is_some() { 0.6 } else { 0.9 };
    if let Some((spot, place, edits)) = activation {
        let title = format!("Use {}, for {}", output(&wanted), wanted.words);
        let kind = if wanted.units.is_some() {
            Kind::LayerSize
        } else {
            Kind::OutputActivation
        };
        let mut part = part(title, kind, spot.source.path, place, edits, alone);
        part.aspect = crate::Aspect::Head;
        parts.push(part);
    }
    if let Some((compile, value, edit)) = loss {
        let title = format!("Use {}, for {}", spoken(wanted.loss), wanted.words);
        let prior = if parts.is_empty() { 0.7 } else { 0.45 };
        parts.push(part(
            title,
            Kind::Loss,
            compile.source.path,
            value,
            std::iter::once(edit).chain(metric).collect(),
            prior,
        ));
    }
    parts
}

/// The edits that give the network the output it should have, with what they change.
fn activation<'a>(
    facts: &Facts<'a>,
    wanted: &Wanted,
    from_logits: bool,
) -> Option<(Spot<'a>, Range, Vec<Edit>)> {
    let head = facts.head()?;
    let has = head.activation.as_deref()?;
    if (has == wanted.activation && wanted.units.is_none()) || (from_logits && has == "linear") {
        return None;
    }
    if !facts.alone(head) {
        return None;
    }
    let spot = facts.layer(head)?;
    let mut edits = Vec::new();
    if has != wanted.activation {
        edits.push(spot.set("activation", &quoted(&spot.source, wanted.activation))?);
    }
    let mut place = spot
        .call
        .argument("activation")
        .map_or(spot.call.range, |argument| argument.value.range);
    if let Some(units) = wanted.units {
        let dense = facts.layers().iter().rev().find(|layer| layer.class == "Dense")?;
        let dense = facts.layer(dense)?;
        let argument = dense.call.argument("units")?;
        edits.push(dense.edit(argument.value.range, units.to_string()));
        place = argument.value.range;
    }
    Some((spot, place, edits))
}

/// The edit that gives `compile` the loss it should have.
fn loss<'a>(facts: &Facts<'a>, wanted: &Wanted) -> Option<(Spot<'a>, Range, Edit)> {
    let has = facts.loss();
    let suits = match wanted.loss {
        "mean_squared_error" => OF_NUMBERS.contains(&has),
        other => has == other || (has.contains("focal") && has.contains("crossentropy")),
    };
    if has.is_empty() || suits {
        return None;
    }
    let compile = facts.compile()?;
    let argument = compile.call.argument("loss")?;
    let range = argument.value.range;
    let edit = compile.edit(range, quoted(&compile.source, wanted.loss));
    Some((compile, range, edit))
}

/// The edit that gives `compile` a metric of the kind that the loss is of, where it has one of another.
fn metric(facts: &Facts<'_>, wanted: &Wanted) -> Option<Edit> {
    const OF_NUMBERS: [&str; 6] = [
        "mse",
        "mae",
        "mean_squared_error",
        "mean_absolute_error",
        "MSE",
        "MAE",
    ];
    const OF_CLASSES: [&str; 5] = [
        "accuracy",
        "acc",
        "binary_accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
    ];
    let compile = facts.compile()?;
    let Value::List(items) = &compile.call.argument("metrics")?.value.value else {
        return None;
    };
    let (unfit, fitting): (&dyn Fn(&str) -> bool, _) = match wanted.loss {
        "mean_squared_error" => (&|name| OF_CLASSES.contains(&name), "mae"),
        _ => (
            // `accuracy` follows the loss; its more special names do not.
            &|name| OF_NUMBERS.contains(&name) || (OF_CLASSES[2..].contains(&name)),
            "accuracy",
        ),
    };
    let item = items.iter().find(|item| match &item.value {
        Value::Str(name) => item.range == item.origin && unfit(name),
        _ => false,
    })?;
    Some(compile.edit(item.range, quoted(&compile.source, fitting)))
}

/// The output in words, with its units where they change.
fn output(wanted: &Wanted) -> String {
    match wanted.units {
        Some(units) => format!("{units} {} outputs", wanted.activation),
        None => format!("a {} output", wanted.activation),
    }
}

fn spoken(loss: &str) -> &'static str {
    match loss {
        "binary_crossentropy" => "binary cross-entropy",
        "categorical_crossentropy" => "categorical cross-entropy",
        "sparse_categorical_crossentropy" => "sparse categorical cross-entropy",
        _ => "mean squared error",
    }
}
