//! Comments that silence findings: `# deeplocalize: ignore[DL101]`, `# noqa: DL101`, and the same without codes for all
//! rules; `# deeplocalize: ignore-file` for a whole file.

use std::collections::BTreeMap;

use finding::{Edit, Finding, Range};
use program::Layout;

use crate::config::Selector;
use crate::text::{Encoding, SourceText};

/// What a comment silences.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Silences {
    /// Everything on its line.
    Line,
    /// These rules on its line.
    Rules(Vec<String>),
    /// Everything in its file.
    File,
}

/// Drops the findings that comments of the text silence; its layout is only asked for where there may be some.
pub fn apply(text: &str, layout: impl FnOnce() -> Option<Layout>, findings: &mut Vec<Finding>) {
    if findings.is_empty() || !may_silence(text) {
        return;
    }
    let Some(layout) = layout() else {
        return;
    };
    let source = SourceText::new(text);
    let line = |offset| source.position(offset, Encoding::Utf8).line;
    let mut by_line: BTreeMap<u32, Vec<Silences>> = BTreeMap::new();
    for comment in &layout.comments {
        for silences in read(comment.slice(text)) {
            if silences == Silences::File {
                findings.clear();
                return;
            }
            by_line.entry(line(comment.start)).or_default().push(silences);
        }
    }
    if by_line.is_empty() {
        return;
    }
    findings.retain(|finding| {
        let mut lines = vec![line(finding.range.start), line(finding.range.end)];
        lines.extend(statement(&layout, finding.range).map(|statement| line(statement.end)));
        let silenced = |silences: &Silences| match silences {
            Silences::Rules(names) => names.iter().any(|name| names_rule(name, finding.code)),
            Silences::Line | Silences::File => true,
        };
        !lines
            .iter()
            .filter_map(|line| by_line.get(line))
            .flatten()
            .any(silenced)
    });
}

/// The edit that silences a rule where a finding of it stands; `None` where no comment can stand.
pub fn silence(text: &str, finding: &Finding) -> Option<Edit> {
    let layout = Layout::of(text)?;
    let source = SourceText::new(text);
    let end_of_line = |offset| source.lines_around(Range::new(offset, offset)).end;
    let mut end = end_of_line(finding.range.start);
    let in_string = |at: usize| {
        layout
            .strings
            .iter()
            .any(|string| string.start < at && at < string.end)
    };
    let continues = |at: usize| text.get(..at).is_some_and(|before| before.ends_with('\\'));
    if in_string(end) || continues(end) {
        // No comment can stand there: it goes behind the statement.
        end = end_of_line(statement(&layout, finding.range)?.end);
        if in_string(end) || continues(end) {
            return None;
        }
    }
    let comment = layout.comments.iter().find(|comment| comment.end == end);
    let codes = comment.and_then(|comment| {
        let (start, list) = marker(comment.slice(text), "ignore[")?;
        let close = list.find(']')?;
        Some((
            comment.start + start + close,
            list.get(..close)?.trim().is_empty(),
        ))
    });
    let (at, new_text) = match codes {
        Some((at, true)) => (at, finding.code.to_owned()),
        Some((at, false)) => (at, format!(", {}", finding.code)),
        None => (end, format!("  # deeplocalize: ignore[{}]", finding.code)),
    };
    Some(Edit {
        path: finding.path.clone(),
        range: Range::new(at, at),
        new_text,
    })
}

/// Whether it is worth looking for comments.
fn may_silence(text: &str) -> bool {
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    has("deeplocalize:") || has("noqa") || has("NOQA") || has("NoQA")
}

/// The simple statement that a range lies in.
fn statement(layout: &Layout, range: Range) -> Option<Range> {
    let holds = |statement: &&Range| statement.contains(range);
    layout.statements.iter().find(holds).copied()
}

/// What a comment silences; one may hold several markers.
fn read(comment: &str) -> Vec<Silences> {
    let mut found = Vec::new();
    if let Some((_, rest)) = marker(comment, "ignore") {
        if rest.starts_with("-file") {
            found.push(Silences::File);
        } else if let Some(list) = rest.trim_start().strip_prefix('[') {
            found.push(Silences::Rules(codes(list.split(']').next().unwrap_or_default())));
        } else if !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '-') {
            found.push(Silences::Line);
        }
    }
    let lower = comment.to_ascii_lowercase();
    if let Some(at) = lower.find("noqa") {
        let before = comment.get(..at).unwrap_or_default().trim_end();
        let rest = comment.get(at + "noqa".len()..).unwrap_or_default();
        if before.ends_with('#') {
            match rest.trim_start().strip_prefix(':') {
                Some(list) => found.push(Silences::Rules(noqa_codes(list))),
                None if !rest.starts_with(|letter: char| letter.is_alphanumeric()) => {
                    found.push(Silences::Line)
                }
                None => {}
            }
        }
    }
    found
}

/// Where `deeplocalize: WORD` ends in a comment, and what follows.
fn marker<'a>(comment: &'a str, word: &str) -> Option<(usize, &'a str)> {
    let after = comment.find("deeplocalize:")? + "deeplocalize:".len();
    let rest = comment.get(after..)?.trim_start();
    let rest = rest.strip_prefix(word)?;
    Some((comment.len() - rest.len(), rest))
}

