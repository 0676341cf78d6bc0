//! Rules as settings and comments name them.

use std::fmt;
use std::str::FromStr;

use finding::RuleInfo;

use crate::report::{all_rules, closest_rule};

/// One or several rules: a code (`DL101`), the beginning of codes (`DL1`), a name (`softmax-on-one-unit`) or `ALL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Every rule.
    All,
    /// The rules whose codes begin so.
    Family(String),
    /// One rule, by code.
    Rule(&'static str),
}

impl Selector {
    /// Whether the rule with that code is meant.
    pub fn matches(&self, code: &str) -> bool {
        match self {
            Selector::All => true,
            Selector::Family(beginning) => code.starts_with(beginning.as_str()),
            Selector::Rule(rule) => *rule == code,
        }
    }

    /// How closely it names a rule that it matches: the closest of several counts.
    pub const fn closeness(&self) -> usize {
        match self {
            Selector::All => 1,
            Selector::Family(beginning) => 1 + beginning.len(),
            Selector::Rule(_) => usize::MAX,
        }
    }
}

/// There is no such rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NoSuchRule {
    name: String,
    /// Code and name of the rule that is most like it.
    closest: Option<(&'static str, &'static str)>,
}

impl fmt::Display for NoSuchRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no rule has the code or name `{}`", self.name)?;
        match self.closest {
            Some((code, name)) => write!(f, "; did you mean {code} ({name})?"),
            None => f.write_str("; `deeplocalize rules` lists them"),
        }
    }
}

impl FromStr for Selector {
    type Err = NoSuchRule;

    fn from_str(text: &str) -> Result<Self, NoSuchRule> {
        let name = text.trim();
        if name.eq_ignore_ascii_case("all") {
            return Ok(Selector::All);
        }
        let rules = all_rules();
        let named =
            |rule: &&&RuleInfo| rule.code.eq_ignore_ascii_case(name) || rule.name.eq_ignore_ascii_case(name);
        if let Some(rule) = rules.iter().find(named) {
            return Ok(Selector::Rule(rule.code));
        }
        let beginning = name.to_ascii_uppercase();
        if beginning.len() >= 2 && rules.iter().any(|rule| rule.code.starts_with(&beginning)) {
            return Ok(Selector::Family(beginning));
        }
        Err(NoSuchRule {
            name: name.to_owned(),
            closest: closest_rule(name).map(|rule| (rule.code, rule.name)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_named_by_code_family_name_or_all() {
        for (text, matches, closeness) in [
            ("all", ["DL101", "DL301"].as_slice(), 1),
            ("dl1", &["DL101"], 4),
            ("DL101", &["DL101"], usize::MAX),
            (" softmax-on-one-unit ", &["DL101"], usize::MAX),
        ] {
            let selector: Selector = text.parse().unwrap();
            for code in ["DL101", "DL301"] {
                assert_eq!(selector.matches(code), matches.contains(&code), "{text} {code}");
            }
            assert_eq!(selector.closeness(), closeness, "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_nearest() {
        let refusal = |text: &str| text.parse::<Selector>().unwrap_err().to_string();
        assert_eq!(
            refusal("softmax-on-one-uni"),
            "no rule has the code or name `softmax-on-one-uni`; did you mean DL101 (softmax-on-one-unit)?"
        );
        assert!(refusal("").starts_with("no rule has the code or name ``"));
        assert!(refusal("D").starts_with("no rule"), "one letter is a slip");
        assert!(refusal("E501").contains("E501"));
    }
}
