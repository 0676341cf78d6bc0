#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test uses a part")]
//! Reading the reference files and running a case.

use std::path::Path;

use engine::{Batch, Graph, Options, Trainer, View};
use serde_json::Value;

/// Samples in a batch, as in reference.py.
const BATCH: usize = 8;
/// Relative tolerance of losses and weights.
const TOLERANCE: f64 = 1e-4;

/// One model that Keras trained.
pub struct Case {
    table: String,
    value: Value,
}

impl Case {
    /// A part of it.
    pub fn get(&self, key: &str) -> &Value {
        &self.value[key]
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.value["name"].as_str().unwrap()
    }
}

/// The cases of a table.
pub fn cases(table: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/reference/{table}.json"));
    let values: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let only = std::env::var("CASE").unwrap_or_default();
    values
        .into_iter()
        .map(|value| Case {
            table: table.into(),
            value,
        })
        .filter(|case| case.name().contains(&only))
        .collect()
}

/// Numbers in [0, 1), as `raw` in numbers_.py.
pub fn raw(seed: u64, count: usize) -> impl Iterator<Item = f64> {
    (1..=count as u64).map(move |index| {
        let mut state = seed.wrapping_mul(1_000_003).wrapping_add(index);
        state = state.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        state ^= state >> 31;
        (state >> 40) as f64 / f64::from(1 << 24)
    })
}

/// Values between -1 and 1.
pub fn values(seed: u64, count: usize) -> Vec<f32> {
    raw(seed, count)
        .map(|number| (2.0 * number - 1.0) as f32)
        .collect()
}

/// An array of a kind, as `draw` in cases.py.
fn draw(kind: &Value, seed: u64) -> (Vec<usize>, Vec<f32>) {
    let what = kind[0].as_str().unwrap();
    let mut shape = vec![BATCH];
    shape.extend(
        kind[1]
            .as_array()
            .unwrap()
            .iter()
            .map(|size| size.as_u64().unwrap() as usize),
    );
    let count: usize = shape.iter().product();
    let classes = kind[2].as_u64().unwrap_or(1) as usize;
    let drawn = || raw(seed, count).map(|number| (number * classes as f64).floor() as usize);
    let data = match what {
        "real" => values(seed, count),
        "positive" => raw(seed, count)
            .map(|number| (0.05 + 0.9 * number) as f32)
            .collect(),
        "bit" => raw(seed, count)
            .map(|number| f32::from(u8::from(number < 0.5)))
            .collect(),
        "onehot" => {
            let data = drawn().flat_map(|class| (0..classes).map(move |at| f32::from(u8::from(at == class))));
            let data = data.collect();
            shape.push(classes);
            data
        }
        "padded" => {
            let long = shape[1];
            drawn()
                .enumerate()
                .map(|(at, id)| {
                    if at % long < 1 + at / long % long {
                        (id + 1) as f32
                    } else {
                        0.0
                    }
                })
                .collect()
        }
        _ => drawn().map(|class| class as f32).collect(),
    };
    (shape, data)
}

type Arrays = Vec<(Vec<usize>, Vec<f32>)>;

/// Inputs, targets and sample weights of a step.
struct Drawn(Arrays, Arrays, Arrays);

impl Drawn {
    fn new(case: &Value, step: u64) -> Self {
        let all = |key: &str, from: u64| -> Arrays {
            let kinds = case[key].as_array().unwrap();
            let seeds = (0..).map(|at| 10 * step + from + at);
            kinds
                .iter()
                .zip(seeds)
                .map(|(kind, seed)| draw(kind, seed))
                .collect()
        };
        Drawn(all("inputs", 1), all("targets", 4), all("weights", 7))
    }

    fn batch(&self) -> Batch<'_> {
        fn view((shape, data): &(Vec<usize>, Vec<f32>)) -> View<'_> {
            View::new(shape, data).unwrap()
        }
        Batch {
            inputs: self.0.iter().map(view).collect(),
            targets: self.1.iter().map(view).collect(),
            weights: self.2.iter().map(|array| Some(view(array))).collect(),
        }
    }
}

