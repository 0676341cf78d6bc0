//! Computing with known values.

use super::object::{Item, Val};

/// Longest list or text that is computed.
const LONGEST: usize = 4096;

pub(super) fn integer(text: &str) -> Val {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let radix = |prefix: &str, radix: u32| {
        digits
            .strip_prefix(prefix)
            .map(|digits| i64::from_str_radix(digits, radix))
    };
    let parsed = radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0b", 2))
        .unwrap_or_else(|| digits.parse());
    parsed.map_or(Val::Unknown, Val::Int)
}

pub(super) fn float(text: &str) -> Val {
    text.replace('_', "").parse().map_or(Val::Unknown, Val::Float)
}

/// Whether a value is known by itself, whatever happens elsewhere.
pub(super) fn is_plain(val: &Val) -> bool {
    matches!(
        val,
        Val::None | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Str(_)
    )
}

/// Whether Python takes a value for true.
pub(super) fn truth(val: &Val) -> Option<bool> {
    match val {
        Val::None => Some(false),
        Val::Bool(truth) => Some(*truth),
        Val::Int(number) => Some(*number != 0),
        Val::Float(number) => Some(*number != 0.0),
        Val::Str(text) => Some(!text.is_empty()),
        _ => None,
    }
}

pub(super) fn equal(left: &Val, right: &Val) -> Option<bool> {
    if !is_plain(left) || !is_plain(right) {
        return None;
    }
    match (number(left), number(right)) {
        (Some(left), Some(right)) => Some(left == right),
        _ => Some(left == right),
    }
}

pub(super) fn compare(left: &Val, operator: &str, right: &Val) -> Option<bool> {
    match operator {
        "==" => equal(left, right),
        "!=" => equal(left, right).map(|equal| !equal),
        "is" | "is not" => {
            // Only `None` and truth values are the same object for certain.
            let certain = matches!(right, Val::None | Val::Bool(_));
            let left_known = is_plain(left)
                || matches!(
                    left,
                    Val::Layer(_) | Val::Model(_) | Val::Tensor(_) | Val::List(_)
                );
            let same = (certain && left_known).then(|| left == right)?;
            Some(same == (operator == "is"))
        }
        _ => {
            let (left, right) = (number(left)?, number(right)?);
            match operator {
                "<" => Some(left < right),
                "<=" => Some(left <= right),
                ">" => Some(left > right),
                ">=" => Some(left >= right),
                _ => None,
            }
        }
    }
}

pub(super) fn unary(operator: &str, operand: &Val) -> Val {
    match (operator, operand) {
        ("-", Val::Int(number)) => number.checked_neg().map_or(Val::Unknown, Val::Int),
        ("-", Val::Float(number)) => Val::Float(-number),
        ("+", val @ (Val::Int(_) | Val::Float(_))) => val.clone(),
        _ => Val::Unknown,
    }
}

pub(super) fn arithmetic(left: &Val, operator: &str, right: &Val) -> Val {
    if let (Val::Int(left), Val::Int(right)) = (left, right)
        && operator != "/"
    {
        let exact = match operator {
            "+" => left.checked_add(*right),
            "-" => left.checked_sub(*right),
            "*" => left.checked_mul(*right),
            // Python rounds down, Rust's remainder-free division towards zero.
            "//" if *left >= 0 && *right > 0 => left.checked_div(*right),
            "%" if *left >= 0 && *right > 0 => left.checked_rem(*right),
            "<<" if *left >= 0 && (0..62).contains(right) => left.checked_mul(1 << right),
            "**" if *right >= 0 => u32::try_from(*right)
                .ok()
                .and_then(|power| left.checked_pow(power)),
            "**" => return power(*left as f64, *right as f64),
            _ => None,
        };
        return exact.map_or(Val::Unknown, Val::Int);
    }
    if let (Val::Str(left), "+", Val::Str(right)) = (left, operator, right)
        && left.len() + right.len() <= LONGEST
    {
        return Val::Str(format!("{left}{right}").into());
    }
    if let (Val::Str(_), _) | (_, Val::Str(_)) = (left, right) {
        return Val::Unknown;
    }
    let (Some(left), Some(right)) = (number(left), number(right)) else {
        return Val::Unknown;
    };
    match operator {
        "+" => Val::Float(left + right),
        "-" => Val::Float(left - right),
        "*" => Val::Float(left * right),
        "/" if right != 0.0 => Val::Float(left / right),
        "//" if right > 0.0 => Val::Float((left / right).floor()),
        "**" => power(left, right),
        _ => Val::Unknown,
    }
}

fn power(base: f64, exponent: f64) -> Val {
    let power = base.powf(exponent);
    if power.is_finite() {
        Val::Float(power)
    } else {
        Val::Unknown
    }
}

/// A number; truth values are not taken for one.
pub(super) fn number(val: &Val) -> Option<f64> {
    match val {
        Val::Int(number) => Some(*number as f64),
        Val::Float(number) => Some(*number),
        _ => None,
    }
}

/// A list times a number.
pub(super) fn repeated(items: &[Item], times: &Val) -> Option<Vec<Item>> {
    let Val::Int(times) = times else { return None };
    let times = usize::try_from(*times).unwrap_or(0);
    (items.len().checked_mul(times)? <= LONGEST)
        .then(|| items.iter().cycle().take(items.len() * times).cloned().collect())
}

/// How an f-string shows a value.
pub(super) fn display(val: &Val) -> Option<String> {
    match val {
        Val::Str(text) => Some(text.to_string()),
        Val::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The place an index of Python means in a list of that length.
pub(super) fn index(key: &Val, length: usize) -> Option<usize> {
    let Val::Int(index) = key else { return None };
    let length = i64::try_from(length).ok()?;
    let index = if *index < 0 { index + length } else { *index };
    usize::try_from(index)
        .ok()
        .filter(|index| (*index as i64) < length)
}
