//! Any text as a notebook: refused, or read and given back as it was.
#![no_main]

use std::path::Path;

use deeplocalize::check::check_text;
use deeplocalize::check::notebook::Notebook;
use deeplocalize::config::Settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: String| {
    if let Ok(notebook) = Notebook::parse(text.clone()) {
        assert_eq!(notebook.edited(&[]), Some(text));
        let report = check_text(Path::new("train.ipynb"), &notebook.program, &Settings::default());
        assert!(report.errors.iter().all(|error| error.code != "internal-error"));
    }
});
