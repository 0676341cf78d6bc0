//! What every package speaks: findings and what they are made of.
//!
//! Ranges are byte offsets into the text that was analysed. Lines, columns and encodings exist only in the
//! front doors, which convert when they print or publish.

mod finding;
mod fix;
mod kind;
mod range;
mod rule;

pub use finding::{Evidence, Finding, LayerRef, Phase, Severity, Source, Verdict};
pub use fix::{Applicability, Edit, Fix, Trial};
pub use kind::Kind;
pub use range::Range;
pub use rule::{RuleInfo, doc_section};
