//! From Keras' serialisation to operations.

use std::collections::HashMap;

use serde_json::Value;

use super::{Builder, Call, Dim, Graph, Leaf, Port, Sym};
use crate::Unsupported;
use crate::config::{Config, serialized};
use crate::layers::{self, Entry};
use crate::regularizers::Regularizer;

/// Models nested deeper than this are refused.
const DEEPEST: usize = 32;
/// Largest size of an input axis.
const LARGEST_AXIS: u64 = 1 << 28;

/// How a layer or model is called.
#[derive(Clone)]
pub(crate) struct Use<'a> {
    pub args: &'a Value,
    pub kwargs: &'a Value,
    pub tensors: Vec<(String, Vec<Sym>)>,
    pub training: Option<bool>,
    pub frozen: bool,
    pub depth: usize,
    /// How many time steps lie side by side as samples of their own.
    pub steps: usize,
}

impl Use<'_> {
    pub fn plain(training: Option<bool>, frozen: bool, depth: usize, steps: usize) -> Self {
        Use {
            args: &Value::Null,
            kwargs: &Value::Null,
            tensors: Vec::new(),
            training,
            frozen,
            depth,
            steps,
        }
    }
}

/// What a model or layer gives.
struct Outputs {
    syms: Vec<Sym>,
    /// Key in a dictionary and name of the layer, for each.
    names: Vec<(Option<String>, String)>,
}

pub(super) fn model(value: &Value) -> Result<Graph, Unsupported> {
    let (class, config) =
        serialized(value).ok_or_else(|| Unsupported::new("model", "not a model that Keras serialises"))?;
    if !is_model(class, config) {
        return Err(Unsupported::new(
            "model",
            format!("{class} is neither Sequential nor Functional"),
        ));
    }
    let mut builder = Builder::default();
    let inputs = top_inputs(&mut builder, class, config)?;
    let syms = inputs.iter().map(|port| port.1.clone()).collect();
    let outputs = nested(
        &mut builder,
        class,
        config,
        "",
        syms,
        &Use::plain(None, false, 0, 1),
    )?;
    builder.within_limits()?;
    let mut order = Vec::new();
    weight_order(&builder, config, "", &mut order);
    if order.len() + builder.states.len() != builder.params.len() {
        return Err(Unsupported::new("model", "weights that belong to no layer"));
    }
    let names = outputs.names.into_iter();
    let outputs = outputs
        .syms
        .into_iter()
        .zip(names)
        .map(|(sym, (key, name))| Port {
            name: key.clone().unwrap_or(name),
            key,
            shape: sym.shape,
            value: sym.id,
            mask: sym.mask,
            logits: sym.logits,
        });
    let outputs: Vec<Port> = outputs.collect();
    let inputs = inputs.into_iter().map(|((key, name), sym)| Port {
        name,
        key,
        shape: sym.shape,
        value: sym.id,
        mask: None,
        logits: None,
    });
    let mut graph = Graph {
        name: config
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("model")
            .to_owned(),
        nodes: builder.nodes,
        value_count: builder.value_count,
        needs_grad: Vec::new(),
        probe_grad: Vec::new(),
        params: builder.params,
        order,
        states: builder.states,
        leaves: builder.leaves,
        inputs: inputs.collect(),
        outputs,
    };
    super::run::plan_gradients(&mut graph);
    Ok(graph)
}

/// Whether a class with that configuration is a model whose layers can be read.
fn is_model(class: &str, config: &Value) -> bool {
    class == "Sequential"
        || (config.get("layers").is_some_and(Value::is_array) && config.get("output_layers").is_some())
}

