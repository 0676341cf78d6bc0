//! An open document.

use std::path::PathBuf;
use std::sync::Arc;

use finding::Range;
use tower_lsp::ls_types::{TextDocumentContentChangeEvent, Uri};

use super::event::Question;
use super::places;
use super::position::{Encoding, IndexedText};
use super::quick_check::CheckedFile;

/// One document as the client shows it.
#[derive(Debug)]
pub struct Document {
    /// The path findings carry.
    pub path: PathBuf,
    /// Version the client gave the text.
    pub version: i32,
    /// Number of this text among all texts of the session; tells results for it from stale ones.
    pub revision: u64,
    /// The text.
    pub text: Arc<IndexedText>,
    /// Result of the last check and the revision it was made of.
    pub checked: Option<(u64, CheckedFile)>,
    /// Revision being checked.
    pub checking: Option<u64>,
    /// Whether to check again as soon as the present check is over.
    pub check_again: bool,
    /// Requests that wait for a check of the present text.
    pub waiting: Vec<Question>,
}

/// A replacement in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// What was replaced, in the text before.
    pub range: Range,
    /// What stands there now.
    pub new_text: String,
}

impl Replacement {
    /// The smallest replacement that leads from one text to another.
    pub fn between(old: &str, new: &str) -> Self {
        let same = |(a, b): &(char, char)| a == b;
        let prefix: usize = old
            .chars()
            .zip(new.chars())
            .take_while(same)
            .map(|(a, _)| a.len_utf8())
            .sum();
        let (old_rest, new_rest) = (
            old.get(prefix..).unwrap_or_default(),
            new.get(prefix..).unwrap_or_default(),
        );
        let suffix: usize = old_rest
            .chars()
            .rev()
            .zip(new_rest.chars().rev())
            .take_while(same)
            .map(|(a, _)| a.len_utf8())
            .sum();
        Replacement {
            range: Range::new(prefix, old.len() - suffix),
            new_text: new_rest
                .get(..new_rest.len() - suffix)
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

impl Document {
    /// A document that was just opened.
    pub fn new(uri: &Uri, version: i32, revision: u64, text: String) -> Self {
        Document {
            path: places::path_of(uri),
            version,
            revision,
            text: Arc::new(IndexedText::new(text)),
            checked: None,
            checking: None,
            check_again: false,
            waiting: Vec::new(),
        }
    }

    /// Applies one change of the client; what it was in bytes of the text before.
    pub fn apply(&mut self, change: TextDocumentContentChangeEvent, encoding: Encoding) -> Replacement {
        let old = self.text.as_str();
        let (replacement, text) = match change.range {
            None => (Replacement::between(old, &change.text), change.text),
            Some(range) => {
                let range = self.text.bytes(range, encoding);
                let before = old.get(..range.start).unwrap_or_default();
                let after = old.get(range.end..).unwrap_or_default();
                let text = [before, &change.text, after].concat();
                (
                    Replacement {
                        range,
                        new_text: change.text,
                    },
                    text,
                )
            }
        };
        self.text = Arc::new(IndexedText::new(text));
        replacement
    }

    /// What the last check found, when it was made of the present text.
    pub fn current(&self) -> Option<&CheckedFile> {
        self.checked
            .as_ref()
            .filter(|(revision, _)| *revision == self.revision)
            .map(|(_, file)| file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_replacement_is_found() {
        for (old, new, range, new_text) in [
            ("abc", "abc", 3..3, ""),
            ("abc", "axc", 1..2, "x"),
            ("aa", "aaa", 2..2, "a"),
            ("aaa", "aa", 2..3, ""),
            ("é\n", "è\n", 0..2, "è"),
            ("", "x", 0..0, "x"),
        ] {
            let expected = Replacement {
                range: range.into(),
                new_text: new_text.to_owned(),
            };
            assert_eq!(Replacement::between(old, new), expected, "{old:?} → {new:?}");
        }
    }

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;
    use std::str::FromStr;

    /// Where a client says that a byte of its text is: lines end at `\n`, columns are in units of the encoding.
    fn place(text: &str, at: usize, encoding: Encoding) -> tower_lsp::ls_types::Position {
        let before = &text[..at];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default();
        let units = match encoding {
            Encoding::Utf8 => column.len(),
            Encoding::Utf16 => column.encode_utf16().count(),
            Encoding::Utf32 => column.chars().count(),
        };
        tower_lsp::ls_types::Position::new(u32::try_from(line).unwrap(), u32::try_from(units).unwrap())
    }

    /// A place no client refuses to name: not within a character nor within a line break.
    fn boundary(text: &str, index: Index) -> usize {
        let fits = |at: &usize| {
            text.is_char_boundary(*at) && !(text[..*at].ends_with('\r') && text[*at..].starts_with('\n'))
        };
        let all: Vec<usize> = (0..=text.len()).filter(fits).collect();
        *index.get(&all)
    }

    /// Text as editors send it: a carriage return alone is none of their line breaks.
    fn text(longest: usize) -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec!["a", "😀", "é", "\r\n", "\n", "\t", "#"]);
        vec(piece, 0..longest).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_edits_keep_the_text_equal_to_the_clients(
            start in text(40),
            edits in vec((any::<Index>(), any::<Index>(), text(8), 0..12_u8), 0..30),
            encoding in prop::sample::select(vec![Encoding::Utf8, Encoding::Utf16, Encoding::Utf32]),
        ) {
            let uri = Uri::from_str("file:///a.py").unwrap();
            let mut document = Document::new(&uri, 1, 1, start.clone());
            let mut client = start;
            for (from, to, new, whole) in edits {
                let (from, to) = (boundary(&client, from), boundary(&client, to));
                let (from, to) = (from.min(to), from.max(to));
                let before = client.clone();
                let range = (whole > 0).then(|| tower_lsp::ls_types::Range::new(
                    place(&client, from, encoding),
                    place(&client, to, encoding),
                ));
                match range {
                    Some(_) => client.replace_range(from..to, &new),
                    None => client = new.clone(),
                }
                let change = TextDocumentContentChangeEvent { range, range_length: None, text: new };
                let made = document.apply(change, encoding);
                prop_assert_eq!(document.text.as_str(), &client);
                // What it says was replaced leads from the old text to the new one.
                let mut replayed = before;
                replayed.replace_range(made.range.start..made.range.end, &made.new_text);
                prop_assert_eq!(&replayed, &client);
            }
        }
    }
}
