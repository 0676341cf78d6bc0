//! One finding: its message over the source, what was seen, and the fixes as patches.

use std::path::Path;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use finding::{Applicability, Edit, Evidence, Finding, Fix, Kind, Phase, Range, Severity, Source};

use super::visible;
use crate::output::{Look, Sources};
use crate::report::effect;
use crate::text::SourceText;

/// More of these are left to the JSON output.
const MAX_EVIDENCE: usize = 4;
/// More of these are left to the editor and the JSON output.
const MAX_FIXES: usize = 2;
/// A longer line is not shown as a patch.
const MAX_PATCHED_LINE: usize = 240;

/// The finding as a block of lines without a line break at the end.
pub fn render(finding: &Finding, sources: &Sources<'_>, look: &Look, first_of_its_code: bool) -> String {
    let (headline, rest) = split(&finding.message);
    let headline = wrap(
        headline,
        look,
        finding.severity.as_str().len() + finding.code.len() + 4,
    );
    let mut main = Group::with_title(level(finding.severity).primary_title(headline).id(finding.code));
    if let Some(snippet) = snippet(finding, sources) {
        main = main.element(snippet);
    }
    if !rest.is_empty() {
        main = main.element(note(rest, look));
    }
    let (elsewhere, here): (Vec<_>, Vec<_>) = finding
        .evidence
        .iter()
        .take(MAX_EVIDENCE)
        .partition(|evidence| stands_elsewhere(evidence, finding, sources));
    for evidence in here {
        main = main.element(note(&seen(evidence), look));
    }
    if finding.evidence.len() > MAX_EVIDENCE {
        let more = finding.evidence.len() - MAX_EVIDENCE;
        main = main.element(note(&format!("and {more} more in --output-format json"), look));
    }
    if finding.source != Source::Static {
        let percent = (finding.confidence * 100.0).round();
        main = main.element(note(&format!("confidence {percent} %"), look));
    }
    let mut groups = vec![main];
    groups.extend(
        elsewhere
            .into_iter()
            .map(|evidence| secondary(evidence, sources, look)),
    );
    groups.extend(
        finding
            .fixes
            .iter()
            .take(MAX_FIXES)
            .enumerate()
            .map(|(at, fix)| help(fix, at > 0 && fix.trial.is_some(), sources, look)),
    );
    if first_of_its_code && let Some(last) = groups.last_mut() {
        let more = Level::NOTE
            .with_name("more")
            .message(format!("deeplocalize explain {}", finding.code));
        *last = std::mem::replace(last, Group::with_level(Level::NOTE)).element(more);
    }
    Renderer::styled().term_width(look.width).render(&groups)
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Information => Level::INFO,
        Severity::Hint => Level::NOTE.with_name("hint"),
    }
}

/// What stands before the first full stop or semicolon makes the headline.
fn split(message: &str) -> (&str, &str) {
    let line = message.lines().next().unwrap_or_default();
    let ends = |at: usize, stop: &str| {
        let rest = line.get(at + stop.len()..).unwrap_or_default();
        stop == "; " || rest.starts_with(char::is_uppercase)
    };
    let end = line
        .match_indices([';', '.'])
        .filter_map(|(at, _)| Some((at, line.get(at..at + 2)?)))
        .find(|&(at, stop)| stop.ends_with(' ') && ends(at, stop));
    match end {
        Some((at, stop)) => (&line[..at], message[at + stop.len()..].trim()),
        None => (line, message[line.len()..].trim()),
    }
}

fn wrap(text: &str, look: &Look, indent: usize) -> String {
    let width = look.width.saturating_sub(indent).max(30);
    let options = textwrap::Options::new(width).break_words(false);
    textwrap::wrap(&visible(text), options).join("\n")
}

fn note(text: &str, look: &Look) -> annotate_snippets::Message<'static> {
    Level::NOTE.message(wrap(text, look, 14))
}

