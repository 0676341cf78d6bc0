//! Arrays that are the same number throughout.

use program::Change;

use super::data::{Data, compact, is_plain};
use crate::context::Context;

/// Functions that leave what they are given as it is.
const HARMLESS: [&str; 7] = [
    "fit",
    "evaluate",
    "predict",
    "train_test_split",
    "print",
    "len",
    "std",
];

/// What may be asked of an array.
const ASKED: [&str; 4] = [".shape", ".std(", ".mean(", ".dtype"];

/// Whether an expression makes such an array.
fn makes_constant(value: &str) -> bool {
    let value = compact(value);
    let made = ["np.", "numpy."]
        .iter()
        .find_map(|module| value.strip_prefix(module));
    let Some(made) = made else { return false };
    let call = ["zeros(", "ones(", "full(", "zeros_like(", "ones_like("];
    let whole = made.ends_with(')') && {
        // Nothing behind the call: its bracket is the last to close.
        let mut depth = 0_usize;
        let mut closed = 0;
        for letter in made.chars() {
            match letter {
                '(' => depth += 1,
                ')' => {
                    depth = depth.saturating_sub(1);
                    closed += usize::from(depth == 0);
                }
                _ => {}
            }
        }
        closed == 1
    };
    whole && call.iter().any(|call| made.starts_with(call))
}

/// Whether values are certainly such an array when they are used: made so, and on no other line that may fill it.
pub(crate) fn is_constant(context: &Context<'_>, data: &Data<'_>) -> bool {
    let made = data.steps.iter().rfind(|step| step.changes_values);
    if !made.is_some_and(|step| makes_constant(step.change.value.slice(context.text))) {
        return false;
    };
    let names: Vec<&str> = data
        .steps
        .iter()
        .map(|step| step.change.target.slice(context.text))
        .collect();
    if names.iter().any(|name| name.contains('[')) {
        return false;
    }
    let own = |start: usize| {
        data.steps
            .iter()
            .any(|step| step.change.statement.contains_offset(start))
    };
    let mut at = 0;
    for line in context.text.split_inclusive('\n') {
        let code = line.trim_start();
        let start = at + (line.len() - code.len());
        at += line.len();
        let passed_over = code.starts_with('#') || code.starts_with("assert") || own(start);
        if !passed_over && names.iter().any(|name| may_fill(line, name)) {
            return false;
        }
    }
    true
}

/// Whether a line may do more with a name than look at it.
fn may_fill(line: &str, name: &str) -> bool {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let whole = !before.ends_with(part) && !after.starts_with(part);
        let asked = ASKED.iter().any(|use_| after.starts_with(use_));
        whole && !asked && !around(before).is_some_and(|function| HARMLESS.contains(&function))
    })
}

/// The function among whose arguments the end of a text stands, without what is before its last dot.
fn around(before: &str) -> Option<&str> {
    let mut closed = 0_usize;
    for (at, letter) in before.char_indices().rev() {
        match letter {
            ')' | ']' | '}' => closed += 1,
            '(' | '[' | '{' if closed > 0 => closed -= 1,
            '(' => {
                let function = before[..at]
                    .rsplit(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
                    .next()?;
                // A bracket without a function only groups.
                if !function.is_empty() {
                    return Some(function);
                }
            }
            _ => {}
        }
    }
    None
}

/// The statement that gives one whole column of the features a value, as the last that happens to them: `table['a'] = …`,
/// `x[:, 3] = …`. `None` when the column may be changed elsewhere, or may not be among the features.
pub(crate) fn whole_column<'d>(context: &Context<'_>, x: &'d Data<'_>) -> Option<&'d Change> {
    let text = context.text;
    let at = x.steps.iter().position(|step| step.changes_values)?;
    let (later, change) = (x.steps.get(..at)?, &x.steps.get(at)?.change);
    let target = change.target.slice(text);
    let (name, column) = target.strip_suffix(']')?.split_once('[')?;
    let key = ['\'', '"']
        .iter()
        .find_map(|quote| column.strip_prefix(*quote)?.strip_suffix(*quote));
    let once = match key {
        // Whoever names the column elsewhere may fill it, or leave it out.
        Some(key) => {
            let spelled = |quote: char| text.matches(&format!("{quote}{key}{quote}")).count();
            is_column_name(key) && spelled('\'') + spelled('"') == 1
        }
        None => {
            let number = compact(column);
            let number = number.strip_prefix(":,")?;
            number.parse::<i64>().is_ok() && text.matches(target).count() == 1
        }
    };
    let selects = |value: &str| {
        let rows = value
            .split('[')
            .skip(1)
            .all(|rest| rest.split(']').next().is_some_and(is_row_slice));
        !rows || CHOOSING.iter().any(|method| value.contains(method))
    };
    let kept = later.iter().map(|step| step.change.value).chain([x.range]);
    let chosen = kept.into_iter().any(|value| selects(value.slice(text)));
    (is_plain(name).is_some() && once && !chosen).then_some(change)
}

/// Methods that choose columns.
const CHOOSING: [&str; 4] = [".drop(", ".filter(", ".pop(", ".select_dtypes("];

/// `:800`, `n:`: no columns.
fn is_row_slice(inside: &str) -> bool {
    inside.contains(':') && !inside.contains([',', '\'', '"'])
}

fn is_column_name(key: &str) -> bool {
    !key.is_empty() && !key.contains(['\'', '"', '[', ']'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mention_is_judged() {
        for (line, fills) in [
            ("m.fit(x, y)", false),
            ("print(n, x.shape, (x))", false),
            ("n = x.std()", false),
            ("n = np.std(x)", false),
            ("xs = max_x + x_1", false),
            ("read_into(x, len(files))", true),
            ("print(fill(x))", true),
            ("x[3] = len(files)", true),
            ("fill(x); print(x.shape)", true),
        ] {
            assert_eq!(may_fill(line, "x"), fills, "{line}");
        }
    }
}
