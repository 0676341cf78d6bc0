//! Follows models through a script: what is added to them, where they are compiled and fitted.
//!
//! Works on nodes; [`crate::parse`] turns the result into calls with numbers.

use std::collections::HashMap;

use tree_sitter::Node;

use crate::ModelKind;
use crate::draft::{Draft, MethodCall};
use crate::names::{canonical, path};
use crate::scope::{Bound, Event, Place, ScopeId, ScopeKind, Scopes, base_name};
use crate::syntax::{children, slice, unparenthesised};
use crate::value::resolve;

/// How deep functions that build models may call one another.
const DEEPEST: usize = 16;

/// Functions of others that do not change a model they are given.
const HARMLESS: [&str; 8] = [
    "print",
    "type",
    "len",
    "isinstance",
    "id",
    "str",
    "repr",
    "display",
];

/// Functions of Keras that give a model whose layers are not seen.
const MODEL_SOURCES: [&str; 6] = [
    "keras.Model",
    "keras.models.load_model",
    "keras.saving.load_model",
    "keras.models.clone_model",
    "keras.models.model_from_json",
    "keras.models.model_from_yaml",
];

/// Methods that train; with these keywords nothing but a Keras model has them.
const FITS: [&str; 3] = ["fit", "fit_generator", "train_on_batch"];
const FIT_KEYWORDS: [&str; 9] = [
    "epochs",
    "nb_epoch",
    "batch_size",
    "validation_data",
    "validation_split",
    "callbacks",
    "steps_per_epoch",
    "samples_per_epoch",
    "class_weight",
];
const COMPILE_KEYWORDS: [&str; 3] = ["optimizer", "loss", "metrics"];

#[derive(Clone, Copy, Debug)]
struct State {
    model: Option<usize>,
    place: Place,
    assignments: usize,
}

