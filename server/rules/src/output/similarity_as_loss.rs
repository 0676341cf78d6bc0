//! # similarity-as-loss (DL161)
//!
//! ## What it does
//! Finds losses of the script's own that give the agreement of predictions and labels (Dice, IoU, F1, Tversky, cosine
//! similarity, R²) as it is, not 1 minus it.
//!
//! ## Why it matters
//! Training makes the loss as small as it can. A score that is 1 for a perfect prediction is made small by predicting
//! the opposite of the labels, or nothing.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import ops
//! def dice(y_true, y_pred):
//!     overlap = ops.sum(y_true * y_pred)
//!     return 2 * overlap / (ops.sum(y_true) + ops.sum(y_pred))
//! model = keras.Sequential([keras.layers.Conv2D(1, 3, activation="sigmoid")])
//! model.compile(optimizer="adam", loss=dice)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import ops
//! def dice(y_true, y_pred):
//!     overlap = ops.sum(y_true * y_pred)
//!     return 1 - (2 * overlap / (ops.sum(y_true) + ops.sum(y_pred)))
//! model = keras.Sequential([keras.layers.Conv2D(1, 3, activation="sigmoid")])
//! model.compile(optimizer="adam", loss=dice)
//! ```
//!
//! ## Fix safety
//! Unsafe: what the function returns is subtracted from 1; where it is a metric as well, the metric changes with it.
//!
//! ## References
//! - Milletari et al.: V-Net, 2016 (the Dice coefficient is maximised)
//! - `keras.losses.Dice`: `1 - (2 * sum(y_true * y_pred)) / (sum(y_true) + sum(y_pred))`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Term, TermKind};

use crate::context::Context;
use crate::read::{Definitions, Formula, Side, operation, returned};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL161",
    name: "similarity-as-loss",
    kind: Kind::Loss,
    severity: Severity::Warning,
    source: include_str!("similarity_as_loss.rs"),
};

/// Deeper formulas are not followed.
const DEEPEST: usize = 24;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if !context.may_have_own_loss() {
        return Vec::new();
    }
    let definitions = Definitions::of(context.code());
    let mut findings = Vec::new();
    for loss in definitions.losses() {
        let values = loss.returned();
        let [value] = values.as_slice() else { continue };
        let reading = Reading {
            definitions: &definitions,
            formula: Formula::of(&loss),
        };
        let mut signs = Vec::new();
        reading.scores(value, true, &mut signs, 0);
        if signs.is_empty() || signs.contains(&false) {
            continue;
        }
        let message = format!(
            "the loss `{}` grows as the predictions come to agree with the labels, and training makes it as small as it can: it learns \
             to disagree. Return 1 minus the score",
            loss.name
        );
        let fix = context.fix(
            "Return 1 minus the score",
            Applicability::Unsafe,
            value.range,
            format!("1 - ({})", value.range.slice(context.text)),
        );
        findings.push(Finding {
            confidence: 0.94,
            fixes: vec![fix],
            ..context.finding(&INFO, value.range, message)
        });
    }
    findings
}

struct Reading<'d, 'a> {
    definitions: &'d Definitions<'a>,
    formula: Formula<'a>,
}

