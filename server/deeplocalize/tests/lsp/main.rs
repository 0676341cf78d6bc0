//! The language server as an editor sees it: the real binary over standard input and output.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy allows them in tests by itself, but not in what tests share"
)]

mod client;
mod commands;
mod diagnostics;
mod handshake;
mod life;
mod models;
mod notebooks;
#[cfg(feature = "keras")]
mod runs;
mod settings;
mod text_sync;
#[cfg(feature = "keras")]
mod trying;
