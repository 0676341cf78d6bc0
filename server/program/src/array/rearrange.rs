//! Arrays that are made of others by putting their axes or values elsewhere.

use tree_sitter::Node;

use super::size::position;
use super::{Arrays, At, Size, Sizes};
use crate::field;
use crate::syntax::{KindName, children, unparenthesised};

impl<'t> Arrays<'_, '_, '_, 't> {
    /// What a function or method gives that moves the axes or values of an array; its own arguments begin at `first`.
    pub(super) fn rearranged(
        &self,
        name: &str,
        array: Node<'t>,
        call: Node<'t>,
        first: usize,
        at: At<'_, 't>,
    ) -> Option<Sizes> {
        if name == "reshape" {
            let target = self.target_of_reshape(call, first, at)?;
            let whole = self.shape(array, at).and_then(Sizes::known);
            return Some(Sizes::Known(completed(target, whole.as_deref())));
        }
        let sizes = self.shape(array, at)?.known()?;
        let axis = |name: &str, offset: usize| -> Option<usize> {
            let axis = self.argument(call, name, first + offset)?;
            position(self.text(axis).parse().ok()?, sizes.len()).filter(|axis| *axis < sizes.len())
        };
        match name {
            "transpose" => self.transposed(&sizes, call, first),
            "swapaxes" => {
                let mut sizes = sizes.clone();
                sizes.swap(axis("axis1", 0)?, axis("axis2", 1)?);
                Some(sizes)
            }
            "moveaxis" => {
                let (from, to) = (axis("source", 0)?, axis("destination", 1)?);
                let mut sizes = sizes.clone();
                let moved = sizes.remove(from);
                sizes.insert(to, moved);
                Some(sizes)
            }
            "expand_dims" => {
                let axis = self.argument(call, "axis", first)?;
                let axis = position(self.text(axis).parse().ok()?, sizes.len() + 1)?;
                let mut sizes = sizes.clone();
                (axis <= sizes.len()).then(|| sizes.insert(axis, Size::Number(1)))?;
                Some(sizes)
            }
            "squeeze" => match self.argument(call, "axis", first) {
                Some(_) => {
                    let mut sizes = sizes.clone();
                    sizes.remove(axis("axis", 0)?);
                    Some(sizes)
                }
                None => sizes.iter().all(|size| matches!(size, Size::Number(_))).then(|| {
                    let many = |size: &&Size| **size != Size::Number(1);
                    sizes.iter().filter(many).cloned().collect()
                }),
            },
            _ => None,
        }
        .map(Sizes::Known)
    }

    fn transposed(&self, sizes: &[Size], call: Node<'t>, first: usize) -> Option<Vec<Size>> {
        let given = self.positional(call)?;
        let named = ["axes", "perm"]
            .iter()
            .find_map(|name| self.argument(call, name, usize::MAX));
        let order = match (named, given.get(first..)?) {
            (Some(order), _) => children(unparenthesised(order)),
            (None, []) => return Some(sizes.iter().rev().cloned().collect()),
            (None, [order]) => children(unparenthesised(*order)),
            (None, several) => several.to_vec(),
        };
        if order.len() != sizes.len() {
            return None;
        }
        order
            .into_iter()
            .map(|axis| {
                sizes
                    .get(position(self.text(axis).parse().ok()?, sizes.len())?)
                    .cloned()
            })
            .collect()
    }

    /// The sizes that `reshape` is given.
    pub(super) fn target_of_reshape(
        &self,
        call: Node<'t>,
        first: usize,
        at: At<'_, 't>,
    ) -> Option<Vec<Size>> {
        // Another order of the values.
        if self.argument(call, "order", usize::MAX).is_some() {
            return None;
        }
        let named = ["newshape", "shape"]
            .iter()
            .find_map(|name| self.argument(call, name, usize::MAX));
        match named {
            Some(shape) => self.sizes(shape, at),
            None => self.sizes_from(call, first, at),
        }
    }

    pub(super) fn shape_of_subscript(&self, node: Node<'t>, at: At<'_, 't>) -> Option<Vec<Size>> {
        let object = node.child_by_field_id(field::VALUE)?;
        let sizes = self.shape(object, at)?.known()?;
        let mut cursor = node.walk();
        let mut parts: Vec<Node<'t>> = node
            .children_by_field_id(std::num::NonZeroU16::new(field::SUBSCRIPT)?, &mut cursor)
            .filter(|part| part.is_named())
            .collect();
        if let [one] = parts.as_slice()
            && one.kind_name() == "tuple"
        {
            parts = children(*one);
        }
        let is_new = |part: &Node<'t>| {
            part.kind_name() == "none" || self.text(*part).rsplit('.').next() == Some("newaxis")
        };
        let taken = parts
            .iter()
            .filter(|part| !is_new(part) && part.kind_name() != "ellipsis")
            .count();
        let mut left = sizes.into_iter();
        let mut found = Vec::new();
        let mut rest = left.len().checked_sub(taken)?;
        for part in &parts {
            if is_new(part) {
                found.push(Size::Number(1));
                continue;
            }
            match part.kind_name() {
                "ellipsis" => found.extend(left.by_ref().take(std::mem::take(&mut rest))),
                "slice" => {
                    let whole = left.next()?;
                    found.push(self.size_of_slice(*part, &whole, at));
                }
                "integer" | "unary_operator" => {
                    left.next()?;
                }
                // Positions or a mask: a number of samples that is not known.
                _ if self.is_column(*part, at) => {
                    left.next()?;
                    found.push(Size::Unknown);
                }
                _ => return None,
            }
        }
        found.extend(left);
        Some(found)
    }

    /// Whether an index is a column of numbers or a mask, and not one number.
    fn is_column(&self, index: Node<'t>, at: At<'_, 't>) -> bool {
        let index = unparenthesised(index);
        match index.kind_name() {
            "comparison_operator" => true,
            "identifier" => match self.binding(index) {
                Some(super::binding::Binding::Value { value, .. }) => {
                    value != index && self.deeper(at).is_some_and(|at| self.is_column(value, at))
                }
                _ => false,
            },
            "call" => {
                let function = index
                    .child_by_field_id(field::FUNCTION)
                    .map_or("", |name| self.text(name));
                let name = function.rsplit('.').next().unwrap_or_default();
                matches!(name, "permutation" | "argsort" | "arange")
                    || self
                        .shape(index, at)
                        .and_then(Sizes::known)
                        .is_some_and(|sizes| sizes.len() == 1)
            }
            "subscript" => {
                index
                    .child_by_field_id(field::SUBSCRIPT)
                    .is_some_and(|part| part.kind_name() == "slice")
                    && index
                        .child_by_field_id(field::VALUE)
                        .is_some_and(|value| self.deeper(at).is_some_and(|at| self.is_column(value, at)))
            }
            _ => false,
        }
    }
}

