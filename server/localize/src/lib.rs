//! Trace (and Program) → symptoms → ranked causes.

use finding::RuleInfo;

/// Which analysis is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detector {
    /// Per-unit and element-wise statistics, trends tested by slope, causes ranked.
    Default,
    /// The algorithm of the paper: N equal means, a threshold of zero means, first alarm only.
    DeepLocalize {
        /// Number of equal means that make an anomaly.
        n: usize,
        /// Share of the iterations with a zero mean that makes an anomaly.
        threshold: f64,
    },
}

/// All codes the analysis of runs can report.
pub fn all() -> &'static [RuleInfo] {
    &[]
}
