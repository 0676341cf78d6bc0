//! Does the network learn? Judged by yardsticks that do not depend on the loss that was chosen.

use trace::{Fit, Scalar};

use crate::data;
use crate::trend::{Trend, mean, median};

/// What the labels and the loss ask of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// One column of 0 and 1.
    Binary,
    /// Several columns of 0 and 1, any number of them 1.
    MultiLabel,
    /// One of several classes, one-hot or by number.
    MultiClass,
    /// Real numbers.
    Regression,
    /// Labels not seen.
    Unknown,
}

/// How far the training got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Predictions are clearly better than the best constant.
    Learned,
    /// Not there yet, but the loss falls by more than its noise.
    Improving,
    /// Predictions are no better than a constant and the loss does not fall.
    Stuck,
    /// Fewer steps than a judgement needs.
    TooEarly,
}

/// Probed steps below which nothing is said about learning.
const STEPS_TO_JUDGE: usize = 20;
/// Skill (part of the way from the best constant to perfection) from which a network counts as having learned.
/// Healthy twins of our fixtures reach 0.3 within a few hundred steps; stuck ones stay within 0.05 of 0.
const SKILL_LEARNED: f64 = 0.25;
/// Skill below which predictions are no better than a constant.
const SKILL_NONE: f64 = 0.05;
/// Drop of the loss that counts as learning when the labels say nothing.
const DROP_LEARNED: f64 = 0.3;
/// Drop of the loss below which it has not fallen for practical purposes (TheDeepChecker: 5 %).
const DROP_NONE: f64 = 0.05;
/// Spread of the predictions, as a share of the spread of the labels, below which they are one constant.
const SPREAD_CONSTANT: f64 = 0.01;

/// How the training went so far.
#[derive(Clone, Debug)]
pub(crate) struct Learning {
    pub task: Task,
    /// Share of right answers over the last third of the probed steps.
    pub hits: Option<f64>,
    /// Share of the most frequent answer.
    pub majority: Option<f64>,
    /// Explained variance over the same steps (the Brier skill for probabilities).
    pub explained: Option<f64>,
    /// The better of the two as part of the way from the best constant to perfection.
    pub skill: Option<f64>,
    /// Standard error of the skill where it comes from counted answers.
    pub skill_error: f64,
    pub loss: Option<Trend>,
    /// Whether all samples get the same prediction.
    pub constant: bool,
    /// Spread of the predictions over the samples.
    pub spread: f64,
    pub probed: usize,
}

impl Learning {
    pub fn of(fit: &Fit) -> Learning {
        let task = task(fit);
        let column = |scalar: Scalar| fit.scalar(scalar);
        // Only probed steps know the labels.
        let counts = column(Scalar::LabelCount);
        let probed: Vec<usize> = (0..counts.len()).filter(|&row| counts[row] > 0.0).collect();
        let window = &probed[probed.len() - probed.len().div_ceil(3).max(10).min(probed.len())..];
        let sum = |scalar: Scalar| window.iter().map(|&row| column(scalar)[row]).sum::<f64>();

        let sizes: Vec<f64> = window
            .iter()
            .map(|&row| column(Scalar::BatchSize)[row].max(1.0))
            .collect();
        let hits = {
            let right: f64 = window
                .iter()
                .zip(&sizes)
                .map(|(&row, size)| column(Scalar::Hits)[row] * size)
                .sum();
            let share = right / sizes.iter().sum::<f64>();
            (share.is_finite() && task != Task::Regression).then_some(share)
        };
        let majority = fit.y().and_then(|y| data::majority(y, task));
        let explained = {
            let count = sum(Scalar::LabelCount);
            let total = sum(Scalar::LabelSquareSum) - sum(Scalar::LabelSum).powi(2) / count;
            let share = 1.0 - sum(Scalar::ResidualSquareSum) / total;
            (share.is_finite() && total > 0.0).then_some(share)
        };
        let hit_skill = hits.zip(majority).filter(|(_, majority)| *majority < 1.0);
        let samples: f64 = sizes.iter().sum();
        let (hit_skill, skill_error) = match hit_skill {
            Some((hits, majority)) => (
                (hits - majority) / (1.0 - majority),
                (majority * (1.0 - majority) / samples).sqrt() / (1.0 - majority),
            ),
            None => (f64::NEG_INFINITY, 0.0),
        };
        let skill = hit_skill.max(explained.unwrap_or(f64::NEG_INFINITY));

        let label_spread = fit.y().map_or(f64::NAN, |y| y.std);
        let spread = prediction_spread(fit, window);
        Learning {
            task,
            hits,
            majority,
            explained,
            skill: skill.is_finite().then_some(skill),
            skill_error,
            loss: Trend::of(fit.scalar(Scalar::Loss).iter().copied()),
            constant: window.len() >= 10 && spread < SPREAD_CONSTANT * label_spread,
            spread,
            probed: probed.len(),
        }
    }

    pub fn state(&self) -> State {
        let Some(loss) = self.loss else {
            return State::TooEarly;
        };
        if self.probed < STEPS_TO_JUDGE {
            return State::TooEarly;
        }
        let drop = if loss.falls() { loss.relative_drop() } else { 0.0 };
        match self.skill {
            Some(_) if self.constant => State::Stuck,
            Some(skill) if skill > SKILL_LEARNED.max(3.0 * self.skill_error) => State::Learned,
            None if drop > DROP_LEARNED => State::Learned,
            Some(skill) if skill > SKILL_NONE.max(3.0 * self.skill_error) => State::Improving,
            _ if drop > DROP_NONE => State::Improving,
            _ => State::Stuck,
        }
    }
}

/// Spread of the predictions over the samples: within the batches, or between them when a batch is one sample.
fn prediction_spread(fit: &Fit, window: &[usize]) -> f64 {
    let column = |scalar: Scalar, row: usize| fit.scalar(scalar)[row];
    if window.iter().all(|&row| column(Scalar::BatchSize, row) > 1.0) {
        return median(window.iter().map(|&row| column(Scalar::PredictionSpread, row)));
    }
    let values: Vec<f64> = window
        .iter()
        .map(|&row| column(Scalar::PredictionMax, row))
        .filter(|value| value.is_finite())
        .collect();
    let centre = mean(&values);
    mean(
        &values
            .iter()
            .map(|value| (value - centre).powi(2))
            .collect::<Vec<_>>(),
    )
    .sqrt()
}

fn task(fit: &Fit) -> Task {
    let Some(y) = fit.y() else { return Task::Unknown };
    let loss = fit.info.loss.as_ref().map_or("", |loss| loss.name.as_str());
    let columns = data::columns(y);
    if loss.contains("categorical") {
        Task::MultiClass
    } else if !y.zero_one {
        // Codes such as 1 and 2 under a cross-entropy are still meant as classes.
        if loss.contains("binary") {
            Task::Binary
        } else {
            Task::Regression
        }
    } else if columns == 1 {
        Task::Binary
    } else if data::one_hot(y) {
        Task::MultiClass
    } else {
        Task::MultiLabel
    }
}
