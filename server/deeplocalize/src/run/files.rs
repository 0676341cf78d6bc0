//! The source files of a run: the script, and the modules it built its model in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use finding::{Finding, Range};
use localize::{Source, Sources};
use program::Program;
use trace::{Site, Trace};

use super::RunOptions;
use crate::check::read;
use crate::report::ToolError;

#[derive(Debug)]
struct File {
    shown: PathBuf,
    text: String,
    program: Program,
}

/// Files by their absolute path.
#[derive(Debug)]
pub(super) struct Files {
    script: PathBuf,
    directory: PathBuf,
    overrides: BTreeMap<PathBuf, String>,
    /// The script where it was run, and where it is here, when that is not the same.
    elsewhere: Option<(PathBuf, PathBuf)>,
    files: BTreeMap<PathBuf, File>,
}

/// The text of a script, under the same limits as in a check.
fn read_text(path: &Path) -> Result<String, ToolError> {
    let text = read::text(read::open(path)?, path, false)?;
    Ok(text.map(|text| text.text).unwrap_or_default())
}

fn absolute(path: &Path) -> PathBuf {
    std::fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

impl Files {
    /// Reads the script, before it runs: what is shown later is what was run.
    pub fn with_script(options: &RunOptions) -> Result<Files, ToolError> {
        let overrides = options
            .overrides
            .iter()
            .map(|(path, text)| (absolute(path), text.clone()))
            .collect();
        Files::read(&options.script, options.directory.as_deref(), overrides)
    }

    /// The same, from its parts.
    pub fn read(
        script: &Path,
        directory: Option<&Path>,
        overrides: BTreeMap<PathBuf, String>,
    ) -> Result<Files, ToolError> {
        if script.is_dir() {
            return Err(read::error(
                "unreadable",
                script,
                format!("{} is a folder; `run` takes one script", script.display()),
                "",
            ));
        }
        let absolute = absolute(script);
        let text = match overrides.get(&absolute) {
            Some(text) => text.clone(),
            None => read_text(script)?,
        };
        let program = Program::parse(&text);
        let directory = directory.map_or_else(|| std::env::current_dir().unwrap_or_default(), Path::to_owned);
        let directory = std::fs::canonicalize(&directory).unwrap_or(directory);
        let file = File {
            shown: script.to_owned(),
            text,
            program,
        };
        Ok(Files {
            script: absolute.clone(),
            directory,
            overrides,
            elsewhere: None,
            files: BTreeMap::from([(absolute, file)]),
        })
    }

    /// From now on, `script` and the files around it stand for `remote` and the files around that.
    pub fn stand_in(&mut self, remote: &Path, script: &Path) {
        let script = absolute(script);
        if script != remote {
            self.elsewhere = Some((remote.to_owned(), script));
        }
    }

    /// The file here for a file where the script was run.
    fn local(&self, path: &Path) -> PathBuf {
        let Some((remote, script)) = &self.elsewhere else {
            return absolute(path);
        };
        if path == remote {
            return script.clone();
        }
        let around = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
        match path.strip_prefix(around(remote)) {
            Ok(relative) => absolute(&around(script).join(relative)),
            Err(_) => absolute(path),
        }
    }

    /// `fit` calls in the text of the script.
    pub fn trainings(&self) -> usize {
        self.files
            .get(&self.script)
            .map_or(0, |file| file.program.fits.len())
    }

    /// Reads the other files that call sites of the trace lie in.
    pub fn load(&mut self, trace: &Trace) {
        let mut sites: Vec<&Site> = Vec::new();
        for fit in &trace.fits {
            sites.extend(fit.info.layers.iter().filter_map(|layer| layer.site.as_ref()));
            sites.extend(
                fit.info
                    .optimizer
                    .iter()
                    .filter_map(|optimizer| optimizer.site.as_ref()),
            );
            sites.extend(fit.info.inputs.iter().filter_map(|input| input.site.as_ref()));
            sites.extend([&fit.info.site, &fit.info.compile_site].into_iter().flatten());
        }
        if let Some(exception) = &trace.exception {
            sites.extend(
                exception
                    .frames
                    .iter()
                    .filter(|frame| frame.user)
                    .map(|frame| &frame.site),
            );
            sites.extend(exception.layer.iter().filter_map(|layer| layer.site.as_ref()));
        }
        sites.extend(
            trace
                .fallback
                .iter()
                .filter_map(|fallback| fallback.site.as_ref()),
        );
        sites.extend(trace.mechanism.iter().filter_map(|chosen| chosen.site.as_ref()));
        for site in sites {
            let absolute = self.local(&site.path);
            if self.files.contains_key(&absolute) {
                continue;
            }
            let text = match self.overrides.get(&absolute) {
                Some(text) => text.clone(),
                None => match read_text(&absolute) {
                    Ok(text) => text,
                    Err(_) => continue,
                },
            };
            let shown = absolute
                .strip_prefix(&self.directory)
                .map_or_else(|_| absolute.clone(), Path::to_owned);
            let program = Program::parse(&text);
            self.files.insert(absolute, File { shown, text, program });
        }
    }

    /// The script, read.
    pub fn script_program(&self) -> Option<&Program> {
        self.files.get(&self.script).map(|file| &file.program)
    }

    /// Texts that run in place of files, by absolute path.
    pub const fn overrides(&self) -> &BTreeMap<PathBuf, String> {
        &self.overrides
    }

    /// Absolute path and text of a file, by the path that findings carry.
    pub fn shown(&self, shown: &Path) -> Option<(&Path, &str)> {
        let found = self.files.iter().find(|(_, file)| file.shown == shown);
        found.map(|(path, file)| (path.as_path(), file.text.as_str()))
    }

    /// What the rules find in the text of the files of the run.
    pub fn static_findings(&self) -> Vec<Finding> {
        self.files
            .values()
            .flat_map(|file| rules::check(&file.program, &file.text, &file.shown))
            .collect()
    }

    /// Path as shown and range of a call site.
    pub fn place(&self, site: &Site) -> Option<(PathBuf, Option<Range>)> {
        let source = self.source(&site.path)?;
        Some((source.path.to_owned(), localize::site_range(site, source.text)))
    }

    /// Texts that the findings and their fixes refer to.
    pub fn texts(&self, findings: &[Finding]) -> BTreeMap<PathBuf, String> {
        let mentioned = |shown: &Path| {
            findings.iter().any(|finding| {
                let mut edits = finding.fixes.iter().flat_map(|fix| &fix.edits);
                finding.path == shown
                    || finding.evidence.iter().any(|evidence| evidence.path == shown)
                    || edits.any(|edit| edit.path == shown)
            })
        };
        let script = self.files.get(&self.script).map(|file| file.shown.clone());
        self.files
            .values()
            .filter(|file| Some(&file.shown) == script.as_ref() || mentioned(&file.shown))
            .map(|file| (file.shown.clone(), file.text.clone()))
            .collect()
    }
}

impl Sources for Files {
    fn source(&self, path: &Path) -> Option<Source<'_>> {
        let file = match self.files.get(path) {
            Some(file) => file,
            None => self.files.get(&self.local(path))?,
        };
        Some(Source {
            path: &file.shown,
            text: &file.text,
            program: &file.program,
        })
    }
}

