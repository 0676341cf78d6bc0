//! Seconds for a step of the engine, plain and probed, each by the clock and of processor time; then the bytes that
//! activations and weights need, and those that training took at its peak.
//!
//! `speed MODEL.json [SECONDS]`, where MODEL.json is as xtask/bench/engine.py writes it.

use std::time::Instant;

use engine::{Batch, EngineError, Graph, Options, Trainer, View};
use serde_json::Value;

type Failure = Box<dyn std::error::Error>;

/// A number of kilobytes that Linux tells of this process; 0 elsewhere.
fn kilobytes(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| {
        line.trim_start_matches(':')
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .ok()
    })
    .unwrap_or(0.0)
}

/// Seconds that the threads of this process have run, as Linux tells; 0 elsewhere.
fn processor_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let nanoseconds = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    1e-9 * nanoseconds.sum::<f64>()
}

/// Of one turn: seconds of a step, by the clock and of processor time.
type Turn = (f64, f64);

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("speed MODEL.json [SECONDS]")?;
    let seconds: f64 = arguments.next().map_or(Ok(2.0), |text| text.parse())?;
    let case: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let weights: Vec<Vec<f32>> = serde_json::from_value(case["weights"].clone())?;
    let number = |key: &str| {
        case[key]
            .as_u64()
            .and_then(|value| usize::try_from(value).ok())
            .unwrap_or(1)
    };
    let (batch, classes, steps) = (number("batch"), number("classes"), number("steps"));
    let turn = (steps / 4).max(1);
    let mut shape = vec![batch];
    shape.extend(serde_json::from_value::<Vec<usize>>(case["shape"].clone())?);
    let mut rng = fastrand::Rng::with_seed(1);
    let count: usize = shape.iter().product();
    let data: Vec<(Vec<f32>, Vec<f32>)> = (0..steps)
        .map(|_| {
            let x = (0..count).map(|_| rng.f32()).collect();
            let y = (0..batch).map(|_| rng.usize(0..classes.max(2)) as f32).collect();
            (x, y)
        })
        .collect();
    // The peak is counted from here on; the threads are there.
    engine::flushed(|| ());
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = kilobytes("VmRSS");
    let mut graph = Graph::from_keras(&case["model"])?;
    for (index, values) in weights.iter().enumerate() {
        let shape = graph
            .weights()
            .nth(index)
            .ok_or("too many weights")?
            .shape
            .clone();
        graph.set_weight(index, &shape, values)?;
    }
    let mut trainer = Trainer::new(graph, &case["compile"], Options::default())?;
    let mut run = |data: &[(Vec<f32>, Vec<f32>)], probed: bool| -> Result<Turn, EngineError> {
        // As in a run, where a group of steps is trained at once.
        engine::flushed(|| {
            let (start, ran) = (Instant::now(), processor_seconds());
            for (x, y) in data {
                let batch = Batch {
                    inputs: vec![View::new(&shape, x)?],
                    targets: vec![View::new(&shape[..1], y)?],
                    weights: Vec::new(),
                };
                trainer.step(&batch, probed)?;
            }
            let steps = data.len() as f64;
            let took = start.elapsed().as_secs_f64();
            Ok((took / steps, (processor_seconds() - ran) / steps))
        })
    };
    let (mut plain, mut probed) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < seconds {
        // In short turns, so that both meet the same machine.
        for part in data.chunks(turn) {
            plain.push(run(part, false)?);
            probed.push(run(part, true)?);
        }
    }
    // The lower quartile: the machine is shared, and nothing makes a step faster than it is.
    let quartile = |turns: &[Turn], pick: fn(&Turn) -> f64| {
        let mut times: Vec<f64> = turns.iter().map(pick).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 4]
    };
    let needed = trainer.needed_bytes() as f64;
    let grown = 1024.0 * (kilobytes("VmHWM") - before);
    for turns in [&plain, &probed] {
        print!(
            "{} {} ",
            quartile(turns, |turn| turn.0),
            quartile(turns, |turn| turn.1)
        );
    }
    println!("{needed} {grown}");
    Ok(())
}
