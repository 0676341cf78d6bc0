//! From what was met while a script was followed to what a [`crate::Program`] holds: calls numbered in source order,
//! what was met several times alike listed once.

use std::collections::HashMap;

use crate::interpret::{Draft, Feed, Happening, Interpreter, MethodCall};
use crate::{
    Argument, Call, CallId, Compile, Event, EventKind, Expr, Fit, Layer, Model, ModelId, Source, Value,
};

/// What a program holds, besides its syntax errors.
pub(crate) struct Collected {
    pub calls: Vec<Call>,
    pub instances: Vec<Call>,
    pub models: Vec<Model>,
    pub compiles: Vec<Compile>,
    pub fits: Vec<Fit>,
    pub events: Vec<Event>,
    /// Record → call.
    ids: Vec<CallId>,
    /// Draft → model.
    model_ids: Vec<ModelId>,
}

impl Collected {
    pub(crate) fn new(interpreter: &Interpreter<'_, '_>) -> Self {
        let mut collected = Collected {
            calls: Vec::new(),
            instances: Vec::new(),
            models: Vec::new(),
            compiles: Vec::new(),
            fits: Vec::new(),
            events: Vec::new(),
            ids: Vec::new(),
            model_ids: Vec::new(),
        };
        collected.number_calls(interpreter);
        collected.number_models(interpreter);
        collected.list_methods(interpreter);
        collected.list_events(interpreter);
        collected
    }

    fn number_calls(&mut self, interpreter: &Interpreter<'_, '_>) {
        // A call is recorded after the calls in its arguments, so one pass finds which records say the same.
        let mut same: Vec<usize> = Vec::with_capacity(interpreter.records.len());
        let mut calls: Vec<Call> = Vec::with_capacity(interpreter.records.len());
        let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
        for (number, record) in interpreter.records.iter().enumerate() {
            let mut call = record.call.clone();
            for argument in &mut call.arguments {
                renumber(&mut argument.value, &|old| same.get(old).copied().map(CallId));
            }
            let group = groups.entry(record.node.id()).or_default();
            let known = group
                .iter()
                .copied()
                .find(|known| calls.get(*known).is_some_and(|known| *known == call));
            if known.is_none() {
                group.push(number);
            }
            same.push(known.unwrap_or(number));
            calls.push(call);
        }
        let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
        groups.sort_by_key(|group| {
            let call = group.first().and_then(|first| calls.get(*first));
            call.map(|call| (call.range.start, usize::MAX - call.range.end))
        });
        // Record that stands for its like → number; and number of an instance → number of its call in the source.
        let mut numbers: HashMap<usize, CallId> = HashMap::new();
        let mut general: HashMap<CallId, CallId> = HashMap::new();
        let mut next = groups.len();
        for (position, group) in groups.iter().enumerate() {
            match group.as_slice() {
                [only] => {
                    numbers.insert(*only, CallId(position));
                }
                several => {
                    for record in several {
                        numbers.insert(*record, CallId(next));
                        general.insert(CallId(next), CallId(position));
                        next += 1;
                    }
                }
            }
        }
        for call in &mut calls {
            for argument in &mut call.arguments {
                renumber(&mut argument.value, &|old| numbers.get(&old).copied());
            }
        }
        for group in &groups {
            let alike: Vec<&Call> = group.iter().filter_map(|record| calls.get(*record)).collect();
            match alike.as_slice() {
                [] => {}
                [only] => self.calls.push((*only).clone()),
                [first, rest @ ..] => {
                    let joined = rest
                        .iter()
                        .fold((*first).clone(), |joined, next| join(joined, next, &general));
                    self.calls.push(joined);
                    self.instances.extend(alike.into_iter().cloned());
                }
            }
        }
        self.ids = same
            .iter()
            .map(|record| numbers.get(record).copied().unwrap_or(CallId(0)))
            .collect();
    }

    fn id(&self, record: usize) -> Option<CallId> {
        self.ids.get(record).copied()
    }

    fn start(&self, call: CallId) -> usize {
        let call = match call.0.checked_sub(self.calls.len()) {
            Some(instance) => self.instances.get(instance),
            None => self.calls.get(call.0),
        };
        call.map_or(0, |call| call.range.start)
    }

    fn number_models(&mut self, interpreter: &Interpreter<'_, '_>) {
        let mut models: Vec<(Model, Vec<usize>)> = Vec::new();
        for (number, draft) in interpreter.models.iter().enumerate() {
            let Some(model) = self.model(interpreter, draft) else {
                continue;
            };
            match models.iter_mut().find(|(known, _)| *known == model) {
                Some((_, drafts)) => drafts.push(number),
                None => models.push((model, vec![number])),
            }
        }
        models.sort_by_key(|(model, _)| (self.start(model.call), model.call));
        self.model_ids = vec![ModelId(usize::MAX); interpreter.models.len()];
        for (position, (_, drafts)) in models.iter().enumerate() {
            for draft in drafts {
                if let Some(id) = self.model_ids.get_mut(*draft) {
                    *id = ModelId(position);
                }
            }
        }
        self.models = models.into_iter().map(|(model, _)| model).collect();
    }

