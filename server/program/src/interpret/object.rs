//! What the names of a script stand for while it is followed.

use std::collections::HashMap;
use std::rc::Rc;

use finding::Range;
use tree_sitter::Node;

use super::Names;
use crate::ModelKind;

/// A value while a script is followed. Numbers are places in the lists of [`super::Interpreter`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Val {
    Unknown,
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    List(usize),
    Dict(usize),
    /// Something imported, or a function of Python itself (`builtins.len`), by dotted name.
    Named(Rc<str>),
    Function(usize),
    /// `functools.partial(…)`
    Partial(usize),
    Class(usize),
    Instance(usize),
    /// A function bound to an object.
    Method(usize, Rc<Val>),
    /// What `super()` stands for: the class after which to look, and `self`.
    Super(usize, Rc<Val>),
    /// What a call of something of Keras gives, by record, when it is none of the following.
    Object(usize),
    Layer(usize),
    Model(usize),
    /// `model.layers`, or a part of it.
    LayersOf(usize),
    /// Some layer of a model.
    LayerOf(usize),
    Tensor(usize),
}

/// A value with its places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub val: Val,
    /// Where it is used.
    pub range: Range,
    /// Where it is made; empty when it is made in more than one place.
    pub origin: Range,
}

impl Item {
    pub(crate) fn new(val: Val, range: Range) -> Self {
        Item {
            val,
            range,
            origin: range,
        }
    }

    pub(crate) fn unknown(range: Range) -> Self {
        Item::new(Val::Unknown, range)
    }

    /// The same value used at another place.
    pub(crate) fn used_at(mut self, range: Range) -> Self {
        self.range = range;
        if self.origin.is_empty() {
            self.origin = range;
        }
        self
    }

    /// What is left of a value that may be another one: nothing.
    pub(crate) fn doubtful() -> Self {
        Item::unknown(Range::default())
    }
}

/// A list or tuple.
#[derive(Debug)]
pub(crate) struct List {
    /// `None` when its elements are not known.
    pub items: Option<Vec<Item>>,
    /// Whether one of `items` stands for any number of them (`[*others, last]`).
    pub loose: bool,
    /// When it was made.
    pub made: usize,
}

/// A dict.
#[derive(Debug)]
pub(crate) struct Dict {
    /// `None` when its entries are not known.
    pub pairs: Option<Vec<(Item, Item)>>,
    /// When it was made.
    pub made: usize,
}

/// A function or lambda of the script.
#[derive(Debug)]
pub(crate) struct Function<'a, 't> {
    pub node: Node<'t>,
    /// The frame its free names are looked up in.
    pub frame: usize,
    pub parameters: Vec<Parameter<'a>>,
    /// The class it is a method of.
    pub class: Option<usize>,
    pub is_static: bool,
    /// Whether what a call gives cannot be followed (generators, unknown decorators).
    pub opaque: bool,
    pub reached: bool,
}

/// How arguments reach a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Plain,
    KeywordOnly,
    /// `*args`
    Rest,
    /// `**kwargs`
    Keywords,
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter<'a> {
    pub name: &'a str,
    pub kind: ParameterKind,
    pub default: Option<Item>,
}

/// A class of the script.
#[derive(Debug)]
pub(crate) struct Class<'a> {
    pub name: &'a str,
    pub bases: Vec<Val>,
    pub attributes: Names<'a>,
    /// The first object made of it.
    pub instance: Option<Val>,
}

/// An object of a class of the script.
#[derive(Debug)]
pub(crate) struct Instance<'a> {
    pub class: usize,
    pub attributes: HashMap<&'a str, Item>,
    pub made: usize,
}

/// A layer object.
#[derive(Debug)]
pub(crate) struct LayerObject {
    /// The call that makes it.
    pub record: usize,
    /// `trainable`, where it is set to something known.
    pub trainable: Option<bool>,
    /// The layer applies a layer, or layers, that are not seen whole.
    pub made: usize,
}

/// How a tensor comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// `Input(…)`, by record.
    Input(usize),
    /// A layer is called.
    Layer(usize),
    /// Another output of the layer that gives the input: its state, attention scores.
    Extra,
    /// Something else is computed from the inputs.
    Other,
    /// Not known.
    Unknown,
}

/// A symbolic tensor.
#[derive(Debug)]
pub(crate) struct Tensor {
    pub op: Op,
    pub inputs: Vec<usize>,
}

/// What a layer of a model is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feed {
    /// A layer of the model, by position.
    Layer(usize),
    /// Another output of a layer of the model.
    Extra(usize),
    /// An input of the model, by the record of its `Input(…)` where there is one.
    Input(Option<usize>),
    Unknown,
}

/// One application of a layer in a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Use {
    pub layer: usize,
    pub feeds: Vec<Feed>,
}

/// A model on its way.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub kind: ModelKind,
    /// The call that creates it.
    pub record: usize,
    pub name: Option<&'a str>,
    pub uses: Vec<Use>,
    /// What it gives.
    pub outputs: Vec<Feed>,
    /// What it takes, where known: records of its `Input(…)` in order.
    pub inputs: Vec<Option<usize>>,
    pub complete: bool,
    /// As one layer in another model, when it is not looked into.
    pub opaque: Option<usize>,
    /// The object, when its class is one of the script.
    pub instance: Option<usize>,
    /// Its symbolic input and output, once asked for.
    pub symbolic: Option<(Vec<usize>, Vec<usize>)>,
    pub made: usize,
    pub block: usize,
    /// The last `compile`, with the block it stands in.
    pub compile: Option<(usize, usize)>,
    pub trainable: Option<bool>,
    pub custom_loss: bool,
}

impl Draft<'_> {
    /// From here on it is not known which layers the model has.
    pub(crate) fn gap(&mut self) {
        self.complete = false;
        self.outputs = vec![Feed::Unknown];
        self.symbolic = None;
    }
}

/// Something that happens to a model, in the order in which the script does it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happening {
    /// A method is called: its number among the method calls.
    Method(usize),
    /// `trainable` of a model or one of its layers is set.
    Trainable {
        range: Range,
        model: Option<usize>,
        layer: Option<usize>,
        value: Option<bool>,
    },
}

/// A call of a method of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodCall<'a> {
    pub record: usize,
    pub method: &'a str,
    pub model: Option<usize>,
    /// For training: the record of the `compile` in force.
    pub compile: Option<usize>,
}

/// What is given to one parameter of a call.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub keyword: Option<Rc<str>>,
    pub keyword_range: Option<Range>,
    /// The whole argument.
    pub range: Range,
    pub item: Item,
}

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments {
    pub list: Vec<Given>,
    /// Whether there may be more that cannot be seen.
    pub open: bool,
}

impl Arguments {
    /// The positional argument of that number.
    pub(crate) fn positional(&self, index: usize) -> Option<&Item> {
        self.list
            .iter()
            .filter(|given| given.keyword.is_none())
            .nth(index)
            .map(|given| &given.item)
    }

    pub(crate) fn keyword(&self, name: &str) -> Option<&Item> {
        self.list
            .iter()
            .find(|given| given.keyword.as_deref() == Some(name))
            .map(|given| &given.item)
    }

    /// The argument of that name or place.
    pub(crate) fn get(&self, name: &str, index: usize) -> Option<&Item> {
        self.keyword(name).or_else(|| self.positional(index))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Val> {
        self.list.iter().map(|given| &given.item.val)
    }
}
