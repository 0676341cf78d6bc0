//! Trace (and Program) → symptoms → ranked causes.
//!
//! [`Localizer::observe`] follows a run and says when the verdict is clear; [`Localizer::diagnose`] turns what was seen
//! into findings on source ranges. Two detectors can be chosen: the default one, and the algorithm of the paper.

mod case;
mod causes;
mod crash;
mod data;
mod drawn;
mod extra_axis;
mod learning;
mod localizer;
mod logs;
mod paper;
mod place;
mod split;
mod symptoms;
pub mod text;
mod trend;

pub use localizer::{Detector, Diagnosis, Ending, Localizer};
pub use place::{Located, Source, Sources, data_place, site_range};
pub use symptoms::markdown as symptoms_markdown;

/// All codes the analysis of runs can report.
pub fn all() -> Vec<&'static finding::RuleInfo> {
    let mut rules = causes::all();
    rules.extend(paper::ALL);
    rules.push(&crash::INFO);
    rules
}
