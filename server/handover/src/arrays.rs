//! Arrays in the file that both processes share.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use engine::Tensor;

use crate::request::Place;

/// Most values of one array: 4 GiB.
const MOST_VALUES: usize = 1 << 30;

/// Why an array could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError {
    /// A shape without bounds, or beyond the limit.
    #[error("an array of shape {0:?} is beyond the engine's limit")]
    TooLarge(Vec<usize>),
    /// It does not lie within the file.
    #[error("an array of shape {0:?} does not lie within the shared file")]
    Outside(Vec<usize>),
    /// Arrays that overlap could ask for any amount of memory.
    #[error("the arrays of a batch are together larger than the shared file")]
    Together,
    /// Another shape was expected.
    #[error("an array of shape {given:?} where {wanted:?} is needed")]
    Shape {
        /// The shape it has.
        given: Vec<usize>,
        /// The shape it should have.
        wanted: Vec<usize>,
    },
    /// The file could not be read or written.
    #[error("the shared file cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// The shared file.
#[derive(Debug)]
pub struct Shared {
    file: File,
    bytes: Vec<u8>,
}

impl Shared {
    /// Arrays in this file.
    pub fn new(file: File) -> Self {
        Shared {
            file,
            bytes: Vec::new(),
        }
    }

    /// Reads the values at a place.
    pub fn values(&mut self, place: &Place) -> Result<Vec<f32>, ArrayError> {
        let length = self.length(place)?;
        self.bytes.resize(4 * length, 0);
        self.file.read_exact_at(&mut self.bytes, place.offset)?;
        let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok(self.bytes.chunks_exact(4).map(number).collect())
    }

    /// Whether these arrays may be in memory at once: no more than the file holds.
    pub fn check<'p>(&self, places: impl IntoIterator<Item = &'p Place>) -> Result<(), ArrayError> {
        let size = self.file.metadata()?.len();
        let mut together = 0;
        for place in places {
            // An array takes room even when it is empty.
            together += 4 * self.length(place)?.max(1) as u64;
            if together > size {
                return Err(ArrayError::Together);
            }
        }
        Ok(())
    }

    /// Reads the array at a place.
    pub fn tensor(&mut self, place: &Place) -> Result<Tensor, ArrayError> {
        let values = self.values(place)?;
        Tensor::new(&place.shape, values).map_err(|_| ArrayError::TooLarge(place.shape.clone()))
    }

    /// Writes values to a place of that shape.
    pub fn write(&mut self, place: &Place, shape: &[usize], values: &[f32]) -> Result<(), ArrayError> {
        if place.shape != shape || self.length(place)? != values.len() {
            return Err(ArrayError::Shape {
                given: place.shape.clone(),
                wanted: shape.to_vec(),
            });
        }
        self.bytes.clear();
        self.bytes
            .extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.file.write_all_at(&self.bytes, place.offset)?;
        Ok(())
    }

    /// Number of values at a place that lies within the file.
    fn length(&self, place: &Place) -> Result<usize, ArrayError> {
        let length = place
            .shape
            .iter()
            .try_fold(1_usize, |product, &size| product.checked_mul(size))
            .filter(|&length| length <= MOST_VALUES)
            .ok_or_else(|| ArrayError::TooLarge(place.shape.clone()))?;
        let end = place.offset.checked_add(4 * length as u64);
        let size = self.file.metadata()?.len();
        match end {
            Some(end) if end <= size => Ok(length),
            _ => Err(ArrayError::Outside(place.shape.clone())),
        }
    }
}
