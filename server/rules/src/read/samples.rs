//! How many samples an array has.

use program::{Code, Field, Node};

use super::data::Data;

/// The number of samples of features that are the first `n` of something: `x[:n]`, with `n` a number.
pub(crate) fn first_samples(code: &Code<'_>, x: &Data<'_>) -> Option<f64> {
    let expressions = std::iter::once(x.range).chain(x.steps.iter().map(|step| step.change.value));
    for range in expressions {
        let node = code.at(range)?.bare();
        if let Some(count) = cut(code, node) {
            return Some(count);
        }
        // Whatever picks samples otherwise leaves another number of them.
        let picks = node.is("subscript") || node.text().contains("split(") || node.text().contains("sample(");
        if picks {
            return None;
        }
    }
    None
}

fn cut(code: &Code<'_>, node: Node<'_>) -> Option<f64> {
    let index = node.is("subscript").then(|| node.field(Field::Subscript))??;
    let slice = index.is("slice").then(|| index.text())?;
    let end = slice.strip_prefix(':')?;
    let bound = *index.children().first()?;
    let number = code.number(code.at(bound.range())?)?;
    (!end.contains(':') && number >= 1.0).then_some(number)
}
