use crate::{Kind, Severity};

/// What is known about a code apart from any one finding. The documentation is the `//!` comment of the file
/// that implements it, so that page, `explain` and code cannot drift apart.
#[derive(Clone, Copy, Debug)]
pub struct RuleInfo {
    /// Stable code (`DL101`).
    pub code: &'static str,
    /// Readable name (`softmax-on-one-unit`); reads as "allow NAME".
    pub name: &'static str,
    /// Kind of fault it reports.
    pub kind: Kind,
    /// Severity it usually reports with.
    pub severity: Severity,
    /// Source text of the implementing file; its leading `//!` lines are the documentation.
    pub source: &'static str,
}

impl RuleInfo {
    /// The documentation as Markdown, without the comment markers.
    pub fn markdown(&self) -> String {
        let mut page = String::new();
        for line in self.source.lines().map_while(|line| line.strip_prefix("//!")) {
            page.push_str(line.strip_prefix(' ').unwrap_or(line));
            page.push('\n');
        }
        page
    }

    /// First sentence of the documentation.
    pub fn summary(&self) -> String {
        doc_section(&self.markdown(), "What it does")
            .trim()
            .replace('\n', " ")
    }
}

/// Text of the section `## title` of a page; empty when there is none.
pub fn doc_section(page: &str, title: &str) -> String {
    let mut section = String::new();
    let mut inside = false;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            inside = heading.trim() == title;
        } else if inside {
            section.push_str(line);
            section.push('\n');
        }
    }
    section.trim().to_owned()
}
