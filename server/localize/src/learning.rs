//! Does the network learn? Judged by yardsticks that do not depend on the loss that was chosen.

use trace::{DataInfo, Fit, Scalar};

use crate::data;
use crate::logs::{is_accuracy, logged};
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
    /// Better than a constant, but much worse than simple models on the same data.
    Behind,
    /// Predictions are no better than a constant and the loss does not fall.
    Stuck,
    /// Fewer steps than a judgement needs.
    TooEarly,
}

/// Probed steps below which nothing is said about learning.
const STEPS_TO_JUDGE: usize = 20;
/// Probed steps that a judgement is averaged over at least.
const FEWEST: usize = 5;
/// Skill (part of the way from the best constant to perfection) from which a network counts as having learned.
/// Healthy twins of our fixtures reach 0.3 within a few hundred steps; stuck ones stay within 0.05 of 0.
const SKILL_LEARNED: f64 = 0.25;
/// Skill below which predictions are no better than a constant.
const SKILL_NONE: f64 = 0.05;
/// Drop of the loss that counts as learning when the labels say nothing.
const DROP_LEARNED: f64 = 0.3;
/// Drop of the loss below which it has not fallen for practical purposes (TheDeepChecker: 5 %).
const DROP_NONE: f64 = 0.05;
/// Skill of a simple model (nearest neighbours, ridge regression) from which the data are known to hold the answer.
/// Noise-only labels stay within 0.15 of 0 at 400 samples; our healthy data sets with structure reach 0.6 or more.
const BASELINE_GOOD: f64 = 0.5;
/// Part of the simple model's skill below which a network is behind it. Healthy twins of our fixtures reach 0.8 of it or
/// more; 0.5 leaves room for few epochs, dropout and augmentation.
const BEHIND: f64 = 0.5;
/// Part of it below which a network lags: not proof of a fault, but of the harm done by a setting that is far off anyway.
const LAGGING: f64 = 0.8;
/// Drop of the loss over the second half from which a network that is behind is on its way.
const DROP_BEHIND: f64 = 0.1;
/// Spread of the predictions, as a share of the spread of the labels, below which they are one constant.
const SPREAD_CONSTANT: f64 = 0.01;

/// How the training went so far.
#[derive(Clone, Debug)]
pub(crate) struct Learning {
    pub task: Task,
    /// Share of right answers over the last third of the training.
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
    /// The loss over the second half of the steps.
    pub late: Option<Trend>,
    /// Loss of the best constant prediction, for cross-entropies.
    pub constant_loss: Option<f64>,
    /// Whether all samples get the same prediction.
    pub constant: bool,
    /// Spread of the predictions over the samples.
    pub spread: f64,
    pub probed: usize,
    /// The better skill of the simple models, where it could be had.
    pub baseline: Option<f64>,
    /// Skill on the validation data over the last epochs, from Keras' own accuracy.
    pub validated: Option<f64>,
    /// The best of any epoch.
    pub validated_best: Option<f64>,
    /// Median share of the most frequent prediction.
    pub collapsed: Option<f64>,
}