fn shape_of(place: &str, value: Option<&Value>) -> Result<Vec<Dim>, Unsupported> {
    let bad = || Unsupported::new(place, "its shape is not known");
    let items = value.and_then(Value::as_array).ok_or_else(bad)?;
    if items.is_empty() || items.len() > 8 {
        return Err(bad());
    }
    let mut shape: Vec<Dim> = Vec::with_capacity(items.len());
    for item in items {
        shape.push(match item {
            Value::Null => None,
            item => {
                let size = item
                    .as_u64()
                    .filter(|&size| size <= LARGEST_AXIS)
                    .ok_or_else(bad)?;
                Some(usize::try_from(size).map_err(|_| bad())?)
            }
        });
    }
    // The batch may have any size, whatever the model was built with.
    shape[0] = None;
    Ok(shape)
}

/// The number of samples that a shape fixes.
fn samples_of(shape: Option<&Value>) -> Option<usize> {
    usize::try_from(shape?.get(0)?.as_u64()?).ok()
}

type Named = ((Option<String>, String), Sym);

fn top_inputs(builder: &mut Builder, class: &str, config: &Value) -> Result<Vec<Named>, Unsupported> {
    let layers = layers_of(config)?;
    if class == "Sequential" {
        let first = layers.first().filter(|layer| is_input(layer));
        let declared = first.map(|layer| &layer["config"]);
        let name = declared
            .and_then(|input| input["name"].as_str())
            .unwrap_or("input");
        let shape = declared
            .and_then(|input| input.get("batch_shape"))
            .or_else(|| config.get("build_input_shape"));
        builder.samples = samples_of(shape);
        let shape = shape_of("model", shape)?;
        return Ok(vec![((None, name.to_owned()), builder.input(shape))]);
    }
    let mut inputs = Vec::new();
    for (key, (name, _, _)) in references(config.get("input_layers"))? {
        let layer = layers
            .iter()
            .find(|layer| layer["config"]["name"].as_str() == Some(&name))
            .ok_or_else(|| Unsupported::new("model", format!("input {name} is missing")))?;
        let shape = layer["config"].get("batch_shape");
        builder.samples = builder.samples.or(samples_of(shape));
        let shape = shape_of(&format!("input {name}"), shape)?;
        inputs.push(((key, name), builder.input(shape)));
    }
    Ok(inputs)
}

fn layers_of(config: &Value) -> Result<&[Value], Unsupported> {
    config
        .get("layers")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| Unsupported::new("model", "its layers are not known"))
}

fn is_input(layer: &Value) -> bool {
    layer["class_name"].as_str() == Some("InputLayer")
}

type Reference = (String, usize, usize);

/// `["a", 0, 0]`, a list or a dictionary of these, in the order in which Keras flattens them.
fn references(value: Option<&Value>) -> Result<Vec<(Option<String>, Reference)>, Unsupported> {
    let bad = || Unsupported::new("model", "inputs or outputs in a structure that is not covered");
    let value = value.ok_or_else(bad)?;
    if let Some(one) = reference(value) {
        return Ok(vec![(None, one)]);
    }
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| Ok((None, reference(item).ok_or_else(bad)?)))
            .collect(),
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort();
            keys.into_iter()
                .map(|key| Ok((Some(key.clone()), reference(&map[key.as_str()]).ok_or_else(bad)?)))
                .collect()
        }
        _ => Err(bad()),
    }
}

fn reference(value: &Value) -> Option<Reference> {
    let Value::Array(items) = value else {
        return None;
    };
    let [Value::String(name), node, tensor] = items.as_slice() else {
        return None;
    };
    let index = |value: &Value| usize::try_from(value.as_u64()?).ok();
    Some((name.clone(), index(node)?, index(tensor)?))
}

fn nested(
    builder: &mut Builder,
    class: &str,
    config: &Value,
    prefix: &str,
    inputs: Vec<Sym>,
    how: &Use<'_>,
) -> Result<Outputs, Unsupported> {
    if how.depth > DEEPEST {
        return Err(Unsupported::new(
            "model",
            format!("models nested deeper than {DEEPEST}"),
        ));
    }
    let inner = Use::plain(
        how.training,
        how.frozen || is_frozen(config),
        how.depth + 1,
        how.steps,
    );
    if class == "Sequential" {
        sequential(builder, config, prefix, inputs, &inner)
    } else {
        functional(builder, config, prefix, inputs, &inner)
    }
}

