//! The halves that `train_test_split` makes of arrays, followed by what flows where and not by names.

use finding::Range;

use super::data::{Data, is_plain, targets};

/// An array that is one of the results of a `train_test_split`.
pub(crate) struct Half<'a> {
    pub statement: Range,
    /// Which of the arrays that were split it is of.
    pub array: usize,
    /// Whether it is the half for the test.
    pub test: bool,
    /// The name it was given.
    pub name: &'a str,
    /// The arrays that were split, where these are names.
    pub whole: Vec<Option<&'a str>>,
    /// Whether nothing behind the split takes or adds samples.
    pub keeps_rows: bool,
}

/// What puts samples of several arrays together, or makes more of them.
const MIXING: [&str; 8] = [
    "concat", "stack(", "append(", "resample", "repeat", "tile(", "augment", "r_[",
];

/// What leaves the samples as they are, one by one.
const ROW_BY_ROW: [&str; 6] = [
    ".astype(",
    ".transform(",
    ".fit_transform(",
    "to_categorical(",
    "np.array(",
    "np.asarray(",
];

impl<'a> Data<'a> {
    /// The half of a `train_test_split` that an array is.
    pub(crate) fn half(&self) -> Option<Half<'a>> {
        is_plain(self.range.slice(self.text()))?;
        let at = self.steps.iter().position(|step| {
            let function = step.change.value.slice(self.text()).split('(').next();
            function.is_some_and(|name| name.trim_end().ends_with("train_test_split"))
        })?;
        let step = self.steps.get(at)?;
        let statement = step.change.statement.slice(self.text());
        let name = step.change.target.slice(self.text());
        let names = targets(statement);
        let whole = arguments(step.change.value.slice(self.text()))?;
        let index = names.iter().position(|other| *other == name)?;
        if names.len() != 2 * whole.len() || names.iter().filter(|other| **other == name).count() != 1 {
            return None;
        }
        let behind: Vec<&str> = self.values().take(at).collect();
        if behind
            .iter()
            .any(|value| MIXING.iter().any(|mixing| value.contains(mixing)))
        {
            return None;
        }
        let by_row = |value: &&str| {
            is_plain(value).is_some()
                || (!value.contains('[')
                    && value.matches('(').count() <= 1
                    && ROW_BY_ROW.iter().any(|way| value.contains(way)))
        };
        Some(Half {
            statement: step.change.statement,
            array: index / 2,
            test: index % 2 == 1,
            name,
            whole,
            keeps_rows: behind.iter().all(by_row),
        })
    }

    /// Whether this is an array as it was when a split was made of it: all of its samples.
    pub(crate) fn is_whole_of(&self, half: &Half<'a>) -> bool {
        let name = self.range.slice(self.text());
        half.whole.contains(&Some(name))
            && self
                .steps
                .iter()
                .all(|step| step.change.statement.start < half.statement.start)
    }
}

/// The positional arguments of a call, each of them where it is a name.
fn arguments(call: &str) -> Option<Vec<Option<&str>>> {
    let inside = call.split_once('(')?.1.strip_suffix(')')?;
    let mut found = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    let ends = inside.char_indices().chain([(inside.len(), ',')]);
    for (at, letter) in ends {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                let argument = inside.get(start..at)?.trim();
                start = at + 1;
                let keyword = argument
                    .split_once('=')
                    .is_some_and(|(name, _)| is_plain(name.trim()).is_some());
                if argument.starts_with('*') {
                    return None;
                }
                if !keyword && !argument.is_empty() {
                    found.push(is_plain(argument));
                }
            }
            _ => {}
        }
    }
    Some(found)
}
