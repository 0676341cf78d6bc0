use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use ndarray::Array2;
use ndarray_npy::ReadNpyExt;
use zip::ZipArchive;

use super::{FORMAT, FitMetadata, METADATA, Metadata, Problem, TraceFileError, VERSION, array, moments_of};
use crate::{Frame, LayoutMessage, LayoutRow, Message, StepFrame, Trace};

/// Most bytes of one array; histories are far smaller.
const LARGEST: u64 = 256 << 20;

impl Trace {
    /// Reads a `.npz` file as the frames of a run, in their order, so that a trace is built and looked at as if the run
    /// were going on.
    pub fn read_frames(path: &Path) -> Result<Vec<Frame>, TraceFileError> {
        let read = || {
            let file = File::open(path)?;
            frames(ZipArchive::new(BufReader::new(file))?)
        };
        read().map_err(|problem: Problem| problem.at(path))
    }

    /// Reads a `.npz` file.
    pub fn read(path: &Path) -> Result<Trace, TraceFileError> {
        let mut trace = Trace::default();
        for frame in Trace::read_frames(path)? {
            trace.push(frame);
        }
        Ok(trace)
    }
}

fn frames(mut archive: ZipArchive<impl Read + Seek>) -> Result<Vec<Frame>, Problem> {
    let text = {
        let entry = archive.by_name(&format!("{METADATA}.npy"))?;
        array::read_text(METADATA, entry.take(LARGEST))?
    };
    let known: Known = serde_json::from_str(&text)?;
    if known.format != FORMAT || known.version != VERSION {
        return Err(Problem::Format {
            format: known.format,
            version: known.version,
        });
    }
    let metadata: Metadata = serde_json::from_str(&text)?;
    let mut frames = Vec::new();
    let mut tell = |message| frames.push(Frame::Message(message));
    metadata.start.map(Message::Start).into_iter().for_each(&mut tell);
    metadata.keras.map(Message::Keras).into_iter().for_each(&mut tell);
    for fit in metadata.fits {
        let steps = steps(&mut archive, &fit)?;
        let number = fit.info.fit;
        frames.push(Frame::Message(Message::Fit(Box::new(fit.info))));
        frames.extend(steps);
        frames.extend(
            fit.epochs
                .into_iter()
                .map(|epoch| Frame::Message(Message::Epoch(epoch))),
        );
        let inside = fit.fault.map(Message::Fault).into_iter();
        let inside = inside.chain(fit.gauges.into_iter().map(Message::Gauge));
        frames.extend(inside.map(Frame::Message));
        let evaluated = fit.evaluated.into_iter().map(Message::Evaluate);
        let end = fit.end.map(|reason| crate::FitEndMessage { fit: number, reason });
        frames.extend(end.map(|end| Frame::Message(Message::FitEnd(end))));
        frames.extend(evaluated.map(Frame::Message));
    }
    let mut tell = |message| frames.push(Frame::Message(message));
    metadata
        .exception
        .map(Message::Exception)
        .into_iter()
        .for_each(&mut tell);
    metadata
        .notices
        .into_iter()
        .map(Message::Notice)
        .for_each(&mut tell);
    metadata.exit.map(Message::Exit).into_iter().for_each(&mut tell);
    Ok(frames)
}

/// What every version has.
#[derive(serde::Deserialize)]
struct Known {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
}

/// What is known of one step.
#[derive(Default)]
struct Step {
    epoch: u32,
    batch: u32,
    scalars: BTreeMap<usize, f64>,
    /// Statistics by the number of the series.
    rows: BTreeMap<usize, Vec<f64>>,
}

fn steps(archive: &mut ZipArchive<impl Read + Seek>, fit: &FitMetadata) -> Result<Vec<Frame>, Problem> {
    let mut steps: BTreeMap<u64, Step> = BTreeMap::new();
    let mut names: Vec<&String> = Vec::new();
    for metadata in &fit.steps {
        let first = names.len();
        names.extend(&metadata.columns);
        history(archive, &metadata.array, &mut steps, &mut |step, row| {
            step.scalars.extend(
                row.iter()
                    .take(metadata.columns.len())
                    .enumerate()
                    .map(|(at, &value)| (first + at, value)),
            );
        })?;
    }
    for (number, metadata) in fit.series.iter().enumerate() {
        history(archive, &metadata.array, &mut steps, &mut |step, row| {
            step.rows.insert(number, row.to_vec());
        })?;
    }
    let mut frames = Vec::new();
    let mut layouts: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
    for (number, step) in steps {
        let probed: Vec<usize> = step.rows.keys().copied().collect();
        let next = layouts.len() as u32;
        let layout = *layouts.entry(probed.clone()).or_insert_with(|| {
            let row = |&number: &usize| {
                let series = fit.series.get(number)?;
                Some(LayoutRow {
                    layer: series.layer,
                    tensor: series.tensor,
                    weight: series.weight.clone(),
                })
            };
            frames.push(Frame::Message(Message::Layout(LayoutMessage {
                fit: fit.info.fit,
                layout: next,
                scalars: names.iter().map(|name| (*name).clone()).collect(),
                stats: fit.stats.clone(),
                rows: probed.iter().filter_map(row).collect(),
            })));
            next
        });
        let width = fit.stats.len();
        frames.push(Frame::Step(StepFrame {
            fit: fit.info.fit,
            layout,
            epoch: step.epoch,
            batch: step.batch,
            step: number,
            scalars: match step.scalars.is_empty() {
                true => Vec::new(),
                false => (0..names.len())
                    .map(|at| step.scalars.get(&at).copied().unwrap_or(f64::NAN))
                    .collect(),
            },
            rows: probed.len(),
            stats: step
                .rows
                .into_values()
                .flat_map(|mut row| {
                    row.resize(width, f64::NAN);
                    row
                })
                .collect(),
        }));
    }
    Ok(frames)
}

/// Reads an array and its moments, and gives each row to the step it belongs to.
fn history(
    archive: &mut ZipArchive<impl Read + Seek>,
    name: &str,
    steps: &mut BTreeMap<u64, Step>,
    take: &mut dyn FnMut(&mut Step, &[f64]),
) -> Result<(), Problem> {
    let moments: Array2<i64> = read(archive, &moments_of(name))?;
    let rows: Array2<f64> = read(archive, name)?;
    if moments.nrows() != rows.nrows() || moments.ncols() != 3 {
        return Err(Problem::array(name, "its moments do not fit it"));
    }
    let natural = |value: i64| u64::try_from(value).map_err(|_| Problem::array(name, "a step below 0"));
    for (moment, row) in moments.rows().into_iter().zip(rows.rows()) {
        let step = steps.entry(natural(moment[0])?).or_default();
        step.epoch = natural(moment[1])? as u32;
        step.batch = natural(moment[2])? as u32;
        take(step, &row.to_vec());
    }
    Ok(())
}

fn read<T: ndarray_npy::ReadableElement>(
    archive: &mut ZipArchive<impl Read + Seek>,
    name: &str,
) -> Result<Array2<T>, Problem> {
    let entry = archive.by_name(&format!("{name}.npy"))?;
    Array2::read_npy(BufReader::new(entry.take(LARGEST))).map_err(|error| Problem::array(name, error))
}
