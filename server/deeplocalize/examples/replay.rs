//! Says what a run would have said, from a recorded trace: `cargo run --example replay -- SCRIPT TRACE [SCRIPT TRACE …]`.
//! One JSON object a line; with `--paper` the algorithm of the paper.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use deeplocalize::run::replay;
use localize::Detector;
use serde_json::json;
use trace::Scalar;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let paper = arguments
        .iter()
        .position(|argument| argument == "--paper")
        .map(|at| arguments.remove(at))
        .is_some();
    let detector = if paper {
        Detector::DeepLocalize {
            n: 50,
            threshold: 0.25,
        }
    } else {
        Detector::Default
    };
    for pair in arguments.chunks_exact(2) {
        let (script, trace) = (Path::new(&pair[0]), Path::new(&pair[1]));
        let found = replay(script, BufReader::new(File::open(trace)?), detector, false)
            .map_err(|error| error.message)?;
        let line = |at: usize| {
            found
                .text
                .get(..at)
                .map_or(1, |before| before.matches('\n').count() + 1)
        };
        let findings: Vec<_> = found
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "code": finding.code, "name": finding.name, "kind": finding.kind, "severity": finding.severity,
                    "source": finding.source, "confidence": finding.confidence, "message": finding.message,
                    "path": finding.path, "range": {"start": {"line": line(finding.range.start)}},
                    "evidence": finding.evidence.iter().map(|evidence| &evidence.text).collect::<Vec<_>>(),
                })
            })
            .collect();
        let fits: Vec<_> = found
            .trace
            .fits
            .iter()
            .map(|fit| {
                let losses: Vec<f64> = fit.scalar(Scalar::Loss).to_vec();
                json!({"loss": [losses.first(), losses.last()], "stopped": found.clear_after, "steps": fit.steps,
                       "baselines": fit.info.data.baselines, "held_out": fit.info.data.held_out})
            })
            .collect();
        println!(
            "{}",
            json!({"script": script, "verdict": found.verdict, "reason": found.reason, "findings": findings,
                   "run": {"fits": fits}, "errors": [], "analysis": found.analysis.as_secs_f64()})
        );
    }
    Ok(())
}