/// The trainer of a case with its initial weights.
fn trainer(case: &Case) -> Result<Trainer, String> {
    let value = &case.value;
    let mut graph = Graph::from_keras(&value["model"]).map_err(|error| error.to_string())?;
    let finals = value["final"].as_array().unwrap();
    if graph.weights().len() != finals.len() {
        return Err(format!(
            "{} weights, Keras has {}",
            graph.weights().len(),
            finals.len()
        ));
    }
    for (index, known) in finals.iter().enumerate() {
        let shape: Vec<usize> = serde_json::from_value(known["shape"].clone()).unwrap();
        let path = known["path"].as_str().unwrap();
        if graph.find_path(path) != Some(index) {
            return Err(format!("{path} is found as {:?}", graph.find_path(path)));
        }
        let drawn = values(1000 + index as u64, shape.iter().product());
        let start = drawn
            .into_iter()
            .map(|number| match path.rsplit('/').next().unwrap() {
                "gamma" | "moving_variance" | "scale" | "moving_stddev" | "renorm_stddev" => {
                    (1.0 + 0.2 * f64::from(number)) as f32
                }
                "embeddings" | "position_embeddings" => number,
                _ => (0.4 * f64::from(number)) as f32,
            });
        let start: Vec<f32> = start.collect();
        graph
            .set_weight(index, &shape, &start)
            .map_err(|error| error.to_string())?;
    }
    Trainer::new(graph, &value["compile"], Options::default()).map_err(|error| error.to_string())
}

fn noise(case: &Value, step: u64, trainer: &mut Trainer) {
    for (layer, kind) in case["noise"].as_object().unwrap() {
        let rate = kind[2].as_f64().unwrap();
        let shape: Vec<usize> = serde_json::from_value(kind[1].clone()).unwrap();
        let count = BATCH * shape.iter().product::<usize>();
        // Of which draws of the step, one after the other.
        if let Some(draws) = kind[4].as_array() {
            let keep = (1.0 - rate) as f32;
            let draws = draws
                .iter()
                .map(|draw| 5000 + step + 1000 * draw.as_u64().unwrap());
            let factors = draws.flat_map(|seed| raw(seed, count));
            let factors = factors.map(|x| f32::from(u8::from(x >= rate)) / keep);
            trainer.set_noise(layer, factors.collect());
            continue;
        }
        let seed = 5000 + step;
        let deviation = (rate / (1.0 - rate)).sqrt();
        let drawn: Vec<f32> = match kind[0].as_str().unwrap() {
            "dropout" => {
                let keep = (1.0 - rate) as f32;
                raw(seed, count)
                    .map(|x| f32::from(u8::from(x >= rate)) / keep)
                    .collect()
            }
            "keep" => raw(seed, count).map(|x| f32::from(u8::from(x >= rate))).collect(),
            "times" => values(seed, count)
                .iter()
                .map(|&x| (1.0 + deviation * f64::from(x)) as f32)
                .collect(),
            _ => values(seed, count)
                .iter()
                .map(|&x| (rate * f64::from(x)) as f32)
                .collect(),
        };
        let repeat = kind[3].as_u64().unwrap_or(1) as usize;
        trainer.set_noise(layer, widen(&drawn, &shape, repeat));
    }
}

/// One number for all positions of a sample (spatial dropout): channels stay, positions repeat.
fn widen(drawn: &[f32], shape: &[usize], repeat: usize) -> Vec<f32> {
    if repeat == 1 {
        return drawn.to_vec();
    }
    let each: usize = shape.iter().product();
    drawn
        .chunks(each)
        .flat_map(|sample| (0..repeat).flat_map(|_| sample.to_vec()))
        .collect()
}

fn differs(ours: f64, keras: f64, tolerance: f64) -> bool {
    let close = (ours - keras).abs() <= tolerance * keras.abs().max(1e-2);
    let both = ours.is_nan() && keras.is_nan();
    !close && !both
}

