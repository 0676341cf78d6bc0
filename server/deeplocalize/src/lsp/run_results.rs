//! What runs found, moved along with the edits made since.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use finding::{Finding, Range};

use super::document::Replacement;
use super::position::IndexedText;
use crate::report::Report;

/// Findings of the last run, with the texts their ranges refer to.
#[derive(Debug, Default)]
pub struct RunResults {
    findings: Vec<Finding>,
    texts: HashMap<PathBuf, Arc<IndexedText>>,
    number: u64,
}

impl RunResults {
    /// Takes over what a run found. `resolve` names a path as the open documents do.
    pub fn replace(&mut self, report: Report, resolve: impl Fn(&Path) -> PathBuf) {
        self.number += 1;
        self.texts = report
            .texts
            .into_iter()
            .map(|(path, text)| (resolve(&path), Arc::new(IndexedText::new(text))))
            .collect();
        self.findings = report.findings;
        self.rename(resolve);
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.number += 1;
        self.findings.clear();
        self.texts.clear();
    }

    /// Removes the findings that stand in a file.
    pub fn forget(&mut self, path: &Path) {
        self.findings.retain(|finding| finding.path != path);
    }

    /// Counts the changes that no edit made.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Findings that stand in a file, best explanation first.
    pub fn in_file<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.path == path)
    }

    /// All findings, best explanation first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Files with findings.
    pub fn paths(&self) -> BTreeSet<PathBuf> {
        self.findings.iter().map(|finding| finding.path.clone()).collect()
    }

    /// The text that ranges in a file refer to.
    pub fn text(&self, path: &Path) -> Option<&Arc<IndexedText>> {
        self.texts.get(path)
    }

    /// A file was opened, or is open when a run ends: from now on its text is the one the editor shows.
    pub fn adopt(&mut self, path: &Path, text: &Arc<IndexedText>) {
        let known = self.texts.keys().find(|known| same_file(known, path)).cloned();
        let Some(old) = known.and_then(|known| {
            let text = self.texts.remove(&known);
            self.rename(|other| {
                if other == known {
                    path.to_owned()
                } else {
                    other.to_owned()
                }
            });
            text
        }) else {
            return;
        };
        let replacement = Replacement::between(old.as_str(), text.as_str());
        self.follow(path, &old, &replacement, text);
    }

    /// Part of a text was replaced. What stands on a line that changed is no longer known to be true and goes;
    /// what stands above stays, what stands below moves.
    pub fn follow(
        &mut self,
        path: &Path,
        old: &IndexedText,
        replacement: &Replacement,
        new: &Arc<IndexedText>,
    ) {
        if replacement.range.slice(old.as_str()) != replacement.new_text {
            self.findings
                .retain_mut(|finding| moved(finding, path, old, replacement));
        }
        self.texts.insert(path.to_owned(), Arc::clone(new));
    }

    fn rename(&mut self, name: impl Fn(&Path) -> PathBuf) {
        for finding in &mut self.findings {
            finding.path = name(&finding.path);
            for evidence in &mut finding.evidence {
                evidence.path = name(&evidence.path);
            }
            for edit in finding.fixes.iter_mut().flat_map(|fix| &mut fix.edits) {
                edit.path = name(&edit.path);
            }
        }
    }
}

/// Whether two paths lead to the same file, links followed.
pub fn same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Moves everything a finding says about a text; whether the finding itself is still there.
fn moved(finding: &mut Finding, path: &Path, old: &IndexedText, replacement: &Replacement) -> bool {
    let new_place = |range| moved_range(range, old, replacement);
    if finding.path == path {
        match new_place(finding.range) {
            Some(range) => finding.range = range,
            None => return false,
        }
    }
    for evidence in finding
        .evidence
        .iter_mut()
        .filter(|evidence| evidence.path == path)
    {
        evidence.range = evidence.range.and_then(new_place);
    }
    // A fix is made of all its edits or it is none.
    finding.fixes.retain_mut(|fix| {
        fix.edits.iter_mut().filter(|edit| edit.path == path).all(|edit| {
            let range = new_place(edit.range);
            edit.range = range.unwrap_or_default();
            range.is_some()
        })
    });
    true
}

/// Where a range is after a replacement; `None` when a line it is on was changed.
fn moved_range(range: Range, old: &IndexedText, replacement: &Replacement) -> Option<Range> {
    let text = old.as_str();
    let Replacement {
        range: change,
        new_text,
    } = replacement;
    let lines = Range::new(old.line_range(range.start).start, old.line_range(range.end).end);
    // What will stand directly before and after the place of the change.
    let before = new_text
        .chars()
        .next_back()
        .or_else(|| text.get(..change.start)?.chars().next_back());
    let after = new_text
        .chars()
        .next()
        .or_else(|| text.get(change.end..)?.chars().next());

    let is_above =
        change.end < lines.start || (change.end == lines.start && before.is_none_or(|c| c == '\n'));
    let is_below = change.start > lines.end
        || (change.start == lines.end && after.is_none_or(|c| c == '\n' || c == '\r'));
    if is_above {
        let move_by = |offset: usize| offset - change.len() + new_text.len();
        Some(Range::new(move_by(range.start), move_by(range.end)))
    } else {
        is_below.then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replaces `what` in a text with three lines and tells what becomes of a finding on the middle one.
    fn edit(what: &str, with: &str) -> Option<String> {
        let old = "one\r\ntwo = 2\r\nthree\r\n";
        let start = old.find(what).unwrap();
        let replacement = Replacement {
            range: (start..start + what.len()).into(),
            new_text: with.to_owned(),
        };
        let new = old.replacen(what, with, 1);
        let two = old.find('2').unwrap();
        let range = moved_range(
            Range::new(two, two + 1),
            &IndexedText::new(old.to_owned()),
            &replacement,
        )?;
        Some(range.slice(&new).to_owned())
    }

    #[test]
    fn edits_of_other_lines_move_a_finding() {
        for (what, with) in [
            ("one", "zero\none"),
            ("one\r\n", ""),
            ("one\r\n", "é\n"),
            ("three", ""),
            ("\r\nthree", "\r\nbetween\r\nthree"),
            ("\r\nthree", ""),
        ] {
            assert_eq!(edit(what, with).as_deref(), Some("2"), "{what:?} → {with:?}");
        }
    }

    #[test]
    fn edits_of_its_line_remove_a_finding() {
        for (what, with) in [
            ("2", "3"),
            ("two", "ten"),
            ("two", "new\ntwo"),
            ("\r\ntwo", "two"),
            ("2\r\n", "2"),
            ("= 2\r\nth", ""),
        ] {
            assert_eq!(edit(what, with), None, "{what:?} → {with:?}");
        }
    }

    #[test]
    fn a_new_line_directly_above_moves_it() {
        let old = IndexedText::new("a\nb\n".to_owned());
        let insert = |new_text: &str| Replacement {
            range: Range::new(2, 2),
            new_text: new_text.to_owned(),
        };
        assert_eq!(
            moved_range(Range::new(2, 3), &old, &insert("x\n")),
            Some(Range::new(4, 5))
        );
        assert_eq!(moved_range(Range::new(2, 3), &old, &insert("x")), None);
        assert_eq!(
            moved_range(Range::new(0, 1), &old, &insert("x")),
            Some(Range::new(0, 1))
        );
    }
}
