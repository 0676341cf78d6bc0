//! How much a script may take, and how much it takes.

use serde::{Deserialize, Serialize};

/// How much a script, with everything it has started, may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory. Watched on Linux only; no limit when `None`.
    pub memory: Option<u64>,
    /// Bytes of files that are kept apart.
    pub written: u64,
}

impl Default for Limits {
    /// Four fifths of the memory, so that the system never has to choose what to kill, and 4 GiB of files.
    fn default() -> Self {
        Limits {
            memory: memory_of_machine().map(|bytes| bytes / 5 * 4),
            written: 4 << 30,
        }
    }
}

/// The limit that a script went beyond, with what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Bytes of memory.
    Memory(u64),
    /// Bytes of files.
    Written(u64),
}

/// The memory there is, or what the control group of this process may use of it.
#[cfg(target_os = "linux")]
fn memory_of_machine() -> Option<u64> {
    use std::fs::read_to_string;

    let total = kilobytes(&read_to_string("/proc/meminfo").ok()?, "MemTotal:")? * 1024;
    let group = read_to_string("/proc/self/cgroup").ok();
    let group = group
        .as_deref()
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("0::")));
    let allowed = group
        .and_then(|group| read_to_string(format!("/sys/fs/cgroup{group}/memory.max")).ok())
        .or_else(|| read_to_string("/sys/fs/cgroup/memory.max").ok())
        .or_else(|| read_to_string("/sys/fs/cgroup/memory/memory.limit_in_bytes").ok())
        .and_then(|text| text.trim().parse::<u64>().ok());
    Some(allowed.map_or(total, |allowed| allowed.min(total)))
}

#[cfg(not(target_os = "linux"))]
fn memory_of_machine() -> Option<u64> {
    None
}

/// A number of kilobytes in one of the tables under `/proc`.
#[cfg(target_os = "linux")]
pub(crate) fn kilobytes(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
