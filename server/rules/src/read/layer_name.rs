//! The name Keras gives a layer.

use program::{Model, Program, Value};

/// Name of the layer at a position: what `name=` says, else Keras' own (`dense_2`) where it is certain which number
/// that has, else the class in Keras' spelling (`dense`).
pub(crate) fn layer_name(program: &Program, model: &Model, position: usize) -> Option<String> {
    let call = program.call(model.layers.get(position)?.call);
    if let Some(argument) = call.argument("name")
        && let Value::Str(name) = &argument.value.value
    {
        return Some(name.clone());
    }
    let base = snake_case(call.class());
    let unnamed = |call: &program::Call| call.argument("name").is_none();
    // Keras counts the layers of a class over the whole process, so all of them must be this model's.
    let everywhere = program
        .calls
        .iter()
        .filter(|other| other.callee == call.callee && unnamed(other))
        .count();
    let mine: Vec<usize> = (0..model.layers.len())
        .filter(|other| {
            let other = model.layers.get(*other).map(|layer| program.call(layer.call));
            other.is_some_and(|other| other.callee == call.callee && unnamed(other))
        })
        .collect();
    let number = mine.iter().position(|other| *other == position).unwrap_or(0);
    let certain = everywhere == mine.len() && program.models.len() == 1;
    Some(if certain && number > 0 {
        format!("{base}_{number}")
    } else {
        base
    })
}

/// A class name as Keras spells it in names: `MaxPooling2D` → `max_pooling2d`, `LeakyReLU` → `leaky_re_lu`.
fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut name = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(index + 1);
        let starts_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase() || (*before != '_' && after.is_some_and(char::is_ascii_lowercase))
            });
        if starts_word {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn names_are_spelled_as_keras_spells_them() {
        // The right column is what `keras.src.utils.naming.to_snake_case` of Keras 3.15.1 gives.
        for (class, name) in [
            ("Dense", "dense"),
            ("TimeDistributed", "time_distributed"),
            ("ReLU", "re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("Conv2D", "conv2d"),
            ("MaxPooling2D", "max_pooling2d"),
            ("LSTM", "lstm"),
            ("BatchNormalization", "batch_normalization"),
            ("SimpleRNN", "simple_rnn"),
            ("PReLU", "p_re_lu"),
            ("ELU", "elu"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
            ("ConvLSTM2D", "conv_lstm2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
        ] {
            assert_eq!(snake_case(class), name);
        }
    }
}
