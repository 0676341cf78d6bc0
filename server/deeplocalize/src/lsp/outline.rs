//! What the editor shows of the models in a text besides findings: layers with their shapes, models with their layers.

use std::collections::HashMap;
use std::fmt::Write;

use finding::Range;
use program::{Call, LayerShape, ModelId, ModelKind, Program, Shape, Value};

/// Most different shapes that are written out for a layer that is made or applied several times.
const MOST_SHAPES: usize = 3;

/// The models of a text, in terms a person reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Each call that makes a layer of a model, once, in source order.
    pub layers: Vec<LayerNote>,
    /// The models in source order.
    pub models: Vec<ModelNote>,
}

/// A call that makes a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerNote {
    /// The call.
    pub range: Range,
    /// What is called, as written.
    pub callee: Range,
    /// The layer's class.
    pub class: String,
    /// What is known of it at each of its places, the same things once.
    pub uses: Vec<LayerUse>,
}

/// A layer at a place in a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerUse {
    /// Shape of its (first) input.
    pub input: Option<String>,
    /// Shape of its (first) output.
    pub output: Option<String>,
    /// Number of its weights.
    pub params: Option<u64>,
    /// Whether it is frozen.
    pub frozen: bool,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelNote {
    /// The name it is assigned to, else its class.
    pub name: String,
    /// Its class.
    pub class: String,
    /// The call that makes it; `None` in cells of a notebook that only make layers of it.
    pub range: Option<Range>,
    /// What is called to make it, as written.
    pub callee: Option<Range>,
    /// Its layers in order.
    pub layers: Vec<Entry>,
    /// Whether these are all.
    pub complete: bool,
    /// Number of its weights, where all layers are known.
    pub params: Option<u64>,
}

/// A layer in the list of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `name=`, else the class.
    pub name: String,
    /// Class where the name does not say it, shape and parameters.
    pub detail: String,
    /// The call.
    pub range: Range,
    /// What is called, as written.
    pub callee: Range,
}

impl Outline {
    /// Reads it off a program.
    pub fn of(program: &Program) -> Outline {
        let shapes = program.shapes();
        Outline {
            layers: layers(program, &shapes),
            models: models(program, &shapes),
        }
    }
}

impl LayerNote {
    /// Shape and parameters, as far as they are known: `(None, 26, 26, 32), 320 params`.
    pub fn summary(&self) -> Option<String> {
        let known: Vec<String> = self.uses.iter().map(LayerUse::summary).collect::<Option<_>>()?;
        let (shown, more) = known.split_at_checked(MOST_SHAPES).unwrap_or((&known, &[]));
        let more = if more.is_empty() { "" } else { " | …" };
        (!shown.is_empty()).then(|| shown.join(" | ") + more)
    }
}

impl LayerUse {
    fn summary(&self) -> Option<String> {
        let output = self.output.as_ref()?;
        Some(match self.params {
            Some(params) => format!("{output}, {}", parameters(params)),
            None => output.clone(),
        })
    }
}

/// `1 param`, `1,290 params`.
pub fn parameters(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + if number == 1 { " param" } else { " params" }
}

fn layers(program: &Program, shapes: &[LayerShape]) -> Vec<LayerNote> {
    let mut notes: Vec<LayerNote> = Vec::new();
    let mut at: HashMap<Range, usize> = HashMap::new();
    for shape in shapes {
        let call = program.call(shape.call);
        let number = *at.entry(call.range).or_insert_with(|| {
            notes.push(LayerNote {
                range: call.range,
                callee: call.callee_range,
                class: call.class().to_owned(),
                uses: Vec::new(),
            });
            notes.len() - 1
        });
        let text = |shape: &Option<Shape>| shape.as_ref().map(Shape::to_string);
        let seen = LayerUse {
            input: text(&shape.input),
            output: text(&shape.output),
            params: shape.params,
            frozen: match program
                .model(shape.model)
                .and_then(|model| model.layers.get(shape.layer))
                .and_then(|layer| layer.trainable)
            {
                Some(trainable) => !trainable,
                None => call
                    .argument("trainable")
                    .is_some_and(|argument| argument.value.value == Value::Bool(false)),
            },
        };
        if let Some(note) = notes.get_mut(number)
            && !note.uses.contains(&seen)
        {
            note.uses.push(seen);
        }
    }
    notes.sort_by_key(|note| note.range);
    notes
}

