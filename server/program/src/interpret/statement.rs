//! Statements.

use tree_sitter::Node;

use super::object::{Item, Val};
use super::{Interpreter, Mark, Names, fold};
use crate::field;
use crate::syntax::KindName;
use crate::syntax::{children, range, unparenthesised};

/// Whether the next statement is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    /// `return`, `raise`, `break`, `continue`.
    Off,
}

impl<'a, 't> Interpreter<'a, 't> {
    /// The statements of a block or of the module.
    pub(super) fn block(&mut self, node: Node<'t>) -> Flow {
        let mut flow = Flow::On;
        let mut opened = 0;
        for statement in children(node) {
            if flow == Flow::Off && self.dead == 0 {
                // Read, but without effect.
                let before = self.mark();
                self.dead += 1;
                self.statement(statement);
                self.dead -= 1;
                self.undo(&before);
                self.release(before);
                continue;
            }
            if self.statement(statement) == Flow::Off {
                flow = Flow::Off;
            }
            // After a conditional `return`, the rest may not run.
            if let Some(frame) = self.frames.get_mut(self.frame)
                && std::mem::take(&mut frame.may_have_returned)
            {
                let entered = self.tick();
                self.blocks.push(entered);
                opened += 1;
            }
        }
        for _ in 0..opened {
            self.blocks.pop();
        }
        if opened > 0
            && let Some(frame) = self.frames.get_mut(self.frame)
        {
            frame.may_have_returned = true;
        }
        flow
    }

    pub(super) fn statement(&mut self, node: Node<'t>) -> Flow {
        if !self.enter() {
            return Flow::On;
        }
        let flow = self.statement_inside(node);
        self.leave();
        flow
    }

    fn statement_inside(&mut self, node: Node<'t>) -> Flow {
        match node.kind_name() {
            "expression_statement" => {
                for child in children(node) {
                    match child.kind_name() {
                        "assignment" => self.assignment(child),
                        "augmented_assignment" => self.augmented(child),
                        _ => {
                            self.eval(child);
                        }
                    }
                }
            }
            "assignment" => self.assignment(node),
            "augmented_assignment" => self.augmented(node),
            "return_statement" => {
                let item = match children(node).first() {
                    Some(value) => self.eval(*value),
                    None => Item::new(Val::None, range(node)),
                };
                if self.dead == 0
                    && let Some(frame) = self.frames.get_mut(self.frame)
                {
                    frame.returned.push(item);
                }
                return Flow::Off;
            }
            "raise_statement" => {
                self.eval_children(node);
                return Flow::Off;
            }
            "break_statement" | "continue_statement" => return Flow::Off,
            "if_statement" => return self.if_statement(node),
            "for_statement" => self.for_statement(node),
            "while_statement" => self.while_statement(node),
            "try_statement" => return self.try_statement(node),
            "with_statement" => return self.with_statement(node),
            "match_statement" => self.match_statement(node),
            "function_definition" => {
                self.function_definition(node, &[]);
            }
            "class_definition" => self.class_definition(node),
            "decorated_definition" => self.decorated(node),
            "import_statement" => self.import(node),
            "import_from_statement" => self.import_from(node),
            "delete_statement" => {
                for target in children(node) {
                    self.forget(target);
                }
            }
            "block" | "module" => return self.block(node),
            "ERROR" => {
                for child in children(node) {
                    self.statement(child);
                }
                self.forget_all(node);
            }
            "global_statement"
            | "nonlocal_statement"
            | "future_import_statement"
            | "pass_statement"
            | "comment" => {}
            _ => {
                self.eval(node);
            }
        }
        Flow::On
    }

    fn eval_children(&mut self, node: Node<'t>) {
        for child in children(node) {
            self.eval(child);
        }
    }

    /// Code that does not run: read, but without effect.
    fn dead_block(&mut self, node: Node<'t>) {
        let before = self.mark();
        let returned = self.frames.get(self.frame).map(|frame| frame.may_have_returned);
        self.dead += 1;
        self.statement(node);
        self.dead -= 1;
        self.undo(&before);
        self.release(before);
        if let (Some(frame), Some(returned)) = (self.frames.get_mut(self.frame), returned) {
            frame.may_have_returned = returned;
        }
    }

