//! `MultiHeadAttention`, `Attention` and `EinsumDense`.

use serde_json::Value;

use super::Entry;
use super::dense::Affine;
use crate::activations::softmax_row;
use crate::graph::{Call, ParamId, Sym};
use crate::native::{Mat, matmul};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::new("MultiHeadAttention", multi_head),
    Entry::unmasked("Attention", attention),
    Entry::new("EinsumDense", einsum),
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

fn multi_head(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let config = call.config;
    let mut tensors = std::mem::take(&mut call.inputs);
    for key in ["query", "value", "key"] {
        tensors.extend(call.take(key).unwrap_or_default());
    }
    if !(2..=3).contains(&tensors.len()) {
        return Err(call.unsupported("not a query and a value"));
    }
    let (query, value) = (tensors[0].clone(), tensors[1].clone());
    let key = tensors.get(2).unwrap_or(&value).clone();
    config.only("attention_axes", &[serde_json::json!([1])])?;
    for name in ["return_attention_scores", "use_causal_mask"] {
        if call.kwargs[name].as_bool() == Some(true) && name == "return_attention_scores" {
            return Err(call.unsupported(name));
        }
    }
    if [&query, &value, &key].iter().any(|sym| sym.rank() != 3) {
        return Err(call.unsupported("inputs that are no sequences"));
    }
    let causal = call.kwargs["use_causal_mask"].as_bool() == Some(true);
    let heads = config.size("num_heads")?;
    let size = config.size("key_dim")?;
    let value_size = config.opt_size("value_dim")?.unwrap_or(size);
    let features = |call: &Call<'_>, sym: &Sym| call.known(sym, 2);
    let (of_query, of_key, of_value) = (
        features(call, &query)?,
        features(call, &key)?,
        features(call, &value)?,
    );
    let q = project(call, "query", &query, (&[of_query], &[heads, size]))?;
    let k = project(call, "key", &key, (&[of_key], &[heads, size]))?;
    let v = project(call, "value", &value, (&[of_value], &[heads, value_size]))?;
    let out = match config.get("output_shape") {
        None => of_query,
        Some(Value::Array(items)) if items.len() == 1 => config.sizes("output_shape", 1, of_query)?[0],
        Some(_) => config.size("output_shape")?,
    };
    let op = Attend {
        heads,
        scale: 1.0 / (size as f32).sqrt(),
        causal,
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
    let id = call.builder.op_ids(Box::new(op), inputs, 1)[0];
    let mixed = Sym {
        id,
        shape: vec![None, query.shape[1], Some(heads * value_size)],
        mask: None,
        logits: None,
    };
    let y = project(call, "attention_output", &mixed, (&[heads, value_size], &[out]))?;
    Ok(vec![Sym {
        mask: query.mask,
        ..y
    }])
}

fn attention(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let tensors = std::mem::take(&mut call.inputs);
    if !(2..=3).contains(&tensors.len()) || tensors.iter().any(|sym| sym.rank() != 3) {
        return Err(call.unsupported("not a query and a value"));
    }
    call.config.only("score_mode", &["dot".into()])?;
    if call.kwargs["return_attention_scores"].as_bool() == Some(true) {
        return Err(call.unsupported("return_attention_scores"));
    }
    let mut query = tensors[0].clone();
    if call.config.flag("use_scale", false)? {
        let gain = call.weight("scale", &[], true)?;
        let shape = query.shape.clone();
        let scaled = call.builder.op(Gain { gain }, &[&query], shape);
        query.id = scaled.id;
    }
    let (query, value) = (&query, &tensors[1]);
    let key = tensors.get(2).unwrap_or(value);
    let op = Attend {
        heads: 1,
        scale: 1.0,
        causal: call.kwargs["use_causal_mask"].as_bool() == Some(true),
        dropout: call.config.f32("dropout", 0.0)?,
        training: call.training,
        masks: (query.mask.is_some(), value.mask.is_some()),
        scores: Vec::new(),
        factors: Vec::new(),
        blank_query: true,
    };
    let mut inputs = vec![query.id, key.id, value.id];
    inputs.extend(query.mask.into_iter().chain(value.mask));
    let id = call.builder.op_ids(Box::new(op), inputs, 1)[0];
    Ok(vec![Sym {
        id,
        shape: vec![None, query.shape[1], value.shape[2]],
        mask: query.mask,
        logits: None,
    }])
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

/// Softmax of query against keys, times values, head by head.
struct Attend {
    heads: usize,
    scale: f32,
    causal: bool,
    dropout: f32,
    training: Option<bool>,
    /// Whether a mask of the query and one of the values come after the three inputs.
    masks: (bool, bool),
    /// After the softmax: `[sample, head, query, key]`.
    scores: Vec<f32>,
    factors: Vec<f32>,
    /// Whether masked queries give zeros by their output instead of by their scores.
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
        if q.dim(2) != k.dim(2) || keys != v.dim(1) || k.dim(0) != samples || v.dim(0) != samples {
            return Err(EngineError::shape(
                "attention",
                format!("{:?}, {:?}, {:?}", q.shape(), k.shape(), v.shape()),
            ));
        }
        let (size, out) = (q.dim(2) / self.heads, v.dim(2) / self.heads);
        let wide = v.dim(2);
        outs[0].zero(&[samples, queries, wide])?;
        let block = queries * keys;
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
                    Self::part(k, self.heads, sample, head),
                );
                let mut scores = std::mem::take(&mut self.scores);
                let own = &mut scores[at..at + block];
                matmul((queries, size, keys), a, flip(b), own, keys, false);
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
                let values = Self::part(v, self.heads, sample, head);
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
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (q, k, v) = (ins[0], ins[1], ins[2]);
        let (samples, queries, keys) = (q.dim(0), q.dim(1), k.dim(1));
        let (size, out) = (q.dim(2) / self.heads, v.dim(2) / self.heads);
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
                let values = Self::part(v, self.heads, sample, head);
                if let Some(gin) = &mut gins[2] {
                    let stride = v.dim(2);
                    let to = &mut gin.data_mut()[sample * keys * stride + head * out..];
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
                if let Some(factors) = factors {
                    slopes
                        .iter_mut()
                        .zip(factors)
                        .for_each(|(value, factor)| *value *= factor);
                }
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
                    Self::part(k, self.heads, sample, head),
                );
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
                    let to = &mut gin.data_mut()[sample * keys * stride + head * size..];
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

/// `EinsumDense` whose equation contracts the last axes of the input and puts new ones in their place.
fn einsum(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let equation = call.config.text("equation", "")?;
    let refused = || call.config.not("equation");
    let (inputs, output) = equation.split_once("->").ok_or_else(refused)?;
    let (input, kernel) = inputs.split_once(',').ok_or_else(refused)?;
    let letters = |text: &str| -> Vec<char> { text.trim().replace("...", "").chars().collect() };
    let (input, kernel, output) = (letters(input), letters(kernel), letters(output));
    let summed = input
        .iter()
        .rev()
        .take_while(|letter| kernel.contains(letter))
        .count();
    let (kept, last) = input.split_at(input.len() - summed);
    let plain = kernel.starts_with(last) && summed > 0 && {
        let fresh = &kernel[summed..];
        output == [kept, fresh].concat()
            && !fresh.is_empty()
            && fresh.iter().all(|letter| !input.contains(letter))
    };
    if !plain || summed >= x.rank() {
        return Err(refused());
    }
    let fresh = kernel.len() - summed;
    let from: Vec<usize> = (x.rank() - summed..x.rank())
        .map(|axis| call.known(&x, axis))
        .collect::<Result<_, _>>()?;
    let sizes: Vec<Option<u64>> = match call.config.get("output_shape") {
        Some(Value::Array(items)) => items.iter().map(Value::as_u64).collect(),
        Some(one) => vec![one.as_u64()],
        None => return Err(call.config.not("output_shape")),
    };
    let wanted = sizes.iter().rev().take(fresh).rev();
    let to: Option<Vec<usize>> = wanted
        .map(|size| {
            usize::try_from((*size)?)
                .ok()
                .filter(|size| (1..=1 << 28).contains(size))
        })
        .collect();
    let to = to
        .filter(|to| to.len() == fresh)
        .ok_or_else(|| call.config.not("output_shape"))?;
    let kernel: Vec<usize> = from.iter().chain(&to).copied().collect();
    let kernel = call.weight("kernel", &kernel, true)?;
    let bias = match call.config.get("bias_axes").and_then(Value::as_str) {
        None => None,
        Some(axes) if axes.chars().eq(output[output.len() - fresh..].iter().copied()) => {
            Some(call.weight("bias", &to, true)?)
        }
        Some(_) => return Err(call.config.not("bias_axes")),
    };
    let (features, units) = (from.iter().product(), to.iter().product());
    let mut flat = x.shape[..x.rank() - summed].to_vec();
    let front = flat.clone();
    flat.push(Some(features));
    let x = if summed == 1 {
        x
    } else {
        super::reshape::to_last(call, &x, from.len(), &[features], flat.clone())
    };
    flat.pop();
    flat.push(Some(units));
    let op = Affine {
        kernel,
        bias,
        features,
        units,
    };
    let mut y = call.builder.op(op, &[&x], flat);
    if fresh > 1 {
        let mut shape = front;
        shape.extend(to.iter().map(|&size| Some(size)));
        y = super::reshape::to_last(call, &y, 1, &to, shape);
    }
    Ok(vec![call.activate(y)?])
}