impl Learning {
    pub fn of(fit: &Fit) -> Learning {
        let task = task(fit);
        let column = |scalar: Scalar| fit.scalar(scalar);
        // Only probed steps know the labels.
        let counts = column(Scalar::LabelCount);
        let probed: Vec<usize> = (0..counts.len()).filter(|&row| counts[row] > 0.0).collect();
        // The last third of the training: probes are dense at its start, so not the last third of the probes.
        let moments = fit.scalars().moments();
        let recent = probed.partition_point(|&row| moments[row].step < fit.steps * 2 / 3);
        let window = &probed[recent.min(probed.len().saturating_sub(FEWEST))..];
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
            let pooled = sum(Scalar::LabelSquareSum) - sum(Scalar::LabelSum).powi(2) / count;
            // Knowing how frequent each class is explains nothing: of one-hot rows the variance is that around each column's mean.
            let total = match fit.y().filter(|y| data::one_hot(y)) {
                Some(y) => {
                    around_frequencies(y).map_or(pooled, |each| each * count / data::columns(y) as f64)
                }
                None => pooled,
            };
            let share = 1.0 - sum(Scalar::ResidualSquareSum) / total;
            let numbers = !fit.info.loss.as_ref().is_some_and(|loss| sided(&loss.name));
            (share.is_finite() && total > 0.0 && numbers).then_some(share)
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

        let losses = fit.scalar(Scalar::Loss);
        let label_spread = fit.y().map_or(f64::NAN, |y| label_spread(y, task));
        let spread = prediction_spread(fit, window);
        Learning {
            task,
            hits,
            majority,
            explained,
            skill: skill.is_finite().then_some(skill),
            skill_error,
            loss: Trend::of(losses.iter().copied()),
            late: Trend::of(losses.iter().skip(losses.len() / 2).copied()),
            constant_loss: constant_loss(fit, task),
            constant: window.len() >= FEWEST && spread < SPREAD_CONSTANT * label_spread,
            spread,
            probed: probed.len(),
            baseline: baseline(fit),
            validated: validated(fit, majority, |skills| {
                mean(&skills[skills.len() - skills.len().div_ceil(3)..])
            }),
            validated_best: validated(fit, majority, |skills| {
                skills.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            }),
            collapsed: {
                let share = median(window.iter().map(|&row| column(Scalar::PredictionMajority)[row]));
                share.is_finite().then_some(share)
            },
        }
    }

    /// Whether a simple model does much better on the same data.
    pub fn behind(&self) -> bool {
        let (Some(baseline), Some(skill)) = (self.baseline, self.skill) else {
            return false;
        };
        let best = skill.max(self.validated.unwrap_or(f64::NEG_INFINITY));
        baseline >= BASELINE_GOOD && best < BEHIND * baseline
    }

    /// Whether simple models do clearly better on the same data, though not out of all proportion.
    pub fn lagging(&self) -> bool {
        let (Some(baseline), Some(skill)) = (self.baseline, self.skill) else {
            return false;
        };
        let best = skill.max(self.validated.unwrap_or(f64::NEG_INFINITY));
        baseline >= BASELINE_GOOD && best < LAGGING * baseline
    }

    /// Whether the answers are no better than the best constant one, by more than their noise.
    pub fn by_chance(&self) -> bool {
        self.skill
            .is_some_and(|skill| skill <= SKILL_NONE.max(3.0 * self.skill_error))
    }

    /// Whether the values predicted say something of the labels, not only on which side of a threshold they fall: random
    /// weights put three of XOR's four rows on the right side by luck.
    fn explains(&self) -> bool {
        self.explained.is_none_or(|explained| explained > SKILL_NONE)
    }

    /// Whether the loss still is no better than that of the best constant prediction.
    fn above_constant(&self) -> bool {
        self.late
            .zip(self.constant_loss)
            .is_some_and(|(late, constant)| late.last >= constant)
    }

    pub fn state(&self) -> State {
        let Some(loss) = self.loss else {
            return State::TooEarly;
        };
        if self.probed < STEPS_TO_JUDGE {
            return State::TooEarly;
        }
        let drop_of = |trend: Trend| if trend.falls() { trend.relative_drop() } else { 0.0 };
        let drop = drop_of(loss);
        // A huge first loss that comes down to that of a constant is no progress on the task: without any skill only a
        // loss that is still falling counts.
        let still = self.late.map_or(0.0, drop_of);
        match self.skill {
            Some(_) if self.constant => State::Stuck,
            Some(skill)
                if self.behind() && (skill < SKILL_LEARNED || still < DROP_BEHIND) && !self.by_chance() =>
            {
                State::Behind
            }
            Some(skill)
                if skill > SKILL_LEARNED.max(3.0 * self.skill_error)
                    && (self.explains() || drop > DROP_NONE) =>
            {
                State::Learned
            }
            None if drop > DROP_LEARNED => State::Learned,
            Some(_) if self.lagging() && !self.explains() && drop <= DROP_NONE && !self.by_chance() => {
                State::Behind
            }
            Some(_) if !self.by_chance() => State::Improving,
            Some(_) if still > DROP_NONE && !self.above_constant() => {
                if self.behind() {
                    State::Behind
                } else {
                    State::Improving
                }
            }
            None if drop > DROP_NONE => State::Improving,
            _ => State::Stuck,
        }
    }
}

