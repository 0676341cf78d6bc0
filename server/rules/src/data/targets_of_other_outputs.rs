//! # targets-of-other-outputs (DL461)
//!
//! ## What it does
//! Finds `fit` of a model with several outputs where the list of targets stands in another order than the outputs, as the
//! names of both say.
//!
//! ## Why it matters
//! Targets go to outputs by their position. Each output is trained on what another one should predict, and with a loss
//! that was chosen for other labels.
//!
//! ## Example
//! ```python
//! from tensorflow import keras
//! inputs = keras.Input((8,))
//! hidden = keras.layers.Dense(16, activation="relu")(inputs)
//! age = keras.layers.Dense(1, name="age")(hidden)
//! gender = keras.layers.Dense(1, activation="sigmoid", name="gender")(hidden)
//! model = keras.Model(inputs, [age, gender])
//! model.compile(optimizer="adam", loss=["mse", "binary_crossentropy"])
//! model.fit(x, [y_gender, y_age])
//! ```
//!
//! ## Use instead
//! ```python
//! from tensorflow import keras
//! inputs = keras.Input((8,))
//! hidden = keras.layers.Dense(16, activation="relu")(inputs)
//! age = keras.layers.Dense(1, name="age")(hidden)
//! gender = keras.layers.Dense(1, activation="sigmoid", name="gender")(hidden)
//! model = keras.Model(inputs, [age, gender])
//! model.compile(optimizer="adam", loss=["mse", "binary_crossentropy"])
//! model.fit(x, [y_age, y_gender])
//! ```
//!
//! ## Fix safety
//! Unsafe: the targets are put into the order of the outputs.
//!
//! ## References
//! - `keras.Model.fit`: targets of several outputs as a list or as a dict by the names of the output layers

use std::collections::BTreeSet;

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Applied, Statement, StatementKind, Term, TermKind, statements};

use crate::context::Context;
use crate::read::Definitions;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL461",
    name: "targets-of-other-outputs",
    kind: Kind::LabelEncoding,
    severity: Severity::Warning,
    source: include_str!("targets_of_other_outputs.rs"),
};

/// Parts of names that say what an array is for, not what is in it.
const COMMON: [&str; 34] = [
    "x",
    "y",
    "t",
    "train",
    "training",
    "test",
    "tr",
    "te",
    "val",
    "valid",
    "out",
    "output",
    "outputs",
    "head",
    "pred",
    "prediction",
    "label",
    "labels",
    "target",
    "targets",
    "data",
    "branch",
    "dense",
    "layer",
    "array",
    "values",
    "true",
    "arr",
    "tensor",
    "np",
    "df",
    "set",
    "main",
    "aux",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if !context.program.models.iter().any(|model| model.outputs.len() > 1) {
        return Vec::new();
    }
    let definitions = Definitions::of(context.code());
    let code = context.code();
    let calls: Vec<&Applied> = statements(code)
        .into_iter()
        .flat_map(Statement::terms)
        .flat_map(Term::all)
        .filter_map(Term::call)
        .collect();
    let outputs = |call: &&Applied| -> Option<Vec<BTreeSet<String>>> {
        (call.path.as_deref() == Some("keras.Model")).then_some(())?;
        match &call.argument(1, "outputs")?.kind {
            TermKind::List(outputs) if outputs.len() > 1 => Some(
                outputs
                    .iter()
                    .map(|output| words_of_output(output, code))
                    .collect(),
            ),
            _ => None,
        }
    };
    let models: Vec<_> = calls.iter().filter_map(outputs).collect();
    let [outputs] = models.as_slice() else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for call in &calls {
        if call.path.is_some() || call.last() != Some("fit") {
            continue;
        }
        let Some(given) = call.argument(1, "y") else {
            continue;
        };
        let value = match given.name() {
            Some(name) => definitions.assigned(name).unwrap_or(given),
            None => given,
        };
        let TermKind::List(targets) = &value.kind else {
            continue;
        };
        if targets.len() != outputs.len() {
            continue;
        }
        let words: Vec<_> = targets.iter().map(words_of_target).collect();
        let Some((first, second)) = crossed(outputs, &words) else {
            continue;
        };
        let (Some(one), Some(other)) = (targets.get(first), targets.get(second)) else {
            continue;
        };
        let [one, other] = [one, other].map(|term| (term.range, term.range.slice(context.text)));
        let message = format!(
            "targets go to outputs by their order: output {} of the model gets `{}` and output {} gets `{}`, and their names say \
             that each belongs to the other. Put the targets in the order of the outputs",
            first + 1,
            one.1,
            second + 1,
            other.1
        );
        let fix = context.fix_all(
            "Put the targets in the order of the outputs",
            Applicability::Unsafe,
            vec![(one.0, other.1.to_owned()), (other.0, one.1.to_owned())],
        );
        findings.push(Finding {
            confidence: 0.93,
            fixes: vec![fix],
            ..context.finding(&INFO, value.range, message)
        });
    }
    findings
}

