//! # shared-optimizer (DL310)
//!
//! ## What it does
//! Finds one optimizer object that is given to several models that are trained: to two models in turn, or to a model that
//! is built anew in every turn of a loop or every call of a function, while the optimizer is made once outside or is the
//! default of a parameter.
//!
//! ## Why it matters
//! An optimizer of Keras 3 belongs to the variables of the first model it trains. Training the second raises
//! `ValueError: Unknown variable`. Keras 2 allowed it.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! optimizer = keras.optimizers.Adam()
//! a = keras.Sequential([layers.Dense(1)])
//! a.compile(optimizer=optimizer, loss="mse")
//! a.fit(x, y)
//! b = keras.Sequential([layers.Dense(1)])
//! b.compile(optimizer=optimizer, loss="mse")
//! b.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! a = keras.Sequential([layers.Dense(1)])
//! a.compile(optimizer=keras.optimizers.Adam(), loss="mse")
//! a.fit(x, y)
//! b = keras.Sequential([layers.Dense(1)])
//! b.compile(optimizer=keras.optimizers.Adam(), loss="mse")
//! b.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No fix: it takes a new object for each model.
//!
//! ## References
//! - Measured on Keras 3.15.1: "Unknown variable … This optimizer can only be called for the variables it was
//!   originally built with"

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{CallId, Code, Field, ModelId, Node, Value};

use crate::context::Context;
use crate::read::receiver;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL310",
    name: "shared-optimizer",
    kind: Kind::Optimizer,
    severity: Severity::Error,
    source: include_str!("shared_optimizer.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    if program.legacy_keras {
        return Vec::new();
    }
    let mut owners: Vec<(CallId, ModelId)> = Vec::new();
    let mut findings = Vec::new();
    for fit in &program.fits {
        let (Some(model), Some(compile)) = (fit.model, fit.compile) else {
            continue;
        };
        let Some(argument) = program.call(compile).argument("optimizer") else {
            continue;
        };
        // An object made in the call itself is this model's own.
        let shareable = argument.value.origin != argument.value.range;
        let Value::Call(optimizer) = argument.value.value else {
            continue;
        };
        match owners.iter().find(|(other, _)| *other == optimizer) {
            Some((_, owner)) if *owner != model && shareable => findings.push(context.dated(Finding {
                confidence: 0.9,
                ..context.finding(
                    &INFO,
                    argument.value.range,
                    "this optimizer already belongs to another model that is trained; Keras 3 raises an exception when it \
                     meets variables of a second one. Make an optimizer for each model",
                )
            })),
            Some(_) => {}
            None => owners.push((optimizer, model)),
        }
        let once_for_all = || {
            let code = context.tree()?;
            let fit = code.at(program.call(fit.call).range)?;
            let built = code.at(program.call(program.model(model)?.call).range)?;
            let made = code.at(program.call(optimizer).range)?;
            let regions = repeated(code, fit);
            let anew = regions
                .into_iter()
                .any(|region| builds(code, region, built) && is_made_before(region, made));
            (anew || is_built_twice(context, code, built, made)).then_some(())
        };
        if shareable && once_for_all().is_some() {
            findings.push(context.dated(Finding {
                confidence: 0.9,
                ..context.finding(
                    &INFO,
                    argument.value.range,
                    "this optimizer is made once and the model is built anew again and again; Keras 3 raises an exception when \
                     the optimizer meets the variables of the second one. Make the optimizer where the model is built",
                )
            }));
        }
    }
    findings
}

/// Whether models that are trained under several names come from several calls of the function that builds them.
fn is_built_twice<'a>(context: &Context<'a>, code: &Code<'a>, built: Node<'a>, made: Node<'a>) -> bool {
    let Some(builder) = built.within(&["function_definition"]) else {
        return false;
    };
    let assignments = code.root().all(&["assignment"]);
    let mut names: Vec<&str> = context
        .trainings
        .iter()
        .filter_map(|training| receiver(training.fit, context.text))
        .filter(|name| {
            assignments.iter().any(|assignment| {
                let own = assignment
                    .field(Field::Left)
                    .is_some_and(|left| left.text() == *name);
                let callee = || assignment.field(Field::Right)?.field(Field::Function);
                own && callee().is_some_and(|callee| code.function(callee) == Some(builder))
            })
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names.len() > 1 && is_made_before(builder, made)
}

/// The loops around a call, and the function it is in where that is called in a loop or from several places: what is in
/// them runs several times.
fn repeated<'a>(code: &Code<'a>, call: Node<'a>) -> Vec<Node<'a>> {
    let loops = |node: Node<'a>| {
        let inside = node
            .ancestors()
            .take_while(|outer| !outer.is("function_definition"));
        inside
            .filter(|outer| {
                matches!(
                    outer.kind(),
                    "for_statement" | "while_statement" | "list_comprehension"
                )
            })
            .filter(|outer| {
                !outer
                    .all(&["break_statement", "return_statement"])
                    .iter()
                    .any(|end| {
                        // Left in its first turn.
                        end.statement().parent().and_then(|block| block.parent()) == Some(*outer)
                    })
            })
            .collect::<Vec<_>>()
    };
    let mut regions = loops(call);
    let function = call
        .within(&["function_definition"])
        .and_then(|function| Some((function, function.field(Field::Name)?)));
    if let Some((function, name)) = function {
        let callers: Vec<_> = code
            .root()
            .all(&["call"])
            .into_iter()
            .filter(|call| {
                call.field(Field::Function).is_some_and(|callee| {
                    callee.text() == name.text() && code.function(callee) == Some(function)
                })
            })
            .collect();
        let around: Vec<_> = callers.iter().flat_map(|caller| loops(*caller)).collect();
        if callers.len() > 1 || !around.is_empty() {
            regions.push(function);
        }
        regions.extend(around);
    }
    regions
}

