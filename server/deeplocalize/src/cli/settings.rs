//! Options about which rules count.

use std::path::PathBuf;
use std::sync::Arc;

use finding::Severity;

use crate::config::{Configuration, Layer, Selector, severity};
use crate::report::ToolError;

/// Options about which rules count.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Rules")]
pub struct SettingsArguments {
    /// Only these rules: codes (DL101), beginnings of codes (DL1), names or ALL, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    select: Option<Vec<Selector>>,
    /// All but these rules
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    ignore: Vec<Selector>,
    /// Another severity for a rule: hint, information, warning or error
    #[arg(long, value_name = "RULE=SEVERITY", value_parser = rule_severity)]
    severity: Vec<(Selector, Severity)>,
    /// The settings file, instead of the nearest deeplocalize.toml or pyproject.toml of each file
    #[arg(long, value_name = "FILE", conflicts_with = "isolated")]
    config: Option<PathBuf>,
    /// Read no settings file
    #[arg(long)]
    isolated: bool,
}

impl SettingsArguments {
    /// The settings of the command: what is said here counts more than any file.
    pub fn configuration(&self) -> Result<Arc<Configuration>, ToolError> {
        let configuration = match &self.config {
            Some(path) => Configuration::file(path)?,
            None if self.isolated => Configuration::isolated(),
            None => Configuration::nearest(),
        };
        configuration.overrule(Layer {
            select: self.select.clone(),
            ignore: self.ignore.clone(),
            severity: self.severity.clone(),
            exclude: Vec::new(),
        });
        Ok(Arc::new(configuration))
    }
}

fn rule_severity(text: &str) -> Result<(Selector, Severity), String> {
    let (rule, level) = text
        .split_once('=')
        .ok_or("RULE=SEVERITY is needed, such as DL101=warning")?;
    let selector = rule
        .parse()
        .map_err(|error: crate::config::NoSuchRule| error.to_string())?;
    let level = severity(level).ok_or("the severity must be hint, information, warning or error")?;
    Ok((selector, level))
}
