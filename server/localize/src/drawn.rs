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
/// Functions of NumPy with how many of their first arguments say what is drawn; those of the others only say how much.
const PARAMETERS: [(&str, usize); 4] = [("uniform", 2), ("normal", 2), ("binomial", 2), ("poisson", 1)];
/// What the others among their arguments are called.
const SIZES: [&str; 4] = ["size", "shape", "dtype", "seed"];
/// What makes a generator.
const GENERATORS: [&str; 3] = ["default_rng", "RandomState", "Generator"];
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
    let training = before;
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
        let names: Vec<(usize, &str)> = words(&left)
            .filter(|(_, word)| {
                !AROUND.contains(word)
                    && !is_number(text, program, change.value, word, change.statement.start)
            })
            .collect();
        match names[..] {
            [] if left.len() < value.len() => return !feeds_others(text, program, before, training, &steps),
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

/// Whether a name within an expression stands for a number that is written out.
fn is_number(text: &str, program: &Program, expression: finding::Range, name: &str, before: usize) -> bool {
    let Some((at, _)) = words(expression.slice(text)).find(|(_, word)| *word == name) else {
        return false;
    };
    let start = expression.start + at;
    let used = finding::Range::new(start, start + name.len());
    let made = program.last_change(text, used, before);
    made.is_some_and(|made| made.target.slice(text) == name && made.value.slice(text).parse::<f64>().is_ok())
}

/// Whether features are made from the labels: code that reads one of the names and is no step on the labels' own way.
fn feeds_others(
    text: &str,
    program: &Program,
    before: usize,
    training: usize,
    steps: &[(finding::Range, String)],
) -> bool {
    const LOOKS: [&str; 4] = ["print", "assert", "def ", "return "];
    for part in parts(text, program) {
        let code: String = part
            .slice(text)
            .lines()
            .map(|line| line.split('#').next().unwrap_or("").trim())
            .collect::<Vec<_>>()
            .join(" ");
        let own = steps
            .iter()
            .any(|(statement, _)| statement.start < part.end && statement.end > part.start);
        let looks = LOOKS.iter().any(|word| code.starts_with(word))
            || code.contains(".fit(")
            || code.contains(".evaluate(");
        let reads = words(&code).any(|(_, word)| steps.iter().any(|(_, name)| name == word));
        if reads && !own && !looks && part.end <= before.max(steps.last().map_or(0, |step| step.0.end)) {
            return true;
        }
        // What stands between the draw and the training reads them, too; what follows the training comes too late.
        if reads
            && !own
            && part.start < training
            && !looks
            && code.contains('=')
            && !code.contains("fit(")
            && !code.contains("compile(")
        {
            return true;
        }
    }
    false
}

/// The simple statements, and what stands before them on their lines or alone on others: headers of loops, say.
fn parts(text: &str, program: &Program) -> Vec<finding::Range> {
    let mut parts = program.layout().map_or_else(Vec::new, |layout| layout.statements);
    let mut covered = parts.clone().into_iter().peekable();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        while covered.next_if(|statement| statement.end <= start).is_some() {}
        let end_of_header = covered.peek().map_or(end, |statement| statement.start.min(end));
        if start < end_of_header {
            parts.push(finding::Range::new(start, end_of_header));
        }
        start = end;
    }
    parts
}

/// The expression without calls that draw numbers. Of their arguments only those are left that say what is drawn.
fn without_draws(value: &str) -> String {
    let mut left = value.to_owned();
    for _ in 0..LONGEST {
        let Some((from, to, parameters)) = first_draw(&left) else {
            break;
        };
        left.replace_range(from..to, &parameters);
    }
    left
}

/// The first call of a drawing function, from the start of its dotted name to its closing parenthesis, and its parameters.
fn first_draw(value: &str) -> Option<(usize, usize, String)> {
    let (at, name) = words(value).find(|(at, word)| {
        DRAWS.contains(word) && value[at + word.len()..].starts_with('(') && value[..*at].ends_with('.')
    })?;
    let open = at + name.len();
    let length = closing(value[open..].chars())?;
    let close = open
        + value[open..]
            .char_indices()
            .nth(length)
            .map(|(offset, _)| offset + 1)?;
    let head = dotted(&value[..at]);
    // A generator that is made in place: `default_rng(0).integers(…)`.
    let generator = head
        .ends_with(')')
        .then(|| {
            let length = closing(head.chars().rev())?;
            let opened = head.char_indices().rev().nth(length).map(|(offset, _)| offset)?;
            let maker = dotted(&head[..opened]);
            let class = head[maker.len()..opened].rsplit('.').next()?;
            GENERATORS.contains(&class).then_some(maker.len())
        })
        .flatten();
    let receiver = &value[head.len()..at];
    let parameters = parameters(receiver, name, &value[open + 1..close - 1]);
    Some((generator.unwrap_or(head.len()), close, parameters))
}

