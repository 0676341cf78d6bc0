//! The fields of nodes, by number: asked for by name, tree-sitter compares with all names each time.

macro_rules! fields {
    ($($name:ident = $number:literal,)*) => {
        $(pub(crate) const $name: u16 = $number;)*

        #[cfg(test)]
        const ALL: &[(&str, u16)] = &[$((stringify!($name), $number)),*];
    };
}

fields! {
    ALIAS = 1,
    ALTERNATIVE = 2,
    ARGUMENT = 3,
    ARGUMENTS = 4,
    ATTRIBUTE = 5,
    BODY = 6,
    CONDITION = 9,
    CONSEQUENCE = 10,
    DEFINITION = 11,
    FUNCTION = 14,
    KEY = 16,
    LEFT = 17,
    MODULE_NAME = 18,
    NAME = 19,
    OBJECT = 20,
    OPERATOR = 21,
    PARAMETERS = 23,
    RIGHT = 25,
    SUBJECT = 26,
    SUBSCRIPT = 27,
    SUPERCLASSES = 28,
    TYPE = 29,
    VALUE = 32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_grammar() {
        let language = tree_sitter::Language::from(tree_sitter_python::LANGUAGE);
        for (name, number) in ALL {
            let known = language.field_id_for_name(name.to_lowercase());
            assert_eq!(known.map(u16::from), Some(*number), "{name}");
        }
    }
}
