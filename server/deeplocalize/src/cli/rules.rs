//! `deeplocalize rules`.

use std::io::{self, Write};

use clap::ValueEnum;
use finding::RuleInfo;
use serde::Serialize;

use super::common::{Outcome, reader_gone, width};
use crate::output::style::{DIM, EMPHASIS, paint};
use crate::report::all_rules;

/// List everything the tool can find
#[derive(Debug, clap::Args)]
pub struct Rules {
    /// Print a table for people, or one JSON document for programs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output_format: ListFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ListFormat {
    Text,
    Json,
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    rules: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    code: &'static str,
    name: &'static str,
    kind: &'static str,
    severity: &'static str,
    summary: String,
}

impl Rules {
    pub fn execute(self) -> io::Result<Outcome> {
        let rules = all_rules();
        let text = match self.output_format {
            ListFormat::Text => table(&rules, width()),
            ListFormat::Json => serde_json::to_string_pretty(&document(&rules))? + "\n",
        };
        anstream::stdout()
            .write_all(text.as_bytes())
            .or_else(reader_gone)?;
        Ok(0)
    }
}

fn document(rules: &[&'static RuleInfo]) -> Document {
    let entry = |rule: &&'static RuleInfo| Entry {
        code: rule.code,
        name: rule.name,
        kind: rule.kind.as_str(),
        severity: rule.severity.as_str(),
        summary: rule.summary(),
    };
    Document {
        schema: 1,
        rules: rules.iter().map(entry).collect(),
    }
}

fn table(rules: &[&RuleInfo], width: usize) -> String {
    let widest = |cell: fn(&RuleInfo) -> &str| rules.iter().map(|rule| cell(rule).len()).max().unwrap_or(0);
    let names = widest(|rule| rule.name);
    let kinds = widest(|rule| rule.kind.as_str());
    let indent = " ".repeat(7);
    let options = textwrap::Options::new(width.clamp(40, 110))
        .initial_indent(&indent)
        .subsequent_indent(&indent)
        .break_words(false);
    let mut table = String::new();
    for rule in rules {
        let name = paint(EMPHASIS, format!("{:names$}", rule.name));
        let about = paint(DIM, rule.severity.as_str());
        table.push_str(&format!(
            "{}  {name}  {:kinds$}  {about}\n",
            rule.code,
            rule.kind.as_str()
        ));
        for line in textwrap::wrap(&rule.summary(), &options) {
            table.push_str(line.trim_end());
            table.push('\n');
        }
    }
    table
}
