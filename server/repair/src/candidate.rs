//! Changes of a script that may mend it.

use std::path::PathBuf;

use finding::{Applicability, Edit, Kind, Range};

/// What of a training a change is about. Changes of one aspect are alternatives; of several aspects, they go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// Output activation, loss and labels, which have to fit each other.
    Head,
    /// Scale of the features.
    Features,
    /// Scale of the targets.
    Targets,
    /// Optimizer and learning rate.
    Step,
    /// Activations inside the network.
    Hidden,
    /// Initial weights.
    Weights,
    /// Dropout and regularizers.
    Regularisation,
    /// Samples per step.
    Batch,
    /// Number of steps.
    Length,
    /// Order and weights of the samples.
    Order,
    /// What is none of these.
    Other,
}

impl Aspect {
    /// The aspect that a kind of fault belongs to.
    pub const fn of(kind: Kind) -> Aspect {
        match kind {
            Kind::OutputActivation | Kind::Loss | Kind::LabelEncoding => Aspect::Head,
            Kind::InputScale => Aspect::Features,
            Kind::LearningRate | Kind::Optimizer => Aspect::Step,
            Kind::HiddenActivation => Aspect::Hidden,
            Kind::WeightInit => Aspect::Weights,
            Kind::Regularisation | Kind::RedundantLayer => Aspect::Regularisation,
            Kind::BatchSize => Aspect::Batch,
            Kind::Epochs => Aspect::Length,
            Kind::DataOther => Aspect::Targets,
            _ => Aspect::Other,
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Imperative sentence for a menu ("Use a sigmoid output").
    pub title: String,
    /// Kind of fault that it mends.
    pub kind: Kind,
    /// What it is about.
    pub aspect: Aspect,
    /// File of [`Part::place`].
    pub path: PathBuf,
    /// What to underline where the change shows the fault.
    pub place: Range,
    /// The edits.
    pub edits: Vec<Edit>,
    /// Whether it may be applied without asking.
    pub applicability: Applicability,
    /// Between 0 and 1: how plausible it is, before it was tried. From [`IN_BUNDLE`] on, what it changes looks wrong.
    pub prior: f64,
}

/// Plausibility from which a change belongs to the bundle of all that looks wrong.
pub const IN_BUNDLE: f64 = 0.5;

/// One or several changes that are tried together.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The changes, the most important first; of different aspects, and without a common byte.
    pub parts: Vec<Part>,
}

impl Candidate {
    /// A single change.
    pub fn single(part: Part) -> Candidate {
        Candidate { parts: vec![part] }
    }

    /// Several changes together; `None` when they get in each other's way.
    pub fn of(parts: impl IntoIterator<Item = Part>) -> Option<Candidate> {
        let mut together = Candidate { parts: Vec::new() };
        for part in parts {
            together = together.with(part)?;
        }
        (!together.parts.is_empty()).then_some(together)
    }

    /// With one more change; `None` when it gets in the way of the others.
    pub fn with(mut self, part: Part) -> Option<Candidate> {
        let clash = self.parts.iter().any(|known| {
            known.aspect == part.aspect && known.aspect != Aspect::Other
                || known.edits.iter().any(|a| {
                    part.edits.iter().any(|b| {
                        a != b
                            && a.path == b.path
                            && touches(a.range, b.range)
                            && !(adds_line(a) && adds_line(b))
                    })
                })
        });
        if clash {
            return None;
        }
        self.parts.push(part);
        self.parts.sort_by(|a, b| b.prior.total_cmp(&a.prior));
        Some(self)
    }

    /// Without one of its changes; `None` when nothing is left.
    pub fn without(&self, at: usize) -> Option<Candidate> {
        let mut parts = self.parts.clone();
        if at >= parts.len() || parts.len() == 1 {
            return None;
        }
        parts.remove(at);
        Some(Candidate { parts })
    }

    /// All edits; an import that several parts need is there once.
    pub fn edits(&self) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::new();
        for edit in self.parts.iter().flat_map(|part| &part.edits) {
            if !edits.contains(edit) {
                edits.push(edit.clone());
            }
        }
        edits.sort_by(|a, b| a.path.cmp(&b.path).then(a.range.cmp(&b.range)));
        edits
    }

    /// One sentence for a menu.
    pub fn title(&self) -> String {
        let mut title = String::new();
        for (at, part) in self.parts.iter().enumerate() {
            match at {
                0 => title.push_str(&part.title),
                _ => {
                    title.push_str(if at + 1 == self.parts.len() { " and " } else { ", " });
                    title.push_str(&lower_first(&part.title));
                }
            }
        }
        title
    }

    /// How safe the least safe part is.
    pub fn applicability(&self) -> Applicability {
        let least = self.parts.iter().map(|part| part.applicability).min();
        least.unwrap_or(Applicability::Unsafe)
    }

    /// How plausible it is before it was tried.
    pub fn prior(&self) -> f64 {
        self.parts.iter().map(|part| part.prior).product()
    }
}

/// Whether two ranges share a byte or an end: of two insertions at one place nobody knows the order.
const fn touches(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}

/// Whether an edit only adds lines after another: then it does not matter which of two such comes first.
fn adds_line(edit: &Edit) -> bool {
    edit.range.is_empty() && edit.new_text.starts_with('\n')
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
