//! Any text that parses: each safe fix leaves one that parses, on which its rule says less.
#![no_main]

use std::path::Path;

use deeplocalize::check::check_text;
use deeplocalize::config::Settings;
use deeplocalize::fixes;
use finding::Applicability;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: String| {
    let check = |text: &str| check_text(Path::new("train.py"), text, &Settings::default());
    let before = check(&text);
    if !before.errors.is_empty() {
        return;
    }
    for finding in &before.findings {
        for fix in finding.fixes.iter().filter(|fix| fix.applicability == Applicability::Safe) {
            let fixed = fixes::apply(&text, &fix.edits).expect("edits fit the text");
            let after = check(&fixed);
            assert!(after.errors.is_empty(), "{}: {fixed}", finding.code);
            let count = |report: &deeplocalize::check::FileReport| {
                report.findings.iter().filter(|other| other.code == finding.code).count()
            };
            assert!(count(&after) < count(&before), "{} is still there: {fixed}", finding.code);
        }
    }
});