/// Whether a model is built in a region, or in a function that is called there.
fn builds<'a>(code: &Code<'a>, region: Node<'a>, built: Node<'a>) -> bool {
    let builder = || {
        let function = built.within(&["function_definition"])?;
        region
            .all(&["call"])
            .into_iter()
            .filter_map(|call| call.field(Field::Function))
            .any(|callee| callee.is("identifier") && code.function(callee) == Some(function))
            .then_some(())
    };
    region.contains(built) || builder().is_some()
}

/// Whether an object is made once before a region runs: in the code around it, or as the default of a parameter.
fn is_made_before<'a>(region: Node<'a>, made: Node<'a>) -> bool {
    let default = made
        .within(&["default_parameter", "typed_default_parameter"])
        .and_then(|parameter| parameter.within(&["function_definition"]));
    let place = match default {
        Some(function) => function.within(&["function_definition"]),
        None => made.within(&["function_definition", "lambda"]),
    };
    let around = place.is_none_or(|place| place.contains(region) && place != region);
    // A parameter of the repeated function is evaluated when that is defined.
    let inside = region.contains(made) && !(default.is_some() && default == Some(region));
    let in_loop = default.is_some_and(|function| region.contains(function) && function != region);
    around && !inside && !in_loop
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\no = keras.optimizers.Adam()\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(o, 'mse')\nm.fit(x, y)\nm.fit(x, y)".to_owned(), "import keras\no = keras.optimizers.Adam()\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(o, 'mse')\nm.fit(x, y)\nn = keras.Sequential([keras.layers.Dense(1)])\nn.compile(o, 'mse')\nn.evaluate(x, y)".to_owned(), "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y)\nn = keras.Sequential([keras.layers.Dense(1)])\nn.compile('adam', 'mse')\nn.fit(x, y)".to_owned()];
        let fail = [("import keras\nopt = keras.optimizers.Adam()\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(opt, 'mse')\nn = keras.Sequential([keras.layers.Dense(1)])\nn.compile(optimizer=opt, loss='mse')\nm.fit(x, y)\nn.fit(x, y)".to_owned(), "opt")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }

    #[test]
    fn models_built_anew() {
        let script = |builder: &str, body: &str| {
            format!(
                "import keras\nopt = keras.optimizers.Adam()\ndef build({builder}):\n    m = keras.Sequential([keras.layers.Dense(1)])\n    \
                 m.compile(optimizer=o, loss='mse')\n    return m\n{body}\n"
            )
        };
        let pass = [
            script(
                "o",
                "for i in folds():\n    m = build(keras.optimizers.Adam())\n    m.fit(x, y)",
            ),
            script(
                "o",
                "for i in folds():\n    opt2 = keras.optimizers.Adam()\n    m = build(opt2)\n    m.fit(x, y)",
            ),
            script("o='adam'", "for i in folds():\n    m = build()\n    m.fit(x, y)"),
            script("o", "m = build(opt)\nfor i in folds():\n    m.fit(x, y)"),
            script("o", "m = build(opt)\nm.fit(x, y)"),
            script(
                "o",
                "for i in folds():\n    m = build(opt)\n    m.fit(x, y)\n    break",
            ),
            script(
                "o",
                "def run(i):\n    own = keras.optimizers.Adam()\n    m = build(own)\n    m.fit(x, y)\nfor i in folds():\n    run(i)",
            ),
            script("n", "").replace("optimizer=o", "optimizer=keras.optimizers.Adam(n)")
                + "for i in folds():\n    m = build(0.1)\n    m.fit(x, y)",
        ];
        let fail = [
            (
                script("o", "for i in folds():\n    m = build(opt)\n    m.fit(x, y)"),
                "o",
            ),
            (
                script("", "for i in folds():\n    m = build()\n    m.fit(x, y)")
                    .replace("optimizer=o", "optimizer=opt"),
                "opt",
            ),
            (
                script(
                    "o=keras.optimizers.SGD(0.1)",
                    "for i in folds():\n    m = build()\n    m.fit(x, y)",
                ),
                "o",
            ),
            (
                script(
                    "o",
                    "for i in folds():\n    m = keras.Sequential([keras.layers.Dense(1)])\n    m.compile(opt, 'mse')\n    m.fit(x, y)",
                ),
                "opt",
            ),
            (
                script(
                    "o",
                    "def run(i):\n    m = build(opt)\n    m.fit(x, y)\nfor i in folds():\n    run(i)",
                ),
                "o",
            ),
            (
                script("", "a = build()\na.fit(x, y)\nb = build()\nb.fit(x, y)")
                    .replace("optimizer=o", "optimizer=opt"),
                "opt",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
