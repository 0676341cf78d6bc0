//! What assignments, deletions and loops do to names and objects.

use tree_sitter::Node;

use super::object::{Item, Op, Val};
use super::statement::bare;
use super::{Interpreter, fold};
use crate::field;
use crate::scope::base_name;
use crate::syntax::KindName;
use crate::syntax::{children, range};

/// Methods that change a list or dict in place.
const MUTATORS: [&str; 12] = [
    "add",
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "clear",
    "sort",
    "reverse",
    "update",
    "setdefault",
    "popitem",
];

impl<'a, 't> Interpreter<'a, 't> {
    pub(super) fn assignment(&mut self, node: Node<'t>) {
        let mut targets = Vec::new();
        let mut value = Some(node);
        // `a = b = 1`: the value is at the end of the chain.
        while let Some(inner) = value.filter(|value| value.kind_name() == "assignment") {
            targets.extend(inner.child_by_field_id(field::LEFT));
            value = inner.child_by_field_id(field::RIGHT);
        }
        let Some(value) = value else { return };
        let item = self.eval(value);
        let item = if value.has_error() && !matches!(item.val, Val::Model(_) | Val::Layer(_) | Val::Object(_))
        {
            self.unknown(value)
        } else {
            item
        };
        for target in targets.into_iter().rev() {
            self.assign(target, item.clone());
        }
    }

    pub(super) fn augmented(&mut self, node: Node<'t>) {
        let (Some(left), Some(right)) = (
            node.child_by_field_id(field::LEFT),
            node.child_by_field_id(field::RIGHT),
        ) else {
            return;
        };
        let old = self.eval(left);
        let new = self.eval(right);
        let operator = node
            .child_by_field_id(field::OPERATOR)
            .map_or("", |operator| self.slice(operator))
            .trim_end_matches('=');
        if let Val::List(list) = old.val {
            // The list itself grows.
            let added = self.items(&new.val).map(<[Item]>::to_vec);
            match added {
                Some(added) if operator == "+" => self.change_list(list, |items| items.extend(added)),
                _ => self.lose_list(list),
            }
            return;
        }
        let val = self.binary(&old.val, operator, &new.val);
        self.assign(left, Item::new(val, range(node)));
    }

    /// Gives a target a value.
    pub(super) fn assign(&mut self, target: Node<'t>, item: Item) {
        let target = bare(target);
        match target.kind_name() {
            "identifier" => self.bind(self.slice(target), item),
            "pattern_list" | "tuple_pattern" | "list_pattern" | "expression_list" | "tuple" | "list" => {
                if !self.enter() {
                    return;
                }
                let targets = children(target);
                for (target, item) in targets.iter().zip(self.unpack(&item, &targets)) {
                    self.assign(*target, item);
                }
                self.leave();
            }
            "attribute" => self.set_attribute(target, item),
            "subscript" => self.set_subscript(target, item),
            "list_splat_pattern" => {
                for child in children(target) {
                    self.assign(child, Item::doubtful());
                }
            }
            _ => {}
        }
    }

