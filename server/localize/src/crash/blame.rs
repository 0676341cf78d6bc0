//! What an exception says about who is to blame: by the words of Keras, TensorFlow, JAX and NumPy, and by what is known
//! of the training it was raised in.

use finding::{Kind, LayerRef};
use trace::{ExceptionMessage, Fit, LayerInfo, Site};

use super::{embedding, gradients};
use crate::data;
use crate::extra_axis;
use crate::place::Place;

/// Where to point.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'a> {
    /// A place of the training.
    Place(Place),
    /// A call.
    Site(&'a Site),
}

/// An exception, understood.
#[derive(Clone, Debug)]
pub(super) struct Explained<'a> {
    pub kind: Kind,
    /// `None`: the innermost line of the user's own.
    pub place: Option<At<'a>>,
    pub layer: Option<LayerRef>,
    pub message: String,
    /// Title and new text of the argument that the place names.
    pub fix: Option<(String, String)>,
}

type Explanation = for<'a> fn(&'a ExceptionMessage, &str, Option<&'a Fit>) -> Option<Explained<'a>>;

/// Tried in turn; the first that understands the exception explains it.
const EXPLANATIONS: [Explanation; 7] = [
    gradients::no_gradients,
    metric_of_other_labels,
    output_against_labels,
    index_beyond_embedding,
    data_against_input,
    layer_against_shape,
    unreadable_data,
];

/// Explains an exception; `text` is its message without the frame around it.
pub(super) fn explain<'a>(
    exception: &'a ExceptionMessage,
    text: &str,
    fit: Option<&'a Fit>,
) -> Explained<'a> {
    let explained = EXPLANATIONS
        .iter()
        .find_map(|explain| explain(exception, text, fit));
    explained.unwrap_or_else(|| Explained {
        kind: kind(&text.to_lowercase()),
        place: None,
        layer: None,
        message: format!("{}: {text}", exception.class),
        fix: None,
    })
}

fn kind(text: &str) -> Kind {
    const WORDS: [(&[&str], Kind); 6] = [
        (&["loss identifier", "loss function:"], Kind::Loss),
        (&["optimizer identifier"], Kind::Optimizer),
        (&["metric identifier"], Kind::Metric),
        (&["activation function identifier"], Kind::HiddenActivation),
        (&["initializer identifier"], Kind::WeightInit),
        (
            &[
                "shape",
                "ndim",
                "incompatible",
                "dimension",
                "rank ",
                "cardinality",
                "broadcast",
            ],
            Kind::Shape,
        ),
    ];
    let mentioned = WORDS
        .iter()
        .find(|(words, _)| words.iter().any(|word| text.contains(word)));
    mentioned.map_or(Kind::ApiMisuse, |(_, kind)| *kind)
}

/// A metric compares class numbers with rows.
fn metric_of_other_labels<'a>(
    exception: &'a ExceptionMessage,
    text: &str,
    fit: Option<&'a Fit>,
) -> Option<Explained<'a>> {
    // Accuracies compare for equality; no loss does.
    if !exception.message.contains("Incompatible shapes") || !exception.message.contains("{{node Equal") {
        return None;
    }
    fit?;
    let message = format!(
        "a metric compares class numbers with one-hot rows ({text}); one-hot labels need categorical accuracy, class numbers \
         sparse categorical accuracy"
    );
    let place = Some(At::Place(Place::Metrics));
    Some(Explained {
        kind: Kind::Metric,
        place,
        layer: None,
        message,
        fix: None,
    })
}

