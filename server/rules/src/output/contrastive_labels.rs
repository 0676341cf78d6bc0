//! # contrastive-labels (DL163)
//!
//! ## What it does
//! Finds contrastive losses whose labels mean the opposite of those that the pairs are given: the term with the margin
//! belongs to pairs of two classes, the plain distance to pairs of one class.
//!
//! ## Why it matters
//! With the labels turned round, samples of one class are pushed apart and samples of two classes are pulled together: the network
//! learns the opposite distance.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! from keras import ops
//! def pairs(x, y):
//!     i, j = np.random.randint(len(x), size=(2, 5000))
//!     return x[i], x[j], (y[i] == y[j]).astype("float32")
//! def contrastive(y_true, distance):
//!     return ops.mean((1 - y_true) * ops.square(distance) + y_true * ops.square(ops.maximum(1 - distance, 0)))
//! def distance(vectors):
//!     return ops.sqrt(ops.sum(ops.square(vectors[0] - vectors[1]), axis=1, keepdims=True))
//! a, b, same = pairs(x, y)
//! outputs = keras.layers.Lambda(distance)([encoder(first), encoder(second)])
//! model = keras.Model([first, second], outputs)
//! model.compile(optimizer="adam", loss=contrastive)
//! model.fit([a, b], same)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! from keras import ops
//! def pairs(x, y):
//!     i, j = np.random.randint(len(x), size=(2, 5000))
//!     return x[i], x[j], (y[i] == y[j]).astype("float32")
//! def contrastive(y_true, distance):
//!     return ops.mean(y_true * ops.square(distance) + (1 - y_true) * ops.square(ops.maximum(1 - distance, 0)))
//! def distance(vectors):
//!     return ops.sqrt(ops.sum(ops.square(vectors[0] - vectors[1]), axis=1, keepdims=True))
//! a, b, same = pairs(x, y)
//! outputs = keras.layers.Lambda(distance)([encoder(first), encoder(second)])
//! model = keras.Model([first, second], outputs)
//! model.compile(optimizer="adam", loss=contrastive)
//! model.fit([a, b], same)
//! ```
//!
//! ## Fix safety
//! Unsafe: the two terms exchange their labels. Turning round the labels of the pairs would do as well.
//!
//! ## References
//! - Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006 (there 0 means similar)

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Applied, Statement, Term, TermKind, own_statements, statements};

use crate::context::Context;
use crate::read::{Definitions, Formula, Pair, PairLabels, Side, operation};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL163",
    name: "contrastive-labels",
    kind: Kind::Loss,
    severity: Severity::Warning,
    source: include_str!("contrastive_labels.rs"),
};

/// Deeper formulas are not followed.
const DEEPEST: usize = 16;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let maximum = ["maximum(", "relu(", "clip("]
        .iter()
        .any(|word| context.text.contains(word));
    if !maximum || !context.may_have_own_loss() {
        return Vec::new();
    }
    let definitions = Definitions::of(context.code());
    let losses = definitions.losses();
    let [loss] = losses.as_slice() else {
        return Vec::new();
    };
    let values = loss.returned();
    let [value] = values.as_slice() else {
        return Vec::new();
    };
    let reading = Reading {
        formula: Formula::of(loss),
    };
    let Some(terms) = reading.contrastive(value) else {
        return Vec::new();
    };
    if !measures_distances(context.code()) {
        return Vec::new();
    }
    let labels = PairLabels {
        definitions: &definitions,
        text: context.text,
    };
    let Some(made) = meaning(context, &labels) else {
        return Vec::new();
    };
    if made == terms.one {
        return Vec::new();
    }
    let pairs = match made {
        Pair::Same => "one class",
        Pair::Different => "two classes",
    };
    let message = format!(
        "the labels of `{}` are turned round: where pairs are made, 1 marks those of {pairs}, and so this loss pulls samples of two \
         classes together and pushes those of one class apart. The term with the margin belongs to pairs of two classes",
        loss.name
    );
    let name = loss.labels;
    let (plain, margin) = match made {
        Pair::Same => (name.to_owned(), format!("(1 - {name})")),
        Pair::Different => (format!("(1 - {name})"), name.to_owned()),
    };
    let fix = context.fix_all(
        "Exchange the labels of the two terms",
        Applicability::Unsafe,
        vec![
            (terms.plain_label.range, plain),
            (terms.margin_label.range, margin),
        ],
    );
    vec![Finding {
        confidence: 0.93,
        fixes: vec![fix],
        ..context.finding(&INFO, value.range, message)
    }]
}

