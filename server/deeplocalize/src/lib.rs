//! The front doors of DeepLocalize — command line and language server — over the same packages.

pub mod check;
pub mod cli;
pub mod config;
pub mod fixes;
pub mod lsp;
pub mod output;
pub mod report;
pub mod run;
pub mod suppress;
pub mod text;
