//! # generators-scaled-differently (DL455)
//!
//! ## What it does
//! Finds an `ImageDataGenerator` for validation or test that scales or preprocesses the images in another way than the one
//! for training: `rescale` or `preprocessing_function` in one and not in the other.
//!
//! ## Why it matters
//! The network sees other inputs than in training, 255 times larger for one, and what it says of them means nothing: the
//! training looks well and the validation accuracy is that of guessing.
//!
//! ## Example
//! ```python
//! import keras
//! from keras.preprocessing.image import ImageDataGenerator
//! train = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True).flow_from_directory("train")
//! test = ImageDataGenerator().flow_from_directory("test")
//! model.fit(train, validation_data=test)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras.preprocessing.image import ImageDataGenerator
//! train = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True).flow_from_directory("train")
//! test = ImageDataGenerator(rescale=1 / 255).flow_from_directory("test")
//! model.fit(train, validation_data=test)
//! ```
//!
//! ## Fix safety
//! No fix: which of the two is right is not known. What only augments (flips, shifts) belongs to the training alone.
//!
//! ## References
//! - `keras.preprocessing.image.ImageDataGenerator`

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Code, Field, Node};

use crate::context::Context;
use crate::read::compact;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL455",
    name: "generators-scaled-differently",
    kind: Kind::InputScale,
    severity: Severity::Warning,
    source: include_str!("generators_scaled_differently.rs"),
};

/// What makes other values of an image, for every one of them.
const SCALING: [&str; 2] = ["rescale", "preprocessing_function"];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if context.text.matches("ImageDataGenerator").count() < 2 {
        return Vec::new();
    }
    let Some(code) = context.tree() else {
        return Vec::new();
    };
    let calls = code.root().all(&["call"]);
    let mut findings: Vec<Finding> = Vec::new();
    for fit in &calls {
        let Some((method, model)) = fit.method() else {
            continue;
        };
        if !matches!(method, "fit" | "fit_generator") {
            continue;
        }
        let Some(training) = fit
            .argument("x", 0)
            .or_else(|| fit.argument("generator", 0))
            .and_then(|x| images(code, x))
        else {
            continue;
        };
        let mut others: Vec<Node<'_>> = fit
            .arguments()
            .into_iter()
            .filter(|(keyword, _)| *keyword == Some("validation_data"))
            .map(|(_, value)| value)
            .collect();
        others.extend(calls.iter().filter_map(|call| {
            let (method, object) = call.method()?;
            let judges = matches!(
                method,
                "evaluate" | "predict" | "evaluate_generator" | "predict_generator"
            );
            (judges && object.text() == model.text() && call.function() == fit.function())
                .then(|| call.arguments().first().map(|(_, value)| *value))?
        }));
        for other in others {
            let Some(other) = images(code, other) else {
                continue;
            };
            let differs = SCALING
                .into_iter()
                .find(|option| training.option(option).is_some() != other.option(option).is_some());
            let Some(option) = differs else { continue };
            if !are_alike(context, &training, &other)
                || findings.iter().any(|finding| finding.range == other.made.range())
            {
                continue;
            }
            let (with, without) = if training.option(option).is_some() {
                ("training", "these")
            } else {
                ("these", "training")
            };
            let message = format!(
                "{} images go through `{option}` and {} do not, so the network is tested on other inputs than it learned from; give both \
                 generators the same",
                if with == "training" { "the training" } else { with },
                if without == "training" {
                    "those of the training"
                } else {
                    without
                },
            );
            findings.push(Finding {
                confidence: 0.92,
                ..context.finding(&INFO, other.made.range(), message)
            });
        }
    }
    findings
}

/// A generator of batches of images.
struct Images<'a> {
    /// The call of `ImageDataGenerator`.
    made: Node<'a>,
    /// The call of `flow…`.
    flow: Node<'a>,
}

impl<'a> Images<'a> {
    fn option(&self, name: &str) -> Option<Node<'a>> {
        self.made
            .arguments()
            .into_iter()
            .find(|(keyword, value)| *keyword == Some(name) && value.text() != "None")
            .map(|(_, value)| value)
    }

    fn is_open(&self) -> bool {
        self.made
            .arguments()
            .iter()
            .any(|(_, value)| value.is("dictionary_splat"))
    }
}

/// The generator that an expression stands for.
fn images<'a>(code: &Code<'a>, node: Node<'a>) -> Option<Images<'a>> {
    let flow = code.value(node)?;
    let (method, object) = flow.method()?;
    let made = code.value(object)?;
    let is_generator = code.callee(made)?.ends_with(".ImageDataGenerator");
    (method.starts_with("flow") && is_generator).then_some(Images { made, flow })
}

/// Whether both generators read images of one kind: files, which are in 0..255, or arrays that nothing else scales.
fn are_alike(context: &Context<'_>, training: &Images<'_>, other: &Images<'_>) -> bool {
    let method = |images: &Images<'_>| {
        images
            .flow
            .field(Field::Function)
            .map(|callee| callee.text().rsplit('.').next() == Some("flow"))
    };
    let arrays = (method(training), method(other));
    if training.is_open() || other.is_open() || arrays.0 != arrays.1 {
        return false;
    }
    // What is set later (`datagen.preprocessing_function = …`) is not followed.
    if SCALING
        .iter()
        .any(|option| context.text.contains(&format!(".{option}")))
    {
        return false;
    }
    if arrays.0 == Some(false) {
        return true;
    }
    let mut rest = compact(context.text);
    for made in [training.made, other.made] {
        rest = rest.replace(&compact(made.text()), "");
    }
    let scaled = ["/255", "/=255", "/127.5", "preprocess_input(", "_transform("];
    !scaled.iter().any(|way| rest.contains(way))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(first: &str, second: &str, rest: &str) -> String {
        format!(
            "import keras\nfrom tensorflow.keras.preprocessing.image import ImageDataGenerator\na = ImageDataGenerator({first})\nb = ImageDataGenerator({second})\n\
             train = a.flow_from_directory('train')\ntest = b.flow_from_directory('test')\n{rest}\nm.fit(train, epochs=3, validation_data=test)\nm.evaluate(test)\n"
        )
    }

    #[test]
    fn tables() {
        let scale = "rescale=1. / 255";
        let pass = [
            script(scale, scale, ""),
            script("rescale=1. / 255, horizontal_flip=True", "rescale=1 / 255.0", ""),
            script("", "", ""),
            script(scale, "**options", ""),
            script(scale, "", "b.rescale = 1 / 255"),
            script("horizontal_flip=True", "", ""),
            script(scale, "", "").replace("_from_directory('test')", "(x / 255, y)"),
            script(scale, "", "x_test = x_test / 255")
                .replace("_from_directory('train')", "(x)")
                .replace("_from_directory('test')", "(x_test)"),
        ];
        let fail = [
            (script(scale, "", ""), "ImageDataGenerator()"),
            (
                script("preprocessing_function=f", "horizontal_flip=False", ""),
                "ImageDataGenerator(horizontal_flip=False)",
            ),
            (script("", scale, ""), "ImageDataGenerator(rescale=1. / 255)"),
            (
                script(scale, "", "")
                    .replace("_from_directory('train')", "(x, y)")
                    .replace("_from_directory('test')", "(p, q)"),
                "ImageDataGenerator()",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
