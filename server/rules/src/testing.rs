//! Tests of a rule as tables.

use std::path::Path;

use finding::{Applicability, Finding, Fix, RuleInfo, Severity, doc_section};
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

/// A script with a Sequential model of the layers in `list`.
pub(crate) fn layers(list: &str) -> String {
    format!("import keras\nfrom keras import layers as L\nm = keras.Sequential([{list}])\n")
}

/// A script that fits a small regression model with the arguments in `arguments`.
pub(crate) fn fitted(arguments: &str) -> String {
    format!(
        "import keras\nfrom keras.callbacks import *\n\
         m = keras.Sequential([keras.layers.Dense(8, activation='relu'), keras.layers.Dense(1)])\n\
         m.compile('adam', 'mse', metrics=['mae'])\nm.fit({arguments})\n"
    )
}

/// A script that trains on the `x` and `y` of some lines.
pub(crate) fn trained(lines: &str) -> String {
    format!(
        "import keras\nimport numpy as np\n{lines}m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\n\
         m.compile('adam', 'mse')\nm.fit(x, y)\n"
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
        let others: Vec<_> = findings(text)
            .into_iter()
            .filter(|other| other.code != rule.code && other.severity >= Severity::Warning)
            .collect();
        assert!(
            others.is_empty(),
            "one fault is reported once:\n{text}\n{others:#?}"
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
        let left: Vec<_> = findings(&good)
            .into_iter()
            .filter(|finding| finding.code == rule.code || finding.severity >= Severity::Warning)
            .collect();
        assert!(left.is_empty(), "{}: {left:#?}", rule.code);
    }
}
