//! Arrays that are the same number throughout.

use super::data::{Data, compact};
use crate::context::Context;

/// What a line may do with an array and leave it as it is.
const HARMLESS: [&str; 9] = [
    ".fit(",
    ".evaluate(",
    ".predict(",
    "train_test_split(",
    "print(",
    ".shape",
    "len(",
    "assert",
    ".std(",
];

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
    let Some(made) = made.filter(|step| makes_constant(step.change.value.slice(context.text))) else {
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
    let mut untouched = true;
    for line in context.text.split_inclusive('\n') {
        let code = at + (line.len() - line.trim_start().len());
        at += line.len();
        let mentions = names.iter().any(|name| {
            line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
                .any(|word| word == *name)
        });
        let harmless = own(code) || HARMLESS.iter().any(|use_| line.contains(use_));
        untouched &= !mentions || harmless || line.trim_start().starts_with('#');
    }
    untouched && made.changes_values
}
