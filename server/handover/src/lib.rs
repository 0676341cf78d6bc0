//! The far end of the tracer's imperative mechanism: a process that the traced script starts, takes models, weights and
//! batches over from it, and trains them on the [`engine`].
//!
//! The protocol is described in `docs/hand-over.md`. Everything that arrives comes from a user's program and is checked;
//! whatever goes wrong is an answer, never a crash.

mod arrays;
mod learner;
mod request;
mod server;

pub use server::{Server, serve};
