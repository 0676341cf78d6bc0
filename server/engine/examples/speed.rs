//! Seconds for a step of the engine, plain and probed: `speed MODEL.json`, as xtask/bench/engine.py writes it.

use std::time::Instant;

use engine::{Batch, Graph, Options, Trainer, View};
use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("speed MODEL.json")?;
    let case: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let mut graph = Graph::from_keras(&case["model"])?;
    let shapes: Vec<Vec<usize>> = graph.weights().map(|weight| weight.shape.clone()).collect();
    for (index, shape) in shapes.iter().enumerate() {
        let values: Vec<f32> = serde_json::from_value(case["weights"][index].clone())?;
        graph.set_weight(index, shape, &values)?;
    }
    let mut trainer = Trainer::new(graph, &case["compile"], Options::default())?;
    let number = |key: &str| {
        case[key]
            .as_u64()
            .and_then(|value| usize::try_from(value).ok())
            .unwrap_or(1)
    };
    let (batch, classes, steps) = (number("batch"), number("classes"), number("steps"));
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
    let mut run = |probed: bool| -> Result<f64, Box<dyn std::error::Error>> {
        let start = Instant::now();
        for (x, y) in &data {
            let batch = Batch {
                inputs: vec![View::new(&shape, x)?],
                targets: vec![View::new(&shape[..1], y)?],
                weights: Vec::new(),
            };
            trainer.step(&batch, probed)?;
        }
        Ok(start.elapsed().as_secs_f64() / steps as f64)
    };
    let (mut plain, mut probed) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        plain.push(run(false)?);
        probed.push(run(true)?);
    }
    // The best of several: the machine is shared.
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    println!("{} {}", best(&plain), best(&probed));
    Ok(())
}
