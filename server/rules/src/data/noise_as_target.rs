//! # noise-as-target (DL460)
//!
//! ## What it does
//! Finds denoising autoencoders that are given the noisy samples as targets: `fit(noisy, noisy)` where `noisy` is made
//! from clean samples and random noise.
//!
//! ## Why it matters
//! The network is trained to give its input back, noise included. It learns to copy, and removes no noise.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! noisy = clean + 0.3 * np.random.normal(size=clean.shape)
//! model = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(64)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(noisy, noisy)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! noisy = clean + 0.3 * np.random.normal(size=clean.shape)
//! model = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(64)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(noisy, clean)
//! ```
//!
//! ## Fix safety
//! Unsafe: the samples that the noise was added to become the targets.
//!
//! ## References
//! - Vincent et al.: Extracting and Composing Robust Features with Denoising Autoencoders, ICML 2008
//! - "Building Autoencoders in Keras", `autoencoder.fit(x_train_noisy, x_train)`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Statement, StatementKind, Term, TermKind, own_statements};

use crate::context::Context;
use crate::read::{Definitions, Training, returned};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL460",
    name: "noise-as-target",
    kind: Kind::LabelEncoding,
    severity: Severity::Warning,
    source: include_str!("noise_as_target.rs"),
};

/// Functions and methods that draw random numbers.
const DRAWING: [&str; 14] = [
    "normal",
    "randn",
    "rand",
    "random",
    "uniform",
    "standard_normal",
    "binomial",
    "poisson",
    "bernoulli",
    "random_sample",
    "truncated_normal",
    "GaussianNoise",
    "random_noise",
    "choice",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let written = |training: &Training<'_>, name: &str| {
        let argument = training.fit.argument(name)?;
        Some(argument.value.range.slice(context.text))
    };
    let same =
        |training: &Training<'_>| written(training, "x").is_some_and(|x| written(training, "y") == Some(x));
    if !context.trainings.iter().any(same) {
        return Vec::new();
    }
    let definitions = Definitions::of(context.code());
    let blocks = definitions
        .functions
        .iter()
        .map(|defined| &defined.function.body[..]);
    let mut findings = Vec::new();
    for block in blocks.chain([context.code()]) {
        for statement in own_statements(block) {
            for call in statement
                .terms()
                .into_iter()
                .flat_map(Term::all)
                .filter_map(Term::call)
            {
                if call.path.is_some() || call.last() != Some("fit") {
                    continue;
                }
                let (Some(x), Some(y)) = (call.argument(0, "x"), call.argument(1, "y")) else {
                    continue;
                };
                let known = context
                    .trainings
                    .iter()
                    .any(|training| training.fit.range.contains(y.range));
                let same = x.range.slice(context.text) == y.range.slice(context.text);
                let Some(noisy) = array(y).filter(|_| known && same) else {
                    continue;
                };
                let source = Source {
                    definitions: &definitions,
                    blocks: [block, context.code()],
                };
                let Some(clean) = source.clean(noisy) else {
                    continue;
                };
                // Sums of a signal and noise are also made to have data at all.
                let targets = |call: &program::Applied| {
                    let pair = call.keyword("validation_data");
                    let target = match pair.map(|pair| &pair.kind) {
                        Some(TermKind::List(pair)) => pair.get(1).and_then(array),
                        _ => None,
                    };
                    target.is_some_and(|target| source.clean(target).is_none())
                };
                if !says_noisy(noisy) && !targets(call) {
                    continue;
                }
                let message = format!(
                    "the targets are the samples with the noise (`{noisy}`), so the network learns to give the noise back: the target is \
                     `{clean}`, what the noise was added to"
                );
                let fix = source.name_here(noisy, clean).map(|target| {
                    let written = y.range.slice(context.text).replacen(noisy, &target, 1);
                    context.fix(
                        "Take the clean samples as targets",
                        Applicability::Unsafe,
                        y.range,
                        written,
                    )
                });
                findings.push(Finding {
                    confidence: 0.93,
                    fixes: fix.into_iter().collect(),
                    ..context.finding(&INFO, y.range, message)
                });
            }
        }
    }
    findings
}

