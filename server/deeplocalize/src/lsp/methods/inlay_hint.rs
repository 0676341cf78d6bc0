//! `textDocument/inlayHint`: output shape and number of parameters behind each layer.

use std::collections::HashMap;

use tower_lsp::ls_types::{InlayHint, InlayHintLabel, InlayHintTooltip, Range, Uri};

use super::super::outline::LayerNote;
use super::super::state::State;

/// The hints in a range of a document; none where the user does not want any.
pub fn inlay_hint(state: &State, uri: &Uri, range: Range) -> Option<Vec<InlayHint>> {
    let document = state.documents.get(uri)?;
    if !state.settings.inlay_hints {
        return Some(Vec::new());
    }
    let text = document.text.as_str();
    let layers = &document.current()?.outline.layers;
    // Behind the last thing in the line, where it is in nobody's way, unless the line ends several layers.
    let line_of = |note: &LayerNote| document.text.line(note.range.end);
    let mut ends: HashMap<u32, usize> = HashMap::new();
    for note in layers {
        *ends.entry(line_of(note)).or_default() += 1;
    }
    let hints = layers.iter().filter_map(|note| {
        let summary = note.summary()?;
        let end = if ends.get(&line_of(note)) == Some(&1) {
            let line = document.text.line_range(note.range.end);
            line.start + line.slice(text).trim_end().len()
        } else {
            note.range.end
        };
        let position = document.text.position(end, state.encoding);
        let wanted = range.start.line <= position.line && position.line <= range.end.line;
        wanted.then(|| InlayHint {
            position,
            label: InlayHintLabel::String(format!("→ {summary}")),
            kind: None,
            text_edits: None,
            tooltip: tooltip(note).map(InlayHintTooltip::String),
            padding_left: Some(true),
            padding_right: None,
            data: None,
        })
    });
    Some(hints.collect())
}

fn tooltip(note: &LayerNote) -> Option<String> {
    let input = note.uses.first()?.input.as_ref()?;
    (note.uses.len() == 1).then(|| format!("{}: input {input}", note.class))
}
