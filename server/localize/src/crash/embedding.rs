//! Which of several embeddings got a number beyond its rows.

use trace::{Fit, LayerInfo};

/// The embedding with so many rows that got a number beyond them, with the largest number it gets where that is known
/// (infinitely small else). By the data of the one input that it reads; else by the name that the exception gives the
/// operation.
pub(super) fn with_rows<'a>(fit: &'a Fit, rows: i64, message: &str) -> Option<(&'a LayerInfo, f64)> {
    let config = |layer: &LayerInfo| layer.config.get("input_dim").and_then(serde_json::Value::as_i64);
    let known: Vec<(&LayerInfo, Option<f64>)> = fit
        .info
        .layers
        .iter()
        .filter(|layer| layer.class == "Embedding" && config(layer) == Some(rows))
        .map(|layer| (layer, largest(fit, layer)))
        .collect();
    let over_all = || {
        fit.info
            .data
            .x
            .iter()
            .map(|x| x.max)
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let exceeds = |(_, largest): &&(&LayerInfo, Option<f64>)| largest.is_some_and(|most| most >= rows as f64);
    let may = |(_, largest): &&(&LayerInfo, Option<f64>)| largest.is_none_or(|most| most >= rows as f64);
    // One that gets no such number is not to blame, whatever the operation is called.
    let named = || {
        let by = |numbered: bool| {
            known
                .iter()
                .filter(may)
                .find(|(layer, _)| in_scope(message, &layer.name, numbered))
        };
        // Keras 3 has used the name when it built the layer, and TensorFlow numbers those that are taken.
        if message.contains("embedding_lookup") {
            by(false).or_else(|| by(true))
        } else {
            by(true).or_else(|| by(false))
        }
    };
    let (layer, most) = known
        .iter()
        .find(exceeds)
        .or_else(named)
        .or_else(|| known.iter().find(may))
        .or_else(|| known.first())?;
    Some((layer, most.unwrap_or_else(over_all)))
}

/// The largest number of the one input of the model that a layer reads, if it is one.
fn largest(fit: &Fit, layer: &LayerInfo) -> Option<f64> {
    let (inputs, data) = (&fit.info.inputs, &fit.info.data.x);
    if let ([_] | [], [only]) = (inputs.as_slice(), data.as_slice()) {
        return Some(only.max).filter(|most| most.is_finite());
    }
    if inputs.len() != data.len() {
        return None;
    }
    let mut behind = vec![layer.index];
    let mut at = 0;
    while let Some(index) = behind.get(at).copied() {
        let sources = fit
            .info
            .layers
            .iter()
            .filter(|layer| layer.index == index)
            .flat_map(|layer| &layer.inputs);
        for source in sources {
            if !behind.contains(source) {
                behind.push(*source);
            }
        }
        at += 1;
    }
    let reads =
        |(input, _): &(&trace::InputInfo, _)| input.layers.iter().any(|reader| behind.contains(reader));
    let mut read = inputs.iter().zip(data).filter(reads);
    let (_, data) = read.next()?;
    (read.next().is_none() && data.max.is_finite()).then_some(data.max)
}

/// Whether the name is a scope of an operation (`functional_1/embedding/Gather`), or that name with a number of its own behind
/// it (`embedding_1`).
fn in_scope(message: &str, name: &str, numbered: bool) -> bool {
    let own = |rest: &str| {
        let number = rest.strip_prefix('_').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    // Not the files of the traceback.
    let operations = message
        .split(|letter: char| letter.is_whitespace() || "{}[]()'\"".contains(letter))
        .filter(|word| word.contains('/') && !word.contains(".py"));
    operations
        .flat_map(|operation| operation.split('/'))
        .filter_map(|scope| scope.strip_prefix(name))
        .any(|rest| if numbered { own(rest) } else { rest.is_empty() })
}
