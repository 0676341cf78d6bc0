//! Colours of everything the command line prints.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// Bold.
pub const EMPHASIS: Style = Style::new().bold();
/// What does not work.
pub const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
/// What usually does not work.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What works.
pub const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
/// Advice.
pub const HELP: Style = AnsiColor::BrightCyan.on_default().bold();
/// Code.
pub const CODE: Style = AnsiColor::Cyan.on_default();
/// What may be overlooked.
pub const DIM: Style = Style::new().dimmed();

/// `text` in a style.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
