//! Layers with several inputs, and the same as operations of `keras.ops`.

use serde_json::Value;

use super::{Build, Entry};
use crate::graph::{Call, Dim, Sym, ValueId};
use crate::native::{Mat, matmul};
use crate::op::{Backward, Ctx, Elementwise, Op};
use crate::tensor::around;
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("Add", add),
    Entry::unmasked("Subtract", subtract),
    Entry::unmasked("Multiply", multiply),
    Entry::unmasked("Average", average),
    Entry::unmasked("Maximum", maximum),
    Entry::unmasked("Minimum", minimum),
    Entry::unmasked("Concatenate", concatenate),
    Entry::unmasked("Dot", dot),
];

pub(super) const fn operation(class: &'static str, build: Build) -> Entry {
    Entry {
        class,
        build,
        masking: false,
        operation: true,
    }
}

pub(super) const OPERATIONS: &[Entry] = &[
    operation("Add", add),
    operation("Subtract", subtract),
    operation("Multiply", multiply),
    operation("Divide", divide),
    operation("TrueDivide", divide),
    operation("Maximum", maximum),
    operation("Minimum", minimum),
    operation("Concatenate", concatenate),
    operation("Negative", negative),
    operation("Square", square),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Add,
    Subtract,
    Multiply,
    Divide,
    Maximum,
    Minimum,
}

fn add(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    combine(call, Kind::Add, false)
}

fn subtract(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    combine(call, Kind::Subtract, false)
}

fn multiply(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    combine(call, Kind::Multiply, false)
}

fn divide(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    combine(call, Kind::Divide, false)
}

fn average(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    combine(call, Kind::Add, true)
}

fn maximum(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    combine(call, Kind::Maximum, false)
}

fn minimum(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    combine(call, Kind::Minimum, false)
}

fn negative(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    Ok(vec![affine(call, &x, -1.0, 0.0)])
}

fn square(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let shape = x.shape.clone();
    let op = Elementwise {
        name: "square",
        forward: |x: f32| x * x,
        backward: |x: f32, _, gy: f32| 2.0 * x * gy,
    };
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

/// `scale · x + shift`.
pub(super) fn affine(call: &mut Call<'_>, x: &Sym, scale: f32, shift: f32) -> Sym {
    let shape = x.shape.clone();
    let op = Elementwise {
        name: "affine",
        forward: move |x: f32| x * scale + shift,
        backward: move |_, _, gy: f32| gy * scale,
    };
    call.builder.op(op, &[x], shape)
}

/// A plain number among the positional arguments, and whether it comes first.
fn constant(call: &Call<'_>) -> Option<(f32, bool)> {
    let items = call.args.as_array()?;
    let at = items.iter().position(Value::is_number)?;
    (items.len() == 2).then(|| items[at].as_f64().map(|number| (number as f32, at == 0)))?
}

fn combine(call: &mut Call<'_>, kind: Kind, mean: bool) -> Result<Vec<Sym>, Unsupported> {
    let inputs = std::mem::take(&mut call.inputs);
    if let ([x], Some((number, first))) = (inputs.as_slice(), constant(call)) {
        let y = match (kind, first) {
            (Kind::Add, _) => affine(call, x, 1.0, number),
            (Kind::Subtract, false) => affine(call, x, 1.0, -number),
            (Kind::Subtract, true) => affine(call, x, -1.0, number),
            (Kind::Multiply, _) => affine(call, x, number, 0.0),
            (Kind::Divide, false) => affine(call, x, 1.0 / number, 0.0),
            _ => return Err(call.unsupported("a constant operand")),
        };
        return Ok(vec![y]);
    }
    let count = inputs.len();
    let mut inputs = inputs.into_iter();
    let (Some(mut sum), true) = (inputs.next(), count > 1) else {
        return Err(call.unsupported("fewer than two inputs"));
    };
    for next in inputs {
        let mask = one_mask(call, &[&sum, &next]);
        let shape = wider(&sum.shape, &next.shape)
            .ok_or_else(|| call.unsupported(format!("shapes {:?} and {:?}", sum.shape, next.shape)))?;
        let y = call.builder.op(Binary { kind }, &[&sum, &next], shape);
        sum = Sym { mask, ..y };
    }
    if mean {
        let mask = sum.mask;
        sum = Sym {
            mask,
            ..affine(call, &sum, 1.0 / count as f32, 0.0)
        };
    }
    Ok(vec![sum])
}

/// The shape two shapes are stretched to.
pub(super) fn wider(a: &[Dim], b: &[Dim]) -> Option<Vec<Dim>> {
    let rank = a.len().max(b.len());
    // Keras aligns inputs of different rank behind the batch.
    if a.len() != b.len() {
        return None;
    }
    (0..rank)
        .map(|axis| match (a[axis], b[axis]) {
            (Some(1), other) | (other, Some(1)) => Some(other),
            (None, other) | (other, None) => Some(other),
            (Some(x), Some(y)) => (x == y).then_some(Some(x)),
        })
        .collect()
}

/// How `Bidirectional` merges its two halves.
pub(super) fn of_two(call: &mut Call<'_>, inputs: &[Sym], mode: &str) -> Result<Sym, Unsupported> {
    let [a, b] = inputs else {
        return Err(call.unsupported("not two halves"));
    };
    let kind = if mode == "mul" { Kind::Multiply } else { Kind::Add };
    let shape = a.shape.clone();
    let y = call.builder.op(Binary { kind }, &[a, b], shape);
    Ok(if mode == "ave" {
        affine(call, &y, 0.5, 0.0)
    } else {
        y
    })
}

struct Binary {
    kind: Kind,
}

/// For each element of the result the element of an operand of that shape.
pub(super) fn places(shape: &[usize], own: &[usize]) -> impl Fn(usize) -> usize + use<> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for axis in (0..shape.len()).rev() {
        strides.push((shape[axis], if own[axis] == 1 { 0 } else { stride }));
        stride *= own[axis];
    }
    move |mut index| {
        let mut at = 0;
        for &(size, stride) in &strides {
            at += index % size * stride;
            index /= size;
        }
        at
    }
}

