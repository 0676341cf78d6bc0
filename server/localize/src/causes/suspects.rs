//! Why an optimisation fails: the step is too large or too small for the scale of what is optimised.
//!
//! A loss that diverges, units that die and predictions that stay constant have the same few causes. Each is weighed on a
//! common scale, in decades away from what is usual, so that the one that is furthest off is named and the others are not.

use finding::{Phase, Severity};
use trace::{Scalar, Stat, Tensor};

use super::Cause;
use crate::case::Case;
use crate::data;
use crate::learning::{State, Task};
use crate::text::{number, percent};

/// Root mean square of the features from which they count as unscaled. Standardised features have 1, [0, 1] features
/// less, word counts a few; bytes have about 100.
const FEATURES_RMS: f64 = 10.0;
/// |mean| / std of a typical feature from which its offset swamps what varies.
const FEATURES_OFFSET: f64 = 10.0;
/// Root mean square of a regression target from which it counts as unscaled.
const TARGETS_RMS: f64 = 30.0;
/// Largest feature, and largest deviation of a feature, up to which features count as too small: those of pixels that were divided
/// by 255 twice. One-hot and tf-idf columns reach farther.
const FEATURES_TINY: f64 = 0.05;
const FEATURES_STD_TINY: f64 = 0.01;
/// Deviation of a regression target up to which it counts as too small: the noise of a network's start is larger.
const TARGETS_TINY: f64 = 0.003;
/// Update over weight norm of plain SGD from which a network that is stuck gets more out of longer steps.
const UPDATE_SHORT: f64 = 2e-4;
/// Update over weight norm in the first steps from which a step overshoots (TheDeepChecker: 0.1; larger here,
/// because small initial weights legitimately move by more in their first steps under Adam).
const UPDATE_LARGE: f64 = 0.5;
/// Update over weight norm from which a step is long (TheDeepChecker: log10 above −1).
const UPDATE_LONG: f64 = 0.1;
/// Update over weight norm at which weights move as they should (DeepDiagnosis and DL Contract: 1e-3).
const UPDATE_NORMAL: f64 = 1e-3;
/// Update over weight norm below which a network cannot learn in reasonable time (DeepDiagnosis, DL Contract: 1e-5).
const UPDATE_SMALL: f64 = 1e-5;

/// How optimisation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// NaN or infinity, or a loss that grows without end.
    Diverges,
    /// No weight gets a gradient any more.
    Stops,
    /// Predictions are no better than a constant at the end of what was seen.
    Stuck,
    /// They are, but simple models do clearly better on the same data.
    Lags,
}

/// Decades by which each suspect is away from what is usual; 0 when it is not a suspect.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Suspects {
    pub rate_high: f64,
    pub rate_low: f64,
    pub features: f64,
    pub targets: f64,
}

impl Suspects {
    /// Largest of them.
    pub fn worst(&self) -> f64 {
        self.rate_high
            .max(self.rate_low)
            .max(self.features)
            .max(self.targets)
    }
}

/// How the optimisation of this case fails, if it does.
pub(super) fn failure(case: &Case<'_>) -> Option<Failure> {
    if data_broken(case) {
        return None;
    }
    let losses = case.fit.scalar(Scalar::Loss);
    let first = losses
        .iter()
        .copied()
        .find(|loss| loss.is_finite())
        .unwrap_or(f64::NAN);
    // AUTOTRAINER calls a loss of 1e3 exploding; relative to where it started it does not depend on the targets' scale.
    let recent = losses.len() >= 5
        && losses
            .iter()
            .rev()
            .take(5)
            .all(|loss| *loss > 1e3 * first.abs().max(1e-3));
    if case.broken().is_some() || recent {
        return Some(Failure::Diverges);
    }
    if case.gradients_gone().is_some() && case.learning().state() != State::Learned {
        return Some(Failure::Stops);
    }
    match case.fails() {
        true => Some(Failure::Stuck),
        false => case.lags().then_some(Failure::Lags),
    }
}

/// Whether NaNs come in with the data.
pub(super) fn data_broken(case: &Case<'_>) -> bool {
    let data = &case.fit.info.data;
    data.x
        .iter()
        .chain(&data.y)
        .any(|array| array.nans + array.infs > 0)
}