fn is_frozen(config: &Value) -> bool {
    config.get("trainable").and_then(Value::as_bool) == Some(false)
}

fn sequential(
    builder: &mut Builder,
    config: &Value,
    prefix: &str,
    mut syms: Vec<Sym>,
    how: &Use<'_>,
) -> Result<Outputs, Unsupported> {
    let mut last = String::from("output");
    for layer in layers_of(config)? {
        if !is_input(layer) {
            syms = layer_call(builder, layer, prefix, syms, how)?;
            last = layer["config"]["name"].as_str().unwrap_or_default().to_owned();
        }
    }
    let names = syms.iter().map(|_| (None, last.clone())).collect();
    Ok(Outputs { syms, names })
}

fn functional(
    builder: &mut Builder,
    config: &Value,
    prefix: &str,
    inputs: Vec<Sym>,
    how: &Use<'_>,
) -> Result<Outputs, Unsupported> {
    let layers = layers_of(config)?;
    let wanted = references(config.get("input_layers"))?;
    if wanted.len() != inputs.len() {
        return Err(Unsupported::new(
            "model",
            format!("{} inputs for a model of {}", inputs.len(), wanted.len()),
        ));
    }
    let mut known: HashMap<Reference, Sym> = HashMap::new();
    for ((_, reference), sym) in wanted.into_iter().zip(inputs) {
        known.insert(reference, sym);
    }
    // Calls in the order of the list, again and again until all have their inputs: with shared layers a later call
    // of an early layer depends on a later layer.
    let mut pending: Vec<(&Value, usize)> = layers
        .iter()
        .filter(|layer| !is_input(layer))
        .flat_map(|layer| {
            let calls = layer["inbound_nodes"].as_array().map_or(0, Vec::len);
            (0..calls).map(move |call| (layer, call))
        })
        .collect();
    while !pending.is_empty() {
        let before = pending.len();
        let mut waiting = Vec::new();
        for (layer, call) in pending {
            let node = &layer["inbound_nodes"][call];
            let Some(found) = arguments(node, &known)? else {
                waiting.push((layer, call));
                continue;
            };
            let name = layer["config"]["name"]
                .as_str()
                .or_else(|| layer["name"].as_str())
                .unwrap_or_default();
            let how = Use {
                training: node["kwargs"]["training"].as_bool().or(how.training),
                args: &node["args"],
                kwargs: &node["kwargs"],
                tensors: found.keyword,
                ..how.clone()
            };
            let outputs = layer_call(builder, layer, prefix, found.positional, &how)?;
            builder.within_limits()?;
            for (index, sym) in outputs.into_iter().enumerate() {
                known.insert((name.to_owned(), call, index), sym);
            }
        }
        if waiting.len() == before {
            return Err(Unsupported::new("model", "layers whose inputs come from nowhere"));
        }
        pending = waiting;
    }
    let mut outputs = Outputs {
        syms: Vec::new(),
        names: Vec::new(),
    };
    for (key, reference) in references(config.get("output_layers"))? {
        let sym = known
            .get(&reference)
            .ok_or_else(|| Unsupported::new("model", format!("output {} is missing", reference.0)))?;
        outputs.syms.push(sym.clone());
        outputs.names.push((key, reference.0));
    }
    Ok(outputs)
}

struct Arguments {
    positional: Vec<Sym>,
    keyword: Vec<(String, Vec<Sym>)>,
}

/// The tensors of a call; `None` while some of them are not computed yet.
fn arguments(node: &Value, known: &HashMap<Reference, Sym>) -> Result<Option<Arguments>, Unsupported> {
    let mut positional = Vec::new();
    if !tensors(&node["args"], known, &mut positional, 0)? {
        return Ok(None);
    }
    let mut keyword = Vec::new();
    for (key, value) in node["kwargs"].as_object().into_iter().flatten() {
        let mut found = Vec::new();
        if !tensors(value, known, &mut found, 0)? {
            return Ok(None);
        }
        if !found.is_empty() {
            keyword.push((key.clone(), found));
        }
    }
    Ok(Some(Arguments { positional, keyword }))
}

