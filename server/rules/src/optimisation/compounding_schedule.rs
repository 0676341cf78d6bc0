//! # compounding-schedule (DL350)
//!
//! ## What it does
//! Finds functions of a `LearningRateScheduler` that multiply the learning rate in force by a factor that is meant for the
//! initial one: `lr * 0.5 ** epoch`, `lr * math.exp(-0.1 * epoch)`, `lr / (1 + decay * epoch)`.
//!
//! ## Why it matters
//! What a scheduler is given is the rate that it returned the epoch before. The factors of all epochs are multiplied, so
//! `0.5 ** epoch` is 0.5 after one epoch, 0.125 after two, 0.016 after three and one in a million after six: the network
//! stops learning while it has hardly begun.
//!
//! ## Example
//! ```python
//! import keras
//! def step_decay(epoch, lr):
//!     return lr * 0.5 ** epoch
//! callback = keras.callbacks.LearningRateScheduler(step_decay)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! def step_decay(epoch, lr):
//!     return 0.1 * 0.5 ** epoch
//! callback = keras.callbacks.LearningRateScheduler(step_decay)
//! ```
//!
//! ## Fix safety
//! No fix: the initial rate is for the script to name. A factor that does not depend on the epoch (`lr * 0.9`) is right.
//!
//! ## References
//! - `keras.callbacks.LearningRateScheduler`: "takes an epoch index … and current learning rate"

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Code, Field, Node, Value};

use crate::context::{Context, given};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL350",
    name: "compounding-schedule",
    kind: Kind::LearningRate,
    severity: Severity::Warning,
    source: include_str!("compounding_schedule.rs"),
};

/// Epochs of a training whose number is not known.
const USUAL_EPOCHS: i64 = 50;

/// More epochs make no difference.
const MOST_EPOCHS: i64 = 500;

/// How much of the initial rate is left when it has vanished, and how much smaller it is than what was meant.
const VANISHED: f64 = 1e-4;
const SMALLER: f64 = 1e-3;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if call.callee != "keras.callbacks.LearningRateScheduler" {
            continue;
        }
        let found = || {
            let code = context.tree()?;
            let schedule = code.at(call.argument("schedule")?.value.range)?;
            let function = match schedule.kind() {
                "lambda" => schedule,
                _ => code.function(schedule).or_else(|| code.value(schedule))?,
            };
            compounds(context, code, function)
        };
        findings.extend(found());
    }
    findings
}

fn epochs(context: &Context<'_>) -> i64 {
    let epochs = context
        .trainings
        .iter()
        .filter_map(|training| match given(training.fit, "epochs") {
            crate::context::Given::Value(value) => match value.value {
                Value::Int(epochs) => Some(epochs),
                _ => None,
            },
            _ => None,
        });
    epochs.max().unwrap_or(USUAL_EPOCHS).min(MOST_EPOCHS)
}

/// What a function of the epoch and the current rate makes of them.
struct Schedule<'c, 'a> {
    code: &'c Code<'a>,
    epoch: &'a str,
    rate: Option<&'a str>,
}

fn compounds(context: &Context<'_>, code: &Code<'_>, function: Node<'_>) -> Option<Finding> {
    let parameters = function.parameter_names();
    let (epoch, rate) = match parameters.as_slice() {
        [epoch] => (*epoch, None),
        [epoch, rate] => (*epoch, Some(*rate)),
        _ => return None,
    };
    let schedule = Schedule { code, epoch, rate };
    for expression in results(function, rate)? {
        let Some(factors) = schedule.factors(expression) else {
            continue;
        };
        let place = expression.range();
        let factor = |epoch: i64| {
            factors.iter().try_fold(1.0, |product, (node, divides)| {
                let value = schedule.number(*node, epoch as f64, 0)?;
                Some(if *divides {
                    product / value
                } else {
                    product * value
                })
            })
        };
        let epochs = epochs(context);
        let values: Option<Vec<f64>> = (0..epochs).map(factor).collect();
        let advice = "multiply the initial rate instead, or take a factor that does not depend on the epoch";
        let Some(values) = values else {
            if factors.iter().any(|(node, _)| schedule.is_power(*node)) {
                let message = format!(
                    "a scheduler is given the rate in force, which has the factors of all earlier epochs in it already; with one more \
                     that grows with the epoch the rate vanishes within a few epochs; {advice}"
                );
                return Some(Finding {
                    severity: Severity::Information,
                    confidence: 0.6,
                    ..context.finding(&INFO, place, message)
                });
            }
            continue;
        };
        let left: f64 = values.iter().map(|value| value.min(1.0)).product();
        let meant = values.iter().copied().fold(1.0, f64::min);
        let sane = values.iter().all(|value| *value > 0.0);
        if sane && left < VANISHED && left < meant * SMALLER {
            let mut rest = 1.0;
            let gone = values.iter().take_while(|value| {
                rest *= value.min(1.0);
                rest >= VANISHED
            });
            let gone = gone.count() + 1;
            let message = format!(
                "a scheduler is given the rate in force, which has the factors of all earlier epochs in it already: after {gone} epochs \
                 less than a ten-thousandth of the initial rate is left, and the network learns no more; {advice}"
            );
            return Some(Finding {
                confidence: 0.93,
                ..context.finding(&INFO, place, message)
            });
        }
    }
    None
}