    fn model(&self, interpreter: &Interpreter<'_, '_>, draft: &Draft<'_>) -> Option<Model> {
        let mut numbers: Vec<usize> = Vec::new();
        let mut layers = Vec::with_capacity(draft.uses.len());
        for used in &draft.uses {
            let index = numbers
                .iter()
                .position(|layer| *layer == used.layer)
                .unwrap_or_else(|| {
                    numbers.push(used.layer);
                    numbers.len() - 1
                });
            layers.push(Layer {
                call: self.id(interpreter.layer_record(used.layer)?)?,
                index,
                inputs: used.feeds.iter().map(|feed| self.source(*feed)).collect(),
                trainable: interpreter.trainable(used.layer),
            });
        }
        let outputs: Vec<Source> = draft.outputs.iter().map(|feed| self.source(*feed)).collect();
        let known = draft.outputs.iter().all(|feed| *feed != Feed::Unknown);
        Some(Model {
            kind: draft.kind,
            call: self.id(draft.record)?,
            name: draft.name.map(str::to_owned),
            tail: tail(&layers, &outputs),
            complete: draft.complete && known,
            layers,
            outputs,
            custom_loss: draft.custom_loss,
        })
    }

    fn source(&self, feed: Feed) -> Source {
        match feed {
            Feed::Layer(position) => Source::Layer(position),
            Feed::Extra(position) => Source::Extra(position),
            Feed::Input(record) => Source::Input(record.and_then(|record| self.id(record))),
            Feed::Unknown => Source::Unknown,
        }
    }

    fn model_id(&self, draft: Option<usize>) -> Option<ModelId> {
        self.model_ids
            .get(draft?)
            .copied()
            .filter(|id| id.0 < self.models.len())
    }

    fn list_events(&mut self, interpreter: &Interpreter<'_, '_>) {
        let event = |happening: &Happening| match happening {
            Happening::Method(number) => {
                let method = interpreter.methods.get(*number)?;
                let call = self.id(method.record)?;
                Some(Event {
                    model: self.model_id(method.model),
                    range: interpreter.records.get(method.record)?.call.range,
                    kind: EventKind::Method(call),
                })
            }
            Happening::Trainable {
                range,
                model,
                layer,
                value,
            } => Some(Event {
                model: self.model_id(*model),
                range: *range,
                kind: EventKind::Trainable {
                    layer: layer
                        .and_then(|layer| interpreter.layer_record(layer))
                        .and_then(|record| self.id(record)),
                    value: *value,
                },
            }),
        };
        self.events = interpreter.happenings.iter().filter_map(event).collect();
    }

    fn list_methods(&mut self, interpreter: &Interpreter<'_, '_>) {
        let trains =
            |method: &MethodCall<'_>| matches!(method.method, "fit" | "fit_generator" | "train_on_batch");
        for method in &interpreter.methods {
            let Some(call) = self.id(method.record) else {
                continue;
            };
            let model = self.model_id(method.model);
            if method.method == "compile" {
                let compile = Compile { call, model };
                if !self.compiles.contains(&compile) {
                    self.compiles.push(compile);
                }
            } else if trains(method) {
                let compile = method.compile.and_then(|record| self.id(record));
                let fit = Fit { call, model, compile };
                if !self.fits.contains(&fit) {
                    self.fits.push(fit);
                }
            }
        }
        let mut compiles = std::mem::take(&mut self.compiles);
        compiles.sort_by_key(|compile| (self.start(compile.call), compile.call));
        self.compiles = compiles;
        let mut fits = std::mem::take(&mut self.fits);
        fits.sort_by_key(|fit| (self.start(fit.call), fit.call));
        self.fits = fits;
    }
}

/// How many of the last layers lead straight to the one output.
fn tail(layers: &[Layer], outputs: &[Source]) -> usize {
    let [Source::Layer(last)] = outputs else { return 0 };
    if last + 1 != layers.len() {
        return 0;
    }
    let mut consumers = vec![0_usize; layers.len()];
    let fed = layers.iter().flat_map(|layer| &layer.inputs);
    for source in fed {
        if let Source::Layer(position) | Source::Extra(position) = source
            && let Some(count) = consumers.get_mut(*position)
        {
            *count += 1;
        }
    }
    let mut position = *last;
    loop {
        let from = layers.get(position).map(|layer| layer.inputs.as_slice());
        match from {
            Some([Source::Layer(before)]) if before + 1 == position && consumers.get(*before) == Some(&1) => {
                position = *before;
            }
            _ => return layers.len() - position,
        }
    }
}

/// Gives the calls in a value other numbers.
fn renumber(expr: &mut Expr, number: &impl Fn(usize) -> Option<CallId>) {
    match &mut expr.value {
        Value::Call(call) => match number(call.0) {
            Some(id) => *call = id,
            None => expr.value = Value::Unknown,
        },
        Value::List(items) => items.iter_mut().for_each(|item| renumber(item, number)),
        Value::Dict(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            renumber(key, number);
            renumber(value, number);
        }),
        _ => {}
    }
}

/// What two meetings of one call agree about.
fn join(mut left: Call, right: &Call, general: &HashMap<CallId, CallId>) -> Call {
    let matches = |left: &Argument, right: &Argument| left.name == right.name && left.range == right.range;
    let count = left.arguments.len();
    left.arguments
        .retain(|argument| right.arguments.iter().any(|other| matches(argument, other)));
    left.open_ended |= right.open_ended
        || left.arguments.len() != count
        || left.arguments.len() != right.arguments.len()
        || left.callee != right.callee;
    for argument in &mut left.arguments {
        let other = right.arguments.iter().find(|other| matches(argument, other));
        let Some(other) = other else { continue };
        let call = |value: &Value| match value {
            Value::Call(id) => Some(general.get(id).copied().unwrap_or(*id)),
            _ => None,
        };
        if argument.value == other.value {
            continue;
        }
        argument.value.value = match (call(&argument.value.value), call(&other.value.value)) {
            (Some(left), Some(right)) if left == right => Value::Call(left),
            _ if argument.value.value == other.value.value => argument.value.value.clone(),
            _ => Value::Unknown,
        };
        argument.value.origin = argument.value.range;
    }
    left
}
