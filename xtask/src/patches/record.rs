//! What one program came to.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// A warning or an error, and whether place and kind are accepted ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    pub code: String,
    pub kind: String,
    pub severity: String,
    pub confidence: f64,
    pub line: u64,
    pub accepted_place: bool,
    pub accepted_kind: bool,
}

impl Alarm {
    pub fn right(&self) -> bool {
        self.accepted_place && self.accepted_kind
    }
}

/// A warning or an error on a program without a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FalseAlarm {
    pub code: String,
    pub severity: String,
    pub confidence: f64,
}

/// The effect of a fix as JSON has it: a value that is no number is null.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    pub metric: String,
    pub before: Option<f64>,
    pub after: Option<f64>,
    pub steps: u64,
    pub seeds: u32,
}

impl Trial {
    /// In the words of the product.
    pub fn effect(&self) -> String {
        deeplocalize::report::effect(&finding::Trial {
            metric: self.metric.clone(),
            before: self.before.unwrap_or(f64::NAN),
            after: self.after.unwrap_or(f64::NAN),
            steps: self.steps,
            seeds: self.seeds,
        })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub case: String,
    /// Verdict that is right.
    pub verdict: String,
    /// Verdict of the tool.
    pub said: String,
    pub seconds: f64,
    pub mech: Option<String>,
    /// Title of the first patch with a measured effect.
    pub patch: Option<String>,
    #[serde(default)]
    pub trial: Option<Trial>,
    /// Verdict on the patched script.
    #[serde(default)]
    pub after: Option<String>,
    #[serde(default)]
    pub alarms: Vec<Alarm>,
    /// Verdict on the fixed twin.
    #[serde(default)]
    pub twin: Option<String>,
    #[serde(default)]
    pub twin_alarms: Vec<FalseAlarm>,
    #[serde(default)]
    pub twin_patch: bool,
}

impl Record {
    pub fn faulty(&self) -> bool {
        !e2e::is_control(&self.verdict)
    }
}

pub fn read(path: &Path) -> anyhow::Result<Vec<Record>> {
    let Ok(text) = std::fs::read_to_string(path) else {
        return Ok(Vec::new());
    };
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("{}: {line}", path.display())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_records_without_names_are_read_too() {
        let named = r#"{"code":"DL301","kind":"loss","severity":"error","confidence":0.9,"line":12,"accepted_place":true,"accepted_kind":false}"#;
        let alarm: Alarm = serde_json::from_str(named).unwrap();
        assert_eq!(serde_json::to_string(&alarm).unwrap(), named);
        let earlier = r#"["DL301","loss","error",0.9,12,true,false]"#;
        assert_eq!(serde_json::from_str::<Alarm>(earlier).unwrap(), alarm);
    }
}
