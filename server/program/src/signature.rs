//! The table of Keras' signatures, `grammars/signatures.toml`.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

#[derive(Default)]
struct Table {
    /// Canonical name → parameters in order.
    parameters: HashMap<String, Vec<String>>,
    aliases: HashMap<String, String>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| read(include_str!("../../../grammars/signatures.toml")).unwrap_or_default());

fn read(text: &str) -> Result<Table, toml::de::Error> {
    let sections: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text)?;
    let mut table = Table::default();
    for (section, entries) in sections {
        for (name, value) in entries {
            if section == "aliases" {
                table.aliases.insert(name, value);
            } else {
                let parameters = value.split_whitespace().map(str::to_owned).collect();
                table.parameters.insert(format!("{section}.{name}"), parameters);
            }
        }
    }
    Ok(table)
}

/// The parameters of a class or function of Keras, by canonical name, in order.
pub(crate) fn parameters(callee: &str) -> Option<&'static [String]> {
    TABLE.parameters.get(callee).map(Vec::as_slice)
}

/// The name a class goes by when this is another name of it.
pub(crate) fn unaliased(name: &str) -> Option<&'static str> {
    TABLE.aliases.get(name).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads() {
        read(include_str!("../../../grammars/signatures.toml")).expect("grammars/signatures.toml is valid");
        let dense = parameters("keras.layers.Dense").expect("Dense is in the table");
        assert_eq!(dense.first().map(String::as_str), Some("units"));
        assert_eq!(
            unaliased("keras.layers.MaxPool2D"),
            Some("keras.layers.MaxPooling2D")
        );
        let compile = parameters("Model.compile").expect("compile is in the table");
        assert_eq!(compile.get(1).map(String::as_str), Some("loss"));
    }
}
