//! Tests of the main loop, with a checker and a runner of their own in place of the product's.

mod checks;
mod fixes;
mod harness;
mod runs;
mod trends;
