//! Causes found by trying: changes of a script that may mend it, which of them are tried in which order, and which one
//! is credited with an effect.
//!
//! Pure: what runs a trial is handed in from outside, one [`Work`] after the other.

mod candidate;
mod change_that_helps;
mod facts;
mod flow;
mod names;
mod operators;
mod outcome;
mod proposals;

mod search;

pub use candidate::{Aspect, Candidate, Part};
pub use change_that_helps::{credit, rules};
pub use facts::{Facts, Labels};
pub use operators::propose;
pub use outcome::{Effect, Outcome, effect, skill};
pub use proposals::proposals;
pub use search::{Credited, Next, Search, Work};
