//! Statements.

use std::collections::HashMap;

use tree_sitter::Node;

use super::object::{Item, Val};
use super::{Interpreter, fold};
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
                let names = self.names();
                self.dead += 1;
                self.statement(statement);
                self.dead -= 1;
                self.set_names(names);
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
        match node.kind() {
            "expression_statement" => {
                for child in children(node) {
                    match child.kind() {
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
        let names = self.names();
        let returned = self.frames.get(self.frame).map(|frame| frame.may_have_returned);
        self.dead += 1;
        self.statement(node);
        self.dead -= 1;
        self.set_names(names);
        if let (Some(frame), Some(returned)) = (self.frames.get_mut(self.frame), returned) {
            frame.may_have_returned = returned;
        }
    }

    fn if_statement(&mut self, node: Node<'t>) -> Flow {
        // Each branch with its condition; `else` has none.
        let mut branches = vec![(
            node.child_by_field_name("condition"),
            node.child_by_field_name("consequence"),
        )];
        for clause in children(node) {
            match clause.kind() {
                "elif_clause" => branches.push((
                    clause.child_by_field_name("condition"),
                    clause.child_by_field_name("consequence"),
                )),
                "else_clause" => branches.push((None, clause.child_by_field_name("body"))),
                _ => {}
            }
        }
        let mut taken = false;
        let mut doubt = false;
        let mut ends: Vec<HashMap<&'a str, Item>> = Vec::new();
        let mut left = false;
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
                let flow = self.statement(body);
                if flow == Flow::Off {
                    return self.rest_of(flow, node, body);
                }
                ends.push(self.names());
                continue;
            }
            let before = self.names();
            let flow = self.in_block(|this| this.statement(body));
            if flow == Flow::On {
                ends.push(self.names());
            } else {
                left = true;
            }
            self.set_names(before);
        }
        if !taken {
            ends.push(self.names());
        }
        let mut ends = ends.into_iter();
        let Some(mut joined) = ends.next() else {
            return Flow::Off;
        };
        for end in ends {
            joined = self.join(joined, &end);
        }
        self.set_names(joined);
        if left && let Some(frame) = self.frames.get_mut(self.frame) {
            frame.may_have_returned = true;
        }
        Flow::On
    }

    /// The branches behind the one that is taken and leaves.
    fn rest_of(&mut self, flow: Flow, node: Node<'t>, taken: Node<'t>) -> Flow {
        for clause in children(node) {
            if clause.start_byte() >= taken.end_byte() {
                let body = clause
                    .child_by_field_name("consequence")
                    .or_else(|| clause.child_by_field_name("body"));
                if let Some(body) = body {
                    self.dead_block(body);
                }
            }
        }
        flow
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
        let Some(right) = node.child_by_field_name("right") else {
            return;
        };
        let items = self.eval(right);
        let (Some(left), Some(body)) = (node.child_by_field_name("left"), node.child_by_field_name("body"))
        else {
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
        if let Some(alternative) = node.child_by_field_name("alternative") {
            self.maybe(alternative);
        }
    }

    fn while_statement(&mut self, node: Node<'t>) {
        if let Some(condition) = node.child_by_field_name("condition") {
            self.eval(condition);
        }
        if let Some(body) = node.child_by_field_name("body") {
            self.loop_body(body, None);
        }
        if let Some(alternative) = node.child_by_field_name("alternative") {
            self.maybe(alternative);
        }
    }

    /// The body of a loop that runs an unknown number of times.
    fn loop_body(&mut self, body: Node<'t>, target: Option<(Node<'t>, Item)>) {
        let before = self.names();
        // From the second time on, what the body changes is not what it was before.
        self.forget_changed(body);
        if let Some((target, element)) = target {
            self.assign(target, element);
        }
        self.in_block(|this| this.statement(body));
        let after = self.names();
        let joined = self.join(before, &after);
        self.set_names(joined);
    }

    /// A block that may run or not.
    fn maybe(&mut self, node: Node<'t>) {
        let before = self.names();
        let flow = self.in_block(|this| this.statement(node.child_by_field_name("body").unwrap_or(node)));
        if flow == Flow::On {
            let after = self.names();
            let joined = self.join(before, &after);
            self.set_names(joined);
        } else {
            self.set_names(before);
            if let Some(frame) = self.frames.get_mut(self.frame) {
                frame.may_have_returned = true;
            }
        }
    }

    fn try_statement(&mut self, node: Node<'t>) -> Flow {
        let before = self.names();
        let mut ends = Vec::new();
        if let Some(body) = node.child_by_field_name("body")
            && self.in_block(|this| this.statement(body)) == Flow::On
        {
            ends.push(self.names());
        }
        let mut last = None;
        for clause in children(node) {
            match clause.kind() {
                "except_clause" | "except_group_clause" => {
                    self.set_names(before.clone());
                    let mut flow = Flow::On;
                    for child in children(clause) {
                        if child.kind() == "block" {
                            flow = self.in_block(|this| this.statement(child));
                        } else {
                            self.eval(child);
                        }
                    }
                    if flow == Flow::On {
                        ends.push(self.names());
                    }
                }
                "else_clause" => {
                    if let Some(names) = ends.pop() {
                        self.set_names(names);
                    }
                    if let Some(body) = clause.child_by_field_name("body") {
                        self.in_block(|this| this.statement(body));
                    }
                    ends.push(self.names());
                }
                "finally_clause" => last = Some(clause),
                _ => {}
            }
        }
        let left = ends.is_empty();
        let mut ends = ends.into_iter();
        let mut joined = ends.next().unwrap_or(before);
        for end in ends {
            joined = self.join(joined, &end);
        }
        self.set_names(joined);
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
            match child.kind() {
                "with_clause" => {
                    for item in children(child) {
                        let value = item.child_by_field_name("value").unwrap_or(item);
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
        if let Some(subject) = node.child_by_field_name("subject") {
            self.eval(subject);
        }
        for case in node.child_by_field_name("body").map(children).unwrap_or_default() {
            if let Some(consequence) = case.child_by_field_name("consequence") {
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
        match node.kind() {
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
