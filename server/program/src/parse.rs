//! Puts a [`Program`] together.

use std::collections::HashSet;

use finding::Range;

use crate::collect::Collected;
use crate::imports::imports;
use crate::interpret::Interpreter;
use crate::names::is_legacy;
use crate::scope::{Bound, Scopes};
use crate::syntax::{self, Role};
use crate::{Program, SyntaxError};

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
        let shared: HashSet<&str> = roles
            .iter()
            .filter(|(role, _)| *role == Role::Global)
            .map(|(_, node)| syntax::slice(*node, text))
            .collect();
        let interpreter = Interpreter::run(tree.root_node(), text, shared);
        let collected = Collected::new(&interpreter);
        Program {
            imports: imports(&roles, text),
            models: collected.models,
            compiles: collected.compiles,
            fits: collected.fits,
            events: collected.events,
            calls: collected.calls,
            instances: collected.instances,
            syntax_errors: syntax::errors(&roles, text),
            legacy_keras: text.contains("TF_USE_LEGACY_KERAS") || imports_legacy(&scopes),
            gradient_tape: interpreter.gradient_tape,
            adds_loss: interpreter.adds_loss,
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
