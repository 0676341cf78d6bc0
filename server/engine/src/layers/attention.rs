//! `MultiHeadAttention`, `GroupQueryAttention`, `Attention` and `AdditiveAttention`.

use serde_json::Value;

use super::Entry;
use super::additive::Additive;
use super::dense::Affine;
use crate::activations::softmax_row;
use crate::graph::{Call, ParamId, Sym};
use crate::native::{Mat, matmul};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::new("MultiHeadAttention", multi_head),
    Entry::unmasked("Attention", attention),
    Entry::unmasked("AdditiveAttention", additive_attention),
    Entry::new("GroupQueryAttention", grouped),
];

/// A projection of the last axis to `heads · size` features.
fn project(
    call: &mut Call<'_>,
    name: &str,
    x: &Sym,
    shape: (&[usize], &[usize]),
) -> Result<Sym, Unsupported> {
    let (from, to) = shape;
    let kernel: Vec<usize> = from.iter().chain(to).copied().collect();
    let (features, units) = (from.iter().product(), to.iter().product());
    // The arguments for kernels and biases hold for all projections.
    let kernel = call.weight(&format!("{name}/kernel"), &kernel, true)?;
    let bias = if call.config.flag("use_bias", true)? {
        Some(call.weight(&format!("{name}/bias"), to, true)?)
    } else {
        None
    };
    let mut out = x.shape.clone();
    out.pop();
    out.push(Some(units));
    let op = Affine {
        kernel,
        bias,
        features,
        units,
    };
    Ok(call.builder.op(op, &[x], out))
}

/// Query, value and key of a call, which are sequences.
fn sequences(call: &mut Call<'_>) -> Result<[Sym; 3], Unsupported> {
    let mut tensors = std::mem::take(&mut call.inputs);
    for key in ["query", "value", "key"] {
        tensors.extend(call.take(key).unwrap_or_default());
    }
    if !(2..=3).contains(&tensors.len()) {
        return Err(call.unsupported("not a query and a value"));
    }
    if tensors.iter().any(|sym| sym.rank() != 3) {
        return Err(call.unsupported("inputs that are no sequences"));
    }
    let (query, value) = (tensors[0].clone(), tensors[1].clone());
    let key = tensors.get(2).unwrap_or(&value).clone();
    Ok([query, value, key])
}

/// Whether a flag of the call is set.
fn flag(call: &Call<'_>, name: &str) -> bool {
    call.kwargs[name].as_bool() == Some(true)
}

fn multi_head(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let config = call.config;
    let [query, value, key] = sequences(call)?;
    config.only("attention_axes", &[serde_json::json!([1])])?;
    let heads = config.size("num_heads")?;
    let size = config.size("key_dim")?;
    let value_size = config.opt_size("value_dim")?.unwrap_or(size);
    let of_query = call.known(&query, 2)?;
    let out = match config.get("output_shape") {
        None => of_query,
        Some(Value::Array(items)) if items.len() == 1 => config.sizes("output_shape", 1, of_query)?[0],
        Some(_) => config.size("output_shape")?,
    };
    heads_attend(call, [query, value, key], (heads, heads), (size, value_size), out)
}

/// Several heads of the query share one of key and value.
fn grouped(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let config = call.config;
    let [query, value, key] = sequences(call)?;
    config.only("use_gate", &[false.into()])?;
    config.only("sliding_window", &[])?;
    if query.mask.or(value.mask).or(key.mask).is_some() {
        return Err(call.unsupported("masked inputs"));
    }
    let (heads, shared) = (
        config.size("num_query_heads")?,
        config.size("num_key_value_heads")?,
    );
    if !heads.is_multiple_of(shared) {
        return Err(config.not("num_key_value_heads"));
    }
    let size = config.size("head_dim")?;
    let out = call.known(&query, 2)?;
    heads_attend(call, [query, value, key], (heads, shared), (size, size), out)
}