fn models(program: &Program, shapes: &[LayerShape]) -> Vec<ModelNote> {
    let models = program.models.iter().enumerate();
    models
        .map(|(number, model)| {
            let call = program.call(model.call);
            let mut layers = Vec::new();
            let mut params = Some(0_u64);
            let mut next = 0;
            let first = shapes.partition_point(|shape| shape.model < ModelId(number));
            let mine = shapes.iter().skip(first);
            for shape in mine.take_while(|shape| shape.model == ModelId(number)) {
                // A layer that is applied again is the same one.
                let index = model.layers.get(shape.layer).map_or(next, |layer| layer.index);
                if index < next {
                    continue;
                }
                next = index + 1;
                params = params.zip(shape.params).map(|(sum, one)| sum.saturating_add(one));
                layers.push(entry(program.call(shape.call), shape));
            }
            let seen_whole = model.complete && !layers.is_empty() && model.kind != ModelKind::Backbone;
            ModelNote {
                name: model.name.clone().unwrap_or_else(|| call.class().to_owned()),
                class: call.class().to_owned(),
                range: Some(call.range),
                callee: Some(call.callee_range),
                layers,
                complete: model.complete,
                params: params.filter(|_| seen_whole),
            }
        })
        .collect()
}

fn entry(call: &Call, shape: &LayerShape) -> Entry {
    let class = call.class().to_owned();
    let named = call
        .argument("name")
        .and_then(|argument| match &argument.value.value {
            Value::Str(name) => Some(name.clone()),
            _ => None,
        });
    let mut detail = String::new();
    if named.is_some() {
        detail.push_str(&class);
    }
    let separator = |detail: &String| if detail.is_empty() { "" } else { " · " };
    if let Some(output) = &shape.output {
        let _ = write!(detail, "{}{output}", separator(&detail));
    }
    if let Some(params) = shape.params {
        let _ = write!(detail, "{}{}", separator(&detail), parameters(params));
    }
    Entry {
        name: named.unwrap_or(class),
        detail,
        range: call.range,
        callee: call.callee_range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(body: &str) -> (String, Outline) {
        let text = format!("import keras\nfrom keras import layers as L\n{body}");
        let outline = Outline::of(&Program::parse(&text));
        (text, outline)
    }

    fn summaries(body: &str) -> Vec<(String, Option<String>)> {
        let (text, outline) = outline(body);
        let notes = outline.layers.iter();
        notes
            .map(|note| (note.callee.slice(&text).to_owned(), note.summary()))
            .collect()
    }

    #[test]
    fn layers_have_the_shapes_keras_prints() {
        let found = summaries(
            "m = keras.Sequential([keras.Input((28, 28, 1)), L.Conv2D(32, 3), L.Flatten(), L.Dense(10), L.Dropout(p)])",
        );
        let expected = [
            ("L.Conv2D", "(None, 26, 26, 32), 320 params"),
            ("L.Flatten", "(None, 21632), 0 params"),
            ("L.Dense", "(None, 10), 216,330 params"),
            ("L.Dropout", "(None, 10), 0 params"),
        ];
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(callee, summary)| (callee.as_str(), summary.as_deref().unwrap()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_layer_in_a_loop_has_a_shape_for_each_round() {
        let found =
            summaries("m = keras.Sequential([keras.Input((4,))])\nfor n in (8, 2):\n    m.add(L.Dense(n))\n");
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].1.as_deref(),
            Some("(None, 8), 40 params | (None, 2), 18 params")
        );
        let found = summaries(
            "m = keras.Sequential([keras.Input((4,))])\nfor n in (8, 7, 6, 5):\n    m.add(L.Dense(n))\n",
        );
        assert!(found[0].1.as_deref().unwrap().ends_with("| …"), "{found:?}");
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        let found = summaries("m = keras.Sequential([L.Dense(8), L.Dense(n)])");
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(_, summary)| summary.is_none()), "{found:?}");
    }

    #[test]
    fn models_list_their_layers_and_add_up() {
        let (text, outline) = outline(
            "i = keras.Input((4,))\nshared = L.Dense(4, name='shared')\nx = shared(shared(i))\n\
             net = keras.Model(i, L.Dense(1)(x))\n",
        );
        let [model] = outline.models.as_slice() else {
            panic!("{outline:#?}")
        };
        assert_eq!(
            (model.name.as_str(), model.class.as_str(), model.params),
            ("net", "Model", Some(25))
        );
        let entries: Vec<_> = model
            .layers
            .iter()
            .map(|entry| (entry.name.as_str(), entry.detail.as_str()))
            .collect();
        assert_eq!(
            entries,
            [
                ("shared", "Dense · (None, 4) · 20 params"),
                ("Dense", "(None, 1) · 5 params")
            ]
        );
        assert_eq!(model.callee.map(|range| range.slice(&text)), Some("keras.Model"));
        let (_, outline) = super::tests::outline("m = keras.Sequential([keras.Input((4,)), L.Dense(n)])");
        assert_eq!(outline.models[0].params, None);
    }

    #[test]
    fn numbers_are_grouped() {
        let expected = [
            (0, "0 params"),
            (1, "1 param"),
            (999, "999 params"),
            (1000, "1,000 params"),
            (1234567, "1,234,567 params"),
        ];
        for (number, text) in expected {
            assert_eq!(parameters(number), text);
        }
    }
}
