//! Divides pixels by 255.

use finding::{Edit, Kind};

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;
use crate::flow::scalable;
use crate::names::after;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let Some(x) = facts.x() else { return Vec::new() };
    let pixels = x.min >= 0.0 && x.max <= 255.0 && x.max > 100.0 && (x.shape.len() >= 3 || x.features >= 64);
    if !pixels {
        return Vec::new();
    }
    let Some(place) = scalable(facts, "x") else {
        return Vec::new();
    };
    let name = place.name;
    let mut edits = Vec::new();
    let text = place.value.slice(place.source.text);
    if place.held_out.is_empty() && !place.moved && !text.contains('\n') && postfix(text) {
        edits.push(Edit {
            path: place.source.path.to_owned(),
            range: finding::Range::new(place.value.end, place.value.end),
            new_text: " / 255.0".to_owned(),
        });
    } else {
        let mut lines = format!("{name} = {name} / 255.0");
        for test in place.held_out {
            lines.push_str(&format!("\n{test} = {test} / 255.0"));
        }
        edits.push(after(&place.source, place.after, &lines));
    }
    let title = "Divide the pixels by 255";
    vec![part(
        title,
        Kind::InputScale,
        place.source.path,
        place.value,
        edits,
        0.85,
    )]
}

/// Whether ` / 255.0` behind an expression divides all of it: a chain of names, calls and subscripts.
fn postfix(text: &str) -> bool {
    let mut depth = 0_i32;
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ if depth > 0 || character.is_alphanumeric() || matches!(character, '_' | '.') => {}
            _ => return false,
        }
    }
    depth == 0
}
