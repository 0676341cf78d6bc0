//! The Python side, embedded in the binary and written out for each run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::SessionError;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../tracer/", $name)))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "__main__.py",
    "_deeplocalize_tracer/__init__.py",
    "_deeplocalize_tracer/activations.py",
    "_deeplocalize_tracer/apart.py",
    "_deeplocalize_tracer/baselines.py",
    "_deeplocalize_tracer/cadence.py",
    "_deeplocalize_tracer/callbacks.py",
    "_deeplocalize_tracer/channel.py",
    "_deeplocalize_tracer/config.py",
    "_deeplocalize_tracer/data.py",
    "_deeplocalize_tracer/dialect.py",
    "_deeplocalize_tracer/errors.py",
    "_deeplocalize_tracer/evaluations.py",
    "_deeplocalize_tracer/fit.py",
    "_deeplocalize_tracer/frame_queue.py",
    "_deeplocalize_tracer/grouped.py",
    "_deeplocalize_tracer/histogram.py",
    "_deeplocalize_tracer/hooks.py",
    "_deeplocalize_tracer/imperative/__init__.py",
    "_deeplocalize_tracer/imperative/adapters.py",
    "_deeplocalize_tracer/imperative/dataset.py",
    "_deeplocalize_tracer/imperative/description.py",
    "_deeplocalize_tracer/imperative/dotted.py",
    "_deeplocalize_tracer/imperative/engine.py",
    "_deeplocalize_tracer/imperative/giving_up.py",
    "_deeplocalize_tracer/imperative/graph.py",
    "_deeplocalize_tracer/imperative/imports.py",
    "_deeplocalize_tracer/imperative/learner.py",
    "_deeplocalize_tracer/imperative/mirror.py",
    "_deeplocalize_tracer/imperative/names.py",
    "_deeplocalize_tracer/imperative/philox.py",
    "_deeplocalize_tracer/imperative/reading.py",
    "_deeplocalize_tracer/imperative/repairs.py",
    "_deeplocalize_tracer/imperative/start.py",
    "_deeplocalize_tracer/imperative/steps.py",
    "_deeplocalize_tracer/imperative/tensorflow.py",
    "_deeplocalize_tracer/imperative/tensors.py",
    "_deeplocalize_tracer/imperative/trainer.py",
    "_deeplocalize_tracer/isolation.py",
    "_deeplocalize_tracer/jax_recorder.py",
    "_deeplocalize_tracer/jax_shadow.py",
    "_deeplocalize_tracer/jax_stepper.py",
    "_deeplocalize_tracer/judged_rows.py",
    "_deeplocalize_tracer/launcher.py",
    "_deeplocalize_tracer/layers.py",
    "_deeplocalize_tracer/loop_model.py",
    "_deeplocalize_tracer/loop_recorder.py",
    "_deeplocalize_tracer/loop_shadow.py",
    "_deeplocalize_tracer/loops.py",
    "_deeplocalize_tracer/losses.py",
    "_deeplocalize_tracer/old_stepper.py",
    "_deeplocalize_tracer/overrides.py",
    "_deeplocalize_tracer/pairings.py",
    "_deeplocalize_tracer/patches.py",
    "_deeplocalize_tracer/predictions.py",
    "_deeplocalize_tracer/private_keras.py",
    "_deeplocalize_tracer/probe.py",
    "_deeplocalize_tracer/recorder.py",
    "_deeplocalize_tracer/redirect.py",
    "_deeplocalize_tracer/redirect_native.py",
    "_deeplocalize_tracer/reporting.py",
    "_deeplocalize_tracer/scores.py",
    "_deeplocalize_tracer/seeds.py",
    "_deeplocalize_tracer/shadow.py",
    "_deeplocalize_tracer/sites.py",
    "_deeplocalize_tracer/statistics.py",
    "_deeplocalize_tracer/stepper.py",
    "_deeplocalize_tracer/surroundings.py",
    "_deeplocalize_tracer/torch_recorder.py",
    "_deeplocalize_tracer/torch_stepper.py",
    "_deeplocalize_tracer/training.py",
    "_deeplocalize_tracer/trials.py",
    "_deeplocalize_tracer/variables.py",
    "_deeplocalize_tracer/yardstick.py",
];

/// Name of the file in which the supervisor says how the script ended.
pub(crate) const STATUS: &str = "status";
/// How the names of the temporary folders begin.
pub(crate) const FOLDER_PREFIX: &str = "deeplocalize-tracer-";

/// The tracer on disk; removed when dropped.
#[derive(Debug)]
pub(crate) struct Tracer {
    folder: TempDir,
}

impl Tracer {
    /// Writes the tracer into a temporary folder that only this user can read.
    pub(crate) fn write() -> Result<Tracer, SessionError> {
        let failed = || SessionError::io("write the tracer into a temporary folder");
        let folder = tempfile::Builder::new()
            .prefix(FOLDER_PREFIX)
            .tempdir()
            .map_err(failed())?;
        let package = folder.path().join("tracer/_deeplocalize_tracer/imperative");
        fs::create_dir_all(&package).map_err(failed())?;
        for (name, text) in FILES {
            fs::write(folder.path().join("tracer").join(name), text).map_err(failed())?;
        }
        Ok(Tracer { folder })
    }

    /// What Python is given to run.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder.path().join("tracer")
    }

    /// Writes the texts that are to run in place of files, and tells which is which: real path of the file, path of the
    /// text.
    pub(crate) fn write_overrides(
        &self,
        overrides: &BTreeMap<PathBuf, String>,
    ) -> Result<BTreeMap<PathBuf, PathBuf>, SessionError> {
        let mut written = BTreeMap::new();
        for (number, (path, text)) in overrides.iter().enumerate() {
            let kept = self.folder.path().join(format!("override-{number}.py"));
            fs::write(&kept, text)
                .map_err(SessionError::io("write the text to run into a temporary folder"))?;
            written.insert(real_path(path), kept);
        }
        Ok(written)
    }

    /// The folder, for the supervisor.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the supervisor says how the script ended.
    pub(crate) fn status(&self) -> PathBuf {
        self.folder.path().join(STATUS)
    }
}

/// The path without symbolic links; of a file that does not exist, the folder's.
pub(crate) fn real_path(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let of_folder = || Some(fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?));
    fs::canonicalize(&path).ok().or_else(of_folder).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module that is forgotten here is missing in every run.
    #[test]
    fn every_module_is_embedded() {
        // For trainings that run without the tool.
        const ALONE: [&str; 3] = ["alone.py", "callback.py", "trace_file.py"];
        let tracer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tracer");
        let mut modules = Vec::new();
        let mut folders = vec![tracer.join("_deeplocalize_tracer")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "py") {
                    let name = path.strip_prefix(&tracer).unwrap().to_str().unwrap().to_owned();
                    modules.push(name);
                }
            }
        }
        modules.retain(|name| {
            !ALONE
                .iter()
                .any(|alone| name == &format!("_deeplocalize_tracer/{alone}"))
        });
        modules.push("__main__.py".to_owned());
        modules.sort();
        let mut embedded: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        embedded.sort_unstable();
        assert_eq!(modules, embedded);
    }
}