/// Projections to heads, their attention, and the projection back.
fn heads_attend(
    call: &mut Call<'_>,
    [query, value, key]: [Sym; 3],
    (heads, shared): (usize, usize),
    (size, value_size): (usize, usize),
    out: usize,
) -> Result<Vec<Sym>, Unsupported> {
    let config = call.config;
    let of_query = call.known(&query, 2)?;
    let (of_key, of_value) = (call.known(&key, 2)?, call.known(&value, 2)?);
    let q = project(call, "query", &query, (&[of_query], &[heads, size]))?;
    let k = project(call, "key", &key, (&[of_key], &[shared, size]))?;
    let v = project(call, "value", &value, (&[of_value], &[shared, value_size]))?;
    let op = Attend {
        heads,
        shared,
        score: Score::Dot,
        scale: 1.0 / (size as f32).sqrt(),
        causal: flag(call, "use_causal_mask"),
        dropout: config.f32("dropout", 0.0)?,
        training: call.training,
        masks: (query.mask.is_some(), value.mask.or(key.mask).is_some()),
        scores: Vec::new(),
        factors: Vec::new(),
        blank_query: false,
    };
    let masks: Vec<usize> = query.mask.into_iter().chain(value.mask.or(key.mask)).collect();
    let mut inputs = vec![q.id, k.id, v.id];
    inputs.extend(masks);
    let asked = flag(call, "return_attention_scores");
    let ids = call.builder.op_ids(Box::new(op), inputs, 1 + usize::from(asked));
    let mixed = Sym {
        id: ids[0],
        shape: vec![None, query.shape[1], Some(heads * value_size)],
        mask: None,
        logits: None,
    };
    let y = project(call, "attention_output", &mixed, (&[heads, value_size], &[out]))?;
    let y = Sym {
        mask: query.mask,
        ..y
    };
    let scores = ids.get(1).map(|&id| Sym {
        id,
        shape: vec![None, Some(heads), query.shape[1], key.shape[1]],
        mask: None,
        logits: None,
    });
    Ok(std::iter::once(y).chain(scores).collect())
}

fn attention(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let scale = if call.config.flag("use_scale", false)? {
        Some(call.weight("scale", &[], true)?)
    } else {
        None
    };
    match call.config.text("score_mode", "dot")? {
        "dot" => attend(call, Score::Dot, scale),
        "concat" => {
            let outside = Some(call.weight("concat_score_weight", &[], true)?);
            attend(
                call,
                Score::Additive(Additive {
                    inside: scale,
                    outside,
                }),
                None,
            )
        }
        _ => Err(call.config.not("score_mode")),
    }
}

fn additive_attention(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let outside = match call.inputs.first() {
        Some(query) if call.config.flag("use_scale", true)? => {
            let size = call.known(query, query.rank().saturating_sub(1))?;
            Some(call.weight("scale", &[size], true)?)
        }
        _ => None,
    };
    attend(
        call,
        Score::Additive(Additive {
            inside: None,
            outside,
        }),
        None,
    )
}

/// Attention of one head, without projections.
fn attend(call: &mut Call<'_>, score: Score, gain: Option<ParamId>) -> Result<Vec<Sym>, Unsupported> {
    let [mut query, value, key] = sequences(call)?;
    if let Some(gain) = gain {
        let shape = query.shape.clone();
        query.id = call.builder.op(Gain { gain }, &[&query], shape).id;
    }
    let op = Attend {
        heads: 1,
        shared: 1,
        score,
        scale: 1.0,
        causal: flag(call, "use_causal_mask"),
        dropout: call.config.f32("dropout", 0.0)?,
        training: call.training,
        masks: (query.mask.is_some(), value.mask.is_some()),
        scores: Vec::new(),
        factors: Vec::new(),
        blank_query: true,
    };
    let mut inputs = vec![query.id, key.id, value.id];
    inputs.extend(query.mask.into_iter().chain(value.mask));
    let asked = flag(call, "return_attention_scores");
    let ids = call.builder.op_ids(Box::new(op), inputs, 1 + usize::from(asked));
    let sym = |id, last, mask| Sym {
        id,
        shape: vec![None, query.shape[1], last],
        mask,
        logits: None,
    };
    let y = sym(ids[0], value.shape[2], query.mask);
    let scores = ids.get(1).map(|&id| sym(id, key.shape[1], None));
    Ok(std::iter::once(y).chain(scores).collect())
}