/// A text without the dotted name at its end.
fn dotted(text: &str) -> &str {
    text.trim_end_matches(|character: char| character.is_alphanumeric() || matches!(character, '_' | '.'))
}

/// How many characters stand before the one that closes the bracket at the start; of a text read backwards, the one that opens it.
fn closing(mut characters: impl Iterator<Item = char>) -> Option<usize> {
    let first = characters.next()?;
    let (up, down) = if first == ')' { (')', '(') } else { ('(', ')') };
    let mut depth = 1_usize;
    characters
        .position(|character| {
            depth += usize::from(character == up);
            depth -= usize::from(character == down);
            depth == 0
        })
        .map(|position| position + 1)
}

/// The arguments of a drawing function that say what is drawn, each after a blank.
fn parameters(receiver: &str, name: &str, arguments: &str) -> String {
    let Some((_, count)) = PARAMETERS.iter().find(|(function, _)| *function == name) else {
        return String::new();
    };
    // TensorFlow and Keras ask for the shape first.
    let shape_first = ["tf.", "tensorflow.", "keras."]
        .iter()
        .any(|module| receiver.starts_with(module));
    let first = usize::from(shape_first);
    let mut depth = 0_usize;
    let split = arguments.split(|character: char| {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    split
        .enumerate()
        .filter_map(|(number, argument)| match keyword(argument) {
            Some((keyword, value)) => (!SIZES.contains(&keyword)).then_some(value),
            None => (first..first + count).contains(&number).then_some(argument),
        })
        .map(|argument| format!(" {argument}"))
        .collect()
}

/// `scale=0.1`
fn keyword(argument: &str) -> Option<(&str, &str)> {
    let (keyword, value) = argument.split_once('=')?;
    let keyword = keyword.trim();
    (!value.starts_with('=') && dotted(keyword).is_empty()).then_some((keyword, value))
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
    fn only_parameters_tie_a_draw_to_other_data() {
        for labels in [
            "np.random.binomial(1, 0.5, size=len(x))",
            "np.random.binomial(1, p, len(x))",
            "np.random.normal(0, 1, (len(x), 1))",
            "np.random.normal(size=x.shape[0])",
            "tf.random.normal((len(x), 1))",
            "np.random.RandomState(int(seed)).poisson(lam=3, size=n)",
            "np.random.randint(0, classes, (n, 1))",
        ] {
            assert!(of(&format!("p = 0.3\ny = {labels}\nm.fit(x, y)\n")), "{labels}");
        }
        for labels in [
            "np.random.binomial(1, p)",
            "np.random.binomial(n=1, p=p)",
            "np.random.normal(x @ w, 0.1)",
            "np.random.poisson(np.exp(x))",
            "np.random.default_rng(0).normal(x @ w, 0.1)",
            "np.random.binomial(1, q)",
            "np.abs(x).choice(np.arange(3)) + np.random.rand(3)",
        ] {
            assert!(
                !of(&format!(
                    "q = 0.3\np = q = sigmoid(x @ w)\ny = {labels}\nm.fit(x, y)\n"
                )),
                "{labels}"
            );
        }
    }

    #[test]
    fn what_follows_the_training_does_not_feed_it() {
        let text = "y = np.random.randint(0, 2, 9)\nm.fit(x, y)\nright = np.mean(m.predict(x) == y)\n";
        let program = Program::parse(text);
        let start = text.find(", y)").map(|at| at + 2).unwrap();
        assert!(drawn(
            text,
            &program,
            finding::Range::new(start, start + 1),
            start
        ));
    }

    #[test]
    fn a_call_over_several_lines_is_one_statement() {
        assert!(of(
            "y = np.random.randint(0, 2, 9)\nm.fit(\n    x, y, epochs=3,\n    verbose=0,\n)\n"
        ));
        assert!(!of(
            "y = np.random.randint(0, 2, 9)\nx = np.add(\n    noise,\n    y[:, None])\nm.fit(x, y)\n"
        ));
        assert!(!of(
            "y = np.random.randint(0, 2, 9)\nif any(y == 1):\n    x = f(x)\nm.fit(x, y)\n"
        ));
        assert!(!of(
            "y = np.random.randint(0, 2, 9)\nfor label in y: x = f(x)\nm.fit(x, y)\n"
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
