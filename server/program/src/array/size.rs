//! Sizes of axes.

use std::fmt;

use tree_sitter::Node;

use super::binding::Binding;
use super::{Arrays, At, Sizes};
use crate::field;
use crate::functions::elements;
use crate::provenance::Part;
use crate::syntax::{KindName, children, unparenthesised};

/// The size of an axis of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// A number.
    Number(i64),
    /// That of a variable: its name, and the byte its definition begins at.
    Named(String, usize),
    /// That of an axis of an array of which nothing else is known: how it is written, the byte the array's definition
    /// begins at, and the axis.
    Axis(String, usize, usize),
    /// Not known.
    Unknown,
}

impl Size {
    /// Whether two sizes are certainly the same.
    pub fn is(&self, other: &Size) -> bool {
        match (self, other) {
            (Size::Number(one), Size::Number(other)) => one == other,
            (Size::Named(_, one), Size::Named(_, other)) => one == other,
            (Size::Axis(_, one, axis), Size::Axis(_, other, of_other)) => one == other && axis == of_other,
            _ => false,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Size::Number(number) => write!(formatter, "{number}"),
            Size::Named(name, _) | Size::Axis(name, _, _) => formatter.write_str(name),
            Size::Unknown => formatter.write_str("…"),
        }
    }
}

