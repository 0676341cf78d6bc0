//! Where labels are cut into parts by their position, so that rows in order of their classes leave classes out.

use finding::Range;
use trace::Fit;

use crate::place::{Located, Source, Sources, label_argument};

/// The expression that takes the labels of this training from the rows before or after a position.
pub(crate) fn by_position<'a>(fit: &Fit, sources: &'a dyn Sources) -> Option<Located<'a>> {
    let (source, argument, before) = label_argument(fit, sources)?;
    let Source { text, program, .. } = source;
    let steps = program
        .trails(text, &[(argument, before)])
        .pop()
        .unwrap_or_default();
    let values = steps.iter().map(|step| step.change.value);
    let range = std::iter::once(argument)
        .chain(values)
        .find(|range: &Range| cuts(range.slice(text)))?;
    Some(Located {
        source,
        range,
        change: None,
        argument: false,
    })
}

/// `y[:120]`, `data[n:, 4]`, `train_test_split(x, y, shuffle=False)`.
fn cuts(value: &str) -> bool {
    let bare: String = value
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    if bare.contains("train_test_split(") {
        return bare.contains("shuffle=False");
    }
    // A comprehension or a call may do anything with what it takes.
    if bare.contains("for") && value.contains(" for ") {
        return false;
    }
    bare.split('[')
        .skip(1)
        .filter_map(|part| part.split(']').next())
        .any(|index| {
            let rows = index.split(',').next().unwrap_or_default();
            rows.contains(':') && !rows.contains("::") && rows.chars().any(char::is_alphanumeric)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cuts_by_position() {
        for value in [
            "y[:120]",
            "X[:n], X[n:]",
            "data[100:, 4]",
            "train_test_split(X, y, shuffle=False, test_size=0.2)",
        ] {
            assert!(cuts(value), "{value}");
        }
        for value in [
            "y[order]",
            "data[:, 4]",
            "y[::2]",
            "train_test_split(X, y)",
            "y",
            "[row[1:] for row in rows]",
        ] {
            assert!(!cuts(value), "{value}");
        }
    }
}
