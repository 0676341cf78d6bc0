//! Prints the trace of a script, one JSON object a line: `cargo run -p deeplocalize-session --example dump -- SCRIPT`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value, json};
use session::{Cadence, Event, Limits, Request, SUPERVISE, Session, Writes, find_interpreter, supervise};
use trace::{Frame, LayoutMessage, Message, StepFrame};

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == SUPERVISE) {
        return supervise(arguments.split_off(1));
    }
    if arguments.is_empty() {
        eprintln!(
            "usage: dump SCRIPT [ARGUMENTS]    (PYTHON names the interpreter, else it is searched for; \
             WRITES=apart or python keeps files apart)"
        );
        return ExitCode::from(2);
    }
    match dump(&PathBuf::from(arguments.remove(0)), arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn dump(script: &std::path::Path, arguments: Vec<OsString>) -> Result<(), Box<dyn std::error::Error>> {
    let python = std::env::var_os("PYTHON").map(PathBuf::from);
    let interpreter = find_interpreter(python.as_deref(), script, &|name| std::env::var_os(name))?;
    eprintln!("{} ({})", interpreter.path.display(), interpreter.source);
    let mut session = Session::start(&Request {
        script: script.to_owned(),
        arguments: arguments
            .iter()
            .map(|text| text.to_string_lossy().into_owned())
            .collect(),
        python: interpreter.path,
        directory: None,
        log: Some(std::env::temp_dir().join("deeplocalize-dump.log")),
        cadence: Cadence::default(),
        overrides: BTreeMap::new(),
        environment: Vec::new(),
        writes: match std::env::var("WRITES").as_deref() {
            Ok("apart") => Writes::Apart,
            Ok("python") => Writes::ApartInPython,
            _ => Writes::Real,
        },
        limits: Limits::default(),
        supervisor: std::env::current_exe()?,
    })?;
    let mut layouts: Vec<LayoutMessage> = Vec::new();
    loop {
        match session.next_event(Duration::from_secs(1)) {
            None => {}
            Some(Event::Frame(Frame::Step(step))) => println!("{}", named(&step, &layouts)),
            Some(Event::Frame(Frame::Message(message))) => {
                println!("{}", serde_json::to_string(&message)?);
                if let Message::Layout(layout) = message {
                    layouts.push(layout);
                }
            }
            Some(Event::TraceError(error)) => {
                println!("{}", json!({"type": "trace-error", "error": error.to_string()}))
            }
            Some(Event::Exited { status }) => {
                println!("{}", json!({"type": "exited", "status": format!("{status:?}")}));
                eprint!("{}", session.stderr_tail());
                if let Some(written) = session.written() {
                    println!("{written:?}");
                }
                return Ok(());
            }
        }
    }
}

/// The step with the names that its layout gives to its numbers.
fn named(step: &StepFrame, layouts: &[LayoutMessage]) -> Value {
    let layout = layouts
        .iter()
        .find(|layout| layout.fit == step.fit && layout.layout == step.layout);
    let (scalar_names, stat_names): (&[String], &[String]) =
        layout.map_or((&[], &[]), |layout| (&layout.scalars, &layout.stats));
    let rows = layout.map_or(&[][..], |layout| &layout.rows);
    let width = step.stats.len().checked_div(step.rows).unwrap_or(0).max(1);
    let rows: Map<String, Value> = rows
        .iter()
        .zip(step.stats.chunks(width))
        .map(|(row, values)| {
            let tensor = serde_json::to_value(row.tensor).unwrap_or_default();
            let weight = row
                .weight
                .as_deref()
                .map(|name| format!(":{name}"))
                .unwrap_or_default();
            let key = format!("{}/{}{weight}", row.layer, tensor.as_str().unwrap_or_default());
            (key, numbers(stat_names, values))
        })
        .collect();
    json!({
        "type": "step", "fit": step.fit, "epoch": step.epoch, "batch": step.batch, "step": step.step,
        "scalars": numbers(scalar_names, &step.scalars), "rows": rows,
    })
}

fn numbers(names: &[String], values: &[f64]) -> Value {
    names
        .iter()
        .zip(values)
        .map(|(name, value)| {
            let value = if value.is_finite() {
                json!(value)
            } else {
                json!(value.to_string())
            };
            (name.clone(), value)
        })
        .collect::<Map<_, _>>()
        .into()
}
