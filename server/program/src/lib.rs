//! Python text → [`Program`]: the models, `compile` and `fit` calls of a training script, each value with its range.
//!
//! Parsing never fails: what cannot be understood is [`Value::Unknown`], and whatever depends on it stays silent.

mod array;
mod code;
mod collect;
mod descend;
mod field;
mod find;
mod functions;
mod imports;
mod interpret;
mod layout;
mod model;
mod names;
mod nodes;
mod operands;
mod parse;
mod provenance;
mod remade_model;
mod repeated_batch;
mod roles;
mod scope;
mod shape;
mod signature;
mod syntax;
mod trail;
mod unused;
mod walk;

pub use array::{MixingReshape, Size};
pub use code::{Applied, Function, Statement, StatementKind, Term, TermKind, own_statements, statements};
pub use imports::Import;
pub use layout::{Layout, whole_lines};
pub use model::{
    Argument, Call, CallId, Change, Compile, Event, EventKind, Expr, Fit, Layer, Model, ModelId, ModelKind,
    Program, Source, SyntaxError, Value,
};
pub use nodes::{Code, Field, Node};
pub use provenance::Provenance;
pub use remade_model::{Lost, RemadeModel};
pub use repeated_batch::RepeatedBatch;
pub use shape::{LayerShape, Shape, ShapeError};
pub use signature::parameters;
pub use trail::Step;
pub use unused::{Unused, UnusedKind};
