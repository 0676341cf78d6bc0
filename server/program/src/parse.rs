//! Puts a [`Program`] together.

use std::collections::HashSet;

use finding::Range;
use tree_sitter::Tree;

use crate::collect::Collected;
use crate::imports::imports;
use crate::interpret::Interpreter;
use crate::names::is_legacy;
use crate::roles::{Role, statements};
use crate::syntax;
use crate::{Import, Program, SyntaxError};

impl Program {
    /// Reads a script. Never fails: what does not parse is in `syntax_errors`, what is not understood is unknown.
    pub fn parse(text: &str) -> Program {
        match syntax::parse(text, None) {
            Some(tree) => Program::of(tree, text),
            None => unreadable(text),
        }
    }

    /// The same for a text that an edit made of another, whose tree is used where the edit did not change it.
    pub fn parse_after(&self, before: &str, text: &str) -> Program {
        let again = self
            .tree
            .as_ref()
            .filter(|_| self.syntax_errors.is_empty())
            .and_then(|tree| syntax::parse_again(tree, before, text));
        match again {
            Some(tree) => Program::of(tree, text),
            None => Program::parse(text),
        }
    }

    fn of(tree: Tree, text: &str) -> Program {
        let roles = statements(&tree, text);
        let shared: HashSet<&str> = roles
            .iter()
            .filter(|(role, _)| *role == Role::Global)
            .map(|(_, node)| syntax::slice(*node, text))
            .collect();
        let interpreter = Interpreter::run(tree.root_node(), text, shared);
        let collected = Collected::new(&interpreter);
        let imports = imports(&roles, text);
        let syntax_errors = syntax::errors(&roles, text);
        Program {
            legacy_keras: text.contains("TF_USE_LEGACY_KERAS") || imports.iter().any(of_legacy_keras),
            imports,
            models: collected.models,
            compiles: collected.compiles,
            fits: collected.fits,
            events: collected.events,
            calls: collected.calls,
            instances: collected.instances,
            syntax_errors,
            gradient_tape: interpreter.gradient_tape,
            adds_loss: interpreter.adds_loss,
            tree: Some(tree),
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

fn of_legacy_keras(import: &Import) -> bool {
    match import.name.as_deref() {
        None | Some("*") => is_legacy(&import.module),
        Some(name) => is_legacy(&format!("{}.{name}", import.module)),
    }
}
