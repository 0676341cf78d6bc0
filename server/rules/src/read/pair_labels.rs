//! What label 1 of a pair says, where pairs are made: two samples of one class, or of two.

use program::{Function, Statement, StatementKind, Term, TermKind, own_statements, statements};

use super::definitions::{Definitions, returned};

/// Longest way of labels that is followed.
const LONGEST: usize = 12;

/// What a label says of its pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    Same,
    Different,
}

impl Pair {
    fn other(self) -> Pair {
        match self {
            Pair::Same => Pair::Different,
            Pair::Different => Pair::Same,
        }
    }
}

/// The class of a sample, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
enum Class {
    /// The class that an expression gives.
    Is(String),
    /// Another class than that.
    IsNot(String),
    /// That of the sample with this number.
    Of(String),
}

pub(crate) struct PairLabels<'d, 'a> {
    pub definitions: &'d Definitions<'a>,
    pub text: &'d str,
}

impl<'a> PairLabels<'_, 'a> {
    /// What label 1 says in the labels that an expression gives; `None` where that is not certain.
    pub(crate) fn meaning(&self, block: &'a [Statement], labels: &'a Term) -> Option<Pair> {
        let (mut block, mut term) = (block, labels);
        for _ in 0..LONGEST {
            if let Some(pair) = compared(term) {
                return Some(pair);
            }
            match &term.kind {
                TermKind::Name(name) => {
                    if let Some(pair) = self.collected(block, name) {
                        return Some(pair);
                    }
                    (block, term) = self.value(block, name)?;
                }
                TermKind::Subscript(object, _) => term = object,
                TermKind::Call(call) => {
                    term = match (call.path.as_deref(), call.last()?) {
                        (
                            Some(_),
                            "array" | "asarray" | "cast" | "float32" | "expand_dims" | "convert_to_tensor",
                        ) => &call.arguments.first()?.1,
                        (None, "astype" | "reshape" | "ravel" | "flatten" | "copy") => call.receiver()?,
                        _ => return None,
                    };
                }
                _ => return None,
            }
        }
        None
    }

    /// The value of a name, with the block it stands in: also where a function of the script gives it.
    fn value(&self, block: &'a [Statement], name: &str) -> Option<(&'a [Statement], &'a Term)> {
        let known = [block, self.definitions.code];
        for block in known {
            for statement in own_statements(block).into_iter().rev() {
                let StatementKind::Assign {
                    target,
                    value,
                    operator: None,
                } = &statement.kind
                else {
                    continue;
                };
                if target.name() == Some(name) {
                    let Some(function) = value.call().and_then(|call| self.definitions.called(call)) else {
                        return Some((block, value));
                    };
                    return Some((&function.function.body, only_result(function.function)?));
                }
                let TermKind::List(targets) = &target.kind else {
                    continue;
                };
                let Some(place) = place_of(targets, name) else {
                    continue;
                };
                let function = self.definitions.called(value.call()?)?.function;
                let mut result = only_result(function)?;
                for part in place {
                    let TermKind::List(parts) = &result.kind else {
                        return None;
                    };
                    result = parts.get(part)?;
                }
                return Some((&function.body, result));
            }
        }
        None
    }

    /// What the labels say that are put into a list one by one, each after its pair.
    fn collected(&self, block: &'a [Statement], list: &str) -> Option<Pair> {
        let mut found = Vec::new();
        self.in_block(block, block, list, &mut found)?;
        let first = *found.first()?;
        found.iter().all(|pair| *pair == first).then_some(first)
    }

    /// Goes through the statements of a block and the blocks in it; `None` where a label is not understood.
    fn in_block(
        &self,
        outer: &'a [Statement],
        block: &'a [Statement],
        list: &str,
        found: &mut Vec<Pair>,
    ) -> Option<()> {
        let mut pending: Vec<[&'a Term; 2]> = Vec::new();
        let mut half = None;
        for statement in block {
            if let Some((target, values)) = appended(statement) {
                if target == list {
                    let mut scope = Scope { branch: None, outer };
                    if pending.is_empty() {
                        // The pair is put together behind the label.
                        scope.branch = Some(block);
                        pending = pairs(outer, list);
                    }
                    self.labelled(scope, &values, &pending, found)?;
                    pending.clear();
                } else {
                    put_together(target, values, &mut half, &mut pending);
                }
            }
            match &statement.kind {
                StatementKind::If(condition, body, other) => {
                    let pair = compared(condition);
                    for (branch, pair) in [(body, pair), (other, pair.map(Pair::other))] {
                        match (pair, constant_label(branch, list)) {
                            (Some(pair), Some(label)) => found.push(if label { pair } else { pair.other() }),
                            (None, _) | (_, None) => self.in_block(outer, branch, list, found)?,
                        }
                    }
                }
                StatementKind::For(_, _, body)
                | StatementKind::While(_, body)
                | StatementKind::With(_, body)
                | StatementKind::Other(body) => self.in_block(outer, body, list, found)?,
                _ => {}
            }
        }
        Some(())
    }

    fn labelled(
        &self,
        scope: Scope<'a>,
        values: &[&'a Term],
        pending: &[[&'a Term; 2]],
        found: &mut Vec<Pair>,
    ) -> Option<()> {
        for (at, value) in values.iter().enumerate() {
            if let Some(pair) = compared(value) {
                found.push(pair);
                continue;
            }
            let pair = *pending.get(at).filter(|_| pending.len() == values.len())?;
            let relation = self.relation(scope, pair)?;
            match value.number()? {
                1.0 => found.push(relation),
                0.0 => found.push(relation.other()),
                _ => return None,
            }
        }
        Some(())
    }

    /// Whether two samples are of one class.
    fn relation(&self, scope: Scope<'a>, pair: [&'a Term; 2]) -> Option<Pair> {
        let [first, second] = pair.map(|sample| self.class(scope, sample));
        let (first, second) = (first?, second?);
        let matches = |number: &str, class: &str| class.ends_with(&format!("[{number}]"));
        match (&first, &second) {
            (Class::Is(one), Class::Is(other)) if one == other => Some(Pair::Same),
            (Class::Is(one), Class::IsNot(other)) | (Class::IsNot(other), Class::Is(one)) if one == other => {
                Some(Pair::Different)
            }
            (Class::Of(number), Class::Is(class)) | (Class::Is(class), Class::Of(number))
                if matches(number, class) =>
            {
                Some(Pair::Same)
            }
            (Class::Of(number), Class::IsNot(class)) | (Class::IsNot(class), Class::Of(number))
                if matches(number, class) =>
            {
                Some(Pair::Different)
            }
            _ => None,
        }
    }

    /// The class of a sample, `x[number]` or the number itself.
    fn class(&self, scope: Scope<'a>, sample: &'a Term) -> Option<Class> {
        let mut term = sample;
        let mut within = false;
        for _ in 0..LONGEST {
            match &term.kind {
                TermKind::Name(name) => match self.last(scope, name, term.range.start) {
                    // Drawn from the samples of a class, or from all.
                    Some(value) if value.call().is_some() => {
                        return self.class(scope, value).or_else(|| Some(Class::Of(name.clone())));
                    }
                    Some(value) => term = value,
                    None => return Some(Class::Of(name.clone())),
                },
                TermKind::Subscript(object, index) => {
                    let [index] = index.as_slice() else { return None };
                    match &object.kind {
                        // `by_class[k][i]`
                        TermKind::Subscript(_, key) => return self.key(scope, key.first()?),
                        _ => {
                            if let Some(class) = self.members(scope, object) {
                                return Some(class);
                            }
                            // A number out of another table is not the sample's own.
                            if within {
                                return None;
                            }
                            within = true;
                            term = index;
                        }
                    }
                }
                TermKind::Call(call) => {
                    return match call.last()? {
                        "choice" => self.members(scope, &call.arguments.first()?.1),
                        "int" => self.class(scope, &call.arguments.first()?.1),
                        _ => None,
                    };
                }
                _ => return None,
            }
        }
        None
    }

    /// The class whose samples an expression lists: `by_class[k]`, `np.where(y == k)[0]`.
    fn members(&self, scope: Scope<'a>, list: &'a Term) -> Option<Class> {
        let list = match list.name() {
            Some(name) => self.last(scope, name, list.range.start)?,
            None => list,
        };
        let compares = |list: &'a Term| {
            let compare = list.all().into_iter().find_map(|term| match &term.kind {
                TermKind::Compare(sign, terms) => Some((*sign, terms)),
                _ => None,
            })?;
            let key = self.written(scope, compare.1.get(1)?);
            match compare.0 {
                "==" => Some(Class::Is(key)),
                "!=" => Some(Class::IsNot(key)),
                _ => None,
            }
        };
        match &list.kind {
            TermKind::Subscript(object, index) => match compares(object) {
                Some(class) => Some(class),
                None => {
                    object.name()?;
                    self.key(scope, index.first()?)
                }
            },
            _ => compares(list),
        }
    }

    /// The class that a key of a table stands for.
    fn key(&self, scope: Scope<'a>, key: &'a Term) -> Option<Class> {
        let value = key
            .name()
            .and_then(|name| self.last(scope, name, key.range.start));
        let shifted = |term: &'a Term| {
            // `(k + randrange(1, n)) % n`
            let TermKind::Binary("%", sum, _) = &term.kind else {
                return None;
            };
            let TermKind::Binary("+", base, step) = &sum.kind else {
                return None;
            };
            let step = match step.name() {
                Some(name) => self.last(scope, name, step.range.start)?,
                None => step,
            };
            let call = step.call()?;
            let least = call.arguments.first()?.1.number()?;
            let draws = matches!(call.last()?, "randrange" | "randint" | "integers");
            (draws && least >= 1.0 && call.arguments.len() >= 2)
                .then(|| Class::IsNot(self.written(scope, base)))
        };
        match value {
            Some(value) => match &value.kind {
                TermKind::Binary(..) => shifted(value),
                TermKind::Subscript(..) => Some(Class::Is(self.written(scope, value))),
                // `choice([c for c in classes if c != k])`
                TermKind::Call(call) if call.last() == Some("choice") => {
                    match self.members(scope, &call.arguments.first()?.1)? {
                        Class::IsNot(class) => Some(Class::IsNot(class)),
                        _ => None,
                    }
                }
                _ => None,
            },
            None if matches!(key.kind, TermKind::Binary(..)) => shifted(key),
            None => Some(Class::Is(self.written(scope, key))),
        }
    }

    /// An expression as text, a variable by its value where that is an element of a table.
    fn written(&self, scope: Scope<'a>, term: &'a Term) -> String {
        let value = term
            .name()
            .and_then(|name| self.last(scope, name, term.range.start));
        let value = value.filter(|value| matches!(value.kind, TermKind::Subscript(..)));
        let text = value.unwrap_or(term).range.slice(self.text);
        text.split_whitespace().collect()
    }

    /// The value that a name is given last before a byte, also as a part of a list.
    fn last(&self, scope: Scope<'a>, name: &str, before: usize) -> Option<&'a Term> {
        let in_branch = scope.branch.and_then(|branch| last_in(branch, name, usize::MAX));
        in_branch.or_else(|| last_in(scope.outer, name, before))
    }
}

/// `(a == b).astype(int)`, `int(y[i] == y[j])`, `1 if a == b else 0`
fn compared(term: &Term) -> Option<Pair> {
    match &term.kind {
        TermKind::Compare(sign, terms) if terms.len() == 2 => {
            let both_vary = terms.iter().all(|term| {
                term.number().is_none() && !matches!(term.kind, TermKind::Text(_) | TermKind::Bool(_))
            });
            match *sign {
                "==" if both_vary => Some(Pair::Same),
                "!=" if both_vary => Some(Pair::Different),
                _ => None,
            }
        }
        TermKind::Choice(parts) => {
            let pair = compared(&parts[1])?;
            match (parts[0].number()?, parts[2].number()?) {
                (1.0, 0.0) => Some(pair),
                (0.0, 1.0) => Some(pair.other()),
                _ => None,
            }
        }
        TermKind::Binary("-", one, inner) if one.number() == Some(1.0) => compared(inner).map(Pair::other),
        TermKind::Call(call) => match call.last()? {
            "int" | "float" | "cast" | "float32" | "array" | "asarray" | "bool" => {
                compared(&call.arguments.first()?.1)
            }
            "astype" => compared(call.receiver()?),
            "equal" if call.path.is_some() && call.arguments.len() == 2 => Some(Pair::Same),
            "not_equal" if call.path.is_some() && call.arguments.len() == 2 => Some(Pair::Different),
            _ => None,
        },
        _ => None,
    }
}

/// Where the values of names are looked for.
#[derive(Clone, Copy)]
struct Scope<'a> {
    /// The branch that the label is given in, when its pair is put together behind it.
    branch: Option<&'a [Statement]>,
    outer: &'a [Statement],
}