/// Squared distance of a one-hot row from the frequencies of the classes, on average.
fn around_frequencies(y: &DataInfo) -> Option<f64> {
    let counts = data::class_counts(y)?;
    let samples: u64 = counts.iter().sum();
    let share = |count: &u64| *count as f64 / samples as f64;
    Some(counts.iter().map(share).map(|share| share * (1.0 - share)).sum())
}

/// Spread of the labels in the unit of the predictions: numbers of classes stand for one-hot rows.
fn label_spread(y: &DataInfo, task: Task) -> f64 {
    let by_number = task == Task::MultiClass && !data::one_hot(y);
    by_number
        .then(|| Some(around_frequencies(y)? / data::class_counts(y)?.len() as f64))
        .flatten()
        .map_or(y.std, f64::sqrt)
}

/// Skill of the better simple model.
fn baseline(fit: &Fit) -> Option<f64> {
    let data = &fit.info.data;
    let baselines = data.baselines.as_ref()?;
    let (x, y) = (data.x.first()?, data.y.first()?);
    // Where the network is to give back its input, neighbours know the answer from the answer.
    let near = (x.mean - y.mean).abs() <= 0.2 * y.std && (0.5..2.0).contains(&(x.std / y.std));
    let same = x.shape == y.shape && near && !data::one_hot(y);
    // A batch of a training that the script steers by itself (two networks against each other, say) is not all of its data.
    if same || fit.info.call != "fit" {
        return None;
    }
    let best = baselines.neighbours.max(baselines.linear);
    best.is_finite().then_some(best)
}

/// Skill on the validation data, from the accuracy or the squared error of the epochs.
fn validated(fit: &Fit, majority: Option<f64>, summary: fn(&[f64]) -> f64) -> Option<f64> {
    let squared = fit
        .info
        .loss
        .as_ref()
        .is_some_and(|loss| loss.name == "mean_squared_error");
    let skills: Vec<f64> = if majority.is_none() && squared {
        let spread = fit.y()?.std;
        if spread <= 0.0 {
            return None;
        }
        let losses = logged(fit, |name| name == "val_loss");
        losses.iter().map(|loss| 1.0 - loss / spread.powi(2)).collect()
    } else {
        let majority = majority.filter(|majority| *majority < 1.0)?;
        let accuracies = logged(fit, |name| name.strip_prefix("val_").is_some_and(is_accuracy));
        let skill = |accuracy: &f64| (accuracy - majority) / (1.0 - majority);
        accuracies.iter().map(skill).collect()
    };
    (!skills.is_empty()).then(|| summary(&skills))
}

/// Cross-entropy of the frequencies of the classes.
fn constant_loss(fit: &Fit, task: Task) -> Option<f64> {
    let loss = fit
        .info
        .loss
        .as_ref()
        .filter(|loss| loss.name.contains("crossentropy"))?;
    if !matches!(task, Task::Binary | Task::MultiClass) || loss.name.contains("focal") {
        return None;
    }
    let counts = data::class_counts(fit.y()?)?;
    let total: f64 = counts.iter().map(|count| *count as f64).sum();
    Some(
        -counts
            .iter()
            .map(|count| *count as f64 / total)
            .map(|share| share * share.ln())
            .sum::<f64>(),
    )
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

/// Whether the sign of a prediction is its class, so that its size explains nothing.
fn sided(loss: &str) -> bool {
    matches!(loss, "hinge" | "squared_hinge")
}

fn task(fit: &Fit) -> Task {
    let Some(y) = fit.y() else { return Task::Unknown };
    let loss = fit.info.loss.as_ref().map_or("", |loss| loss.name.as_str());
    let columns = data::columns(y);
    if loss.contains("categorical") {
        Task::MultiClass
    } else if !y.zero_one {
        // Codes such as 1 and 2 under a cross-entropy are still meant as classes.
        if loss.contains("binary")
            || (sided(loss) && data::class_counts(y).is_some_and(|counts| counts.len() == 2))
        {
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
