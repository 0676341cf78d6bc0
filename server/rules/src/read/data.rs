//! What is known about the arrays that go into a model.

use finding::Range;
use program::{Argument, Call, Program, Step, Value};

use super::label_sources::{numbers, one_hot};
use super::label_values::shifted;
use super::training::receiver;

/// An array of features or labels, with the statements its values went through, the nearest first.
pub(crate) struct Data<'a> {
    pub range: Range,
    pub steps: Vec<Step>,
    text: &'a str,
}

/// The arrays a call of a model is given.
pub(crate) struct Set<'a> {
    pub call: &'a Call,
    pub x: Option<Data<'a>>,
    pub y: Option<Data<'a>>,
}

/// The arrays of a training: what it learns from, and what it is judged by (validation, `evaluate`, `predict`).
pub(crate) struct Sets<'a> {
    pub training: Set<'a>,
    pub others: Vec<Set<'a>>,
}

/// A data set of Keras.
pub(crate) struct Known {
    pub name: &'static str,
    pub samples: i64,
    /// Classes; 0 for numbers.
    pub classes: i64,
    /// Whether the features are pixels from 0 to 255.
    pub pixels: bool,
}

const KNOWN: [Known; 8] = [
    known("mnist", 60_000, 10, true),
    known("fashion_mnist", 60_000, 10, true),
    known("cifar10", 50_000, 10, true),
    known("cifar100", 50_000, 100, true),
    known("imdb", 25_000, 2, false),
    known("reuters", 8_982, 46, false),
    known("boston_housing", 404, 0, false),
    known("california_housing", 16_512, 0, false),
];

const fn known(name: &'static str, samples: i64, classes: i64, pixels: bool) -> Known {
    Known {
        name,
        samples,
        classes,
        pixels,
    }
}

/// How labels are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A column per class; how many where it is known.
    OneHot(Option<i64>),
    /// One column of class numbers; the largest where it is known.
    Numbers(Option<i64>),
}

