//! The operation and element where numbers first broke, as the engine has seen it.

use finding::Phase;
use trace::{FaultMessage, Moment};

use super::Cause;
use crate::case::Case;

/// Adds what the engine knows to the evidence.
pub(super) fn shown(case: &Case<'_>, cause: Cause) -> Cause {
    let Some(fault) = &case.fit.fault else {
        return cause;
    };
    let moment = Moment {
        step: fault.step,
        epoch: fault.epoch,
        batch: fault.batch,
    };
    cause.seen_at(moment, phase(fault), fault.layer, text(case, fault))
}

fn phase(fault: &FaultMessage) -> Phase {
    match fault.moment.as_str() {
        "input" => Phase::Data,
        "loss" => Phase::Loss,
        "backward" | "gradient" => Phase::Backward,
        "update" => Phase::Update,
        _ => Phase::Forward,
    }
}

fn text(case: &Case<'_>, fault: &FaultMessage) -> String {
    let layer = fault.layer.and_then(|index| case.layers().get(index));
    let within = layer.map_or(String::new(), |layer| format!(" of {}", layer.name));
    let place = match fault.moment.as_str() {
        "input" => format!("the input {}", fault.what),
        "loss" => "the loss".to_owned(),
        "weight" => format!("the weight {}{within} before the step", fault.what),
        "backward" => format!(
            "the gradient at the output of the operation {}{within}",
            fault.what
        ),
        "gradient" => format!("the gradient of {}{within}", fault.what),
        "update" => format!("the weight {}{within} after its update", fault.what),
        _ => format!("the output of the operation {}{within}", fault.what),
    };
    let value = match fault.value {
        value if value.is_nan() => "NaN",
        value if value > 0.0 => "infinite",
        _ => "minus infinity",
    };
    let element = match fault.element.as_slice() {
        [] => String::new(),
        element => format!(", element {element:?},"),
    };
    format!(
        "the first number to break, in step {}: {place}{element} is {value}",
        fault.step + 1
    )
}
