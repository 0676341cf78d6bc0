//! From the paths on the command line to the files to check.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::read;
use crate::report::ToolError;

/// How a file came into the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Standard input.
    Stdin,
    /// Named by the user.
    Named,
    /// Found in a folder.
    Found,
}

/// A file to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its path, as given or below the folder as given.
    pub path: PathBuf,
    /// How it came in.
    pub origin: Origin,
}

/// The files behind `paths`, each once, in the order of the paths and sorted within a folder.
pub fn inputs(paths: &[PathBuf]) -> (Vec<Input>, Vec<ToolError>) {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            found.push(Input {
                path: path.clone(),
                origin: Origin::Stdin,
            });
            continue;
        }
        match path.metadata() {
            Err(error) => errors.push(read::unreadable(path, &error)),
            Ok(metadata) if metadata.is_dir() => folder(path, &mut found, &mut errors),
            Ok(_) => found.push(Input {
                path: path.clone(),
                origin: Origin::Named,
            }),
        }
    }
    if paths.len() > 1 {
        deduplicate(&mut found);
    }
    (found, errors)
}

fn folder(root: &Path, found: &mut Vec<Input>, errors: &mut Vec<ToolError>) {
    let before = (found.len(), errors.len());
    let walk = WalkBuilder::new(root)
        .sort_by_file_path(Path::cmp)
        .filter_entry(|entry| entry.depth() == 0 || !holds_installed_code(entry))
        .build();
    for entry in walk {
        match entry {
            Ok(entry) => {
                let file = entry.file_type().is_some_and(|kind| kind.is_file());
                if file
                    && entry
                        .path()
                        .extension()
                        .is_some_and(|extension| extension == "py")
                {
                    let path = entry.path();
                    found.push(Input {
                        path: path.strip_prefix(".").unwrap_or(path).to_owned(),
                        origin: Origin::Found,
                    });
                }
            }
            Err(error) => errors.push(read::error(
                "unreadable",
                root,
                format!("cannot read all of {}: {error}", root.display()),
                "",
            )),
        }
    }
    if before == (found.len(), errors.len()) {
        errors.push(read::error(
            "no-python-files",
            root,
            format!("no Python files in {}", root.display()),
            "files that Git ignores and virtual environments are passed over; name such a file to check it",
        ));
    }
}

/// Virtual environments and package folders: other people's code.
fn holds_installed_code(entry: &DirEntry) -> bool {
    let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    let name = entry.file_name();
    folder && (name == "site-packages" || name == "node_modules" || entry.path().join("pyvenv.cfg").exists())
}

/// Keeps the first of several paths to the same file.
fn deduplicate(inputs: &mut Vec<Input>) {
    let mut seen = HashSet::new();
    inputs.retain(|input| {
        let identity = match input.origin {
            Origin::Stdin => input.path.clone(),
            _ => input.path.canonicalize().unwrap_or_else(|_| input.path.clone()),
        };
        seen.insert(identity)
    });
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(paths: &[PathBuf], root: &Path) -> Vec<(String, Origin)> {
        let (inputs, errors) = inputs(paths);
        assert_eq!(errors, []);
        let name = |input: Input| {
            let path = input.path.strip_prefix(root).unwrap_or(&input.path).to_owned();
            (path.to_string_lossy().replace('\\', "/"), input.origin)
        };
        inputs.into_iter().map(name).collect()
    }

    #[test]
    fn folders_yield_their_own_python_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["b.py", "a.py", "a/z.py", "notes.txt", ".hidden.py", "ignored.py"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "").unwrap();
        }
        fs::create_dir_all(root.join(".git")).unwrap();
        fs::write(root.join(".gitignore"), "ignored.py\n").unwrap();
        fs::create_dir_all(root.join("env/lib")).unwrap();
        fs::write(root.join("env/pyvenv.cfg"), "").unwrap();
        fs::write(root.join("env/lib/x.py"), "").unwrap();
        let found = |name: &str| (name.to_owned(), Origin::Found);
        assert_eq!(
            names(&[root.to_owned()], root),
            [found("a/z.py"), found("a.py"), found("b.py")]
        );
        assert_eq!(
            names(
                &[root.join("ignored.py"), root.to_owned(), root.join("a.py")],
                root
            ),
            [
                ("ignored.py".to_owned(), Origin::Named),
                found("a/z.py"),
                found("a.py"),
                found("b.py")
            ]
        );
        assert_eq!(
            names(&[root.join("env")], root),
            [found("env/lib/x.py")],
            "named itself"
        );
    }

    #[test]
    fn a_folder_without_python_and_a_missing_path_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let (inputs, errors) = inputs(&[folder.path().to_owned(), folder.path().join("gone.py")]);
        assert_eq!(inputs, []);
        let codes: Vec<_> = errors.iter().map(|error| error.code.as_str()).collect();
        assert_eq!(codes, ["no-python-files", "no-such-file"]);
    }
}
