//! The settings there are, and their JSON schema for editors.

use serde_json::{Value, json};

use super::read::SEVERITIES;
use crate::report::all_rules;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
}

/// All settings of the check.
pub const OPTIONS: &[Setting] = &[
    Setting {
        name: "select",
        description: "The rules that count: codes (DL101), beginnings of codes (DL1), names (softmax-on-one-unit) or ALL. All rules when absent.",
    },
    Setting {
        name: "ignore",
        description: "Rules that do not count. Where a rule is both selected and ignored, the closer name wins (DL101 before DL1), then `ignore`.",
    },
    Setting {
        name: "severity",
        description: "Severities other than the usual, by rule.",
    },
    Setting {
        name: "exclude",
        description: "Files and folders that are passed over: patterns as in .gitignore, relative to the folder of the settings file.",
    },
];

/// The JSON schema of `deeplocalize.toml` and of `[tool.deeplocalize]`.
pub fn schema() -> Value {
    let mut names = vec![json!("ALL")];
    let rules = all_rules();
    // Only families that exist; one digit after the letters makes a family.
    for rule in &rules {
        let family = json!(rule.code.get(..3).unwrap_or(rule.code));
        if !names.contains(&family) {
            names.push(family);
        }
    }
    names.extend(rules.iter().map(|rule| json!(rule.code)));
    names.extend(rules.iter().map(|rule| json!(rule.name)));
    let properties = OPTIONS.iter().map(|option| {
        let mut schema = match option.name {
            "severity" => json!({
                "type": "object",
                "propertyNames": {"$ref": "#/definitions/selector"},
                "additionalProperties": {"$ref": "#/definitions/severity"},
            }),
            "exclude" => json!({"type": "array", "items": {"type": "string"}}),
            _ => json!({"type": "array", "items": {"$ref": "#/definitions/selector"}}),
        };
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".into(), json!(option.description));
        }
        (option.name.to_owned(), schema)
    });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://raw.githubusercontent.com/deeplocalize/deeplocalize/main/docs/settings.schema.json",
        "title": "Settings of DeepLocalize",
        "description": "deeplocalize.toml, and [tool.deeplocalize] of pyproject.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<serde_json::Map<_, _>>(),
        "definitions": {
            "selector": {
                "type": "string",
                "anyOf": [{"enum": names}, {"pattern": "^[Dd][Ll][0-9]*$"}],
            },
            "severity": {"enum": SEVERITIES.map(finding::Severity::as_str)},
        },
    })
}
