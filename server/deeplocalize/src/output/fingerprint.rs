//! What tells a finding from all others though lines move: for services that track findings over time.

use std::collections::HashMap;
use std::hash::Hasher;

use finding::Finding;
use fnv::FnvHasher;

use super::Sources;

/// Fingerprints of findings in the order they are asked for.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: HashMap<u64, u32>,
}

impl Fingerprints {
    /// Made of the code, the path and the text of the finding's lines, so that it stays when lines are added above; equal ones are
    /// counted apart. FNV-1a, whose values are the same in every version.
    pub fn of(&mut self, finding: &Finding, sources: &Sources<'_>) -> String {
        let mut hasher = FnvHasher::default();
        let mut part = |text: &str| {
            hasher.write(text.as_bytes());
            hasher.write_u8(0);
        };
        part(finding.code);
        part(&finding.path.to_string_lossy().replace('\\', "/"));
        if let Some((source, range)) = sources.place(&finding.path, finding.range) {
            for line in source.lines_around(range).slice(source.text()).lines() {
                part(line.trim());
            }
        }
        let hash = hasher.finish();
        let count = self.seen.entry(hash).or_default();
        *count += 1;
        match *count {
            1 => format!("{hash:016x}"),
            count => format!("{hash:016x}-{count}"),
        }
    }
}
