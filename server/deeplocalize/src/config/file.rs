//! Settings files: `deeplocalize.toml`, and `pyproject.toml` where it has a `[tool.deeplocalize]`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Layer;
use super::read::{self, Node, Problem, Value};
use crate::report::ToolError;
use crate::text::SourceText;

/// Names of settings files in a folder, the stronger first.
pub const NAMES: [&str; 2] = ["deeplocalize.toml", "pyproject.toml"];

/// What a settings file says.
#[derive(Debug, Default)]
pub struct SettingsFile {
    /// Its settings; `None` when there is no such file, or it says nothing to us.
    pub layer: Option<Layer>,
    /// What in it has no effect.
    pub errors: Vec<ToolError>,
}

/// Reads a settings file. One that is not there says nothing.
pub fn load(path: &Path) -> SettingsFile {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return SettingsFile::default();
        }
        Err(error) => {
            return SettingsFile {
                layer: None,
                errors: vec![settings_error(
                    path,
                    format!("cannot read {}: {error}", path.display()),
                )],
            };
        }
    };
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> SettingsFile {
    let shared = path.file_name().is_some_and(|name| name == "pyproject.toml");
    // The file is everybody's: what is wrong in it is our business only when it mentions us.
    if shared && !text.contains("deeplocalize") {
        return SettingsFile::default();
    }
    let (table, broken) = DeTable::parse_recoverable(text);
    if let Some(error) = broken.first() {
        let problem = Problem {
            at: error.span().map_or(0, |span| span.start),
            message: format!("this is not TOML: {}", error.message()),
        };
        return SettingsFile {
            layer: Some(Layer::default()),
            errors: vec![placed(path, text, &problem)],
        };
    }
    let span = table.span();
    let root = Node::of_toml(&Spanned::new(span, DeValue::Table(table.into_inner())));
    let settings = if shared {
        match root.get("tool").and_then(|tool| tool.get("deeplocalize")) {
            Some(settings) => settings,
            None => return SettingsFile::default(),
        }
    } else {
        &root
    };
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    let (layer, mut problems) = read::layer(settings, &[folder]);
    // A table from the other file is a likely slip that would otherwise read as one unknown key.
    if !shared && let Some(Value::Table(_)) = root.get("tool").map(|tool| &tool.value) {
        problems.retain(|problem| !problem.message.starts_with("there is no setting `tool`"));
        problems.push(Problem {
            at: text.find("tool").unwrap_or(0),
            message: "in deeplocalize.toml the settings stand at the top, without `[tool.deeplocalize]`"
                .into(),
        });
    }
    SettingsFile {
        layer: Some(layer),
        errors: problems
            .iter()
            .map(|problem| placed(path, text, problem))
            .collect(),
    }
}

fn placed(path: &Path, text: &str, problem: &Problem) -> ToolError {
    let (line, column) = SourceText::new(text).line_column(problem.at);
    settings_error(
        path,
        format!("{}:{line}:{column}: {}", path.display(), problem.message),
    )
}

/// The error for a settings file.
pub fn settings_error(path: &Path, message: String) -> ToolError {
    ToolError {
        code: "bad-settings".into(),
        message,
        path: Some(path.to_owned()),
        hint: "the rest of the settings counts; docs/configuration.md describes them all".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(name: &str, text: &str) -> Vec<String> {
        parse(Path::new(name), text)
            .errors
            .into_iter()
            .map(|error| error.message)
            .collect()
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        let text = "selct = [\"DL1\"]\nignore = \"DL1\"\nselect = [\"DL1\", 3, \"DL999\"]\n\n[severity]\nDL101 = \"fatal\"\nE1 = \"error\"\n";
        let messages = messages("deeplocalize.toml", text);
        for (message, expected) in messages.iter().zip([
            "deeplocalize.toml:1:1: there is no setting `selct`; did you mean `select`?",
            "deeplocalize.toml:2:10: `ignore` must be a list of strings",
            "deeplocalize.toml:3:18: `select` must hold strings only",
            "deeplocalize.toml:3:21: `select`: no rule has the code or name `DL999`",
            "deeplocalize.toml:6:9: the severity of DL101 must be `hint`, `information`, `warning` or `error`",
            "deeplocalize.toml:7:1: `severity`: no rule has the code or name `E1`",
        ]) {
            assert!(message.starts_with(expected), "{message}\n{expected}");
        }
        assert_eq!(messages.len(), 6, "{messages:?}");
    }

    #[test]
    fn what_is_right_counts_beside_what_is_wrong() {
        let file = parse(
            Path::new("/p/deeplocalize.toml"),
            "select = [\"DL1\", \"nonsense\"]\nwhat = 1\nexclude = [\"old\"]\n",
        );
        let layer = file.layer.unwrap();
        assert_eq!(layer.select, Some(vec!["DL1".parse().unwrap()]));
        assert_eq!(layer.exclude.len(), 1);
        assert_eq!(file.errors.len(), 2);
    }

    #[test]
    fn pyproject_counts_only_with_our_table() {
        assert!(
            parse(Path::new("pyproject.toml"), "[tool.ruff]\n")
                .layer
                .is_none()
        );
        assert!(
            parse(Path::new("pyproject.toml"), "not toml at all [")
                .errors
                .is_empty(),
            "not ours"
        );
        let file = parse(
            Path::new("pyproject.toml"),
            "[tool.deeplocalize]\nignore = [\"DL301\"]\n",
        );
        assert_eq!(file.layer.unwrap().ignore, ["DL301".parse().unwrap()]);
        assert_eq!(
            messages("pyproject.toml", "[tool.deeplocalize\n").len(),
            1,
            "broken, and mentions us"
        );
        assert!(
            messages("deeplocalize.toml", "[tool.deeplocalize]\nselect = []\n")[0].contains("at the top")
        );
    }
}