    fn if_statement(&mut self, node: Node<'t>) -> Flow {
        // Each branch with its condition; `else` has none.
        let mut branches = vec![(
            node.child_by_field_id(field::CONDITION),
            node.child_by_field_id(field::CONSEQUENCE),
        )];
        for clause in children(node) {
            match clause.kind_name() {
                "elif_clause" => branches.push((
                    clause.child_by_field_id(field::CONDITION),
                    clause.child_by_field_id(field::CONSEQUENCE),
                )),
                "else_clause" => branches.push((None, clause.child_by_field_id(field::BODY))),
                _ => {}
            }
        }
        let mut taken = false;
        let mut doubt = false;
        let mut ends = Vec::new();
        let mut left = false;
        let start = self.mark();
        for (condition, body) in branches {
            let truth = match condition {
                Some(condition) => self.condition(condition),
                None => Some(true),
            };
            let Some(body) = body else { continue };
            if taken || truth == Some(false) {
                self.dead_block(body);
                continue;
            }
            taken = truth == Some(true);
            doubt |= !taken;
            if !doubt {
                // The only branch there is.
                self.release(start);
                let flow = self.statement(body);
                self.rest_of(node, body);
                return flow;
            }
            let before = self.mark();
            let flow = self.in_block(|this| this.statement(body));
            if flow == Flow::On {
                ends.push(self.changed(&start));
            } else {
                left = true;
            }
            self.undo(&before);
            self.release(before);
        }
        if !taken {
            ends.push(self.changed(&start));
        }
        if ends.is_empty() {
            self.release(start);
            return Flow::Off;
        }
        self.undo(&start);
        self.join(&ends);
        self.release(start);
        if left && let Some(frame) = self.frames.get_mut(self.frame) {
            frame.may_have_returned = true;
        }
        Flow::On
    }

    /// The branches behind the one that is taken.
    fn rest_of(&mut self, node: Node<'t>, taken: Node<'t>) {
        for clause in children(node) {
            if clause.start_byte() >= taken.end_byte() {
                let body = clause
                    .child_by_field_id(field::CONSEQUENCE)
                    .or_else(|| clause.child_by_field_id(field::BODY));
                if let Some(body) = body {
                    self.dead_block(body);
                }
            }
        }
    }

    /// Whether a condition holds, where that is known.
    pub(super) fn condition(&mut self, node: Node<'t>) -> Option<bool> {
        let item = self.eval(node);
        if self.slice(node).contains("__name__") {
            return Some(true);
        }
        match &item.val {
            Val::List(_) => self.items(&item.val).map(|items| !items.is_empty()),
            val => fold::truth(val),
        }
    }

    fn for_statement(&mut self, node: Node<'t>) {
        let Some(right) = node.child_by_field_id(field::RIGHT) else {
            return;
        };
        let items = self.eval(right);
        let (Some(left), Some(body)) = (
            node.child_by_field_id(field::LEFT),
            node.child_by_field_id(field::BODY),
        ) else {
            return;
        };
        let elements = self
            .elements(&items)
            .filter(|elements| self.may_unroll(elements.len()) && !leaves_loop(body));
        match elements {
            Some(elements) if elements.is_empty() => self.dead_block(body),
            Some(elements) => {
                let runs = self.runs;
                self.runs *= elements.len();
                for element in elements {
                    self.assign(left, element);
                    self.statement(body);
                }
                self.runs = runs;
            }
            None => {
                let element = match items.val {
                    Val::LayersOf(model) => Item::new(Val::LayerOf(model), range(left)),
                    _ => Item::doubtful(),
                };
                self.loop_body(body, Some((left, element)));
            }
        }
        if let Some(alternative) = node.child_by_field_id(field::ALTERNATIVE) {
            self.maybe(alternative);
        }
    }

    fn while_statement(&mut self, node: Node<'t>) {
        if let Some(condition) = node.child_by_field_id(field::CONDITION) {
            self.eval(condition);
        }
        if let Some(body) = node.child_by_field_id(field::BODY) {
            self.loop_body(body, None);
        }
        if let Some(alternative) = node.child_by_field_id(field::ALTERNATIVE) {
            self.maybe(alternative);
        }
    }

