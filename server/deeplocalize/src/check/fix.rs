//! Applies fixes to a script until nothing is left to fix.

use std::collections::HashSet;
use std::path::Path;

use finding::{Applicability, Edit, Fix};

use super::script::Script;
use super::{FileReport, check_text};
use crate::config::Settings;
use crate::fixes;

/// A fix may bring up the next, as when an old argument stands on an old layer; rules that undo each other must not go on for ever.
const MAX_ROUNDS: usize = 20;

/// A script with fixes applied.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// What became of it.
    pub script: Script,
    /// Codes of the findings whose fixes were applied.
    pub applied: Vec<&'static str>,
    /// What is found in it now.
    pub report: FileReport,
}

/// Applies the fixes that are at least so safe, given what was found in the script. `None` when there is nothing to apply.
/// A script that does not parse is left alone, and no fix is kept after which it does not.
pub fn fix(
    path: &Path,
    script: &Script,
    found: &FileReport,
    settings: &Settings,
    least: Applicability,
) -> Option<Fixed> {
    let mut fixed = Fixed {
        script: script.clone(),
        applied: Vec::new(),
        report: found.clone(),
    };
    let mut seen = HashSet::from([script.program().to_owned()]);
    for _ in 0..MAX_ROUNDS {
        if !fixed.report.errors.is_empty() {
            break;
        }
        let Some(next) = round(path, &fixed, settings, least) else {
            break;
        };
        if !seen.insert(next.script.program().to_owned()) {
            break;
        }
        fixed.applied.extend(next.applied);
        fixed.script = next.script;
        fixed.report = next.report;
    }
    (!fixed.applied.is_empty()).then_some(fixed)
}

/// One application of all fixes that go together; `None` when none can be applied.
fn round(path: &Path, present: &Fixed, settings: &Settings, least: Applicability) -> Option<Fixed> {
    let apply = |chosen: &[(&'static str, &Fix)]| {
        let edits: Vec<Edit> = chosen
            .iter()
            .flat_map(|(_, fix)| fix.edits.iter().cloned())
            .collect();
        let script = present.script.edited(&edits)?;
        let report = check_text(path, script.program(), settings);
        report.errors.is_empty().then(|| Fixed {
            script,
            applied: chosen.iter().map(|(code, _)| *code).collect(),
            report,
        })
    };
    let chosen = fixes::compatible(&present.report.findings, path, least);
    if chosen.is_empty() {
        return None;
    }
    apply(&chosen).or_else(|| {
        // One of them does harm: those that do not by themselves.
        let harmless: Vec<_> = chosen
            .into_iter()
            .filter(|one| apply(std::slice::from_ref(one)).is_some())
            .collect();
        (!harmless.is_empty()).then(|| apply(&harmless)).flatten()
    })
}