/// Times a weight that is one number.
struct Gain {
    gain: ParamId,
}

impl Op for Gain {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn trains(&self) -> bool {
        true
    }

    fn forward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &mut [Tensor],
    ) -> Result<(), EngineError> {
        outs[0].resize(ins[0].shape())?;
        let gain = ctx.params[self.gain].value[0];
        for (y, &x) in outs[0].data_mut().iter_mut().zip(ins[0].data()) {
            *y = x * gain;
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let param = &mut ctx.params[self.gain];
        let pairs = || ins[0].data().iter().zip(gouts[0].data());
        param.grad_mut()[0] += pairs().map(|(x, gy)| x * gy).sum::<f32>();
        if let Some(gx) = &mut gins[0] {
            let values = gx.data_mut().iter_mut().zip(gouts[0].data());
            values.for_each(|(gx, &gy)| *gx += gy * param.value[0]);
        }
        Ok(())
    }
}

/// How well a query and a key go together.
enum Score {
    /// Their product.
    Dot,
    Additive(Additive),
}

/// Softmax of query against keys, times values, head by head. A second output, if there is one, are the shares.
struct Attend {
    heads: usize,
    /// Heads of keys and values.
    shared: usize,
    score: Score,
    scale: f32,
    causal: bool,
    dropout: f32,
    training: Option<bool>,
    /// Whether a mask of the query and one of the values come after the three inputs.
    masks: (bool, bool),
    /// After the softmax: `[sample, head, query, key]`.
    scores: Vec<f32>,
    factors: Vec<f32>,
    /// Whether masked queries give zeros by their output instead of by their scores. This layer gives its shares after
    /// dropout, the other before.
    blank_query: bool,
}

impl Attend {
    /// Whether a query may see a key.
    fn sees(&self, ins: &[&Tensor], sample: usize, query: usize, key: usize) -> bool {
        let (queries, keys) = (ins[0].dim(1), ins[1].dim(1));
        let mut at = 3;
        let mut seen = !self.causal || key <= query;
        if self.masks.0 {
            seen &= self.blank_query || ins[at].data()[sample * queries + query] != 0.0;
            at += 1;
        }
        if self.masks.1 {
            seen &= ins[at].data()[sample * keys + key] != 0.0;
        }
        seen
    }

    fn blank(&self, ins: &[&Tensor], sample: usize, query: usize) -> bool {
        self.blank_query && self.masks.0 && ins[3].data()[sample * ins[0].dim(1) + query] == 0.0
    }

    /// The part of a sample that a head reads of keys or values.
    fn shared_part<'a>(&self, x: &'a Tensor, sample: usize, head: usize) -> Mat<'a> {
        Self::part(x, self.shared, sample, head * self.shared / self.heads)
    }

    /// The part of a sample and head within `[sample, step, head · size]`.
    fn part(x: &Tensor, heads: usize, sample: usize, head: usize) -> Mat<'_> {
        let (steps, wide) = (x.dim(1), x.dim(2));
        Mat {
            data: &x.data()[sample * steps * wide + head * (wide / heads)..],
            row: wide,
            column: 1,
        }
    }
}