/// The sizes that an array is reshaped to, with what `-1` stands for, where that is known.
pub(super) fn completed(mut target: Vec<Size>, whole: Option<&[Size]>) -> Vec<Size> {
    let Some(open) = target.iter().position(|size| *size == Size::Number(-1)) else {
        return target;
    };
    let left = whole.and_then(|whole| remaining(&target, whole));
    if let Some(size) = target.get_mut(open) {
        *size = left.unwrap_or(Size::Unknown);
    }
    target
}

/// What `-1` stands for: the product of the sizes of an array that are not spelled out.
fn remaining(target: &[Size], whole: &[Size]) -> Option<Size> {
    let mut left: Vec<&Size> = whole.iter().collect();
    let mut over: i64 = 1;
    for size in target.iter().filter(|size| **size != Size::Number(-1)) {
        if let Some(at) = left.iter().position(|other| other.is(size)) {
            left.remove(at);
        } else if let Size::Number(number) = size {
            over = over.checked_mul(*number)?;
        } else {
            return None;
        }
    }
    match left.as_slice() {
        [one] if over == 1 => Some((*one).clone()),
        several => {
            let mut product: i64 = 1;
            for size in several {
                let Size::Number(number) = size else { return None };
                product = product.checked_mul(*number)?;
            }
            (over > 0 && product % over == 0).then(|| Size::Number(product / over))
        }
    }
}
