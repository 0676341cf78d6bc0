//! Applying fixes to a text.

use std::path::Path;

use finding::{Applicability, Edit, Finding, Fix, Range};

/// The best fix of each finding that may be applied and touches one file only, as far as they do not overlap; with the
/// code of the finding.
pub fn compatible<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    path: &Path,
    least: Applicability,
) -> Vec<(&'static str, &'a Fix)> {
    let fits = |fix: &&Fix| {
        fix.applicability >= least && !fix.edits.is_empty() && fix.edits.iter().all(|edit| edit.path == path)
    };
    let mut chosen: Vec<(&'static str, &Fix)> = Vec::new();
    for finding in findings {
        let best = finding
            .fixes
            .iter()
            .filter(fits)
            .max_by_key(|fix| fix.applicability);
        let Some(fix) = first_of(finding, best, &fits) else {
            continue;
        };
        let taken = |edit: &Edit| {
            let edits = chosen.iter().flat_map(|(_, fix)| &fix.edits);
            edits.into_iter().any(|taken| touches(taken.range, edit.range))
        };
        if !fix.edits.iter().any(taken) {
            chosen.push((finding.code, fix));
        }
    }
    chosen
}

/// The first fix of a finding that is as safe as its safest.
fn first_of<'a>(
    finding: &'a Finding,
    best: Option<&Fix>,
    fits: &impl Fn(&&'a Fix) -> bool,
) -> Option<&'a Fix> {
    let best = best?.applicability;
    finding
        .fixes
        .iter()
        .find(|fix| fits(fix) && fix.applicability == best)
}

/// Whether two ranges share a byte or an end. Ranges that only share an end count too: of two insertions at one place nobody knows the order.
pub const fn touches(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}

/// The text after edits that do not overlap; `None` when one does not fit the text. Line breaks that come in are of the kind the
/// text has.
pub fn apply<'a>(text: &str, edits: impl IntoIterator<Item = &'a Edit>) -> Option<String> {
    let mut edits: Vec<&Edit> = edits.into_iter().collect();
    edits.sort_by_key(|edit| edit.range);
    let windows = text.contains("\r\n");
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for edit in edits {
        result.push_str(text.get(end..edit.range.start)?);
        if windows {
            result.push_str(&edit.new_text.replace("\r\n", "\n").replace('\n', "\r\n"));
        } else {
            result.push_str(&edit.new_text);
        }
        end = edit.range.end.max(edit.range.start);
    }
    result.push_str(text.get(end..)?);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, new_text: &str) -> Edit {
        Edit {
            path: "t.py".into(),
            range: Range::new(start, end),
            new_text: new_text.to_owned(),
        }
    }

    #[test]
    fn edits_are_applied_in_any_order_or_not_at_all() {
        let edits = [edit(4, 5, "BB\nb"), edit(0, 0, ">")];
        assert_eq!(apply("a\r\n b", &edits).as_deref(), Some(">a\r\n BB\r\nb"));
        assert_eq!(apply("é", &[edit(1, 1, "x")]), None, "inside a character");
        assert_eq!(apply("abc", &[edit(2, 9, "x")]), None, "beyond the text");
        assert_eq!(
            apply("abc", &[edit(0, 2, "x"), edit(1, 3, "y")]),
            None,
            "overlapping"
        );
    }
}