/// Weighs the suspects.
pub(super) fn weigh(case: &Case<'_>, failure: Failure) -> Suspects {
    let mut suspects = Suspects::default();
    if let Some(optimizer) = &case.fit.info.optimizer {
        let usual = usual_rate(&optimizer.class);
        let decades = (optimizer.learning_rate / usual).log10();
        if decades.is_finite() {
            suspects.rate_high = decades.max(0.0);
            suspects.rate_low = (-decades).max(0.0);
        }
        let ratio = case.first_update_ratio().map_or(0.0, |(_, ratio)| ratio);
        // A decade above the default is common practice; it needs steps that are long against the weights as well.
        if failure != Failure::Diverges && ratio < UPDATE_LONG {
            suspects.rate_high -= 1.0;
        }
        // What is flat before the first step was not made so by the steps.
        if case
            .layers()
            .iter()
            .any(|layer| flat_from_start(case, layer.index))
        {
            suspects.rate_high = 0.0;
        }
        if ratio > UPDATE_LARGE && suspects.rate_high > 0.0 {
            suspects.rate_high += 0.5;
        }
        if failure == Failure::Stuck
            && case.typical_update_ratio() < UPDATE_SMALL
            && !case.learning().constant
        {
            suspects.rate_low += 1.0;
        }
        // Adam and its kin make steps of their own length; those of SGD are as short as the gradient.
        let ratio = case.typical_update_ratio();
        if failure == Failure::Stuck
            && optimizer.class == "SGD"
            && (UPDATE_SMALL..UPDATE_SHORT).contains(&ratio)
            && !case.learning().constant
        {
            suspects.rate_low += ((UPDATE_NORMAL / ratio).log10() - 0.4).min(1.0);
        }
        // Steps of normal length are not too short, whatever the number.
        if case.typical_update_ratio() > UPDATE_NORMAL {
            suspects.rate_low -= 1.0;
        }
        if failure == Failure::Diverges {
            suspects.rate_low = 0.0;
        }
    }
    // Small numbers make small steps: they slow a network down, and let nothing diverge or die.
    let slow = matches!(failure, Failure::Stuck | Failure::Lags);
    if !scales_itself(case) {
        let off = |x| if slow { features_off(x) } else { features_large(x) };
        suspects.features = case.fit.info.data.x.iter().map(off).fold(0.0, f64::max);
    }
    // Large features make the same steps longer, those of SGD through the gradient as well: a low rate is what they need.
    let sgd = case
        .fit
        .info
        .optimizer
        .as_ref()
        .is_some_and(|optimizer| optimizer.class == "SGD");
    let longer = if sgd { 2.0 } else { 1.0 };
    suspects.rate_low -= longer
        * case
            .fit
            .info
            .data
            .x
            .iter()
            .map(features_large)
            .fold(0.0, f64::max);
    if case.learning().task == Task::Regression
        && let Some(y) = case.fit.y()
    {
        let large = (data::rms(y) / TARGETS_RMS).log10().max(0.0);
        let tiny = y.std < TARGETS_TINY && y.mean.abs() < 10.0 * y.std;
        suspects.targets = if tiny && slow {
            (10.0 * TARGETS_TINY / y.std).log10()
        } else {
            large
        };
    }
    suspects
}

/// Whether the features are of a size that initial weights are made for.
pub(super) fn features_in_scale(case: &Case<'_>) -> bool {
    scales_itself(case) || case.fit.info.data.x.iter().all(|x| features_off(x) == 0.0)
}

/// Steps that are a handful, and part of the simple models' skill below which they end half way.
const HANDFUL: u64 = 50;
const HALF_WAY: f64 = 0.6;

/// Whether a finished training of fewer than `steps` steps has not got to where it was going: steps of normal length, but
/// hardly better than a constant, or far behind a simple model.
pub(super) fn unfinished(case: &Case<'_>, steps: u64) -> bool {
    let learning = case.learning();
    let finished = case.fit.end.as_deref() == Some("finished") && case.fit.info.call == "fit";
    if !finished || !case.complete || case.drawn || case.steps >= steps || case.broken().is_some() {
        return false;
    }
    // Half of the loss gone is learning, whatever the yardstick says of so few steps; but a handful of steps that end half way
    // to what simple models get are just too few.
    let half_way = case.steps < HANDFUL
        && learning
            .skill
            .zip(learning.baseline)
            .is_some_and(|(skill, baseline)| skill < HALF_WAY * baseline);
    let halved = !half_way
        && learning
            .loss
            .is_some_and(|loss| loss.falls() && loss.relative_drop() > 0.5);
    let under_way = learning.lagging() && learning.loss.is_some_and(|loss| loss.falls());
    let poor = learning.behind()
        || (under_way && !halved)
        || (learning.skill.is_some_and(|skill| skill < 0.1) && !halved);
    let short = case.typical_update_ratio() < UPDATE_NORMAL / 10.0;
    poor && !short
}