/// Two outputs whose targets are one another's, by what their names share.
fn crossed(outputs: &[BTreeSet<String>], targets: &[BTreeSet<String>]) -> Option<(usize, usize)> {
    let fits = |output: usize, target: usize| match (outputs.get(output), targets.get(target)) {
        (Some(output), Some(target)) => output.iter().any(|word| target.contains(word)),
        _ => false,
    };
    let mut pairs =
        (0..outputs.len()).flat_map(|first| (first + 1..outputs.len()).map(move |second| (first, second)));
    pairs.find(|(first, second)| {
        let (first, second) = (*first, *second);
        fits(first, second) && fits(second, first) && !fits(first, first) && !fits(second, second)
    })
}

/// What an output is about: by its variable and by the name of its layer.
fn words_of_output(output: &Term, code: &[Statement]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut made = Some(output);
    if let Some(name) = output.name() {
        words.extend(split(name));
        // The layer that gives the variable its last value.
        let mut values = statements(code)
            .into_iter()
            .filter_map(|statement| match &statement.kind {
                StatementKind::Assign { target, value, .. } if target.name() == Some(name) => Some(value),
                _ => None,
            });
        made = values.next_back();
    }
    let layer = made.and_then(Term::call).and_then(|call| call.function.call());
    if let Some(TermKind::Text(name)) = layer
        .and_then(|layer| layer.keyword("name"))
        .map(|name| &name.kind)
    {
        words.extend(split(name));
    }
    words
}

/// What a target is about.
fn words_of_target(target: &Term) -> BTreeSet<String> {
    match &target.kind {
        TermKind::Name(name) => split(name).collect(),
        TermKind::Text(name) => split(name).collect(),
        TermKind::Attribute(object, name) => {
            let mut words: BTreeSet<String> = split(name).collect();
            words.extend(words_of_target(object));
            words
        }
        // `df["age"]`, `age[:100]`
        TermKind::Subscript(object, index) => {
            let mut words = words_of_target(object);
            let texts = index
                .iter()
                .filter(|index| matches!(index.kind, TermKind::Text(_)));
            words.extend(texts.flat_map(words_of_target));
            words
        }
        TermKind::Call(call) => match (&call.path, call.receiver()) {
            (None, Some(object)) => words_of_target(object),
            _ => call
                .arguments
                .first()
                .map(|(_, value)| words_of_target(value))
                .unwrap_or_default(),
        },
        _ => BTreeSet::new(),
    }
}

/// The words of a name: `yTrain_age2` → `age`.
fn split(name: &str) -> impl Iterator<Item = String> {
    let mut spaced = String::new();
    let mut before = '_';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            spaced.push('_');
        }
        spaced.push(letter);
        before = letter;
    }
    let words: Vec<String> = spaced
        .split(|letter: char| !letter.is_alphabetic())
        .map(str::to_lowercase)
        .filter(|word| word.len() > 1 && !COMMON.contains(&word.as_str()))
        .collect();
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(outputs: &str, fit: &str) -> String {
        let heads = if outputs.contains("age_out") {
            "age_out = Dense(1, name='years')(h)\nsex = Dense(1, activation='sigmoid', name='gender')(h)\n"
        } else {
            "a = Dense(1, name='age')(h)\ng = Dense(1, activation='sigmoid', name='sex_output')(h)\n"
        };
        format!(
            "import numpy as np\nfrom tensorflow import keras\nfrom tensorflow.keras.layers import Dense\ni = keras.Input((8,))\n\
             h = Dense(8, activation='relu')(i)\n{heads}m = keras.Model(i, {outputs})\n\
             m.compile('adam', loss=['mse', 'binary_crossentropy'])\nm.fit(x, {fit}, epochs=5)\n"
        )
    }

    #[test]
    fn tables() {
        let pass = [
            script("[age_out, sex]", "[age_train, sex_train]"),
            script("[age_out, sex]", "[y1, y2]"),
            script("[age_out, sex]", "[sex_train, y2]"),
            script("[a, g]", "[df['age'], df['sex']]"),
            script("[a, g]", "{'age': age, 'sex_output': sex}"),
            script("[a, g]", "[age_by_sex, sex_by_age]"),
            script("[a, g]", "y_sex"),
        ];
        let fail = [
            (
                script("[age_out, sex]", "[sex_train, age_train]"),
                "[sex_train, age_train]",
            ),
            (
                script("[age_out, sex]", "[y_gender, y_years]"),
                "[y_gender, y_years]",
            ),
            (
                script("[a, g]", "[df['sex'], df['age'].values]"),
                "[df['sex'], df['age'].values]",
            ),
            (
                script("outputs=[a, g]", "y=(trainSex[:9], np.array(trainAge[:9]))"),
                "(trainSex[:9], np.array(trainAge[:9]))",
            ),
        ];
        let fix = [(
            script("[a, g]", "[sex[tr], age[tr]]"),
            script("[a, g]", "[age[tr], sex[tr]]"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