    /// The values several targets get.
    fn unpack(&mut self, item: &Item, targets: &[Node<'t>]) -> Vec<Item> {
        let starred = targets
            .iter()
            .any(|target| target.kind_name() == "list_splat_pattern");
        let values = match &item.val {
            Val::Tensor(tensor) => {
                // A layer that gives several tensors, its output first.
                let rest = self.new_tensor(Op::Extra, vec![*tensor]);
                let mut items = vec![Item::new(Val::Tensor(rest), item.range); targets.len()];
                if let Some(first) = items.first_mut() {
                    first.val = Val::Tensor(*tensor);
                }
                Some(items)
            }
            val => self
                .items(val)
                .filter(|items| items.len() == targets.len())
                .map(<[Item]>::to_vec),
        };
        values
            .filter(|_| !starred)
            .unwrap_or_else(|| vec![Item::doubtful(); targets.len()])
    }

    fn set_subscript(&mut self, target: Node<'t>, item: Item) {
        let Some(object) = target.child_by_field_id(field::VALUE) else {
            return;
        };
        let object = self.eval(object);
        let key = target
            .child_by_field_id(field::SUBSCRIPT)
            .map(|subscript| self.eval(subscript));
        match (object.val, key) {
            (Val::Dict(dict), Some(key)) => self.set_entry(dict, key, item),
            (Val::List(list), key) => {
                let index = key.and_then(|key| fold::index(&key.val, self.items(&Val::List(list))?.len()));
                match index {
                    Some(index) => self.change_list(list, |items| {
                        if let Some(slot) = items.get_mut(index) {
                            *slot = item;
                        }
                    }),
                    None => self.lose_list(list),
                }
            }
            (Val::LayersOf(model) | Val::LayerOf(model) | Val::Model(model), _) => self.gap(model),
            _ => {}
        }
    }

    pub(super) fn set_entry(&mut self, dict: usize, key: Item, item: Item) {
        let doubt = self.dead > 0
            || self.dicts.get(dict).is_some_and(|dict| self.in_doubt(dict.made))
            || key.val == Val::Unknown;
        let Some(dict) = self.dicts.get_mut(dict) else {
            return;
        };
        if doubt {
            if self.dead == 0 {
                dict.pairs = None;
            }
            return;
        }
        if let Some(pairs) = &mut dict.pairs {
            match pairs.iter_mut().find(|(known, _)| known.val == key.val) {
                Some((_, value)) => *value = item,
                None => pairs.push((key, item)),
            }
        }
    }

    /// Changes a list where it is certain that this happens, and how often.
    pub(super) fn change_list(&mut self, list: usize, change: impl FnOnce(&mut Vec<Item>)) {
        const LONGEST: usize = 4096;
        if self.dead > 0 {
            return;
        }
        let doubt = self.lists.get(list).is_some_and(|list| self.in_doubt(list.made));
        if let Some(list) = self.lists.get_mut(list) {
            if doubt || list.items.as_ref().is_some_and(|items| items.len() > LONGEST) {
                list.items = None;
            } else if let Some(items) = &mut list.items {
                change(items);
            }
        }
    }

    pub(super) fn lose_list(&mut self, list: usize) {
        if self.dead == 0
            && let Some(list) = self.lists.get_mut(list)
        {
            list.items = None;
        }
    }

    pub(super) fn lose_dict(&mut self, dict: usize) {
        if self.dead == 0
            && let Some(dict) = self.dicts.get_mut(dict)
        {
            dict.pairs = None;
        }
    }

    /// A value is no longer what it was.
    fn lose(&mut self, val: &Val) {
        match val {
            Val::List(list) => self.lose_list(*list),
            Val::Dict(dict) => self.lose_dict(*dict),
            _ => {}
        }
    }

    /// `del target`
    pub(super) fn forget(&mut self, target: Node<'t>) {
        match target.kind_name() {
            "identifier" => self.bind(self.slice(target), Item::doubtful()),
            "attribute" | "subscript" => {
                if let Some(base) = base_name(target)
                    && let Some(item) = self.name(self.slice(base), range(base))
                {
                    self.lose(&item.val);
                    if let Val::Model(model) = item.val {
                        self.gap(model);
                    }
                }
            }
            _ => {
                for child in children(target) {
                    self.forget(child);
                }
            }
        }
    }

    /// Everything named in a piece of text that is not Python may be anything.
    pub(super) fn forget_all(&mut self, node: Node<'t>) {
        const MOST: usize = 2000;
        let mut todo = vec![node];
        for _ in 0..MOST {
            let Some(node) = todo.pop() else { break };
            if node.kind_name() == "identifier" {
                let item = self.name(self.slice(node), range(node));
                match item.map(|item| item.val) {
                    Some(Val::Model(model)) => self.gap(model),
                    Some(Val::Named(_) | Val::Function(_) | Val::Class(_)) | None => {}
                    Some(val) => {
                        self.lose(&val);
                        self.bind(self.slice(node), Item::doubtful());
                    }
                }
            }
            todo.extend(children(node));
        }
    }

    /// What a loop's body changes is unknown from its second run on: names it binds, objects it changes.
    pub(super) fn forget_changed(&mut self, body: Node<'t>) {
        const MOST: usize = 20_000;
        let mut todo = vec![body];
        for _ in 0..MOST {
            let Some(node) = todo.pop() else { break };
            self.steps = self.steps.saturating_sub(1);
            match node.kind_name() {
                "assignment" | "augmented_assignment" | "for_statement" | "for_in_clause" => {
                    if let Some(left) = node.child_by_field_id(field::LEFT) {
                        self.forget_targets(left);
                    }
                }
                "named_expression" => {
                    if let Some(name) = node.child_by_field_id(field::NAME) {
                        self.forget_targets(name);
                    }
                }
                "as_pattern_target" | "case_pattern" => self.forget_targets(node),
                "call" => self.forget_receiver(node),
                "function_definition" | "class_definition" | "lambda" => continue,
                _ => {}
            }
            todo.extend(children(node));
        }
    }

    fn forget_targets(&mut self, target: Node<'t>) {
        let mut todo = vec![target];
        while let Some(node) = todo.pop() {
            match node.kind_name() {
                "identifier" => self.bind(self.slice(node), Item::doubtful()),
                "subscript" => {
                    if let Some(base) = base_name(node)
                        && let Some(item) = self.name(self.slice(base), range(base))
                    {
                        self.lose(&item.val);
                    }
                }
                "attribute" => {}
                _ => todo.extend(children(node)),
            }
        }
    }

    fn forget_receiver(&mut self, call: Node<'t>) {
        let Some(function) = call
            .child_by_field_id(field::FUNCTION)
            .filter(|function| function.kind_name() == "attribute")
        else {
            return;
        };
        let method = function
            .child_by_field_id(field::ATTRIBUTE)
            .map_or("", |node| self.slice(node));
        if MUTATORS.contains(&method)
            && let Some(object) = function.child_by_field_id(field::OBJECT)
            && object.kind_name() == "identifier"
            && let Some(item) = self.name(self.slice(object), range(object))
        {
            self.lose(&item.val);
        }
    }
}
