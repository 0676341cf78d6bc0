//! Functions and methods of Python itself.

use super::object::{Arguments, Item, Val};
use super::{Interpreter, fold};

/// Longest `range` that is written out.
const LONGEST_RANGE: i64 = 256;

const NAMES: [&str; 29] = [
    "len",
    "range",
    "list",
    "tuple",
    "dict",
    "int",
    "float",
    "str",
    "max",
    "min",
    "sum",
    "abs",
    "round",
    "zip",
    "enumerate",
    "reversed",
    "sorted",
    "bool",
    "print",
    "super",
    "type",
    "isinstance",
    "id",
    "repr",
    "getattr",
    "hasattr",
    "map",
    "filter",
    "set",
];

pub(super) fn is_builtin(name: &str) -> bool {
    NAMES.contains(&name)
}

/// A method of a string.
pub(super) fn text_method(text: &str, method: &str, arguments: &Arguments) -> Val {
    match (method, arguments.list.is_empty()) {
        ("lower", true) => Val::Str(text.to_lowercase().into()),
        ("upper", true) => Val::Str(text.to_uppercase().into()),
        ("strip", true) => Val::Str(text.trim().into()),
        _ => Val::Unknown,
    }
}

impl<'a, 't> Interpreter<'a, 't> {
    /// What a call of a function of Python gives; `None` where that is not known.
    pub(super) fn call_builtin(&mut self, name: &str, arguments: &Arguments) -> Option<Val> {
        if arguments.open {
            return None;
        }
        if name == "dict" {
            return self.dict_of(arguments);
        }
        let first = arguments.positional(0);
        let numbers: Option<Vec<Val>> = match (first.map(|item| &item.val), arguments.list.len()) {
            (Some(list @ Val::List(_)), 1) => self
                .items(list)
                .map(|items| items.iter().map(|item| item.val.clone()).collect()),
            _ => Some(arguments.values().cloned().collect()),
        };
        match name {
            "len" => {
                let length = match &first?.val {
                    Val::Str(text) => text.chars().count(),
                    dict @ Val::Dict(_) => self.pairs(dict)?.len(),
                    list => self.items(list)?.len(),
                };
                i64::try_from(length).ok().map(Val::Int)
            }
            "range" => self.range(arguments),
            "list" | "tuple" | "reversed" | "enumerate" | "zip" => self.sequence_of(name, arguments),
            "int" => match first?.val {
                Val::Int(number) => Some(Val::Int(number)),
                Val::Float(number) if number.abs() < 1e15 => Some(Val::Int(number.trunc() as i64)),
                _ => None,
            },
            "float" => match &first?.val {
                Val::Str(text) => text.trim().parse().ok().map(Val::Float),
                val => fold::number(val).map(Val::Float),
            },
            "str" => fold::display(&first?.val).map(|text| Val::Str(text.into())),
            "bool" => fold::truth(&first?.val).map(Val::Bool),
            "abs" => match first?.val {
                Val::Int(number) => number.checked_abs().map(Val::Int),
                Val::Float(number) => Some(Val::Float(number.abs())),
                _ => None,
            },
            "max" | "min" => numbers?
                .into_iter()
                .try_fold(None, |best: Option<Val>, next| {
                    let value = fold::number(&next)?;
                    match &best {
                        Some(best) if (fold::number(best)? >= value) == (name == "max") => {
                            Some(Some(best.clone()))
                        }
                        _ => Some(Some(next)),
                    }
                })
                .flatten(),
            "sum" => numbers?.into_iter().try_fold(Val::Int(0), |sum, next| {
                match fold::arithmetic(&sum, "+", &next) {
                    Val::Unknown => None,
                    sum => Some(sum),
                }
            }),
            _ => None,
        }
    }

    fn dict_of(&mut self, arguments: &Arguments) -> Option<Val> {
        let mut pairs = match arguments.positional(0) {
            Some(known) => self.pairs(&known.val)?.to_vec(),
            None => Vec::new(),
        };
        for given in &arguments.list {
            if let Some(keyword) = &given.keyword {
                let key = Val::Str(keyword.clone());
                pairs.retain(|(known, _)| known.val != key);
                let place = given.keyword_range.unwrap_or(given.range);
                pairs.push((Item::new(key, place), given.item.clone()));
            }
        }
        Some(self.new_dict(Some(pairs)))
    }

