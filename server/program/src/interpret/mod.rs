//! Follows a script statement by statement without running it: what names stand for, which layers are made, what
//! they are applied to, which models come of it.
//!
//! What depends on a condition that is not known is followed both ways and joined; loops over what is known and short
//! are unrolled; functions and classes of the script are followed where they are called. Whatever is not understood is
//! [`Val::Unknown`], and a model that something unknown may have changed is no longer complete.

mod argument;
mod attribute;
mod builtin;
mod call;
mod class;
mod comprehension;
mod expression;
mod fold;
mod function;
mod graph;
mod import;
mod keras;
mod object;
mod record;
mod sequential;
mod statement;
mod target;
mod training;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use finding::Range;
use fnv::FnvHashMap;
use tree_sitter::Node;

pub(crate) use object::{Draft, Feed, Happening, MethodCall};
pub(crate) use record::Record;

use crate::syntax::{range, slice};
use object::{Arguments, Class, Dict, Function, Instance, Item, LayerObject, List, Op, Tensor, Val};

/// Deepest nesting of expressions, blocks and calls that is followed.
const DEEPEST: usize = 90;

/// Deepest nesting of calls of functions of the script.
const DEEPEST_CALLS: usize = 16;

/// Most runs of a body that loops are unrolled to, loops around them counted.
const MOST_RUNS: usize = 32;

/// Nodes looked at, so that functions that call one another many times end: so many, and so many more per byte.
const STEPS: usize = 50_000;
const STEPS_PER_BYTE: usize = 8;

/// Names with what they stand for.
pub(crate) type Names<'a> = FnvHashMap<&'a str, Item>;

/// A time to which names may go back.
struct Mark(usize);

/// Names of a function call, a class body or the module.
#[derive(Debug, Default)]
struct Frame<'a> {
    names: Names<'a>,
    /// What names were before they were changed, the latest last, as long as somebody may go back there.
    before: Vec<(&'a str, Option<Item>)>,
    /// How many may.
    marks: usize,
    /// The frame names are looked up in that this one does not have.
    parent: Option<usize>,
    /// The class whose method runs here, with `self`.
    method_of: Option<(usize, Val)>,
    returned: Vec<Item>,
    /// Whether the call may have ended already.
    may_have_returned: bool,
    /// Whether names of this frame are hidden from functions defined in it, as those of a class body are.
    is_class: bool,
}

/// Follows one script.
pub(crate) struct Interpreter<'a, 't> {
    text: &'a str,
    /// Names that functions change from inside (`global`, `nonlocal`).
    shared: HashSet<&'a str>,
    wildcards: Vec<String>,
    frames: Vec<Frame<'a>>,
    frame: usize,
    lists: Vec<List>,
    dicts: Vec<Dict>,
    functions: Vec<Function<'a, 't>>,
    /// What `functools.partial` was given: what to call, and the first arguments.
    partials: Vec<(Val, Arguments)>,
    classes: Vec<Class<'a>>,
    instances: Vec<Instance<'a>>,
    layers: Vec<LayerObject>,
    tensors: Vec<Tensor>,
    pub(crate) models: Vec<Draft<'a>>,
    pub(crate) records: Vec<Record<'t>>,
    pub(crate) methods: Vec<MethodCall<'a>>,
    pub(crate) happenings: Vec<Happening>,
    /// `compile` on something that is not followed, by function and text.
    strangers: HashMap<(usize, &'a str), usize>,
    /// Open blocks that may run never or several times: when each was entered.
    blocks: Vec<usize>,
    /// Counts what is made and entered.
    clock: usize,
    /// Depth of code that is known not to run.
    dead: usize,
    depth: usize,
    call_depth: usize,
    /// How often the innermost unrolled loop runs, counting the loops around it.
    runs: usize,
    steps: usize,
    /// Values left to be written into records.
    values_left: usize,
    pub(crate) gradient_tape: bool,
    pub(crate) adds_loss: bool,
}

impl<'a, 't> Interpreter<'a, 't> {
    /// Follows a script; `shared` are the names that functions declare `global` or `nonlocal`.
    pub(crate) fn run(root: Node<'t>, text: &'a str, shared: HashSet<&'a str>) -> Self {
        let mut interpreter = Interpreter {
            text,
            shared,
            wildcards: Vec::new(),
            frames: vec![Frame::default()],
            frame: 0,
            lists: Vec::new(),
            dicts: Vec::new(),
            functions: Vec::new(),
            partials: Vec::new(),
            classes: Vec::new(),
            instances: Vec::new(),
            layers: Vec::new(),
            tensors: Vec::new(),
            models: Vec::new(),
            records: Vec::new(),
            methods: Vec::new(),
            happenings: Vec::new(),
            strangers: HashMap::new(),
            blocks: Vec::new(),
            clock: 0,
            dead: 0,
            depth: 0,
            call_depth: 0,
            runs: 1,
            steps: STEPS + STEPS_PER_BYTE * text.len(),
            values_left: record::MOST_VALUES,
            gradient_tape: false,
            adds_loss: false,
        };
        interpreter.block(root);
        interpreter.follow_uncalled();
        if interpreter.steps == 0 {
            for model in &mut interpreter.models {
                model.gap();
            }
        }
        interpreter
    }