/// Trains a case and says where it differs.
pub fn compare(case: &Case) -> Result<(), String> {
    let value = &case.value;
    let place = format!("{}/{}", case.table, case.name());
    let fail = |what: String| format!("{place}: {what}");
    let tolerance = TOLERANCE * value["loose"].as_f64().unwrap_or(1.0);
    let mut trainer = trainer(case).map_err(fail)?;
    for (step, loss) in value["losses"].as_array().unwrap().iter().enumerate() {
        let drawn = Drawn::new(value, step as u64);
        noise(value, step as u64, &mut trainer);
        trainer.reset_metrics();
        let outcome = trainer
            .step(&drawn.batch(), step % 7 == 0)
            .map_err(|error| fail(error.to_string()))?;
        let (ours, keras) = (f64::from(outcome.loss), loss.as_f64().unwrap());
        if differs(ours, keras, tolerance) {
            return Err(fail(format!("loss {ours} instead of {keras} in step {step}")));
        }
    }
    for (known, param) in value["final"]
        .as_array()
        .unwrap()
        .iter()
        .zip(trainer.graph().weights())
    {
        let stride = (param.value.len() / 64).max(1);
        let norm = param
            .value
            .iter()
            .map(|&x| f64::from(x).powi(2))
            .sum::<f64>()
            .sqrt();
        let largest = param
            .value
            .iter()
            .fold(0.0_f64, |most, &x| most.max(f64::from(x).abs()));
        let close =
            |ours: f64, keras: f64| (ours - keras).abs() <= tolerance * keras.abs().max(largest).max(0.1);
        if !close(norm, known["norm"].as_f64().unwrap()) {
            return Err(fail(format!(
                "norm of {} is {norm} instead of {}",
                known["path"], known["norm"]
            )));
        }
        for (at, keras) in known["values"].as_array().unwrap().iter().enumerate() {
            let (ours, keras) = (f64::from(param.value[at * stride]), keras.as_f64().unwrap());
            if !close(ours, keras) {
                return Err(fail(format!(
                    "{} is {ours} instead of {keras} at {}",
                    known["path"],
                    at * stride
                )));
            }
        }
    }
    trainer.reset_metrics();
    for step in 103 - value["evaluated"].as_u64().unwrap_or(1)..103 {
        let drawn = Drawn::new(value, step);
        trainer
            .test_step(&drawn.batch())
            .map_err(|error| fail(error.to_string()))?;
    }
    let logs = trainer.logs();
    for (name, keras) in value["logs"].as_object().unwrap() {
        let ours = logs.iter().find(|(own, _)| own == name);
        let ours = ours.ok_or_else(|| fail(format!("no {name} among {logs:?}")))?.1;
        if differs(ours, keras.as_f64().unwrap(), tolerance) {
            return Err(fail(format!("{name} is {ours} instead of {keras}")));
        }
    }
    let drawn = Drawn::new(value, 102);
    let outputs = trainer
        .predict(&drawn.batch().inputs)
        .map_err(|error| fail(error.to_string()))?;
    for (at, keras) in value["prediction"].as_array().unwrap().iter().enumerate() {
        let (ours, keras) = (f64::from(outputs[0].data()[at]), keras.as_f64().unwrap());
        if (ours - keras).abs() > tolerance * keras.abs().max(0.1) {
            return Err(fail(format!("prediction {ours} instead of {keras} at {at}")));
        }
    }
    Ok(())
}

/// Compares the gradient along a random direction with the difference of two losses.
pub fn gradients(case: &Case) -> Result<(), String> {
    let value = &case.value;
    let fail = |what: String| format!("{}/{}: {what}", case.table, case.name());
    let mut trainer = trainer(case).map_err(fail)?;
    let drawn = Drawn::new(value, 3);
    noise(value, 3, &mut trainer);
    // A large step hides rounding, a small one the kinks of activations.
    let mut wrong = Vec::new();
    for step in [2e-3, 5e-4] {
        let found = trainer.gradient_check(&drawn.batch(), 17, step);
        let (analytic, numeric) = found.map_err(|error| fail(error.to_string()))?;
        if (analytic - numeric).abs() <= 2e-2 * analytic.abs().max(0.02) {
            return Ok(());
        }
        wrong.push((analytic, numeric));
    }
    Err(fail(format!("slope and difference: {wrong:?}")))
}
