//! Class numbers that are spelled out: the largest of `np.array([1, 2, 3])`, `np.repeat(np.arange(1, 4), 50)`, `labels + 1`.

use super::data::{compact, is_plain};

/// Deepest nesting that is read.
const DEEPEST: usize = 6;

/// Calls around labels that keep the class numbers.
const AROUND: [&str; 6] = [
    "np.array(",
    "np.asarray(",
    "numpy.array(",
    "numpy.asarray(",
    "list(",
    "np.int32(",
];

/// Methods behind labels that keep them.
const BEHIND: [&str; 7] = [
    ".astype(int)",
    ".astype('int32')",
    ".astype(\"int32\")",
    ".astype(np.int32)",
    ".reshape(-1,1)",
    ".ravel()",
    ".flatten()",
];

/// The largest class number of an expression that certainly makes one column of them, all of which occur.
pub(crate) fn largest(value: &str) -> Option<i64> {
    of(&compact(value), DEEPEST)
}

fn of(value: &str, depth: usize) -> Option<i64> {
    let depth = depth.checked_sub(1)?;
    if let Some((left, number)) = shifted(value) {
        return of(left, depth)?.checked_add(number);
    }
    if let Some(inner) = enclosed(value, "(") {
        return of(inner, depth);
    }
    if let Some(before) = BEHIND.iter().find_map(|method| value.strip_suffix(method)) {
        return of(before, depth);
    }
    if let Some(inside) = AROUND.iter().find_map(|call| enclosed(value, call)) {
        return of(arguments(inside).first()?, depth);
    }
    if let Some(elements) = enclosed(value, "[") {
        let numbers: Vec<i64> = arguments(elements)
            .iter()
            .map(|element| element.parse().ok())
            .collect::<Option<_>>()?;
        return numbers.into_iter().max();
    }
    // `[1, 2, 3] * 50`
    if let Some((list, times)) = value.rsplit_once("]*") {
        let repeats = is_count(times) && list.starts_with('[');
        return of(&format!("{list}]"), depth).filter(|_| repeats);
    }
    for call in ["np.repeat(", "np.tile("] {
        if let Some(inside) = enclosed(value, call) {
            let given = arguments(inside);
            let [labels, times] = given.as_slice() else {
                return None;
            };
            return of(labels, depth).filter(|_| is_count(times) || times.starts_with('['));
        }
    }
    for call in ["np.arange(", "range("] {
        if let Some(inside) = enclosed(value, call) {
            let bounds: Vec<i64> = arguments(inside)
                .iter()
                .map(|bound| bound.parse().ok())
                .collect::<Option<_>>()?;
            return match bounds.as_slice() {
                [end] if *end > 0 => Some(end - 1),
                [start, end] if start < end => Some(end - 1),
                _ => None,
            };
        }
    }
    if let Some(inside) = enclosed(value, "np.random.choice(") {
        let given = arguments(inside);
        let first = given.first()?;
        return match first.parse::<i64>() {
            Ok(classes) => classes.checked_sub(1).filter(|largest| *largest > 0),
            Err(_) if given.iter().any(|argument| argument.starts_with("p=")) => None,
            Err(_) => of(first, depth),
        };
    }
    None
}

/// `labels + 1`, `labels - 1`: what stands before, and the number.
pub(super) fn shifted(value: &str) -> Option<(&str, i64)> {
    let sign = value.rfind(['+', '-'])?;
    let (left, number) = (value.get(..sign)?, value.get(sign..)?);
    let balanced = left.matches(['(', '[']).count() == left.matches([')', ']']).count();
    (!left.is_empty() && balanced && left.ends_with([')', ']']))
        .then(|| number.parse().ok().map(|number| (left, number)))
        .flatten()
}

/// What stands between the bracket at the end of `open` and its partner at the end of the text.
pub(super) fn enclosed<'a>(value: &'a str, open: &str) -> Option<&'a str> {
    let inside = value.strip_prefix(open)?.strip_suffix([')', ']'])?;
    let mut depth = 0_usize;
    for letter in inside.chars() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    (depth == 0).then_some(inside)
}

/// The parts between the commas that are in no bracket.
pub(super) fn arguments(inside: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, letter) in inside.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.extend(inside.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(inside.get(start..).filter(|last| !last.is_empty()));
    parts
}

/// A number, or a name that stands for one.
fn is_count(text: &str) -> bool {
    is_plain(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_spelled_out_are_read() {
        for (value, expected) in [
            ("np.array([1, 2, 3])", Some(3)),
            ("np.array([0, 1, 2, 2, 1], dtype=int)", Some(2)),
            ("np.repeat(np.arange(1, 11), 50)", Some(10)),
            ("np.repeat([1, 2, 3], per_class)", Some(3)),
            ("np.tile([0, 1], 5) + 1", Some(2)),
            ("(np.arange(1, 4).astype(int)) - 1", Some(2)),
            ("[1, 2, 3] * 20", Some(3)),
            ("np.random.choice([1, 2], n)", Some(2)),
            ("np.random.choice(3, n)", Some(2)),
            ("np.array([[1, 2], [3, 4]])", None),
            ("np.tile([1, 2], (3, 1))", None),
            ("np.array([1.5, 2])", None),
            ("load(3) + 1", None),
            ("x + 1", None),
            ("np.arange(n)", None),
            ("np.random.choice([0, 1], n, p=[1, 0])", None),
            ("((((((((1", None),
        ] {
            assert_eq!(largest(value), expected, "{value}");
        }
    }
}
