//! The whole way of a variable's values through a script: what [`Program::provenance`] finds, and what is behind that.

use finding::Range;
use tree_sitter::Node;

use crate::field;
use crate::provenance::Way;
use crate::roles::roles;
use crate::scope::Scopes;
use crate::syntax::KindName;
use crate::syntax::{self, children, unparenthesised};
use crate::{Change, Program};

/// Longest way that is followed.
const LONGEST: usize = 16;

/// Most expressions that are followed: a script with more was written by a program.
const MOST_USES: usize = 256;

/// One statement on the way of a variable's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The statement.
    pub change: Change,
    /// Whether it makes other values; `false` when it only moves them about (splits, slices, reshapes, new names).
    pub changes_values: bool,
}

impl Program {
    /// The statements that the values of some expressions go through before a byte each, the nearest first. A value
    /// that is computed from several others is followed through the first. `text` is the text this program was
    /// parsed from.
    pub fn trails(&self, text: &str, uses: &[(Range, usize)]) -> Vec<Vec<Step>> {
        let Some(tree) = self.tree.as_ref().filter(|_| !uses.is_empty()) else {
            return vec![Vec::new(); uses.len()];
        };
        let roles = roles(tree, text);
        let scopes = Scopes::new(&roles, text);
        let way = Way::new(&roles, &scopes, text);
        let trail = |(number, (expression, before)): (usize, &(Range, usize))| {
            if number < MOST_USES {
                trail(&way, tree.root_node(), *expression, *before)
            } else {
                Vec::new()
            }
        };
        uses.iter().enumerate().map(trail).collect()
    }
}

fn trail<'t>(way: &Way<'_, '_, 't>, root: Node<'t>, expression: Range, before: usize) -> Vec<Step> {
    let (mut expression, mut before) = (expression, before);
    let mut steps: Vec<Step> = Vec::new();
    for _ in 0..LONGEST {
        let Some(node) = root.named_descendant_for_byte_range(expression.start, expression.end) else {
            break;
        };
        let found = way.follow(node, before);
        steps.extend(found.chain.into_iter().map(|change| Step {
            change,
            changes_values: false,
        }));
        let Some(change) = found.change else { break };
        if steps.iter().any(|step| step.change == change) {
            break;
        }
        steps.push(Step {
            change,
            changes_values: true,
        });
        let in_place = root
            .named_descendant_for_byte_range(change.statement.start, change.statement.end)
            .is_some_and(|statement| statement.kind_name() == "augmented_assignment");
        if in_place {
            expression = change.target;
        } else {
            let value = root.named_descendant_for_byte_range(change.value.start, change.value.end);
            let Some(operand) = value.and_then(operand) else {
                break;
            };
            expression = syntax::range(operand);
        }
        // An argument that makes its own values is not a statement of its own.
        if change.value != change.target {
            before = change.statement.start;
        }
    }
    steps
}

/// The expression whose values go into another.
fn operand(node: Node<'_>) -> Option<Node<'_>> {
    let node = unparenthesised(node);
    match node.kind_name() {
        "binary_operator" => {
            let left = unparenthesised(node.child_by_field_id(field::LEFT)?);
            if matches!(left.kind_name(), "integer" | "float") {
                node.child_by_field_id(field::RIGHT)
            } else {
                Some(left)
            }
        }
        "call" => {
            let argument = children(node.child_by_field_id(field::ARGUMENTS)?)
                .into_iter()
                .find(|argument| argument.kind_name() != "keyword_argument");
            let reads = |node: &Node<'_>| {
                matches!(
                    node.kind_name(),
                    "identifier" | "subscript" | "attribute" | "call"
                )
            };
            argument.filter(reads).or_else(|| {
                let function = node.child_by_field_id(field::FUNCTION)?;
                let object = function.child_by_field_id(field::OBJECT)?;
                // `keras.datasets.mnist.load_data()`: what a dotted name stands for is a module as a rule.
                (object.kind_name() != "attribute" && reads(&object)).then_some(object)
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<(&str, bool)> {
        let use_at = text.rfind("fit(x").map_or(0, |at| at + 4);
        let program = Program::parse(text);
        let trails = program.trails(text, &[(Range::new(use_at, use_at + 1), use_at - 4)]);
        trails[0]
            .iter()
            .map(|step| (step.change.statement.slice(text), step.changes_values))
            .collect()
    }

    #[test]
    fn values_are_followed_through_what_changes_them() {
        assert_eq!(
            targets("(x, y), (p, q) = mnist.load_data()\nx = x.reshape(-1, 784)\nx = x / 255\nfit(x)"),
            [
                ("x = x / 255", true),
                ("x = x.reshape(-1, 784)", false),
                ("(x, y), (p, q) = mnist.load_data()", true),
            ]
        );
        assert_eq!(
            targets(
                "from sklearn.model_selection import train_test_split\nX = load(name)\nX = scaler.fit_transform(X)\nx, xt = train_test_split(X)\nx /= 2\nfit(x)"
            ),
            [
                ("x /= 2", true),
                ("x, xt = train_test_split(X)", false),
                ("X = scaler.fit_transform(X)", true),
                ("X = load(name)", true),
            ]
        );
    }
}