    fn range(&mut self, arguments: &Arguments) -> Option<Val> {
        let bounds: Vec<i64> = arguments
            .values()
            .map(|val| match val {
                Val::Int(number) => Some(*number),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let (start, end, step) = match bounds.as_slice() {
            [end] => (0, *end, 1),
            [start, end] => (*start, *end, 1),
            [start, end, step] if *step != 0 => (*start, *end, *step),
            _ => return None,
        };
        let distance = if step > 0 {
            end.checked_sub(start)?
        } else {
            start.checked_sub(end)?
        };
        let width = step.checked_abs()?;
        if distance.max(0) / width > LONGEST_RANGE {
            return None;
        }
        let count = distance.max(0) / width + i64::from(distance.max(0) % width != 0);
        let items = (0..count)
            .map(|index| Item::new(Val::Int(start + index * step), finding::Range::default()))
            .collect();
        Some(self.new_list(Some(items)))
    }

    fn sequence_of(&mut self, name: &str, arguments: &Arguments) -> Option<Val> {
        let Some(first) = arguments.positional(0) else {
            return (name == "list" || name == "tuple").then(|| self.new_list(Some(Vec::new())));
        };
        let mut items = self.elements(first)?;
        match name {
            "list" | "tuple" if arguments.list.len() == 1 => {}
            "reversed" => items.reverse(),
            "enumerate" => {
                let start = match arguments.get("start", 1).map(|item| &item.val) {
                    None => 0,
                    Some(Val::Int(start)) => *start,
                    Some(_) => return None,
                };
                let mut pairs = Vec::with_capacity(items.len());
                for (index, item) in (start..).zip(items) {
                    pairs.push(self.tuple(vec![Item::new(Val::Int(index), item.range), item]));
                }
                items = pairs;
            }
            "zip" => {
                let lists: Vec<Vec<Item>> = arguments
                    .list
                    .iter()
                    .map(|given| self.elements(&given.item))
                    .collect::<Option<_>>()?;
                let length = lists.iter().map(Vec::len).min().unwrap_or(0);
                let mut rows = Vec::with_capacity(length);
                for index in 0..length {
                    let row = lists.iter().filter_map(|list| list.get(index).cloned()).collect();
                    rows.push(self.tuple(row));
                }
                items = rows;
            }
            _ => return None,
        }
        Some(self.new_list(Some(items)))
    }

    fn tuple(&mut self, items: Vec<Item>) -> Item {
        let place = items
            .last()
            .map_or_else(finding::Range::default, |item| item.range);
        Item::new(self.new_list(Some(items)), place)
    }

    pub(super) fn list_method(&mut self, list: usize, method: &str, arguments: &Arguments) -> Val {
        let first = arguments.positional(0).cloned();
        match (method, first) {
            ("append", Some(item)) if !arguments.open => self.change_list(list, |items| items.push(item)),
            ("extend", Some(item)) if !arguments.open => match self.elements(&item) {
                Some(more) => self.change_list(list, |items| items.extend(more)),
                None => self.lose_list(list),
            },
            ("insert", Some(Item { val: Val::Int(0), .. })) if !arguments.open => {
                match arguments.positional(1).cloned() {
                    Some(item) => self.change_list(list, |items| items.insert(0, item)),
                    None => self.lose_list(list),
                }
            }
            ("pop", None) if arguments.list.is_empty() && !arguments.open => {
                let last = self
                    .items(&Val::List(list))
                    .and_then(|items| items.last().cloned());
                self.change_list(list, |items| {
                    items.pop();
                });
                return last.map_or(Val::Unknown, |item| item.val);
            }
            ("reverse", None) => self.change_list(list, |items| items.reverse()),
            ("copy", None) => {
                let items = self.items(&Val::List(list)).map(<[Item]>::to_vec);
                return self.new_list(items);
            }
            ("index" | "count", _) => return Val::Unknown,
            _ => self.lose_list(list),
        }
        Val::None
    }

    pub(super) fn dict_method(&mut self, dict: usize, method: &str, arguments: &Arguments) -> Val {
        let known = self.pairs(&Val::Dict(dict)).map(<[(Item, Item)]>::to_vec);
        match method {
            "keys" | "values" | "items" => {
                let Some(pairs) = known else { return Val::Unknown };
                let mut items = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    items.push(match method {
                        "keys" => key,
                        "values" => value,
                        _ => self.tuple(vec![key, value]),
                    });
                }
                self.new_list(Some(items))
            }
            "get" => {
                let found = known.zip(arguments.positional(0)).and_then(|(pairs, key)| {
                    let found = pairs.into_iter().find(|(known, _)| known.val == key.val);
                    match found {
                        Some((_, item)) => Some(item.val),
                        None if key.val == Val::Unknown => None,
                        None => Some(arguments.positional(1).map_or(Val::None, |item| item.val.clone())),
                    }
                });
                found.unwrap_or(Val::Unknown)
            }
            "copy" => self.new_dict(known),
            "update" => {
                let more = self.dict_of(arguments).filter(|_| !arguments.open);
                match more.and_then(|more| self.pairs(&more).map(<[(Item, Item)]>::to_vec)) {
                    Some(more) => {
                        for (key, item) in more {
                            self.set_entry(dict, key, item);
                        }
                    }
                    None => self.lose_dict(dict),
                }
                Val::None
            }
            _ => {
                self.lose_dict(dict);
                Val::Unknown
            }
        }
    }
}
