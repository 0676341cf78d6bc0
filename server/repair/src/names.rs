//! How a script would call something of Keras or scikit-learn, by what it imports already.

use finding::{Edit, Range};
use localize::Source;

/// A name, and the import it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// The import to add.
    pub import: Option<Edit>,
}

/// Packages that are Keras, by how their name in a script continues to `layers` and `optimizers`.
const KERAS: [&str; 2] = ["keras", "tensorflow.keras"];

/// The name of `member` of a module of Keras (`optimizers`, `Adam`).
pub fn of_keras(source: &Source<'_>, module: &str, member: &str) -> Option<Name> {
    let imports = &source.program.imports;
    let plain = |text: String| Some(Name { text, import: None });
    for package in KERAS {
        let full = format!("{package}.{module}");
        for import in imports {
            let Some(bound) = import.bound.as_deref() else {
                continue;
            };
            match import.name.as_deref() {
                Some(name) if import.module == full && name == member => return plain(bound.to_owned()),
                Some(name) if import.module == package && name == module => {
                    return plain(format!("{bound}.{member}"));
                }
                None if import.module == full && bound != first(&full) => {
                    return plain(format!("{bound}.{member}"));
                }
                _ => {}
            }
        }
    }
    for import in imports {
        let Some(bound) = import.bound.as_deref() else {
            continue;
        };
        match (import.module.as_str(), import.name.as_deref()) {
            ("tensorflow", Some("keras")) => return plain(format!("{bound}.{module}.{member}")),
            ("keras", None) => return plain(format!("{bound}.{module}.{member}")),
            ("tensorflow", None) => return plain(format!("{bound}.keras.{module}.{member}")),
            ("tensorflow.keras", None) if bound != "tensorflow" => {
                return plain(format!("{bound}.{module}.{member}"));
            }
            _ => {}
        }
    }
    // `from keras.layers import Dense` and the like: one more such line, after the last.
    let of = |package: &str| {
        let prefix = format!("{package}.");
        imports
            .iter()
            .rev()
            .find(|import| import.module == package || import.module.starts_with(&prefix))
    };
    let (package, last) = KERAS
        .iter()
        .rev()
        .find_map(|package| Some((package, of(package)?)))?;
    Some(Name {
        text: member.to_owned(),
        import: Some(after(
            source,
            last.statement,
            &format!("from {package}.{module} import {member}"),
        )),
    })
}

/// The name of a class of scikit-learn; `None` when the script does not use scikit-learn.
pub fn of_sklearn(source: &Source<'_>, module: &str, member: &str) -> Option<Name> {
    let imports = &source.program.imports;
    let full = format!("sklearn.{module}");
    for import in imports {
        let Some(bound) = import.bound.as_deref() else {
            continue;
        };
        match import.name.as_deref() {
            Some(name) if import.module == full && name == member => {
                return Some(Name {
                    text: bound.to_owned(),
                    import: None,
                });
            }
            Some(name) if import.module == "sklearn" && name == module => {
                return Some(Name {
                    text: format!("{bound}.{member}"),
                    import: None,
                });
            }
            _ => {}
        }
    }
    let last = imports
        .iter()
        .rev()
        .find(|import| import.module == "sklearn" || import.module.starts_with("sklearn."))?;
    Some(Name {
        text: member.to_owned(),
        import: Some(after(
            source,
            last.statement,
            &format!("from {full} import {member}"),
        )),
    })
}

/// The name by which the script knows NumPy.
pub fn of_numpy<'a>(source: &Source<'a>) -> Option<&'a str> {
    let imports = &source.program.imports;
    let numpy = imports
        .iter()
        .find(|import| import.module == "numpy" && import.name.is_none())?;
    numpy.bound.as_deref()
}

/// A line after a statement, as far in as it.
pub fn after(source: &Source<'_>, statement: Range, line: &str) -> Edit {
    let indent = indent(source.text, statement.start);
    let mut new_text = String::new();
    for line in line.lines() {
        new_text.push('\n');
        new_text.push_str(indent);
        new_text.push_str(line);
    }
    // Behind a comment at the end of the line.
    let rest = source.text.get(statement.end..).unwrap_or("");
    let line_end = rest.find('\n').unwrap_or(rest.len());
    let tail = rest[..line_end].trim();
    let end = if tail.is_empty() || tail.starts_with('#') {
        statement.end + rest[..line_end].trim_end().len()
    } else {
        statement.end
    };
    Edit {
        path: source.path.to_owned(),
        range: Range::new(end, end),
        new_text,
    }
}

/// A name for a new variable that the script does not use yet.
pub fn free(source: &Source<'_>, wanted: &str) -> String {
    let taken = |name: &str| mentions(source.text, name);
    let numbered = (2..).map(|number| format!("{wanted}_{number}"));
    std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|name| !taken(name))
        .unwrap_or_default()
}

/// Whether a text has the name as a word of its own, and not as an attribute.
pub fn mentions(text: &str, name: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(|character| part(character) || character == '.') && !after.is_some_and(part)
    })
}

/// The names in a text, in order.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|name| !name.is_empty())
}

/// Whether lines can be put after a statement: it ends its line, or a comment does.
pub fn ends_line(text: &str, statement: Range) -> bool {
    let rest = text.get(statement.end..).unwrap_or("");
    let tail = rest.lines().next().unwrap_or("").trim();
    tail.is_empty() || tail.starts_with('#')
}

/// Whether an expression is a plain variable.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|character| character.is_alphanumeric() || character == '_')
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

/// White space before the statement that starts there.
pub fn indent(text: &str, start: usize) -> &str {
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let rest = &text[line..start];
    &rest[..rest.len() - rest.trim_start().len()]
}

/// A string literal with the quotes the script prefers.
pub fn quoted(source: &Source<'_>, text: &str) -> String {
    let count = |quote: char| source.text.matches(quote).count();
    let quote = if count('\'') > count('"') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

fn first(dotted: &str) -> &str {
    dotted.split('.').next().unwrap_or(dotted)
}