fn says_noisy(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["nois", "corrupt", "dirty", "degraded", "damaged"]
        .iter()
        .any(|word| name.contains(word))
}

/// The array that an expression is, or is a part of.
fn array(term: &Term) -> Option<&str> {
    match &term.kind {
        TermKind::Name(name) => Some(name),
        TermKind::Subscript(object, _) => array(object),
        _ => None,
    }
}

struct Source<'d, 'a> {
    definitions: &'d Definitions<'a>,
    /// Where names are looked up.
    blocks: [&'a [Statement]; 2],
}

impl<'a> Source<'_, 'a> {
    /// The name of what noise was added to to make an array.
    fn clean(&self, name: &str) -> Option<&'a str> {
        for block in self.blocks {
            let made = values(block, name);
            if made.is_empty() {
                continue;
            }
            return made.into_iter().find_map(|(value, part)| match part {
                None => noise_on(value).or_else(|| self.by_function(value)),
                Some(part) => {
                    // `x, noisy = make()`
                    let function = self.definitions.called(value.call()?)?.function;
                    let results = returned(function);
                    let [
                        Term {
                            kind: TermKind::List(results),
                            ..
                        },
                    ] = results.as_slice()
                    else {
                        return None;
                    };
                    let inner = results.get(part)?.name()?;
                    values(&function.body, inner)
                        .into_iter()
                        .find_map(|(value, _)| noise_on(value).or_else(|| self.by_function(value)))
                }
            });
        }
        None
    }

    /// `add_noise(clean)`
    fn by_function(&self, value: &'a Term) -> Option<&'a str> {
        let call = value.call()?;
        let defined = self.definitions.called(call)?;
        let parameter = *defined.parameters().first()?;
        let clean = call.argument(0, parameter)?.name()?;
        let body = &defined.function.body;
        let noisy = returned(defined.function).into_iter().any(|result| {
            noise_on(result) == Some(parameter)
                || result.name().is_some_and(|name| {
                    values(body, name)
                        .into_iter()
                        .any(|(value, _)| noise_on(value) == Some(parameter))
                })
        });
        noisy.then_some(clean)
    }

    /// The name that the clean array has where the noisy one is used.
    fn name_here(&self, noisy: &str, clean: &str) -> Option<String> {
        for block in self.blocks {
            for statement in own_statements(block) {
                let StatementKind::Assign { target, value, .. } = &statement.kind else {
                    continue;
                };
                match &target.kind {
                    TermKind::Name(name) if name == noisy => {
                        // The clean array has to be whole still.
                        let once = values(block, clean).len() <= 1;
                        return once.then(|| clean.to_owned());
                    }
                    TermKind::List(targets) if targets.iter().any(|target| target.name() == Some(noisy)) => {
                        let function = self.definitions.called(value.call()?)?.function;
                        let results = returned(function);
                        let TermKind::List(results) = &results.first()?.kind else {
                            return None;
                        };
                        let at = results.iter().position(|result| result.name() == Some(clean))?;
                        return targets.get(at)?.name().map(str::to_owned);
                    }
                    _ => {}
                }
            }
        }
        None
    }
}

/// What a name is given in a block: each value, and which part of it.
fn values<'a>(block: &'a [Statement], name: &str) -> Vec<(&'a Term, Option<usize>)> {
    let mut found = Vec::new();
    for statement in own_statements(block) {
        let StatementKind::Assign { target, value, .. } = &statement.kind else {
            continue;
        };
        match (&target.kind, &value.kind) {
            (TermKind::List(targets), TermKind::List(values)) if targets.len() == values.len() => {
                let pairs = targets.iter().zip(values);
                found.extend(
                    pairs
                        .filter(|(target, _)| target.name() == Some(name))
                        .map(|(_, value)| (value, None)),
                );
            }
            (TermKind::List(targets), _) => {
                let part = targets.iter().position(|target| target.name() == Some(name));
                found.extend(part.map(|part| (value, Some(part))));
            }
            _ if target.name() == Some(name) => found.push((value, None)),
            _ => {}
        }
    }
    found
}

