//! Labels in the form that output and loss ask for: 0 and 1, class numbers from 0, or one-hot rows.

use finding::{Edit, Kind};

use super::part;
use crate::candidate::{Aspect, Part};
use crate::facts::Facts;
use crate::flow::scalable;
use crate::names::{after, of_keras};

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    encode(facts).into_iter().collect()
}

fn encode(facts: &Facts<'_>) -> Option<Part> {
    let y = facts.y()?;
    let columns: i64 = y.shape.iter().skip(1).product::<i64>().max(1);
    let classes = y.classes.as_ref().filter(|_| columns == 1)?;
    let outputs = facts.outputs()?;
    let place = scalable(facts, "y")?;
    let name = place.name;
    let loss = facts.loss();
    let both = |new: &dyn Fn(&str) -> String| {
        let names = std::iter::once(name).chain(place.held_out.iter().copied());
        names
            .map(|name| format!("{name} = {}", new(name)))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let mut import: Option<Edit> = None;
    let (title, lines) = match classes.as_slice() {
        [(low, _), (high, _)]
            if outputs == 1 && loss == "binary_crossentropy" && (*low, *high) != (0.0, 1.0) =>
        {
            let title = format!("Make the labels 0 and 1 instead of {low} and {high}");
            (
                title,
                both(&|name| format!("({name} == {high}).astype(\"float32\")")),
            )
        }
        _ if loss == "sparse_categorical_crossentropy"
            && y.integers
            && y.min >= 1.0
            && y.max as i64 == outputs =>
        {
            let title = "Count the classes from 0".to_owned();
            (title, both(&|name| format!("{name} - {}", y.min)))
        }
        _ if loss == "categorical_crossentropy"
            && y.integers
            && y.min == 0.0
            && outputs > 1
            && y.max < outputs as f64 =>
        {
            let encoder = of_keras(&place.source, "utils", "to_categorical")?;
            let title = "Make the class numbers one-hot rows".to_owned();
            let lines = both(&|name| format!("{}({name}, {outputs})", encoder.text));
            import = encoder.import;
            (title, lines)
        }
        _ => return None,
    };
    let edits = std::iter::once(after(&place.source, place.after, &lines))
        .chain(import)
        .collect();
    let mut encoded = part(
        title,
        Kind::LabelEncoding,
        place.source.path,
        place.value,
        edits,
        0.8,
    );
    encoded.aspect = Aspect::Head;
    Some(encoded)
}
