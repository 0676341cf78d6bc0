use finding::Range;

/// Index of a call in [`Program::calls`].
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
    /// Anything else that is recognised as a model but not followed yet.
    Other,
}

/// One layer of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The call that creates it.
    pub call: CallId,
    /// Position in the model, from 0, input layers (`Input`, `InputLayer`) not counted.
    pub index: usize,
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
    /// Whether `layers` is known to be all of them, in the right order (no `.add` under a condition or in a loop, no unknown layers, no `.pop`).
    pub complete: bool,
    /// How many of the last `layers` are certainly the model's last ones, without a gap: what comes before may be
    /// unknown (built in a loop, layers of others) while the output is not. All of them when `complete`.
    pub tail: usize,
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
    /// Every call of something that resolves to Keras and every method call on a model, in source order.
    pub calls: Vec<Call>,
    /// The models, in source order.
    pub models: Vec<Model>,
    /// The `compile` calls, in source order.
    pub compiles: Vec<Compile>,
    /// The `fit` calls, in source order.
    pub fits: Vec<Fit>,
    /// What does not parse.
    pub syntax_errors: Vec<SyntaxError>,
    /// Whether the script asks for a Keras older than 3 (`tf_keras`, `tensorflow.python.keras`, `TF_USE_LEGACY_KERAS`).
    pub legacy_keras: bool,
}
