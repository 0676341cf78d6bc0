//! From what is at fault to what to underline.

use std::path::{Path, PathBuf};

use finding::Range;
use program::{Argument, Call, Program, Provenance, Value};
use trace::{Fit, Site};

use crate::split;

/// A source file the run touched.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The path as findings show it.
    pub path: &'a Path,
    /// Its text at the time of the run.
    pub text: &'a str,
    /// The same, read.
    pub program: &'a Program,
}

/// Gives the files that call sites of a trace lie in.
pub trait Sources {
    /// The file of that absolute path, where it can be read.
    fn source(&self, path: &Path) -> Option<Source<'_>>;
}

/// What is at fault, before it has a place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The activation of a layer: its argument, or the layer call when there is none.
    Activation(usize),
    /// Another argument of a layer, or the layer call.
    LayerArgument(usize, &'static str),
    /// The `loss` argument of `compile`.
    Loss,
    /// The `metrics` argument of `compile`.
    Metrics,
    /// The call that makes a layer.
    Layer(usize),
    /// Where layers are frozen before `fit`, else `compile`.
    Frozen,
    /// Where the features or the labels alone are put into another order, else [`Place::Features`].
    RowOrder,
    /// Another argument of the optimizer, or the optimizer.
    OptimizerArgument(&'static str),
    /// The learning-rate argument, or the optimizer.
    LearningRate,
    /// The expression that combines every row with every other one, by its number.
    Pairing(usize),
    /// Where the labels are cut into parts by position, else `validation_split`.
    Split,
    /// Where the features that are held out last change, else `validation_data`.
    ValidationFeatures,
    /// Where the weights of the classes are written, else `class_weight`.
    ClassWeights,
    /// Where weights are set before `fit`, else its `epochs`.
    WeightsSet,
    /// The call that makes the callback which ends a training early, else `callbacks`.
    EarlyStopping,
    /// An argument of `fit`, or `fit`.
    FitArgument(&'static str),
    /// Where the features last change before `fit`.
    Features,
    /// Where the labels last change before `fit`.
    Labels,
    /// The same for one of several outputs, by its number.
    OutputLabels(usize),
}

/// A place in the text.
#[derive(Clone, Debug)]
pub struct Located<'a> {
    /// The file.
    pub source: Source<'a>,
    /// What to underline.
    pub range: Range,
    /// Where features or labels change: the statement around the change, with the name it gives a value to.
    pub change: Option<(Range, String)>,
    /// The value itself, when the place is an argument that is written out.
    pub argument: bool,
}

impl Located<'_> {
    /// The path as findings show it.
    pub fn path(&self) -> PathBuf {
        self.source.path.to_owned()
    }
}

/// Finds the text of a place; `None` when no user code stands behind it.
pub(crate) fn locate<'a>(place: Place, fit: &Fit, sources: &'a dyn Sources) -> Option<Located<'a>> {
    let info = &fit.info;
    match place {
        Place::Activation(index) => {
            let layer = info.layers.iter().find(|layer| layer.index == index)?;
            argument(layer.site.as_ref()?, &layer.class, &["activation"], sources)
        }
        Place::LayerArgument(index, name) => {
            let layer = info.layers.iter().find(|layer| layer.index == index)?;
            argument(layer.site.as_ref()?, &layer.class, &[name], sources)
        }
        Place::Loss => argument(info.compile_site.as_ref()?, "compile", &["loss"], sources),
        Place::Metrics => argument(info.compile_site.as_ref()?, "compile", &["metrics"], sources),
        Place::Frozen => statement(fit, sources, |line| {
            let bare: String = line
                .chars()
                .filter(|character| !character.is_whitespace())
                .collect();
            bare.contains("trainable=False")
        })
        .or_else(|| site(info.compile_site.as_ref()?, sources)),
        Place::RowOrder => statement(fit, sources, shuffles_one).or_else(|| data_place(fit, "x", sources)),
        Place::Layer(index) => {
            let layer = info.layers.iter().find(|layer| layer.index == index)?;
            site(layer.site.as_ref()?, sources)
        }
        Place::Pairing(number) => site(info.pairings.get(number)?.site.as_ref()?, sources),
        Place::Split => split::by_position(fit, sources)
            .or_else(|| argument(info.site.as_ref()?, "fit", &["validation_split"], sources)),
        Place::LearningRate => optimizer(fit, &["learning_rate", "lr"], sources),
        Place::OptimizerArgument(name) => optimizer(fit, &[name], sources),
        Place::ValidationFeatures => validation_features(fit, sources)
            .or_else(|| argument(info.site.as_ref()?, "fit", &["validation_data"], sources)),
        Place::ClassWeights => data_place(fit, "class_weight", sources),
        Place::WeightsSet => statement(fit, sources, |line| line.contains(".set_weights("))
            .or_else(|| argument(info.site.as_ref()?, "fit", &["epochs"], sources)),
        Place::EarlyStopping => early_stopping(fit, sources)
            .or_else(|| argument(info.site.as_ref()?, "fit", &["callbacks"], sources)),
        Place::FitArgument("batch_size") => batch_size(fit, sources),
        Place::FitArgument(name) => argument(info.site.as_ref()?, "fit", &[name], sources),
        Place::Features => data_place(fit, "x", sources),
        Place::Labels => data_place(fit, "y", sources),
        Place::OutputLabels(number) => output_labels(fit, number, sources),
    }
}

