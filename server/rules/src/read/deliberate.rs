//! Code that is meant to fail.

use finding::Range;

/// The bodies of `with pytest.raises(…):` and `with self.assertRaises…(…):`. What a test wants to see refused is no
/// fault.
pub(crate) fn expected_failures(text: &str) -> Vec<Range> {
    if !text.contains("aises") {
        return Vec::new();
    }
    let mut blocks = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let start = at;
        at += line.len();
        if line.trim().is_empty() {
            continue;
        }
        if let Some((from, outer)) = open
            && indent <= outer
            // The rest of a `with` that is written over several lines.
            && !line.trim_start().starts_with(')')
        {
            blocks.push(Range::new(from, start));
            open = None;
        }
        let code = line.trim_start();
        let raises = code.starts_with("with ") && (code.contains("raises(") || code.contains("assertRaises"));
        if raises && open.is_none() {
            open = Some((start, indent));
        }
    }
    if let Some((from, _)) = open {
        blocks.push(Range::new(from, at));
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_expected_failures_are_found() {
        let text = "def test():\n    with pytest.raises(ValueError):\n        Dropout(2)\n\n        Dropout(3)\n    Dropout(4)\n";
        let blocks = expected_failures(text);
        let inside = |call: &str| {
            let start = text.find(call).unwrap();
            blocks
                .iter()
                .any(|block| block.contains(Range::new(start, start + call.len())))
        };
        assert!(inside("Dropout(2)") && inside("Dropout(3)") && !inside("Dropout(4)"));
        let several =
            "with self.assertRaisesRegex(\n    ValueError, 'rate'\n):\n    Dropout(2)\nDropout(4)\n";
        assert_eq!(
            expected_failures(several),
            [Range::new(0, several.find("Dropout(4)").unwrap())]
        );
    }
}
