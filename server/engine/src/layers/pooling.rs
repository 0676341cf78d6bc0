//! Pooling, by windows and global.

use super::Entry;
use super::geometry::{Windows, axes_of};
use crate::graph::{Call, Sym};
use crate::op::{Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("MaxPooling1D", max),
    Entry::unmasked("MaxPooling2D", max),
    Entry::unmasked("MaxPooling3D", max),
    Entry::unmasked("AveragePooling1D", average),
    Entry::unmasked("AveragePooling2D", average),
    Entry::unmasked("AveragePooling3D", average),
    Entry::unmasked("GlobalMaxPooling1D", global_max),
    Entry::unmasked("GlobalMaxPooling2D", global_max),
    Entry::unmasked("GlobalMaxPooling3D", global_max),
    Entry::unmasked("GlobalAveragePooling1D", global_average),
    Entry::unmasked("GlobalAveragePooling2D", global_average),
    Entry::unmasked("GlobalAveragePooling3D", global_average),
];

fn max(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    pool(call, true)
}

fn average(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    pool(call, false)
}

fn pool(call: &mut Call<'_>, largest: bool) -> Result<Vec<Sym>, Unsupported> {
    let axes = axes_of(call.class);
    let x = call.input()?;
    let windows = Windows::read(call, "pool_size", axes)?;
    let channels = x.shape.last().copied().flatten();
    let shape = windows.output(call, &x, axes, channels)?;
    let op = Pool {
        windows,
        axes,
        largest,
        chosen: Vec::new(),
        counts: Vec::new(),
    };
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

struct Pool {
    windows: Windows,
    axes: usize,
    largest: bool,
    /// Place in the image each output came from.
    chosen: Vec<u32>,
    /// Places under each window.
    counts: Vec<f32>,
}

impl Op for Pool {
    fn name(&self) -> &'static str {
        if self.largest { "max_pool" } else { "average_pool" }
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        let geometry = self.windows.over(x.shape())?;
        let channels = x.last();
        y.resize(&geometry.shape(x.dim(0), self.axes, channels))?;
        let result = (geometry.positions() * channels).max(1);
        let image = (geometry.places() * channels).max(1);
        if self.largest {
            y.data_mut().fill(f32::NEG_INFINITY);
            self.chosen.clear();
            self.chosen.resize(y.len(), 0);
        } else {
            y.data_mut().fill(0.0);
            self.counts.clear();
            self.counts.resize(geometry.positions(), 0.0);
            geometry.visit(|window, _, _| self.counts[window] += 1.0);
        }
        for (at, (y, x)) in y
            .data_mut()
            .chunks_exact_mut(result)
            .zip(x.data().chunks_exact(image))
            .enumerate()
        {
            if self.largest {
                let chosen = &mut self.chosen[at * result..(at + 1) * result];
                geometry.visit(|window, _, place| {
                    let to = window * channels..(window + 1) * channels;
                    let x = &x[place * channels..(place + 1) * channels];
                    for ((y, chosen), &x) in y[to.clone()].iter_mut().zip(&mut chosen[to]).zip(x) {
                        // A NaN is passed on. Without a branch, for vector instructions.
                        let better = (x > *y) | x.is_nan();
                        *y = if better { x } else { *y };
                        *chosen = if better { place as u32 } else { *chosen };
                    }
                });
            } else {
                geometry.visit(|window, _, place| {
                    let x = &x[place * channels..(place + 1) * channels];
                    for (y, &x) in y[window * channels..(window + 1) * channels].iter_mut().zip(x) {
                        *y += x;
                    }
                });
                for (y, &count) in y.chunks_exact_mut(channels).zip(&self.counts) {
                    y.iter_mut().for_each(|y| *y /= count);
                }
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        ins: &[&Tensor],
        _: &[&Tensor],
        gouts: &[&Tensor],
        gins: &mut [Option<Tensor>],
    ) -> Result<(), EngineError> {
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let geometry = self.windows.over(ins[0].shape())?;
        let channels = ins[0].last();
        let result = (geometry.positions() * channels).max(1);
        let image = (geometry.places() * channels).max(1);
        let samples = gin
            .data_mut()
            .chunks_exact_mut(image)
            .zip(gouts[0].data().chunks_exact(result));
        for (at, (gx, gy)) in samples.enumerate() {
            if self.largest {
                let chosen = &self.chosen[at * result..(at + 1) * result];
                for (index, (&g, &place)) in gy.iter().zip(chosen).enumerate() {
                    gx[place as usize * channels + index % channels] += g;
                }
            } else {
                geometry.visit(|window, _, place| {
                    let gy = &gy[window * channels..(window + 1) * channels];
                    let count = self.counts[window];
                    for (gx, &gy) in gx[place * channels..(place + 1) * channels].iter_mut().zip(gy) {
                        *gx += gy / count;
                    }
                });
            }
        }
        Ok(())
    }
}

fn global_max(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    global(call, true)
}

fn global_average(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    global(call, false)
}

fn global(call: &mut Call<'_>, largest: bool) -> Result<Vec<Sym>, Unsupported> {
    let axes = axes_of(call.class);
    let x = call.input()?;
    if call.config.text("data_format", "channels_last")? != "channels_last" {
        return Err(call.config.not("data_format"));
    }
    if x.rank() != axes + 2 {
        return Err(call.unsupported(format!("an input of {} axes", x.rank())));
    }
    let keep = call.config.flag("keepdims", false)?;
    let mut shape = vec![None];
    if keep {
        shape.extend(vec![Some(1); axes]);
    }
    shape.push(x.shape[axes + 1]);
    let op = Global {
        largest,
        keep: if keep { axes } else { 0 },
    };
    // Only the average in one dimension heeds a mask.
    let mask = x.mask.filter(|_| !largest && axes == 1);
    let y = match mask {
        Some(mask) => {
            let mask = Sym {
                id: mask,
                shape: x.shape[..2].to_vec(),
                mask: None,
                logits: None,
            };
            call.builder.op(op, &[&x, &mask], shape)
        }
        None => call.builder.op(op, &[&x], shape),
    };
    Ok(vec![y])
}

struct Global {
    largest: bool,
    /// Axes of size 1 to keep.
    keep: usize,
}

impl Op for Global {
    fn name(&self) -> &'static str {
        if self.largest {
            "global_max_pool"
        } else {
            "global_average_pool"
        }
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        let (samples, channels) = (x.dim(0), x.last());
        let places = x.len() / (samples * channels).max(1);
        let mut shape = vec![samples];
        shape.extend(vec![1; self.keep]);
        shape.push(channels);
        y.resize(&shape)?;
        y.data_mut()
            .fill(if self.largest { f32::NEG_INFINITY } else { 0.0 });
        let rows = x.data().chunks_exact((places * channels).max(1));
        for (sample, (y, x)) in y
            .data_mut()
            .chunks_exact_mut(channels.max(1))
            .zip(rows)
            .enumerate()
        {
            let weight = |place: usize| {
                ins.get(1)
                    .map_or(1.0, |mask| mask.data()[sample * places + place])
            };
            let mut total = 0.0;
            for (place, x) in x.chunks_exact(channels).enumerate() {
                let weight = weight(place);
                total += weight;
                for (y, &x) in y.iter_mut().zip(x) {
                    if !self.largest {
                        *y += x * weight;
                    } else if x > *y || x.is_nan() {
                        *y = x;
                    }
                }
            }
            if !self.largest {
                y.iter_mut().for_each(|y| *y /= total);
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &[&Tensor],
        gouts: &[&Tensor],
        gins: &mut [Option<Tensor>],
    ) -> Result<(), EngineError> {
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let x = ins[0];
        let (samples, channels) = (x.dim(0), x.last());
        let places = x.len() / (samples * channels).max(1);
        for sample in 0..samples {
            let to = sample * channels..(sample + 1) * channels;
            let (y, gy) = (&outs[0].data()[to.clone()], &gouts[0].data()[to]);
            let all = sample * places * channels..(sample + 1) * places * channels;
            let (x, gx) = (&x.data()[all.clone()], &mut gin.data_mut()[all]);
            let weight = |place: usize| {
                ins.get(1)
                    .map_or(1.0, |mask| mask.data()[sample * places + place])
            };
            let total: f32 = (0..places).map(weight).sum();
            for channel in 0..channels {
                let hits = |place: &usize| x[place * channels + channel] == y[channel];
                // TensorFlow shares the gradient among equal maxima.
                let ties = if self.largest {
                    (0..places).filter(hits).count().max(1) as f32
                } else {
                    1.0
                };
                for place in 0..places {
                    let share = if self.largest {
                        f32::from(u8::from(hits(&place))) / ties
                    } else {
                        weight(place) / total
                    };
                    gx[place * channels + channel] += gy[channel] * share;
                }
            }
        }
        Ok(())
    }
}