/// What is underlined, in the words of the taxonomy, and the layer it belongs to.
fn label(finding: &Finding) -> Option<String> {
    let what = match finding.kind {
        Kind::MissingLayer => "a layer is missing after this one".to_owned(),
        Kind::RedundantLayer => "this layer should go".to_owned(),
        Kind::DataOther | Kind::ApiMisuse => String::new(),
        kind => kind.as_str().replace('-', " "),
    };
    let layer = finding
        .layer
        .as_ref()
        .map(|layer| format!("layer {} `{}`", layer.index, visible(&layer.name)));
    match (what.is_empty(), layer) {
        (true, None) => None,
        (true, Some(layer)) => Some(layer),
        (false, None) => Some(what),
        (false, Some(layer)) => Some(format!("{what}, {layer}")),
    }
}

fn snippet<'a>(finding: &Finding, sources: &'a Sources<'_>) -> Option<Snippet<'a, Annotation<'a>>> {
    let (source, range) = sources.place(&finding.path, finding.range)?;
    let annotation = |range: Range| {
        let annotation = AnnotationKind::Primary.span(range.start..range.end);
        annotation.label(label(finding))
    };
    Some(excerpt(&finding.path, sources, source, range, annotation))
}

/// The lines that `range` touches, with their numbers.
fn excerpt<'a>(
    path: &Path,
    sources: &Sources<'_>,
    source: &'a SourceText,
    range: Range,
    annotation: impl FnOnce(Range) -> Annotation<'a>,
) -> Snippet<'a, Annotation<'a>> {
    let lines = source.lines_around(range);
    let moved = Range::new(range.start - lines.start, range.end - lines.start);
    lines_of(path, sources, source, lines).annotation(annotation(moved))
}

fn lines_of<'a, T: Clone>(
    path: &Path,
    sources: &Sources<'_>,
    source: &'a SourceText,
    lines: Range,
) -> Snippet<'a, T> {
    let mut name = visible(&path.to_string_lossy());
    let (mut line, _) = source.line_column(lines.start);
    if let Some((cell, first)) = sources.cell(path, lines.start) {
        name.push_str(&format!(":cell {cell}"));
        line = line.saturating_sub(first) + 1;
    }
    Snippet::source(lines.slice(source.text()))
        .path(name)
        .line_start(line)
}

/// Evidence on lines of its own is worth showing there.
fn stands_elsewhere(evidence: &Evidence, finding: &Finding, sources: &Sources<'_>) -> bool {
    let Some((source, range)) = evidence
        .range
        .and_then(|range| sources.place(&evidence.path, range))
    else {
        return false;
    };
    let line = |offset| source.line_column(offset).0;
    evidence.path != finding.path
        || line(range.end) < line(finding.range.start)
        || line(range.start) > line(finding.range.end)
}

fn secondary<'a>(evidence: &Evidence, sources: &'a Sources<'_>, look: &Look) -> Group<'a> {
    let title = Level::NOTE.secondary_title(wrap(&seen(evidence), look, 6));
    let place = evidence
        .range
        .and_then(|range| sources.place(&evidence.path, range));
    match place {
        Some((source, range)) => title.element(excerpt(&evidence.path, sources, source, range, |range| {
            AnnotationKind::Context.span(range.start..range.end)
        })),
        None => Group::with_title(title),
    }
}

/// What was seen and when. Epochs and batches are counted as Keras prints them, from 1.
fn seen(evidence: &Evidence) -> String {
    let mut when = Vec::new();
    when.extend(
        evidence
            .epoch
            .map(|epoch| format!("epoch {}", u64::from(epoch) + 1)),
    );
    when.extend(
        evidence
            .batch
            .map(|batch| format!("batch {}", u64::from(batch) + 1)),
    );
    when.extend(evidence.phase.map(|phase| phase_name(phase).to_owned()));
    if when.is_empty() {
        evidence.text.clone()
    } else {
        format!("{} ({})", evidence.text, when.join(", "))
    }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Data => "data",
        Phase::Forward => "forward pass",
        Phase::Loss => "loss",
        Phase::Metric => "metric",
        Phase::Backward => "backward pass",
        Phase::Update => "weight update",
    }
}

