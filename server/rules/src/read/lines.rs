//! Where in the layout of a script a statement stands.

/// The headers above a line that it stands under, the nearest first: text of each, without its indentation, and offset.
fn headers(text: &str, offset: usize) -> Vec<(usize, &str)> {
    let before = text.get(..offset).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next());
    let mut width = indentation(line.unwrap_or_default());
    let mut found = Vec::new();
    let mut end = start;
    for line in text.get(..start).unwrap_or_default().lines().rev() {
        if width == 0 {
            break;
        }
        let begin = end - 1 - line.len().min(end - 1);
        end = begin;
        let code = line.trim_start();
        if !code.is_empty() && !code.starts_with('#') && indentation(line) < width {
            width = indentation(line);
            found.push((begin, code));
        }
    }
    found
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a statement runs whenever the function or script that it stands in does (in a loop: at least, it is
/// meant to).
pub(crate) fn is_unconditional(text: &str, offset: usize) -> bool {
    let choice = |code: &str| {
        let word = code.split(|letter: char| !letter.is_alphanumeric()).next();
        matches!(
            word,
            Some("if" | "elif" | "else" | "try" | "except" | "finally" | "while" | "match" | "case")
        ) && !code.contains("__main__")
    };
    let within = headers(text, offset);
    let function = within.iter().position(|(_, code)| is_function(code));
    within
        .iter()
        .take(function.unwrap_or(within.len()))
        .all(|(_, code)| !choice(code))
}

/// The function that a statement stands in: where its header begins.
pub(crate) fn function(text: &str, offset: usize) -> Option<usize> {
    let within = headers(text, offset);
    within
        .iter()
        .find(|(_, code)| is_function(code))
        .map(|(at, _)| *at)
}

fn is_function(code: &str) -> bool {
    code.starts_with("def ") || code.starts_with("async def ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_above_are_found() {
        let text = "a\nif b:\n    for c in d:\n        e\n\n        f\n    g\ndef h():\n    i\n    if j:\n        k\nif __name__ == '__main__':\n    l\n";
        let at = |word: &str| text.find(&format!("{word}\n")).unwrap();
        for (word, unconditional) in [
            ("a", true),
            ("e", false),
            ("f", false),
            ("g", false),
            ("i", true),
            ("k", false),
            ("l", true),
        ] {
            assert_eq!(is_unconditional(text, at(word)), unconditional, "{word}");
        }
        let header = text.find("def h");
        assert_eq!(function(text, at("k")), header);
        assert_eq!(function(text, at("i")), header);
        assert_eq!(function(text, at("g")), None);
    }
}
