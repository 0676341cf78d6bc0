//! Another optimizer: Adam, whose steps do not depend on the scale of the loss.

use finding::Kind;

use super::learning_rate::with_optimizer;
use super::part;
use crate::candidate::Part;
use crate::facts::Facts;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let Some(optimizer) = &facts.fit.info.optimizer else {
        return Vec::new();
    };
    if ["Adam", "AdamW", "Nadam", "Adamax"].contains(&optimizer.class.as_str()) {
        return Vec::new();
    }
    let prior = match optimizer.class.as_str() {
        "SGD" => 0.45,
        // Its default rate of 0.001 was meant for another rule; hardly anything moves.
        "Adadelta" | "Adagrad" => 0.5,
        _ => 0.2,
    };
    let mut parts = Vec::new();
    // A larger rate than the default, since a trial is short, and so are trainings that fail to start.
    if let Some((path, place, edits)) = with_optimizer(facts, "Adam", "learning_rate=0.01") {
        let title = "Use Adam with a learning rate of 0.01";
        parts.push(part(title, Kind::Optimizer, &path, place, edits, prior));
    }
    if let Some((path, place, edits)) = with_optimizer(facts, "Adam", "") {
        parts.push(part(
            "Use Adam",
            Kind::Optimizer,
            &path,
            place,
            edits,
            prior - 0.02,
        ));
    }
    parts
}
