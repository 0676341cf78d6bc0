//! Puts a [`Program`] together.

use std::collections::HashMap;

use finding::Range;
use tree_sitter::Node;

use crate::assemble::Assembly;
use crate::draft::{Draft, MethodCall};
use crate::names::is_legacy;
use crate::scope::{Bound, Event, Place, Scopes};
use crate::syntax::{self, children, range, slice};
use crate::value::{Reader, unknown};
use crate::{Argument, Call, CallId, Compile, Fit, Layer, Model, ModelId, Program, SyntaxError, signature};

impl Program {
    /// Reads a script. Never fails: what does not parse is in `syntax_errors`, what is not understood is unknown.
    pub fn parse(text: &str) -> Program {
        let Some(tree) = syntax::parse(text) else {
            return unreadable(text);
        };
        let Some(roles) = syntax::roles(tree.root_node(), text) else {
            return unreadable(text);
        };
        let scopes = Scopes::new(&roles, text);
        let assembly = Assembly::new(&scopes, text);
        let recorded = Recorded::new(&scopes, &assembly);
        Program {
            calls: recorded.calls(&scopes, text),
            models: recorded.models(&assembly),
            compiles: recorded.compiles(&assembly),
            fits: recorded.fits(&assembly),
            syntax_errors: syntax::errors(&roles, text),
            legacy_keras: text.contains("TF_USE_LEGACY_KERAS") || imports_legacy(&scopes),
        }
    }
}

fn unreadable(text: &str) -> Program {
    let message = format!(
        "this file is too large or too far from Python to be read ({} kB)",
        text.len().div_ceil(1024)
    );
    let range = Range::new(0, text.lines().next().map_or(0, str::len));
    Program {
        syntax_errors: vec![SyntaxError { range, message }],
        ..Program::default()
    }
}

fn imports_legacy(scopes: &Scopes<'_, '_>) -> bool {
    scopes.scopes.iter().any(|scope| {
        let imported = scope
            .names
            .values()
            .flatten()
            .any(|binding| match &binding.bound {
                Bound::Import(path) => is_legacy(path),
                _ => false,
            });
        imported || scope.wildcards.iter().any(|path| is_legacy(path))
    })
}

/// The calls that go into the program, numbered in source order.
struct Recorded<'t> {
    /// Node, place and canonical name.
    calls: Vec<(Node<'t>, Place, String)>,
    ids: HashMap<usize, CallId>,
    /// Number of each model as it was met → its number in source order.
    model_ids: Vec<ModelId>,
}

impl<'t> Recorded<'t> {
    fn new(scopes: &Scopes<'_, 't>, assembly: &Assembly<'_, '_, 't>) -> Self {
        let methods: HashMap<usize, &str> = assembly
            .methods
            .iter()
            .map(|method| (method.call.id(), method.method))
            .collect();
        let mut calls: Vec<_> = scopes
            .events
            .iter()
            .filter_map(|(place, event)| {
                let Event::Call(node) = event else { return None };
                let callee = match methods.get(&node.id()) {
                    Some(method) => format!("Model.{method}"),
                    None => assembly.callees.get(&node.id())?.clone(),
                };
                Some((*node, *place, callee))
            })
            .collect();
        calls.sort_by_key(|(node, ..)| (node.start_byte(), usize::MAX - node.end_byte()));
        let ids = calls
            .iter()
            .enumerate()
            .map(|(index, (node, ..))| (node.id(), CallId(index)))
            .collect();
        let mut order: Vec<usize> = (0..assembly.models.len()).collect();
        order.sort_by_key(|model| assembly.models.get(*model).map(|draft| draft.call.start_byte()));
        let mut model_ids = vec![ModelId(0); order.len()];
        for (position, model) in order.into_iter().enumerate() {
            if let Some(id) = model_ids.get_mut(model) {
                *id = ModelId(position);
            }
        }
        Recorded {
            calls,
            ids,
            model_ids,
        }
    }

