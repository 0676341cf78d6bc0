//! Which name stands for what, where.

use finding::Range;
use fnv::FnvHashMap;
use tree_sitter::Node;

use crate::field;
use crate::roles::Role;
use crate::syntax::KindName;
use crate::syntax::{children, dotted, range, slice};

/// Index of a scope.
pub(crate) type ScopeId = usize;
/// Index of a block of code that may run never or several times.
pub(crate) type BlockId = usize;

/// What a name was bound to.
#[derive(Clone, Debug)]
pub(crate) enum Bound<'t> {
    /// The value of an assignment.
    Value(Node<'t>),
    /// A dotted name (`tensorflow.keras.layers`).
    Import(String),
    /// Anything that cannot be followed: loop variables, parameters, changes in place.
    Opaque,
}

#[derive(Clone, Debug)]
pub(crate) struct Binding<'t> {
    pub bound: Bound<'t>,
    pub block: BlockId,
    /// First byte of the statement.
    pub at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    Module,
    Function,
    Class,
    /// Lambdas and comprehensions.
    Expression,
}

#[derive(Debug)]
pub(crate) struct Scope<'a, 't> {
    pub kind: ScopeKind,
    pub parent: Option<ScopeId>,
    pub range: Range,
    pub names: FnvHashMap<&'a str, Vec<Binding<'t>>>,
    /// Modules of `from … import *`.
    pub wildcards: Vec<String>,
}

/// Where in the program something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub scope: ScopeId,
    pub block: BlockId,
}

/// All names of a text.
#[derive(Debug)]
pub(crate) struct Scopes<'a, 't> {
    pub scopes: Vec<Scope<'a, 't>>,
    /// Parent of each block; the first is the module's.
    blocks: Vec<BlockId>,
}