fn codes(list: &str) -> Vec<String> {
    list.split(',')
        .map(|code| code.trim().to_owned())
        .filter(|code| !code.is_empty())
        .collect()
}

/// Codes after `noqa:`: separated by commas or blanks, up to the first word that is none.
fn noqa_codes(list: &str) -> Vec<String> {
    list.split([',', ' ', '\t'])
        .filter(|word| !word.is_empty())
        .take_while(|word| {
            let mut letters = word.chars();
            letters.next().is_some_and(char::is_alphabetic)
                && letters.all(|letter| letter.is_alphanumeric() || letter == '-')
        })
        .map(str::to_owned)
        .collect()
}

fn names_rule(name: &str, code: &str) -> bool {
    name.parse::<Selector>()
        .is_ok_and(|selector| selector.matches(code))
}

#[cfg(test)]
mod tests {
    use finding::{Kind, Severity, Source};

    use super::*;

    fn finding(code: &'static str, text: &str, part: &str) -> Finding {
        let start = text.find(part).unwrap();
        Finding {
            code,
            name: code,
            kind: Kind::Loss,
            severity: Severity::Error,
            source: Source::Static,
            path: "t.py".into(),
            range: Range::new(start, start + part.len()),
            layer: None,
            message: String::new(),
            evidence: Vec::new(),
            confidence: 1.0,
            fixes: Vec::new(),
        }
    }

    fn is_silenced(text: &str) -> bool {
        let mut findings = vec![finding("DL101", text, "'softmax'")];
        apply(text, || Layout::of(text), &mut findings);
        findings.is_empty()
    }

    #[test]
    fn comments_on_the_line_silence() {
        for (comment, silenced) in [
            ("", false),
            ("# deeplocalize: ignore", true),
            ("#deeplocalize:ignore", true),
            ("# deeplocalize: ignore[DL101]", true),
            ("# deeplocalize: ignore[DL301, DL1]", true),
            ("# deeplocalize: ignore [softmax-on-one-unit]", true),
            ("# deeplocalize: ignore[DL301]", false),
            ("# deeplocalize: ignore[]", false),
            ("# deeplocalize: ignored", false),
            ("# meant so # deeplocalize: ignore[DL101] because", true),
            ("# noqa", true),
            ("# NOQA", true),
            ("# noqa: DL101", true),
            ("# noqa:E501,DL101", true),
            ("# noqa: E501 DL101 why", true),
            ("# noqa: E501", false),
            ("# noqable", false),
            ("# see noqa", false),
            ("# type: ignore  # noqa: DL101", true),
            ("# type: ignore", false),
        ] {
            let text = format!("Dense(1, activation='softmax')  {comment}\n");
            assert_eq!(is_silenced(&text), silenced, "{comment}");
        }
    }

    #[test]
    fn a_statement_of_several_lines_is_silenced_on_the_line_or_at_its_end() {
        for (text, silenced) in [
            ("f(\n  g('softmax'),  # noqa\n)\n", true),
            ("f(\n  g('softmax'),\n)  # deeplocalize: ignore[DL101]\n", true),
            ("f(  # noqa\n  g('softmax'),\n)\n", false),
            ("f(\n  g('softmax'),\n  1,  # noqa\n)\n", false),
            ("if x:\n  f('softmax')\n  g()  # noqa\n", false),
            ("x = '# noqa', 'softmax'\n", false),
            ("f('softmax')\n\n# deeplocalize: ignore-file\n", true),
            ("# deeplocalize: ignore-file: generated\nf('softmax')\n", true),
        ] {
            assert_eq!(is_silenced(text), silenced, "{text}");
        }
    }

    #[test]
    fn the_comment_that_is_offered_silences() {
        for (text, expected) in [
            ("f('softmax')\n", "f('softmax')  # deeplocalize: ignore[DL101]\n"),
            ("f('softmax')", "f('softmax')  # deeplocalize: ignore[DL101]"),
            (
                "f('softmax')  # why\r\nx\r\n",
                "f('softmax')  # why  # deeplocalize: ignore[DL101]\r\nx\r\n",
            ),
            (
                "f('softmax')  # deeplocalize: ignore[DL301]\n",
                "f('softmax')  # deeplocalize: ignore[DL301, DL101]\n",
            ),
            (
                "f(\n  'softmax',\n)\n",
                "f(\n  'softmax',  # deeplocalize: ignore[DL101]\n)\n",
            ),
            (
                "x = 'softmax' + \\\n  y\n",
                "x = 'softmax' + \\\n  y  # deeplocalize: ignore[DL101]\n",
            ),
            (
                "f('softmax', '''\n  ''')\n",
                "f('softmax', '''\n  ''')  # deeplocalize: ignore[DL101]\n",
            ),
        ] {
            let edit = silence(text, &finding("DL101", text, "'softmax'")).unwrap();
            let mut silenced = text.to_owned();
            silenced.replace_range(edit.range.start..edit.range.end, &edit.new_text);
            assert_eq!(silenced, expected);
            assert!(is_silenced(&silenced), "{silenced}");
        }
    }
}
