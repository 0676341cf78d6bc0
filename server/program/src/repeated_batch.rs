//! Generators that never end and give the same batch every time.

use std::collections::HashSet;

use finding::Range;
use fnv::FnvHashMap;
use tree_sitter::Node;

use crate::Program;
use crate::field;
use crate::scope::base_name;
use crate::syntax::{KindName, children, range, slice, unparenthesised};

/// Functions of Python that give the same for the same and leave what they are given as it is.
const PURE_FUNCTIONS: &str = "abs dict enumerate float int len list max min print range round slice sorted str sum tuple zip \
    bool to_categorical";

/// Functions of TensorFlow of which the same holds.
const PURE_OF_TENSORFLOW: &str = "cast constant convert_to_tensor expand_dims one_hot reshape stack concat";

/// Methods of arrays and tables of which the same holds.
const PURE_METHODS: &str = "astype copy flatten max mean min numpy ravel repeat reshape squeeze std sum to_numpy toarray \
    todense tolist transpose";

/// A generator that gives the same batch every time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedBatch {
    /// The name of the generator function.
    pub name: String,
    /// The statement that picks the batch.
    pub picks: Range,
}

impl Program {
    /// Generator functions with a loop that never ends, in which nothing changes that the `yield` depends on. `text` is
    /// the text this program was parsed from.
    pub fn repeated_batches(&self, text: &str) -> Vec<RepeatedBatch> {
        let Some(tree) = self
            .tree
            .as_ref()
            .filter(|_| text.contains("yield") && text.contains("while") && self.syntax_errors.is_empty())
        else {
            return Vec::new();
        };
        let functions = all(tree.root_node(), &["function_definition"]);
        functions
            .into_iter()
            .filter_map(|function| repeated(function, text))
            .collect()
    }
}

/// Deeper nested functions were not written by hand.
const DEEPEST: usize = 200;

/// The nodes of some kinds in a node, in document order, and how deep the deepest lies.
fn walk<'t>(node: Node<'t>, kinds: &[&str]) -> (Vec<Node<'t>>, usize) {
    let (mut found, mut depth, mut deepest) = (Vec::new(), 0, 0);
    let mut cursor = node.walk();
    loop {
        if cursor.node().is_named() && kinds.contains(&cursor.node().kind_name()) {
            found.push(cursor.node());
        }
        if cursor.goto_first_child() {
            depth += 1;
            deepest = deepest.max(depth);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return (found, deepest);
            }
            depth -= 1;
        }
    }
}

fn all<'t>(node: Node<'t>, kinds: &[&str]) -> Vec<Node<'t>> {
    walk(node, kinds).0
}

fn has(list: &str, word: &str) -> bool {
    list.split(' ').any(|other| other == word)
}

fn contains(outer: Node<'_>, inner: Node<'_>) -> bool {
    range(outer).contains(range(inner))
}

fn repeated(function: Node<'_>, text: &str) -> Option<RepeatedBatch> {
    let (yields, depth) = walk(function, &["yield"]);
    let [given] = yields.as_slice() else {
        return None;
    };
    if depth > DEEPEST {
        return None;
    }
    // What is sent to a generator, or taken from another one, is not seen.
    let statement = given
        .parent()
        .filter(|parent| parent.kind_name() == "expression_statement")?;
    let mut given_values = children(*given).into_iter();
    let (Some(value), None) = (given_values.next(), given_values.next()) else {
        return None;
    };
    if slice(*given, text)
        .strip_prefix("yield")?
        .trim_start()
        .starts_with("from ")
    {
        return None;
    }
    let body = function.child_by_field_id(field::BODY)?;
    let endless = |node: &Node<'_>| {
        node.kind_name() == "while_statement"
            && node
                .child_by_field_id(field::CONDITION)
                .is_some_and(|condition| matches!(slice(unparenthesised(condition), text), "True" | "1"))
            && contains(*node, *given)
    };
    let turn = children(body).into_iter().find(endless)?;
    let mut repetition = Loop {
        text,
        given: *given,
        assigned: FnvHashMap::default(),
        changed: HashSet::new(),
    };
    for part in children(turn.child_by_field_id(field::BODY)?) {
        repetition.note(part, false)?;
    }
    if is_conditional(*given, turn) {
        return None;
    }
    let names = repetition.names(value)?;
    repetition.changes_nothing(turn, &names)?;
    if is_shared(&names, text) {
        return None;
    }
    let picks = repetition.picks(body, turn, value, statement, &names)?;
    let name = slice(function.child_by_field_id(field::NAME)?, text).to_owned();
    Some(RepeatedBatch {
        name,
        picks: range(picks),
    })
}

