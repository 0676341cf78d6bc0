//! # update-after-batches (DL550)
//!
//! ## What it does
//! Finds training loops written by hand in which the gradient is computed, or the weights are updated, after the loop over
//! the batches instead of in it.
//!
//! ## Why it matters
//! A `GradientTape` knows what was computed under it, and each batch opens a new one. Behind the loop, tape and gradient are
//! those of the last batch: the weights change once per epoch, and all other batches have no effect.
//!
//! ## Example
//! ```python
//! import keras
//! import tensorflow as tf
//! for epoch in range(20):
//!     for x, y in batches:
//!         with tf.GradientTape() as tape:
//!             loss = loss_function(y, model(x, training=True))
//!     gradients = tape.gradient(loss, model.trainable_variables)
//!     optimizer.apply_gradients(zip(gradients, model.trainable_variables))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import tensorflow as tf
//! for epoch in range(20):
//!     for x, y in batches:
//!         with tf.GradientTape() as tape:
//!             loss = loss_function(y, model(x, training=True))
//!         gradients = tape.gradient(loss, model.trainable_variables)
//!         optimizer.apply_gradients(zip(gradients, model.trainable_variables))
//! ```
//!
//! ## Fix safety
//! No fix: the lines are to be indented by one level more, and others may belong to them. Gradients that are added up over
//! the batches are applied after the loop on purpose; nothing is said of these.
//!
//! ## References
//! - TensorFlow: Writing a training loop from scratch

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Field, Node};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL550",
    name: "update-after-batches",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("update_after_batches.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if !context.text.contains("GradientTape") {
        return Vec::new();
    }
    let Some(code) = context.tree() else {
        return Vec::new();
    };
    let calls = code.root().all(&["call"]);
    let mut findings: Vec<Finding> = Vec::new();
    for call in &calls {
        let late = gradient_of_last(*call)
            .map(|()| "the gradient is computed")
            .or_else(|| update_by_last(*call).map(|()| "the weights are updated"));
        let Some(late) = late else { continue };
        // The update behind a late gradient is the same fault.
        let function = call.function();
        let told = |finding: &Finding| {
            code.at(finding.range)
                .is_some_and(|other| other.function() == function)
        };
        if findings.iter().any(told) {
            continue;
        }
        let message = format!(
            "{late} after the loop over the batches, where only the last batch's is left: the weights change once per pass over the \
             data and all other batches have no effect; indent this into the loop"
        );
        findings.push(Finding {
            confidence: 0.92,
            ..context.finding(&INFO, call.range(), message)
        });
    }
    findings
}

/// The loops that end before a node in the same function, the nearest first.
fn loops_before<'a>(node: Node<'a>) -> Vec<Node<'a>> {
    let statement = node.statement();
    let Some(block) = statement.parent() else {
        return Vec::new();
    };
    let before = block.children().into_iter().rev();
    before
        .filter(|other| other.range().end <= statement.range().start && other.is("for_statement"))
        .collect()
}

/// Whether a name gets a value of its own in every turn of a loop, by nothing that adds to what it was.
fn is_set_anew(turn: Node<'_>, name: &str) -> bool {
    let mut set = false;
    for assignment in turn.all(&["assignment", "augmented_assignment"]) {
        let Some(left) = assignment.field(Field::Left).filter(|left| left.mentions(name)) else {
            continue;
        };
        let adds = assignment.is("augmented_assignment")
            || assignment
                .field(Field::Right)
                .is_none_or(|value| value.mentions(name))
            || left.is("subscript");
        if adds {
            return false;
        }
        set = true;
    }
    set
}

/// Whether a loop updates weights, adds something up for a later update, or may end early.
fn does_more(turn: Node<'_>) -> bool {
    let updates = turn.all(&["call"]).into_iter().any(|call| {
        call.method().is_some_and(|(method, _)| {
            matches!(
                method,
                "apply_gradients" | "apply" | "minimize" | "train_on_batch" | "assign_add" | "assign_sub"
            )
        })
    });
    updates || !turn.all(&["break_statement", "yield"]).is_empty()
}

/// Whether the object that a tape is bound to is made in a loop.
fn opens_tape(turn: Node<'_>, name: &str) -> bool {
    turn.all(&["with_item", "assignment"]).into_iter().any(|item| {
        let text = item.text();
        let bound = text.ends_with(&format!("as {name}")) || text.starts_with(&format!("{name} ="));
        bound && text.contains("GradientTape(")
    })
}

