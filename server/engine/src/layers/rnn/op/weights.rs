//! Gradients of the weights of a recurrent layer, once those at its gates are known.

use super::{Recurrent, Sizes};
use crate::Tensor;
use crate::graph::Param;
use crate::layers::dense::add_rows;
use crate::layers::rnn::cell::Cell;
use crate::native::{Mat, matmul};

impl Recurrent {
    /// Gradients of the kernel and at the input where each gate saw an input of its own.
    pub(super) fn dropped_back(
        &self,
        kernel: &mut Param,
        x: &Tensor,
        sizes: Sizes,
        mut gin: Option<&mut Tensor>,
    ) {
        let (rows, features) = (sizes.samples * sizes.steps, sizes.features);
        for gate in 0..self.cell.gates() {
            let at = gate * self.units;
            let dropped = self.dropped(x, sizes, gate);
            let slopes = Mat {
                data: &self.slopes[at..],
                row: sizes.width,
                column: 1,
            };
            let (turned, shape) = (Mat::transposed(&dropped, features), (features, rows, self.units));
            matmul(shape, turned, slopes, &mut kernel.grad[at..], sizes.width, true);
            if let Some(gin) = gin.as_deref_mut() {
                let back = Mat {
                    data: &kernel.value[at..],
                    row: 1,
                    column: sizes.width,
                };
                let mut part = vec![0.0; rows * features];
                matmul(
                    (rows, self.units, features),
                    slopes,
                    back,
                    &mut part,
                    features,
                    false,
                );
                self.drop_input(&mut part, sizes, gate);
                gin.data_mut()
                    .iter_mut()
                    .zip(&part)
                    .for_each(|(sum, part)| *sum += part);
            }
        }
    }

    /// Gradients of the recurrent kernel and the biases.
    pub(super) fn weights_back(&self, params: &mut [Param], sizes: Sizes) {
        let (units, width) = (sizes.units, sizes.width);
        let rows = sizes.samples * sizes.steps;
        let apart = matches!(self.cell, Cell::Gru { .. });
        let recurrent = &mut params[self.recurrent];
        recurrent.touched = true;
        let slopes = if apart {
            &self.recurrent_slopes
        } else {
            &self.slopes
        };
        let used = |mask: usize| Mat::transposed(&self.used[mask * rows * units..], units);
        if let Cell::Gru {
            reset_after: false, ..
        } = self.cell
        {
            let gradient = &mut recurrent.grad;
            for (mask, from, to) in self.blocks(0, 2 * units) {
                let slopes = Mat {
                    data: &slopes[from..],
                    row: width,
                    column: 1,
                };
                let shape = (units, rows, to - from);
                matmul(shape, used(mask), slopes, &mut gradient[from..], width, true);
            }
            let candidate = Mat {
                data: &self.slopes[2 * units..],
                row: width,
                column: 1,
            };
            let through = Mat::transposed(&self.inner, units);
            matmul(
                (units, rows, units),
                through,
                candidate,
                &mut gradient[2 * units..],
                width,
                true,
            );
        } else {
            for (mask, from, to) in self.blocks(0, width) {
                let slopes = Mat {
                    data: &slopes[from..],
                    row: width,
                    column: 1,
                };
                let shape = (units, rows, to - from);
                matmul(
                    shape,
                    used(mask),
                    slopes,
                    &mut recurrent.grad[from..],
                    width,
                    true,
                );
            }
        }
        if let Some(bias) = self.bias {
            let gradient = params[bias].grad_mut();
            add_rows(&mut gradient[..width], &self.slopes);
            if self.cell.two_biases() {
                add_rows(&mut gradient[width..], &self.recurrent_slopes);
            }
        }
    }
}