/// The models of a text.
pub(crate) struct Assembly<'s, 'a, 't> {
    scopes: &'s Scopes<'a, 't>,
    text: &'a str,
    /// Canonical name of what each call calls, by node.
    pub callees: HashMap<usize, String>,
    pub models: Vec<Draft<'a, 't>>,
    pub methods: Vec<MethodCall<'a, 't>>,
    /// Numbers of the events of each scope.
    events: Vec<Vec<usize>>,
    states: HashMap<(ScopeId, &'a str), State>,
    built: HashMap<usize, usize>,
    /// Per function: how many values it returns, and the model it returns.
    returns: HashMap<ScopeId, (usize, Option<usize>)>,
    done: Vec<bool>,
    /// `compile` on something that is not followed, by its text and scope.
    strangers: HashMap<(ScopeId, &'a str), Node<'t>>,
}

impl<'s, 'a, 't> Assembly<'s, 'a, 't> {
    pub(crate) fn new(scopes: &'s Scopes<'a, 't>, text: &'a str) -> Self {
        let mut callees = HashMap::new();
        let mut events = vec![Vec::new(); scopes.scopes.len()];
        for (number, (place, event)) in scopes.events.iter().enumerate() {
            if let Event::Call(node) = event
                && let Some(function) = node.child_by_field_name("function")
                && let Some(name) = path(scopes, text, function, *place).and_then(|path| canonical(&path))
            {
                callees.insert(node.id(), name);
            }
            if let Some(list) = events.get_mut(owner(scopes, place.scope)) {
                list.push(number);
            }
        }
        let mut assembly = Assembly {
            scopes,
            text,
            callees,
            models: Vec::new(),
            methods: Vec::new(),
            done: vec![false; scopes.scopes.len()],
            events,
            states: HashMap::new(),
            built: HashMap::new(),
            returns: HashMap::new(),
            strangers: HashMap::new(),
        };
        for scope in 0..scopes.scopes.len() {
            assembly.follow(scope, DEEPEST);
        }
        assembly
    }

    /// Goes through the events of a scope, once.
    fn follow(&mut self, scope: ScopeId, depth: usize) {
        match self.done.get_mut(scope) {
            Some(done) if !*done && depth > 0 => *done = true,
            _ => return,
        }
        let events = self.events.get_mut(scope).map(std::mem::take).unwrap_or_default();
        for number in events {
            let Some((place, event)) = self.scopes.events.get(number).copied() else {
                continue;
            };
            match event {
                Event::Assign { name, value } => self.assign(name, value, place, depth),
                Event::Call(node) => self.call(node, place, depth),
                Event::Return(value) => self.returned(value, place, depth),
                Event::SetPart(target) => self.set_part(target, place),
            }
        }
    }

    fn assign(&mut self, name: &'a str, value: Option<Node<'t>>, place: Place, depth: usize) {
        let model = value.and_then(|value| self.model_of(value, place, depth));
        if let Some(draft) = model.and_then(|model| self.models.get_mut(model)) {
            draft.name.get_or_insert(name);
        }
        let assignments = self
            .states
            .get(&(place.scope, name))
            .map_or(1, |state| state.assignments + 1);
        self.states.insert(
            (place.scope, name),
            State {
                model,
                place,
                assignments,
            },
        );
    }

    /// The model a name stands for at a place.
    fn named(&self, name: &str, place: Place) -> Option<usize> {
        let (scope, _) = self.scopes.lookup(name, place.scope)?;
        let state = self.states.get(&(scope, name))?;
        let here = owner(self.scopes, place.scope) == owner(self.scopes, scope);
        let certain =
            self.scopes.encloses(state.place.block, place.block) && (here || state.assignments == 1);
        state.model.filter(|_| certain)
    }

    /// The model an expression gives.
    fn model_of(&mut self, node: Node<'t>, place: Place, depth: usize) -> Option<usize> {
        let node = unparenthesised(node);
        match node.kind() {
            "identifier" => self.named(slice(node, self.text), place),
            "call" => {
                let Some(callee) = self.callees.get(&node.id()) else {
                    return self.model_of_function(node, place, depth);
                };
                let kind = match callee.as_str() {
                    "keras.Sequential" => ModelKind::Sequential,
                    name if MODEL_SOURCES.contains(&name) || name.starts_with("keras.applications.") => {
                        ModelKind::Other
                    }
                    _ => return None,
                };
                Some(self.build(node, kind, place))
            }
            _ => None,
        }
    }

    /// The model that a function of this file builds and returns.
    fn model_of_function(&mut self, call: Node<'t>, place: Place, depth: usize) -> Option<usize> {
        let function = self.local_function(call, place)?;
        self.follow(function, depth - 1);
        match self.returns.get(&function) {
            Some((1, model)) => *model,
            _ => None,
        }
    }

    /// The function of this file that is called.
    fn local_function(&self, call: Node<'t>, place: Place) -> Option<ScopeId> {
        let name = call
            .child_by_field_name("function")
            .filter(|node| node.kind() == "identifier")?;
        match self.scopes.lookup(slice(name, self.text), place.scope)?.1 {
            [binding] => match binding.bound {
                Bound::Function(scope) => Some(scope),
                _ => None,
            },
            _ => None,
        }
    }

    fn build(&mut self, call: Node<'t>, kind: ModelKind, place: Place) -> usize {
        if let Some(model) = self.built.get(&call.id()) {
            return *model;
        }
        let complete = kind == ModelKind::Sequential;
        let model = self.models.len();
        self.models.push(Draft {
            kind,
            call,
            name: None,
            layers: Vec::new(),
            complete,
            tail: 0,
            place,
            compile: None,
        });
        self.built.insert(call.id(), model);
        if kind == ModelKind::Sequential {
            self.add_all(model, call, place);
        }
        model
    }

    /// The layers given to `Sequential(…)`.
    fn add_all(&mut self, model: usize, call: Node<'t>, place: Place) {
        let arguments = call
            .child_by_field_name("arguments")
            .map(children)
            .unwrap_or_default();
        for (index, argument) in arguments.into_iter().enumerate() {
            let list = match argument.kind() {
                "keyword_argument" => {
                    let keyword = argument
                        .child_by_field_name("name")
                        .map_or("", |name| slice(name, self.text));
                    if keyword != "layers" {
                        continue;
                    }
                    argument.child_by_field_name("value").unwrap_or(argument)
                }
                "list_splat" | "dictionary_splat" | "ERROR" => argument,
                _ if index == 0 => argument,
                _ => continue,
            };
            let (list, place) = resolve(self.scopes, self.text, list, place);
            match list.kind() {
                "none" => {}
                "list" | "tuple" => {
                    for element in children(list) {
                        self.add(model, element, place);
                    }
                }
                _ => self.gap(model),
            }
        }
    }

    fn add(&mut self, model: usize, element: Node<'t>, place: Place) {
        let (layer, _) = resolve(self.scopes, self.text, element, place);
        let Some(draft) = self.models.get_mut(model) else {
            return;
        };
        match self.callees.get(&layer.id()).map(String::as_str) {
            Some("keras.Input" | "keras.layers.InputLayer") => {}
            Some(name) if is_layer(name) => {
                draft.layers.push(layer);
                draft.tail += 1;
            }
            _ => draft.gap(),
        }
    }

    fn gap(&mut self, model: usize) {
        if let Some(draft) = self.models.get_mut(model) {
            draft.gap();
        }
    }

    fn call(&mut self, call: Node<'t>, place: Place, depth: usize) {
        // A model nobody gives a name to is a model all the same.
        if self.callees.contains_key(&call.id()) {
            self.model_of(call, place, depth);
            return;
        }
        let function = call.child_by_field_name("function");
        if let Some(function) = function.filter(|node| node.kind() == "attribute")
            && let Some(object) = function.child_by_field_name("object")
            && let Some(method) = function.child_by_field_name("attribute")
        {
            let method = slice(method, self.text);
            let model = (object.kind() == "identifier")
                .then(|| self.named(slice(object, self.text), place))
                .flatten();
            if let Some(model) = model {
                self.method(model, call, method, place);
                return;
            }
            self.part_method(object, method, place);
            if self.stranger(object, call, method, place) {
                return;
            }
        }
        self.escape(call, place);
    }

    /// A method of a model that is followed.
    fn method(&mut self, model: usize, call: Node<'t>, method: &'a str, place: Place) {
        let Some(draft) = self.models.get_mut(model) else {
            return;
        };
        let mut compile = None;
        match method {
            "add" => {
                let straight = draft.place.block == place.block && draft.compile.is_none();
                let arguments = call
                    .child_by_field_name("arguments")
                    .map(children)
                    .unwrap_or_default();
                if let Some(layer) = arguments.first() {
                    let layer = layer
                        .child_by_field_name("value")
                        .filter(|_| layer.kind() == "keyword_argument")
                        .unwrap_or(*layer);
                    self.add(model, layer, place);
                }
                if !straight || arguments.len() != 1 {
                    self.gap(model);
                }
            }
            "pop" => draft.gap(),
            "compile" => draft.compile = Some((call, place)),
            _ => {
                compile = draft.compile.filter(|(_, compiled)| {
                    compiled.block == draft.place.block || self.scopes.encloses(compiled.block, place.block)
                });
            }
        }
        self.methods.push(MethodCall {
            call,
            method,
            model: Some(model),
            compile: compile.map(|(node, _)| node),
        });
    }

    /// `model.layers.pop()` and the like.
    fn part_method(&mut self, object: Node<'t>, method: &str, place: Place) {
        let changes = matches!(
            method,
            "pop" | "append" | "insert" | "remove" | "clear" | "extend"
        );
        if changes && object.kind() != "identifier" {
            self.set_part(object, place);
        }
    }

    /// A part of an object is changed; of a model, only its layers matter.
    fn set_part(&mut self, target: Node<'t>, place: Place) {
        if let Some(base) = base_name(target)
            && let Some(model) = self.named(slice(base, self.text), place)
            && slice(target, self.text).contains("layers")
        {
            self.gap(model);
        }
    }

    /// A method of something that is not followed but can only be a Keras model.
    fn stranger(&mut self, object: Node<'t>, call: Node<'t>, method: &'a str, place: Place) -> bool {
        let key = (owner(self.scopes, place.scope), slice(object, self.text));
        let compile = self.strangers.get(&key).copied();
        let is_model = match method {
            "compile" => self.has_keyword(call, &COMPILE_KEYWORDS),
            name if FITS.contains(&name) => compile.is_some() || self.has_keyword(call, &FIT_KEYWORDS),
            "evaluate" | "predict" => compile.is_some(),
            _ => false,
        };
        if is_model {
            if method == "compile" {
                self.strangers.insert(key, call);
            }
            self.methods.push(MethodCall {
                call,
                method,
                model: None,
                compile: compile.filter(|_| method != "compile"),
            });
        }
        is_model
    }

    fn has_keyword(&self, call: Node<'t>, keywords: &[&str]) -> bool {
        call.child_by_field_name("arguments")
            .map(children)
            .unwrap_or_default()
            .iter()
            .any(|argument| {
                argument.kind() == "keyword_argument"
                    && argument
                        .child_by_field_name("name")
                        .is_some_and(|name| keywords.contains(&slice(name, self.text)))
            })
    }

    /// A model handed to code that may add layers to it.
    fn escape(&mut self, call: Node<'t>, place: Place) {
        let function = call
            .child_by_field_name("function")
            .map_or("", |function| slice(function, self.text));
        if HARMLESS.contains(&function) {
            return;
        }
        if let Some(scope) = self
            .local_function(call, place)
            .and_then(|scope| self.scopes.scopes.get(scope))
        {
            let body = scope.range.slice(self.text);
            if ![".add", ".pop", "layers"].iter().any(|word| body.contains(word)) {
                return;
            }
        }
        for argument in call
            .child_by_field_name("arguments")
            .map(children)
            .unwrap_or_default()
        {
            let value = argument
                .child_by_field_name("value")
                .filter(|_| argument.kind() == "keyword_argument")
                .unwrap_or(argument);
            if value.kind() == "identifier"
                && let Some(model) = self.named(slice(value, self.text), place)
                && let Some(draft) = self.models.get_mut(model)
                && draft.compile.is_none()
            {
                draft.gap();
            }
        }
    }

    fn returned(&mut self, value: Option<Node<'t>>, place: Place, depth: usize) {
        let model = value.and_then(|value| self.model_of(value, place, depth));
        // Only a model whose building is not in doubt where it is returned.
        let model = model.filter(|model| {
            self.models
                .get(*model)
                .is_some_and(|draft| self.scopes.encloses(draft.place.block, place.block))
                && self.scopes.is_root(place)
        });
        let entry = self.returns.entry(place.scope).or_insert((0, None));
        *entry = (entry.0 + 1, model);
    }
}

/// The function, class or module whose code a scope belongs to.
fn owner(scopes: &Scopes<'_, '_>, mut scope: ScopeId) -> ScopeId {
    while let Some(current) = scopes.scopes.get(scope)
        && current.kind == ScopeKind::Expression
        && let Some(parent) = current.parent
    {
        scope = parent;
    }
    scope
}

fn is_layer(callee: &str) -> bool {
    callee
        .strip_prefix("keras.layers.")
        .is_some_and(|name| name.starts_with(|first: char| first.is_ascii_uppercase()))
}
