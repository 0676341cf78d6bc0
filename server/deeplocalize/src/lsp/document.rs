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
}