fn last_in<'a>(block: &'a [Statement], name: &str, before: usize) -> Option<&'a Term> {
    let earlier = own_statements(block)
        .into_iter()
        .filter(|statement| statement.range.end <= before);
    earlier
        .filter_map(|statement| match &statement.kind {
            StatementKind::Assign {
                target,
                value,
                operator: None,
            } => match (&target.kind, &value.kind) {
                (TermKind::Name(target), _) if target == name => Some(value),
                (TermKind::List(targets), TermKind::List(values)) if targets.len() == values.len() => {
                    let at = targets.iter().position(|target| target.name() == Some(name))?;
                    values.get(at)
                }
                _ => None,
            },
            _ => None,
        })
        .next_back()
}

/// Where a name stands in the targets of an assignment: `(a, b), c`.
fn place_of(targets: &[Term], name: &str) -> Option<Vec<usize>> {
    targets
        .iter()
        .enumerate()
        .find_map(|(at, target)| match &target.kind {
            TermKind::Name(target) if target == name => Some(vec![at]),
            TermKind::List(inner) => {
                let mut place = place_of(inner, name)?;
                place.insert(0, at);
                Some(place)
            }
            _ => None,
        })
}

/// The pairs that a block puts into other lists than that of the labels.
fn pairs<'a>(block: &'a [Statement], labels: &str) -> Vec<[&'a Term; 2]> {
    let (mut half, mut found) = (None, Vec::new());
    for (target, values) in own_statements(block).into_iter().filter_map(appended) {
        if target != labels {
            put_together(target, values, &mut half, &mut found);
        }
    }
    found
}