/// Whether a function declares one of the names to be that of the script or of a function around it.
fn is_shared(names: &HashSet<&str>, text: &str) -> bool {
    text.lines()
        .filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("global ")
                .or_else(|| line.strip_prefix("nonlocal "))
        })
        .flat_map(|declared| declared.split([',', ' ']))
        .any(|name| names.contains(name))
}

/// Whether a node in a loop need not be reached in a turn of it.
fn is_conditional(node: Node<'_>, turn: Node<'_>) -> bool {
    std::iter::successors(node.parent(), Node::parent)
        .take_while(|outer| *outer != turn)
        .any(|outer| {
            matches!(
                outer.kind_name(),
                "if_statement" | "try_statement" | "with_statement" | "match_statement"
            )
        })
}

/// How a name gets its value in a turn of the loop.
struct Assigned<'t> {
    /// The expression, or what a loop within goes through.
    value: Node<'t>,
    statement: Node<'t>,
    conditional: bool,
}

/// What happens in a turn of a loop.
struct Loop<'a, 't> {
    text: &'a str,
    given: Node<'t>,
    assigned: FnvHashMap<&'a str, Vec<Assigned<'t>>>,
    /// Names with values that are changed, or that are others each time.
    changed: HashSet<&'a str>,
}

impl<'a, 't> Loop<'a, 't> {
    /// Notes what a statement does; `None` where that cannot be followed.
    fn note(&mut self, node: Node<'t>, conditional: bool) -> Option<()> {
        match node.kind_name() {
            "function_definition"
            | "class_definition"
            | "lambda"
            | "named_expression"
            | "await"
            | "return_statement"
            | "break_statement"
            | "raise_statement"
            | "global_statement"
            | "nonlocal_statement"
            | "delete_statement"
            | "with_statement" => return None,
            "assignment" => {
                let left = node.child_by_field_id(field::LEFT)?;
                let right = node.child_by_field_id(field::RIGHT)?;
                self.assign(left, right, node, conditional);
            }
            "augmented_assignment" => {
                let base = base_name(node.child_by_field_id(field::LEFT)?)?;
                self.changed.insert(slice(base, self.text));
            }
            "for_statement" => {
                let left = node.child_by_field_id(field::LEFT)?;
                if contains(node, self.given) {
                    let names = all(left, &["identifier"]);
                    self.changed
                        .extend(names.iter().map(|name| slice(*name, self.text)));
                } else {
                    let right = node.child_by_field_id(field::RIGHT)?;
                    self.assign(left, right, node, conditional);
                }
            }
            _ => {}
        }
        let conditional = conditional
            || matches!(
                node.kind_name(),
                "if_statement" | "try_statement" | "match_statement"
            );
        for child in children(node) {
            self.note(child, conditional)?;
        }
        Some(())
    }

    fn assign(&mut self, left: Node<'t>, value: Node<'t>, statement: Node<'t>, conditional: bool) {
        match left.kind_name() {
            "identifier" => self
                .assigned
                .entry(slice(left, self.text))
                .or_default()
                .push(Assigned {
                    value,
                    statement,
                    conditional,
                }),
            "pattern_list" | "tuple_pattern" | "list_pattern" => {
                for target in children(left) {
                    self.assign(target, value, statement, conditional);
                }
            }
            _ => {
                let names = all(left, &["identifier"]);
                self.changed
                    .extend(names.iter().map(|name| slice(*name, self.text)));
            }
        }
    }