/// The name of what an expression adds random numbers to, or multiplies with them.
fn noise_on(term: &Term) -> Option<&str> {
    match &term.kind {
        TermKind::Binary("+" | "*" | "-", left, right) => {
            let of = |clean: &'_ Term, noise: &Term| array_name(clean).is_some() && is_noise(noise);
            if of(left, right) {
                array_name(left)
            } else if of(right, left) {
                array_name(right)
            } else {
                // `(clean + noise) * mask`
                noise_on(left)
            }
        }
        TermKind::Call(call)
            if matches!(
                call.last()?,
                "clip" | "clip_by_value" | "astype" | "float32" | "random_noise"
            ) =>
        {
            let first = call.arguments.first().map(|(_, value)| value);
            if call.last() == Some("random_noise") {
                return first.and_then(array_name);
            }
            let inner = if call.path.is_some() {
                first
            } else {
                call.receiver()
            };
            inner.and_then(noise_on)
        }
        _ => None,
    }
}

fn array_name(term: &Term) -> Option<&str> {
    match &term.kind {
        TermKind::Name(name) => Some(name),
        _ => None,
    }
}

/// Whether an expression draws random numbers.
fn is_noise(term: &Term) -> bool {
    let draws = |call: &program::Applied| {
        let random = match &call.path {
            Some(path) => path.contains("random"),
            None => call.receiver().is_some(),
        };
        random && call.last().is_some_and(|name| DRAWING.contains(&name))
    };
    term.all().into_iter().filter_map(Term::call).any(draws)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(lines: &str, fit: &str) -> String {
        format!(
            "import keras\nimport numpy as np\nimport tensorflow as tf\nx = np.load('x.npy')\n{lines}\
             m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(64)])\nm.compile('adam', 'mse')\nm.fit({fit})\n"
        )
    }

    #[test]
    fn tables() {
        let noise = "noisy = x + 0.1 * np.random.normal(size=x.shape)\n";
        let pass = [
            script(noise, "noisy, x"),
            script(noise, "x, x"),
            // Noise that makes more of few samples, or data at all.
            script(
                "t = np.linspace(0, 1, 64)\ndata = t + 0.1 * np.random.randn(500, 64)\n",
                "data, data",
            ),
            script("noisy = np.load('noisy.npy')\n", "noisy, noisy"),
            script("noisy = x + bias\n", "noisy, noisy"),
            script("def f(a):\n    return a * 2\nnoisy = f(x)\n", "noisy, noisy"),
        ];
        let fail = [
            (script(noise, "noisy, noisy, epochs=3"), "noisy"),
            (
                script(
                    "rng = np.random.default_rng(1)\nx_noisy = np.clip(x + rng.normal(0, 0.2, x.shape), 0, 1)\n",
                    "x_noisy[:90], x_noisy[:90]",
                ),
                "x_noisy[:90]",
            ),
            (
                script(
                    "def add_noise(a, s=0.2):\n    out = a + s * np.random.randn(*a.shape)\n    return np.clip(out, 0, 1)\ndef corrupt(a):\n    return a * (np.random.rand(*a.shape) > 0.3)\ncorrupted = corrupt(x)\n",
                    "x=corrupted, y=corrupted",
                ),
                "corrupted",
            ),
            (
                script(
                    "z = x + np.random.randn(90, 64)\n",
                    "z, z, validation_data=(z_val, x_val)",
                ),
                "z",
            ),
            (
                script(
                    "def data():\n    c = np.load('c.npy')\n    n = c + np.random.randn(*c.shape)\n    return c, n\nclean, noisy = data()\n",
                    "noisy, noisy",
                ),
                "noisy",
            ),
        ];
        let fix = [
            (
                script(noise, "noisy[:9], noisy[:9]"),
                script(noise, "noisy[:9], x[:9]"),
            ),
            (
                script(
                    "def data():\n    c = np.load('c.npy')\n    n = c + np.random.randn(*c.shape)\n    return c, n\nclean, noisy = data()\n",
                    "noisy, noisy",
                ),
                script(
                    "def data():\n    c = np.load('c.npy')\n    n = c + np.random.randn(*c.shape)\n    return c, n\nclean, noisy = data()\n",
                    "noisy, clean",
                ),
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
