//! Additive scores of attention (Bahdanau): a weighted sum of `tanh(query + key)`.

use crate::functions::tanh;
use crate::graph::{Param, ParamId};

pub(super) struct Additive {
    /// A factor within the `tanh`.
    pub inside: Option<ParamId>,
    /// Factors outside: one, or one for each feature.
    pub outside: Option<ParamId>,
}

/// Numbers of queries, of keys, and of features.
type Sizes = (usize, usize, usize);

impl Additive {
    fn factors<'a>(&self, params: &'a [Param]) -> (f32, Option<&'a [f32]>) {
        let of = |id: ParamId| params[id].value.as_slice();
        (self.inside.map_or(1.0, |id| of(id)[0]), self.outside.map(of))
    }

    /// The scores of one sample, by query and key.
    pub fn scores(
        &self,
        params: &[Param],
        (q, k): (&[f32], &[f32]),
        (queries, keys, size): Sizes,
        out: &mut [f32],
    ) {
        let (inside, outside) = self.factors(params);
        for (query, row) in q.chunks_exact(size).take(queries).zip(out.chunks_exact_mut(keys)) {
            for (key, score) in k.chunks_exact(size).zip(row) {
                let pairs = query.iter().zip(key).enumerate();
                *score = pairs
                    .map(|(at, (q, k))| factor(outside, at) * tanh(inside * (q + k)))
                    .sum();
            }
        }
    }

    /// Adds to the gradients of the factors, and to those at queries and keys where asked.
    pub fn back(
        &self,
        params: &mut [Param],
        (q, k): (&[f32], &[f32]),
        (queries, keys, size): Sizes,
        slopes: &[f32],
        (mut at_query, mut at_key): (Option<&mut [f32]>, Option<&mut [f32]>),
    ) {
        let (inside, outside) = self.factors(params);
        let count = outside.map_or(0, <[f32]>::len);
        let (mut of_inside, mut of_outside) = (0.0, vec![0.0_f32; count]);
        for query in 0..queries {
            for key in 0..keys {
                let slope = slopes[query * keys + key];
                for at in 0..size {
                    let (from_query, from_key) = (query * size + at, key * size + at);
                    let sum = q[from_query] + k[from_key];
                    let t = tanh(inside * sum);
                    if count > 0 {
                        of_outside[at % count] += slope * t;
                    }
                    let back = slope * factor(outside, at) * (1.0 - t * t);
                    of_inside += back * sum;
                    if let Some(gradient) = &mut at_query {
                        gradient[from_query] += back * inside;
                    }
                    if let Some(gradient) = &mut at_key {
                        gradient[from_key] += back * inside;
                    }
                }
            }
        }
        if let Some(id) = self.inside {
            params[id].grad_mut()[0] += of_inside;
        }
        if let Some(id) = self.outside {
            let gradient = params[id].grad_mut().iter_mut();
            gradient.zip(&of_outside).for_each(|(sum, part)| *sum += part);
        }
    }
}

/// The factor of a feature.
fn factor(outside: Option<&[f32]>, at: usize) -> f32 {
    outside.map_or(1.0, |factors| factors[at % factors.len()])
}
