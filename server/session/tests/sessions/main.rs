//! Sessions for real. One binary, because each takes long to link.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod apart;
mod faults;
mod overrides;
mod supervision;
mod support;
mod trials;