fn flip(mat: Mat<'_>) -> Mat<'_> {
    Mat {
        data: mat.data,
        row: mat.column,
        column: mat.row,
    }
}

impl Op for Attend {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn forward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &mut [Tensor],
    ) -> Result<(), EngineError> {
        let (q, k, v) = (ins[0], ins[1], ins[2]);
        let (samples, queries, keys) = (q.dim(0), q.dim(1), k.dim(1));
        if q.dim(2) * self.shared != k.dim(2) * self.heads
            || keys != v.dim(1)
            || k.dim(0) != samples
            || v.dim(0) != samples
        {
            return Err(EngineError::shape(
                "attention",
                format!("{:?}, {:?}, {:?}", q.shape(), k.shape(), v.shape()),
            ));
        }
        let (size, out) = (q.dim(2) / self.heads, v.dim(2) / self.shared);
        let wide = out * self.heads;
        outs[0].zero(&[samples, queries, wide])?;
        let block = queries * keys;
        if let Some(shares) = outs.get_mut(1) {
            match self.blank_query {
                true => shares.resize(&[samples, queries, keys])?,
                false => shares.resize(&[samples, self.heads, queries, keys])?,
            }
        }
        self.scores.resize(samples * self.heads * block, 0.0);
        self.factors.clear();
        if self.dropout > 0.0 && self.training.unwrap_or(ctx.training) {
            let keep = 1.0 - self.dropout;
            let rng = &mut *ctx.rng;
            self.factors.extend(
                (0..self.scores.len()).map(|_| if rng.f32() < self.dropout { 0.0 } else { 1.0 / keep }),
            );
        }
        let mut mixed = vec![0.0; block];
        for sample in 0..samples {
            for head in 0..self.heads {
                let at = (sample * self.heads + head) * block;
                let (a, b) = (
                    Self::part(q, self.heads, sample, head),
                    self.shared_part(k, sample, head),
                );
                let mut scores = std::mem::take(&mut self.scores);
                let own = &mut scores[at..at + block];
                match &self.score {
                    Score::Dot => matmul((queries, size, keys), a, flip(b), own, keys, false),
                    Score::Additive(additive) => {
                        additive.scores(ctx.params, (a.data, b.data), (queries, keys, size), own);
                    }
                }
                for (query, row) in own.chunks_exact_mut(keys).enumerate() {
                    for (key, score) in row.iter_mut().enumerate() {
                        *score *= self.scale;
                        if !self.sees(ins, sample, query, key) {
                            *score = -1e9;
                        }
                    }
                    softmax_row(row);
                    for (key, score) in row.iter_mut().enumerate() {
                        if !self.blank_query && !self.sees(ins, sample, query, key) {
                            *score = 0.0;
                        }
                    }
                }
                mixed.copy_from_slice(own);
                self.scores = scores;
                if let Some(factors) = self.factors.get(at..at + block) {
                    mixed
                        .iter_mut()
                        .zip(factors)
                        .for_each(|(value, factor)| *value *= factor);
                }
                if let Some(shares) = outs.get_mut(1) {
                    let given = if self.blank_query {
                        &mixed
                    } else {
                        &self.scores[at..at + block]
                    };
                    shares.data_mut()[at..at + block].copy_from_slice(given);
                }
                let values = self.shared_part(v, sample, head);
                let to = &mut outs[0].data_mut()[sample * queries * wide + head * out..];
                matmul(
                    (queries, keys, out),
                    Mat::rows(&mixed, keys),
                    values,
                    to,
                    wide,
                    false,
                );
            }
            for query in 0..queries {
                if self.blank(ins, sample, query) {
                    let at = (sample * queries + query) * wide;
                    outs[0].data_mut()[at..at + wide].fill(0.0);
                }
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (q, k, v) = (ins[0], ins[1], ins[2]);
        let (samples, queries, keys) = (q.dim(0), q.dim(1), k.dim(1));
        let (size, out) = (q.dim(2) / self.heads, v.dim(2) / self.shared);
        let block = queries * keys;
        let mut blanked = gouts[0].clone();
        let wide = blanked.dim(2);
        for sample in 0..samples {
            for query in 0..queries {
                if self.blank(ins, sample, query) {
                    let at = (sample * queries + query) * wide;
                    blanked.data_mut()[at..at + wide].fill(0.0);
                }
            }
        }
        let (mut slopes, mut mixed) = (vec![0.0; block], vec![0.0; block]);
        for sample in 0..samples {
            for head in 0..self.heads {
                let at = (sample * self.heads + head) * block;
                let scores = &self.scores[at..at + block];
                let factors = self.factors.get(at..at + block);
                mixed.copy_from_slice(scores);
                if let Some(factors) = factors {
                    mixed
                        .iter_mut()
                        .zip(factors)
                        .for_each(|(value, factor)| *value *= factor);
                }
                let gy = Self::part(&blanked, self.heads, sample, head);
                let values = self.shared_part(v, sample, head);
                let common = head * self.shared / self.heads;
                if let Some(gin) = &mut gins[2] {
                    let stride = v.dim(2);
                    let to = &mut gin.data_mut()[sample * keys * stride + common * out..];
                    matmul(
                        (keys, queries, out),
                        Mat::transposed(&mixed, keys),
                        gy,
                        to,
                        stride,
                        true,
                    );
                }
                matmul((queries, out, keys), gy, flip(values), &mut slopes, keys, false);
                let of_shares = gouts.get(1).map(|gradient| &gradient.data()[at..at + block]);
                // This layer gives its shares after dropout, the other before.
                let given = of_shares.filter(|_| self.blank_query).into_iter().flatten();
                slopes
                    .iter_mut()
                    .zip(given)
                    .for_each(|(slope, given)| *slope += given);
                if let Some(factors) = factors {
                    slopes
                        .iter_mut()
                        .zip(factors)
                        .for_each(|(value, factor)| *value *= factor);
                }
                let given = of_shares.filter(|_| !self.blank_query).into_iter().flatten();
                slopes
                    .iter_mut()
                    .zip(given)
                    .for_each(|(slope, given)| *slope += given);
                for (slopes, scores) in slopes.chunks_exact_mut(keys).zip(scores.chunks_exact(keys)) {
                    let dot: f32 = slopes
                        .iter()
                        .zip(scores)
                        .map(|(slope, score)| slope * score)
                        .sum();
                    for (slope, &score) in slopes.iter_mut().zip(scores) {
                        *slope = score * (*slope - dot) * self.scale;
                    }
                }
                let (a, b) = (
                    Self::part(q, self.heads, sample, head),
                    self.shared_part(k, sample, head),
                );
                if let Score::Additive(additive) = &self.score {
                    let (of_query, of_key) = gins.split_at_mut(1);
                    let gradients = (
                        of_query[0]
                            .as_mut()
                            .map(|gin| &mut gin.data_mut()[sample * queries * size..]),
                        of_key[0]
                            .as_mut()
                            .map(|gin| &mut gin.data_mut()[sample * keys * size..]),
                    );
                    let sizes = (queries, keys, size);
                    additive.back(ctx.params, (a.data, b.data), sizes, &slopes, gradients);
                    continue;
                }
                let stride = q.dim(2);
                if let Some(gin) = &mut gins[0] {
                    let to = &mut gin.data_mut()[sample * queries * stride + head * size..];
                    matmul(
                        (queries, keys, size),
                        Mat::rows(&slopes, keys),
                        b,
                        to,
                        stride,
                        true,
                    );
                }
                if let Some(gin) = &mut gins[1] {
                    let stride = k.dim(2);
                    let to = &mut gin.data_mut()[sample * keys * stride + common * size..];
                    matmul(
                        (keys, queries, size),
                        Mat::transposed(&slopes, keys),
                        a,
                        to,
                        stride,
                        true,
                    );
                }
            }
        }
        Ok(())
    }
}