    /// The names that an expression depends on, by way of what is assigned in the loop; `None` where one of them may be
    /// another in each turn.
    fn names(&self, value: Node<'t>) -> Option<HashSet<&'a str>> {
        let mut found = HashSet::new();
        let mut open = Vec::new();
        self.read(value, &mut open)?;
        while let Some(name) = open.pop() {
            if !found.insert(name) {
                continue;
            }
            // The state of an object may change anywhere.
            if self.changed.contains(name) || name == "self" {
                return None;
            }
            let direct = self.direct(name)?;
            if self.reaches(&direct, name)? {
                return None;
            }
            open.extend(direct);
        }
        Some(found)
    }

    /// The names that the value of a name is made of in a turn.
    fn direct(&self, name: &str) -> Option<Vec<&'a str>> {
        let mut direct = Vec::new();
        match self.assigned.get(name).map(Vec::as_slice) {
            None => {}
            Some([one]) if !one.conditional && one.statement.start_byte() < self.given.start_byte() => {
                self.read(one.value, &mut direct)?;
            }
            Some(_) => return None,
        }
        for call in self.fills(name) {
            self.read(call.child_by_field_id(field::ARGUMENTS)?, &mut direct)?;
        }
        Some(direct)
    }

    /// Whether a name is among what some names depend on: then it goes on from what it was.
    fn reaches(&self, from: &[&'a str], name: &str) -> Option<bool> {
        let mut seen = HashSet::new();
        let mut open = from.to_vec();
        while let Some(next) = open.pop() {
            if next == name {
                return Some(true);
            }
            if seen.insert(next) {
                open.extend(self.direct(next)?);
            }
        }
        Some(false)
    }

    /// The calls that put values into a list that is made in the same turn.
    fn fills(&self, name: &str) -> Vec<Node<'t>> {
        let Some([one]) = self.assigned.get(name).map(Vec::as_slice) else {
            return Vec::new();
        };
        let Some(turn) = one.statement.parent().and_then(|statement| statement.parent()) else {
            return Vec::new();
        };
        let filling = |call: &Node<'t>| {
            call.child_by_field_id(field::FUNCTION).is_some_and(|function| {
                let called = slice(function, self.text);
                called
                    .strip_prefix(name)
                    .is_some_and(|method| matches!(method, ".append" | ".extend"))
            })
        };
        let mut calls = all(turn, &["call"]);
        calls.retain(filling);
        calls
    }

    /// The names in an expression; `None` where it may be another each time.
    fn read(&self, node: Node<'t>, names: &mut Vec<&'a str>) -> Option<()> {
        match node.kind_name() {
            "identifier" => names.push(slice(node, self.text)),
            "attribute" => self.read(node.child_by_field_id(field::OBJECT)?, names)?,
            "keyword_argument" => self.read(node.child_by_field_id(field::VALUE)?, names)?,
            "lambda" | "named_expression" | "await" | "yield" => return None,
            "call" => {
                let object = self.pure(node)?;
                if let Some(object) = object {
                    self.read(object, names)?;
                }
                self.read(node.child_by_field_id(field::ARGUMENTS)?, names)?;
            }
            _ => {
                for child in children(node) {
                    self.read(child, names)?;
                }
            }
        }
        Some(())
    }

    /// For a call that gives the same for the same: the object whose method it calls, if it is one.
    fn pure(&self, call: Node<'t>) -> Option<Option<Node<'t>>> {
        let function = call.child_by_field_id(field::FUNCTION)?;
        if function.kind_name() == "identifier" {
            return has(PURE_FUNCTIONS, slice(function, self.text)).then_some(None);
        }
        let object = function.child_by_field_id(field::OBJECT)?;
        let method = slice(function.child_by_field_id(field::ATTRIBUTE)?, self.text);
        match slice(object, self.text) {
            "np" | "numpy" => Some(None),
            "tf" | "tensorflow" if has(PURE_OF_TENSORFLOW, method) => Some(None),
            _ if method == "to_categorical" => Some(None),
            _ => has(PURE_METHODS, method).then_some(Some(object)),
        }
    }

    /// Looks for calls in the loop that may change what some names stand for.
    fn changes_nothing(&self, turn: Node<'t>, names: &HashSet<&'a str>) -> Option<()> {
        let fills: Vec<Node<'t>> = names.iter().flat_map(|name| self.fills(name)).collect();
        let changes = |call: &Node<'t>| {
            let given = |name: &Node<'t>| names.contains(slice(*name, self.text));
            self.pure(*call).is_none()
                && !fills.contains(call)
                && all(*call, &["identifier"]).iter().any(given)
        };
        (!all(turn, &["call"]).iter().any(changes)).then_some(())
    }

    /// The statement that picks the batch; `None` where it is not certain that a batch is picked, and not all there is.
    fn picks(
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
        let number = stop.parse::<u32>().is_ok();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(text: &str) -> Vec<&str> {
        Program::parse(text)
            .repeated_batches(text)
            .into_iter()
            .map(|found| found.picks.slice(text))
            .collect()
    }

    fn generator(before: &str, turn: &str) -> String {
        let indent = |text: &str, width: usize| {
            text.lines()
                .map(|line| format!("{}{line}\n", " ".repeat(width)))
                .collect::<String>()
        };
        format!(
            "def batches(x, y, batch_size):\n{}    while True:\n{}",
            indent(before, 4),
            indent(turn, 8)
        )
    }

    #[test]
    fn the_statement_that_picks_the_same_batch() {
        for (before, turn, expected) in [
            (
                "",
                "yield x[:batch_size], y[:batch_size]",
                "yield x[:batch_size], y[:batch_size]",
            ),
            ("", "yield x[0:32], y[0:32]", "yield x[0:32], y[0:32]"),
            (
                "",
                "for i in range(9):\n    start = 0\n    end = start + batch_size\n    yield x[start:end], y[start:end]",
                "start = 0",
            ),
            (
                "i = 0",
                "bx = x[i:i + batch_size]\nby = y[i:i + batch_size]\nyield np.array(bx), by",
                "bx = x[i:i + batch_size]",
            ),
            (
                "idx = np.random.choice(len(x), batch_size)",
                "yield x[idx], y[idx]",
                "idx = np.random.choice(len(x), batch_size)",
            ),
            (
                "",
                "bx, by = [], []\nfor i in range(batch_size):\n    bx.append(x[i])\n    by.append(y[i])\nyield np.array(bx), np.array(by)",
                "bx.append(x[i])",
            ),
        ] {
            assert_eq!(picked(&generator(before, turn)), [expected], "{before}\n{turn}");
        }
    }

    #[test]
    fn other_batches_and_whole_arrays_are_left_alone() {
        for (before, turn) in [
            ("", "yield x, y"),
            ("", "yield x[:-1], x[1:]"),
            ("", "yield x[train], y[train]"),
            ("", "yield x[:split], y[:split]"),
            ("", "yield x[:, :8], y"),
            (
                "",
                "for i in range(9):\n    start = i * batch_size\n    yield x[start:start + batch_size], y",
            ),
            (
                "",
                "idx = np.random.choice(len(x), batch_size)\nyield x[idx], y[idx]",
            ),
            ("i = 0", "yield x[i:i + batch_size]\ni += batch_size"),
            (
                "i = 0",
                "i = (i + batch_size) % len(x)\nyield x[i:i + batch_size]",
            ),
            ("i = 0", "yield x[i:i + batch_size]\ni = step(i)"),
            (
                "order = np.arange(9)",
                "np.random.shuffle(order)\nyield x[order[:batch_size]]",
            ),
            (
                "",
                "bx = []\nfor i in range(batch_size):\n    bx.append(x[random.randrange(9)])\nyield np.array(bx)",
            ),
            ("", "yield augment(x[:batch_size]), y[:batch_size]"),
            ("", "x.rotate()\nyield x[:batch_size]"),
            ("", "if flip():\n    start = 0\nyield x[start:start + batch_size]"),
            ("", "for i in range(2):\n    if i:\n        yield x[:batch_size]"),
            (
                "rng = default_rng()",
                "k = rng.integers(9)\nyield x[k:k + batch_size]",
            ),
            (
                "files = iter(names)",
                "part = load(next(files))\nyield part[:batch_size]",
            ),
            ("", "yield x[:batch_size]\nbreak"),
            ("", "got = yield x[:batch_size]"),
            ("", "yield x[:batch_size]\nyield x[batch_size:]"),
            ("", "yield from x[:batch_size]"),
        ] {
            let found = picked(&generator(before, turn)).len();
            assert_eq!(found, 0, "{before}\n{turn}");
        }
    }
}
