//! Python text → [`Program`]: the models, `compile` and `fit` calls of a training script, each value with its range.
//!
//! Parsing never fails: what cannot be understood is [`Value::Unknown`], and whatever depends on it stays silent.

mod assemble;
mod draft;
mod find;
mod model;
mod names;
mod parse;
mod provenance;
mod scope;
mod signature;
mod syntax;
mod value;

pub use model::{
    Argument, Call, CallId, Change, Compile, Expr, Fit, Layer, Model, ModelId, ModelKind, Program,
    SyntaxError, Value,
};
pub use provenance::Provenance;