impl Op for Binary {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Add => "add",
            Kind::Subtract => "subtract",
            Kind::Multiply => "multiply",
            Kind::Divide => "divide",
            Kind::Maximum => "maximum",
            Kind::Minimum => "minimum",
        }
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let (a, b, y) = (ins[0], ins[1], &mut outs[0]);
        let fits = a.rank() == b.rank()
            && a.shape()
                .iter()
                .zip(b.shape())
                .all(|(&x, &y)| x == y || x == 1 || y == 1);
        if !fits {
            return Err(EngineError::shape(
                self.name(),
                format!("shapes {:?} and {:?}", a.shape(), b.shape()),
            ));
        }
        let shape: Vec<usize> = a
            .shape()
            .iter()
            .zip(b.shape())
            .map(|(&x, &y)| if x == 1 { y } else { x })
            .collect();
        y.resize(&shape)?;
        let kind = self.kind;
        let value = move |a: f32, b: f32| match kind {
            Kind::Add => a + b,
            Kind::Subtract => a - b,
            Kind::Multiply => a * b,
            Kind::Divide => a / b,
            Kind::Maximum => {
                if a.is_nan() || a > b {
                    a
                } else {
                    b
                }
            }
            Kind::Minimum => {
                if a.is_nan() || a < b {
                    a
                } else {
                    b
                }
            }
        };
        if a.shape() == b.shape() {
            for ((y, &a), &b) in y.data_mut().iter_mut().zip(a.data()).zip(b.data()) {
                *y = value(a, b);
            }
        } else {
            let (of_a, of_b) = (places(&shape, a.shape()), places(&shape, b.shape()));
            for (index, y) in y.data_mut().iter_mut().enumerate() {
                *y = value(a.data()[of_a(index)], b.data()[of_b(index)]);
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward {
            ins,
            outs,
            gouts,
            gins,
        }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (a, b, shape) = (ins[0], ins[1], outs[0].shape());
        let (of_a, of_b) = (places(shape, a.shape()), places(shape, b.shape()));
        for (index, &gy) in gouts[0].data().iter().enumerate() {
            let (at_a, at_b) = (of_a(index), of_b(index));
            let (x, y) = (a.data()[at_a], b.data()[at_b]);
            let (da, db) = match self.kind {
                Kind::Add => (gy, gy),
                Kind::Subtract => (gy, -gy),
                Kind::Multiply => (gy * y, gy * x),
                Kind::Divide => (gy / y, -gy * x / (y * y)),
                // TensorFlow gives the gradient of a tie to the first.
                Kind::Maximum => {
                    if x >= y {
                        (gy, 0.0)
                    } else {
                        (0.0, gy)
                    }
                }
                Kind::Minimum => {
                    if x <= y {
                        (gy, 0.0)
                    } else {
                        (0.0, gy)
                    }
                }
            };
            if let Some(gin) = &mut gins[0] {
                gin.data_mut()[at_a] += da;
            }
            if let Some(gin) = &mut gins[1] {
                gin.data_mut()[at_b] += db;
            }
        }
        Ok(())
    }
}

