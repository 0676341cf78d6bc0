//! # loss-over-all-pairs (DL750)
//!
//! ## What it does
//! Reports arithmetic of a loss that combines an array of shape (n,) with one of shape (n, 1), of which one comes from the
//! model and the other does not: in a training loop of one's own, a `train_step` or a loss function.
//!
//! ## Why it matters
//! Broadcasting makes a table of (n, n) of them: every prediction stands against the label of every row. The loss is finite
//! and falls at first, but the gradient of a prediction no longer depends on the label of its own row. The best answer is the
//! same for all rows: the mean of the labels.
//!
//! ## Example
//! ```python
//! pred = model(x, training=True)                        # (50, 1)
//! loss = tf.reduce_mean(tf.square(y - pred))            # y: (50,)
//! ```
//!
//! ## Use instead
//! ```python
//! pred = model(x, training=True)
//! loss = tf.reduce_mean(tf.square(y - pred[:, 0]))
//! ```
//!
//! ## Fix safety
//! The patch takes the axis of length 1 off where the expression tells which operand has it. Unsafe: the shapes of other
//! batches are not known.
//!
//! ## References
//! Shape mismatches in the taxonomy of Humbatova et al. (ICSE 2020). Exact: the shapes of the operations are those that
//! TensorFlow computed, no threshold. Not seen within functions that are compiled on their own, and not on other back ends.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::Pairing;

use super::{Cause, Remedy};
use crate::case::Case;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL750",
    name: "loss-over-all-pairs",
    kind: Kind::Shape,
    severity: Severity::Error,
    source: include_str!("loss_over_all_pairs.rs"),
};

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let pairings = &case.fit.info.pairings;
    let line = |pairing: &Pairing| pairing.site.as_ref().map(|site| (site.path.clone(), site.line));
    // Both sides of a cross-entropy, say.
    let first_of_line = |number: usize| pairings[..number].iter().all(|earlier| line(earlier) != line(&pairings[number]));
    let numbered = pairings.iter().enumerate().filter(|(number, _)| first_of_line(*number));
    numbered.filter_map(|(number, pairing)| of_pairing(case, number, pairing)).collect()
}

fn of_pairing(case: &Case<'_>, number: usize, pairing: &Pairing) -> Option<Cause> {
    let [first, second] = &pairing.shapes[..] else { return None };
    let (predicted, other) = if pairing.prediction == 0 { (first, second) } else { (second, first) };
    let rows = predicted.first()?.map_or_else(|| "n".to_owned(), |rows| rows.to_string());
    let message = format!(
        "the model's output of shape {} meets values of shape {} here, and broadcasting makes a table of {rows} × {rows}: each \
         prediction is paired with the values of all rows instead of that of its own, so the best the network can learn is one \
         answer for all, such as the mean of the labels; give both the same shape",
        written(predicted),
        written(other),
    );
    let cause = Cause::new(&INFO, Place::Pairing(number), 0.95, message).settled().remedy(Remedy::Column {
        title: "Take the axis of length 1 off".into(),
        operation: operator(&pairing.operation)?,
        operand: usize::from(first.len() < second.len()),
    });
    Some(match case.loss_story() {
        // No step came about.
        story if story.is_empty() => cause,
        story => cause.seen(Phase::Loss, format!("loss {story}")),
    })
}

/// The operator, or the function of TensorFlow, behind an operation.
fn operator(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "Sub" => "-",
        "Mul" => "*",
        "RealDiv" => "/",
        "AddV2" => "+",
        "SquaredDifference" => "squared_difference",
        "DivNoNan" => "divide_no_nan",
        "Maximum" => "maximum",
        "Minimum" => "minimum",
        _ => return None,
    })
}

fn written(shape: &[Option<i64>]) -> String {
    let sizes: Vec<String> = shape.iter().map(|size| size.map_or_else(|| "n".to_owned(), |size| size.to_string())).collect();
    match &sizes[..] {
        [one] => format!("({one},)"),
        _ => format!("({})", sizes.join(", ")),
    }
}
