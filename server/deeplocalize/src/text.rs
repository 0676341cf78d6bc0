//! A text with its lines: byte offsets to and from the positions that people and editors speak of.

use finding::Range;
use line_index::{LineCol, LineIndex, TextSize, WideEncoding, WideLineCol};

/// Unit in which an editor counts the characters of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units, the default of the protocol.
    #[default]
    Utf16,
    /// Code points.
    Utf32,
}

/// A place as editors count it: both numbers from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Character in the line, in the units of an [`Encoding`].
    pub character: u32,
}

/// A text and where its lines begin. Lines end with `\n` or `\r\n`.
///
/// No method panics: offsets past the end are taken as the end, offsets inside a character as its start.
#[derive(Clone, Debug)]
pub struct SourceText {
    text: String,
    index: LineIndex,
}

impl SourceText {
    /// Indexes a text (of less than 4 GiB).
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let index = LineIndex::new(&text);
        SourceText { text, index }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of an offset, both from 1; the column counts code points.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let position = self.position(offset, Encoding::Utf32);
        (position.line as usize + 1, position.character as usize + 1)
    }

    /// Place of an offset as an editor counts it.
    pub fn position(&self, offset: usize, encoding: Encoding) -> Position {
        let offset = floor_char_boundary(&self.text, offset);
        let place = self
            .index
            .try_line_col(size(offset))
            .unwrap_or(LineCol { line: 0, col: 0 });
        let character = match wide(encoding) {
            None => place.col,
            Some(wide) => self.index.to_wide(wide, place).map_or(place.col, |wide| wide.col),
        };
        Position {
            line: place.line,
            character,
        }
    }

    /// Offset of a place as an editor counts it, both numbers from 0. A character past the end of its line is taken
    /// as the end of the line, a line past the end of the text as the end of the text.
    pub fn offset(&self, line: u32, character: u32, encoding: Encoding) -> usize {
        let Some(content) = self.line_content(line) else {
            return self.text.len();
        };
        let bytes = match wide(encoding) {
            None => Some(character),
            Some(wide) => {
                let place = WideLineCol { line, col: character };
                self.index.to_utf8(wide, place).map(|place| place.col)
            }
        };
        let bytes = bytes.map_or(content.len(), |bytes| content.len().min(bytes as usize));
        content.start + floor_char_boundary(content.slice(&self.text), bytes)
    }

    /// Range of a call as the tracer gives it: lines from 1, columns in UTF-8 bytes from 0. Where columns are not known
    /// (Python before 3.11) or do not fit the text, it is what stands on the first line, without the blanks around it.
    pub fn range_of_site(
        &self,
        line: u32,
        column: Option<u32>,
        end_line: Option<u32>,
        end_column: Option<u32>,
    ) -> Range {
        let start = line.saturating_sub(1);
        if let (Some(column), Some(end_column)) = (column, end_column) {
            let end = end_line.map_or(start, |line| line.saturating_sub(1));
            let range = Range::new(
                self.offset(start, column, Encoding::Utf8),
                self.offset(end, end_column, Encoding::Utf8),
            );
            if range.start < range.end {
                return range;
            }
        }
        let Some(content) = self.line_content(start) else {
            return Range::new(self.text.len(), self.text.len());
        };
        let text = content.slice(&self.text);
        let indent = text.len() - text.trim_start().len();
        Range::new(
            content.start + indent,
            content.start + text.trim_end().len().max(indent),
        )
    }

    /// Range of the lines that `range` touches, without the last line break.
    pub fn lines_around(&self, range: Range) -> Range {
        let content = |offset| self.line_content(self.position(offset, Encoding::Utf8).line);
        let start = content(range.start).map_or(0, |line| line.start);
        let end = content(range.end.max(range.start)).map_or(self.text.len(), |line| line.end);
        Range::new(start, end.max(start))
    }

    /// The range moved so that it fits the text.
    pub fn clamp(&self, range: Range) -> Range {
        let start = floor_char_boundary(&self.text, range.start);
        let end = floor_char_boundary(&self.text, range.end);
        Range::new(start, end.max(start))
    }

    /// A line (from 0) without its line break.
    fn line_content(&self, line: u32) -> Option<Range> {
        // `LineIndex::line` computes with `line + 1`.
        let line = self.index.line(line.min(u32::MAX - 1))?;
        let range = Range::new(line.start().into(), line.end().into());
        let text = range.slice(&self.text);
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Some(Range::new(range.start, range.start + text.len()))
    }
}