fn features_off(x: &trace::DataInfo) -> f64 {
    let largest = x.min.abs().max(x.max.abs());
    let tiny = largest > 0.0 && largest < FEATURES_TINY && x.feature_std_max < FEATURES_STD_TINY;
    let small = if tiny {
        (10.0 * FEATURES_TINY / largest).log10()
    } else {
        0.0
    };
    features_large(x).max(small)
}

fn features_large(x: &trace::DataInfo) -> f64 {
    let size = (data::rms(x) / FEATURES_RMS).log10() + 0.3;
    let offset = (x.offset_ratio / FEATURES_OFFSET).log10() + 0.3;
    let size = if size >= 0.3 { size } else { 0.0 };
    // An offset matters only where it is large against the weights too: years do, ages of adults do not.
    let offset = if offset >= 0.3 && x.feature_absmean_max > FEATURES_OFFSET {
        offset
    } else {
        0.0
    };
    size.max(offset)
}

/// Whether the first layers rescale their input themselves, or look numbers up instead of computing with them.
fn scales_itself(case: &Case<'_>) -> bool {
    const SCALING: [&str; 9] = [
        "Embedding",
        "Normalization",
        "Rescaling",
        "BatchNormalization",
        "LayerNormalization",
        "CategoryEncoding",
        "Hashing",
        "Discretization",
        "Lambda",
    ];
    let until_weighted = case.weighted().next().map_or(usize::MAX, |layer| layer.index);
    case.layers()
        .iter()
        .filter(|layer| layer.index <= until_weighted)
        .any(|layer| SCALING.contains(&layer.class.as_str()))
}

/// The usual learning rate of an optimizer: Keras' default (3.15), except where that is known to be too small.
pub(super) fn usual_rate(optimizer: &str) -> f64 {
    match optimizer {
        "SGD" => 0.01,
        // Zeiler (2012) and every framework before Keras 2.3: the update is unit-free, and 0.001 of it is next to nothing.
        "Adadelta" => 1.0,
        "Adagrad" => 0.01,
        "Lion" => 0.0001,
        _ => 0.001,
    }
}

/// Whether the units of a layer were flat before training changed anything.
pub(super) fn flat_from_start(case: &Case<'_>, layer: usize) -> bool {
    case.flat_since(layer).is_some_and(|moment| moment.step == 0)
}

/// Share of elements in the flat part of a layer's activation at the first probed steps.
pub(super) fn saturated_at_start(case: &Case<'_>, layer: usize) -> f64 {
    let series = case.fit.series(layer, Tensor::V1);
    series
        .and_then(|series| {
            series
                .stat(Stat::Saturated)
                .iter()
                .copied()
                .find(|share| share.is_finite())
        })
        .unwrap_or(0.0)
}

/// What the four suspects share: is this one the one to name, and how sure is that?
pub(super) struct Charge {
    pub failure: Failure,
    pub confidence: f64,
    pub severity: Severity,
    pub settled: bool,
}

/// Decades from which a suspect is named at all.
const NAMED: f64 = 0.3;
/// Decades from which a suspect that is not the worst one is mentioned beside it.
const MENTIONED: f64 = 0.6;
/// Decades from which a suspect is named for a training that only lags.
const NAMED_IF_LAGGING: f64 = 1.3;

