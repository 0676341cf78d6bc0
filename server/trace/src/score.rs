//! The messages of trials: short runs of variants of one script.

use serde::{Deserialize, Serialize};

use crate::message::{nan, number};

/// What the predictions of a model are worth after some steps of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreMessage {
    /// Steps trained.
    pub step: u64,
    /// Whether the trial ends with it.
    #[serde(default)]
    pub last: bool,
    /// Whether it ends because the time was over.
    #[serde(default)]
    pub late: bool,
    /// Whether the rows judged on are kept out of the training.
    #[serde(default)]
    pub held_out: bool,
    /// Rows judged on; 0 when predictions and labels could not be compared.
    #[serde(default)]
    pub rows: u64,
    /// Whether no prediction is NaN or infinite.
    #[serde(default)]
    pub finite: bool,
    /// Spread of the predictions over the rows.
    #[serde(default = "nan", deserialize_with = "number")]
    pub spread: f64,
    /// Share of right answers.
    #[serde(default = "nan", deserialize_with = "number")]
    pub accuracy: f64,
    /// Mean over the classes of the share that is found.
    #[serde(default = "nan", deserialize_with = "number")]
    pub balanced_accuracy: f64,
    /// Accuracy of the best constant answer.
    #[serde(default = "nan", deserialize_with = "number")]
    pub constant: f64,
    /// Classes among the labels.
    #[serde(default)]
    pub classes: u64,
    /// Share of the labels' variance that is explained; negative when a constant is better.
    #[serde(default = "nan", deserialize_with = "number")]
    pub explained_variance: f64,
    /// Brier skill score: how much better the probabilities are than the shares of the classes.
    #[serde(default = "nan", deserialize_with = "number")]
    pub probabilities: f64,
}

/// A trial is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialEndMessage {
    /// Number of the trial, from 0.
    pub trial: usize,
    /// How its process ended: exit status, or minus the number of the signal.
    #[serde(default)]
    pub code: i32,
    /// Seconds of processor time it took.
    #[serde(default)]
    pub seconds: f64,
}
