//! Enlarging of images by linear interpolation.

use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor};

/// How many times as high and as wide.
pub(super) struct Bilinear {
    pub times: [usize; 2],
}

/// Where one line of the result comes from: two lines of the image, and the share of the second.
#[derive(Clone, Copy)]
struct Between {
    first: usize,
    second: usize,
    share: f32,
}

/// Centres of pixels fall on centres of pixels; beyond the outer ones nothing changes.
fn between(size: usize, times: usize) -> Vec<Between> {
    (0..size * times)
        .map(|line| {
            let at = (line as f32 + 0.5) / times as f32 - 0.5;
            let below = at.floor();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let first = below.max(0.0) as usize;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let second = ((below + 1.0).max(0.0) as usize).min(size - 1);
            Between {
                first,
                second,
                share: at - below,
            }
        })
        .collect()
}

impl Bilinear {
    /// Calls `visit(place in the result, place in the image, share)` for each of the four sources of each pixel.
    fn visit(&self, shape: &[usize], mut visit: impl FnMut(usize, usize, f32)) {
        let &[samples, height, width, _] = shape else {
            return;
        };
        if height == 0 || width == 0 {
            return;
        }
        let (down, across) = (between(height, self.times[0]), between(width, self.times[1]));
        for sample in 0..samples {
            for (y, row) in down.iter().enumerate() {
                for (x, column) in across.iter().enumerate() {
                    let to = (sample * down.len() + y) * across.len() + x;
                    for (line, high) in [(row.first, 1.0 - row.share), (row.second, row.share)] {
                        let start = (sample * height + line) * width;
                        visit(to, start + column.first, high * (1.0 - column.share));
                        visit(to, start + column.second, high * column.share);
                    }
                }
            }
        }
    }
}

impl Op for Bilinear {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let shape = ins[0].shape();
        let &[samples, height, width, channels] = shape else {
            return Err(EngineError::shape("resize", format!("{shape:?}")));
        };
        outs[0].zero(&[samples, height * self.times[0], width * self.times[1], channels])?;
        let (x, y) = (ins[0].data(), outs[0].data_mut());
        self.visit(shape, |to, from, share| {
            let pixel = &x[from * channels..(from + 1) * channels];
            for (y, &x) in y[to * channels..(to + 1) * channels].iter_mut().zip(pixel) {
                *y += share * x;
            }
        });
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let channels = ins[0].last();
        let (gy, gx) = (gouts[0].data(), gin.data_mut());
        self.visit(ins[0].shape(), |to, from, share| {
            let pixel = &gy[to * channels..(to + 1) * channels];
            for (gx, &gy) in gx[from * channels..(from + 1) * channels].iter_mut().zip(pixel) {
                *gx += share * gy;
            }
        });
        Ok(())
    }
}
