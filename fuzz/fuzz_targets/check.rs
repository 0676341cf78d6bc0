//! Any bytes: read or refused, parsed and checked without a panic, findings on the text.
#![no_main]

use std::path::Path;

use deeplocalize::check::{check_text, read};
use deeplocalize::config::Settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("train.py");
    if let Ok(Some(text)) = read::text(bytes, path, false) {
        let report = check_text(path, &text.text, &Settings::default());
        assert!(report.errors.iter().all(|error| error.code != "internal-error"));
        for finding in &report.findings {
            assert!(text.text.get(finding.range.start..finding.range.end).is_some());
        }
    }
});