fn concatenate(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let inputs = std::mem::take(&mut call.inputs);
    let axis = match call.kwargs.get("axis").and_then(Value::as_i64) {
        Some(axis) => axis,
        None => call.config.int("axis", -1)?,
    };
    Ok(vec![join(call, &inputs, axis)?])
}

/// The mask of a merged value: where one of the inputs is real; none when an input has none.
fn one_mask(call: &mut Call<'_>, inputs: &[&Sym]) -> Option<ValueId> {
    let mut mask: Option<Sym> = None;
    for input in inputs {
        let own = Sym {
            id: input.mask?,
            shape: input.shape.get(..2)?.to_vec(),
            mask: None,
            logits: None,
        };
        mask = Some(match mask {
            Some(mask) if mask.id != own.id => super::logic::either(call, &mask, &own),
            _ => own,
        });
    }
    mask.map(|mask| mask.id)
}

/// One behind the other along an axis.
pub(super) fn join(call: &mut Call<'_>, inputs: &[Sym], axis: i64) -> Result<Sym, Unsupported> {
    let first = inputs.first().ok_or_else(|| call.unsupported("no inputs"))?;
    let axis = first
        .axis(axis)
        .filter(|&axis| axis > 0)
        .ok_or_else(|| call.config.not("axis"))?;
    let rank = first.rank();
    let mut shape = first.shape.clone();
    if inputs.iter().any(|input| input.rank() != rank) {
        return Err(call.unsupported("inputs of different rank"));
    }
    shape[axis] = inputs
        .iter()
        .try_fold(0, |sum: usize, input| sum.checked_add(input.shape[axis]?));
    if axis == 1 && inputs.iter().any(|input| input.mask.is_some()) {
        return Err(call.unsupported("masks one behind the other"));
    }
    let all: Vec<&Sym> = inputs.iter().collect();
    let mask = one_mask(call, &all);
    let y = call.builder.op(Concatenate { axis }, &all, shape);
    Ok(Sym { mask, ..y })
}

struct Concatenate {
    axis: usize,
}

impl Op for Concatenate {
    fn name(&self) -> &'static str {
        "concatenate"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let first = ins[0].shape();
        let fits = |x: &&Tensor| {
            x.rank() == first.len()
                && (0..first.len()).all(|axis| axis == self.axis || x.dim(axis) == first[axis])
        };
        if !ins.iter().all(fits) {
            let shapes: Vec<_> = ins.iter().map(|x| x.shape().to_vec()).collect();
            return Err(EngineError::shape("concatenate", format!("{shapes:?}")));
        }
        let mut shape = first.to_vec();
        shape[self.axis] = ins.iter().map(|x| x.dim(self.axis)).sum();
        outs[0].resize(&shape)?;
        let (before, size, after) = around(&shape, self.axis);
        let mut offset = 0;
        for x in ins {
            let own = x.dim(self.axis) * after;
            for row in 0..before {
                let to = row * size * after + offset;
                outs[0].data_mut()[to..to + own].copy_from_slice(&x.data()[row * own..(row + 1) * own]);
            }
            offset += own;
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (before, size, after) = around(gouts[0].shape(), self.axis);
        let mut offset = 0;
        for (x, gin) in ins.iter().zip(gins) {
            let own = x.dim(self.axis) * after;
            if let Some(gin) = gin {
                for row in 0..before {
                    let from = row * size * after + offset;
                    let gx = &mut gin.data_mut()[row * own..(row + 1) * own];
                    for (gx, &gy) in gx.iter_mut().zip(&gouts[0].data()[from..from + own]) {
                        *gx += gy;
                    }
                }
            }
            offset += own;
        }
        Ok(())
    }
}

/// `Dot` over the last or another axis of two inputs of rank 2 or 3.
fn dot(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let [a, b]: [Sym; 2] = std::mem::take(&mut call.inputs)
        .try_into()
        .map_err(|_| call.unsupported("not two inputs"))?;
    let normalize = call.config.flag("normalize", false)?;
    let axes = match call.config.get("axes") {
        Some(Value::Array(two)) if two.len() == 2 => (two[0].as_i64(), two[1].as_i64()),
        Some(one) => (one.as_i64(), one.as_i64()),
        None => (None, None),
    };
    let (Some(in_a), Some(in_b)) = (
        axes.0.and_then(|axis| a.axis(axis)),
        axes.1.and_then(|axis| b.axis(axis)),
    ) else {
        return Err(call.config.not("axes"));
    };
    if !(2..=3).contains(&a.rank()) || !(2..=3).contains(&b.rank()) || in_a == 0 || in_b == 0 {
        return Err(call.unsupported("inputs of a rank that is not covered"));
    }
    let (a, b) = if normalize {
        let a = super::length::along(call, &a, in_a);
        (a, super::length::along(call, &b, in_b))
    } else {
        (a, b)
    };
    let rest = |sym: &Sym, axis: usize| {
        (1..sym.rank())
            .filter(|&at| at != axis)
            .map(|at| sym.shape[at])
            .collect::<Vec<_>>()
    };
    let mut shape = vec![None];
    shape.extend(rest(&a, in_a));
    shape.extend(rest(&b, in_b));
    if shape.len() == 1 {
        shape.push(Some(1));
    }
    Ok(vec![call.builder.op(Dot { in_a, in_b }, &[&a, &b], shape)])
}