#[cfg(test)]
mod tests {
    use finding::{Applicability, Edit, Fix, Kind, Severity};

    use super::*;

    #[test]
    fn the_text_of_a_module_that_only_a_fix_changes_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("train.py");
        std::fs::write(&script, "import model\n").unwrap();
        let mut files = Files::read(&script, None, BTreeMap::new()).unwrap();
        for module in ["model.py", "other.py"] {
            let file = File {
                shown: module.into(),
                text: "x = 1\n".to_owned(),
                program: Program::parse("x = 1\n"),
            };
            files.files.insert(folder.path().join(module), file);
        }
        let fix = Fix {
            title: String::new(),
            applicability: Applicability::Unsafe,
            edits: vec![Edit {
                path: "model.py".into(),
                range: Range::new(4, 5),
                new_text: "2".to_owned(),
            }],
            trial: None,
        };
        let finding = Finding {
            code: "DL1",
            name: "one",
            kind: Kind::LearningRate,
            severity: Severity::Error,
            source: finding::Source::Static,
            path: script.clone(),
            range: Range::new(0, 1),
            layer: None,
            message: String::new(),
            evidence: Vec::new(),
            confidence: 1.0,
            fixes: vec![fix],
        };
        let texts = files.texts(&[finding]);
        let paths: Vec<&Path> = texts.keys().map(PathBuf::as_path).collect();
        assert_eq!(paths, [script.as_path(), Path::new("model.py")]);
    }
}