impl<'t> Arrays<'_, '_, '_, 't> {
    /// The number that an expression stands for, or what is known of it.
    pub(super) fn size(&self, node: Node<'t>, at: At<'_, 't>) -> Size {
        self.size_inside(node, at).unwrap_or(Size::Unknown)
    }

    fn size_inside(&self, node: Node<'t>, at: At<'_, 't>) -> Option<Size> {
        let at = self.deeper(at)?;
        let node = unparenthesised(node);
        let text = self.text(node);
        match node.kind_name() {
            "integer" => text.replace('_', "").parse().ok().map(Size::Number),
            "unary_operator" => match self.size(node.child_by_field_id(field::ARGUMENT)?, at) {
                Size::Number(number) if text.starts_with('-') => Some(Size::Number(number.checked_neg()?)),
                _ => None,
            },
            "binary_operator" => self.size_of_operation(node, at),
            "identifier" => self.size_of_name(node, at),
            // An attribute of the object or of the settings.
            "attribute" => {
                let plain = node.child_by_field_id(field::OBJECT)?.kind_name() == "identifier";
                let is_setting =
                    plain && !matches!(text.rsplit('.').next(), Some("shape" | "T" | "size" | "ndim"));
                is_setting.then(|| Size::Named(text.to_owned(), usize::MAX - hash(text)))
            }
            "subscript" => {
                let object = node.child_by_field_id(field::VALUE)?;
                let index = self.text(node.child_by_field_id(field::SUBSCRIPT)?);
                let sizes = self.sizes_or_array(object, at)?;
                match sizes {
                    Sizes::Known(sizes) => sizes.get(position(index.parse().ok()?, sizes.len())?).cloned(),
                    Sizes::Of(array) => Some(Size::Axis(text.to_owned(), array, index.parse().ok()?)),
                }
            }
            "call" => {
                let function = self.text(node.child_by_field_id(field::FUNCTION)?);
                let given = self.positional(node)?;
                let [one] = given.as_slice() else { return None };
                match function {
                    "int" => self.size_inside(*one, at),
                    "len" => match self.shape(*one, at)? {
                        Sizes::Known(sizes) => sizes.first().cloned(),
                        Sizes::Of(array) => Some(Size::Axis(text.to_owned(), array, 0)),
                    },
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn size_of_operation(&self, node: Node<'t>, at: At<'_, 't>) -> Option<Size> {
        let (Size::Number(left), Size::Number(right)) = (
            self.size(node.child_by_field_id(field::LEFT)?, at),
            self.size(node.child_by_field_id(field::RIGHT)?, at),
        ) else {
            return None;
        };
        let number = match self.text(node.child_by_field_id(field::OPERATOR)?) {
            "+" => left.checked_add(right)?,
            "-" => left.checked_sub(right)?,
            "*" => left.checked_mul(right)?,
            "//" if left >= 0 && right > 0 => left / right,
            _ => return None,
        };
        Some(Size::Number(number))
    }

    fn size_of_name(&self, name: Node<'t>, at: At<'_, 't>) -> Option<Size> {
        let own = |id| Size::Named(self.text(name).to_owned(), id);
        let here = self.way.scopes.scope_at(name.start_byte());
        if self.way.scopes.lookup(self.text(name), here).is_none() {
            return Some(own(usize::MAX - hash(self.text(name))));
        }
        match self.binding(name)? {
            Binding::Value { value, part, id } if part == Part::WHOLE => Some(match self.size(value, at) {
                Size::Unknown => own(id),
                // The name is shorter than what it stands for.
                Size::Axis(_, array, axis) => Size::Axis(self.text(name).to_owned(), array, axis),
                known => known,
            }),
            Binding::Value { value, part, id } => Some(
                match self.sizes_or_array(value, at) {
                    Some(Sizes::Known(sizes)) if sizes.len() == part.of => sizes
                        .get(part.index)
                        .cloned()
                        .filter(|size| *size != Size::Unknown),
                    Some(Sizes::Of(array)) => Some(Size::Axis(self.text(name).to_owned(), array, part.index)),
                    _ => None,
                }
                .unwrap_or_else(|| own(id)),
            ),
            Binding::Parameter(parameter) => Some(
                self.given(parameter, at, |this, value, at| this.size_inside(value, at))
                    .unwrap_or_else(|| own(parameter.start_byte())),
            ),
        }
    }

    /// The sizes that a tuple, list or shape stands for.
    pub(super) fn sizes(&self, node: Node<'t>, at: At<'_, 't>) -> Option<Vec<Size>> {
        self.sizes_or_array(node, at)?.known()
    }

    fn sizes_or_array(&self, node: Node<'t>, at: At<'_, 't>) -> Option<Sizes> {
        let at = self.deeper(at)?;
        let node = unparenthesised(node);
        if let Some(elements) = elements(node) {
            return Some(Sizes::Known(
                elements
                    .into_iter()
                    .map(|element| self.size(element, at))
                    .collect(),
            ));
        }
        match node.kind_name() {
            "attribute" => {
                let attribute = self.text(node.child_by_field_id(field::ATTRIBUTE)?);
                (attribute == "shape")
                    .then(|| self.shape(node.child_by_field_id(field::OBJECT)?, at))
                    .flatten()
            }
            "identifier" => match self.binding(node)? {
                Binding::Value { value, part, .. } if part == Part::WHOLE => self.sizes_or_array(value, at),
                Binding::Value { .. } => None,
                Binding::Parameter(parameter) => {
                    self.given(parameter, at, |this, value, at| this.sizes_or_array(value, at))
                }
            },
            // `(n,) + x.shape[1:]`
            "binary_operator" => {
                let mut left = self.sizes(node.child_by_field_id(field::LEFT)?, at)?;
                left.extend(self.sizes(node.child_by_field_id(field::RIGHT)?, at)?);
                (self.text(node.child_by_field_id(field::OPERATOR)?) == "+").then_some(Sizes::Known(left))
            }
            "subscript" => {
                let sizes = self.sizes(node.child_by_field_id(field::VALUE)?, at)?;
                let part = node.child_by_field_id(field::SUBSCRIPT)?;
                let (from, to) = (part.kind_name() == "slice")
                    .then(|| self.text(part))?
                    .split_once(':')?;
                let bound = |written: &str, default| match written.trim() {
                    "" => Some(default),
                    number => position(number.parse().ok()?, sizes.len()),
                };
                let (from, to) = (bound(from, 0)?, bound(to, sizes.len())?);
                sizes.get(from..to).map(|sizes| Sizes::Known(sizes.to_vec()))
            }
            _ => None,
        }
    }

    /// The shape that arguments from a position on stand for: one tuple, or a number each.
    pub(super) fn sizes_from(&self, call: Node<'t>, position: usize, at: At<'_, 't>) -> Option<Vec<Size>> {
        let given = self.positional(call)?;
        match given.get(position..)? {
            [] => None,
            [one] => self.sizes(*one, at).or_else(|| Some(vec![self.size(*one, at)])),
            several => Some(several.iter().map(|size| self.size(*size, at)).collect()),
        }
    }

    /// How many values an expression goes through: `range(n)`, or as many as an array has.
    pub(super) fn length(&self, iterable: Node<'t>, at: At<'_, 't>) -> Size {
        let given = || {
            let function = iterable.child_by_field_id(field::FUNCTION)?;
            (self.text(function) == "range")
                .then(|| self.positional(iterable))
                .flatten()
        };
        if iterable.kind_name() == "call" {
            return match given().as_deref() {
                Some([end]) => self.size(*end, at),
                _ => Size::Unknown,
            };
        }
        match elements(iterable) {
            Some(elements) => i64::try_from(elements.len()).map_or(Size::Unknown, Size::Number),
            None => match self.shape(iterable, at) {
                Some(Sizes::Known(sizes)) => sizes.first().cloned().unwrap_or(Size::Unknown),
                _ => Size::Unknown,
            },
        }
    }

    /// How many values `start:end` takes of an axis.
    pub(super) fn size_of_slice(&self, part: Node<'t>, whole: &Size, at: At<'_, 't>) -> Size {
        let written = self.text(part).trim();
        if written == ":" || written == "::" || written == "::-1" {
            return whole.clone();
        }
        let bounds = children(part);
        match (bounds.as_slice(), written.matches(':').count()) {
            // `i:i + n`
            ([start, end], 1) if end.kind_name() == "binary_operator" => {
                let sum = || {
                    let left = end.child_by_field_id(field::LEFT)?;
                    let plus = self.text(end.child_by_field_id(field::OPERATOR)?) == "+";
                    (plus && self.text(left) == self.text(*start))
                        .then(|| self.size_inside(end.child_by_field_id(field::RIGHT)?, at))
                        .flatten()
                };
                sum().unwrap_or(Size::Unknown)
            }
            ([start, end], 1) => match (self.size(*start, at), self.size(*end, at)) {
                (Size::Number(start), Size::Number(end)) if 0 <= start && start < end => {
                    Size::Number(end - start)
                }
                _ => Size::Unknown,
            },
            _ => Size::Unknown,
        }
    }
}

/// The position that a number stands for, counted from the end where it is negative.
pub(super) fn position(number: i64, of: usize) -> Option<usize> {
    let length = i64::try_from(of).ok()?;
    usize::try_from(if number < 0 { number + length } else { number })
        .ok()
        .filter(|position| *position <= of)
}

/// A number for a text, so that the same text is the same size.
fn hash(text: &str) -> usize {
    text.bytes().fold(7_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte)) & 0xff_ffff
    })
}
