//! # augmentation-value-range (DL454)
//!
//! ## What it does
//! Finds layers that change the brightness of images and take them to be in 0..255, as they do without `value_range`, in
//! front of images that are scaled to 0..1: divided by 255 before, or by a `Rescaling` in the model.
//!
//! ## Why it matters
//! `RandomBrightness(0.2)` adds up to a fifth of the range, which is 51. On images in 0..1 that leaves white or black:
//! the network is trained on images that show nothing.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([
//!     layers.Rescaling(1 / 255),
//!     layers.RandomBrightness(0.2),
//!     layers.Flatten(),
//!     layers.Dense(10, activation="softmax"),
//! ])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([
//!     layers.Rescaling(1 / 255),
//!     layers.RandomBrightness(0.2, value_range=(0, 1)),
//!     layers.Flatten(),
//!     layers.Dense(10, activation="softmax"),
//! ])
//! ```
//!
//! ## Fix safety
//! Safe: the range is that of the images.
//!
//! ## References
//! - `keras.layers.RandomBrightness`: `value_range=(0, 255)`
//! - Measured on Keras 3.15.1 with images in 0..1: `RandomBrightness(0.2)` gives values up to 47, `RandAugment` up to 255,
//!   `RandomPosterization` only 0; `RandomContrast`, `RandomHue` and `RandomSaturation` hardly depend on the range

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Call, Model, Value};

use crate::context::{Context, Given, given};
use crate::read::compact;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL454",
    name: "augmentation-value-range",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("augmentation_value_range.rs"),
};

/// Layers whose results depend on where the range of the values ends, so that they destroy images in another.
fn depends_on_range(call: &Call) -> bool {
    match call.callee.strip_prefix("keras.layers.") {
        Some(
            "RandomBrightness"
            | "RandomPosterization"
            | "RandomInvert"
            | "Solarization"
            | "RandAugment"
            | "AugMix"
            | "AutoContrast",
        ) => true,
        Some("RandomColorJitter") => call.argument("brightness_factor").is_some(),
        _ => false,
    }
}

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    let mut findings = Vec::new();
    for call in program.calls.iter().filter(|call| depends_on_range(call)) {
        if !matches!(given(call, "value_range"), Given::Absent) {
            continue;
        }
        let scaled = program.models.iter().enumerate().any(|(number, model)| {
            let place = model
                .layers
                .iter()
                .position(|layer| program.call(layer.call).range == call.range);
            place.is_some_and(|place| match rescaled(context, model, place) {
                Some(small) => small,
                None => trained_on_small(context, program::ModelId(number)),
            })
        });
        if !scaled {
            continue;
        }
        let message = format!(
            "`{}` takes images to be in 0..255 unless it is told otherwise, and these are in 0..1: what it changes is 255 times too much, \
             and hardly anything of the image is left; give it `value_range=(0, 1)`",
            call.class()
        );
        let fix = context
            .append_argument(call, "value_range=(0, 1)")
            .map(|(range, text)| {
                context.fix("Name the range of the images", Applicability::Safe, range, text)
            });
        findings.push(Finding {
            confidence: 0.93,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, call.range, message)
        });
    }
    findings
}

/// Whether a `Rescaling` before a layer takes 0..255 to 0..1; `None` where there is none.
fn rescaled(context: &Context<'_>, model: &Model, place: usize) -> Option<bool> {
    let scale = model
        .layers
        .iter()
        .take(place)
        .map(|layer| context.program.call(layer.call))
        .rfind(|call| call.class() == "Rescaling")?;
    let argument = scale.argument("scale")?;
    let text = compact(argument.value.range.slice(context.text));
    let small = match argument.value.value {
        Value::Float(number) => number < 0.01,
        _ => {
            text.starts_with('1') && text.ends_with("/255")
                || text.ends_with("/255.")
                || text.ends_with("/255.0")
        }
    };
    // With an offset, the range is another one yet.
    Some(small && matches!(given(scale, "offset"), Given::Absent))
}

/// Whether the images that a model is trained on are divided by 255, or small ones by what they go up to.
fn trained_on_small(context: &Context<'_>, model: program::ModelId) -> bool {
    let program = context.program;
    context.training_sets().any(|sets| {
        let own = program
            .fits
            .iter()
            .any(|fit| fit.model == Some(model) && std::ptr::eq(program.call(fit.call), sets.training.call));
        let Some(x) = sets.training.x.as_ref().filter(|_| own) else {
            return false;
        };
        let grown = x.values().any(|value| {
            let value = compact(value);
            value.contains("*255") || value.contains("*2") || value.contains("-1") && value.contains("127.5")
        });
        let digits = || {
            context.text.contains("load_digits(")
                && x.steps
                    .iter()
                    .any(|step| compact(step.change.statement.slice(context.text)).contains("/16"))
        };
        let divided = x
            .divided()
            .is_some_and(|step| !compact(step.change.statement.slice(context.text)).contains("127.5"));
        !grown && (divided || digits())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(scale: &str, layer: &str) -> String {
        format!(
            "import keras\nfrom keras import layers\nfrom sklearn.datasets import load_digits\nx, y = load_digits(return_X_y=True)\n{scale}\n\
             m = keras.Sequential([{layer}, layers.Flatten(), layers.Dense(10, 'softmax')])\n\
             m.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n"
        )
    }

    #[test]
    fn tables() {
        let pass = [
            script("x = x / 255", "layers.RandomBrightness(0.2, value_range=(0, 1))"),
            script("x = x / 255", "layers.RandomBrightness(0.2, (0, 1))"),
            script("x = x.astype('float32')", "layers.RandomBrightness(0.2)"),
            script("", "layers.RandomBrightness(0.2), layers.Rescaling(1 / 255)"),
            script(
                "x = x / 255",
                "layers.Rescaling(255), layers.RandomBrightness(0.2)",
            ),
            script(
                "x = x / 255",
                "layers.RandomFlip('horizontal'), layers.RandomContrast(0.2)",
            ),
            script("x = x / 255", "layers.RandomColorJitter(saturation_factor=0.2)"),
            script("x = x / 255", "layers.RandomBrightness(**options)"),
        ];
        let fail = [
            (
                script("x = x / 255", "layers.RandomBrightness(0.2)"),
                "layers.RandomBrightness(0.2)",
            ),
            (
                script(
                    "x = (x / 16.0).reshape(-1, 8, 8, 1).astype('float32')",
                    "layers.RandomBrightness(0.2)",
                ),
                "layers.RandomBrightness(0.2)",
            ),
            (
                script(
                    "",
                    "layers.Rescaling(1. / 255), layers.RandomFlip(), layers.RandAugment()",
                ),
                "layers.RandAugment()",
            ),
            (
                script("x = x / 255", "layers.RandomColorJitter(brightness_factor=0.2)"),
                "layers.RandomColorJitter(brightness_factor=0.2)",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