/// Puts what is added to a list to the pairs: as a pair, or as a half of one whose other half goes to another list.
fn put_together<'a>(
    target: &'a str,
    values: Vec<&'a Term>,
    half: &mut Option<(&'a str, &'a Term)>,
    pairs: &mut Vec<[&'a Term; 2]>,
) {
    for value in values {
        match (&value.kind, *half) {
            (TermKind::List(pair), _) if pair.len() == 2 => {
                pairs.extend(pair.first().zip(pair.get(1)).map(|(one, other)| [one, other]));
            }
            (_, Some((other, first))) if other != target => {
                pairs.push([first, value]);
                *half = None;
            }
            _ => *half = Some((target, value)),
        }
    }
}

fn only_result(function: &Function) -> Option<&Term> {
    match returned(function).as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// What a statement puts into a list: `a.append(v)`, `a += [v, w]`, `a.extend([v, w])`.
fn appended(statement: &Statement) -> Option<(&str, Vec<&Term>)> {
    fn list(term: &Term) -> Option<Vec<&Term>> {
        match &term.kind {
            TermKind::List(items) => Some(items.iter().collect()),
            _ => None,
        }
    }
    match &statement.kind {
        StatementKind::Assign {
            target,
            value,
            operator: Some("+"),
        } => Some((target.name()?, list(value)?)),
        StatementKind::Expression(term) => {
            let call = term.call()?;
            let name = call.receiver()?.name()?;
            let value = &call.arguments.first()?.1;
            match call.last()? {
                "append" => Some((name, vec![value])),
                "extend" => Some((name, list(value)?)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The one label, 0 or 1, that a branch puts into a list.
fn constant_label(branch: &[Statement], list: &str) -> Option<bool> {
    let mut labels = statements(branch)
        .into_iter()
        .filter_map(appended)
        .filter(|(target, _)| *target == list);
    let (_, values) = labels.next()?;
    match (values.as_slice(), labels.next()) {
        ([value], None) => match value.number()? {
            1.0 => Some(true),
            0.0 => Some(false),
            _ => None,
        },
        _ => None,
    }
}
