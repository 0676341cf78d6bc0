//! Any edits at any positions, inside the text or not: the text stays whole, and what is said to be replaced is what was.
#![no_main]

use std::str::FromStr;

use deeplocalize::lsp::document::Document;
use deeplocalize::text::Encoding;
use libfuzzer_sys::fuzz_target;
use tower_lsp::ls_types::{Position, Range, TextDocumentContentChangeEvent, Uri};

fuzz_target!(|input: (String, u8, Vec<(u8, u8, u8, u8, bool, String)>)| {
    let (start, encoding, edits) = input;
    let encoding = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32][usize::from(encoding % 3)];
    let uri = Uri::from_str("file:///train.py").expect("a uri");
    let mut document = Document::new(&uri, 1, 1, start);
    for (line, column, to_line, to_column, whole, text) in edits {
        let mut expected = document.text.as_str().to_owned();
        let range = Range::new(
            Position::new(line.into(), column.into()),
            Position::new(to_line.into(), to_column.into()),
        );
        let range = (!whole).then_some(range);
        let change = TextDocumentContentChangeEvent { range, range_length: None, text };
        let made = document.apply(change, encoding);
        expected.replace_range(made.range.start..made.range.end, &made.new_text);
        assert_eq!(document.text.as_str(), expected);
    }
});