    fn slice(&self, node: Node<'t>) -> &'a str {
        slice(node, self.text)
    }

    /// One more step, unless too many have been made or it is nested too deeply.
    fn enter(&mut self) -> bool {
        if self.steps == 0 || self.depth >= DEEPEST {
            return false;
        }
        self.steps -= 1;
        self.depth += 1;
        true
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn tick(&mut self) -> usize {
        self.clock += 1;
        self.clock
    }

    /// Whether a loop over so many elements is followed element by element.
    fn may_unroll(&self, elements: usize) -> bool {
        elements.saturating_mul(self.runs) <= MOST_RUNS
    }

    /// Runs code that may run never or several times.
    fn in_block<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let entered = self.tick();
        self.blocks.push(entered);
        let result = run(self);
        self.blocks.pop();
        result
    }

    /// The innermost open block.
    fn current_block(&self) -> usize {
        self.blocks.last().copied().unwrap_or(0)
    }

    /// Whether it is in doubt that what happens now happens once to an object made then.
    fn in_doubt(&self, made: usize) -> bool {
        self.current_block() > made
    }

    /// The value of a name.
    fn name(&self, name: &str, at: Range) -> Option<Item> {
        let mut frame = Some(self.frame);
        while let Some(current) = frame.and_then(|frame| self.frames.get(frame)) {
            if (!current.is_class || frame == Some(self.frame))
                && let Some(item) = current.names.get(name)
            {
                return Some(item.clone().used_at(at));
            }
            frame = current.parent;
        }
        None
    }

    fn bind(&mut self, name: &'a str, item: Item) {
        let item = if self.shared.contains(name) {
            match item.val {
                Val::Named(_) | Val::Function(_) | Val::Class(_) => item,
                _ => Item::doubtful(),
            }
        } else {
            item
        };
        if let Val::Model(model) = item.val
            && let Some(draft) = self.models.get_mut(model)
        {
            draft.name.get_or_insert(name);
        }
        self.put(name, item);
    }

    /// Begins to note what becomes of the names of the current frame, to go back to what they are now.
    fn mark(&mut self) -> Mark {
        let Some(frame) = self.frames.get_mut(self.frame) else {
            return Mark(0);
        };
        frame.marks += 1;
        Mark(frame.before.len())
    }

    /// The names that were changed since a mark, as they are now.
    fn changed(&mut self, mark: &Mark) -> Names<'a> {
        let Some(frame) = self.frames.get(self.frame) else {
            return Names::default();
        };
        let mut changed = Names::default();
        for (name, _) in frame.before.get(mark.0..).unwrap_or_default() {
            if let Some(item) = frame.names.get(name) {
                changed.entry(*name).or_insert_with(|| item.clone());
            }
        }
        // Copying costs as well.
        self.steps = self.steps.saturating_sub(changed.len() / 16);
        changed
    }

    /// Goes back to the names at a mark.
    fn undo(&mut self, mark: &Mark) {
        if let Some(frame) = self.frames.get_mut(self.frame) {
            for (name, item) in frame.before.drain(mark.0..).rev() {
                match item {
                    Some(item) => frame.names.insert(name, item),
                    None => frame.names.remove(name),
                };
            }
        }
    }

    /// Ends what [`Interpreter::mark`] began.
    fn release(&mut self, _mark: Mark) {
        if let Some(frame) = self.frames.get_mut(self.frame) {
            frame.marks = frame.marks.saturating_sub(1);
            if frame.marks == 0 {
                frame.before.clear();
            }
        }
    }

    fn put(&mut self, name: &'a str, item: Item) {
        if let Some(frame) = self.frames.get_mut(self.frame) {
            let before = frame.names.insert(name, item);
            if frame.marks > 0 {
                frame.before.push((name, before));
            }
        }
    }

