//! What is known of a training when changes are proposed: the trace of its run, and its source.

use finding::{Edit, Range};
use localize::{Located, Source, Sources, data_place, site_range};
use program::{Argument, Call};
use trace::{DataInfo, Fit, LayerInfo, Scalar, Site};

/// What the labels are, whatever the loss takes them for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// One column of 0 and 1.
    Binary,
    /// One-hot rows of that many columns.
    OneHot(i64),
    /// Rows of that many columns with any number of 1s.
    MultiHot(i64),
    /// Class numbers from 0 to below that number, one per sample.
    Numbers(i64),
    /// Real numbers.
    Real,
    /// Not seen, or of no use.
    Unknown,
}

/// A call in a file.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// The file.
    pub source: Source<'a>,
    /// The call.
    pub call: &'a Call,
}

impl<'a> Spot<'a> {
    /// Text of the call.
    pub fn text(&self) -> &'a str {
        self.call.range.slice(self.source.text)
    }

    /// An edit of this file.
    pub fn edit(&self, range: Range, new_text: impl Into<String>) -> Edit {
        Edit {
            path: self.source.path.to_owned(),
            range,
            new_text: new_text.into(),
        }
    }

    /// Gives an argument another value: where it is written, else as a keyword at the end of the call.
    pub fn set(&self, keyword: &str, value: &str) -> Option<Edit> {
        match self.call.argument(keyword) {
            Some(argument) => Some(self.edit(argument.value.range, value)),
            None if self.call.open_ended => None,
            None => self.add(keyword, value),
        }
    }

    fn add(&self, keyword: &str, value: &str) -> Option<Edit> {
        let text = self.source.text;
        let close = self.call.range.end.checked_sub(1)?;
        let inside = Range::new(self.call.callee_range.end, close).slice(text);
        let Some(last) = self.call.arguments.last() else {
            // No comment, and nothing but space, stands between the parentheses.
            return (inside.trim() == "(")
                .then(|| self.edit(Range::new(close, close), format!("{keyword}={value}")));
        };
        // After the last argument, so that a comma and a comment behind it stay where they are.
        let at = last.range.end;
        let own_line = text[..last.range.start].rsplit('\n').next().unwrap_or("");
        let new = if inside.contains('\n') && own_line.trim().is_empty() {
            format!(",\n{own_line}{keyword}={value}")
        } else {
            format!(", {keyword}={value}")
        };
        Some(self.edit(Range::new(at, at), new))
    }

    /// Takes an argument out of the call.
    pub fn remove(&self, argument: &Argument) -> Edit {
        self.edit(
            without(self.source.text, argument.range, self.call.callee_range.end),
            "",
        )
    }
}

/// The range of an item of a list or call together with the comma before it, else the one after it.
pub fn without(text: &str, item: Range, start: usize) -> Range {
    let before = Range::new(start, item.start).slice(text).trim_end();
    if before.ends_with(',') {
        return Range::new(start + before.len() - 1, item.end);
    }
    let after = text.get(item.end..).unwrap_or("");
    let behind = after.trim_start();
    match behind.strip_prefix(',') {
        Some(rest) => {
            let space = rest.len() - rest.trim_start().len();
            Range::new(item.start, text.len() - rest.len() + space)
        }
        None => item,
    }
}

/// What is known of a training.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The training.
    pub fit: &'a Fit,
    /// The files.
    pub sources: &'a dyn Sources,
}