/// The loss refuses labels and outputs of other widths: the last layer fixed the one, the labels the other.
fn output_against_labels<'a>(
    exception: &'a ExceptionMessage,
    text: &str,
    fit: Option<&'a Fit>,
) -> Option<Explained<'a>> {
    const WORDS: [&str; 4] = [
        "`target` and `output` must have the same",
        "logits and labels must",
        "`logits` and `labels` must",
        "must have same first dimension",
    ];
    let (fit, y) = (fit?, fit?.y()?);
    if !WORDS.iter().any(|words| exception.message.contains(words)) && !incompatible_pair(text) {
        return None;
    }
    let last = fit
        .info
        .layers
        .iter()
        .rev()
        .find(|layer| !layer.weights.is_empty())?;
    let output = fit.info.layers.last()?.output_shape.as_ref()?;
    let units = output.last().copied().flatten()?;
    let columns = data::columns(y);
    let sparse = fit
        .info
        .loss
        .as_ref()
        .is_some_and(|loss| loss.name.contains("sparse"));
    if sparse && columns > 1 && columns == units {
        let message = format!(
            "the labels are one-hot rows of {columns}, but sparse categorical cross-entropy takes one class number a sample; use \
             categorical cross-entropy ({text})"
        );
        let fix = (
            "Use categorical cross-entropy".to_owned(),
            "\"categorical_crossentropy\"".to_owned(),
        );
        return Some(Explained {
            kind: Kind::Loss,
            place: Some(At::Place(Place::Loss)),
            layer: None,
            message,
            fix: Some(fix),
        });
    }
    let lowest = y
        .first_column_classes
        .as_ref()
        .and_then(|classes| classes.iter().find(|(_, count)| *count > 0));
    if columns == units + 1 && lowest.is_some_and(|(class, _)| *class == 1.0) {
        let message = format!(
            "the labels have {columns} columns for {units} units because class 0 never occurs: the classes are numbered from 1; \
             subtract 1 before encoding them"
        );
        let place = Some(At::Place(Place::Labels));
        return Some(Explained {
            kind: Kind::LabelEncoding,
            place,
            layer: None,
            message,
            fix: None,
        });
    }
    // Numbers of classes: one column of them stands for as many units.
    let classes = y
        .classes
        .as_ref()
        .filter(|_| columns == 1 && y.integers)
        .map_or(0, |_| y.max as i64 + 1);
    let class_numbers = classes > 2 && classes == units || data::numbered_classes(y) == Some(units);
    if !class_numbers && (columns == units || y.shape.len() != output.len()) {
        // The same width but another rank: something between (a missing Flatten, sequences) fixed the shape.
        if let Some(culprit) = extra_axis::culprit(&fit.info.layers).filter(|_| output.len() > y.shape.len())
        {
            let layer = fit.info.layers.iter().find(|layer| layer.index == culprit.layer);
            return Some(Explained {
                kind: culprit.kind,
                place: Some(At::Place(culprit.place)),
                layer: layer.map(named),
                message: format!("{} ({text})", culprit.message),
                fix: None,
            });
        }
        let message = format!(
            "the output has shape {} where the labels have {:?}: {text}",
            shape(output),
            y.shape
        );
        let place = At::Place(Place::Layer(last.index));
        return Some(Explained {
            kind: Kind::Shape,
            place: Some(place),
            layer: Some(named(last)),
            message,
            fix: None,
        });
    }
    let wanted = if columns > 1 { columns } else { 1 };
    if class_numbers {
        let message = format!(
            "labels of shape {:?} stand against outputs of shape {}; the labels are class numbers: use sparse categorical \
             cross-entropy ({text})",
            y.shape,
            shape(output)
        );
        let fix = (
            "Use sparse categorical cross-entropy".to_owned(),
            "\"sparse_categorical_crossentropy\"".to_owned(),
        );
        return Some(Explained {
            kind: Kind::Loss,
            place: Some(At::Place(Place::Loss)),
            layer: None,
            message,
            fix: Some(fix),
        });
    }
    let message = format!(
        "{} has {units} units, but the labels have {wanted} a sample (outputs {}, labels {:?}); give it {wanted}",
        last.name,
        shape(output),
        y.shape
    );
    Some(Explained {
        kind: Kind::Shape,
        place: Some(At::Place(Place::LayerArgument(last.index, "units"))),
        layer: Some(named(last)),
        message,
        fix: Some((format!("Use {wanted} units"), wanted.to_string())),
    })
}

/// "Incompatible shapes: [32,3] vs. [32,4]" and the like, raised in the loss.
fn incompatible_pair(text: &str) -> bool {
    let pair = text.contains("Incompatible shapes") || text.contains("Dimensions must be equal");
    pair && (text.contains("loss") || text.contains("error"))
}

/// A number without a row in the embedding.
fn index_beyond_embedding<'a>(
    exception: &'a ExceptionMessage,
    text: &str,
    fit: Option<&'a Fit>,
) -> Option<Explained<'a>> {
    if !text.contains("is not in [0,") {
        return None;
    }
    let rows: i64 = text
        .rsplit("is not in [0,")
        .next()?
        .trim()
        .split(')')
        .next()?
        .trim()
        .parse()
        .ok()?;
    let fit = fit?;
    let (layer, largest) = embedding::with_rows(fit, rows, &exception.message)?;
    let wanted = (largest.is_finite() && largest >= rows as f64).then_some(largest as i64 + 1);
    let advice = wanted.map_or_else(String::new, |wanted| {
        format!("; it needs {wanted} rows, the largest number and 0")
    });
    Some(Explained {
        kind: Kind::LayerSize,
        place: Some(At::Place(Place::LayerArgument(layer.index, "input_dim"))),
        layer: Some(named(layer)),
        message: format!(
            "{} has {rows} rows, but a number in the data is beyond them: {text}{advice}",
            layer.name
        ),
        fix: wanted.map(|wanted| (format!("Use {wanted} rows"), wanted.to_string())),
    })
}

