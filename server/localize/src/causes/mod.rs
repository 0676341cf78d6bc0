//! The causes a run can be shown to have; one file each, one line here.
//!
//! A cause looks at a [`Case`] and, if it explains what is seen, gives its place, its evidence and how sure it is.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::Moment;

use crate::case::Case;
use crate::place::Place;

mod first_element;
mod suspects;
pub(crate) use suspects::phase_of;
mod training_restarted;

pub(crate) use labels_broadcast::INFO as LABELS_BROADCAST;
pub(crate) use labels_outside_loss::INFO as LABELS_OUTSIDE_LOSS;
pub(crate) use training_restarted::restarted;
pub(crate) use validation_of_other_classes::in_order as labels_in_order;

type Find = fn(&Case<'_>) -> Vec<Cause>;

macro_rules! causes {
    ($($structural:ident),* ; $($optimisation:ident),* ; $($fallback:ident),* $(,)?) => {
        $(mod $structural;)*
        $(mod $optimisation;)*
        $(mod $fallback;)*

        /// Data, labels and output do not belong together: no optimiser could help.
        const STRUCTURAL: &[(&RuleInfo, Find)] = &[$((&$structural::INFO, $structural::find)),*];
        /// They do, but the optimisation fails.
        const OPTIMISATION: &[(&RuleInfo, Find)] = &[$((&$optimisation::INFO, $optimisation::find)),*];
        /// Asked only when none of the others explains what is wrong.
        const FALLBACKS: &[(&RuleInfo, Find)] = &[$((&$fallback::INFO, $fallback::find)),*];
    };
}

causes![
    values_not_finite,
    data_constant,
    weights_frozen,
    labels_outside_loss,
    labels_not_exclusive,
    labels_broadcast,
    loss_over_all_pairs,
    output_out_of_reach,
    output_constant,
    softmax_over_wrong_axis,
    loss_falls_while_error_grows,
    validation_of_other_classes,
    validation_unlike_training,
    statistics_too_slow,
    label_among_features_seen,
    metric_contradicts,
    output_dropped_or_normalised,
    initialisation_symmetric,
    batch_of_one_normalised;
    frozen_at_random,
    units_dead_at_start,
    recurrence_unbounded,
    initialisation_scale,
    loss_summed,
    learning_rate_too_high,
    learning_rate_too_low,
    rate_decays,
    optimizer_damped,
    features_unscaled,
    targets_unscaled,
    output_starved,
    gradient_vanishing,
    units_saturated,
    dropout_too_strong,
    penalty_too_strong,
    bottleneck,
    squared_error_of_classes,
    softmax_hidden,
    percentage_of_zero,
    network_too_small,
    network_linear,
    batch_too_large,
    class_weights_inverted,
    majority_class,
    overfitting;
    units_dead,
    numerical_error,
    labels_unrelated,
    epochs_too_few,
    no_learning,
];

/// One explanation of what was seen.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub rule: &'static RuleInfo,
    pub kind: Kind,
    pub severity: Severity,
    pub confidence: f64,
    pub place: Place,
    /// Index of the layer at fault.
    pub layer: Option<usize>,
    pub message: String,
    pub evidence: Vec<Seen>,
    pub remedies: Vec<Remedy>,
    /// Whether further training cannot change the verdict.
    pub settled: bool,
}

/// Something that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub text: String,
    pub moment: Option<Moment>,
    pub phase: Phase,
    /// Layer whose call site the evidence points to.
    pub layer: Option<usize>,
}

/// A patch before it is an edit.
#[derive(Clone, Debug)]
pub(crate) enum Remedy {
    /// Replaces the argument at the cause's place, or adds it as a keyword to the call.
    Argument {
        title: String,
        keyword: &'static str,
        text: String,
    },
    /// Standardises the array where it last changes.
    Standardise { title: String },
    /// Takes the last axis off one of the two operands of an operation, the only of its kind at the cause's place.
    Column {
        title: String,
        operation: &'static str,
        operand: usize,
    },
}

impl Cause {
    /// A cause of `rule`'s own kind and severity.
    pub fn new(rule: &'static RuleInfo, place: Place, confidence: f64, message: impl Into<String>) -> Cause {
        Cause {
            rule,
            kind: rule.kind,
            severity: rule.severity,
            confidence,
            place,
            layer: None,
            message: message.into(),
            evidence: Vec::new(),
            remedies: Vec::new(),
            settled: false,
        }
    }

    pub fn settled(mut self) -> Cause {
        self.settled = true;
        self
    }

    pub fn kind(mut self, kind: Kind) -> Cause {
        self.kind = kind;
        self
    }

    pub fn severity(mut self, severity: Severity) -> Cause {
        self.severity = severity;
        self
    }

    pub fn layer(mut self, layer: usize) -> Cause {
        self.layer = Some(layer);
        self
    }

    pub fn seen(mut self, phase: Phase, text: impl Into<String>) -> Cause {
        self.evidence.push(Seen {
            text: text.into(),
            moment: None,
            phase,
            layer: None,
        });
        self
    }

    pub fn seen_at(
        mut self,
        moment: Moment,
        phase: Phase,
        layer: Option<usize>,
        text: impl Into<String>,
    ) -> Cause {
        self.evidence.push(Seen {
            text: text.into(),
            moment: Some(moment),
            phase,
            layer,
        });
        self
    }

    pub fn remedy(mut self, remedy: Remedy) -> Cause {
        self.remedies.push(remedy);
        self
    }
}

/// Everything that explains the case, surest first.
pub(crate) fn find(case: &Case<'_>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = STRUCTURAL.iter().flat_map(|(_, find)| find(case)).collect();
    let explained = causes.iter().any(|cause| cause.severity == Severity::Error);
    // What fails with a structural fault fails because of it; scales and rates can only be judged once it is mended.
    if !explained {
        causes.extend(OPTIMISATION.iter().flat_map(|(_, find)| find(case)));
    }
    for (_, find) in FALLBACKS {
        if causes.iter().any(|cause| cause.severity >= Severity::Warning) {
            break;
        }
        causes.extend(find(case));
    }
    causes.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then(b.confidence.total_cmp(&a.confidence))
    });
    causes
}

pub(crate) fn all() -> Vec<&'static RuleInfo> {
    STRUCTURAL
        .iter()
        .chain(OPTIMISATION)
        .chain(FALLBACKS)
        .map(|(info, _)| *info)
        .chain([&training_restarted::INFO])
        .collect()
}
