//! What the user wants to see: which rules, how severe, in which files. `docs/configuration.md` tells it to users.

mod file;
mod filter;
mod read;
pub mod schema;
mod selector;
mod store;

use std::path::{Path, PathBuf};

use finding::{Finding, Severity};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

pub use file::NAMES as FILE_NAMES;
pub use filter::filter;
pub use read::severity;
pub use selector::{NoSuchRule, Selector};
pub use store::Configuration;

/// What one source — a file, the command line, the editor — says.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// The rules that count; all (or what the sources below say) when `None`.
    pub select: Option<Vec<Selector>>,
    /// Rules that do not.
    pub ignore: Vec<Selector>,
    /// Severities other than the usual.
    pub severity: Vec<(Selector, Severity)>,
    /// Files that are passed over, one matcher per folder that the patterns count from.
    pub exclude: Vec<Gitignore>,
}

impl Layer {
    /// Reads settings from JSON, as editors send them; `folders` are what patterns of `exclude` count from. What cannot
    /// be understood has no effect and is named in the result.
    pub fn from_json(value: &serde_json::Value, folders: &[PathBuf]) -> (Layer, Vec<String>) {
        let (layer, problems) = read::layer(&read::Node::of_json(value), folders);
        (
            layer,
            problems.into_iter().map(|problem| problem.message).collect(),
        )
    }

    /// Whether a rule counts, given whether it counted by the sources below.
    fn selects(&self, code: &str, before: bool) -> bool {
        let ignored = closest(self.ignore.iter(), code);
        match &self.select {
            Some(select) => closest(select.iter(), code) > ignored,
            None => before && ignored == 0,
        }
    }
}

/// How closely the closest of several selectors names a rule; 0 when none does.
fn closest<'a>(selectors: impl Iterator<Item = &'a Selector>, code: &str) -> usize {
    selectors
        .filter(|selector| selector.matches(code))
        .map(Selector::closeness)
        .max()
        .unwrap_or(0)
}

/// A matcher of paths below a folder; patterns are those of `.gitignore`.
fn matcher(folder: &Path, patterns: &[&str]) -> Result<Gitignore, ignore::Error> {
    let mut builder = GitignoreBuilder::new(folder);
    for pattern in patterns {
        builder.add_line(None, pattern)?;
    }
    builder.build()
}

/// The settings that hold for a file, the strongest source last.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    layers: Vec<Layer>,
}

impl Settings {
    /// Settings of these sources, the strongest last.
    pub fn new(layers: Vec<Layer>) -> Self {
        Settings { layers }
    }

    /// Whether a rule counts.
    pub fn selects(&self, code: &str) -> bool {
        self.layers
            .iter()
            .fold(true, |before, layer| layer.selects(code, before))
    }

    /// The severity asked for, if any.
    pub fn severity(&self, code: &str) -> Option<Severity> {
        self.layers.iter().rev().find_map(|layer| {
            let fits = layer
                .severity
                .iter()
                .filter(|(selector, _)| selector.matches(code));
            fits.max_by_key(|(selector, _)| selector.closeness())
                .map(|(_, severity)| *severity)
        })
    }

    /// Whether a file is passed over. The path must be absolute.
    pub fn excludes(&self, path: &Path) -> bool {
        let matchers = self.layers.iter().flat_map(|layer| &layer.exclude);
        matchers
            .filter(|matcher| path.starts_with(matcher.path()))
            .any(|matcher| matcher.matched_path_or_any_parents(path, false).is_ignore())
    }

    /// Drops the findings of rules that do not count and gives the others the severity asked for.
    pub fn apply(&self, findings: &mut Vec<Finding>) {
        if self.layers.is_empty() {
            return;
        }
        findings.retain_mut(|finding| {
            if let Some(severity) = self.severity(finding.code) {
                finding.severity = severity;
            }
            self.selects(finding.code)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selectors(names: &[&str]) -> Vec<Selector> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn layer(select: Option<&[&str]>, ignore: &[&str]) -> Layer {
        Layer {
            select: select.map(selectors),
            ignore: selectors(ignore),
            ..Layer::default()
        }
    }

    #[test]
    fn the_closest_selector_and_then_the_strongest_source_counts() {
        for (layers, dl101, dl301) in [
            (vec![], true, true),
            (vec![layer(None, &["DL1"])], false, true),
            (vec![layer(Some(&["DL1"]), &[])], true, false),
            (vec![layer(Some(&["DL1"]), &["DL101"])], false, false),
            (vec![layer(Some(&["DL101"]), &["DL1"])], true, false),
            (vec![layer(Some(&["DL101"]), &["DL101"])], false, false),
            (vec![layer(Some(&[]), &[])], false, false),
            (
                vec![layer(None, &["ALL"]), layer(Some(&["DL101"]), &[])],
                true,
                false,
            ),
            (
                vec![layer(Some(&["ALL"]), &[]), layer(None, &["DL3"])],
                true,
                false,
            ),
        ] {
            let settings = Settings::new(layers.clone());
            assert_eq!(
                (settings.selects("DL101"), settings.selects("DL301")),
                (dl101, dl301),
                "{layers:?}"
            );
        }
    }

    #[test]
    fn the_severity_of_the_closest_selector_counts() {
        let severity = |list: &[(&str, Severity)]| Layer {
            severity: list
                .iter()
                .map(|(name, severity)| (name.parse().unwrap(), *severity))
                .collect(),
            ..Layer::default()
        };
        let below = severity(&[("DL101", Severity::Hint), ("DL1", Severity::Warning)]);
        let settings = Settings::new(vec![below.clone()]);
        assert_eq!(settings.severity("DL101"), Some(Severity::Hint));
        assert_eq!(settings.severity("DL102"), Some(Severity::Warning));
        assert_eq!(settings.severity("DL301"), None);
        let settings = Settings::new(vec![below, severity(&[("ALL", Severity::Information)])]);
        assert_eq!(settings.severity("DL101"), Some(Severity::Information));
    }

    #[test]
    fn patterns_count_from_their_folder() {
        let folder = Path::new("/project");
        let layer = Layer {
            exclude: vec![matcher(folder, &["old/", "*_draft.py", "!keep_draft.py"]).unwrap()],
            ..Layer::default()
        };
        let settings = Settings::new(vec![layer]);
        for (path, excluded) in [
            ("/project/old/train.py", true),
            ("/project/sub/old/train.py", true),
            ("/project/my_draft.py", true),
            ("/project/keep_draft.py", false),
            ("/project/train.py", false),
            ("/elsewhere/old/train.py", false),
        ] {
            assert_eq!(settings.excludes(Path::new(path)), excluded, "{path}");
        }
    }
}
