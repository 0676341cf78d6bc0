//! Looking things up in a [`Program`].

use finding::Range;

use crate::{Call, CallId, Model, ModelId, Program};

impl Program {
    /// The call of that number.
    ///
    /// # Panics
    /// When the number is not one of this program's.
    pub fn call(&self, id: CallId) -> &Call {
        match id.0.checked_sub(self.calls.len()) {
            Some(instance) => &self.instances[instance],
            None => &self.calls[id.0],
        }
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

    /// The call of this class or method (`Dense`, `fit`) that begins within a range of which only the line was noted;
    /// `None` when several do.
    pub fn only_call_in(&self, range: Range, class: &str) -> Option<&Call> {
        let mut calls = self
            .calls
            .iter()
            .filter(|call| range.contains_offset(call.range.start) && call.class() == class);
        let first = calls.next()?;
        calls.next().is_none().then_some(first)
    }
}