fn optimizer<'a>(fit: &Fit, names: &[&str], sources: &'a dyn Sources) -> Option<Located<'a>> {
    let info = &fit.info;
    let made = info
        .optimizer
        .as_ref()
        .and_then(|optimizer| Some((optimizer.site.as_ref()?, &optimizer.class)));
    match made {
        Some((site, class)) => argument(site, class, names, sources),
        None => argument(info.compile_site.as_ref()?, "compile", &["optimizer"], sources),
    }
}

/// The last line before `fit`, in its file, that is a statement of that kind.
fn statement<'a>(fit: &Fit, sources: &'a dyn Sources, wanted: fn(&str) -> bool) -> Option<Located<'a>> {
    let at = fit.info.site.as_ref()?;
    let source = sources.source(&at.path)?;
    let mut start = 0;
    let mut found = None;
    for line in source.text.split_inclusive('\n').take(at.line as usize - 1) {
        let code = line.split('#').next().unwrap_or("");
        if wanted(code) {
            let indent = code.len() - code.trim_start().len();
            found = Some(Range::new(start + indent, start + code.trim_end().len()));
        }
        start += line.len();
    }
    Some(Located {
        source,
        range: found?,
        change: None,
        argument: false,
    })
}

/// Whether a line puts the rows of one array alone into a random order: `rng.shuffle(x)`, `x = shuffle(x, random_state=1)`,
/// `x = rng.permutation(x)`.
fn shuffles_one(line: &str) -> bool {
    let target = line.split_once('=').map_or("", |(target, _)| target.trim());
    ["shuffle(", "permutation("].iter().any(|call| {
        let Some(arguments) = line
            .split_once(call)
            .and_then(|(_, rest)| rest.trim_end().strip_suffix(')'))
        else {
            return false;
        };
        let mut arguments = arguments.split(',').map(str::trim);
        let first = arguments.next().unwrap_or_default();
        let name = !first.is_empty()
            && !first.starts_with(|character: char| character.is_ascii_digit())
            && first.chars().all(|character| {
                character.is_alphanumeric() || matches!(character, '_' | '.' | '[' | ']' | ':')
            });
        // Of a number, a permutation is an order.
        let itself = *call == "shuffle(" || first == target;
        name && itself && !line.contains("shuffle=") && arguments.all(|argument| argument.contains('='))
    })
}

/// The range of a call site, without looking for an argument in it.
pub(crate) fn site<'a>(site: &Site, sources: &'a dyn Sources) -> Option<Located<'a>> {
    let source = sources.source(&site.path)?;
    let range = site_range(site, source.text)?;
    Some(Located {
        source,
        range,
        change: None,
        argument: false,
    })
}

fn argument<'a>(at: &Site, class: &str, names: &[&str], sources: &'a dyn Sources) -> Option<Located<'a>> {
    let located = called(at, class, sources)?;
    let Some(call) = call(&located) else {
        return Some(located);
    };
    match names.iter().find_map(|name| call.argument(name)) {
        Some(argument) => Some(Located {
            range: argument.value.range,
            argument: true,
            ..located
        }),
        None => Some(Located {
            range: call.range,
            ..located
        }),
    }
}

/// The call of this class or method at a site. Before Python 3.11 only its line is known, and the syntax tree tells which
/// call on that line is meant.
fn called<'a>(at: &Site, class: &str, sources: &'a dyn Sources) -> Option<Located<'a>> {
    let located = site(at, sources)?;
    let only = at
        .column
        .is_none()
        .then(|| located.source.program.only_call_in(located.range, class))
        .flatten();
    Some(match only {
        Some(call) => Located {
            range: call.range,
            ..located
        },
        None => located,
    })
}

fn call<'a>(located: &Located<'a>) -> Option<&'a Call> {
    located.source.program.call_at(located.range)
}