    /// The body of a loop that runs an unknown number of times.
    fn loop_body(&mut self, body: Node<'t>, target: Option<(Node<'t>, Item)>) {
        let before = self.mark();
        // From the second time on, what the body changes is not what it was before.
        self.forget_changed(body);
        if let Some((target, element)) = target {
            self.assign(target, element);
        }
        self.in_block(|this| this.statement(body));
        self.or_not(&before);
        self.release(before);
    }

    /// What was done since a mark may not have been done.
    fn or_not(&mut self, mark: &Mark) {
        let after = self.changed(mark);
        self.undo(mark);
        self.join(&[Names::default(), after]);
    }

    /// A block that may run or not.
    fn maybe(&mut self, node: Node<'t>) {
        let before = self.mark();
        let flow = self.in_block(|this| this.statement(node.child_by_field_id(field::BODY).unwrap_or(node)));
        if flow == Flow::On {
            self.or_not(&before);
        } else {
            self.undo(&before);
            if let Some(frame) = self.frames.get_mut(self.frame) {
                frame.may_have_returned = true;
            }
        }
        self.release(before);
    }

    fn try_statement(&mut self, node: Node<'t>) -> Flow {
        let before = self.mark();
        let mut ends = Vec::new();
        if let Some(body) = node.child_by_field_id(field::BODY)
            && self.in_block(|this| this.statement(body)) == Flow::On
        {
            ends.push(self.changed(&before));
        }
        let mut last = None;
        for clause in children(node) {
            match clause.kind_name() {
                "except_clause" | "except_group_clause" => {
                    self.undo(&before);
                    let mut flow = Flow::On;
                    for child in children(clause) {
                        if child.kind_name() == "block" {
                            flow = self.in_block(|this| this.statement(child));
                        } else {
                            self.eval(child);
                        }
                    }
                    if flow == Flow::On {
                        ends.push(self.changed(&before));
                    }
                }
                "else_clause" => {
                    if let Some(names) = ends.pop() {
                        self.undo(&before);
                        for (name, item) in names {
                            self.put(name, item);
                        }
                    }
                    if let Some(body) = clause.child_by_field_id(field::BODY) {
                        self.in_block(|this| this.statement(body));
                    }
                    ends.push(self.changed(&before));
                }
                "finally_clause" => last = Some(clause),
                _ => {}
            }
        }
        let left = ends.is_empty();
        self.undo(&before);
        self.join(&ends);
        self.release(before);
        if let Some(last) = last {
            for child in children(last) {
                self.statement(child);
            }
        }
        if left { Flow::Off } else { Flow::On }
    }

    fn with_statement(&mut self, node: Node<'t>) -> Flow {
        let mut flow = Flow::On;
        for child in children(node) {
            match child.kind_name() {
                "with_clause" => {
                    for item in children(child) {
                        let value = item.child_by_field_id(field::VALUE).unwrap_or(item);
                        self.eval(value);
                    }
                }
                "block" => flow = self.statement(child),
                _ => {
                    self.eval(child);
                }
            }
        }
        flow
    }

    fn match_statement(&mut self, node: Node<'t>) {
        if let Some(subject) = node.child_by_field_id(field::SUBJECT) {
            self.eval(subject);
        }
        for case in node
            .child_by_field_id(field::BODY)
            .map(children)
            .unwrap_or_default()
        {
            if let Some(consequence) = case.child_by_field_id(field::CONSEQUENCE) {
                self.forget_changed(case);
                self.maybe(consequence);
            }
        }
    }

    /// What a loop over a value goes through.
    pub(super) fn elements(&self, item: &Item) -> Option<Vec<Item>> {
        match &item.val {
            Val::Dict(dict) => {
                let pairs = self.dicts.get(*dict)?.pairs.as_deref()?;
                Some(pairs.iter().map(|(key, _)| key.clone()).collect())
            }
            val => self.items(val).map(<[Item]>::to_vec),
        }
    }
}

/// Whether a loop's body may end the loop early.
fn leaves_loop(body: Node<'_>) -> bool {
    let mut todo = children(body);
    while let Some(node) = todo.pop() {
        match node.kind_name() {
            "break_statement" | "continue_statement" | "return_statement" => return true,
            "function_definition" | "class_definition" | "lambda" => {}
            "for_statement" | "while_statement" => {
                // Their own `break` is theirs, but a `return` inside them counts.
                todo.extend(children(node));
            }
            kind if kind.ends_with("statement") && kind != "expression_statement"
                || kind.ends_with("clause")
                || kind == "block" =>
            {
                todo.extend(children(node));
            }
            _ => {}
        }
    }
    false
}

/// The expression inside any parentheses, for patterns as well.
pub(super) fn bare(node: Node<'_>) -> Node<'_> {
    unparenthesised(node)
}