/// A fix; `alternative` to the one before, when both were tried and do about the same.
fn help<'a>(fix: &'a Fix, alternative: bool, sources: &'a Sources<'_>, look: &Look) -> Group<'a> {
    let mut title = lower_first(&fix.title);
    if alternative {
        title.insert_str(0, "or, with about the same effect: ");
    }
    match fix.applicability {
        Applicability::Safe => {}
        Applicability::Unsafe => title.push_str(" (look at it before you apply it)"),
        Applicability::DisplayOnly => title.push_str(" (a sketch)"),
    }
    let mut group = Group::with_title(Level::HELP.secondary_title(wrap(&title, look, 6)));
    let mut paths: Vec<&Path> = fix.edits.iter().map(|edit| edit.path.as_path()).collect();
    paths.dedup();
    for path in paths {
        let edits: Vec<&Edit> = fix.edits.iter().filter(|edit| edit.path == path).collect();
        if let Some(patch) = patch(path, &edits, sources) {
            group = group.element(patch);
        }
    }
    if let Some(trial) = &fix.trial {
        let effect = format!("tried: {}", effect(trial));
        group = group.element(note(&effect, look));
    }
    group
}

/// The edits of one file as a patch; none when they do not fit the text or would flood the terminal.
fn patch<'a>(path: &Path, edits: &[&'a Edit], sources: &'a Sources<'_>) -> Option<Snippet<'a, Patch<'a>>> {
    let source = sources.get(path)?;
    let start = edits.iter().map(|edit| edit.range.start).min()?;
    let end = edits.iter().map(|edit| edit.range.end).max()?;
    let fits = |edit: &&&Edit| source.clamp(edit.range) == edit.range;
    if edits.iter().filter(fits).count() < edits.len() {
        return None;
    }
    let lines = source.lines_around(Range::new(start, end));
    let shown = lines.slice(source.text());
    let new = edits.iter().flat_map(|edit| edit.new_text.lines());
    if shown.lines().chain(new).any(|line| line.len() > MAX_PATCHED_LINE) {
        return None;
    }
    let patches = edits.iter().map(|edit| {
        let range = edit.range.start - lines.start..edit.range.end - lines.start;
        Patch::new(range, edit.new_text.as_str())
    });
    Some(lines_of(path, sources, source, lines).patches(patches))
}

/// Titles are sentences for menus; after `help: ` they go on in lower case, names and acronyms apart.
fn lower_first(title: &str) -> String {
    let mut characters = title.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(title.chars().skip(1)).collect()
        }
        _ => title.to_owned(),
    }
}

/// A measured number as people write it.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !value.is_finite() {
        format!("{value}")
    } else if !(1e-3..1e5).contains(&size) {
        format!("{value:.2e}")
    } else if size >= 1000.0 {
        format!("{value:.0}")
    } else if size < 1.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_is_the_first_sentence() {
        assert_eq!(split("one thing"), ("one thing", ""));
        assert_eq!(
            split("one thing. Then another. And one more."),
            ("one thing", "Then another. And one more.")
        );
        assert_eq!(
            split("at 0.5 it is, e.g. relu, 3. of all"),
            ("at 0.5 it is, e.g. relu, 3. of all", "")
        );
        assert_eq!(split("first\nsecond. Third"), ("first", "second. Third"));
        assert_eq!(split("ends in. "), ("ends in. ", ""));
        assert_eq!(split("too high; try 0.01"), ("too high", "try 0.01"));
        assert_eq!(split("a;é. É"), ("a;é", "É"));
        assert_eq!(split(""), ("", ""));
    }

    #[test]
    fn numbers_are_short() {
        let shown: Vec<_> = [
            0.0,
            0.72118,
            0.5,
            12.345,
            4627.07,
            1e-7,
            3.2e9,
            f64::NAN,
            f64::NEG_INFINITY,
        ]
        .map(number)
        .to_vec();
        assert_eq!(
            shown,
            [
                "0", "0.721", "0.500", "12.35", "4627", "1.00e-7", "3.20e9", "NaN", "-inf"
            ]
        );
    }

    #[test]
    fn titles_go_on_in_lower_case() {
        assert_eq!(lower_first("Use a sigmoid"), "use a sigmoid");
        assert_eq!(lower_first("SGD needs a rate"), "SGD needs a rate");
        assert_eq!(lower_first(""), "");
    }
}
