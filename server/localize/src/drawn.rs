//! Labels drawn at random, whatever the features are: stand-ins for data, from which nothing can be learned and nobody expects it.

use program::Program;
use trace::Fit;

use crate::place::{Source, Sources, label_argument};

/// Functions that draw numbers.
const DRAWS: [&str; 13] = [
    "rand",
    "randn",
    "randint",
    "random",
    "random_sample",
    "random_integers",
    "choice",
    "integers",
    "uniform",
    "normal",
    "standard_normal",
    "binomial",
    "poisson",
];
/// What may stand around a draw without tying it to other data.
const AROUND: [&str; 27] = [
    "np",
    "numpy",
    "tf",
    "tensorflow",
    "keras",
    "utils",
    "array",
    "asarray",
    "astype",
    "reshape",
    "float",
    "float32",
    "float64",
    "int",
    "int32",
    "int64",
    "uint8",
    "bool",
    "to_categorical",
    "one_hot",
    "num_classes",
    "eye",
    "where",
    "cast",
    "round",
    "axis",
    "dtype",
];
/// Longest way back that is followed.
const LONGEST: usize = 8;

/// Whether the labels of this training are.
pub(crate) fn labels_drawn(fit: &Fit, sources: &dyn Sources) -> bool {
    let Some((Source { text, program, .. }, argument, before)) = label_argument(fit, sources) else {
        return false;
    };
    drawn(text, program, argument, before)
}

fn drawn(text: &str, program: &Program, argument: finding::Range, before: usize) -> bool {
    let (mut expression, mut before) = (argument, before);
    let mut steps: Vec<(finding::Range, String)> = Vec::new();
    for _ in 0..LONGEST {
        let provenance = program.provenance(text, expression, before);
        let moved = provenance.chain.iter();
        steps.extend(moved.map(|change| (change.statement, change.target.slice(text).to_owned())));
        let Some(change) = provenance.change else {
            return false;
        };
        steps.push((change.statement, change.target.slice(text).to_owned()));
        let value = change.value.slice(text);
        let left = without_draws(value);
        let names: Vec<(usize, &str)> = words(&left).filter(|(_, word)| !AROUND.contains(word)).collect();
        match names[..] {
            [] if left.len() < value.len() => return !feeds_others(text, before, &steps),
            // An encoding of another variable.
            [(_, name)] if left.len() == value.len() => {
                let Some(at) = words(value).find(|(_, word)| *word == name).map(|(at, _)| at) else {
                    return false;
                };
                let start = change.value.start + at;
                expression = finding::Range::new(start, start + name.len());
                before = change.statement.start;
            }
            _ => return false,
        }
    }
    false
}

/// Whether features are made from the labels: a line that reads one of the names and is no step on the labels' own way.
fn feeds_others(text: &str, before: usize, steps: &[(finding::Range, String)]) -> bool {
    const LOOKS: [&str; 5] = ["print", "assert", "#", "def ", "return "];
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let code = line.split('#').next().unwrap_or("").trim();
        let own = steps
            .iter()
            .any(|(statement, _)| statement.start < end && statement.end > start);
        let looks = LOOKS.iter().any(|word| code.starts_with(word))
            || code.contains(".fit(")
            || code.contains(".evaluate(");
        let reads = words(code).any(|(_, word)| steps.iter().any(|(_, name)| name == word));
        if reads && !own && !looks && end <= before.max(steps.last().map_or(0, |step| step.0.end)) {
            return true;
        }
        // What stands between the draw and the training reads them, too.
        if reads
            && !own
            && !looks
            && code.contains('=')
            && !code.contains("fit(")
            && !code.contains("compile(")
        {
            return true;
        }
        start = end;
    }
    false
}

/// The expression without calls that draw numbers, their arguments included.
fn without_draws(value: &str) -> String {
    let mut left = value.to_owned();
    for _ in 0..LONGEST {
        let Some((from, to)) = first_draw(&left) else {
            break;
        };
        left.replace_range(from..to, "");
    }
    left
}

/// The first call of a drawing function, from the start of its dotted name to its closing parenthesis.
fn first_draw(value: &str) -> Option<(usize, usize)> {
    let (at, name) = words(value).find(|(at, word)| {
        DRAWS.contains(word) && value[at + word.len()..].starts_with('(') && value[..*at].ends_with('.')
    })?;
    let mut depth = 0_usize;
    let open = at + name.len();
    let close = value[open..].char_indices().find_map(|(offset, character)| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (depth == 0).then_some(open + offset + 1)
    })?;
    let head = value[..at]
        .trim_end_matches(|character: char| character.is_alphanumeric() || matches!(character, '_' | '.'));
    // A generator that is made in place: `default_rng(0).integers(…)`.
    let from = match head.ends_with(')') {
        true => head
            .rfind("np.")
            .or_else(|| head.rfind("numpy."))
            .unwrap_or(head.len()),
        false => head.len(),
    };
    Some((from, close))
}

/// Identifiers with their offsets.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter_map(move |word| {
            let here = at;
            at += word.len() + text[at + word.len()..].chars().next().map_or(0, char::len_utf8);
            let named = word.starts_with(|first: char| first.is_alphabetic() || first == '_');
            named.then_some((here, word))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> bool {
        let program = Program::parse(text);
        let start = text.rfind(", y").map(|at| at + 2).unwrap();
        drawn(text, &program, finding::Range::new(start, start + 1), start)
    }

    #[test]
    fn labels_that_are_drawn() {
        assert!(of(
            "import numpy as np\nx = np.random.rand(9, 3)\ny = np.random.randint(0, 2, 9)\nm.fit(x, y)\n"
        ));
        assert!(of(
            "rng = np.random.default_rng(0)\ny = (rng.random((9, 1)) > 0.5).astype('float32')\nprint(y.shape)\nm.fit(x, y)\n"
        ));
        assert!(of(
            "labels = np.random.randint(10, size=9)\ny = to_categorical(labels, 10)\nm.fit(x, y, epochs=2)\n"
        ));
        assert!(of(
            "y = np.random.default_rng(0).integers(0, 3, 9)\nm.fit(x, y)\n"
        ));
    }

    #[test]
    fn labels_that_belong_to_the_features() {
        assert!(!of(
            "x = np.random.rand(9, 3)\ny = x[:, 0] + 0.1 * np.random.randn(9)\nm.fit(x, y)\n"
        ));
        assert!(!of(
            "y = np.random.randint(0, 2, 9)\nx = np.random.randn(9, 3) + y[:, None]\nm.fit(x, y)\n"
        ));
        assert!(!of(
            "labels = np.random.randint(0, 2, 9)\nx[labels == 1] += 2\ny = to_categorical(labels)\nm.fit(x, y)\n"
        ));
        assert!(!of("y = np.load('y.npy')\nm.fit(x, y)\n"));
        assert!(!of("y = (x.sum(1) > 0).astype(int)\nm.fit(x, y)\n"));
    }
}
