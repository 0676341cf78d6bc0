//! The settings there are, and their JSON schema for editors.

use serde_json::{Value, json};

use super::read::SEVERITIES;
use crate::lsp::settings::Settings;
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

/// A setting that only editors have, with the schema of its value.
struct EditorSetting {
    name: &'static str,
    description: &'static str,
    schema: Value,
}

/// The settings of editors, as VS Code's `contributes.configuration.properties` wants them: those of the client, of runs, and
/// of rules.
pub fn editor_schema() -> Value {
    let of_runs = Settings::default();
    let settings = [
        EditorSetting {
            name: "path",
            description: "The `deeplocalize` executable. Empty: the first one on PATH, else that of the selected interpreter's environment, else the one that comes with the extension.",
            schema: json!({"type": "string", "default": "", "scope": "machine-overridable"}),
        },
        EditorSetting {
            name: "python",
            description: "The interpreter that runs scripts. Empty: the one selected in the Python extension, else `VIRTUAL_ENV`, `CONDA_PREFIX`, a `.venv` or `venv` beside or above the script, or `python3`.",
            schema: json!({"type": "string", "default": "", "scope": "machine-overridable"}),
        },
        EditorSetting {
            name: "maxBatches",
            description: "A run ends after that many batches, over all trainings.",
            schema: json!({"type": "integer", "minimum": 1, "default": of_runs.max_batches, "scope": "resource"}),
        },
        EditorSetting {
            name: "maxSeconds",
            description: "A run ends after that many seconds of training.",
            schema: json!({"type": "number", "exclusiveMinimum": 0, "default": of_runs.max_seconds, "scope": "resource"}),
        },
        EditorSetting {
            name: "startupSeconds",
            description: "A run ends when no training has started after that many seconds.",
            schema: json!({"type": "number", "exclusiveMinimum": 0, "default": of_runs.startup_seconds, "scope": "resource"}),
        },
        EditorSetting {
            name: "maxMemory",
            description: "A run ends when the script, with everything it has started, takes more MiB of memory. Empty: four fifths of the memory there is.",
            schema: json!({"type": ["integer", "null"], "minimum": 1, "default": null, "scope": "resource"}),
        },
        EditorSetting {
            name: "maxWritten",
            description: "A run ends when the script writes more MiB to its files.",
            schema: json!({"type": "integer", "minimum": 1, "default": of_runs.limits.written >> 20, "scope": "resource"}),
        },
        EditorSetting {
            name: "detector",
            description: "Our analysis, or the algorithm of the paper as it was published.",
            schema: json!({"type": "string", "enum": ["default", "deeplocalize"], "default": "default", "scope": "resource"}),
        },
        EditorSetting {
            name: "mechanism",
            description: "How the training is watched: in Keras itself (`callback`), or by the native engine, which needs no TensorFlow (`imperative`). `auto`: by the engine where it covers the model.",
            schema: json!({"type": "string", "enum": ["auto", "imperative", "callback"], "default": "auto", "scope": "resource"}),
        },
        EditorSetting {
            name: "tryFixes",
            description: "Whether *Localize faults* also trains with each change that may help, so that patches come with a measured effect: `auto`: when the run finds a fault, and on the native engine also when it cannot tell; not where the script starts too slowly. `always`: when the run finds a fault or cannot tell, however long the script takes to start.",
            schema: json!({"type": "string", "enum": ["never", "auto", "always"], "default": "never", "scope": "resource"}),
        },
        EditorSetting {
            name: "trySeconds",
            description: "Seconds that trying changes may take, beside importing Keras once more.",
            schema: json!({"type": "number", "exclusiveMinimum": 0, "default": of_runs.try_seconds, "scope": "resource"}),
        },
        EditorSetting {
            name: "inlayHints",
            description: "Show output shape and number of parameters behind each layer whose input shape is known.",
            schema: json!({"type": "boolean", "default": of_runs.inlay_hints, "scope": "resource"}),
        },
    ];
    let mut properties = serde_json::Map::new();
    for EditorSetting {
        name,
        description,
        mut schema,
    } in settings
    {
        schema["markdownDescription"] = json!(description);
        properties.insert(format!("deeplocalize.{name}"), schema);
    }
    for option in OPTIONS {
        let mut schema = match option.name {
            "severity" => json!({
                "type": "object",
                "additionalProperties": {"enum": SEVERITIES.map(finding::Severity::as_str)},
                "default": {},
            }),
            // `null`, unlike an empty list, leaves the choice to the settings files.
            "select" => json!({"type": ["array", "null"], "items": {"type": "string"}, "default": null}),
            _ => json!({"type": "array", "items": {"type": "string"}, "default": []}),
        };
        schema["scope"] = json!("resource");
        schema["markdownDescription"] = json!(option.description);
        properties.insert(format!("deeplocalize.{}", option.name), schema);
    }
    Value::Object(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_shown_in_editors_are_those_of_the_server() {
        let shown = editor_schema();
        let named = shown.as_object().unwrap().iter().map(|(key, schema)| {
            let name = key.strip_prefix("deeplocalize.").unwrap();
            (name.to_owned(), schema["default"].clone())
        });
        let defaults: serde_json::Map<_, _> = named.collect();
        let mut settings = Settings {
            max_batches: 1,
            max_seconds: 1.0,
            try_seconds: 1.0,
            inlay_hints: false,
            mechanism: session::Mechanism::Callback,
            try_fixes: crate::run::TryFixes::Always,
            ..Settings::default()
        };
        assert_eq!(settings.merge(&Value::Object(defaults)), Vec::<String>::new());
        assert_eq!(settings, Settings::default());
    }
}
