//! Byte offsets ↔ lines and columns of the protocol, in the encoding agreed on with the client.
//!
//! Whatever comes in is clamped to the text: clients do send positions beyond the end of a line. A carriage return
//! alone is no line break here; editors that treat it as one replace it before they send a text.

use std::ops::Range as ByteRange;

use finding::Range;
use line_index::{LineCol, LineIndex, TextSize, WideEncoding, WideLineCol};
use tower_lsp::ls_types::{self, Position, PositionEncodingKind};

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what every client knows.
    #[default]
    Utf16,
    /// Code points.
    Utf32,
}

impl Encoding {
    /// The best of what the client offers: bytes need no conversion.
    pub fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Self {
        let offered = offered.unwrap_or_default();
        if offered.contains(&PositionEncodingKind::UTF8) {
            Encoding::Utf8
        } else if offered.contains(&PositionEncodingKind::UTF16)
            || !offered.contains(&PositionEncodingKind::UTF32)
        {
            Encoding::Utf16
        } else {
            Encoding::Utf32
        }
    }

    /// The name in the protocol.
    pub const fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    const fn wide(self) -> Option<WideEncoding> {
        match self {
            Encoding::Utf8 => None,
            Encoding::Utf16 => Some(WideEncoding::Utf16),
            Encoding::Utf32 => Some(WideEncoding::Utf32),
        }
    }
}

/// A text with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexedText {
    text: String,
    lines: LineIndex,
}

impl IndexedText {
    /// Finds the lines of a text.
    pub fn new(text: String) -> Self {
        let lines = LineIndex::new(&text);
        IndexedText { text, lines }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Number of the line an offset is in, from 0.
    pub fn line(&self, offset: usize) -> u32 {
        self.line_col(offset).line
    }

    /// The line an offset is in, without its line break.
    pub fn line_range(&self, offset: usize) -> Range {
        self.line_bytes(self.line(offset)).into()
    }

    /// Position of a byte offset.
    pub fn position(&self, offset: usize, encoding: Encoding) -> Position {
        let at = self.line_col(offset);
        match encoding.wide().and_then(|wide| self.lines.to_wide(wide, at)) {
            Some(wide) => Position::new(wide.line, wide.col),
            None => Position::new(at.line, at.col),
        }
    }

    /// Byte offset of a position.
    pub fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let line = self.line_bytes(position.line);
        let column = match encoding.wide() {
            None => Some(position.character),
            Some(wide) => {
                let at = WideLineCol {
                    line: position.line,
                    col: position.character,
                };
                self.lines.to_utf8(wide, at).map(|at| at.col)
            }
        };
        let offset = column
            .and_then(|column| line.start.checked_add(usize::try_from(column).ok()?))
            .map_or(line.end, |offset| offset.min(line.end));
        self.floor(offset)
    }

    /// Range of the protocol for a range of bytes.
    pub fn range(&self, range: Range, encoding: Encoding) -> ls_types::Range {
        ls_types::Range::new(
            self.position(range.start, encoding),
            self.position(range.end, encoding),
        )
    }

    /// Range of bytes for a range of the protocol; the right way round even when the client's is not.
    pub fn bytes(&self, range: ls_types::Range, encoding: Encoding) -> Range {
        let (start, end) = (
            self.offset(range.start, encoding),
            self.offset(range.end, encoding),
        );
        Range::new(start.min(end), start.max(end))
    }

    fn line_col(&self, offset: usize) -> LineCol {
        TextSize::try_from(self.floor(offset))
            .ok()
            .and_then(|offset| self.lines.try_line_col(offset))
            .unwrap_or(LineCol { line: 0, col: 0 })
    }

    /// Bytes of a line without its line break; the end of the text for a line beyond it.
    fn line_bytes(&self, line: u32) -> ByteRange<usize> {
        let Some(range) = self.lines.line(line) else {
            return self.text.len()..self.text.len();
        };
        let (start, end) = (usize::from(range.start()), usize::from(range.end()));
        let line = self.text.get(start..end).unwrap_or_default();
        let content = line
            .strip_suffix('\n')
            .map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
        start..start + content.len()
    }

    /// The nearest character boundary at or before an offset.
    fn floor(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        (0..=offset)
            .rev()
            .find(|&at| self.text.is_char_boundary(at))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "é😀x\r\n\r\nlast";

    #[test]
    fn columns_count_what_was_agreed_on() {
        let text = IndexedText::new(TEXT.to_owned());
        let x = TEXT.find('x').unwrap();
        for (encoding, column) in [(Encoding::Utf8, 6), (Encoding::Utf16, 3), (Encoding::Utf32, 2)] {
            assert_eq!(
                text.position(x, encoding),
                Position::new(0, column),
                "{encoding:?}"
            );
            assert_eq!(text.offset(Position::new(0, column), encoding), x, "{encoding:?}");
        }
    }

    #[test]
    fn wrong_positions_are_clamped() {
        let text = IndexedText::new(TEXT.to_owned());
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            // Before the line break, not between its two characters.
            assert_eq!(text.offset(Position::new(0, 99), encoding), 7);
            assert_eq!(text.offset(Position::new(0, u32::MAX), encoding), 7);
            assert_eq!(text.offset(Position::new(1, 5), encoding), 9);
            assert_eq!(text.offset(Position::new(9, 0), encoding), TEXT.len());
            assert_eq!(text.position(usize::MAX, encoding), Position::new(2, 4));
        }
        // Inside the surrogate pair, and inside the bytes, of the emoji.
        assert_eq!(text.offset(Position::new(0, 2), Encoding::Utf16), 2);
        assert_eq!(text.offset(Position::new(0, 4), Encoding::Utf8), 2);
        assert_eq!(text.position(4, Encoding::Utf16), Position::new(0, 1));
        let backwards = ls_types::Range::new(Position::new(2, 1), Position::new(0, 0));
        assert_eq!(text.bytes(backwards, Encoding::Utf16), Range::new(0, 12));
    }

    #[test]
    fn every_offset_comes_back() {
        let text = IndexedText::new(TEXT.to_owned());
        for (offset, character) in TEXT.char_indices().filter(|(_, character)| *character != '\n') {
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                let position = text.position(offset, encoding);
                assert_eq!(
                    text.offset(position, encoding),
                    offset,
                    "{character:?} {encoding:?}"
                );
            }
        }
    }

    #[test]
    fn the_best_encoding_of_the_offer_is_taken() {
        let offer = [PositionEncodingKind::UTF32, PositionEncodingKind::UTF16];
        assert_eq!(Encoding::negotiate(None), Encoding::Utf16);
        assert_eq!(Encoding::negotiate(Some(&offer)), Encoding::Utf16);
        assert_eq!(Encoding::negotiate(Some(&offer[..1])), Encoding::Utf32);
        assert_eq!(
            Encoding::negotiate(Some(&[PositionEncodingKind::UTF16, PositionEncodingKind::UTF8])),
            Encoding::Utf8
        );
    }
}
