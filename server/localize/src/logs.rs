//! What Keras logs at the end of the epochs.

use trace::{EpochMessage, Fit};

/// The first entry of an epoch's log of that kind.
pub(crate) fn entry(epoch: &EpochMessage, wanted: impl Fn(&str) -> bool) -> Option<(&str, f64)> {
    let found = epoch.logs.iter().find(|(name, _)| wanted(name));
    found.map(|(name, value)| (name.as_str(), *value))
}

/// Its values over the epochs.
pub(crate) fn logged(fit: &Fit, wanted: impl Fn(&str) -> bool) -> Vec<f64> {
    let entries = fit.epochs.iter().filter_map(|epoch| entry(epoch, &wanted));
    entries.map(|(_, value)| value).collect()
}

/// Whether that is the training's accuracy: of the answer itself, not of the best few.
pub(crate) fn is_accuracy(name: &str) -> bool {
    !name.starts_with("val_") && name.contains("acc") && !name.contains("top")
}