impl<'a> Data<'a> {
    /// The text the array is in.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The right sides on the way, the nearest first.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.change.value.slice(self.text))
    }

    /// The nearest statement that makes other values.
    pub(crate) fn last_change(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.changes_values)
    }

    /// The statement on the way that divides by 255.
    pub(crate) fn divided(&self) -> Option<&Step> {
        self.steps.iter().find(|step| {
            let statement = compact(step.change.statement.slice(self.text));
            [
                "/255", "/=255", "*(1/255", "*1./255", "/256", "/=256", "/127.5", "/=127.5",
            ]
            .iter()
            .any(|division| statement.contains(division))
        })
    }

    /// The data set of Keras the values come from, and which of its four arrays they are.
    pub(crate) fn data_set(&self, program: &Program) -> Option<(&'static Known, usize)> {
        let made = self.steps.last()?;
        let call = program
            .calls
            .iter()
            .find(|call| call.range == made.change.value)?;
        let module = call
            .callee
            .strip_prefix("keras.datasets.")?
            .strip_suffix(".load_data")?;
        let known = KNOWN.iter().find(|known| known.name == module)?;
        let index = array(
            made.change.statement.slice(self.text),
            made.change.target.slice(self.text),
        )?;
        Some((known, index))
    }

    /// Whether the values are as `load_data` gave them.
    pub(crate) fn is_raw(&self) -> bool {
        self.steps.iter().filter(|step| step.changes_values).count() == 1
            && self.steps.last().is_some_and(|step| step.changes_values)
    }

    /// Whether nothing after the last change gives the array another shape.
    fn keeps_shape(&self) -> bool {
        self.steps
            .iter()
            .take_while(|step| !step.changes_values)
            .all(|step| {
                let value = step.change.value.slice(self.text);
                is_name(value)
                    || value.contains("train_test_split(")
                    || value.contains("shuffle(")
                    || value.contains(".astype(")
                    || (value.ends_with(']') && !value.contains(',') && value.contains(':'))
            })
    }

    /// How labels are written; `None` when that is not known.
    pub(crate) fn encoding(&self, program: &Program) -> Option<Encoding> {
        let given = self.range.slice(self.text).trim();
        if !self.keeps_shape() || (is_plain(given).is_none() && self.steps.len() > 1) {
            return None;
        }
        let encoding = self.encoding_of_all(program)?;
        // `y[y < 6]` may lack the last classes.
        let chosen = given.ends_with(']') && !given.contains(':');
        Some(match encoding {
            Encoding::Numbers(_) if chosen => Encoding::Numbers(None),
            encoding => encoding,
        })
    }

    /// How the labels are written that the last change makes.
    fn encoding_of_all(&self, program: &Program) -> Option<Encoding> {
        let change = self.last_change()?;
        let value = change.change.value.slice(self.text).trim();
        if let Some(call) = program
            .calls
            .iter()
            .find(|call| call.range == change.change.value)
        {
            if call.callee == "keras.utils.to_categorical" {
                let classes = call.argument("num_classes").map(|classes| &classes.value.value);
                return Some(Encoding::OneHot(match classes {
                    Some(Value::Int(classes)) => Some(*classes),
                    _ => None,
                }));
            }
            let (known, index) = self.data_set(program)?;
            let labels = index % 2 == 1 && known.classes > 0 && self.is_raw();
            return labels.then_some(Encoding::Numbers(Some(known.classes - 1)));
        }
        self.encoding_by_scikit_learn(value)
            .or_else(|| random_labels(value))
            .or_else(|| shifted_labels(value))
            .or_else(|| dummies(value))
            .or_else(|| one_hot(value, self.text))
            .or_else(|| numbers(value, self.place(), self.text))
    }

    /// Whether there is one label per sample, and not one per time step or pixel, however they are written.
    pub(crate) fn one_per_sample(&self, program: &Program) -> bool {
        let made_of_columns = |step: &Step| {
            let value = step.change.value.slice(self.text);
            value.contains("get_dummies(") || value.contains("fit_transform(")
        };
        match self.encoding(program) {
            // `np.eye(10)[labels]` and `to_categorical(labels)` have one more axis than the labels, which may have any.
            Some(Encoding::OneHot(_)) => {
                self.data_set(program).is_some() || self.last_change().is_some_and(made_of_columns)
            }
            encoding => encoding.is_some(),
        }
    }

    /// Which of the names on the left side of the last change holds these values.
    fn place(&self) -> Option<usize> {
        let step = self.last_change()?;
        let target = step.change.target.slice(self.text);
        targets(step.change.statement.slice(self.text))
            .iter()
            .position(|name| *name == target)
    }

    /// Labels made by an object that is called LabelEncoder or LabelBinarizer.
    fn encoding_by_scikit_learn(&self, value: &str) -> Option<Encoding> {
        let (object, rest) = value.split_once(".fit_transform(")?;
        let closed = rest.ends_with(')') && rest.matches('(').count() + 1 == rest.matches(')').count();
        let is_made_by = |class: &str| {
            object.trim_end_matches("()").ends_with(class)
                || self.text.lines().any(|line| {
                    let line = compact(line);
                    line.starts_with(&format!("{object}=")) && line.ends_with(&format!("{class}()"))
                })
        };
        (closed && is_made_by("LabelEncoder")).then_some(Encoding::Numbers(None))
    }
}

/// `np.random.randint(0, 10, size=n) + 1`
fn shifted_labels(value: &str) -> Option<Encoding> {
    let value = compact(value);
    let (left, number) = shifted(&value)?;
    match random_labels(left)? {
        Encoding::Numbers(Some(largest)) => Some(Encoding::Numbers(Some(largest.checked_add(number)?))),
        _ => None,
    }
}

/// `np.random.randint(0, 10, size=n)`: one column of numbers below 10.
fn random_labels(value: &str) -> Option<Encoding> {
    let arguments = value
        .strip_prefix("np.random.randint(")
        .or_else(|| value.strip_prefix("numpy.random.randint("))?;
    let arguments = compact(arguments.strip_suffix(')')?);
    let (low, rest) = arguments.split_once(',')?;
    let (high, size) = rest.split_once(',')?;
    let (low, high): (i64, i64) = (
        low.trim_start_matches("low=").parse().ok()?,
        high.trim_start_matches("high=").parse().ok()?,
    );
    let size = size.trim_start_matches("size=");
    let column = is_plain(size).is_some()
        || size.chars().all(|letter| letter.is_ascii_digit())
        || (size.starts_with('(')
            && (size.ends_with(",)") || size.ends_with(",1)"))
            && size.matches(',').count() == 1);
    (column && low < high).then_some(Encoding::Numbers(Some(high - 1)))
}

