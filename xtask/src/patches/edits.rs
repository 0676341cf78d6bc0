//! Applies the edits of a fix in the JSON output.

use serde_json::Value;

/// The text with the edits of a fix; `None` when one of them does not fit. All are of one file.
pub fn apply(text: &str, fix: &Value) -> Option<String> {
    let mut edits: Vec<(usize, usize, &str)> = Vec::new();
    for edit in fix["edits"].as_array()? {
        let range = &edit["range"];
        edits.push((
            offset(text, &range["start"])?,
            offset(text, &range["end"])?,
            edit["new_text"].as_str()?,
        ));
    }
    edits.sort_unstable();
    let mut result = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        (start <= end && end <= result.len()).then(|| result.replace_range(start..end, new))?;
    }
    Some(result)
}

/// Byte offset of a place: line and column from 1, columns in code points.
fn offset(text: &str, place: &Value) -> Option<usize> {
    let line = usize::try_from(place["line"].as_u64()?).ok()?.checked_sub(1)?;
    let column = usize::try_from(place["column"].as_u64()?).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..)?;
    let within = rest
        .char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .nth(column)?;
    Some(start + within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn edits_are_applied_from_the_end() {
        let place = |line: u64, column: u64| json!({"line": line, "column": column});
        let edit = |start: Value, end: Value, new: &str| json!({"range": {"start": start, "end": end}, "new_text": new});
        let fix = json!({"edits": [
            edit(place(1, 5), place(1, 8), "y"),
            edit(place(2, 1), place(3, 1), ""),
            edit(place(3, 2), place(3, 2), "!"),
        ]});
        assert_eq!(apply("é = abc\ngone\nz", &fix).as_deref(), Some("é = y\nz!"));
        let outside = json!({"edits": [edit(place(9, 9), place(9, 9), "")]});
        assert_eq!(apply("x", &outside), None);
    }
}