fn tensors(
    value: &Value,
    known: &HashMap<Reference, Sym>,
    found: &mut Vec<Sym>,
    depth: usize,
) -> Result<bool, Unsupported> {
    if depth > DEEPEST {
        return Err(Unsupported::new("model", "arguments nested too deeply"));
    }
    match value {
        Value::Array(items) => {
            for item in items {
                if !tensors(item, known, found, depth + 1)? {
                    return Ok(false);
                }
            }
        }
        Value::Object(map) => {
            if map.get("class_name").and_then(Value::as_str) == Some("__keras_tensor__") {
                let history = value["config"].get("keras_history").and_then(reference);
                let history =
                    history.ok_or_else(|| Unsupported::new("model", "a tensor whose origin is not known"))?;
                let Some(sym) = known.get(&history) else {
                    return Ok(false);
                };
                found.push(sym.clone());
                return Ok(true);
            }
            // Dictionaries of inputs, in the order in which Keras flattens them.
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort();
            for key in keys {
                if !tensors(&map[key.as_str()], known, found, depth + 1)? {
                    return Ok(false);
                }
            }
        }
        _ => {}
    }
    Ok(true)
}

/// Adds the operations of one call of a serialised layer or nested model.
pub(crate) fn layer_call(
    builder: &mut Builder,
    layer: &Value,
    prefix: &str,
    inputs: Vec<Sym>,
    how: &Use<'_>,
) -> Result<Vec<Sym>, Unsupported> {
    if how.depth > DEEPEST {
        return Err(Unsupported::new(
            "model",
            format!("layers nested deeper than {DEEPEST}"),
        ));
    }
    let given = layer["config"]["name"]
        .as_str()
        .or_else(|| layer["name"].as_str());
    let name = given.unwrap_or_default();
    let path = format!("{prefix}{name}");
    let (class, config) = serialized(layer).ok_or_else(|| {
        let class = layer["class_name"].as_str().unwrap_or("unknown class");
        Unsupported::new(
            format!("layer {path}"),
            format!("{class} is not a class of Keras"),
        )
    })?;
    if is_model(class, config) {
        let inner = format!("{path}/");
        return Ok(nested(builder, class, config, &inner, inputs, how)?.syms);
    }
    let module = layer["module"].as_str().unwrap_or("keras.layers");
    let place = format!("layer {path} ({class})");
    let entry = if module.starts_with("keras.src.ops") || module.starts_with("keras.ops") {
        layers::operation(class)
    } else if module.starts_with("keras") {
        layers::find(class)
    } else {
        None
    };
    let entry = entry.ok_or_else(|| Unsupported::new(&place, format!("{class} is not covered")))?;
    single_precision(&place, config)?;
    one_layer(builder, entry, class, config, &path, inputs, how)
}

