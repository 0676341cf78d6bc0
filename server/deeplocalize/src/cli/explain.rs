//! `deeplocalize explain`.

use std::io::{self, Write};

use finding::RuleInfo;

use super::common::{FAILED, Outcome, reader_gone};
use crate::output::style::{CODE, DIM, EMPHASIS, paint};
use crate::output::write_error;
use crate::report::{ToolError, all_rules};

/// Explain a finding: what it means, why it matters, what to do
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  deeplocalize explain DL101\n  deeplocalize explain softmax-on-one-unit")]
pub struct Explain {
    /// Code or name of a finding
    #[arg(value_name = "CODE")]
    code: String,
}

impl Explain {
    pub fn execute(self) -> io::Result<Outcome> {
        let rules = all_rules();
        let asked = |rule: &&&RuleInfo| {
            rule.code.eq_ignore_ascii_case(&self.code) || rule.name.eq_ignore_ascii_case(&self.code)
        };
        match rules.iter().find(asked) {
            Some(rule) => {
                anstream::stdout()
                    .write_all(page(rule).as_bytes())
                    .or_else(reader_gone)?;
                Ok(0)
            }
            None => {
                write_error(&unknown(&self.code, &rules), &mut anstream::stderr())?;
                Ok(FAILED)
            }
        }
    }
}

fn unknown(code: &str, rules: &[&RuleInfo]) -> ToolError {
    let hint = match closest(code, rules) {
        Some(rule) => format!("did you mean {} ({})?", rule.code, rule.name),
        None => "`deeplocalize rules` lists all codes".into(),
    };
    ToolError {
        code: "unknown-code".into(),
        message: format!("there is no finding with the code or name `{code}`"),
        path: None,
        hint,
    }
}

fn closest<'a>(code: &str, rules: &[&'a RuleInfo]) -> Option<&'a RuleInfo> {
    let asked = code.to_lowercase();
    let likeness = |rule: &RuleInfo| {
        let code = strsim::jaro_winkler(&asked, &rule.code.to_lowercase());
        code.max(strsim::jaro_winkler(&asked, rule.name))
    };
    rules
        .iter()
        .map(|rule| (likeness(rule), *rule))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.code.cmp(a.1.code)))
        .map(|(_, rule)| rule)
}

/// The rule's page for the terminal. The Markdown is kept where it reads well as it is.
fn page(rule: &RuleInfo) -> String {
    let about = format!("{}, {}", rule.severity.as_str(), rule.kind);
    let mut page = format!(
        "{} {}  {}\n",
        paint(EMPHASIS, rule.code),
        paint(EMPHASIS, rule.name),
        paint(DIM, about)
    );
    let mut code = false;
    for line in rule.markdown().lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if code {
            page.push_str("    ");
            page.push_str(&paint(CODE, line));
            page.push('\n');
        } else if line.starts_with("# ") {
            // The title stands above already.
        } else if let Some(heading) = line.strip_prefix("## ") {
            page.push_str(&paint(EMPHASIS, heading));
            page.push('\n');
        } else {
            page.push_str(&inline(line));
            page.push('\n');
        }
    }
    page
}

/// `code` in its colour, the ticks kept: they tell code from prose where there are no colours.
fn inline(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let closed = parts.len() % 2 == 1;
    let shown = parts.iter().enumerate().map(|(index, part)| {
        if closed && index % 2 == 1 {
            paint(CODE, format!("`{part}`"))
        } else {
            (*part).to_owned()
        }
    });
    if closed { shown.collect() } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use finding::{Kind, Severity};

    use super::*;

    const RULE: RuleInfo = RuleInfo {
        code: "DL101",
        name: "softmax-on-one-unit",
        kind: Kind::OutputActivation,
        severity: Severity::Error,
        source: "//! # softmax-on-one-unit\n//! ## What it does\n//! Finds `softmax` on one unit.\n//! ```python\n//! Dense(1)\n//! ```\ncode",
    };

    #[test]
    fn a_page_reads_without_colours() {
        let plain = anstream::adapter::strip_str(&page(&RULE)).to_string();
        assert_eq!(
            plain,
            "DL101 softmax-on-one-unit  error, output-activation\nWhat it does\nFinds `softmax` on one unit.\n    Dense(1)\n"
        );
        assert!(page(&RULE).contains(&paint(CODE, "`softmax`")));
        assert_eq!(inline("an open ` tick"), "an open ` tick");
    }

    #[test]
    fn a_near_miss_is_suggested() {
        let rules = [&RULE];
        assert_eq!(
            unknown("DL110", &rules).hint,
            "did you mean DL101 (softmax-on-one-unit)?"
        );
        assert_eq!(
            unknown("softmax-on-1-unit", &rules).hint,
            "did you mean DL101 (softmax-on-one-unit)?"
        );
        assert_eq!(
            unknown("xyz", &rules).hint,
            "`deeplocalize rules` lists all codes"
        );
    }
}
