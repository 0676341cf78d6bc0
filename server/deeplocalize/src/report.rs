//! What a command found, before any front door formats it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use finding::{Edit, Finding, Range, RuleInfo, Severity, Trial, Verdict};
use trace::Trace;

/// Something that kept the tool from doing (part of) its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolError {
    /// Stable name (`no-interpreter`).
    pub code: String,
    /// What happened, for a person.
    pub message: String,
    /// The file it is about.
    pub path: Option<PathBuf>,
    /// What to do about it; empty when there is nothing to add.
    pub hint: String,
}

/// One training of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FitSummary {
    /// File of the `fit` call.
    pub path: PathBuf,
    /// The call.
    pub range: Option<Range>,
    /// Epochs seen, the unfinished one included.
    pub epochs_seen: u32,
    /// Batches trained on.
    pub batches_seen: u64,
    /// `fault-localised`, `budget`, `finished`, `cancelled` or `script-error`.
    pub stopped: &'static str,
    /// Loss: of the epochs, or of the batches while the first epoch is unfinished.
    pub loss: Vec<f64>,
    /// The same of each metric.
    pub metrics: BTreeMap<String, Vec<f64>>,
}

/// What kept a run from the imperative mechanism.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fallback {
    /// What it does not cover.
    pub what: String,
    /// The file that asks for it, where known.
    pub path: Option<PathBuf>,
    /// The place in it.
    pub range: Option<Range>,
}

/// What trying changes took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tried {
    /// `imperative` or `callback`.
    pub mechanism: &'static str,
    /// Why nothing could be tried.
    pub obstacle: Option<String>,
    /// Changes tried.
    pub changes: usize,
    /// Trials in all, those of the script as it is and with other seeds included.
    pub trials: usize,
    /// Changes that made a difference; the best of them are offered.
    pub helped: usize,
    /// Changes that made a difference, but not so plain a one that the script must be faulty.
    pub unsure: usize,
    /// Edits of each single change that made none.
    pub idle: Vec<Vec<Edit>>,
    /// Seconds, importing Keras included.
    pub seconds: f64,
}

/// Files that a run wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenSummary {
    /// Folder in which they are kept apart, below it at their absolute paths; `None` when there are none.
    pub folder: Option<PathBuf>,
    /// Whether they were written to their own places after all.
    pub committed: bool,
    /// How they were kept apart: `overlay` or `python`.
    pub mechanism: &'static str,
    /// Where the script believes them to be, with their sizes; not all of a great many.
    pub files: Vec<(PathBuf, u64)>,
    /// Number of all files.
    pub count: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// What the script removed, as far as it could see.
    pub removed: Vec<PathBuf>,
}

/// What a localisation run did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSummary {
    /// Path of the interpreter.
    pub interpreter: PathBuf,
    /// Its version.
    pub python: String,
    /// Version of Keras; empty when the script never imported it.
    pub keras: String,
    /// Back end of Keras.
    pub backend: String,
    /// `callback` or `imperative`.
    pub mechanism: &'static str,
    /// Why it is not `imperative`, where that was to be had if possible.
    pub fallback: Option<Fallback>,
    /// The trainings.
    pub fits: Vec<FitSummary>,
    /// Seconds from the start of the interpreter to the first training step.
    pub startup_seconds: f64,
    /// Seconds from there to the end of the run.
    pub training_seconds: f64,
    /// Seconds spent on the analysis.
    pub analysis_seconds: f64,
    /// Where the trace was kept.
    pub trace: Option<PathBuf>,
    /// Where the script's own output was kept.
    pub log: Option<PathBuf>,
    /// What was tried to mend it.
    pub tried: Option<Tried>,
    /// What the script wrote; `None` when that was not kept apart.
    pub written: Option<WrittenSummary>,
}

/// What a command found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Over all files.
    pub verdict: Verdict,
    /// Every file looked at, as given.
    pub files: Vec<PathBuf>,
    /// For `run`.
    pub run: Option<RunSummary>,
    /// Best explanation first.
    pub findings: Vec<Finding>,
    /// What kept the tool from doing its work.
    pub errors: Vec<ToolError>,
    /// Texts that the ranges refer to, by the paths that findings carry.
    pub texts: BTreeMap<PathBuf, String>,
    /// Where the code cells of notebooks begin in their texts.
    pub cells: BTreeMap<PathBuf, Vec<usize>>,
    /// What the run recorded.
    pub trace: Option<Arc<Trace>>,
}

impl Report {
    /// The report of a command that could not do its work.
    pub fn failed(path: &Path, error: ToolError) -> Report {
        Report {
            verdict: Verdict::Inconclusive,
            files: vec![path.to_owned()],
            run: None,
            findings: Vec::new(),
            errors: vec![error],
            texts: BTreeMap::new(),
            cells: BTreeMap::new(),
            trace: None,
        }
    }

    /// Text of a file a finding refers to.
    pub fn text(&self, path: &Path) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Exit status by the contract: 0 nothing at or above `fail_on`, 1 findings, 2 the tool could not do its work.
    pub fn exit_status(&self, fail_on: Severity) -> u8 {
        let untrained = |run: &RunSummary| run.fits.iter().all(|fit| fit.batches_seen == 0);
        if !self.errors.is_empty() && self.run.as_ref().is_some_and(untrained) {
            // What stands in a text can be said without a run, but the run was what was asked for.
            2
        } else if self.findings.iter().any(|finding| finding.severity >= fail_on) {
            1
        } else if self.errors.is_empty() {
            0
        } else {
            2
        }
    }
}

/// The effect of a fix in half a sentence (`accuracy 0.51 → 0.98 after 300 steps, 3 seeds`).
pub fn effect(trial: &Trial) -> String {
    let number = |value: f64| match value {
        value if !value.is_finite() => "none".to_owned(),
        // A model that is far worse than a constant.
        value if value < -9.995 => "below −10".to_owned(),
        value if value.abs() < 0.005 => "0.00".to_owned(),
        value => format!("{value:.2}").replace('-', "−"),
    };
    let seeds = match trial.seeds {
        0 | 1 => String::new(),
        seeds => format!(", {seeds} seeds"),
    };
    format!(
        "{} {} → {} after {} steps{seeds}",
        trial.metric,
        number(trial.before),
        number(trial.after),
        trial.steps
    )
}

/// Where the project lives.
pub const HOME: &str = "https://github.com/deeplocalize/deeplocalize";

/// Where the page of a code is.
pub fn page(code: &str) -> String {
    format!("{HOME}/blob/main/docs/rules/{code}.md")
}

/// Every code the tool can report, sorted.
pub fn all_rules() -> Vec<&'static RuleInfo> {
    let mut rules: Vec<_> = rules::all()
        .iter()
        .chain(localize::all())
        .chain(repair::rules().iter().copied())
        .collect();
    rules.sort_by_key(|rule| rule.code);
    rules
}

/// The rule whose code or name is most like `asked`; `None` when none is like it.
pub fn closest_rule(asked: &str) -> Option<&'static RuleInfo> {
    let asked = asked.to_lowercase();
    let likeness = |rule: &RuleInfo| {
        let code = strsim::jaro_winkler(&asked, &rule.code.to_lowercase());
        code.max(strsim::jaro_winkler(&asked, rule.name))
    };
    all_rules()
        .into_iter()
        .map(|rule| (likeness(rule), rule))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.code.cmp(a.1.code)))
        .map(|(_, rule)| rule)
}
