//! `textDocument/hover` on what is called to make a layer or a model: what it is, its shapes and parameters.

use std::fmt::Write;

use tower_lsp::ls_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position, Uri};

use super::super::layer_trends;
use super::super::outline::{LayerNote, ModelNote, parameters};
use super::super::state::State;

/// What is known of the layer or model whose name in a call is at a position.
pub fn hover(state: &State, uri: &Uri, position: Position) -> Option<Hover> {
    let document = state.documents.get(uri)?;
    let offset = document.text.offset(position, state.encoding);
    let outline = &document.current()?.outline;
    let here = |range: finding::Range| range.start <= offset && offset <= range.end;
    let layer = outline.layers.iter().find(|note| here(note.callee));
    let model = outline.models.iter().find(|note| note.callee.is_some_and(here));
    let (value, range) = match (layer, model) {
        (Some(layer), _) => {
            let seen = layer_trends::describe(state, document, layer.range);
            let seen = seen.map_or_else(String::new, |seen| format!("\n\n---\n\n{seen}"));
            (of_layer(layer) + &seen, layer.callee)
        }
        (None, Some(model)) => (of_model(model), model.callee?),
        (None, None) => return None,
    };
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent {
            kind: if state.client.markdown_hover {
                MarkupKind::Markdown
            } else {
                MarkupKind::PlainText
            },
            value: if state.client.markdown_hover {
                value
            } else {
                value.replace(['*', '`'], "")
            },
        }),
        range: Some(document.text.range(range, state.encoding)),
    })
}

fn of_layer(note: &LayerNote) -> String {
    let mut text = format!("**{}** layer", note.class);
    for used in &note.uses {
        let shape = |shape: &Option<String>| shape.clone().unwrap_or_else(|| "not known".to_owned());
        let _ = write!(text, "\n\n`{}` → `{}`", shape(&used.input), shape(&used.output));
        if let Some(params) = used.params {
            let _ = write!(text, " · {}", parameters(params));
        }
        if used.frozen {
            text.push_str(" · frozen");
        }
    }
    text
}

fn of_model(note: &ModelNote) -> String {
    let layers = match note.layers.len() {
        1 => "1 layer".to_owned(),
        count => format!("{count} layers"),
    };
    let mut text = format!("**{}** model", note.class);
    if note.name != note.class {
        let _ = write!(text, " `{}`", note.name);
    }
    text.push_str("\n\n");
    match (note.complete, note.layers.is_empty()) {
        (true, _) => text.push_str(&layers),
        (false, true) => text.push_str("layers not known"),
        (false, false) => {
            let _ = write!(text, "{layers} known, there may be others");
        }
    }
    if let Some(params) = note.params {
        let _ = write!(text, " · {}", parameters(params));
    }
    text
}