/// `pd.get_dummies(table["class"])`: a column per class. Of a whole table, only the columns with text are encoded.
fn dummies(value: &str) -> Option<Encoding> {
    let value = compact(value);
    let arguments = value
        .strip_prefix("pd.get_dummies(")
        .or_else(|| value.strip_prefix("pandas.get_dummies("))?;
    let (inside, rest) = arguments.split_once(')')?;
    let column = inside.split(',').next()?;
    let one = ["']", "\"]"].iter().any(|end| column.ends_with(end)) && !column.contains("[[");
    let plain = rest.is_empty() || rest == ".values" || rest == ".to_numpy()";
    (one && plain && !inside.contains("drop_first")).then_some(Encoding::OneHot(None))
}

/// Which of the four arrays of `load_data` a name is given, where the statement takes both pairs, or one of them, apart.
fn array(statement: &str, name: &str) -> Option<usize> {
    let left = compact(statement.split_once('=')?.0);
    let names = targets(statement);
    let index = names.iter().position(|target| *target == name)?;
    let pair = |part: Option<&str>| part.is_some_and(|part| part.matches(',').count() == 1);
    match names.len() {
        4 => Some(index),
        // `(x, y), test = …`
        3 if left.starts_with('(') && index < 2 => pair(left.split(')').next()).then_some(index),
        // `train, (x, y) = …`
        3 if left.ends_with(')') && index > 0 => pair(left.rsplit('(').next()).then_some(index + 1),
        _ => None,
    }
}

/// A text without its blanks.
pub(crate) fn compact(text: &str) -> String {
    text.split_whitespace().collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// A name, or an attribute of one.
pub(crate) fn is_plain(text: &str) -> Option<&str> {
    text.split('.').all(is_name).then_some(text)
}

/// The names a statement gives values, in order.
pub(crate) fn targets(statement: &str) -> Vec<&str> {
    let left = statement.split_once('=').map_or("", |(left, _)| left);
    left.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .filter(|name| !name.is_empty())
        .collect()
}

/// The arrays of every `fit`, in the order of [`Program::fits`].
pub(crate) fn sets<'a>(program: &'a Program, text: &'a str) -> Vec<Sets<'a>> {
    let fits: Vec<&Call> = program.fits.iter().map(|fit| program.call(fit.call)).collect();
    let mut drafts = Vec::new();
    for fit in &fits {
        let plain = |call: &'a Call| {
            let x = argument(call, "x").or_else(|| argument(call, "generator"));
            (call, x, argument(call, "y"))
        };
        let mut calls = vec![plain(fit)];
        if let Some(validation) = fit.argument("validation_data")
            && let Value::List(list) = &validation.value.value
        {
            calls.push((*fit, list.first().map(|x| x.range), list.get(1).map(|y| y.range)));
        }
        let mine = |call: &&'a Call| {
            matches!(call.callee.as_str(), "Model.evaluate" | "Model.predict")
                && receiver(call, text) == receiver(fit, text)
        };
        calls.extend(program.calls.iter().filter(mine).map(plain));
        drafts.push(calls);
    }
    let uses: Vec<(Range, usize)> = drafts
        .iter()
        .flatten()
        .flat_map(|(call, x, y)| {
            [*x, *y]
                .into_iter()
                .flatten()
                .map(|range| (range, call.range.start))
        })
        .collect();
    let mut trails = program.trails(text, &uses).into_iter();
    let mut data = |range: Option<Range>| {
        range.map(|range| Data {
            range,
            steps: trails.next().unwrap_or_default(),
            text,
        })
    };
    drafts
        .into_iter()
        .filter_map(|calls| {
            let mut sets = calls.into_iter().map(|(call, x, y)| Set {
                call,
                x: data(x),
                y: data(y),
            });
            Some(Sets {
                training: sets.next()?,
                others: sets.collect(),
            })
        })
        .collect()
}

fn argument(call: &Call, name: &str) -> Option<Range> {
    call.argument(name)
        .map(|argument: &Argument| argument.value.range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_labels_that_are_shifted() {
        let largest = |value| match shifted_labels(value) {
            Some(Encoding::Numbers(largest)) => largest,
            _ => None,
        };
        assert_eq!(largest("np.random.randint(0, 10, size=n) + 1"), Some(10));
        assert_eq!(largest("np.random.randint(0, 10, size=n) - 2"), Some(7));
        assert_eq!(
            largest("np.random.randint(0, 9223372036854775807, size=100) + 5"),
            None
        );
    }
}
