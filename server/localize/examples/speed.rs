//! How fast a run is analysed, and in how much memory: `cargo run --release --example speed -- LAYERS STEPS` makes up a
//! training of that many dense layers of which every step is probed, and prints layer-steps a second and the most
//! memory it took in MB.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use localize::{Detector, Localizer};
use serde_json::json;
use trace::{Frame, FrameReader, Stat, StepFrame, Trace, encode};

const ROWS: [(&str, Option<&str>); 9] = [
    ("v1", None),
    ("v2", None),
    ("gout", None),
    ("w", Some("kernel")),
    ("dw", Some("kernel")),
    ("update", Some("kernel")),
    ("w", Some("bias")),
    ("dw", Some("bias")),
    ("update", Some("bias")),
];
const SCALARS: [&str; 4] = ["loss", "learning_rate", "batch_size", "hits"];

/// A stream of frames that is made up while it is read.
struct Made {
    layers: usize,
    steps: u64,
    step: u64,
    bytes: Vec<u8>,
    at: usize,
    /// Time that making it up has taken.
    took: Duration,
}

impl Made {
    fn new(layers: usize, steps: u64) -> Result<Made, Box<dyn std::error::Error>> {
        let weights = json!([{"name": "kernel", "shape": [64, 64], "trainable": true},
                             {"name": "bias", "shape": [64], "trainable": true}]);
        let described: Vec<_> = (0..layers)
            .map(|index| {
                json!({"index": index, "name": format!("dense_{index}"), "class": "Dense",
                                "activation": "relu", "trainable": true, "weights": weights})
            })
            .collect();
        let rows: Vec<_> = (0..layers)
            .flat_map(|layer| {
                ROWS.map(|(tensor, weight)| json!({"layer": layer, "tensor": tensor, "weight": weight}))
            })
            .collect();
        let stats: Vec<_> = Stat::ALL.iter().map(|stat| stat.name()).collect();
        let mut bytes = Vec::new();
        for message in [
            json!({"type": "fit", "fit": 0, "call": "fit", "layers": described, "epochs": 1}),
            json!({"type": "layout", "fit": 0, "layout": 0, "scalars": SCALARS, "stats": stats, "rows": rows}),
        ] {
            bytes.extend(encode(&Frame::Message(serde_json::from_value(message)?))?);
        }
        Ok(Made {
            layers,
            steps,
            step: 0,
            bytes,
            at: 0,
            took: Duration::ZERO,
        })
    }

    fn make(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        let wave = (self.step as f64 * 0.37).sin();
        let one = |stat: &Stat| match stat {
            Stat::Count => 4096.0,
            Stat::Units => 64.0,
            Stat::Zeros => 1500.0,
            Stat::Nans | Stat::Infs | Stat::DeadUnits | Stat::ConstantUnits => 0.0,
            Stat::Min => -2.0 + 0.1 * wave,
            Stat::Max | Stat::AbsMax => 2.5 + 0.1 * wave,
            _ => 0.1 + 0.01 * wave,
        };
        let row: Vec<f64> = Stat::ALL.iter().map(one).collect();
        let rows = self.layers * ROWS.len();
        let frame = Frame::Step(StepFrame {
            fit: 0,
            layout: 0,
            epoch: 0,
            batch: u32::try_from(self.step).unwrap_or(u32::MAX),
            step: self.step,
            // Neither learned nor stuck, so that the analysis never comes to an end.
            scalars: vec![1.0 + 0.3 * wave, 0.01, 64.0, 0.5 + 0.05 * wave],
            rows,
            stats: row.repeat(rows),
        });
        self.bytes = encode(&frame).map_err(io::Error::other)?;
        self.at = 0;
        self.step += 1;
        self.took += begun.elapsed();
        Ok(())
    }
}

impl Read for Made {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.bytes.len() && self.step < self.steps {
            self.make()?;
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    let [layers, steps] = numbers.as_slice() else {
        return Err("usage: speed LAYERS STEPS".into());
    };
    let mut reader = FrameReader::new(Made::new(usize::try_from(*layers)?, *steps)?);
    let mut trace = Trace::default();
    let mut localizer = Localizer::new(Detector::Default);
    let begun = Instant::now();
    while let Some(frame) = reader.read()? {
        let step = matches!(frame, Frame::Step(_));
        trace.push(frame);
        if step {
            // A verdict would end a run; here it is to go on.
            let _ = localizer.observe(&trace);
        }
    }
    let took = begun
        .elapsed()
        .saturating_sub(reader.get_ref().took)
        .as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    println!(
        "{:.0} {:.1}",
        (layers * steps) as f64 / took,
        kilobytes.unwrap_or(f64::NAN) / 1024.0
    );
    Ok(())
}
