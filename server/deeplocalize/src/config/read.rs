//! Settings as a tree of values with their places, whatever they were written in, and what they say.

use std::path::PathBuf;

use finding::Severity;
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::DeValue;

use super::schema::OPTIONS;
use super::{Layer, Selector, matcher};

/// Something in the settings that has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Byte offset in the text of the settings.
    pub at: usize,
    /// What is wrong and what is expected.
    pub message: String,
}

/// A value with its place.
#[derive(Debug)]
pub(super) struct Node {
    pub at: usize,
    pub value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    /// Keys with their places, in source order.
    Table(Vec<(String, usize, Node)>),
    Other,
}

impl Node {
    pub fn of_toml(value: &Spanned<DeValue<'_>>) -> Node {
        Node {
            at: value.span().start,
            value: match value.get_ref() {
                DeValue::String(text) => Value::Text(text.to_string()),
                DeValue::Array(items) => Value::List(items.iter().map(Node::of_toml).collect()),
                DeValue::Table(table) => {
                    let entry = |(key, value): (&Spanned<_>, _)| {
                        let name: &std::borrow::Cow<'_, str> = key.get_ref();
                        (name.to_string(), key.span().start, Node::of_toml(value))
                    };
                    let mut entries: Vec<_> = table.iter().map(entry).collect();
                    entries.sort_by_key(|(_, at, _)| *at);
                    Value::Table(entries)
                }
                _ => Value::Other,
            },
        }
    }

    pub fn of_json(value: &Json) -> Node {
        Node {
            at: 0,
            value: match value {
                Json::Null => Value::Null,
                Json::String(text) => Value::Text(text.clone()),
                Json::Array(items) => Value::List(items.iter().map(Node::of_json).collect()),
                Json::Object(map) => {
                    let entry = |(key, value): (&String, &Json)| (key.clone(), 0, Node::of_json(value));
                    Value::Table(map.iter().map(entry).collect())
                }
                Json::Bool(_) | Json::Number(_) => Value::Other,
            },
        }
    }

    /// The value of a key, where this is a table.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries
                .iter()
                .find(|(key, ..)| key == name)
                .map(|(.., node)| node),
            _ => None,
        }
    }
}

/// What a table of settings says; patterns of `exclude` count from each of `folders`.
pub(super) fn layer(settings: &Node, folders: &[PathBuf]) -> (Layer, Vec<Problem>) {
    let mut reader = Reader::default();
    let mut layer = Layer::default();
    match &settings.value {
        Value::Table(entries) => {
            for (key, at, node) in entries {
                reader.option(&mut layer, key, *at, node, folders);
            }
        }
        Value::Null => {}
        _ => reader.problem(settings.at, "the settings of DeepLocalize must be a table"),
    }
    (layer, reader.problems)
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn problem(&mut self, at: usize, message: impl Into<String>) {
        self.problems.push(Problem {
            at,
            message: message.into(),
        });
    }

    fn option(&mut self, layer: &mut Layer, key: &str, at: usize, node: &Node, folders: &[PathBuf]) {
        // Editors send null for what was never filled in.
        if matches!(node.value, Value::Null) {
            return;
        }
        match key {
            "select" => layer.select = self.texts(key, node).map(|texts| self.selectors(key, &texts)),
            "ignore" => {
                let texts = self.texts(key, node).unwrap_or_default();
                layer.ignore = self.selectors(key, &texts);
            }
            "severity" => layer.severity = self.severities(node),
            "exclude" => {
                let texts = self.texts(key, node).unwrap_or_default();
                for folder in folders {
                    let patterns: Vec<&str> = texts.iter().map(|(text, _)| *text).collect();
                    match matcher(folder, &patterns) {
                        Ok(matcher) => layer.exclude.push(matcher),
                        Err(error) => {
                            self.problem(
                                node.at,
                                format!("`exclude` holds a pattern that cannot be read: {error}"),
                            );
                            return;
                        }
                    }
                }
            }
            _ => {
                let names = OPTIONS.iter().map(|option| option.name);
                let nearest = names
                    .map(|name| (strsim::jaro_winkler(key, name), name))
                    .filter(|(likeness, _)| *likeness > 0.75)
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let hint = match nearest {
                    Some((_, name)) => format!("did you mean `{name}`?"),
                    None => {
                        let names: Vec<_> = OPTIONS
                            .iter()
                            .map(|option| format!("`{}`", option.name))
                            .collect();
                        format!("there are {}", names.join(", "))
                    }
                };
                self.problem(at, format!("there is no setting `{key}`; {hint}"));
            }
        }
    }

    /// The texts of a list of texts.
    fn texts<'a>(&mut self, key: &str, node: &'a Node) -> Option<Vec<(&'a str, usize)>> {
        let Value::List(items) = &node.value else {
            self.problem(node.at, format!("`{key}` must be a list of strings"));
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) => texts.push((text.as_str(), item.at)),
                _ => self.problem(item.at, format!("`{key}` must hold strings only")),
            }
        }
        Some(texts)
    }

    fn selectors(&mut self, key: &str, texts: &[(&str, usize)]) -> Vec<Selector> {
        let mut selectors = Vec::new();
        for (text, at) in texts {
            match text.parse() {
                Ok(selector) => selectors.push(selector),
                Err(error) => self.problem(*at, format!("`{key}`: {error}")),
            }
        }
        selectors
    }

    fn severities(&mut self, node: &Node) -> Vec<(Selector, Severity)> {
        let Value::Table(entries) = &node.value else {
            self.problem(
                node.at,
                "`severity` must be a table of severities by rule, such as `DL101 = \"warning\"`",
            );
            return Vec::new();
        };
        let mut severities = Vec::new();
        for (key, at, node) in entries {
            let level = match &node.value {
                Value::Text(text) => severity(text),
                _ => None,
            };
            match (key.parse(), level) {
                (Ok(selector), Some(level)) => severities.push((selector, level)),
                (Err(error), _) => self.problem(*at, format!("`severity`: {error}")),
                (_, None) => self.problem(
                    node.at,
                    format!("the severity of {key} must be `hint`, `information`, `warning` or `error`"),
                ),
            }
        }
        severities
    }
}

/// The severity of that name.
pub fn severity(name: &str) -> Option<Severity> {
    SEVERITIES
        .into_iter()
        .find(|severity| severity.as_str() == name.trim())
}

/// All severities, the least first.
pub const SEVERITIES: [Severity; 4] = [
    Severity::Hint,
    Severity::Information,
    Severity::Warning,
    Severity::Error,
];