/// The label argument of `fit`, with its file and where `fit` is called.
pub(crate) fn label_argument<'a>(fit: &Fit, sources: &'a dyn Sources) -> Option<(Source<'a>, Range, usize)> {
    let located = called(fit.info.site.as_ref()?, "fit", sources)?;
    let value = call(&located)?.argument("y")?.value.range;
    Some((located.source, value, located.range.start))
}

/// Where the features (`x`) or labels (`y`) of a training take the values and the form that `fit` gets: the expression that makes
/// the values, in whichever function of the file it stands, else the argument of `fit`.
pub fn data_place<'a>(fit: &Fit, name: &str, sources: &'a dyn Sources) -> Option<Located<'a>> {
    let located = called(fit.info.site.as_ref()?, "fit", sources)?;
    let Source { text, program, .. } = located.source;
    let before = located.range.start;
    let argument = |name: &str| {
        call(&located)
            .and_then(|call| call.argument(name))
            .map(|Argument { value, .. }| value.range)
    };
    let (value, provenance) = match argument(name) {
        Some(value) => (value, program.provenance_through_calls(text, value, before)),
        // The labels of a data set come with its features.
        None => {
            let pairs = argument("x")
                .and_then(|value| Some((value, program.provenance_of_pair_labels(text, value, before)?)));
            let Some(found) = pairs else { return Some(located) };
            found
        }
    };
    Some(made(located, value, &provenance))
}

/// Where the labels for one of several outputs are made, where `fit` is given a dictionary or a list of them.
fn output_labels<'a>(fit: &Fit, number: usize, sources: &'a dyn Sources) -> Option<Located<'a>> {
    let located = called(fit.info.site.as_ref()?, "fit", sources)?;
    let Some(given) = call(&located).and_then(|call| call.argument("y")) else {
        return Some(located);
    };
    let one = match &given.value.value {
        Value::Dict(entries) => entries.get(number).map(|(_, labels)| labels.range),
        Value::List(labels) => labels.get(number).map(|labels| labels.range),
        _ => None,
    };
    let Some(range) = one else {
        return data_place(fit, "y", sources);
    };
    let Source { text, program, .. } = located.source;
    let provenance = program.provenance_through_calls(text, range, located.range.start);
    Some(made(located, range, &provenance))
}

/// Where values get the form that a call is given.
fn made<'a>(located: Located<'a>, value: Range, provenance: &Provenance) -> Located<'a> {
    let text = located.source.text;
    // Splits and slices only choose samples. Conversions and reshapes do not change values either, but the last of them is
    // where the array takes the form that `fit` gets, and where scaling and encoding belong.
    let formed = provenance.chain.iter().find(|step| {
        let left = Range::new(step.statement.start, step.value.start.max(step.statement.start)).slice(text);
        let entered = provenance.entered.contains(step);
        !left.contains(',') && !step.value.slice(text).ends_with(']') && !entered
    });
    let Some(change) = formed.copied().or(provenance.change) else {
        return Located {
            range: value,
            ..located
        };
    };
    // What a function makes for more than this training is changed where it is called.
    let order = |change: &program::Change| provenance.chain.iter().position(|step| step == change);
    let outside = provenance
        .entered
        .first()
        .filter(|call| order(call) < order(&change).or(Some(usize::MAX)))
        .unwrap_or(&change);
    let target = outside.target.slice(text).to_owned();
    Located {
        range: change.value,
        change: Some((outside.statement, target)),
        ..located
    }
}

/// Where the number of samples in a batch is written: the argument of `fit`, else of the data set's `batch`.
fn batch_size<'a>(fit: &Fit, sources: &'a dyn Sources) -> Option<Located<'a>> {
    let place = argument(fit.info.site.as_ref()?, "fit", &["batch_size"], sources)?;
    let fit_call = call(&place).filter(|_| !place.argument);
    let Some(data) = fit_call.and_then(|call| call.argument("x")) else {
        return Some(place);
    };
    let Source { text, program, .. } = place.source;
    match program.batch_size_of(text, data.value.range, place.range.start) {
        Some(range) => Some(Located {
            range,
            argument: true,
            ..place
        }),
        None => Some(place),
    }
}

/// Where the features of `validation_data=(features, labels)` are made.
fn validation_features<'a>(fit: &Fit, sources: &'a dyn Sources) -> Option<Located<'a>> {
    let located = called(fit.info.site.as_ref()?, "fit", sources)?;
    let given = call(&located)?.argument("validation_data")?;
    let Value::List(pair) = &given.value.value else {
        return None;
    };
    let features = pair.first()?.range;
    let Source { text, program, .. } = located.source;
    let provenance = program.provenance_through_calls(text, features, located.range.start);
    Some(made(located, features, &provenance))
}