/// What label 1 says in the labels of the training.
fn meaning(context: &Context<'_>, labels: &PairLabels<'_, '_>) -> Option<Pair> {
    let definitions = labels.definitions;
    let blocks = definitions
        .functions
        .iter()
        .map(|defined| &defined.function.body[..]);
    let mut found: Option<Pair> = None;
    for block in blocks.chain([definitions.code]) {
        let calls = own_statements(block)
            .into_iter()
            .flat_map(Statement::terms)
            .flat_map(Term::all)
            .filter_map(Term::call);
        for call in calls.filter(|call| call.path.is_none() && call.last() == Some("fit")) {
            let y = call.argument(1, "y")?;
            context
                .trainings
                .iter()
                .find(|training| training.fit.range.contains(y.range))?;
            let pair = labels.meaning(block, y)?;
            if found.is_some_and(|before| before != pair) {
                return None;
            }
            found = Some(pair);
        }
    }
    found
}

/// Whether what the loss gets is a distance, larger for samples that are less alike.
fn measures_distances(code: &[Statement]) -> bool {
    let calls = || {
        statements(code)
            .into_iter()
            .flat_map(Statement::terms)
            .flat_map(Term::all)
            .filter_map(Term::call)
    };
    let differs = |term: &Term| {
        term.all()
            .into_iter()
            .any(|part| matches!(operation(part), Some(("-", _))))
    };
    let distance = |call: &Applied| {
        matches!(call.last(), Some("sqrt" | "norm" | "reduce_sum" | "sum"))
            && call.arguments.first().is_some_and(|(_, value)| differs(value))
    };
    let similarity = |call: &Applied| {
        matches!(
            call.last(),
            Some("exp" | "Dot" | "dot" | "cosine_similarity" | "CosineSimilarity" | "l2_normalize")
        )
    };
    calls().any(distance) && !calls().any(similarity)
}

/// A contrastive loss.
struct Contrastive<'a> {
    /// What label 1 says of a pair.
    one: Pair,
    plain_label: &'a Term,
    margin_label: &'a Term,
}

struct Reading<'a> {
    formula: Formula<'a>,
}