impl<'a> Reading<'_, 'a> {
    /// Whether each score in an expression makes it larger (`true`) or smaller; what is not understood is left out.
    fn scores(&self, term: &'a Term, grows: bool, signs: &mut Vec<bool>, depth: usize) {
        let term = self.formula.value(term);
        if depth > DEEPEST {
            return;
        }
        if self.is_cosine(term) {
            signs.push(grows);
            return;
        }
        match operation(term) {
            Some(("+", terms)) => {
                for term in terms {
                    self.scores(term, grows, signs, depth + 1);
                }
            }
            Some(("-", terms)) => {
                if let [left, right] = terms.as_slice() {
                    self.scores(left, grows, signs, depth + 1);
                    self.scores(right, !grows, signs, depth + 1);
                }
            }
            Some(("*", terms)) => {
                if let [left, right] = terms.as_slice() {
                    match (left.number(), right.number()) {
                        (Some(factor), None) => self.scores(right, grows == (factor > 0.0), signs, depth + 1),
                        (None, Some(factor)) => self.scores(left, grows == (factor > 0.0), signs, depth + 1),
                        _ => {}
                    }
                }
            }
            Some(("/", terms)) => {
                if let [above, below] = terms.as_slice() {
                    self.ratio(above, below, grows, signs, depth);
                }
            }
            Some(("negative", terms)) => {
                for term in terms {
                    self.scores(term, !grows, signs, depth + 1);
                }
            }
            Some(("of", terms)) => {
                for term in terms {
                    self.scores(term, grows, signs, depth + 1);
                }
            }
            Some(_) => {}
            None => self.called(term, grows, signs, depth),
        }
    }

    fn ratio(&self, above: &'a Term, below: &'a Term, grows: bool, signs: &mut Vec<bool>, depth: usize) {
        let (labels, predictions) = (
            self.formula.mentions(below, Side::Labels),
            self.formula.mentions(below, Side::Predictions),
        );
        if below.number().is_some() {
            self.scores(above, grows, signs, depth + 1);
        } else if labels && predictions && self.is_overlap(above, depth) {
            signs.push(grows);
        } else if labels && !predictions && self.is_squared_error(above, depth) {
            // What is left of the variance: 1 - it is R².
            signs.push(!grows);
        }
    }

    /// Another function of labels and predictions.
    fn called(&self, term: &'a Term, grows: bool, signs: &mut Vec<bool>, depth: usize) {
        let TermKind::Call(call) = &term.kind else { return };
        let sides: Vec<_> = call
            .arguments
            .iter()
            .take(2)
            .map(|(_, value)| self.formula.side(value))
            .collect();
        let of_both = matches!(
            sides.as_slice(),
            [Some(Side::Labels), Some(Side::Predictions)] | [Some(Side::Predictions), Some(Side::Labels)]
        );
        if !of_both {
            return;
        }
        match call.path.as_deref() {
            Some("tensorflow.image.ssim" | "tensorflow.image.ssim_multiscale" | "tensorflow.image.psnr") => {
                signs.push(grows);
            }
            Some(_) => {}
            None => {
                let Some(defined) = self.definitions.called(call) else {
                    return;
                };
                let (parameters, values) = (defined.parameters(), returned(defined.function));
                if let ([first, second, ..], [value]) = (parameters.as_slice(), values.as_slice()) {
                    let (labels, predictions) = if sides.first() == Some(&Some(Side::Labels)) {
                        (first, second)
                    } else {
                        (second, first)
                    };
                    let inner = Reading {
                        definitions: self.definitions,
                        formula: Formula::of_function(defined.function, labels, predictions),
                    };
                    inner.scores(value, grows, signs, depth + 4);
                }
            }
        }
    }

    /// Whether an expression is the overlap of labels and predictions, or a multiple of it.
    fn is_overlap(&self, term: &'a Term, depth: usize) -> bool {
        let term = self.formula.value(term);
        if depth > DEEPEST {
            return false;
        }
        match operation(term) {
            Some(("*", terms)) => {
                let sides: Vec<_> = terms.iter().map(|term| self.formula.side(term)).collect();
                (sides.contains(&Some(Side::Labels)) && sides.contains(&Some(Side::Predictions)))
                    || terms.iter().any(|term| self.is_overlap(term, depth + 1))
            }
            Some(("+", terms)) => terms.iter().any(|term| self.is_overlap(term, depth + 1)),
            Some(("/", terms)) => terms
                .first()
                .is_some_and(|above| self.is_overlap(above, depth + 1)),
            Some(("of", terms)) => {
                !is_curved(term) && terms.iter().any(|term| self.is_overlap(term, depth + 1))
            }
            // Of a product of what is not negative.
            Some(("abs", terms)) => terms.iter().any(|term| self.is_overlap(term, depth + 1)),
            Some(_) => false,
            None => self.is_script_score(term, depth),
        }
    }

    /// Precision or recall that a function of the script gives.
    fn is_script_score(&self, term: &'a Term, depth: usize) -> bool {
        let mut signs = Vec::new();
        self.called(term, true, &mut signs, depth);
        !signs.is_empty() && !signs.contains(&false)
    }

    fn is_squared_error(&self, term: &'a Term, depth: usize) -> bool {
        let term = self.formula.value(term);
        if depth > DEEPEST {
            return false;
        }
        let difference = |term: &'a Term| match operation(self.formula.value(term)) {
            Some(("-", terms)) => {
                let sides: Vec<_> = terms.iter().map(|term| self.formula.side(term)).collect();
                sides.contains(&Some(Side::Labels)) && sides.contains(&Some(Side::Predictions))
            }
            _ => false,
        };
        match operation(term) {
            Some(("square", terms)) => terms.iter().any(|term| difference(term)),
            Some(("**", terms)) => terms.first().is_some_and(|base| difference(base)),
            Some(("of", terms)) => {
                !is_curved(term) && terms.iter().any(|term| self.is_squared_error(term, depth + 1))
            }
            _ => false,
        }
    }

    /// The product of labels and predictions that are brought to length 1.
    fn is_cosine(&self, term: &'a Term) -> bool {
        let normalised = |term: &'a Term| {
            let call = self.formula.value(term).call()?;
            let named = matches!(call.last()?, "l2_normalize" | "normalize");
            named
                .then(|| self.formula.side(&call.arguments.first()?.1))
                .flatten()
        };
        let Some(("*", terms)) = operation(term) else {
            return false;
        };
        let sides: Vec<_> = terms.iter().map(|term| normalised(term)).collect();
        sides.contains(&Some(Side::Labels)) && sides.contains(&Some(Side::Predictions))
    }
}

