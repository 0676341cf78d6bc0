//! Arrays that calls make, and that lists are made into.

use tree_sitter::Node;

use super::{Arrays, At, Size, Sizes};
use crate::descend::all;
use crate::field;
use crate::names::canonical;
use crate::provenance::Part;
use crate::syntax::{KindName, children};

/// Functions and methods that draw arrays, with the position of the size among their arguments.
const DRAWING: [(&str, usize); 20] = [
    ("random", 0),
    ("random_sample", 0),
    ("standard_normal", 0),
    ("exponential", 1),
    ("standard_gamma", 1),
    ("poisson", 1),
    ("choice", 1),
    ("rayleigh", 1),
    ("normal", 2),
    ("uniform", 2),
    ("randint", 2),
    ("integers", 2),
    ("binomial", 2),
    ("gamma", 2),
    ("beta", 2),
    ("laplace", 2),
    ("logistic", 2),
    ("lognormal", 2),
    ("gumbel", 2),
    ("vonmises", 2),
];

/// Functions of NumPy that give an array of the shape of their first argument.
const OF_SAME_SHAPE: &str = "abs absolute exp log log1p sqrt square sin cos tan tanh sign clip nan_to_num round array asarray \
    ascontiguousarray copy float32 float64 zeros_like ones_like empty_like full_like maximum minimum negative roll";

/// Methods of which the same holds for their object.
const KEEPING_SHAPE: &str = "astype copy clip round numpy";

/// Images of Keras: the shape of one.
const IMAGES: [(&str, i64, &[i64]); 4] = [
    ("mnist", 60_000, &[28, 28]),
    ("fashion_mnist", 60_000, &[28, 28]),
    ("cifar10", 50_000, &[32, 32, 3]),
    ("cifar100", 50_000, &[32, 32, 3]),
];

fn has(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|other| other == word)
}

