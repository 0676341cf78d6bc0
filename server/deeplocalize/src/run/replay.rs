//! The analysis of a recorded trace: what a run would have said, without the run.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use finding::{Finding, Verdict};
use localize::{Detector, Ending, Localizer};
use trace::{Frame, FrameReader, Trace};

use super::files::Files;
use super::merge;
use crate::report::ToolError;

/// What the analysis makes of a recorded trace.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The verdict, text and run together.
    pub verdict: Verdict,
    /// Best explanation first.
    pub findings: Vec<Finding>,
    /// Why the verdict is what it is.
    pub reason: String,
    /// Steps seen when the verdict was clear; `None` when the run was needed to its end.
    pub clear_after: Option<u64>,
    /// The script, for places.
    pub text: String,
    /// The trace as far as it was read.
    pub trace: Trace,
    /// Time the analysis took.
    pub analysis: Duration,
}

/// Follows a recorded stream of frames as a run would, and stops where the run would have been stopped.
pub fn replay(
    script: &Path,
    frames: impl Read,
    detector: Detector,
    keep_going: bool,
) -> Result<Replayed, ToolError> {
    let mut files = Files::read(script, script.parent(), BTreeMap::new())?;
    let mut localizer = Localizer::new(detector);
    let mut trace = Trace::default();
    let mut reader = FrameReader::new(frames);
    let mut clear = None;
    let mut analysis = Duration::ZERO;
    while let Ok(Some(frame)) = reader.read() {
        let step = matches!(frame, Frame::Step(_));
        trace.push(frame);
        if !step {
            continue;
        }
        let look = Instant::now();
        let verdict = localizer.observe(&trace);
        analysis += look.elapsed();
        let stops = |verdict: &Verdict| {
            !keep_going && (*verdict == Verdict::Faulty || trace.fits.len() >= files.trainings())
        };
        if verdict.as_ref().is_some_and(stops) {
            clear = Some(trace.fits.iter().map(|fit| fit.steps).sum());
            break;
        }
    }
    let look = Instant::now();
    files.load(&trace);
    // A trace that breaks off was cut by a budget.
    let ending = match (clear, trace.exit.is_some()) {
        (Some(_), _) => Ending::Clear,
        (None, true) => Ending::Finished,
        (None, false) => Ending::Budget,
    };
    let diagnosis = localizer.diagnose(&trace, ending, &files);
    let (verdict, findings) = merge::merge(
        diagnosis.verdict,
        diagnosis.failing,
        diagnosis.findings,
        files.static_findings(),
    );
    analysis += look.elapsed();
    let text = files.texts(&[]).into_values().next().unwrap_or_default();
    Ok(Replayed {
        verdict,
        findings,
        reason: diagnosis.reason,
        clear_after: clear,
        text,
        trace,
        analysis,
    })
}
