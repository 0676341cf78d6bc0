//! A `Normalization` layer in front, fitted to the training data, for features that the script does not scale by itself.

use finding::{Edit, Kind, Range};
use program::Layout;

use super::part;
use super::standardise_features::unscaled;
use crate::candidate::Part;
use crate::facts::Facts;
use crate::names::{free, indent, is_name, of_keras};

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    // Where scikit-learn is used, a scaler is what the script would use.
    let idiom = facts.fit_call().is_some_and(|spot| {
        !spot
            .source
            .program
            .imports
            .iter()
            .any(|import| import.module.starts_with("sklearn"))
    });
    let flat = facts.x().is_some_and(|x| x.whole && x.shape.len() == 2);
    let Some(prior) = unscaled(facts).filter(|_| idiom && flat) else {
        return Vec::new();
    };
    layer(facts, prior).into_iter().collect()
}

fn layer(facts: &Facts<'_>, prior: f64) -> Option<Part> {
    let fit = facts.fit_call()?;
    let source = fit.source;
    let text = source.text;
    let features = fit.call.argument("x")?.value.range;
    let name = features.slice(text);
    let first = facts
        .layer(facts.layers().first()?)
        .filter(|spot| spot.source.path == source.path)?;
    let normalization = of_keras(&source, "layers", "Normalization")?;
    let layout = Layout::of(text)?;
    let holding = |range: Range| {
        let around = layout
            .statements
            .iter()
            .filter(move |statement| statement.contains(range));
        around.min_by_key(|statement| statement.len()).copied()
    };
    let statement = holding(first.call.range)?;
    // The features must have their values where the layer is fitted to them, on the level of the model.
    let scaled = crate::flow::settled(facts, "x")?;
    let level = |start: usize| indent(text, start);
    let same_level =
        level(scaled.after.start) == level(statement.start) && scaled.after.end <= statement.start;
    if !is_name(name) || !same_level || facts.layers().first()?.config.contains_key("batch_shape") {
        return None;
    }
    let variable = free(&source, "normalization");
    let made = format!("{variable} = {}()\n{variable}.adapt({name})", normalization.text);
    let before = Range::new(statement.start, first.call.range.start).slice(text);
    let mut edits: Vec<Edit> = Vec::new();
    let mut insert = |at: usize, new_text: String| {
        edits.push(Edit {
            path: source.path.to_owned(),
            range: Range::new(at, at),
            new_text,
        });
    };
    let pad = level(statement.start);
    let lines = made.replace('\n', &format!("\n{pad}"));
    if let Some(model) = before
        .trim_end()
        .strip_suffix(".add(")
        .filter(|model| is_name(model))
    {
        insert(
            statement.start,
            format!("{lines}\n{pad}{model}.add({variable})\n{pad}"),
        );
    } else if before.trim_end().ends_with('[') && first.call.argument("input_shape").is_none() {
        insert(statement.start, format!("{lines}\n{pad}"));
        let own_line = before.rsplit('\n').next().filter(|line| line.trim().is_empty());
        let gap = own_line.map_or(" ".to_owned(), |line| format!("\n{line}"));
        insert(first.call.range.start, format!("{variable},{gap}"));
    } else {
        return None;
    }
    edits.extend(normalization.import);
    let title = "Normalise the features in the model";
    Some(part(
        title,
        Kind::InputScale,
        source.path,
        scaled.value,
        edits,
        prior - 0.05,
    ))
}