impl<'t> Arrays<'_, '_, '_, 't> {
    pub(super) fn shape_of_call(&self, call: Node<'t>, part: Part, at: At<'_, 't>) -> Option<Sizes> {
        let function = call.child_by_field_id(field::FUNCTION)?;
        if let Some(path) = self.path(function) {
            return self.shape_by_path(&path, call, part, at);
        }
        if self.way.callee(call).is_some() {
            return self.shape_of_returned(call, part, at);
        }
        if part != Part::WHOLE || function.kind_name() != "attribute" {
            return None;
        }
        let method = self.text(function.child_by_field_id(field::ATTRIBUTE)?);
        let object = function.child_by_field_id(field::OBJECT)?;
        if has(KEEPING_SHAPE, method) {
            return self.shape(object, at);
        }
        self.drawn(method, call, at)
            .map(Sizes::Known)
            .or_else(|| self.rearranged(method, object, call, 0, at))
    }

    fn shape_by_path(&self, path: &str, call: Node<'t>, part: Part, at: At<'_, 't>) -> Option<Sizes> {
        if part != Part::WHOLE {
            return self.shape_of_one(path, call, part, at).map(Sizes::Known);
        }
        let (module, name) = path.rsplit_once('.')?;
        let first = || self.positional(call)?.first().copied();
        match (module, name) {
            ("numpy" | "tensorflow", "zeros" | "ones" | "empty" | "full" | "fill") => {
                self.sizes_of_argument(call, "shape", 0, at).map(Sizes::Known)
            }
            ("numpy.random", "rand" | "randn") => self
                .positional(call)
                .filter(|sizes| !sizes.is_empty())
                .map(|sizes| Sizes::Known(sizes.iter().map(|size| self.size(*size, at)).collect())),
            ("numpy.random", _) => self.drawn(name, call, at).map(Sizes::Known),
            ("tensorflow.random", "normal" | "uniform") => {
                self.sizes_of_argument(call, "shape", 0, at).map(Sizes::Known)
            }
            ("numpy", "arange") => Some(Sizes::Known(vec![Size::Unknown])),
            ("numpy", "linspace") => Some(Sizes::Known(vec![
                self.argument(call, "num", 2)
                    .map_or(Size::Number(50), |count| self.size(count, at)),
            ])),
            ("numpy", name) if has(OF_SAME_SHAPE, name) => self.shape(first()?, at),
            ("numpy", "stack") => self.stacked(call, at).map(Sizes::Known),
            ("numpy", "concatenate" | "vstack") => self.joined(name, call, at).map(Sizes::Known),
            ("numpy" | "tensorflow" | "keras.ops" | "keras.backend", _) => {
                self.rearranged(name, first()?, call, 1, at)
            }
            _ => None,
        }
    }

    /// One of several arrays that a function gives.
    fn shape_of_one(&self, path: &str, call: Node<'t>, part: Part, at: At<'_, 't>) -> Option<Vec<Size>> {
        let given = self.positional(call)?;
        match path {
            "sklearn.model_selection.train_test_split" => {
                let mut sizes = self.shape(*given.get(part.index / 2)?, at)?.known()?;
                *sizes.first_mut()? = Size::Unknown;
                Some(sizes)
            }
            "sklearn.utils.shuffle" => self.shape(*given.get(part.index)?, at)?.known(),
            _ => {
                let canonical = canonical(path)?;
                let module = canonical
                    .strip_prefix("keras.datasets.")?
                    .strip_suffix(".load_data")?;
                let (_, samples, image) = IMAGES.iter().find(|(name, ..)| *name == module)?;
                let samples = if part.index < 2 { *samples } else { 10_000 };
                let image = image.iter().map(|size| Size::Number(*size));
                (part.of == 4 && part.index.is_multiple_of(2))
                    .then(|| std::iter::once(Size::Number(samples)).chain(image).collect())
            }
        }
    }

    fn sizes_of_argument(
        &self,
        call: Node<'t>,
        name: &str,
        position: usize,
        at: At<'_, 't>,
    ) -> Option<Vec<Size>> {
        let size = self.argument(call, name, position)?;
        self.sizes(size, at).or_else(|| match self.size(size, at) {
            Size::Unknown => None,
            one => Some(vec![one]),
        })
    }

    /// What a generator of random numbers draws.
    fn drawn(&self, method: &str, call: Node<'t>, at: At<'_, 't>) -> Option<Vec<Size>> {
        let (_, position) = DRAWING.iter().find(|(name, _)| *name == method)?;
        self.sizes_of_argument(call, "size", *position, at)
    }

    /// `np.stack([a, b, c], axis=1)`
    fn stacked(&self, call: Node<'t>, at: At<'_, 't>) -> Option<Vec<Size>> {
        let list = self.argument(call, "arrays", 0)?;
        let mut sizes = self.shape(list, at)?.known()?;
        let axis = match self.argument(call, "axis", 1) {
            Some(axis) => super::size::position(self.text(axis).parse().ok()?, sizes.len())?,
            None => 0,
        };
        let count = (!sizes.is_empty()).then(|| sizes.remove(0))?;
        (axis <= sizes.len()).then(|| sizes.insert(axis, count))?;
        Some(sizes)
    }

    /// `np.concatenate([a, b])`
    fn joined(&self, name: &str, call: Node<'t>, at: At<'_, 't>) -> Option<Vec<Size>> {
        let list = self.positional(call)?.first().copied()?;
        let mut sizes = self.shape(list, at)?.known()?;
        (sizes.len() > 2).then(|| sizes.remove(0))?;
        let axis = match self.argument(call, "axis", 1) {
            Some(axis) if name == "concatenate" => {
                super::size::position(self.text(axis).parse().ok()?, sizes.len())?
            }
            _ => 0,
        };
        *sizes.get_mut(axis)? = Size::Unknown;
        Some(sizes)
    }

    /// A list that is made into an array: its length, then the shape of what is in it.
    pub(super) fn shape_of_list(&self, list: Node<'t>, at: At<'_, 't>) -> Option<Vec<Size>> {
        let parts = children(list);
        let (length, one) = if list.kind_name() == "list" {
            let length = i64::try_from(parts.len()).ok()?;
            (Size::Number(length), *parts.first()?)
        } else {
            let clauses: Vec<_> = parts
                .iter()
                .filter(|part| part.kind_name() == "for_in_clause")
                .collect();
            let [clause] = clauses.as_slice() else { return None };
            let filtered = parts.iter().any(|part| part.kind_name() == "if_clause");
            let length = if filtered {
                Size::Unknown
            } else {
                self.length(clause.child_by_field_id(field::RIGHT)?, at)
            };
            (length, list.child_by_field_id(field::BODY)?)
        };
        if matches!(one.kind_name(), "integer" | "float") {
            return Some(vec![length]);
        }
        let mut sizes = vec![length];
        sizes.extend(self.shape(one, at)?.known()?);
        Some(sizes)
    }

    /// A list that a loop fills.
    pub(super) fn shape_of_filled_list(
        &self,
        name: Node<'t>,
        value: Node<'t>,
        at: At<'_, 't>,
    ) -> Option<Vec<Size>> {
        let fill = self.filling(name, value)?;
        let one = self.positional(fill)?.first().copied()?;
        // What goes into the list may differ where it is written by cases.
        if !all(one, &["conditional_expression"]).is_empty() {
            return None;
        }
        let mut sizes = vec![Size::Unknown];
        sizes.extend(self.shape(one, at)?.known()?);
        Some(sizes)
    }
}