/// Products of matrices, sample by sample, summed over an axis of each.
pub(super) fn products(call: &mut Call<'_>, a: &Sym, b: &Sym, (in_a, in_b): (usize, usize)) -> Sym {
    let shape = vec![None, a.shape[3 - in_a], b.shape[3 - in_b]];
    call.builder.op(Dot { in_a, in_b }, &[a, b], shape)
}

struct Dot {
    in_a: usize,
    in_b: usize,
}

/// Rows of a sample against the axis that is summed over.
fn oriented(x: &Tensor, axis: usize, sample: usize) -> (Mat<'_>, usize, usize) {
    let each = x.len() / x.dim(0).max(1);
    let data = &x.data()[sample * each..(sample + 1) * each];
    let length = x.dim(axis);
    let others = each / length.max(1);
    // Rank 2: one row. Rank 3: the axis is the last (rows as they are) or the middle (transposed).
    let mat = if x.rank() == 2 || axis == 2 {
        Mat::rows(data, length)
    } else {
        Mat::transposed(data, others)
    };
    (mat, others, length)
}

fn flip(mat: Mat<'_>) -> Mat<'_> {
    Mat {
        data: mat.data,
        row: mat.column,
        column: mat.row,
    }
}

impl Op for Dot {
    fn name(&self) -> &'static str {
        "dot"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let (a, b, y) = (ins[0], ins[1], &mut outs[0]);
        if a.dim(self.in_a) != b.dim(self.in_b) || a.dim(0) != b.dim(0) {
            return Err(EngineError::shape(
                "dot",
                format!("{:?} and {:?}", a.shape(), b.shape()),
            ));
        }
        let rest = |x: &Tensor, axis: usize| {
            (1..x.rank())
                .filter(|&at| at != axis)
                .map(|at| x.dim(at))
                .collect::<Vec<_>>()
        };
        let mut shape = vec![a.dim(0)];
        shape.extend(rest(a, self.in_a));
        shape.extend(rest(b, self.in_b));
        if shape.len() == 1 {
            shape.push(1);
        }
        y.resize(&shape)?;
        let each = y.len() / y.dim(0).max(1);
        for sample in 0..a.dim(0) {
            let (left, m, k) = oriented(a, self.in_a, sample);
            let (right, n, _) = oriented(b, self.in_b, sample);
            let to = &mut y.data_mut()[sample * each..(sample + 1) * each];
            matmul((m, k, n), left, flip(right), to, n, false);
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (a, b) = (ins[0], ins[1]);
        let each = gouts[0].len() / gouts[0].dim(0).max(1);
        for sample in 0..a.dim(0) {
            let (left, m, k) = oriented(a, self.in_a, sample);
            let (right, n, _) = oriented(b, self.in_b, sample);
            let gy = Mat::rows(&gouts[0].data()[sample * each..(sample + 1) * each], n);
            for (which, x, axis) in [(0, a, self.in_a), (1, b, self.in_b)] {
                let Some(gin) = &mut gins[which] else { continue };
                let (rows, product) = if which == 0 {
                    (m, (gy, right, n))
                } else {
                    (n, (flip(gy), left, m))
                };
                let mut gradient = vec![0.0; rows * k];
                matmul(
                    (rows, product.2, k),
                    product.0,
                    product.1,
                    &mut gradient,
                    k,
                    false,
                );
                let size = x.len() / x.dim(0).max(1);
                let gx = &mut gin.data_mut()[sample * size..(sample + 1) * size];
                let turned = x.rank() == 3 && axis == 1;
                for row in 0..rows {
                    for at in 0..k {
                        let to = if turned { at * rows + row } else { row * k + at };
                        gx[to] += gradient[row * k + at];
                    }
                }
            }
        }
        Ok(())
    }
}