/// Whether a function is none that only sums up.
fn is_curved(term: &Term) -> bool {
    let last = term.call().and_then(|call| call.last());
    matches!(last, Some("log" | "exp" | "sqrt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(loss: &str, given: &str) -> String {
        // With `keras.ops` a script is one for Keras 3, whose backend has no functions.
        let ops = if loss.contains("ops.") {
            "from keras import ops\n"
        } else {
            ""
        };
        format!(
            "import keras\nimport tensorflow as tf\nfrom keras import backend as K\n{ops}S = 1.0\n{loss}\
             m = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', loss={given})\n"
        )
    }

    fn returning(value: &str) -> String {
        compiled(&format!("def f(t, p):\n    return {value}\n"), "f")
    }

    #[test]
    fn tables() {
        let dice = "def dice(y_true, y_pred):\n    a = K.flatten(y_true)\n    b = K.flatten(y_pred)\n    o = K.sum(a * b)\n    \
                    return (2. * o + S) / (K.sum(a) + K.sum(b) + S)\n";
        let f1 = "def f1(t, p):\n    tp = tf.reduce_sum(t * p)\n    fp = tf.reduce_sum((1 - t) * p)\n    fn = tf.reduce_sum(t * (1 - p))\n    \
                  precision = tp / (tp + fp)\n    recall = tp / (tp + fn)\n    score = 2 * precision * recall / (precision + recall)\n";
        let pass = [
            compiled(
                &format!("{dice}def loss(t, p):\n    return 1 - dice(t, p)\n"),
                "loss",
            ),
            compiled(
                &format!("{dice}def loss(t, p):\n    return -dice(t, p)\n"),
                "loss",
            ),
            compiled(
                &format!("{dice}def loss(t, p):\n    return -K.log(dice(t, p))\n"),
                "loss",
            ),
            compiled(
                &format!(
                    "{dice}def loss(t, p):\n    return keras.losses.binary_crossentropy(t, p) + (1 - dice(t, p))\n"
                ),
                "loss",
            ),
            compiled(dice, "'mse', metrics=[dice]"),
            compiled(&format!("{f1}    return 1 - score\n"), "f1"),
            compiled(&format!("{f1}    return 1 - tf.reduce_mean(score)\n"), "f1"),
            returning("K.mean(t * p)"),
            returning("-K.sum(t * K.log(p)) / K.sum(t)"),
            returning("K.sum((1 - t) * p) / (K.sum(1 - t) + K.sum(p))"),
            returning("K.sum(K.square(t - p)) / K.sum(K.square(t - K.mean(t)))"),
            returning("-K.sum(K.l2_normalize(t) * K.l2_normalize(p))"),
            returning("K.sum(K.abs(t - p)) / (K.sum(t) + K.sum(p))"),
            returning("1 - tf.reduce_mean(tf.image.ssim(t, p, 1.0))"),
        ];
        let fail = [
            (
                returning("K.sum(K.abs(t * p)) / (K.sum(K.abs(t) + K.abs(p)) - K.sum(K.abs(t * p)))"),
                "K.sum(K.abs(t * p)) / (K.sum(K.abs(t) + K.abs(p)) - K.sum(K.abs(t * p)))",
            ),
            (compiled(dice, "dice"), "(2. * o + S) / (K.sum(a) + K.sum(b) + S)"),
            (compiled(&format!("{f1}    return score\n"), "f1"), "score"),
            (
                compiled(
                    &format!(
                        "{dice}def loss(t, p):\n    return keras.losses.binary_crossentropy(t, p) + dice(t, p)\n"
                    ),
                    "loss",
                ),
                "keras.losses.binary_crossentropy(t, p) + dice(t, p)",
            ),
            (
                returning("1 - K.sum(K.square(t - p)) / K.sum(K.square(t - K.mean(t)))"),
                "1 - K.sum(K.square(t - p)) / K.sum(K.square(t - K.mean(t)))",
            ),
            (
                returning("K.sum(K.l2_normalize(t) * K.l2_normalize(p))"),
                "K.sum(K.l2_normalize(t) * K.l2_normalize(p))",
            ),
            (
                compiled(
                    "class IoU(keras.losses.Loss):\n    def call(self, y, q):\n        both = ops.sum(y * q)\n        return ops.divide(both, ops.sum(y) + ops.sum(q) - both)\n",
                    "IoU()",
                ),
                "ops.divide(both, ops.sum(y) + ops.sum(q) - both)",
            ),
            (
                returning("tf.reduce_mean(tf.image.ssim(t, p, 1.0))"),
                "tf.reduce_mean(tf.image.ssim(t, p, 1.0))",
            ),
        ];
        let fix = [(
            returning("K.sum(t * p) / (K.sum(t) + K.sum(p))"),
            returning("1 - (K.sum(t * p) / (K.sum(t) + K.sum(p)))"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