impl<'a> Reading<'a> {
    fn contrastive(&self, value: &'a Term) -> Option<Contrastive<'a>> {
        let mut terms = Vec::new();
        self.terms(value, &mut terms, 0)?;
        let [first, second] = terms.as_slice() else {
            return None;
        };
        let mut margin = None;
        let mut plain = None;
        for factors in [first, second] {
            let mut label = None;
            let mut with_margin = false;
            let mut rest = 0;
            for factor in factors {
                if let Some(one) = self.label(factor) {
                    if label.is_some() {
                        return None;
                    }
                    label = Some((*factor, one));
                } else if self.formula.mentions(factor, Side::Predictions) {
                    rest += 1;
                    match self.margin(factor) {
                        Some(true) => with_margin = true,
                        Some(false) => return None,
                        None if self.falls(factor) => return None,
                        None => {}
                    }
                } else {
                    factor.number()?;
                }
            }
            let place = if with_margin { &mut margin } else { &mut plain };
            if rest == 0 || place.replace(label?).is_some() {
                return None;
            }
        }
        let ((plain_label, plain_one), (margin_label, margin_one)) = (plain?, margin?);
        if plain_one == margin_one {
            return None;
        }
        Some(Contrastive {
            one: if plain_one { Pair::Same } else { Pair::Different },
            plain_label,
            margin_label,
        })
    }

    /// The terms of a sum, each as its factors.
    fn terms(&self, term: &'a Term, found: &mut Vec<Vec<&'a Term>>, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        let term = self.formula.value(term);
        match operation(term) {
            Some(("+", parts)) => {
                for part in parts {
                    self.terms(part, found, depth + 1)?;
                }
            }
            Some(("of", parts)) if is_sum(term) => self.terms(parts.first()?, found, depth + 1)?,
            Some(("/", parts)) => {
                parts.get(1)?.number()?;
                self.terms(parts.first()?, found, depth + 1)?;
            }
            Some(("*", _)) => {
                let mut factors = Vec::new();
                self.factors(term, &mut factors, depth + 1);
                let sums: Vec<_> = factors
                    .iter()
                    .filter(|factor| factor.number().is_none())
                    .collect();
                match sums.as_slice() {
                    // A number times a sum.
                    [only] => self.terms(only, found, depth + 1)?,
                    _ => found.push(factors),
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn factors(&self, term: &'a Term, found: &mut Vec<&'a Term>, depth: usize) {
        let value = self.formula.value(term);
        match operation(value) {
            Some(("*", parts)) if depth <= DEEPEST => {
                for part in parts {
                    self.factors(part, found, depth + 1);
                }
            }
            // Labels keep their place in the product.
            _ if self.label(term).is_some() => found.push(term),
            _ => found.push(value),
        }
    }

    /// Whether a factor is the label (`true`) or 1 minus it.
    fn label(&self, term: &'a Term) -> Option<bool> {
        if self.formula.side(term) == Some(Side::Labels) {
            return Some(true);
        }
        match operation(self.formula.value(term)) {
            Some(("-", parts)) => {
                let one = parts.first()?.number()? == 1.0;
                (one && self.formula.side(parts.get(1)?) == Some(Side::Labels)).then_some(false)
            }
            _ => None,
        }
    }

    /// Whether a factor is cut off at a margin above the distance (`true`), or below it.
    fn margin(&self, term: &'a Term) -> Option<bool> {
        let mut open = vec![term];
        for _ in 0..DEEPEST * 4 {
            let value = self.formula.value(open.pop()?);
            if let TermKind::Call(call) = &value.kind
                && matches!(call.last(), Some("maximum" | "relu" | "clip" | "clip_by_value"))
            {
                let mut parts = call.arguments.iter().map(|(_, part)| self.formula.value(part));
                return parts.find_map(|part| match operation(part) {
                    Some(("-", sides)) => {
                        let of = |at: usize| {
                            sides
                                .get(at)
                                .is_some_and(|side| self.formula.mentions(side, Side::Predictions))
                        };
                        match (of(0), of(1)) {
                            (false, true) => Some(true),
                            (true, false) => Some(false),
                            _ => None,
                        }
                    }
                    _ => None,
                });
            }
            open.extend(value.parts());
        }
        None
    }

    /// Whether something is subtracted that has to do with the predictions.
    fn falls(&self, term: &'a Term) -> bool {
        let mut open = vec![term];
        for _ in 0..DEEPEST * 4 {
            let Some(term) = open.pop() else { return false };
            let value = self.formula.value(term);
            if matches!(operation(value), Some(("-" | "negative", _))) {
                return true;
            }
            open.extend(value.parts());
        }
        true
    }
}

/// Whether an operation sums up or averages.
fn is_sum(term: &Term) -> bool {
    let last = term.call().and_then(Applied::last);
    matches!(
        last,
        Some("mean" | "sum" | "reduce_mean" | "reduce_sum" | "squeeze")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "y_true * ops.square(d) + (1 - y_true) * ops.square(ops.maximum(MARGIN - d, 0))";
    const TURNED: &str = "(1 - y_true) * ops.square(d) + y_true * ops.square(ops.maximum(MARGIN - d, 0))";

    fn script(pairs: &str, loss: &str) -> String {
        format!(
            "import random\nimport numpy as np\nimport keras\nfrom keras import ops\nMARGIN = 1.0\ndef make(x, y, by_class):\n    a, b, labels = [], [], []\n\
             {pairs}    return np.array(a), np.array(b), np.array(labels)\ndef loss(y_true, d):\n    return ops.mean({loss})\n\
             def distance(v):\n    return ops.sqrt(ops.sum(ops.square(v[0] - v[1]), axis=1))\n\
             left, right, target = make(x, y, c)\nm = keras.Model([i, j], keras.layers.Lambda(distance)([e(i), e(j)]))\n\
             m.compile('adam', loss=loss)\nm.fit([left, right], target)\n"
        )
    }

    #[test]
    fn tables() {
        let same = "    for i in range(9):\n        j = np.random.choice(by_class[y[i]])\n        a.append(x[i])\n        b.append(x[j])\n        labels.append(1)\n";
        let other = "        k = (y[i] + random.randrange(1, 10)) % 10\n        j = random.choice(by_class[k])\n        a.append(x[i])\n        b.append(x[j])\n        labels.append(0)\n";
        let both = &format!("{same}{other}");
        let hadsell = &both
            .replace("append(1)", "append(2)")
            .replace("append(0)", "append(1)")
            .replace("append(2)", "append(0)");
        let equal = "    for i, j in index:\n        a.append(x[i])\n        b.append(x[j])\n        labels.append(int(y[i] == y[j]))\n";
        let masks = "    for i in range(9):\n        near = np.where(y == y[i])[0]\n        far = np.where(y != y[i])[0]\n        a += [x[i], x[i]]\n        \
                     b.append(x[random.choice(near)])\n        labels += [1, 0]\n";
        let unknown = "    for i in range(9):\n        a.append(x[i])\n        b.append(x[i + 1])\n        labels.append(1)\n";
        let branch = "    for i, j in index:\n        a.append(x[i])\n        b.append(x[j])\n        if y[i] == y[j]:\n            labels.append(0)\n        \
                      else:\n            labels.append(1)\n";
        let drawn = "    for _ in range(9):\n        i = np.random.randint(len(x))\n        if np.random.rand() < 0.5:\n            \
                     j = np.random.choice(np.where(y == y[i])[0])\n            labels.append(1)\n        else:\n            \
                     j = np.random.choice(np.where(y != y[i])[0])\n            labels.append(0)\n        a.append(x[i])\n        b.append(x[j])\n";
        let pass = [
            script(drawn, RIGHT),
            script(both, RIGHT),
            script(hadsell, TURNED),
            script(equal, RIGHT),
            script(branch, TURNED),
            script(masks, TURNED),
            script(unknown, TURNED),
            script(
                &format!("{same}{other}").replace("randrange(1", "randrange(0"),
                TURNED,
            ),
            // A similarity, not a distance.
            script(both, TURNED).replace("ops.sqrt(", "ops.exp(-"),
            script(
                both,
                "(1 - y_true) * d + y_true * ops.square(ops.maximum(d - MARGIN, 0))",
            ),
        ];
        let fail = [
            (script(drawn, TURNED), format!("ops.mean({TURNED})")),
            (script(both, TURNED), format!("ops.mean({TURNED})")),
            (script(hadsell, RIGHT), format!("ops.mean({RIGHT})")),
            (script(equal, TURNED), format!("ops.mean({TURNED})")),
            (script(branch, RIGHT), format!("ops.mean({RIGHT})")),
            (
                script(
                    equal,
                    "0.5 * (1 - y_true) * d ** 2 + 0.5 * y_true * ops.maximum(0, MARGIN - d) ** 2",
                ),
                "ops.mean(0.5 * (1 - y_true) * d ** 2 + 0.5 * y_true * ops.maximum(0, MARGIN - d) ** 2)"
                    .to_owned(),
            ),
        ];
        let fail: Vec<_> = fail
            .iter()
            .map(|(text, underlined)| (text.clone(), underlined.as_str()))
            .collect();
        let fix = [(
            script(equal, TURNED),
            script(
                equal,
                &RIGHT.replace("y_true * ops.square(d)", "(y_true) * ops.square(d)"),
            ),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