/// Charges the suspect that `pick` selects, if optimisation fails and this suspect explains it.
pub(super) fn charge(case: &Case<'_>, pick: fn(&Suspects) -> f64) -> Option<Charge> {
    let failure = failure(case)?;
    let suspects = weigh(case, failure);
    let decades = pick(&suspects);
    let named = if failure == Failure::Lags {
        NAMED_IF_LAGGING
    } else {
        NAMED
    };
    let leading = decades >= named && decades >= suspects.worst();
    if !leading && (decades < MENTIONED || failure == Failure::Lags) {
        return None;
    }
    let sure = 0.55 + 0.2 * decades.min(1.5) + if failure == Failure::Diverges { 0.05 } else { 0.0 };
    Some(Charge {
        failure,
        confidence: if leading { sure } else { sure * 0.6 },
        severity: match (leading, failure) {
            (false, _) => Severity::Information,
            (true, Failure::Stuck | Failure::Lags) => Severity::Warning,
            (true, _) => Severity::Error,
        },
        settled: leading && !matches!(failure, Failure::Stuck | Failure::Lags),
    })
}

/// Adds what was seen of the failure itself.
pub(super) fn with_failure(case: &Case<'_>, failure: Failure, mut cause: Cause) -> Cause {
    match failure {
        Failure::Diverges => match case.broken() {
            Some(broken) => {
                let what = match (
                    broken.layer.and_then(|index| case.layers().get(index)),
                    broken.tensor,
                ) {
                    (Some(layer), Some(tensor)) => format!("{} of {}", tensor_name(tensor), layer.name),
                    _ => "the loss".to_owned(),
                };
                let phase = broken.tensor.map_or(Phase::Loss, phase_of);
                let text = format!(
                    "{what} is NaN or infinite from step {} on; loss {}",
                    broken.moment.step + 1,
                    case.loss_story()
                );
                cause = cause.seen_at(broken.moment, phase, broken.layer, text);
                cause = super::first_element::shown(case, cause);
            }
            None => cause = cause.seen(Phase::Loss, format!("the loss grows: {}", case.loss_story())),
        },
        Failure::Stops => {
            if let Some(moment) = case.gradients_gone() {
                let text = format!(
                    "the gradient of every kernel is exactly 0 from step {} on",
                    moment.step + 1
                );
                cause = cause.seen_at(moment, Phase::Backward, None, text);
            }
            for layer in case.layers() {
                if let Some(moment) = case.flat_since(layer.index) {
                    let text = format!(
                        "{} puts out 0 for every sample from step {} on",
                        layer.name,
                        moment.step + 1
                    );
                    cause = cause.seen_at(moment, Phase::Forward, Some(layer.index), text);
                    break;
                }
            }
        }
        Failure::Stuck | Failure::Lags => cause = cause.seen(Phase::Metric, stuck_text(case)),
    }
    cause
}

/// What a network that does not learn shows, in one sentence.
pub(super) fn stuck_text(case: &Case<'_>) -> String {
    let learning = case.learning();
    let mut parts = vec![format!("after {} steps", case.fit.steps)];
    if let Some(loss) = learning.loss {
        parts.push(format!(
            "the loss went from {} to {}",
            number(loss.first),
            number(loss.last)
        ));
    }
    match (learning.hits, learning.majority, learning.explained) {
        (Some(hits), Some(majority), _) => {
            parts.push(format!(
                "{} right (always the same answer: {})",
                percent(hits),
                percent(majority)
            ));
        }
        (_, _, Some(explained)) => {
            parts.push(format!(
                "{} of the labels' variance explained",
                percent(explained.max(0.0))
            ));
        }
        _ => {}
    }
    if let Some(baseline) = learning.baseline.filter(|_| learning.lagging()) {
        parts.push(format!(
            "where a simple model (neighbours or a linear one) gets {} of the way from a constant answer to perfection",
            percent(baseline)
        ));
    }
    if learning.constant {
        parts.push(format!(
            "all samples get the same prediction (spread {})",
            number(learning.spread)
        ));
    }
    format!("{} {}", parts[0], parts[1..].join(", "))
}

/// Words for a probed tensor.
pub(super) fn tensor_name(tensor: Tensor) -> &'static str {
    match tensor {
        Tensor::V1 => "the value before the activation",
        Tensor::V2 => "the output",
        Tensor::W => "a weight",
        Tensor::Dw => "the gradient of a weight",
        Tensor::Update => "the update of a weight",
        Tensor::Gout => "the gradient at the output",
    }
}

pub(crate) fn phase_of(tensor: Tensor) -> Phase {
    match tensor {
        Tensor::V1 | Tensor::V2 => Phase::Forward,
        Tensor::Dw | Tensor::Gout => Phase::Backward,
        Tensor::W | Tensor::Update => Phase::Update,
    }
}
