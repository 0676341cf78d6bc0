use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Range;

/// Whether a fix may be applied without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applicability {
    /// Shown, never applied: the edit is a sketch.
    DisplayOnly,
    /// May change what the program does in ways the user should look at.
    Unsafe,
    /// Keeps or establishes what the program evidently means.
    Safe,
}

/// Replaces one range of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// File to change.
    pub path: PathBuf,
    /// What is replaced; empty to insert.
    pub range: Range,
    /// What stands there afterwards.
    pub new_text: String,
}

/// The effect a fix had when it was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Name of the yardstick (`accuracy`).
    pub metric: String,
    /// Its value without the fix.
    pub before: f64,
    /// Its value with the fix.
    pub after: f64,
    /// Training steps each of the two was given.
    pub steps: u64,
    /// Seeds that the values are means over.
    #[serde(default = "one")]
    pub seeds: u32,
}

const fn one() -> u32 {
    1
}

/// A patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// Imperative sentence for a menu ("Use a sigmoid output").
    pub title: String,
    /// Whether it may be applied without asking.
    pub applicability: Applicability,
    /// Non-overlapping edits, all applied or none.
    pub edits: Vec<Edit>,
    /// Measured effect, when the fix was tried.
    pub trial: Option<Trial>,
}
