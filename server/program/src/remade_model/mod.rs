//! Models that are made anew in every round of a loop, while nothing that a round has learned leaves it.

mod outcome;
mod round;

use finding::Range;
use tree_sitter::Node;

use crate::descend::{all, contains};
use crate::field;
use crate::provenance::Way;
use crate::roles::roles;
use crate::scope::Scopes;
use crate::syntax::{KindName, children, range, slice};
use crate::{Call, ModelKind, Program, Value};
use outcome::{is_kept_in_round, used_behind};
use round::{Round, is_loop, names};

/// What of the training does not reach the model that is left in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Each round is given another part of the data.
    Parts,
    /// Each round goes once through the same data.
    Epochs,
}

/// A model that is made anew in every round of a loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemadeModel {
    /// The variable.
    pub name: String,
    /// The expression that makes it.
    pub made: Range,
    /// The call that trains it.
    pub trained: Range,
    /// What is done with it behind the loop.
    pub used: Range,
    /// What is lost by it.
    pub lost: Lost,
    /// The statements of the loop that make and compile it and ask nothing of the round, where that is all there is.
    pub preparation: Vec<Range>,
    /// The outermost loop around them.
    pub loops: Range,
}

impl Program {
    /// Models that are made and trained in every round of a loop, of which only the one of the last round is used, behind
    /// the loop. `text` is the text this program was parsed from.
    pub fn remade_models(&self, text: &str) -> Vec<RemadeModel> {
        let in_question = !self.fits.is_empty() && self.syntax_errors.is_empty();
        let Some(tree) = self.tree.as_ref().filter(|_| in_question) else {
            return Vec::new();
        };
        let root = tree.root_node();
        let trainings: Vec<(&Call, Node<'_>)> = self
            .fits
            .iter()
            .map(|fit| self.call(fit.call))
            .filter_map(|call| {
                Some((
                    call,
                    root.named_descendant_for_byte_range(call.range.start, call.range.end)?,
                ))
            })
            .filter(|(_, node)| node.kind_name() == "call" && loop_around(*node).is_some())
            .collect();
        if trainings.is_empty() {
            return Vec::new();
        }
        let roles = roles(tree, text);
        let scopes = Scopes::new(&roles, text);
        let way = Way::new(&roles, &scopes, text);
        let mut found: Vec<RemadeModel> = Vec::new();
        for (call, node) in trainings {
            if let Some(remade) = remade(self, &way, call, node)
                && found.iter().all(|other| other.made != remade.made)
            {
                found.push(remade);
            }
        }
        found
    }
}

/// The innermost loop around a node, in the same function.
fn loop_around(node: Node<'_>) -> Option<Node<'_>> {
    std::iter::successors(node.parent(), Node::parent)
        .take_while(|outer| {
            !matches!(
                outer.kind_name(),
                "function_definition" | "class_definition" | "lambda"
            )
        })
        .find(|outer| is_loop(*outer))
}

fn remade<'t>(
    program: &Program,
    way: &Way<'_, '_, 't>,
    call: &Call,
    training: Node<'t>,
) -> Option<RemadeModel> {
    let text = way.text;
    let receiver = training
        .child_by_field_id(field::FUNCTION)?
        .child_by_field_id(field::OBJECT)?;
    if receiver.kind_name() != "identifier" {
        return None;
    }
    let name = slice(receiver, text);
    let statement = assignment(training, name, text)?;
    let turn = loop_around(statement)?;
    let round = Round::new(text, turn)?;
    // Made in every round, whatever happened in it before.
    if statement.parent()?.parent()? != round.body || round.ends_early() || round.is_experiment() {
        return None;
    }
    let value = statement.child_by_field_id(field::RIGHT)?;
    if !is_from_scratch(program, way, value, &round) || !is_same_each_time(program, call, &round) {
        return None;
    }
    let trainings = is_kept_in_round(name, statement, &round, way)?;
    let lost = lost(call, training, &round)?;
    if !trainings.contains(&training) {
        return None;
    }
    let used = used_behind(name, turn, text)?;
    let loops = std::iter::successors(Some(turn), |inner| loop_around(*inner)).last()?;
    Some(RemadeModel {
        name: name.to_owned(),
        made: range(value),
        trained: range(training),
        used,
        lost,
        preparation: preparation(name, statement, &round, &trainings),
        loops: range(loops),
    })
}

/// The one assignment in the loops around a training that gives its model.
fn assignment<'t>(training: Node<'t>, name: &str, text: &str) -> Option<Node<'t>> {
    let outermost = std::iter::successors(loop_around(training), |inner| loop_around(*inner)).last()?;
    let mut found = all(outermost, &["assignment"]);
    found.retain(|assignment| {
        assignment
            .child_by_field_id(field::LEFT)
            .is_some_and(|left| names(left, text).any(|target| target == name))
    });
    let [only] = found.as_slice() else { return None };
    let plain = only.child_by_field_id(field::LEFT)?.kind_name() == "identifier"
        && only.parent()?.kind_name() == "expression_statement";
    (plain && only.end_byte() <= training.start_byte()).then_some(*only)
}

