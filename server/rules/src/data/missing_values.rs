//! # missing-values (DL419)
//!
//! ## What it does
//! Finds features that are certainly NaN: a column that is set to NaN, an array full of it, a constant array that is divided by its own
//! standard deviation.
//!
//! ## Why it matters
//! One NaN among the features makes the output NaN, then the loss, then every weight.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! table["income"] = np.nan
//! x = table.values
//! model = keras.Sequential([keras.layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! x = table.drop(columns="income").values
//! model = keras.Sequential([keras.layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No fix: with what to fill the gaps is not known.
//!
//! ## References
//! - Zhang et al.: AUTOTRAINER, ICSE 2021; Braiek, Khomh: TheDeepChecker, TOSEM 2023 (checks of the data)

use finding::{Finding, Kind, RuleInfo, Severity};

use crate::context::Context;
use crate::read::{Data, compact, is_constant, whole_column};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL419",
    name: "missing-values",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("missing_values.rs"),
};

const NAN: [&str; 6] = [
    "np.nan",
    "numpy.nan",
    "np.NaN",
    "float('nan')",
    "float(\"nan\")",
    "math.nan",
];

/// What puts other values in the place of NaN.
const FILLS: [&str; 17] = [
    "fillna",
    "dropna",
    "interpolate",
    "Imputer",
    "nan_to_num",
    "isnan",
    "isnull",
    "isna",
    "isfinite",
    "notna",
    "notnull",
    "ffill",
    "bfill",
    "replace",
    "nanmean",
    "nanmedian",
    ".where(",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if FILLS.iter().any(|fill| context.text.contains(fill)) {
        return Vec::new();
    }
    context
        .training_sets()
        .filter_map(|sets| of_features(context, sets.training.x.as_ref()?))
        .collect()
}

fn of_features(context: &Context<'_>, x: &Data<'_>) -> Option<Finding> {
    let text = context.text;
    let nearest = x.last_change()?;
    let value = compact(nearest.change.value.slice(text));
    let target = nearest.change.target.slice(text);
    let filled_with = value
        .strip_prefix("np.full(")
        .and_then(|rest| rest.strip_suffix(')'));
    let full = filled_with.is_some_and(|rest| NAN.iter().any(|nan| rest.ends_with(&format!(",{nan}"))));
    // Single rows and elements may be set to NaN on purpose, to be masked.
    let column = NAN.contains(&value.as_str()) && whole_column(context, x).is_some();
    let message = if column {
        format!(
            "`{target}` is NaN for every sample here and nothing fills it before the training: output, loss and weights become NaN"
        )
    } else if full && is_constant(context, x) {
        "the features are NaN throughout: output, loss and weights become NaN".to_owned()
    } else if value.contains(".std(") && value.contains('/') && made_constant(context, x) {
        "all samples are alike, so their standard deviation is 0 and this division gives NaN: output, loss and weights become NaN".to_owned()
    } else {
        return None;
    };
    Some(Finding {
        confidence: 0.9,
        ..context.finding(&INFO, nearest.change.statement, message)
    })
}

/// Whether the values before the nearest statement that changes them are constant.
fn made_constant(context: &Context<'_>, x: &Data<'_>) -> bool {
    let mut changes = x.steps.iter().filter(|step| step.changes_values);
    let nearest = changes.next().map(|step| step.change.statement);
    // Parts of that statement are steps of their own.
    changes
        .rfind(|step| Some(step.change.statement) != nearest)
        .is_some()
        && changes.all(|step| Some(step.change.statement) == nearest)
        && is_constant(context, x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::trained as script;

    #[test]
    fn tables() {
        let pass = [
            script("t['a'] = np.nan\nt = t.fillna(0)\nx = t.values\n"),
            script("t['a'] = np.nan\nt['a'] = t['b'] * 2\nx = t.values\n"),
            script("x[3] = np.nan\n"),
            script("x[3, 2] = np.nan\n"),
            script("t.loc[t['age'] == 0, 'age'] = np.nan\nx = t.values\n"),
            script("t['a'] = np.nan\nx = t[['b', 'c']].values\n"),
            script("t['a'] = np.nan\nx = t[columns].values\n"),
            script("t['a'] = np.nan\nx = t.drop(columns=unused).values\n"),
            script("t['a'] = np.nan\nt.pop('a')\nx = t.values\n"),
            script("x[:, 3] = np.nan\nx = x[:, :3]\n"),
            script("t['a'] = np.nan\nx = t.ffill().values\n"),
            script("t['a'] = np.nan\nt = t[t.notna().all(axis=1)]\nx = t.values\n"),
            script("x = load()\nx = (x - x.mean()) / x.std()\n"),
            script("x = np.full((9, 4), np.nan)\nx[mask] = values\n"),
            script("x = np.full((9, 4), np.nan)\nfill(x)\n"),
        ];
        let fail = [
            (script("t['a'] = np.nan\nx = t.values\n"), "t['a'] = np.nan"),
            (script("x[:, 3] = np.nan\nx = x[:800]\n"), "x[:, 3] = np.nan"),
            (
                script("x = np.full((9, 4), np.nan)\n"),
                "x = np.full((9, 4), np.nan)",
            ),
            (
                script("x = np.ones((9, 4))\nx = (x - x.mean()) / x.std()\n"),
                "x = (x - x.mean()) / x.std()",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
