//! Which settings hold for which file, remembered until they are read again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;

use super::file::{self, NAMES, SettingsFile};
use super::{Layer, Settings};
use crate::report::ToolError;

/// Where settings come from.
#[derive(Debug)]
enum Origin {
    /// The nearest settings file upwards from each file.
    Nearest,
    /// One file for all.
    File(Layer),
    /// Nowhere.
    Nothing,
}

#[derive(Debug, Default)]
struct Known {
    /// Layer of the nearest settings file, by folder.
    nearest: HashMap<PathBuf, Option<Arc<Layer>>>,
    errors: Vec<ToolError>,
}

/// The settings of all files of a command or a session. Shared between threads.
#[derive(Debug)]
pub struct Configuration {
    origin: Origin,
    /// What counts more than any file: command line or editor.
    over: Mutex<Layer>,
    known: Mutex<Known>,
    /// Settings by folder as given, which is what files are asked for by, from all threads of a check at once.
    settings: DashMap<PathBuf, Arc<Settings>>,
}

impl Configuration {
    /// Settings of the nearest file upwards from each file, of `deeplocalize.toml` and `pyproject.toml` in one folder
    /// the former.
    pub fn nearest() -> Self {
        Configuration::new(Origin::Nearest)
    }

    /// The usual settings, whatever files there are.
    pub fn isolated() -> Self {
        Configuration::new(Origin::Nothing)
    }

    /// Settings of one file for all; what is wrong with it is told by [`Configuration::take_errors`].
    pub fn file(path: &Path) -> Result<Self, ToolError> {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let SettingsFile { layer, errors } = file::load(&absolute);
        let Some(layer) = layer else {
            return Err(errors.into_iter().next().unwrap_or_else(|| {
                let what = if path.exists() {
                    format!("{} has no table [tool.deeplocalize]", path.display())
                } else {
                    format!("no such settings file: {}", path.display())
                };
                ToolError {
                    hint: String::new(),
                    ..file::settings_error(path, what)
                }
            }));
        };
        let configuration = Configuration::new(Origin::File(layer));
        configuration.known().errors = errors;
        Ok(configuration)
    }

    fn new(origin: Origin) -> Self {
        Configuration {
            origin,
            over: Mutex::default(),
            known: Mutex::default(),
            settings: DashMap::new(),
        }
    }

    /// Sets what counts more than any file.
    pub fn overrule(&self, layer: Layer) {
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = layer;
        self.settings.clear();
    }

    /// The settings of a file.
    pub fn of(&self, path: &Path) -> Arc<Settings> {
        let folder = path.parent().unwrap_or(path);
        if let Some(settings) = self.settings.get(folder) {
            return Arc::clone(&settings);
        }
        let mut layers: Vec<Layer> = match &self.origin {
            Origin::Nothing => Vec::new(),
            Origin::File(layer) => vec![layer.clone()],
            Origin::Nearest => {
                let folder = std::path::absolute(folder)
                    .or_else(|_| std::env::current_dir())
                    .unwrap_or_default();
                let layer = self.nearest_from(&folder);
                layer.map(|layer| (*layer).clone()).into_iter().collect()
            }
        };
        layers.push(self.over.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let settings = Arc::new(Settings::new(layers));
        self.settings.insert(folder.to_owned(), Arc::clone(&settings));
        settings
    }

    /// Whether a file is passed over where it was not named.
    pub fn excludes(&self, path: &Path) -> bool {
        std::path::absolute(path).is_ok_and(|absolute| self.of(path).excludes(&absolute))
    }

    /// What was wrong with settings files that were read since the last call.
    pub fn take_errors(&self) -> Vec<ToolError> {
        std::mem::take(&mut self.known().errors)
    }

    /// Reads settings files again where they are needed next.
    pub fn forget(&self) {
        *self.known() = Known::default();
        self.settings.clear();
    }

    fn nearest_from(&self, folder: &Path) -> Option<Arc<Layer>> {
        let mut known = self.known();
        let mut passed = Vec::new();
        let mut found = None;
        for folder in folder.ancestors() {
            if let Some(layer) = known.nearest.get(folder) {
                found.clone_from(layer);
                break;
            }
            passed.push(folder.to_owned());
            let file = NAMES
                .iter()
                .map(|name| file::load(&folder.join(name)))
                .find(|file| file.layer.is_some() || !file.errors.is_empty());
            if let Some(file) = file {
                known.errors.extend(file.errors);
                found = Some(Arc::new(file.layer.unwrap_or_default()));
                break;
            }
        }
        for folder in passed {
            known.nearest.insert(folder, found.clone());
        }
        found
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_nearest_file_counts_and_is_read_again_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(
            root.join("pyproject.toml"),
            "[tool.deeplocalize]\nignore = ['DL101']\n",
        )
        .unwrap();
        fs::write(root.join("a/pyproject.toml"), "[tool.ruff]\n").unwrap();
        fs::write(
            root.join("a/b/deeplocalize.toml"),
            "ignore = ['DL301']\nwhat = 1\n",
        )
        .unwrap();
        fs::write(
            root.join("a/b/pyproject.toml"),
            "[tool.deeplocalize]\nignore = ['ALL']\n",
        )
        .unwrap();
        let configuration = Configuration::nearest();
        let counts = |path: &str, code: &str| configuration.of(&root.join(path)).selects(code);
        for (path, dl101, dl301) in [
            ("train.py", false, true),
            ("a/train.py", false, true),
            ("a/b/train.py", true, false),
        ] {
            assert_eq!(
                (counts(path, "DL101"), counts(path, "DL301")),
                (dl101, dl301),
                "{path}"
            );
        }
        assert_eq!(configuration.take_errors().len(), 1);
        assert_eq!(configuration.take_errors(), [], "told once");
        fs::remove_file(root.join("a/b/deeplocalize.toml")).unwrap();
        assert!(counts("a/b/train.py", "DL101"), "remembered");
        configuration.forget();
        assert!(!counts("a/b/train.py", "DL101"), "the other file in the folder");
    }

    #[test]
    fn one_file_for_all_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        let error = Configuration::file(&path).unwrap_err();
        assert!(error.message.starts_with("no such settings file"), "{error:?}");
        fs::write(&path, "select = ['DL3']\n").unwrap();
        let configuration = Configuration::file(&path).unwrap();
        assert!(!configuration.of(Path::new("/x/train.py")).selects("DL101"));
        let over = Layer {
            select: Some(vec!["ALL".parse().unwrap()]),
            ..Layer::default()
        };
        configuration.overrule(over);
        assert!(configuration.of(Path::new("/x/train.py")).selects("DL101"));
    }
}