/// The expressions that a function gives; where it changes the rate in place, the one that it changes it to.
fn results<'a>(function: Node<'a>, rate: Option<&str>) -> Option<Vec<Node<'a>>> {
    let body = function.field(Field::Body)?;
    if function.is("lambda") {
        return Some(vec![body]);
    }
    let mut results = Vec::new();
    for assignment in body.all(&["assignment", "augmented_assignment"]) {
        let left = assignment.field(Field::Left)?;
        if rate.is_some_and(|rate| left.text() == rate) {
            results.push(if assignment.is("assignment") {
                assignment.field(Field::Right)?
            } else {
                assignment
            });
        }
    }
    if results.len() > 1 {
        return None;
    }
    if results.is_empty() {
        let returns = body.all(&["return_statement"]).into_iter();
        results.extend(returns.filter_map(|given| given.children().first().copied()));
    }
    Some(results)
}

impl<'a> Schedule<'_, 'a> {
    /// The factors and divisors beside the current rate in a product; `None` where the rate in force is not in it, or more
    /// than once.
    fn factors(&self, expression: Node<'a>) -> Option<Vec<(Node<'a>, bool)>> {
        let mut found = Vec::new();
        let mut rates = 0;
        if expression.is("augmented_assignment") {
            let divides = match expression.field(Field::Operator).map(|sign| sign.text()) {
                Some("*=") => false,
                Some("/=") => true,
                _ => return None,
            };
            rates = 1;
            self.split(
                expression.field(Field::Right)?,
                divides,
                &mut found,
                &mut rates,
                0,
            );
        } else {
            self.split(expression, false, &mut found, &mut rates, 0);
        }
        let varies = found.iter().any(|(node, _)| self.depends(*node, 0));
        (rates == 1 && varies).then_some(found)
    }

    fn split(
        &self,
        node: Node<'a>,
        divides: bool,
        found: &mut Vec<(Node<'a>, bool)>,
        rates: &mut usize,
        depth: usize,
    ) {
        const DEEPEST: usize = 12;
        let node = node.bare();
        if self.is_rate(node) {
            *rates += if divides { 2 } else { 1 };
            return;
        }
        if depth > DEEPEST {
            *rates += 2;
            return;
        }
        let operator = node.field(Field::Operator).map(|sign| sign.text());
        if node.is("binary_operator")
            && matches!(operator, Some("*" | "/"))
            && let (Some(left), Some(right)) = (node.field(Field::Left), node.field(Field::Right))
        {
            self.split(left, divides, found, rates, depth + 1);
            self.split(right, divides != (operator == Some("/")), found, rates, depth + 1);
            return;
        }
        if node.is("call")
            && node
                .field(Field::Function)
                .is_some_and(|callee| matches!(callee.text(), "float" | "np.float32"))
            && let [(None, value)] = node.arguments().as_slice()
        {
            self.split(*value, divides, found, rates, depth + 1);
            return;
        }
        if node.is("identifier")
            && node.text() != self.epoch
            && let Some(value) = self.local(node)
            && (value.is("binary_operator") || self.is_rate(value))
        {
            self.split(value, divides, found, rates, depth + 1);
            return;
        }
        found.push((node, divides));
    }

    /// The value of a name that the function itself assigns, once.
    fn local(&self, node: Node<'a>) -> Option<Node<'a>> {
        let value = self.code.value(node)?;
        (value.function() == node.function()).then_some(value)
    }

    /// The rate in force: the second parameter, or what the optimizer has.
    fn is_rate(&self, node: Node<'a>) -> bool {
        let text = node.text();
        if node.is("identifier") {
            return self.rate == Some(text);
        }
        let read = text.contains(".optimizer.lr") || text.contains(".optimizer.learning_rate");
        read && matches!(node.kind(), "call" | "attribute")
    }

    fn depends(&self, node: Node<'a>, depth: usize) -> bool {
        const DEEPEST: usize = 4;
        depth < DEEPEST
            && node.all(&["identifier"]).into_iter().any(|name| {
                name.text() == self.epoch
                    || self
                        .local(name)
                        .is_some_and(|value| self.depends(value, depth + 1))
            })
    }

    /// A power or an exponential of the epoch.
    fn is_power(&self, node: Node<'a>) -> bool {
        let node = node.bare();
        let compares = !node
            .all(&["comparison_operator", "conditional_expression"])
            .is_empty();
        let exponent = match node.kind() {
            "binary_operator"
                if node
                    .field(Field::Operator)
                    .is_some_and(|sign| sign.text() == "**") =>
            {
                node.field(Field::Right)
            }
            "call" => match function_name(node) {
                Some("exp") => node.argument("x", 0),
                Some("pow" | "power") => node.argument("y", 1),
                _ => None,
            },
            _ => None,
        };
        !compares && exponent.is_some_and(|exponent| self.depends(exponent, 0))
    }

    fn number(&self, node: Node<'a>, epoch: f64, depth: usize) -> Option<f64> {
        const DEEPEST: usize = 24;
        if depth > DEEPEST {
            return None;
        }
        let node = node.bare();
        let of = |node: Node<'a>| self.number(node, epoch, depth + 1);
        match node.kind() {
            "integer" | "float" => node.text().replace('_', "").parse().ok(),
            "identifier" if node.text() == self.epoch => Some(epoch),
            "identifier" => of(self.code.value(node)?),
            "unary_operator" => {
                let inner = *node.children().first()?;
                node.text()
                    .starts_with('-')
                    .then(|| of(inner).map(|value| -value))?
            }
            "binary_operator" => {
                let (left, right) = (of(node.field(Field::Left)?)?, of(node.field(Field::Right)?)?);
                Some(match node.field(Field::Operator)?.text() {
                    "+" => left + right,
                    "-" => left - right,
                    "*" => left * right,
                    "/" => left / right,
                    "//" => (left / right).floor(),
                    "%" => left.rem_euclid(right),
                    "**" => left.powf(right),
                    _ => return None,
                })
                .filter(|value| value.is_finite())
            }
            "call" => {
                let values: Option<Vec<f64>> =
                    node.arguments().into_iter().map(|(_, value)| of(value)).collect();
                match (function_name(node)?, values?.as_slice()) {
                    ("exp", [value]) => Some(value.exp()),
                    ("pow" | "power", [base, exponent]) => Some(base.powf(*exponent)),
                    ("floor" | "int", [value]) => Some(value.floor()),
                    ("float", [value]) => Some(*value),
                    ("sqrt", [value]) => Some(value.sqrt()),
                    ("min" | "minimum", [left, right]) => Some(left.min(*right)),
                    ("max" | "maximum", [left, right]) => Some(left.max(*right)),
                    _ => None,
                }
                .filter(|value| value.is_finite())
            }
            _ => None,
        }
    }
}

/// The last part of the name of what is called.
fn function_name<'a>(call: Node<'a>) -> Option<&'a str> {
    call.field(Field::Function)?.text().rsplit('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(function: &str) -> String {
        format!(
            "import math\nimport numpy as np\nimport keras\nINITIAL = 0.1\n{function}\ncallback = keras.callbacks.LearningRateScheduler(f)\n"
        )
    }

    #[test]
    fn tables() {
        let pass: Vec<String> = [
            "def f(epoch, lr):\n    return lr * 0.9",
            "def f(epoch, lr):\n    return INITIAL * 0.5 ** (epoch // 10)",
            "def f(epoch):\n    return INITIAL * 0.5 ** epoch",
            "def f(epoch, lr):\n    if epoch > 10:\n        return lr * 0.1\n    return lr",
            "def f(epoch, lr):\n    return lr * math.exp(-0.1)",
            "def f(epoch, lr):\n    lr = 0.1\n    return lr * 0.5 ** epoch",
            "def f(epoch, lr):\n    drop = 0.5\n    initial = 0.1\n    return initial * math.pow(drop, math.floor((1 + epoch) / 10))",
            "def f(epoch, lr):\n    return lr * 0.5 ** (epoch % 10 == 0)",
            "def f(epoch, lr):\n    return lr * (0.1 if epoch in (30, 60) else 1)",
            "def f(epoch, lr):\n    return lr / (1 + 0.001 * epoch)",
            "def f(epoch, lr):\n    return lr * (epoch + 1) / 5",
            "f = lambda epoch: INITIAL * math.exp(-0.1 * epoch)",
        ]
        .iter()
        .map(|function| script(function))
        .collect();
        let fail = [
            (
                script("def f(epoch, lr):\n    return lr * 0.5 ** epoch"),
                "lr * 0.5 ** epoch",
            ),
            (
                script("def f(epoch, lr):\n    return lr * math.exp(-0.1 * epoch)"),
                "lr * math.exp(-0.1 * epoch)",
            ),
            (
                script("def f(n, rate=0.1):\n    k = 0.1\n    return float(rate * np.exp(-k * n))"),
                "float(rate * np.exp(-k * n))",
            ),
            (
                script("def f(epoch, lr):\n    return lr / (1 + 0.5 * epoch)"),
                "lr / (1 + 0.5 * epoch)",
            ),
            (
                script("f = lambda epoch, lr: lr * 0.9 ** epoch"),
                "lr * 0.9 ** epoch",
            ),
            (
                script("def f(epoch, lr):\n    lr *= 0.9 ** epoch\n    return lr"),
                "lr *= 0.9 ** epoch",
            ),
            (
                script(
                    "def f(epoch, lr):\n    if epoch < 5:\n        return lr\n    return lr * math.pow(0.5, epoch // 5)",
                ),
                "lr * math.pow(0.5, epoch // 5)",
            ),
            (
                script("def f(epoch, lr):\n    factor = decay() ** epoch\n    return lr * factor"),
                "lr * factor",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
