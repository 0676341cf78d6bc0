//! The statement that picks a batch.

use std::collections::HashSet;

use tree_sitter::Node;

use super::turn::Loop;
use crate::descend::all;
use crate::field;
use crate::syntax::{KindName, children, slice};

impl<'a, 't> Loop<'a, 't> {
    /// The statement that picks the batch; `None` where it is not certain that a batch is picked, and not all there is.
    pub(super) fn picks(
        &self,
        body: Node<'t>,
        turn: Node<'t>,
        value: Node<'t>,
        statement: Node<'t>,
        names: &HashSet<&'a str>,
    ) -> Option<Node<'t>> {
        let mut values = vec![(value, statement)];
        for name in names {
            let assigned = self.assigned.get(name).into_iter().flatten();
            values.extend(assigned.map(|one| (one.value, one.statement)));
            let fills = self.fills(name).into_iter();
            values.extend(fills.filter_map(|call| Some((call, call.parent()?))));
        }
        values.sort_by_key(|(value, _)| value.start_byte());
        // In a loop within, something was meant to go on.
        let steps = std::iter::successors(statement.parent(), Node::parent)
            .take_while(|outer| *outer != turn)
            .any(|outer| matches!(outer.kind_name(), "for_statement" | "while_statement"));
        values.iter().find_map(|(value, statement)| {
            all(*value, &["subscript"])
                .into_iter()
                .find_map(|subscript| self.picked(subscript, body, turn, steps, *statement))
        })
    }

    fn picked(
        &self,
        subscript: Node<'t>,
        body: Node<'t>,
        turn: Node<'t>,
        steps: bool,
        statement: Node<'t>,
    ) -> Option<Node<'t>> {
        let index = subscript.child_by_field_id(field::SUBSCRIPT)?;
        let stop = match index.kind_name() {
            "slice" => {
                let mut parts = slice(index, self.text).splitn(2, ':');
                let stop = parts.nth(1)?.trim();
                (!stop.is_empty() && !stop.starts_with(['-', ':'])).then_some(stop)?
            }
            "identifier" => slice(index, self.text),
            _ => return None,
        };
        // Everything the place of the batch is made of, in this turn and before the loop.
        let mut open = Vec::new();
        self.read(index, &mut open)?;
        let mut bounds = HashSet::new();
        let mut written = slice(index, self.text).to_lowercase();
        let (mut set, mut made, mut own) = (None, None, false);
        while let Some(name) = open.pop() {
            if !bounds.insert(name) {
                continue;
            }
            for one in self.assigned.get(name).into_iter().flatten() {
                written.push_str(&slice(one.value, self.text).to_lowercase());
                own = true;
                if matches!(one.value.kind_name(), "integer" | "float") {
                    set = set.or(Some(one.statement));
                }
            }
            open.extend(self.direct(name)?);
            if let Some(before) = before(body, turn, name, self.text) {
                let value = slice(before.child_by_field_id(field::RIGHT)?, self.text);
                if value.contains('(') {
                    written.push_str(&value.to_lowercase());
                    made = made.or(Some(before));
                }
            }
        }
        let local = own || made.is_some() || index.kind_name() == "slice";
        let batch = written.contains("batch")
            || written
                .split(|letter: char| !letter.is_alphanumeric())
                .any(|word| word == "bs");
        // `np.random.choice(len(x), 32)`
        let drawn = made.is_some_and(|made: Node<'t>| {
            let value = slice(made, self.text).trim_end_matches(')');
            value.contains("random") && value.ends_with(|last: char| last.is_ascii_digit())
        });
        let number = drawn || stop.parse::<u32>().is_ok();
        (local && (batch || number || (steps && own))).then(|| set.or(made).unwrap_or(statement))
    }
}

/// The assignment to a name alone that stands in a body before a loop.
fn before<'t>(body: Node<'t>, turn: Node<'t>, name: &str, text: &str) -> Option<Node<'t>> {
    children(body)
        .into_iter()
        .take_while(|statement| *statement != turn)
        .filter_map(|statement| children(statement).first().copied())
        .filter(|assignment| assignment.kind_name() == "assignment")
        .filter(|assignment| {
            assignment
                .child_by_field_id(field::LEFT)
                .is_some_and(|left| slice(left, text) == name)
        })
        .last()
}
