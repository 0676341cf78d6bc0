//! The learning rate, up and down by decades.

use finding::{Edit, Kind, Range};

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;
use crate::names::of_keras;

/// Keras' default learning rate of an optimizer (signatures of Keras 3.15).
pub(super) fn usual(optimizer: &str) -> f64 {
    if optimizer == "SGD" { 0.01 } else { 0.001 }
}

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let Some(optimizer) = &facts.fit.info.optimizer else {
        return Vec::new();
    };
    let now = optimizer.learning_rate;
    if !now.is_finite() {
        return Vec::new();
    }
    let usual = usual(&optimizer.class);
    let decades = if now > 0.0 {
        (now / usual).log10()
    } else {
        f64::NEG_INFINITY
    };
    // The usual rate, and decades to both sides of the one that is there, where the training does not speak against it.
    let mut rates: Vec<(f64, f64)> = Vec::new();
    if decades.abs() >= 0.3 {
        let far = decades.abs() > 1.4 || facts.diverges();
        rates.push((usual, if far { 0.8 } else { 0.55 }));
    }
    if facts.diverges() {
        rates.extend([(now / 10.0, 0.6), (now / 100.0, 0.55), (now / 1000.0, 0.5)]);
    } else {
        rates.push((now / 10.0, if decades >= 0.5 { 0.4 } else { 0.2 }));
        let (ten, hundred) = if decades <= 0.5 {
            (0.45, if decades < -0.5 { 0.4 } else { 0.1 })
        } else {
            (0.1, 0.1)
        };
        rates.extend([(now * 10.0, ten), (now * 100.0, hundred)]);
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut seen: Vec<f64> = vec![now];
    for (rate, prior) in rates {
        let same = |known: &f64| (known / rate - 1.0).abs() < 0.01;
        if !(1e-6..=1.0).contains(&rate) || seen.iter().any(same) {
            continue;
        }
        seen.push(rate);
        if let Some((path, place, edits)) = edits(facts, &optimizer.class, rate) {
            let verb = if rate < now { "Lower" } else { "Raise" };
            let title = format!("{verb} the learning rate to {}", written(rate));
            parts.push(part(title, Kind::LearningRate, &path, place, edits, prior));
        }
    }
    parts
}

/// Sets the rate: where it is written, else in the call of the optimizer, else with such a call instead of its name.
fn edits(facts: &Facts<'_>, class: &str, rate: f64) -> Option<(std::path::PathBuf, Range, Vec<Edit>)> {
    let rate = written(rate);
    if let Some(spot) = facts.optimizer() {
        let place = spot
            .call
            .argument("learning_rate")
            .map_or(spot.call.range, |argument| argument.value.range);
        let edit = spot.set("learning_rate", &rate)?;
        return Some((spot.source.path.to_owned(), place, vec![edit]));
    }
    with_optimizer(facts, class, &format!("learning_rate={rate}"))
}

/// Replaces the optimizer, or its name in `compile`, by a call of a class.
pub(super) fn with_optimizer(
    facts: &Facts<'_>,
    class: &str,
    arguments: &str,
) -> Option<(std::path::PathBuf, Range, Vec<Edit>)> {
    if let Some(made) = facts.optimizer() {
        let name = of_keras(&made.source, "optimizers", class)?;
        let edit = made.edit(made.call.range, format!("{}({arguments})", name.text));
        return Some((
            made.source.path.to_owned(),
            made.call.range,
            std::iter::once(edit).chain(name.import).collect(),
        ));
    }
    let compile = facts.compile()?;
    let name = of_keras(&compile.source, "optimizers", class)?;
    let call = format!("{}({arguments})", name.text);
    let (place, edit) = match compile.call.argument("optimizer") {
        Some(argument) => (argument.value.range, compile.edit(argument.value.range, call)),
        None => (compile.call.range, compile.set("optimizer", &call)?),
    };
    Some((
        compile.source.path.to_owned(),
        place,
        std::iter::once(edit).chain(name.import).collect(),
    ))
}

/// A rate as people write it.
pub(super) fn written(rate: f64) -> String {
    // Away with what dividing by powers of ten leaves behind.
    let rounded: f64 = format!("{rate:.3e}").parse().unwrap_or(rate);
    if rounded < 1e-4 {
        format!("{rounded:e}")
    } else {
        format!("{rounded}")
    }
}
