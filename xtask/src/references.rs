//! `cargo xtask references`: what Keras gives for the models that the engine's tests train.

use crate::python;
use crate::shell::{command, root, step};

pub fn run(only: Option<&str>, missing: bool) -> anyhow::Result<()> {
    let python = python::environment()?;
    let tests = root().join("server/engine/tests");
    let mut reference = command(&python);
    reference.arg(tests.join("reference.py"));
    if let Some(only) = only {
        reference.args(["--only", only]);
    }
    if missing {
        reference.arg("--missing");
    }
    step("train the reference models with Keras", &mut reference)?;
    step(
        "take statistics with the tracer",
        command(&python).arg(tests.join("probes.py")),
    )
}
