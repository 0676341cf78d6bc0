//! Looking things up in a [`Program`].

use finding::Range;

use crate::{Call, CallId, Model, ModelId, Program};

impl Program {
    /// The call of that number.
    ///
    /// # Panics
    /// When the number is not one of this program's.
    pub fn call(&self, id: CallId) -> &Call {
        &self.calls[id.0]
    }

    /// The model of that number; `None` when it is not one of this program's.
    pub fn model(&self, id: ModelId) -> Option<&Model> {
        self.models.get(id.0)
    }

    /// The call at a range that was noted elsewhere (by a traceback, say): the one that covers exactly this range,
    /// else the smallest recorded one around its first byte.
    pub fn call_at(&self, range: Range) -> Option<&Call> {
        self.calls.iter().find(|call| call.range == range).or_else(|| {
            self.calls
                .iter()
                .filter(|call| call.range.contains_offset(range.start))
                .min_by_key(|call| call.range.len())
        })
    }
}
