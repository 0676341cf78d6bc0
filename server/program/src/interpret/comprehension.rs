//! Comprehensions and generator expressions.

use tree_sitter::Node;

use super::object::{Item, Val};
use super::{Frame, Interpreter};
use crate::field;
use crate::syntax::KindName;
use crate::syntax::{children, range};

impl<'a, 't> Interpreter<'a, 't> {
    pub(super) fn comprehension(&mut self, node: Node<'t>) -> Item {
        let clauses: Vec<Node<'t>> = children(node)
            .into_iter()
            .filter(|child| matches!(child.kind_name(), "for_in_clause" | "if_clause"))
            .collect();
        let Some(body) = node.child_by_field_id(field::BODY) else {
            return self.unknown(node);
        };
        let outer = self.frame;
        self.frames.push(Frame {
            parent: Some(outer),
            ..Frame::default()
        });
        self.frame = self.frames.len() - 1;
        let mut items = Some(Vec::new());
        self.clause(&clauses, body, &mut items);
        self.frame = outer;
        let val = match node.kind_name() {
            "dictionary_comprehension" | "set_comprehension" => Val::Unknown,
            _ => self.new_list(items),
        };
        Item::new(val, range(node))
    }

    fn clause(&mut self, clauses: &[Node<'t>], body: Node<'t>, items: &mut Option<Vec<Item>>) {
        let Some((clause, rest)) = clauses.split_first() else {
            let item = self.eval(body);
            if let Some(known) = items {
                known.push(item);
            }
            return;
        };
        if !self.enter() {
            *items = None;
            return;
        }
        if clause.kind_name() == "if_clause" {
            let condition = children(*clause).first().copied();
            match condition.and_then(|condition| self.condition(condition)) {
                Some(true) => self.clause(rest, body, items),
                Some(false) => {}
                None => {
                    self.in_block(|this| this.clause(rest, body, &mut None));
                    *items = None;
                }
            }
        } else {
            let right = clause.child_by_field_id(field::RIGHT);
            let over = self.eval_or_unknown(right, *clause);
            let left = clause.child_by_field_id(field::LEFT);
            match (
                left,
                self.elements(&over)
                    .filter(|elements| self.may_unroll(elements.len())),
            ) {
                (Some(left), Some(elements)) => {
                    let runs = self.runs;
                    self.runs *= elements.len();
                    for element in elements {
                        self.assign(left, element);
                        self.clause(rest, body, items);
                    }
                    self.runs = runs;
                }
                _ => {
                    if let Some(left) = left {
                        self.assign(left, Item::doubtful());
                    }
                    self.in_block(|this| this.clause(rest, body, &mut None));
                    *items = None;
                }
            }
        }
        self.leave();
    }
}
