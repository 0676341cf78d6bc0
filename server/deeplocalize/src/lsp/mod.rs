//! The language server. What it does method by method is told in `docs/lsp.md`.
//!
//! Handlers only forward an event; one loop ([`main_loop`]) owns all state. Long work — checks and runs — happens on
//! snapshots in other threads and comes back as an event that carries the revision or generation it belongs to.

mod backend;
mod capabilities;
mod client;
pub mod document;
mod event;
mod layer_trends;
mod main_loop;
mod methods;
mod notebook;
mod outline;
mod parent;
mod places;
pub mod position;
mod publish;
mod quick_check;
mod run;
mod run_results;
mod serve;
pub(crate) mod settings;
mod state;
mod status;
mod to_lsp;

#[cfg(test)]
mod tests;

pub use serve::serve;
