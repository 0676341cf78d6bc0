//! `textDocument/documentSymbol`: the models as an outline, with their layers.

use finding::Range;
use tower_lsp::ls_types::{
    DocumentSymbol, DocumentSymbolResponse, Location, SymbolInformation, SymbolKind, Uri,
};

use super::super::document::Document;
use super::super::outline::{Entry, ModelNote};
use super::super::position::Encoding;
use super::super::state::State;

/// The models of a document.
pub fn document_symbol(state: &State, uri: &Uri) -> Option<DocumentSymbolResponse> {
    let document = state.documents.get(uri)?;
    let models = &document.current()?.outline.models;
    if state.client.nested_symbols {
        let symbols = models
            .iter()
            .filter_map(|note| model(document, note, state.encoding));
        return Some(DocumentSymbolResponse::Nested(symbols.collect()));
    }
    let mut flat = Vec::new();
    for note in models {
        let mut add = |name: &str, kind, range, container: Option<&str>| {
            #[allow(deprecated, reason = "the field must be given")]
            flat.push(SymbolInformation {
                name: name.to_owned(),
                kind,
                tags: None,
                deprecated: None,
                location: Location::new(uri.clone(), document.text.range(range, state.encoding)),
                container_name: container.map(str::to_owned),
            });
        };
        if let Some(range) = note.range {
            add(&note.name, SymbolKind::CLASS, range, None);
        }
        for entry in &note.layers {
            add(&entry.name, SymbolKind::FIELD, entry.range, Some(&note.name));
        }
    }
    Some(DocumentSymbolResponse::Flat(flat))
}

fn model(document: &Document, note: &ModelNote, encoding: Encoding) -> Option<DocumentSymbol> {
    let layers = note.layers.iter();
    // The layers of a functional model stand before it: the symbol spans them all, as the protocol asks for.
    let whole = note
        .range
        .into_iter()
        .chain(layers.clone().map(|entry| entry.range));
    let whole =
        whole.reduce(|left, right| Range::new(left.start.min(right.start), left.end.max(right.end)))?;
    let selection = note.callee.or_else(|| Some(note.layers.first()?.callee))?;
    let detail = (note.name != note.class).then(|| note.class.clone());
    Some(symbol(
        document,
        encoding,
        (note.name.clone(), detail),
        SymbolKind::CLASS,
        (whole, selection),
        layers.map(|entry| layer(document, entry, encoding)).collect(),
    ))
}

fn layer(document: &Document, entry: &Entry, encoding: Encoding) -> DocumentSymbol {
    let detail = (!entry.detail.is_empty()).then(|| entry.detail.clone());
    symbol(
        document,
        encoding,
        (entry.name.clone(), detail),
        SymbolKind::FIELD,
        (entry.range, entry.callee),
        Vec::new(),
    )
}

fn symbol(
    document: &Document,
    encoding: Encoding,
    (name, detail): (String, Option<String>),
    kind: SymbolKind,
    (range, selection): (Range, Range),
    children: Vec<DocumentSymbol>,
) -> DocumentSymbol {
    #[allow(deprecated, reason = "the field must be given")]
    DocumentSymbol {
        // Clients refuse symbols without a name.
        name: if name.trim().is_empty() {
            "(unnamed)".to_owned()
        } else {
            name
        },
        detail,
        kind,
        tags: None,
        deprecated: None,
        range: document.text.range(range, encoding),
        selection_range: document.text.range(selection, encoding),
        children: (!children.is_empty()).then_some(children),
    }
}