/// The last `EarlyStopping` that is made before `fit`, or in it.
fn early_stopping<'a>(fit: &Fit, sources: &'a dyn Sources) -> Option<Located<'a>> {
    let located = called(fit.info.site.as_ref()?, "fit", sources)?;
    let calls = &located.source.program.calls;
    let stops =
        |call: &&Call| call.callee == "keras.callbacks.EarlyStopping" && call.range.start < located.range.end;
    let range = calls.iter().rfind(stops)?.range;
    Some(Located { range, ..located })
}

/// Byte range of a site. Without columns (Python before 3.11) it is the text of its line; the syntax tree then finds
/// the call that starts there.
pub fn site_range(site: &Site, text: &str) -> Option<Range> {
    let line = |number: u32| -> Option<usize> {
        let skip = usize::try_from(number).ok()?.checked_sub(1)?;
        if skip == 0 {
            return Some(0);
        }
        text.match_indices('\n').nth(skip - 1).map(|(at, _)| at + 1)
    };
    let start = line(site.line)?;
    let first = text[start..].lines().next().unwrap_or("");
    let whole_line = || {
        let indent = first.len() - first.trim_start().len();
        Range::new(start + indent, start + first.trim_end().len().max(indent))
    };
    let with_columns = || -> Option<Range> {
        let from = start + site.column? as usize;
        let to = line(site.end_line.unwrap_or(site.line))? + site.end_column? as usize;
        (from < to && text.is_char_boundary(from) && text.is_char_boundary(to)).then(|| Range::new(from, to))
    };
    Some(with_columns().unwrap_or_else(whole_line))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One<'a>(Source<'a>);

    impl Sources for One<'_> {
        fn source(&self, _: &Path) -> Option<Source<'_>> {
            Some(self.0)
        }
    }

    #[test]
    fn without_columns_the_class_tells_which_call_of_the_line() {
        let text =
            "from keras import Sequential, layers\nm = Sequential([layers.Dense(30), layers.Dropout(0.5)])\n";
        let program = Program::parse(text);
        let sources = One(Source {
            path: Path::new("/t.py"),
            text,
            program: &program,
        });
        let at = Site {
            path: "/t.py".into(),
            line: 2,
            column: None,
            end_line: None,
            end_column: None,
        };
        let slice = |class| {
            argument(&at, class, &["rate", "units"], &sources).map(|located| located.range.slice(text))
        };
        assert_eq!(slice("Dropout"), Some("0.5"));
        assert_eq!(slice("Dense"), Some("30"));
        assert_eq!(
            called(&at, "LSTM", &sources).map(|located| located.range.slice(text)),
            Some("m = Sequential([layers.Dense(30), layers.Dropout(0.5)])"),
            "a call that is not there"
        );
    }

    #[test]
    fn lines_that_shuffle_one_array() {
        for line in [
            "rng.shuffle(x)",
            "X = shuffle(X, random_state=0)",
            "x = rng.permutation(x)",
            "np.random.shuffle(x_train)",
        ] {
            assert!(shuffles_one(line), "{line}");
        }
        for line in [
            "X, y = shuffle(X, y, random_state=0)",
            "ds = ds.shuffle(1000)",
            "ds = ds.shuffle(1000, seed=1)",
            "order = rng.permutation(n)",
            "m.fit(x, y, shuffle=False)",
            "a, b = train_test_split(x, y, shuffle=True)",
        ] {
            assert!(!shuffles_one(line), "{line}");
        }
    }

    #[test]
    fn sites_become_byte_ranges() {
        let text = "é = 1\n  model.add(Dense(1,\n    'relu'))\n";
        let site = |line, column, end_line, end_column| Site {
            path: "/t.py".into(),
            line,
            column,
            end_line: Some(end_line),
            end_column,
        };
        let slice = |site: Site| site_range(&site, text).map(|range| range.slice(text));
        assert_eq!(
            slice(site(2, Some(12), 3, Some(11))),
            Some("Dense(1,\n    'relu')")
        );
        assert_eq!(slice(site(2, None, 2, None)), Some("model.add(Dense(1,"));
        assert_eq!(
            slice(site(1, Some(1), 1, Some(2))),
            Some("é = 1"),
            "inside a character: the line"
        );
        assert_eq!(slice(site(2, Some(5), 2, Some(900))), Some("model.add(Dense(1,"));
        assert_eq!(slice(site(90, Some(0), 90, Some(1))), None);
        assert_eq!(slice(site(0, None, 0, None)), None);
    }
}
