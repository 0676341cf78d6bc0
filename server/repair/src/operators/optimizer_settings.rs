//! Settings of the optimizer that are far from the usual, back to that.

use finding::Kind;

use super::part;
use crate::candidate::{Aspect, Part};
use crate::facts::Facts;

/// What to do with a setting.
enum Remedy {
    /// Give it this value.
    Set(&'static str),
    /// Leave it out.
    Leave,
}

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let (Some(optimizer), Some(spot)) = (&facts.fit.info.optimizer, facts.optimizer()) else {
        return Vec::new();
    };
    let class = optimizer.class.as_str();
    let mut parts = Vec::new();
    for argument in &spot.call.arguments {
        let Some(name) = argument.name.as_deref() else {
            continue;
        };
        let value = optimizer.config.get(name).and_then(|value| value.as_f64());
        let Some((remedy, prior)) = value.and_then(|value| remedy(class, name, value)) else {
            continue;
        };
        let (title, edit) = match remedy {
            Remedy::Set(usual) => (
                format!("Set {name} of {class} to {usual}"),
                spot.edit(argument.value.range, usual),
            ),
            // What stands behind a positional argument would get its place.
            Remedy::Leave if argument.name_range.is_none() => continue,
            Remedy::Leave => (format!("Leave out {name} of {class}"), spot.remove(argument)),
        };
        let (path, place) = (spot.source.path, argument.value.range);
        parts.push(Part {
            // They may be wrong beside the learning rate.
            aspect: Aspect::Other,
            ..part(title, Kind::Optimizer, path, place, vec![edit], prior)
        });
    }
    parts
}

/// What a setting that is far from the usual becomes, and how plausible that is. The values are the defaults of Keras 3.15, but
/// that of momentum, which is none.
fn remedy(class: &str, name: &str, value: f64) -> Option<(Remedy, f64)> {
    use Remedy::{Leave, Set};
    match name {
        // Divides every step once it is larger than the gradients.
        "epsilon" if value >= 0.1 => Some((Set("1e-7"), 0.75)),
        "epsilon" if value >= 1e-3 => Some((Set("1e-7"), 0.35)),
        // Adds up the steps of a hundred batches and more.
        "momentum" if value >= 0.97 => Some((Set("0.9"), 0.6)),
        "beta_1" if value >= 0.97 => Some((Set("0.9"), 0.5)),
        "beta_2" if value < 0.9 && class != "Lion" => Some((Set("0.999"), 0.35)),
        // The mean of the squares starts at 0, and nothing makes up for that.
        "rho" if !(0.5..0.999).contains(&value) => {
            let usual = if class == "Adadelta" { "0.95" } else { "0.9" };
            Some((Set(usual), 0.4))
        }
        "initial_accumulator_value" if value >= 10.0 => Some((Set("0.1"), 0.6)),
        // Adam and its kin take steps of the same length whatever is cut off, until epsilon is larger than what is left.
        "clipnorm" | "clipvalue" | "global_clipnorm" if class == "SGD" => match value {
            ..=0.01 => Some((Leave, 0.6)),
            ..=0.1 => Some((Leave, 0.35)),
            _ => None,
        },
        "clipnorm" | "clipvalue" | "global_clipnorm" if value <= 1e-5 => Some((Leave, 0.6)),
        "weight_decay" if value >= 0.5 => Some((Leave, 0.6)),
        "weight_decay" if value >= 0.05 => Some((Leave, 0.4)),
        _ => None,
    }
}