impl<'a, 't> Scopes<'a, 't> {
    pub(crate) fn new(roles: &[(Role, Node<'t>)], text: &'a str) -> Self {
        let module = Scope {
            kind: ScopeKind::Module,
            parent: None,
            range: Range::new(0, text.len()),
            names: FnvHashMap::default(),
            wildcards: Vec::new(),
        };
        let mut builder = Builder {
            text,
            open: vec![(text.len() + 1, Place { scope: 0, block: 0 })],
            result: Scopes {
                scopes: vec![module],
                blocks: vec![0],
            },
        };
        for (role, node) in roles {
            builder.visit(*role, *node);
        }
        builder.result
    }

    /// Whether code in `inner` runs only when, and after, code in `outer` has run.
    pub(crate) fn encloses(&self, outer: BlockId, mut inner: BlockId) -> bool {
        // A parent always has a smaller number than its child.
        while inner > outer {
            match self.blocks.get(inner) {
                Some(parent) => inner = *parent,
                None => return false,
            }
        }
        inner == outer
    }

    /// The scope that a name used in `scope` belongs to, with its bindings.
    pub(crate) fn lookup(&self, name: &str, scope: ScopeId) -> Option<(ScopeId, &[Binding<'t>])> {
        let mut at = Some(scope);
        while let Some(id) = at {
            let current = self.scopes.get(id)?;
            // Names of a class body are not visible in its methods.
            if (current.kind != ScopeKind::Class || id == scope)
                && let Some(bindings) = current.names.get(name)
            {
                return Some((id, bindings));
            }
            at = current.parent;
        }
        None
    }

    /// The one value a name has at a place: assigned once, by a statement that has run whenever the place is reached.
    pub(crate) fn value(&self, name: &str, place: Place, at: usize) -> Option<(Node<'t>, Place)> {
        let (scope, bindings) = self.lookup(name, place.scope)?;
        let [binding] = bindings else { return None };
        let Bound::Value(node) = binding.bound else {
            return None;
        };
        let before = scope != place.scope || binding.at < at;
        (before && self.encloses(binding.block, place.block)).then_some((
            node,
            Place {
                scope,
                block: binding.block,
            },
        ))
    }

    /// The innermost scope around an offset.
    pub(crate) fn scope_at(&self, offset: usize) -> ScopeId {
        let around = |scope: &Scope<'_, '_>| scope.range.contains_offset(offset);
        self.scopes.iter().rposition(around).unwrap_or(0)
    }
}

/// Opens and closes scopes and blocks while the nodes pass by.
struct Builder<'a, 't> {
    text: &'a str,
    /// Open scopes and blocks, with the byte they end at.
    open: Vec<(usize, Place)>,
    result: Scopes<'a, 't>,
}

/// Methods that change a list or dict in place.
const MUTATORS: [&str; 11] = [
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "clear",
    "sort",
    "reverse",
    "update",
    "setdefault",
    "assign",
];

impl<'a, 't> Builder<'a, 't> {
    fn place(&self) -> Place {
        self.open
            .last()
            .map_or(Place { scope: 0, block: 0 }, |(_, place)| *place)
    }

    fn open_block(&mut self, node: Node<'t>) {
        let Place { scope, block } = self.place();
        self.result.blocks.push(block);
        let block = self.result.blocks.len() - 1;
        self.open.push((node.end_byte(), Place { scope, block }));
    }

    fn open_scope(&mut self, node: Node<'t>, kind: ScopeKind) {
        let parent = self.place();
        // A function's code does not run where it stands.
        self.result.blocks.push(parent.block);
        let block = self.result.blocks.len() - 1;
        self.result.scopes.push(Scope {
            kind,
            parent: Some(parent.scope),
            range: range(node),
            names: FnvHashMap::default(),
            wildcards: Vec::new(),
        });
        let scope = self.result.scopes.len() - 1;
        self.open.push((node.end_byte(), Place { scope, block }));
    }

    fn bind_in(&mut self, scope: ScopeId, name: &'a str, bound: Bound<'t>, at: usize) {
        let block = self.place().block;
        if let Some(scope) = self.result.scopes.get_mut(scope) {
            scope
                .names
                .entry(name)
                .or_default()
                .push(Binding { bound, block, at });
        }
    }

    fn bind(&mut self, name: &'a str, bound: Bound<'t>, at: usize) {
        self.bind_in(self.place().scope, name, bound, at);
    }

    fn visit(&mut self, role: Role, node: Node<'t>) {
        while self.open.len() > 1 && self.open.last().is_some_and(|(end, _)| *end <= node.start_byte()) {
            self.open.pop();
        }
        let at = node.start_byte();
        match role {
            Role::Function => {
                if let Some(name) = node.child_by_field_id(field::NAME) {
                    let name = slice(name, self.text);
                    self.bind(name, Bound::Opaque, at);
                }
                self.open_scope(node, ScopeKind::Function);
            }
            Role::Class => {
                if let Some(name) = node.child_by_field_id(field::NAME) {
                    self.bind(slice(name, self.text), Bound::Opaque, at);
                }
                self.open_scope(node, ScopeKind::Class);
            }
            Role::Lambda | Role::Comprehension => self.open_scope(node, ScopeKind::Expression),
            Role::Block => self.open_block(node),
            Role::Import => self.import(node),
            Role::ImportFrom => self.import_from(node),
            Role::Assign => self.assign(node),
            Role::AssignExpression => {
                if let (Some(name), value) = (
                    node.child_by_field_id(field::NAME),
                    node.child_by_field_id(field::VALUE),
                ) {
                    let name = slice(name, self.text);
                    self.bind(name, value.map_or(Bound::Opaque, Bound::Value), at);
                }
            }
            Role::Change | Role::Opaque => self.opaque(node),
            Role::Parameter => self.bind(slice(node, self.text), Bound::Opaque, at),
            Role::Global => self.global(node),
            Role::Call => {
                self.change_by_method(node);
            }
            Role::Error | Role::Missing => {}
        }
    }

    /// `import a.b as c`
    fn import(&mut self, node: Node<'t>) {
        for item in children(node) {
            let at = item.start_byte();
            if item.kind_name() == "aliased_import" {
                if let (Some(module), Some(alias)) = (
                    item.child_by_field_id(field::NAME),
                    item.child_by_field_id(field::ALIAS),
                ) {
                    let module = dotted(module, self.text);
                    self.bind(slice(alias, self.text), Bound::Import(module), at);
                }
            } else if let Some(first) = slice(item, self.text).split('.').next() {
                let first = first.trim();
                self.bind(first, Bound::Import(first.to_owned()), at);
            }
        }
    }

    /// `from a.b import c as d`
    fn import_from(&mut self, node: Node<'t>) {
        let Some(module) = node.child_by_field_id(field::MODULE_NAME) else {
            return;
        };
        let prefix = dotted(module, self.text);
        for item in children(node) {
            let at = item.start_byte();
            if item == module {
                continue;
            }
            match item.kind_name() {
                "wildcard_import" => {
                    let scope = self.place().scope;
                    if let Some(scope) = self.result.scopes.get_mut(scope) {
                        scope.wildcards.push(prefix.clone());
                    }
                }
                "aliased_import" => {
                    if let (Some(name), Some(alias)) = (
                        item.child_by_field_id(field::NAME),
                        item.child_by_field_id(field::ALIAS),
                    ) {
                        let path = format!("{prefix}.{}", dotted(name, self.text));
                        self.bind(slice(alias, self.text), Bound::Import(path), at);
                    }
                }
                _ => {
                    let name = slice(item, self.text);
                    self.bind(name, Bound::Import(format!("{prefix}.{name}")), at);
                }
            }
        }
    }

    fn assign(&mut self, node: Node<'t>) {
        let Some(left) = node.child_by_field_id(field::LEFT) else {
            return;
        };
        let mut value = node.child_by_field_id(field::RIGHT);
        // `a = b = 1`: the value is at the end of the chain.
        while let Some(inner) = value.filter(|value| value.kind_name() == "assignment") {
            value = inner.child_by_field_id(field::RIGHT);
        }
        let at = node.start_byte();
        match left.kind_name() {
            "identifier" => {
                let name = slice(left, self.text);
                self.bind(name, value.map_or(Bound::Opaque, Bound::Value), at);
            }
            "pattern_list" | "tuple_pattern" | "list_pattern" => {
                let targets = children(left);
                let values = value
                    .filter(|value| matches!(value.kind_name(), "expression_list" | "tuple" | "list"))
                    .map(children)
                    .filter(|values| values.len() == targets.len())
                    .filter(|values| values.iter().all(|value| value.kind_name() != "list_splat"));
                for (index, target) in targets.into_iter().enumerate() {
                    let value = values.as_ref().and_then(|values| values.get(index)).copied();
                    if target.kind_name() == "identifier" && value.is_some() {
                        let name = slice(target, self.text);
                        self.bind(name, value.map_or(Bound::Opaque, Bound::Value), at);
                    } else {
                        self.opaque(target);
                    }
                }
            }
            _ => self.opaque(left),
        }
    }

    /// Every name in a target becomes unknown.
    fn opaque(&mut self, target: Node<'t>) {
        let mut todo = vec![target];
        while let Some(node) = todo.pop() {
            match node.kind_name() {
                "identifier" => {
                    let name = slice(node, self.text);
                    self.bind(name, Bound::Opaque, node.start_byte());
                }
                "attribute" | "subscript" => {
                    if let Some(base) = base_name(node) {
                        self.bind_existing(slice(base, self.text), node.start_byte());
                    }
                }
                kind if kind.ends_with("pattern")
                    || matches!(
                        kind,
                        "pattern_list" | "expression_list" | "tuple" | "list" | "dotted_name"
                    ) =>
                {
                    todo.extend(children(node));
                }
                _ => {}
            }
        }
    }

    /// A change in place does not make a new name: it concerns the scope that has it.
    fn bind_existing(&mut self, name: &'a str, at: usize) {
        let here = self.place().scope;
        let scope = self.result.lookup(name, here).map_or(here, |(scope, _)| scope);
        let is_module = self.result.lookup(name, here).is_some_and(|(_, bindings)| {
            bindings
                .iter()
                .any(|binding| matches!(binding.bound, Bound::Import(_)))
        });
        if !is_module {
            self.bind_in(scope, name, Bound::Opaque, at);
        }
    }

    fn change_by_method(&mut self, call: Node<'t>) {
        let Some(function) = call
            .child_by_field_id(field::FUNCTION)
            .filter(|node| node.kind_name() == "attribute")
        else {
            return;
        };
        let method = function
            .child_by_field_id(field::ATTRIBUTE)
            .map_or("", |node| slice(node, self.text));
        if MUTATORS.contains(&method)
            && let Some(base) = base_name(function)
        {
            self.bind_existing(slice(base, self.text), call.start_byte());
        }
    }

    fn global(&mut self, node: Node<'t>) {
        let name = slice(node, self.text);
        let here = self.place().scope;
        self.bind_in(here, name, Bound::Opaque, node.start_byte());
        let mut outer = self.result.scopes.get(here).and_then(|scope| scope.parent);
        while let Some(scope) = outer {
            self.bind_in(scope, name, Bound::Opaque, node.start_byte());
            outer = self.result.scopes.get(scope).and_then(|scope| scope.parent);
        }
    }
}

/// The name at the beginning of `name.a[0].b`.
pub(crate) fn base_name(mut node: Node<'_>) -> Option<Node<'_>> {
    const DEEPEST: usize = 16;
    for _ in 0..DEEPEST {
        node = match node.kind_name() {
            "identifier" => return Some(node),
            "attribute" => node.child_by_field_id(field::OBJECT)?,
            "subscript" => node.child_by_field_id(field::VALUE)?,
            _ => return None,
        };
    }
    None
}