    /// Keeps what several ways on from here agree about; each is the names it changes.
    fn join(&mut self, ends: &[Names<'a>]) {
        // Where the first value of a name stands, how many ways have it, and whether they agree.
        let mut found: FnvHashMap<&'a str, (&Item, usize, bool)> = FnvHashMap::default();
        let mut order = Vec::new();
        for end in ends {
            for (name, item) in end {
                match found.entry(*name) {
                    Entry::Vacant(entry) => {
                        entry.insert((item, 1, true));
                        order.push(*name);
                    }
                    Entry::Occupied(mut entry) => {
                        let (first, ways, agreed) = entry.get_mut();
                        *ways += 1;
                        *agreed = *agreed && self.agree(first, item);
                    }
                }
            }
        }
        let here = self.frames.get(self.frame);
        let joined: Vec<(&'a str, Item)> = order
            .into_iter()
            .filter_map(|name| {
                let (first, ways, agreed) = *found.get(name)?;
                // A way that does not change the name keeps what it was.
                let before = here.and_then(|frame| frame.names.get(name));
                let kept = ways == ends.len() || before.is_some_and(|before| self.agree(first, before));
                let nearest = match ends.first() {
                    Some(end) if end.contains_key(name) => Some(first),
                    _ => before,
                };
                let item = nearest.filter(|_| agreed && kept).cloned();
                Some((name, item.unwrap_or_else(Item::doubtful)))
            })
            .collect();
        for (name, item) in joined {
            self.put(name, item);
        }
    }

    /// Whether two values are the same one.
    fn agree(&self, left: &Item, right: &Item) -> bool {
        match (&left.val, &right.val) {
            (Val::Named(left), Val::Named(right)) if left != right => {
                let left = crate::names::canonical(left);
                left.is_some() && left == crate::names::canonical(right)
            }
            (left, right) => left == right,
        }
    }

    fn new_list(&mut self, items: Option<Vec<Item>>) -> Val {
        let made = self.tick();
        self.lists.push(List {
            items,
            loose: false,
            made,
        });
        Val::List(self.lists.len() - 1)
    }

    fn new_dict(&mut self, pairs: Option<Vec<(Item, Item)>>) -> Val {
        let made = self.tick();
        self.dicts.push(Dict { pairs, made });
        Val::Dict(self.dicts.len() - 1)
    }

    /// The elements of a list or tuple that is known.
    fn items(&self, val: &Val) -> Option<&[Item]> {
        match val {
            Val::List(list) => self.lists.get(*list).filter(|list| !list.loose)?.items.as_deref(),
            _ => None,
        }
    }

    /// The same where unknown elements stand for any number of them.
    fn loose_items(&self, val: &Val) -> Option<&[Item]> {
        match val {
            Val::List(list) => self.lists.get(*list)?.items.as_deref(),
            _ => None,
        }
    }

    fn new_tensor(&mut self, op: Op, inputs: Vec<usize>) -> usize {
        self.tensors.push(Tensor { op, inputs });
        self.tensors.len() - 1
    }

    fn new_layer(&mut self, record: usize) -> usize {
        let made = self.tick();
        self.layers.push(LayerObject {
            record,
            trainable: None,
            made,
        });
        self.layers.len() - 1
    }

    /// The record of the call that makes a layer.
    pub(crate) fn layer_record(&self, layer: usize) -> Option<usize> {
        self.layers.get(layer).map(|layer| layer.record)
    }

    /// What a layer's `trainable` is set to.
    pub(crate) fn trainable(&self, layer: usize) -> Option<bool> {
        self.layers.get(layer).and_then(|layer| layer.trainable)
    }

    /// The tensors in a value: itself, or the elements of a list or the values of a dict.
    fn tensors_in(&self, val: &Val) -> Vec<usize> {
        const DEEPEST_LISTS: usize = 4;
        const MOST: usize = 256;
        let mut found = Vec::new();
        let mut todo = vec![(val.clone(), DEEPEST_LISTS)];
        while let Some((val, depth)) = todo.pop() {
            if found.len() >= MOST {
                break;
            }
            match &val {
                Val::Tensor(tensor) => found.push(*tensor),
                Val::List(_) if depth > 0 => {
                    let items = self.items(&val).unwrap_or_default();
                    todo.extend(items.iter().rev().map(|item| (item.val.clone(), depth - 1)));
                }
                Val::Dict(dict) if depth > 0 => {
                    let pairs = self.dicts.get(*dict).and_then(|dict| dict.pairs.as_deref());
                    todo.extend(
                        pairs
                            .unwrap_or_default()
                            .iter()
                            .rev()
                            .map(|(_, item)| (item.val.clone(), depth - 1)),
                    );
                }
                _ => {}
            }
        }
        found
    }

    fn unknown(&self, node: Node<'t>) -> Item {
        Item::unknown(range(node))
    }
}