fn one_layer(
    builder: &mut Builder,
    entry: &Entry,
    class: &str,
    config: &Value,
    path: &str,
    inputs: Vec<Sym>,
    how: &Use<'_>,
) -> Result<Vec<Sym>, Unsupported> {
    let place = format!("layer {path} ({class})");
    let around = builder.current;
    // Within a layer that Keras composes of others, everything belongs to the outer one.
    if around.is_none() && !entry.operation {
        let index = builder.leaves.len();
        let leaf = *builder.leaf_of.entry(path.to_owned()).or_insert(index);
        if leaf == index {
            builder.leaves.push(Leaf {
                path: path.to_owned(),
                class: class.to_owned(),
                activation: None,
                calls: Vec::new(),
                params: Vec::new(),
                unit_axis: -1,
                rectified: false,
            });
        }
        builder.current = Some(leaf);
    }
    let turned = channels_first(config);
    let settings = Config::new(&place, turned.as_ref().unwrap_or(config));
    let mut call = Call {
        builder,
        config: settings,
        path,
        class,
        inputs,
        args: how.args,
        kwargs: how.kwargs,
        tensors: how.tensors.clone(),
        training: how.training,
        frozen: how.frozen || is_frozen(config),
        before: None,
        activation: None,
        unit_axis: -1,
        depth: how.depth + 1,
        steps: how.steps,
        given_mask: None,
        rectified: false,
    };
    // Keras writes down the mask a call was given; where it comes with the input it is the same one.
    if let (Some(given), [input, ..]) = (call.take("mask"), call.inputs.as_mut_slice())
        && let [mask] = given.as_slice()
    {
        call.given_mask = Some(mask.id);
        input.mask = input.mask.or(Some(mask.id));
    }
    let mask = call.inputs.first().and_then(|sym| sym.mask);
    if turned.is_some() {
        layers::channels_last(&mut call)?;
    }
    let mut outputs = (entry.build)(&mut call)?;
    if turned.is_some() {
        layers::channels_back(&mut call, &mut outputs)?;
    }
    if let Some((key, _)) = call.tensors.first() {
        return Err(call.unsupported(format!("the argument {key} of its call")));
    }
    if let Some(regularizer) = settings.get("activity_regularizer") {
        let regularizer =
            Regularizer::read(regularizer).ok_or_else(|| settings.not("activity_regularizer"))?;
        for output in &mut outputs {
            *output = layers::penalize(&mut call, regularizer, output);
        }
    }
    let (before, activation, unit_axis) = (call.before, call.activation, call.unit_axis);
    let rectified = call.rectified;
    if entry.masking {
        for output in &mut outputs {
            output.mask = output.mask.or(mask);
        }
    }
    if around.is_none()
        && let Some(index) = builder.current
        && let (Some(leaf), Some(output)) = (builder.leaves.get_mut(index), outputs.first())
    {
        leaf.calls.push((before, output.id));
        leaf.activation = activation.or(leaf.activation.take());
        leaf.unit_axis = unit_axis;
        leaf.rectified = rectified;
    }
    builder.current = around;
    Ok(outputs)
}

/// The configuration of a layer whose channels come first, as if they came last; all layers are built that way.
fn channels_first(config: &Value) -> Option<Value> {
    let first = config["data_format"].as_str() == Some("channels_first");
    first.then(|| {
        let mut turned = config.clone();
        turned["data_format"] = "channels_last".into();
        turned
    })
}

/// Refuses layers that compute in another precision.
fn single_precision(place: &str, config: &Value) -> Result<(), Unsupported> {
    let dtype = &config["dtype"];
    let name = dtype.as_str().or_else(|| dtype["config"]["name"].as_str());
    match name {
        None | Some("float32") => {}
        Some(other) => {
            let integers = ["int", "uint", "bool"].iter().any(|kind| other.starts_with(kind));
            if !integers {
                return Err(Unsupported::new(place, format!("dtype={other}")));
            }
        }
    }
    for key in ["quantization_config", "lora_rank"] {
        if config.get(key).is_some_and(|value| !value.is_null()) {
            return Err(Unsupported::new(place, key));
        }
    }
    Ok(())
}

/// The weights in the order of `model.weights`: layer by layer as the model lists them.
fn weight_order(builder: &Builder, config: &Value, prefix: &str, order: &mut Vec<usize>) {
    for layer in config["layers"].as_array().into_iter().flatten() {
        let name = layer["config"]["name"].as_str().unwrap_or_default();
        let path = format!("{prefix}{name}");
        let inner = &layer["config"];
        if is_model(layer["class_name"].as_str().unwrap_or_default(), inner) {
            weight_order(builder, inner, &format!("{path}/"), order);
        } else if let Some(&leaf) = builder.leaf_of.get(&path) {
            order.extend(
                builder.leaves[leaf]
                    .params
                    .iter()
                    .filter(|id| !order.contains(id))
                    .copied()
                    .collect::<Vec<_>>(),
            );
        }
    }
}
