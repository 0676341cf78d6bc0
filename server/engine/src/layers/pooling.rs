//! Pooling, by windows and global.

use rayon::prelude::*;

use super::Entry;
use super::geometry::{Geometry, Windows, axes_of};
use crate::graph::{Call, Sym};
use crate::native::{share, wide};
use crate::op::{Backward, Ctx, Op};
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
        geometry: Geometry::default(),
        table: Table::default(),
        chosen: Vec::new(),
    };
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

/// The places of the image under each window.
#[derive(Default)]
struct Table {
    places: Vec<u32>,
    /// Where each window's places begin, and where the last's end.
    starts: Vec<usize>,
}

impl Table {
    fn fill(&mut self, geometry: &Geometry) {
        self.places.clear();
        self.starts.clear();
        let Table { places, starts } = self;
        geometry.visit(|window, _, place| {
            starts.resize(window + 1, places.len());
            places.push(place as u32);
        });
        starts.resize(geometry.positions() + 1, places.len());
    }

    fn windows(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|ends| &self.places[ends[0]..ends[1]])
    }
}

struct Pool {
    windows: Windows,
    axes: usize,
    largest: bool,
    /// What `table` was made for.
    geometry: Geometry,
    table: Table,
    /// Place in the image each output came from.
    chosen: Vec<u32>,
}

/// The largest value of each channel under a window, and where it was.
#[inline(always)]
fn largest_of(x: &[f32], places: &[u32], y: &mut [f32], chosen: &mut [u32]) {
    let channels = y.len();
    let mut from = 0;
    while from + 16 <= channels {
        largest_block::<16>(x, places, from, y, chosen);
        from += 16;
    }
    while from + 4 <= channels {
        largest_block::<4>(x, places, from, y, chosen);
        from += 4;
    }
    while from < channels {
        largest_block::<1>(x, places, from, y, chosen);
        from += 1;
    }
}

/// The same of `N` channels, in vector registers.
#[inline(always)]
fn largest_block<const N: usize>(x: &[f32], places: &[u32], from: usize, y: &mut [f32], chosen: &mut [u32]) {
    let channels = y.len();
    let (mut best, mut at) = ([f32::NEG_INFINITY; N], [0_u32; N]);
    for &place in places {
        let start = place as usize * channels + from;
        let x = &x[start..start + N];
        for lane in 0..N {
            // A NaN is passed on. Without a branch, for vector instructions.
            let better = (x[lane] > best[lane]) | x[lane].is_nan();
            best[lane] = if better { x[lane] } else { best[lane] };
            at[lane] = if better { place } else { at[lane] };
        }
    }
    y[from..from + N].copy_from_slice(&best);
    chosen[from..from + N].copy_from_slice(&at);
}

/// Hands the gradient of a window back to the places it came from.
#[inline(always)]
fn hand_back(gx: &mut [f32], gy: &[f32], places: &[u32], chosen: Option<&[u32]>) {
    let channels = gy.len();
    let count = places.len() as f32;
    for &place in places {
        let start = place as usize * channels;
        let gx = &mut gx[start..start + channels];
        match chosen {
            Some(chosen) => {
                for ((gx, &gy), &chosen) in gx.iter_mut().zip(gy).zip(chosen) {
                    *gx += if chosen == place { gy } else { 0.0 };
                }
            }
            None => gx.iter_mut().zip(gy).for_each(|(gx, &gy)| *gx += gy / count),
        }
    }
}

/// The mean of each channel under a window.
#[inline(always)]
fn mean_of(x: &[f32], places: &[u32], y: &mut [f32]) {
    let channels = y.len();
    y.fill(0.0);
    for &place in places {
        let start = place as usize * channels;
        for (y, &x) in y.iter_mut().zip(&x[start..start + channels]) {
            *y += x;
        }
    }
    let count = places.len() as f32;
    y.iter_mut().for_each(|y| *y /= count);
}

impl Pool {
    fn prepare(&mut self, shape: &[usize]) -> Result<(), EngineError> {
        let geometry = self.windows.over(shape)?;
        if geometry != self.geometry {
            self.table.fill(&geometry);
            self.geometry = geometry;
        }
        Ok(())
    }
}

impl Op for Pool {
    fn name(&self) -> &'static str {
        if self.largest { "max_pool" } else { "average_pool" }
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        self.prepare(x.shape())?;
        let Pool {
            geometry,
            table,
            chosen,
            largest,
            ..
        } = self;
        let (geometry, table, largest) = (&*geometry, &*table, *largest);
        let channels = x.last().max(1);
        y.resize(&geometry.shape(x.dim(0), self.axes, x.last()))?;
        let result = (geometry.positions() * channels).max(1);
        let image = (geometry.places() * channels).max(1);
        let per = share(x.dim(0), x.len());
        let parts = y.data_mut().par_chunks_mut(per * result);
        let parts = parts.zip(x.data().par_chunks(per * image));
        if largest {
            chosen.resize(result * x.dim(0), 0);
            let parts = parts.zip(chosen.par_chunks_mut(per * result));
            parts.for_each(|((y, x), chosen)| {
                let samples = y.chunks_exact_mut(result).zip(chosen.chunks_exact_mut(result));
                wide(
                    #[inline(always)]
                    || {
                        for ((y, chosen), x) in samples.zip(x.chunks_exact(image)) {
                            let outs = y
                                .chunks_exact_mut(channels)
                                .zip(chosen.chunks_exact_mut(channels));
                            for ((y, chosen), places) in outs.zip(table.windows()) {
                                largest_of(x, places, y, chosen);
                            }
                        }
                    },
                );
            });
        } else {
            parts.for_each(|(y, x)| {
                wide(
                    #[inline(always)]
                    || {
                        for (y, x) in y.chunks_exact_mut(result).zip(x.chunks_exact(image)) {
                            for (y, places) in y.chunks_exact_mut(channels).zip(table.windows()) {
                                mean_of(x, places, y);
                            }
                        }
                    },
                );
            });
        }
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
        self.prepare(ins[0].shape())?;
        let Pool {
            geometry,
            table,
            chosen,
            largest,
            ..
        } = &*self;
        let channels = ins[0].last().max(1);
        let result = (geometry.positions() * channels).max(1);
        let image = (geometry.places() * channels).max(1);
        let per = share(ins[0].dim(0), ins[0].len());
        let parts = gin
            .data_mut()
            .par_chunks_mut(per * image)
            .zip(gouts[0].data().par_chunks(per * result))
            .enumerate();
        parts.for_each(|(part, (gx, gy))| {
            let samples = gx.chunks_exact_mut(image).zip(gy.chunks_exact(result));
            wide(
                #[inline(always)]
                || {
                    for (at, (gx, gy)) in samples.enumerate() {
                        let start = (part * per + at) * result;
                        for (window, (gy, places)) in
                            gy.chunks_exact(channels).zip(table.windows()).enumerate()
                        {
                            let from = start + window * channels;
                            let chosen = largest.then(|| &chosen[from..from + channels]);
                            hand_back(gx, gy, places, chosen);
                        }
                    }
                },
            );
        });
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
        Backward {
            ins,
            outs,
            gouts,
            gins,
        }: Backward<'_>,
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
