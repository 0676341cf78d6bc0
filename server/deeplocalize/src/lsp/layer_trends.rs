//! What the last run saw of a layer, in a few lines for a hover.

use std::fmt::Write;

use finding::Range;
use localize::text::{number, percent};
use trace::{Fit, LayerInfo, Series, Stat, Tensor};

use super::document::Document;
use super::state::State;

/// Columns of the small plots.
const COLUMNS: usize = 24;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The trends of the layer that is made by the call at `call`; `None` unless the last run made it on a line that still
/// reads the same. Markdown that is readable as plain text.
pub fn describe(state: &State, document: &Document, call: Range) -> Option<String> {
    let report = state.last_report.as_ref()?;
    let trace = report.trace.as_ref()?;
    let text = document.text.as_str();
    let (line, column) = line_and_column(text, call.start)?;
    let ran = report
        .texts
        .iter()
        .find(|(path, _)| document.path.ends_with(path) || path.ends_with(&document.path))
        .map(|(_, text)| text)?;
    // The layer is known by where it was made, and the text may have changed since.
    let here = |layer: &&LayerInfo| {
        layer.site.as_ref().is_some_and(|site| {
            let then = ran.lines().nth(site.line.saturating_sub(1) as usize);
            let same_column = site.column.is_none_or(|at| at as usize == column);
            same_column && then.is_some() && then == text.lines().nth(line)
        })
    };
    let (fit, layer) = trace.fits.iter().rev().find_map(|fit| {
        let layer = fit.info.layers.iter().find(here)?;
        Some((fit, layer))
    })?;
    let mut lines = format!(
        "Last run ({}, {} steps), `{}`:",
        report.verdict.as_str(),
        fit.steps,
        layer.name
    );
    let rows = rows(fit, layer.index);
    if rows.is_empty() {
        return None;
    }
    for (name, values, format) in rows {
        let known = || values.iter().copied().filter(|value| value.is_finite());
        let (Some(first), Some(last)) = (known().next(), known().last()) else {
            continue;
        };
        let _ = write!(
            lines,
            "\n\n`{}` {name} {} → {}",
            plot(&values),
            format(first),
            format(last)
        );
    }
    Some(lines)
}

type Row = (&'static str, Vec<f64>, fn(f64) -> String);

fn rows(fit: &Fit, layer: usize) -> Vec<Row> {
    let series = |tensor| fit.series(layer, tensor);
    let all = |series: &Series, stat: Stat| series.stat(stat).to_vec();
    let ratio = |above: Vec<f64>, below: Vec<f64>| {
        above
            .iter()
            .zip(below)
            .map(|(above, below)| above / below)
            .collect::<Vec<_>>()
    };
    let mut rows: Vec<Row> = Vec::new();
    if let Some(output) = series(Tensor::V2) {
        rows.push(("mean of the output", all(output, Stat::Mean), number));
        let dead = ratio(all(output, Stat::DeadUnits), all(output, Stat::Units));
        if dead.iter().any(|share| *share > 0.0) {
            rows.push(("dead units", dead, percent));
        }
    }
    if let Some(gradient) = series(Tensor::Gout) {
        rows.push(("norm of the gradient", all(gradient, Stat::L2), number));
    }
    if let (Some(update), Some(weight)) = (series(Tensor::Update), series(Tensor::W)) {
        // Both are probed at the same steps.
        let shares = ratio(all(update, Stat::L2), all(weight, Stat::L2));
        rows.push(("update / weights", shares, number));
    }
    rows
}

/// A bar for each of a few spans of time, as high as the mean of its values.
fn plot(values: &[f64]) -> String {
    let columns = COLUMNS.min(values.len());
    let means: Vec<Option<f64>> = (0..columns)
        .map(|column| {
            let span = &values[column * values.len() / columns..(column + 1) * values.len() / columns];
            let finite: Vec<f64> = span.iter().copied().filter(|value| value.is_finite()).collect();
            (!finite.is_empty()).then(|| finite.iter().sum::<f64>() / finite.len() as f64)
        })
        .collect();
    let known = || means.iter().flatten().copied();
    let (low, high) = (
        known().fold(f64::INFINITY, f64::min),
        known().fold(f64::NEG_INFINITY, f64::max),
    );
    means
        .iter()
        .map(|mean| match mean {
            None => '×',
            Some(_) if high <= low => BARS[0],
            Some(mean) => {
                let height = (mean - low) / (high - low) * (BARS.len() - 1) as f64;
                BARS[(height.round() as usize).min(BARS.len() - 1)]
            }
        })
        .collect()
}

/// Line and column of an offset, both from 0, the column in bytes as sites have it.
fn line_and_column(text: &str, offset: usize) -> Option<(usize, usize)> {
    let before = text.get(..offset)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Some((before.matches('\n').count(), offset - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_shows_the_trend_and_what_is_not_finite() {
        assert_eq!(plot(&[0.0, 1.0, 2.0, f64::NAN, 7.0]), "▁▂▃×█");
        assert_eq!(plot(&[3.0, 3.0]), "▁▁");
        assert_eq!(plot(&[]), "");
        let rising: Vec<f64> = (0..1000).map(f64::from).collect();
        let drawn = plot(&rising);
        assert_eq!(drawn.chars().count(), COLUMNS);
        assert!(drawn.starts_with('▁') && drawn.ends_with('█'));
    }
}
