//! # script-raised (DL901)
//!
//! ## What it does
//! Points to the line of the script that an exception came from: for a shape that does not fit the layer that was asked to
//! take it, otherwise the innermost line of the user's own code.
//!
//! ## Why it matters
//! A traceback through Keras and TensorFlow is a hundred lines long, and the last of them is never the user's.
//!
//! ## Example
//! ```python
//! model.add(Input((28, 28)))
//! model.add(Conv2D(8, 3))          # expected ndim=4, found ndim=3
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Input((28, 28, 1)))
//! model.add(Conv2D(8, 3))
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! Humbatova et al., "Taxonomy of real faults in deep learning systems" (ICSE 2020), tensor shapes and API.

mod blame;
mod embedding;
mod gradients;

use finding::{Applicability, Edit, Evidence, Finding, Fix, Kind, Phase, RuleInfo, Severity};
use trace::{ExceptionMessage, Site, Trace};

use crate::causes;
use crate::place::{Sources, locate, site};
use blame::At;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL901",
    name: "script-raised",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("crash.rs"),
};

/// The finding for an exception nobody caught; `None` when no user code is in its traceback.
pub(crate) fn finding(exception: &ExceptionMessage, trace: &Trace, sources: &dyn Sources) -> Option<Finding> {
    let user: Vec<&Site> = exception
        .frames
        .iter()
        .filter(|frame| frame.user)
        .map(|frame| &frame.site)
        .collect();
    let raised = user.last().copied();
    let text = readable(&exception.message);
    let fit = exception
        .fit
        .and_then(|number| trace.fits.iter().find(|fit| fit.info.fit == number));
    let explained = blame::explain(exception, &text, fit);
    let located = explained
        .place
        .and_then(|place| match place {
            At::Place(place) => locate(place, fit?, sources),
            At::Site(at) => site(at, sources),
        })
        .or_else(|| site(raised?, sources))?;
    let mut evidence = Vec::new();
    if let Some(at) = raised.and_then(|raised| site(raised, sources))
        && at.range != located.range
    {
        evidence.push(Evidence {
            text: format!("{} was raised in this call", exception.class),
            path: at.path(),
            range: Some(at.range),
            epoch: None,
            batch: None,
            phase: exception.fit.map(|_| Phase::Forward),
        });
    }
    let fixes = explained
        .fix
        .filter(|_| located.argument)
        .map(|(title, text)| Fix {
            title,
            applicability: Applicability::Unsafe,
            edits: vec![Edit {
                path: located.path(),
                range: located.range,
                new_text: text,
            }],
            trial: None,
        });
    Some(Finding {
        code: INFO.code,
        name: INFO.name,
        kind: explained.kind,
        severity: INFO.severity,
        source: finding::Source::Crash,
        path: located.path(),
        range: located.range,
        layer: explained.layer,
        message: explained.message,
        evidence,
        confidence: 0.95,
        fixes: fixes.into_iter().collect(),
    })
}

/// Whether the exception is what the framework makes of a fault that was found in the data before the first step.
pub(crate) fn follows_from(exception: &ExceptionMessage, raised: &Finding, cause: &Finding) -> bool {
    let same = raised.kind == cause.kind && raised.path == cause.path && raised.range == cause.range;
    cause.code == causes::LABELS_OUTSIDE_LOSS.code && exception.message.contains("outside the valid range")
        || cause.code == causes::LABELS_BROADCAST.code && same
}

/// The exception as evidence of its cause.
pub(crate) fn consequence(exception: &ExceptionMessage, raised: &Finding) -> Evidence {
    Evidence {
        text: format!("{}: {}", exception.class, readable(&exception.message)),
        path: raised.path.clone(),
        range: Some(raised.range),
        epoch: None,
        batch: None,
        phase: raised.evidence.first().and_then(|evidence| evidence.phase),
    }
}

/// The sentence that says what is wrong, out of the frame Keras and TensorFlow put around it.
fn readable(message: &str) -> String {
    let plain = without_escapes(message);
    let body = [
        "\n\nArguments received by",
        "\nArguments received by",
        "\n\nCall arguments received by",
        "\n\t [[{{node",
        " [Op:",
    ]
    .iter()
    .filter_map(|marker| plain.find(marker))
    .min()
    .map_or(plain.as_str(), |end| &plain[..end]);
    let lines: Vec<&str> = body
        .lines()
        .map(str::trim)
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with("Exception encountered when calling")
                && !line.starts_with("Graph execution error")
                && !line.starts_with("Detected at node")
                && !line.starts_with("File \"")
                && !line.starts_with("{{")
        })
        .take(3)
        .collect();
    let text = lines.join(" ");
    let short: String = text.chars().take(400).collect();
    if short.len() < text.len() {
        format!("{short}…")
    } else {
        short
    }
}

fn without_escapes(message: &str) -> String {
    let mut plain = String::with_capacity(message.len());
    let mut characters = message.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // A colour sequence ends with its first letter.
            characters
                .by_ref()
                .find(|character| character.is_ascii_alphabetic());
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_lose_their_frame() {
        let keras = "Exception encountered when calling Sequential.call().\n\n\u{1b}[1mInput 0 of layer \"dense\" is incompatible \
                     with the layer: expected axis -1 of input shape to have value 4, but received input with shape (32, \
                     3)\u{1b}[0m\n\nArguments received by Sequential.call():\n  • inputs=tf.Tensor(...)";
        assert_eq!(
            readable(keras),
            "Input 0 of layer \"dense\" is incompatible with the layer: expected axis -1 of input shape to have value 4, but \
             received input with shape (32, 3)"
        );
        assert_eq!(readable(""), "");
        assert!(readable(&"x".repeat(5000)).len() < 500);
    }
}
