//! Reading Keras' configurations; nothing in them is trusted.

use serde_json::{Map, Value};

use crate::Unsupported;

/// Largest size accepted for one argument.
const LARGEST: u64 = 1 << 28;

/// The arguments of one layer, loss, optimizer or metric.
#[derive(Clone, Copy, Debug)]
pub struct Config<'a> {
    /// Whose arguments they are, for messages.
    pub place: &'a str,
    map: Option<&'a Map<String, Value>>,
}

impl<'a> Config<'a> {
    /// The arguments in `value`, an object.
    pub fn new(place: &'a str, value: &'a Value) -> Self {
        Config {
            place,
            map: value.as_object(),
        }
    }

    /// A value that is there and not null.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    /// Whether `key` is there and null.
    pub fn is_null(&self, key: &str) -> bool {
        self.map.and_then(|map| map.get(key)).is_some_and(Value::is_null)
    }

    /// That this value of `key` is not covered.
    pub fn not(&self, key: &str) -> Unsupported {
        let value = self.map.and_then(|map| map.get(key)).unwrap_or(&Value::Null);
        let mut text = value.to_string();
        if text.len() > 80 {
            text = text.chars().take(80).chain("…".chars()).collect();
        }
        Unsupported::new(self.place, format!("{key}={text}"))
    }

    /// An integer of at least 1.
    pub fn size(&self, key: &str) -> Result<usize, Unsupported> {
        self.opt_size(key)?.ok_or_else(|| self.not(key))
    }

    /// An integer of at least 1, if given.
    pub fn opt_size(&self, key: &str) -> Result<Option<usize>, Unsupported> {
        self.get(key)
            .map(|value| size(value).ok_or_else(|| self.not(key)))
            .transpose()
    }

    /// A signed integer.
    pub fn int(&self, key: &str, default: i64) -> Result<i64, Unsupported> {
        self.get(key).map_or(Ok(default), |value| {
            // A one-element list stands for its element in the axis arguments of normalisation layers.
            let value = match value.as_array().map(Vec::as_slice) {
                Some([only]) => only,
                _ => value,
            };
            integer(value).ok_or_else(|| self.not(key))
        })
    }

    /// A finite number.
    pub fn number(&self, key: &str, default: f64) -> Result<f64, Unsupported> {
        Ok(self.opt_number(key)?.unwrap_or(default))
    }

    /// A number, if given.
    pub fn opt_number(&self, key: &str) -> Result<Option<f64>, Unsupported> {
        self.get(key)
            .map(|value| number(value).ok_or_else(|| self.not(key)))
            .transpose()
    }

    /// A number in single precision.
    pub fn f32(&self, key: &str, default: f32) -> Result<f32, Unsupported> {
        #[allow(clippy::cast_possible_truncation)]
        Ok(self.opt_number(key)?.map_or(default, |value| value as f32))
    }

    /// A truth value.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool, Unsupported> {
        self.get(key)
            .map_or(Ok(default), |value| value.as_bool().ok_or_else(|| self.not(key)))
    }

    /// A string.
    pub fn text(&self, key: &str, default: &'a str) -> Result<&'a str, Unsupported> {
        self.get(key)
            .map_or(Ok(default), |value| value.as_str().ok_or_else(|| self.not(key)))
    }

    /// `count` integers of at least 1, given as such or as one for all.
    pub fn sizes(&self, key: &str, count: usize, default: usize) -> Result<Vec<usize>, Unsupported> {
        match self.get(key) {
            None => Ok(vec![default; count]),
            Some(Value::Array(items)) if items.len() == count => items
                .iter()
                .map(|item| size(item).ok_or_else(|| self.not(key)))
                .collect(),
            Some(value) => match size(value) {
                Some(value) => Ok(vec![value; count]),
                None => Err(self.not(key)),
            },
        }
    }

    /// Pairs of integers of at least 0, one for each of `count` axes, in any of the forms Keras writes.
    pub fn margins(&self, key: &str, count: usize) -> Result<Vec<(usize, usize)>, Unsupported> {
        let value = self.get(key).ok_or_else(|| self.not(key))?;
        let natural = |value: &Value| {
            value
                .as_u64()
                .filter(|&number| number <= LARGEST)
                .and_then(|number| usize::try_from(number).ok())
        };
        let pair = |value: &Value| match value {
            Value::Array(two) if two.len() == 2 => Some((natural(&two[0])?, natural(&two[1])?)),
            _ => natural(value).map(|both| (both, both)),
        };
        let found: Option<Vec<_>> = match value {
            Value::Array(items) if count == 1 && items.len() == 2 => pair(value).map(|pair| vec![pair]),
            Value::Array(items) if items.len() == count => items.iter().map(pair).collect(),
            Value::Array(_) => None,
            _ => pair(value).map(|pair| vec![pair; count]),
        };
        found.ok_or_else(|| self.not(key))
    }

    /// Refuses a value that is given and not the default.
    pub fn only(&self, key: &str, allowed: &[Value]) -> Result<(), Unsupported> {
        match self.get(key) {
            Some(value) if !allowed.contains(value) => Err(self.not(key)),
            _ => Ok(()),
        }
    }
}

fn size(value: &Value) -> Option<usize> {
    integer(value).and_then(|value| {
        let value = u64::try_from(value).ok()?;
        (1..=LARGEST)
            .contains(&value)
            .then(|| usize::try_from(value).ok())
            .flatten()
    })
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        #[allow(clippy::cast_possible_truncation)]
        (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
    })
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        // Arrays and variables of one element are written as configured objects.
        Value::Object(map) => number(map.get("config")?.get("value")?),
        _ => None,
    }
    .filter(|value| value.is_finite())
}

/// Class name and configuration of a serialised object: `{"class_name": …, "config": …}`, or just its name.
pub fn serialized(value: &Value) -> Option<(&str, &Value)> {
    match value {
        Value::String(name) => Some((name, &Value::Null)),
        Value::Object(map) => {
            let class = map.get("class_name")?.as_str()?;
            let config = map.get("config").unwrap_or(&Value::Null);
            match config {
                // A function of Keras itself; one of the user's is registered under no package of Keras.
                Value::String(name) if class == "function" => {
                    let module = map.get("module").and_then(Value::as_str).unwrap_or_default();
                    (module.starts_with("keras")).then_some((name.as_str(), &Value::Null))
                }
                _ => {
                    let registered = map.get("registered_name").and_then(Value::as_str);
                    // `Package>Name` is a class of the user's own.
                    let custom = registered.is_some_and(|name| name.contains('>'));
                    (!custom).then_some((class, config))
                }
            }
        }
        _ => None,
    }
}

/// `MeanSquaredError` → `mean_squared_error`.
pub fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if starts {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
