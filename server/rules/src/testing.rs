//! Tests of a rule as tables.

use std::path::Path;

use finding::{Applicability, Finding, Fix, RuleInfo, doc_section};
use program::Program;

fn findings(text: &str) -> Vec<Finding> {
    crate::check(&Program::parse(text), text, Path::new("train.py"))
}

fn of_rule(rule: &RuleInfo, text: &str) -> Vec<Finding> {
    findings(text)
        .into_iter()
        .filter(|finding| finding.code == rule.code)
        .collect()
}

/// A script with a Sequential model that ends in `head` and is compiled with `adam` and the arguments in `rest`.
pub(crate) fn model(head: &str, rest: &str) -> String {
    format!(
        "import keras\nfrom keras import layers as L\nm = keras.Sequential([L.Dense(8, activation='relu'), {head}])\n\
         m.compile('adam', {rest})\n"
    )
}

/// The text after a fix.
pub(crate) fn fixed(text: &str, fix: &Fix) -> String {
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.range));
    let mut result = text.to_owned();
    for edit in edits {
        result.replace_range(edit.range.start..edit.range.end, &edit.new_text);
    }
    result
}

/// The Python in the fenced blocks of a section.
fn python(page: &str, section: &str) -> String {
    let section = doc_section(page, section);
    let block = section.split("```python\n").nth(1).unwrap_or_default();
    block.split("```").next().unwrap_or_default().to_owned()
}

/// Checks a rule against its tables: texts on which it says nothing; texts with what it underlines (the first
/// finding); texts with what the first fix makes of them.
pub(crate) fn check<T: AsRef<str>>(rule: &RuleInfo, pass: &[T], fail: &[(T, &str)], fix: &[(T, T)]) {
    for text in pass.iter().map(AsRef::as_ref) {
        let found = of_rule(rule, text);
        assert!(found.is_empty(), "{} fires on\n{text}\n{found:#?}", rule.code);
    }
    for (text, underlined) in fail.iter().map(|(text, underlined)| (text.as_ref(), underlined)) {
        let found = of_rule(rule, text);
        assert_eq!(found.len(), 1, "{} on\n{text}\n{found:#?}", rule.code);
        assert_eq!(found[0].range.slice(text), *underlined, "{text}");
        assert_eq!(
            findings(text).len(),
            1,
            "one fault is reported once:\n{text}\n{:#?}",
            findings(text)
        );
        for fix in &found[0].fixes {
            let after = fixed(text, fix);
            assert!(
                Program::parse(&after).syntax_errors.is_empty(),
                "{}\n{after}",
                fix.title
            );
            if fix.applicability == Applicability::Safe {
                assert!(
                    of_rule(rule, &after).is_empty(),
                    "{} still fires on\n{after}",
                    rule.code
                );
            }
        }
    }
    for (text, expected) in fix
        .iter()
        .map(|(text, expected)| (text.as_ref(), expected.as_ref()))
    {
        let found = of_rule(rule, text);
        let fix = found.first().and_then(|finding| finding.fixes.first());
        let after = fix.map(|fix| fixed(text, fix));
        assert_eq!(after.as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn codes_are_unique_and_documentation_is_complete_and_true() {
    let mut codes = std::collections::BTreeSet::new();
    for rule in crate::all() {
        assert!(codes.insert(rule.code), "{} twice", rule.code);
        let page = rule.markdown();
        assert!(
            page.starts_with(&format!("# {} ({})\n", rule.name, rule.code)),
            "title of {}",
            rule.code
        );
        for section in ["What it does", "Why it matters", "Fix safety", "References"] {
            assert!(
                !doc_section(&page, section).is_empty(),
                "{}: {section}",
                rule.code
            );
        }
        let bad = python(&page, "Example");
        assert!(
            !of_rule(rule, &bad).is_empty(),
            "{}: the example is not reported\n{bad}",
            rule.code
        );
        let good = python(&page, "Use instead");
        assert!(!good.is_empty(), "{}: nothing to use instead", rule.code);
        assert!(
            findings(&good).is_empty(),
            "{}: {:#?}",
            rule.code,
            findings(&good)
        );
    }
}
