//! Models and method calls on their way into a program, while they are still nodes.

use tree_sitter::Node;

use crate::ModelKind;
use crate::scope::Place;

/// A model on its way.
#[derive(Debug)]
pub(crate) struct Draft<'a, 't> {
    pub kind: ModelKind,
    pub call: Node<'t>,
    pub name: Option<&'a str>,
    pub layers: Vec<Node<'t>>,
    pub complete: bool,
    /// How many of the last `layers` are certainly the model's last, without a gap.
    pub tail: usize,
    /// Where it is created.
    pub place: Place,
    /// The last `compile`, with where it stands.
    pub compile: Option<(Node<'t>, Place)>,
}

impl Draft<'_, '_> {
    /// From here on it is not known which layers the model has.
    pub(crate) fn gap(&mut self) {
        self.complete = false;
        self.tail = 0;
    }
}

/// What a method is called on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodCall<'a, 't> {
    pub call: Node<'t>,
    pub method: &'a str,
    pub model: Option<usize>,
    /// For training: the `compile` in force.
    pub compile: Option<Node<'t>>,
}