/// Whether an expression makes a model of new layers alone, the same in each round.
fn is_from_scratch<'t>(
    program: &Program,
    way: &Way<'_, '_, 't>,
    value: Node<'t>,
    round: &Round<'_, 't>,
) -> bool {
    if value.kind_name() != "call" || round.asks_for_round(value) {
        return false;
    }
    let maker = way.callee(value).map(|callee| callee.function);
    let keeps = |function: Node<'t>| {
        let body = slice(function, way.text);
        ["weights(", "load_model", "global ", "nonlocal ", ".fit("]
            .iter()
            .any(|sign| body.contains(sign))
    };
    if maker.is_some_and(keeps) {
        return false;
    }
    let inside = |call: Range| {
        let makes = maker.map_or_else(|| range(round.body), range);
        makes.contains(call)
    };
    let mut models = program
        .models
        .iter()
        .filter(|model| match maker {
            Some(maker) => range(maker).contains(program.call(model.call).range),
            None => program.call(model.call).range == range(value),
        })
        .peekable();
    models.peek().is_some()
        && models.all(|model| {
            matches!(model.kind, ModelKind::Sequential | ModelKind::Functional)
                && model.complete
                && model
                    .layers
                    .iter()
                    .all(|layer| inside(program.call(layer.call).range))
        })
}

/// Whether nothing but the data that a training is given depends on the round: no setting, and nothing it is judged by.
fn is_same_each_time(program: &Program, training: &Call, round: &Round<'_, '_>) -> bool {
    let within = range(round.body);
    program
        .calls
        .iter()
        .filter(|call| within.contains(call.range) && !call.callee.starts_with("keras.utils."))
        .all(|call| {
            let trains = call.callee == training.callee;
            call.arguments.iter().all(|argument| {
                let data = matches!(
                    argument.name.as_deref(),
                    Some("x" | "y" | "sample_weight" | "generator" | "steps_per_epoch" | "verbose")
                );
                trains && data || !round.changes(argument.value.range)
            })
        })
}

/// What is lost where only the last round counts; `None` where the rounds may be trainings of their own.
fn lost(call: &Call, training: Node<'_>, round: &Round<'_, '_>) -> Option<Lost> {
    let x = call
        .argument("x")
        .or_else(|| call.argument("generator"))?
        .value
        .range;
    if round.changes(x) {
        return (!round.grows()).then_some(Lost::Parts);
    }
    if round.is_timed() {
        return None;
    }
    let innermost = loop_around(training)?;
    let once = if call.class() == "train_on_batch" {
        // One pass through the batches.
        loop_around(innermost) == Some(round.turn) && Round::new(round.text, innermost)?.changes(x)
    } else {
        let one = match call.argument("epochs").map(|epochs| &epochs.value.value) {
            Some(epochs) => *epochs == Value::Int(1),
            None => !call.open_ended,
        };
        one && innermost == round.turn
    };
    once.then_some(Lost::Epochs)
}

/// The statements directly in the loop that make the model ready; none where some of it happens elsewhere.
fn preparation<'t>(name: &str, made: Node<'t>, round: &Round<'_, 't>, trainings: &[Node<'t>]) -> Vec<Range> {
    let Some(made) = made.parent() else {
        return Vec::new();
    };
    let mut statements = Vec::new();
    for statement in children(round.body) {
        let mentions = all(statement, &["identifier"])
            .into_iter()
            .any(|node| slice(node, round.text) == name);
        if statement == made {
            statements.push(range(statement));
        } else if mentions && !trainings.iter().any(|training| contains(statement, *training)) {
            if statement.kind_name() != "expression_statement" {
                return Vec::new();
            }
            statements.push(range(statement));
        }
    }
    statements
}
