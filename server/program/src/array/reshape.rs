//! `reshape` to the same axes in another order: it does not move the axes, it deals the values out anew.

use finding::Range;
use tree_sitter::Node;

use super::{Arrays, At, Size, Sizes};
use crate::Program;
use crate::field;
use crate::provenance::Way;
use crate::roles::{Role, roles};
use crate::scope::Scopes;
use crate::syntax::{KindName, range, slice};

/// A `reshape` whose result has the axes of the array in another order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixingReshape {
    /// The call.
    pub call: Range,
    /// The array that is reshaped, as an expression.
    pub array: Range,
    /// The module that a function is called of (`np`); `None` for a method of the array.
    pub module: Option<Range>,
    /// The sizes before.
    pub from: Vec<Size>,
    /// The sizes after.
    pub to: Vec<Size>,
    /// The axes of the array in the order in which they were meant, for `transpose`; empty where axes of size 1 come or
    /// go as well.
    pub order: Vec<usize>,
    /// Whether the sizes that change places are known to be larger than 1, or are those the array was made with.
    pub sure: bool,
}

impl Program {
    /// The calls of `reshape` that give the axes of an array in another order. `text` is the text this program was
    /// parsed from.
    pub fn mixing_reshapes(&self, text: &str) -> Vec<MixingReshape> {
        let Some(tree) = self
            .tree
            .as_ref()
            .filter(|_| text.contains("reshape") && self.syntax_errors.is_empty())
        else {
            return Vec::new();
        };
        let roles = roles(tree, text);
        let calls: Vec<Node<'_>> = roles
            .iter()
            .filter(|(role, _)| *role == Role::Call)
            .map(|(_, node)| *node)
            .collect();
        let is_reshape = |call: &&Node<'_>| {
            call.child_by_field_id(field::FUNCTION)
                .is_some_and(|function| slice(function, text).ends_with("reshape"))
        };
        let scopes = Scopes::new(&roles, text);
        let way = Way::new(&roles, &scopes, text);
        let arrays = Arrays::new(&way, &calls);
        calls
            .iter()
            .filter(is_reshape)
            .filter(|call| !is_asserted(**call, text))
            .filter_map(|call| arrays.mixing(*call))
            .collect()
    }
}

impl<'t> Arrays<'_, '_, '_, 't> {
    fn mixing(&self, call: Node<'t>) -> Option<MixingReshape> {
        let function = call.child_by_field_id(field::FUNCTION)?;
        let path = self.path(function);
        let (array, first, module) = match path.as_deref() {
            Some("numpy.reshape" | "tensorflow.reshape" | "keras.ops.reshape") => {
                let array = self.positional(call)?.first().copied()?;
                (array, 1, function.child_by_field_id(field::OBJECT).map(range))
            }
            Some(_) => return None,
            None if function.kind_name() == "attribute" => {
                (function.child_by_field_id(field::OBJECT)?, 0, None)
            }
            None => return None,
        };
        let whole = self.of(array)?;
        let target = self.target_of_reshape(call, first, At::TOP)?;
        let from = match whole {
            Sizes::Known(sizes) => sizes,
            Sizes::Of(array) => axes_of(&target, array)?,
        };
        let Order { to, order, moved } = order(&from, target)?;
        Some(MixingReshape {
            call: range(call),
            array: range(array),
            module,
            sure: moved
                .iter()
                .all(|size| matches!(size, Size::Number(_) | Size::Named(..))),
            from,
            to,
            order,
        })
    }
}

/// Whether what a call gives is compared in a test: there, `reshape` itself may be what is tested.
fn is_asserted(call: Node<'_>, text: &str) -> bool {
    std::iter::successors(call.parent(), Node::parent)
        .take_while(|outer| !outer.kind_name().ends_with("block"))
        .any(|outer| {
            outer.kind_name() == "assert_statement"
                || outer
                    .child_by_field_id(field::FUNCTION)
                    .is_some_and(|function| slice(function, text).contains("assert"))
        })
}

/// The axes of an array of which only these are known, in their order, where no other one can be missing.
fn axes_of(target: &[Size], array: usize) -> Option<Vec<Size>> {
    let mut known: Vec<Option<Size>> = vec![None; target.len()];
    for size in target {
        match size {
            Size::Axis(_, of, axis) if *of == array => *known.get_mut(*axis)? = Some(size.clone()),
            Size::Number(-1) => {}
            _ => return None,
        }
    }
    let missing = known.iter().filter(|size| size.is_none()).count();
    (missing <= 1 && known.len() > 2).then(|| {
        known
            .into_iter()
            .map(|size| size.unwrap_or(Size::Unknown))
            .collect()
    })
}

struct Order {
    to: Vec<Size>,
    order: Vec<usize>,
    /// The sizes that are in other places than before.
    moved: Vec<Size>,
}

/// How the axes of a target follow from those of an array, where these are the same in another order.
fn order(from: &[Size], target: Vec<Size>) -> Option<Order> {
    let many = |size: &Size| *size != Size::Number(1);
    let mut left: Vec<usize> = (0..from.len())
        .filter(|axis| from.get(*axis).is_some_and(many))
        .collect();
    let mut found: Vec<(usize, Option<usize>)> = Vec::new();
    for (place, size) in target.iter().enumerate().filter(|(_, size)| many(size)) {
        let at = left
            .iter()
            .position(|axis| from.get(*axis).is_some_and(|other| other.is(size)));
        match at {
            Some(at) => found.push((place, Some(left.remove(at)))),
            None if *size == Size::Number(-1) => found.push((place, None)),
            None => return None,
        }
    }
    let open: Vec<&mut (usize, Option<usize>)> =
        found.iter_mut().filter(|(_, axis)| axis.is_none()).collect();
    match (open.into_iter().next(), left.as_slice()) {
        (Some(open), [axis]) => open.1 = Some(*axis),
        (None, []) => {}
        _ => return None,
    }
    let axes: Vec<usize> = found.iter().filter_map(|(_, axis)| *axis).collect();
    // The order of sizes counts: two axes of one size may change places unseen.
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    let differs = |one: &usize, other: &usize| match (from.get(*one), from.get(*other)) {
        (Some(one), Some(other)) => !one.is(other),
        _ => false,
    };
    let moved: Vec<Size> = axes
        .iter()
        .zip(&sorted)
        .filter(|(now, before)| now != before && differs(now, before))
        .filter_map(|(now, _)| from.get(*now).cloned())
        .filter(|size| *size != Size::Unknown)
        .collect();
    if moved.len() < 2 {
        return None;
    }
    let to = target
        .iter()
        .enumerate()
        .map(|(place, size)| {
            let axis = found
                .iter()
                .find(|(at, _)| *at == place)
                .and_then(|(_, axis)| *axis);
            axis.and_then(|axis| from.get(axis)).unwrap_or(size).clone()
        })
        .collect();
    let plain = axes.len() == from.len() && target.len() == from.len();
    Some(Order {
        to,
        order: if plain { axes } else { Vec::new() },
        moved,
    })
}
