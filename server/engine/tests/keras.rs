#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Trains what Keras on TensorFlow trained (tests/reference.py) and compares losses, weights, metrics and predictions;
//! then checks gradients numerically.

mod support;

use support::{Case, cases, compare, gradients};

fn table(name: &str) -> Vec<String> {
    let cases = cases(name);
    assert!(!cases.is_empty());
    cases.iter().filter_map(|case| compare(case).err()).collect()
}

fn none(failures: Vec<String>) {
    assert!(
        failures.is_empty(),
        "{} cases differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn layers_train_as_in_keras() {
    none(table("layers"));
}

#[test]
fn losses_train_as_in_keras() {
    none(table("losses"));
}

#[test]
fn optimizers_train_as_in_keras() {
    none(table("optimizers"));
}

#[test]
fn metrics_measure_as_in_keras() {
    none(table("metrics"));
}

#[test]
fn gradients_agree_with_differences() {
    // The corrections of renormalisation count as constants in its gradient, though they depend on the weights; without
    // reduction the gradient is that of the sum, while the loss that is shown is the mean.
    let smooth = |case: &Case| {
        !["hard_shrink", "renorm", "no reduction"]
            .iter()
            .any(|name| case.name().contains(name))
    };
    let cases = cases("layers").into_iter().chain(cases("losses"));
    none(
        cases
            .filter(smooth)
            .filter_map(|case| gradients(&case).err())
            .collect(),
    );
}