impl<'a> Facts<'a> {
    /// The call at a place.
    pub fn spot(&self, site: &Site) -> Option<Spot<'a>> {
        let source = self.sources.source(&site.path)?;
        let range = site_range(site, source.text)?;
        let call = source.program.call_at(range)?;
        Some(Spot { source, call })
    }

    /// The call that an expression in the same file is.
    pub fn spot_at(&self, near: &Spot<'a>, range: Range) -> Option<Spot<'a>> {
        let source = near.source;
        let call = source.program.call_at(range).filter(|call| call.range == range)?;
        Some(Spot { source, call })
    }

    /// The call that made a layer; `None` when it made several of the layers.
    pub fn layer(&self, layer: &LayerInfo) -> Option<Spot<'a>> {
        let site = layer.site.as_ref()?;
        let spot = self.spot(site)?;
        (spot.call.class() == layer.class || spot.call.callee.starts_with("keras.layers.")).then_some(spot)
    }

    /// Layers of the training, input layers not counted.
    pub fn layers(&self) -> &'a [LayerInfo] {
        &self.fit.info.layers
    }

    /// Whether the call of a layer makes this one only.
    pub fn alone(&self, layer: &LayerInfo) -> bool {
        let same = |other: &&LayerInfo| other.site.is_some() && other.site == layer.site;
        self.layers().iter().filter(same).count() == 1
    }

    /// The call of `compile`.
    pub fn compile(&self) -> Option<Spot<'a>> {
        self.spot(self.fit.info.compile_site.as_ref()?)
            .filter(|spot| spot.call.class() == "compile")
    }

    /// The call of `fit`.
    pub fn fit_call(&self) -> Option<Spot<'a>> {
        self.spot(self.fit.info.site.as_ref()?)
            .filter(|spot| spot.call.class() == "fit")
    }

    /// The call that made the optimizer.
    pub fn optimizer(&self) -> Option<Spot<'a>> {
        self.spot(self.fit.info.optimizer.as_ref()?.site.as_ref()?)
            .filter(|spot| spot.call.callee.starts_with("keras.optimizers."))
    }

    /// Name of the loss; empty when it is not known.
    pub fn loss(&self) -> &'a str {
        self.fit.info.loss_name()
    }

    /// Where the features or labels come from.
    pub fn data(&self, name: &str) -> Option<Located<'a>> {
        data_place(self.fit, name, self.sources)
    }

    /// The features, when there is one input.
    pub fn x(&self) -> Option<&'a DataInfo> {
        self.fit.x().filter(|_| self.fit.info.data.x.len() == 1)
    }

    /// The labels, when there is one output.
    pub fn y(&self) -> Option<&'a DataInfo> {
        self.fit.y().filter(|_| self.fit.info.data.y.len() == 1)
    }

    /// What the labels are.
    pub fn labels(&self) -> Labels {
        let Some(y) = self.y() else { return Labels::Unknown };
        let columns = y.shape.iter().skip(1).product::<i64>().max(1);
        if !y.std.is_finite() || y.nans + y.infs > 0 {
            return Labels::Unknown;
        }
        if columns > 1 {
            return match (y.zero_one, y.shape.len() == 2) {
                (true, true) if y.row_sum_min == 1.0 && y.row_sum_max == 1.0 => Labels::OneHot(columns),
                (true, true) => Labels::MultiHot(columns),
                _ => Labels::Real,
            };
        }
        if y.zero_one {
            return Labels::Binary;
        }
        let classes = y.classes.as_ref().map_or(0, Vec::len) as i64;
        let as_classes =
            self.loss().contains("crossentropy") || self.outputs().is_some_and(|units| units > 1);
        if y.integers && y.min == 0.0 && classes >= 2 && as_classes && y.max < 1000.0 {
            return Labels::Numbers(y.max as i64 + 1);
        }
        Labels::Real
    }

    /// Units of the output.
    pub fn outputs(&self) -> Option<i64> {
        self.fit.info.output_units()
    }

    /// The layer whose activation shapes the output.
    pub fn head(&self) -> Option<&'a LayerInfo> {
        self.fit.info.head()
    }

    /// Steps of the whole training, as the script asks for them.
    pub fn steps_asked(&self) -> Option<u64> {
        Some(self.fit.info.epochs? * self.fit.info.steps_per_epoch?)
    }

    /// Whether the loss became NaN or infinite, or grew without end.
    pub fn diverges(&self) -> bool {
        let losses = self.fit.scalar(Scalar::Loss);
        let first = losses
            .iter()
            .copied()
            .find(|loss| loss.is_finite())
            .unwrap_or(1.0);
        losses
            .iter()
            .any(|loss| !loss.is_finite() || *loss > 1e3 * first.abs().max(1e-3))
    }
}