fn wide(encoding: Encoding) -> Option<WideEncoding> {
    match encoding {
        Encoding::Utf8 => None,
        Encoding::Utf16 => Some(WideEncoding::Utf16),
        Encoding::Utf32 => Some(WideEncoding::Utf32),
    }
}

fn size(offset: usize) -> TextSize {
    TextSize::new(u32::try_from(offset).unwrap_or(u32::MAX))
}

/// `str::floor_char_boundary`, which is younger than the Rust version the workspace asks for.
fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "x = 1\r\n# é 😀 b\r\n\ty = 2\nend";

    #[test]
    fn every_character_is_found_again_in_every_encoding() {
        let source = SourceText::new(MIXED);
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            for (offset, character) in MIXED.char_indices() {
                let position = source.position(offset, encoding);
                let found = source.offset(position.line, position.character, encoding);
                // The `\n` of a `\r\n` lies past the end of its line.
                let expected = if character == '\n' && MIXED[..offset].ends_with('\r') {
                    offset - 1
                } else {
                    offset
                };
                assert_eq!(found, expected, "{encoding:?} {offset}");
            }
        }
    }

    #[test]
    fn columns_count_what_their_encoding_counts() {
        let source = SourceText::new(MIXED);
        let b = MIXED.find('b').unwrap();
        assert_eq!(source.line_column(b), (2, 7));
        assert_eq!(source.position(b, Encoding::Utf8).character, 10);
        assert_eq!(source.position(b, Encoding::Utf16).character, 7);
        assert_eq!(source.position(b, Encoding::Utf32).character, 6);
    }

    #[test]
    fn what_does_not_fit_is_clamped() {
        let source = SourceText::new(MIXED);
        let smile = MIXED.find('😀').unwrap();
        let last = MIXED.len();
        assert_eq!(
            source.position(smile + 2, Encoding::Utf16),
            source.position(smile, Encoding::Utf16)
        );
        assert_eq!(
            source.position(usize::MAX, Encoding::Utf8),
            Position {
                line: 3,
                character: 3
            }
        );
        assert_eq!(source.offset(0, 99, Encoding::Utf16), 5, "before the line break");
        assert_eq!(source.offset(0, u32::MAX, Encoding::Utf32), 5);
        assert_eq!(
            source.offset(1, u32::MAX, Encoding::Utf16),
            MIXED.find(" b\r").unwrap() + 2
        );
        assert_eq!(source.offset(u32::MAX, u32::MAX, Encoding::Utf8), last);
        // Between the two UTF-16 units of the emoji.
        assert_eq!(source.offset(1, 5, Encoding::Utf16), smile);
        assert_eq!(SourceText::new("").offset(0, 3, Encoding::Utf16), 0);
        assert_eq!(
            source.clamp(Range::new(smile + 1, usize::MAX)),
            Range::new(smile, last)
        );
    }

    #[test]
    fn a_site_is_its_call_or_its_line() {
        let source = SourceText::new(MIXED);
        let text = |range: Range| range.slice(MIXED);
        assert_eq!(text(source.range_of_site(3, Some(5), Some(3), Some(6))), "2");
        assert_eq!(
            text(source.range_of_site(2, Some(5), Some(3), Some(2))),
            "😀 b\r\n\ty"
        );
        assert_eq!(text(source.range_of_site(3, None, None, None)), "y = 2");
        assert_eq!(text(source.range_of_site(3, Some(6), Some(2), Some(0))), "y = 2");
        assert_eq!(text(source.range_of_site(0, None, None, None)), "x = 1");
        assert_eq!(
            source.range_of_site(99, Some(1), Some(99), Some(9)),
            Range::new(MIXED.len(), MIXED.len())
        );
    }

    #[test]
    fn lines_are_taken_whole() {
        let source = SourceText::new(MIXED);
        let y = MIXED.find('y').unwrap();
        let text = |range: Range| range.slice(MIXED);
        assert_eq!(text(source.lines_around(Range::new(y, y + 1))), "\ty = 2");
        assert_eq!(
            text(source.lines_around(Range::new(0, y))),
            "x = 1\r\n# é 😀 b\r\n\ty = 2"
        );
    }
}