/// The data have another shape than the model was told to expect.
fn data_against_input<'a>(
    _: &'a ExceptionMessage,
    text: &str,
    fit: Option<&'a Fit>,
) -> Option<Explained<'a>> {
    let fit = fit.filter(|fit| fit.steps == 0)?;
    if kind(&text.to_lowercase()) != Kind::Shape || fit.info.inputs.len() != fit.info.data.x.len() {
        return None;
    }
    let wrong = |(expected, given): &(&'a trace::InputInfo, &'a trace::DataInfo)| {
        let sizes = expected.shape.get(1..).unwrap_or_default();
        // Keras adds an axis of length 1 by itself, or takes it away.
        let plain = given.shape.get(1..).unwrap_or_default();
        let fits = |sizes: &[Option<i64>], given: &[i64]| {
            sizes.len() == given.len()
                && sizes
                    .iter()
                    .zip(given)
                    .all(|(size, given)| size.is_none_or(|size| size == *given))
        };
        let squeezed = sizes.last() == Some(&Some(1)) && fits(&sizes[..sizes.len() - 1], plain);
        let expanded = plain.last() == Some(&1) && fits(sizes, &plain[..plain.len() - 1]);
        !fits(sizes, plain) && !squeezed && !expanded
    };
    let (expected, given) = fit.info.inputs.iter().zip(&fit.info.data.x).find(wrong)?;
    let message = format!(
        "the model is told to expect {}, but the features have shape {:?}; give both the same shape ({text})",
        shape(&expected.shape),
        given.shape
    );
    Some(Explained {
        kind: Kind::Shape,
        place: expected.site.as_ref().map(At::Site),
        layer: None,
        message,
        fix: None,
    })
}

/// A layer refuses what it gets.
fn layer_against_shape<'a>(
    exception: &'a ExceptionMessage,
    text: &str,
    _: Option<&'a Fit>,
) -> Option<Explained<'a>> {
    let layer = exception
        .layer
        .as_ref()
        .filter(|_| kind(&text.to_lowercase()) == Kind::Shape)?;
    let at = layer.site.as_ref()?;
    Some(Explained {
        kind: Kind::Shape,
        place: Some(At::Site(at)),
        layer: layer.index.map(|index| LayerRef {
            index,
            name: layer.name.clone(),
            type_name: layer.class.clone(),
        }),
        message: format!("{} cannot take what it gets: {text}", layer.name),
        fix: None,
    })
}

/// Text, objects or dates where numbers are expected.
fn unreadable_data<'a>(
    exception: &'a ExceptionMessage,
    text: &str,
    fit: Option<&'a Fit>,
) -> Option<Explained<'a>> {
    const WORDS: [&str; 6] = [
        "could not convert string to float",
        "Unsupported object type",
        "Invalid dtype: object",
        "Invalid dtype: str",
        "Cast string to",
        "numpy.ndarray object of dtype object",
    ];
    if !WORDS.iter().any(|words| exception.message.contains(words)) {
        return None;
    }
    let place = fit.map(|fit| {
        let numbers = |array: &trace::DataInfo| {
            array.dtype.contains("float") || array.dtype.contains("int") || array.dtype.contains("bool")
        };
        At::Place(
            if fit.info.data.x.iter().all(numbers) && !fit.info.data.y.iter().all(numbers) {
                Place::Labels
            } else {
                Place::Features
            },
        )
    });
    let message = format!(
        "the data hold text or objects where numbers are needed; encode or drop those columns ({text})"
    );
    Some(Explained {
        kind: Kind::DataOther,
        place,
        layer: None,
        message,
        fix: None,
    })
}

fn named(layer: &LayerInfo) -> LayerRef {
    LayerRef {
        index: layer.index,
        name: layer.name.clone(),
        type_name: layer.class.clone(),
    }
}

fn shape(sizes: &[Option<i64>]) -> String {
    let sizes: Vec<String> = sizes
        .iter()
        .enumerate()
        .map(|(axis, size)| match size {
            Some(size) => size.to_string(),
            None if axis == 0 => "batch".to_owned(),
            None => "?".to_owned(),
        })
        .collect();
    format!("({})", sizes.join(", "))
}
