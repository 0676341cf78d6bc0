//! Dense row-major arrays of `f32`.

use crate::EngineError;

/// Most elements of one tensor (2 GiB).
const LARGEST: usize = 1 << 29;

/// The number of elements of a shape, if it is within the limit.
pub fn checked_len(shape: &[usize]) -> Result<usize, EngineError> {
    shape
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size))
        .filter(|&length| length <= LARGEST)
        .ok_or_else(|| EngineError::TooLarge(shape.to_vec()))
}

/// A tensor that owns its values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Tensor {
    /// A tensor of these values.
    pub fn new(shape: &[usize], data: Vec<f32>) -> Result<Self, EngineError> {
        if checked_len(shape)? != data.len() {
            return Err(EngineError::shape(
                "tensor",
                format!("{} values for shape {shape:?}", data.len()),
            ));
        }
        Ok(Tensor {
            shape: shape.to_vec(),
            data,
        })
    }

    /// Gives it a shape and keeps the allocation; the values are those that happen to be there.
    pub fn resize(&mut self, shape: &[usize]) -> Result<(), EngineError> {
        if self.shape != shape {
            let length = checked_len(shape)?;
            self.shape.clear();
            self.shape.extend_from_slice(shape);
            self.data.resize(length, 0.0);
        }
        Ok(())
    }

    /// Gives it a shape and zeros.
    pub fn zero(&mut self, shape: &[usize]) -> Result<(), EngineError> {
        self.resize(shape)?;
        self.data.fill(0.0);
        Ok(())
    }

    /// Takes over shape and values of another.
    pub fn copy_from(&mut self, other: View<'_>) -> Result<(), EngineError> {
        self.resize(other.shape)?;
        self.data.copy_from_slice(other.data);
        Ok(())
    }

    /// Sizes of its axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The values.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Shape and values for writing.
    pub fn parts_mut(&mut self) -> (&[usize], &mut [f32]) {
        (&self.shape, &mut self.data)
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Size of an axis; 1 beyond the last.
    pub fn dim(&self, axis: usize) -> usize {
        self.shape.get(axis).copied().unwrap_or(1)
    }

    /// Size of the last axis.
    pub fn last(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// Product of all axes but the last.
    pub fn rows(&self) -> usize {
        self.shape.iter().rev().skip(1).product()
    }

    /// Borrows it.
    pub fn view(&self) -> View<'_> {
        View {
            shape: &self.shape,
            data: &self.data,
        }
    }
}

/// A tensor whose values lie elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View<'a> {
    /// Sizes of its axes.
    pub shape: &'a [usize],
    /// The values, row-major.
    pub data: &'a [f32],
}

impl<'a> View<'a> {
    /// Checks that shape and values go together.
    pub fn new(shape: &'a [usize], data: &'a [f32]) -> Result<Self, EngineError> {
        if checked_len(shape)? == data.len() {
            Ok(View { shape, data })
        } else {
            Err(EngineError::shape(
                "array",
                format!("{} values for shape {shape:?}", data.len()),
            ))
        }
    }
}

/// Splits a shape at an axis: product before, its size, product after.
pub fn around(shape: &[usize], axis: usize) -> (usize, usize, usize) {
    let at = axis.min(shape.len());
    (
        shape[..at].iter().product(),
        shape.get(at).copied().unwrap_or(1),
        shape.get(at + 1..).unwrap_or_default().iter().product(),
    )
}