/// `tape.gradient(loss, …)` behind the loop that opens the tape.
fn gradient_of_last(call: Node<'_>) -> Option<()> {
    let (method, tape) = call.method().filter(|(_, tape)| tape.is("identifier"))?;
    if method != "gradient" {
        return None;
    }
    let loss = call.argument("target", 0)?;
    let turn = loops_before(call)
        .into_iter()
        .find(|turn| opens_tape(*turn, tape.text()))?;
    // Another tape of that name may have been opened since.
    let between = call
        .statement()
        .parent()?
        .children()
        .into_iter()
        .filter(|other| other.range().start >= turn.range().end && other.range().start < call.range().start)
        .any(|other| opens_tape(other, tape.text()));
    let anew = loss.is("identifier") && is_set_anew(turn, loss.text());
    (anew && !between && !does_more(turn)).then_some(())
}

/// `apply_gradients(zip(gradients, …))` behind the loop that computes the gradients.
fn update_by_last(call: Node<'_>) -> Option<()> {
    let (method, _) = call.method()?;
    if !matches!(method, "apply_gradients" | "apply") {
        return None;
    }
    let (_, given) = *call.arguments().first()?;
    let gradients = match given.method() {
        None if given.is("call") => given.arguments().first()?.1,
        _ => given,
    };
    if !gradients.is("identifier") {
        return None;
    }
    let name = gradients.text();
    let turn = loops_before(call).into_iter().find(|turn| turn.mentions(name))?;
    let of_tape = turn.all(&["assignment"]).into_iter().any(|assignment| {
        let left = assignment
            .field(Field::Left)
            .is_some_and(|left| left.text() == name);
        left && assignment
            .field(Field::Right)
            .and_then(|value| value.method())
            .is_some_and(|(method, tape)| method == "gradient" && opens_tape(turn, tape.text()))
    });
    // Used in the loop, the gradients may be added up under another name.
    let uses = turn
        .all(&["identifier"])
        .into_iter()
        .filter(|other| other.text() == name)
        .count();
    let last = call
        .statement()
        .parent()?
        .children()
        .into_iter()
        .filter(|other| other.range().start >= turn.range().end && other.range().end <= call.range().start)
        .all(|other| !other.mentions(name));
    (of_tape && uses == 1 && last && !does_more(turn)).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: &str =
        "with tf.GradientTape() as tape:\n                loss = loss_fn(y, model(x, training=True))\n";

    fn script(inside: &str, behind: &str) -> String {
        format!(
            "import tensorflow as tf\ndef train(model, opt, ds):\n    v = model.trainable_variables\n    for epoch in range(9):\n        total = 0\n        \
             for x, y in ds:\n            {STEP}{inside}        print(epoch)\n{behind}"
        )
    }

    #[test]
    fn tables() {
        let apply = "opt.apply_gradients(zip(g, v))\n";
        let right = format!("            g = tape.gradient(loss, v)\n            {apply}");
        let pass = [
            script(&right, ""),
            script(&right, "        with tf.GradientTape() as tape:\n            loss = penalty(model)\n        g = tape.gradient(loss, v)\n        opt.apply_gradients(zip(g, v))\n"),
            script("            g = tape.gradient(loss, v)\n            sums = [a + b for a, b in zip(sums, g)]\n", "        opt.apply_gradients(zip(sums, v))\n"),
            script("            g = tape.gradient(loss, v)\n            all_g.append(g)\n", "        opt.apply_gradients(zip(g, v))\n"),
            script("            if loss < 1:\n                break\n", "        g = tape.gradient(loss, v)\n"),
            "import tensorflow as tf\nfor epoch in range(9):\n    with tf.GradientTape() as tape:\n        loss = 0.0\n        for x, y in ds:\n            loss += f(x, y)\n    g = tape.gradient(loss, v)\n    opt.apply_gradients(zip(g, v))\n".to_owned(),
        ];
        let fail = [
            (
                script(
                    "",
                    &format!("        g = tape.gradient(loss, v)\n        {apply}"),
                ),
                "tape.gradient(loss, v)",
            ),
            (
                script(
                    "            total += float(loss)\n",
                    "        opt.apply(tape.gradient(loss, v), v)\n",
                ),
                "tape.gradient(loss, v)",
            ),
            (
                script(
                    "            g = tape.gradient(loss, v)\n",
                    &format!("        {apply}"),
                ),
                "opt.apply_gradients(zip(g, v))",
            ),
            (
                script(
                    "            g = tape.gradient(loss, v)\n",
                    "        opt.apply(g, v)\n",
                ),
                "opt.apply(g, v)",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
