//! Applies a fix of the JSON output as the product does.

use deeplocalize::fixes;
use deeplocalize::text::{Encoding, SourceText};
use finding::{Edit, Range};
use serde_json::Value;

/// The text with the edits of a fix; `None` when one of them does not fit, or is of another file than the first.
pub fn apply(text: &str, fix: &Value) -> Option<String> {
    let source = SourceText::new(text);
    let edits = fix["edits"].as_array()?.iter();
    let edits: Vec<Edit> = edits.map(|edit| read(edit, &source)).collect::<Option<_>>()?;
    if edits.iter().any(|edit| edit.path != edits[0].path) {
        return None;
    }
    fixes::apply(text, &edits)
}

fn read(edit: &Value, source: &SourceText) -> Option<Edit> {
    let range = &edit["range"];
    Some(Edit {
        path: edit["path"].as_str()?.into(),
        range: Range::new(offset(&range["start"], source)?, offset(&range["end"], source)?),
        new_text: edit["new_text"].as_str()?.to_owned(),
    })
}

/// Byte offset of a place of the JSON output, when the text has such a place.
fn offset(place: &Value, source: &SourceText) -> Option<usize> {
    let number = |name: &str| u32::try_from(place[name].as_u64()?).ok();
    let (line, column) = (number("line")?, number("column")?);
    let offset = source.offset(line.checked_sub(1)?, column.checked_sub(1)?, Encoding::Utf32);
    (source.line_column(offset) == (line as usize, column as usize)).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn edits_are_applied_as_by_the_product_or_not_at_all() {
        let place = |line: u64, column: u64| json!({"line": line, "column": column});
        let edit = |start: Value, end: Value, new: &str| json!({"path": "faulty.py", "range": {"start": start, "end": end}, "new_text": new});
        let fix = json!({"edits": [
            edit(place(1, 5), place(1, 8), "y"),
            edit(place(2, 1), place(3, 1), ""),
            edit(place(3, 2), place(3, 2), "!"),
        ]});
        assert_eq!(apply("é = abc\ngone\nz", &fix).as_deref(), Some("é = y\nz!"));
        let same_place = json!({"edits": [
            edit(place(1, 1), place(1, 1), "first\n"),
            edit(place(1, 1), place(1, 1), "a second\n"),
        ]});
        let product = "first\na second\nx";
        assert_eq!(
            apply("x", &same_place).as_deref(),
            Some(product),
            "in the order given"
        );
        let outside = json!({"edits": [edit(place(9, 9), place(9, 9), "")]});
        assert_eq!(apply("x", &outside), None);
    }
}
