//! Objects of scikit-learn that are fitted to data and then change it.

use super::data::is_plain;

/// The class of such an object, as it is written before `.fit_transform(`: the class of what is made on the spot, or of
/// what the variable is assigned wherever it is assigned.
pub(crate) fn class_of<'t>(text: &'t str, object: &'t str) -> Option<&'t str> {
    let class = |made: &'t str| {
        let (callee, _) = made.split_once('(')?;
        let name = callee.rsplit('.').next()?;
        (is_plain(callee).is_some() && name.starts_with(char::is_uppercase)).then_some(name)
    };
    if object.contains('(') {
        return class(object);
    }
    is_plain(object)?;
    let mut classes = text.lines().filter_map(|line| {
        let value = line.trim_start().strip_prefix(object)?.trim_start();
        let value = value.strip_prefix('=').filter(|value| !value.starts_with('='))?;
        Some(class(value.trim_start()))
    });
    let first = classes.next()??;
    classes.all(|other| other == Some(first)).then_some(first)
}

/// Whether a class shifts or stretches numbers.
pub(crate) fn is_scaler(class: &str) -> bool {
    class.ends_with("Scaler") || matches!(class, "Normalizer" | "PowerTransformer" | "QuantileTransformer")
}

/// Whether a class numbers what it is fitted to.
pub(crate) fn is_encoder(class: &str) -> bool {
    matches!(
        class,
        "LabelEncoder" | "OrdinalEncoder" | "LabelBinarizer" | "OneHotEncoder" | "MultiLabelBinarizer"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_objects() {
        let text = "le = LabelEncoder()\nsc = preprocessing.StandardScaler()\na = LabelEncoder()\na = OrdinalEncoder()\nb = f()\nc == D()\n";
        for (object, expected) in [
            ("le", Some("LabelEncoder")),
            ("sc", Some("StandardScaler")),
            ("MinMaxScaler()", Some("MinMaxScaler")),
            ("a", None),
            ("b", None),
            ("c", None),
        ] {
            assert_eq!(class_of(text, object), expected, "{object}");
        }
    }
}
