use finding::Range;
use tree_sitter::Tree;

use crate::Import;

/// Number of a call, for [`Program::call`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub usize);

/// Index of a model in [`Program::models`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(pub usize);

/// A value as far as it can be read without running anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A string.
    Str(String),
    /// A list or tuple.
    List(Vec<Expr>),
    /// A dict with readable keys.
    Dict(Vec<(Expr, Expr)>),
    /// A call of something that resolves to Keras (`keras.layers.Dense(…)`).
    Call(CallId),
    /// Something of Keras that is not called, by canonical name (`keras.activations.relu`).
    Reference(String),
    /// Anything else; silences whatever depends on it.
    Unknown,
}

/// A value with its places.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub value: Value,
    /// The expression where it is used.
    pub range: Range,
    /// The expression that defines the value: `range`, or the right side of the one assignment the name has.
    pub origin: Range,
}

/// One argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Keyword, or the parameter's name where a positional argument of a known signature stands for one.
    pub name: Option<String>,
    /// The keyword as written; `None` for a positional argument.
    pub name_range: Option<Range>,
    /// The whole argument, keyword included.
    pub range: Range,
    /// Its value.
    pub value: Expr,
}

/// A call of something that resolves to Keras, or of a method of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Canonical name: `keras.layers.Dense`, `keras.optimizers.SGD`, `keras.Sequential`, `Model.compile`, `Model.fit`, …
    pub callee: String,
    /// What is called, as written (`layers.Dense`).
    pub callee_range: Range,
    /// The whole call.
    pub range: Range,
    /// The arguments in source order.
    pub arguments: Vec<Argument>,
    /// Whether `*args` or `**kwargs` may supply arguments that cannot be seen.
    pub open_ended: bool,
}

impl Call {
    /// Last component of the canonical name (`Dense`).
    pub fn class(&self) -> &str {
        self.callee.rsplit('.').next().unwrap_or(&self.callee)
    }

    /// The argument of that name, written or positional.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments
            .iter()
            .find(|argument| argument.name.as_deref() == Some(name))
    }
}

/// How a model is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelKind {
    /// `Sequential([...])` or `.add`.
    Sequential,
    /// `Model(inputs, outputs)` between tensors.
    Functional,
    /// An object of a class of the script that derives from `keras.Model`; its layers are those that `call` applies.
    Subclassed,
    /// `keras.applications.…`, whose layers are not listed. In another model it is one layer.
    Backbone,
    /// Anything else that is a model but whose layers are not seen (`load_model`, `clone_model`).
    Other,
}

/// What a layer is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// What another layer gives, by its position in [`Model::layers`].
    Layer(usize),
    /// Another output of a layer than its first: the state of a recurrent layer, the scores of an attention.
    Extra(usize),
    /// An input of the model, with the call of `Input` or `InputLayer` where there is one.
    Input(Option<CallId>),
    /// Something that cannot be followed, or is not a layer (`tf.reduce_mean(x)`, `x + y`).
    Unknown,
}

/// One layer of a model, as it is applied; a layer that is applied several times is listed as often, with the same
/// `index`. Layers of models that are layers themselves are listed in their place.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The call that creates it, with the arguments it has here: in a loop that is unrolled and in a function that is
    /// called several times, layers of one call differ ([`Program::call`]).
    pub call: CallId,
    /// Number of the layer in the model, from 0, input layers (`Input`, `InputLayer`) not counted.
    pub index: usize,
    /// What it is applied to, in order.
    pub inputs: Vec<Source>,
    /// `trainable`, where the script sets it.
    pub trainable: Option<bool>,
}

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// How it is put together.
    pub kind: ModelKind,
    /// The call that creates it.
    pub call: CallId,
    /// The name it is assigned to.
    pub name: Option<String>,
    /// Its layers in order, as far as they are known; input layers left out.
    pub layers: Vec<Layer>,
    /// What the model gives: one source per output.
    pub outputs: Vec<Source>,
    /// Whether `layers` is known to be all of them, in the right order (no `.add` under a condition or in a loop that
    /// is not unrolled, no unknown layers or computations between them, no `.pop`).
    pub complete: bool,
    /// How many of the last `layers` are certainly the model's last ones, each applied to the one before it and to
    /// nothing else, without a gap: what comes before may be unknown (built in a loop, layers of others), or branch,
    /// while the way to the output is not. All of them in a Sequential model that is `complete`; 0 where there are
    /// several outputs.
    pub tail: usize,
    /// Whether the model's class takes training into its own hands (`train_step`, `compute_loss`, …) or it has
    /// losses that `compile` does not show (`add_loss`).
    pub custom_loss: bool,
}

/// A `model.compile(…)` call.
#[derive(Clone, Debug, PartialEq)]
pub struct Compile {
    /// The call.
    pub call: CallId,
    /// The model, where it is known.
    pub model: Option<ModelId>,
}

/// A `model.fit(…)` call.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The call.
    pub call: CallId,
    /// The model, where it is known.
    pub model: Option<ModelId>,
    /// The last `compile` of that model before it.
    pub compile: Option<CallId>,
}

/// What happens to models, besides what makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A method is called (`compile`, `fit`, `evaluate`, `predict`, `summary`, …).
    Method(CallId),
    /// `trainable` is set, of the model or of some of its layers, or of one layer.
    Trainable {
        /// The call that made the layer, where it is one that is known.
        layer: Option<CallId>,
        /// What it is set to, where that is known.
        value: Option<bool>,
    },
}

/// Something that happens to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The model, where it is known.
    pub model: Option<ModelId>,
    /// Where: the call, or what is assigned to.
    pub range: Range,
    /// What.
    pub kind: EventKind,
}

/// A statement that gives a variable its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The whole statement.
    pub statement: Range,
    /// The expression that makes the value (right side of the assignment).
    pub value: Range,
    /// The variable as written on the left side (also for `x[...] = …` and `x /= 255`).
    pub target: Range,
}

/// Text that does not parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub range: Range,
    /// What is wrong, for a person.
    pub message: String,
}

/// A training script.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Every call of something that resolves to Keras, of a class that derives from it, and every method call on a
    /// model, in source order, each once: where a call is met several times with different arguments, those are unknown.
    pub calls: Vec<Call>,
    /// Calls that are met several times with different arguments, as they are each time. [`CallId`]s from
    /// `calls.len()` on stand for these; [`Program::call`] knows both.
    pub instances: Vec<Call>,
    /// The models, in source order.
    pub models: Vec<Model>,
    /// The `compile` calls, in source order.
    pub compiles: Vec<Compile>,
    /// The `fit` calls, in source order.
    pub fits: Vec<Fit>,
    /// What happens to models in the order in which the script does it, as often as it does it in loops that are
    /// unrolled and functions that are called.
    pub events: Vec<Event>,
    /// What it imports, in source order.
    pub imports: Vec<Import>,
    /// What does not parse.
    pub syntax_errors: Vec<SyntaxError>,
    /// Whether the script asks for a Keras older than 3 (`tf_keras`, `tensorflow.python.keras`, `TF_USE_LEGACY_KERAS`).
    pub legacy_keras: bool,
    /// Whether the script has a training loop of its own (`GradientTape`).
    pub gradient_tape: bool,
    /// Whether a layer or model adds a loss that `compile` does not show (`add_loss`).
    pub adds_loss: bool,
    /// The syntax tree, for what is only asked of some scripts.
    pub(crate) tree: Option<Tree>,
}