    fn model_id(&self, model: Option<usize>) -> Option<ModelId> {
        self.model_ids.get(model?).copied()
    }

    fn id(&self, node: Node<'t>) -> Option<CallId> {
        self.ids.get(&node.id()).copied()
    }

    fn calls(&self, scopes: &Scopes<'_, 't>, text: &str) -> Vec<Call> {
        let reader = Reader::new(scopes, text, &self.ids);
        self.calls
            .iter()
            .map(|(node, place, callee)| call(&reader, *node, *place, callee.clone()))
            .collect()
    }

    fn models(&self, assembly: &Assembly<'_, '_, 't>) -> Vec<Model> {
        let model = |draft: &Draft<'_, 't>| {
            let layers = draft.layers.iter().filter_map(|layer| self.id(*layer));
            Some(Model {
                kind: draft.kind,
                call: self.id(draft.call)?,
                name: draft.name.map(str::to_owned),
                layers: layers
                    .enumerate()
                    .map(|(index, call)| Layer { call, index })
                    .collect(),
                complete: draft.complete,
                tail: draft.tail,
            })
        };
        // Every draft stands on a recorded call, so the numbers given above hold.
        let mut models: Vec<_> = assembly.models.iter().filter_map(model).collect();
        models.sort_by_key(|model| model.call);
        models
    }

    fn compiles(&self, assembly: &Assembly<'_, '_, 't>) -> Vec<Compile> {
        let compile = |method: &MethodCall<'_, 't>| {
            Some(Compile {
                call: self.id(method.call)?,
                model: self.model_id(method.model),
            })
        };
        let mut compiles: Vec<_> = assembly
            .methods
            .iter()
            .filter(|method| method.method == "compile")
            .filter_map(compile)
            .collect();
        compiles.sort_by_key(|compile| compile.call);
        compiles
    }

    fn fits(&self, assembly: &Assembly<'_, '_, 't>) -> Vec<Fit> {
        let fit = |method: &MethodCall<'_, 't>| {
            let compile = method.compile.and_then(|node| self.id(node));
            Some(Fit {
                call: self.id(method.call)?,
                model: self.model_id(method.model),
                compile,
            })
        };
        let trains = |method: &&MethodCall<'_, 't>| {
            matches!(method.method, "fit" | "fit_generator" | "train_on_batch")
        };
        let mut fits: Vec<_> = assembly.methods.iter().filter(trains).filter_map(fit).collect();
        fits.sort_by_key(|fit| fit.call);
        fits
    }
}

fn call<'t>(reader: &Reader<'_, '_, 't>, node: Node<'t>, place: Place, callee: String) -> Call {
    let text = reader.text;
    let parameters = signature::parameters(&callee).unwrap_or_default();
    let mut positional = parameters.iter();
    let mut arguments = Vec::new();
    let mut open_ended = false;
    let list = node
        .child_by_field_name("arguments")
        .filter(|list| list.kind() == "argument_list");
    for argument in list.map(children).unwrap_or_default() {
        let (name, name_range, value) = match argument.kind() {
            "keyword_argument" => {
                let keyword = argument.child_by_field_name("name");
                (
                    keyword.map(|node| slice(node, text).to_owned()),
                    keyword.map(range),
                    argument.child_by_field_name("value"),
                )
            }
            "list_splat" | "dictionary_splat" | "ERROR" => {
                open_ended = true;
                positional = [].iter();
                continue;
            }
            _ => (positional.next().cloned(), None, Some(argument)),
        };
        let value = value.map_or_else(|| unknown(range(argument)), |value| reader.expr(value, place));
        arguments.push(Argument {
            name,
            name_range,
            range: range(argument),
            value,
        });
    }
    Call {
        callee,
        callee_range: node
            .child_by_field_name("function")
            .map_or_else(|| range(node), range),
        range: range(node),
        arguments,
        open_ended: open_ended
            || node
                .child_by_field_name("arguments")
                .is_none_or(|list| list.kind() != "argument_list"),
    }
}
