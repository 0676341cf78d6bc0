//! The names Keras accepts as strings.

use program::Program;

/// What a string names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Activation,
    Loss,
    Optimizer,
    Metric,
    Initializer,
}

// What `keras.<module>.get` of Keras 3.15.1 accepts (`ALL_OBJECTS_DICT`); `python grammars/facts.py identifiers`.
static TABLE: &str = include_str!("../../../../grammars/identifiers.toml");

static NAMES: std::sync::LazyLock<std::collections::BTreeMap<String, String>> =
    std::sync::LazyLock::new(|| toml::from_str(TABLE).unwrap_or_default());

fn names(family: Family) -> Vec<&'static str> {
    let key = match family {
        Family::Activation => "activations",
        Family::Loss => "losses",
        Family::Optimizer => "optimizers",
        Family::Metric => "metrics",
        Family::Initializer => "initializers",
    };
    NAMES
        .get(key)
        .map(|names| names.split_whitespace().collect())
        .unwrap_or_default()
}

/// Ways to teach Keras other names.
const TEACHES: [&str; 3] = [
    "custom_object",
    "CustomObjectScope",
    "register_keras_serializable",
];

/// Names that Keras 2 knew, where the new one is spelled quite differently.
const RENAMED: [(&str, &str); 2] = [
    ("cosine_proximity", "cosine_similarity"),
    ("kullback_leibler_divergence", "kl_divergence"),
];

/// Names that earlier versions of Keras accepted.
const OLD: [&str; 16] = [
    "cosine_proximity",
    "cosine",
    "kullback_leibler_divergence",
    "logcosh",
    "kld",
    "KLD",
    "tfoptimizer",
    "precision",
    "recall",
    "fmeasure",
    "fbeta_score",
    "matthews_correlation",
    "mean_pred",
    "poisson_loss",
    "one",
    "zero",
];

pub(crate) fn is_old_name(name: &str) -> bool {
    OLD.contains(&name)
}

/// For a string Keras does not know: the known name nearest to it, if one is near.
/// `None` when the name is known, or may be.
pub(crate) fn misspelled(
    program: &Program,
    text: &str,
    family: Family,
    name: &str,
) -> Option<Option<&'static str>> {
    let known = names(family);
    // Optimizers are known in any case of letters; Keras 2 knew some names that Keras 3 does not.
    let accepted = known
        .iter()
        .any(|known| *known == name || (family == Family::Optimizer && known.eq_ignore_ascii_case(name)));
    let taught = TEACHES.iter().any(|sign| text.contains(sign));
    if known.is_empty() || accepted || taught || program.legacy_keras || name.contains('>') {
        return None;
    }
    let renamed = RENAMED.iter().find(|(old, _)| *old == name).map(|(_, new)| *new);
    if renamed.is_some() {
        return Some(renamed);
    }
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-', ' '], "");
    let wanted = plain(name);
    let nearest = known
        .into_iter()
        .map(|known| (distance(&plain(known), &wanted), known))
        .min_by_key(|(distance, known)| (*distance, known.starts_with(char::is_uppercase)));
    Some(
        nearest
            .filter(|(distance, known)| *distance <= known.len() / 4)
            .map(|(_, known)| known),
    )
}

/// How many letters have to be put in, left out or exchanged.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut before = index;
        let mut current = index + 1;
        let mut next = vec![current];
        for (other, above) in right.iter().zip(row.iter().skip(1)) {
            let exchanged = before + usize::from(letter != *other);
            current = exchanged.min(current + 1).min(above + 1);
            before = *above;
            next.push(current);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_near_to_known_ones_are_found() {
        let near = |family, name| misspelled(&Program::default(), "", family, name);
        assert_eq!(near(Family::Activation, "relu"), None);
        assert_eq!(near(Family::Activation, "Relu"), Some(Some("relu")));
        assert_eq!(
            near(Family::Loss, "catagorical_crossentropy"),
            Some(Some("categorical_crossentropy"))
        );
        assert_eq!(near(Family::Loss, "quantile"), Some(None));
        assert_eq!(near(Family::Optimizer, "Adam"), None);
        assert_eq!(near(Family::Optimizer, "addam"), Some(Some("adam")));
    }
}
