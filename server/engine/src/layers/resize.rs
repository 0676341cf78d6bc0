//! Images in another size: `Resizing`, and what `UpSampling2D` asks for beyond repeating.

use super::Entry;
use super::gather::{Rule, gather};
use crate::graph::{Call, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("Resizing", resizing),
    Entry::unmasked("CenterCrop", center_crop),
];

/// How values between pixels are had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Method {
    Nearest,
    Bilinear,
    Bicubic,
    /// With its radius.
    Lanczos(f32),
}

impl Method {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "nearest" => Method::Nearest,
            "bilinear" => Method::Bilinear,
            "bicubic" => Method::Bicubic,
            "lanczos3" => Method::Lanczos(3.0),
            "lanczos5" => Method::Lanczos(5.0),
            _ => return None,
        })
    }

    /// For each line of the result the lines of the image it is made of, with their shares. Centres of pixels fall on
    /// centres of pixels, as in `tf.image.resize`.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss
    )]
    fn lines(self, image: usize, result: usize) -> Vec<Vec<(usize, f32)>> {
        let scale = image as f32 / result as f32;
        let last = image as i64 - 1;
        let line = |at: usize| {
            let centre = (at as f32 + 0.5) * scale;
            let below = (centre - 0.5).floor();
            let share = centre - 0.5 - below;
            let first = below as i64;
            let inside = |line: i64| line.clamp(0, last) as usize;
            match self {
                Method::Nearest => vec![(inside(centre.floor() as i64), 1.0)],
                Method::Bilinear => vec![(inside(first), 1.0 - share), (inside(first + 1), share)],
                Method::Bicubic => {
                    let parts = cubic(share).into_iter().zip(first - 1..);
                    normalised(parts.map(|(part, line)| (line, part)), last)
                }
                Method::Lanczos(radius) => {
                    let from = (centre - radius - 0.5).ceil() as i64;
                    let to = (centre + radius - 0.5).floor() as i64;
                    let part = |line: i64| (line, lanczos(line as f32 + 0.5 - centre, radius));
                    normalised((from..=to).map(part), last)
                }
            }
        };
        (0..result).map(line).collect()
    }
}

/// Without what lies outside the image; the rest sums to 1.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn normalised(parts: impl Iterator<Item = (i64, f32)>, last: i64) -> Vec<(usize, f32)> {
    let inside = parts.filter(|&(line, _)| (0..=last).contains(&line));
    let mut parts: Vec<(usize, f32)> = inside.map(|(line, part)| (line as usize, part)).collect();
    let sum: f32 = parts.iter().map(|&(_, part)| part).sum();
    if sum.abs() >= 1000.0 * f32::MIN_POSITIVE {
        parts.iter_mut().for_each(|(_, part)| *part /= sum);
    }
    parts
}

/// Shares of the four lines around by Keys' cubic, at the nearest of 1024 places, as TensorFlow's table has it.
fn cubic(share: f32) -> [f32; 4] {
    const A: f64 = -0.5;
    let share = f64::from((share * 1024.0).round_ties_even()) / 1024.0;
    let near = |x: f64| (((A + 2.0) * x - (A + 3.0)) * x * x + 1.0) as f32;
    let far = |x: f64| (((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A) as f32;
    [far(1.0 + share), near(share), near(1.0 - share), far(2.0 - share)]
}

fn lanczos(x: f32, radius: f32) -> f32 {
    use std::f32::consts::PI;
    let x = x.abs();
    if x > radius {
        0.0
    } else if x <= 1e-3 {
        1.0
    } else {
        radius * (PI * x).sin() * (PI * x / radius).sin() / (PI * PI * x * x)
    }
}

/// Height and width of the result.
#[derive(Clone, Copy)]
pub(super) enum Size {
    Times([usize; 2]),
    Fixed([usize; 2]),
}

/// Adds the operation for an image `[samples, height, width, channels]`.
pub(super) fn resize(call: &mut Call<'_>, x: &Sym, method: Method, size: Size) -> Sym {
    let mut shape = x.shape.clone();
    for (axis, known) in shape.iter_mut().skip(1).take(2).enumerate() {
        *known = match size {
            Size::Times(times) => known.and_then(|known| known.checked_mul(times[axis])),
            Size::Fixed(fixed) => Some(fixed[axis]),
        };
    }
    call.builder.op(Resize { method, size }, &[x], shape)
}

fn image(call: &Call<'_>) -> Result<Sym, Unsupported> {
    let x = call.input()?;
    if x.rank() != 4 {
        return Err(call.unsupported(format!("an input of {} axes", x.rank())));
    }
    Ok(x)
}

fn resizing(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = image(call)?;
    for key in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"] {
        call.config.only(key, &[false.into()])?;
    }
    let method = Method::named(call.config.text("interpolation", "bilinear")?)
        .ok_or_else(|| call.config.not("interpolation"))?;
    let size = Size::Fixed([call.config.size("height")?, call.config.size("width")?]);
    Ok(vec![resize(call, &x, method, size)])
}

fn center_crop(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = image(call)?;
    let mut margins = Vec::new();
    for (axis, key) in [(1, "height"), (2, "width")] {
        // A smaller image is enlarged first, in a way of its own.
        let left = call.known(&x, axis)?.checked_sub(call.config.size(key)?);
        let left = left.ok_or_else(|| call.config.not(key))?;
        margins.push((left / 2, left - left / 2));
    }
    Ok(vec![gather(call, &x, Rule::Crop(margins))?])
}

struct Resize {
    method: Method,
    size: Size,
}

impl Resize {
    /// Calls `visit(place in the result, place in the image, share)` for each source of each pixel.
    fn visit(&self, shape: &[usize], mut visit: impl FnMut(usize, usize, f32)) {
        let &[samples, height, width, _] = shape else {
            return;
        };
        if height == 0 || width == 0 {
            return;
        }
        let [tall, wide] = self.result(height, width);
        let (down, across) = (self.method.lines(height, tall), self.method.lines(width, wide));
        for sample in 0..samples {
            for (y, rows) in down.iter().enumerate() {
                for (x, columns) in across.iter().enumerate() {
                    let to = (sample * tall + y) * wide + x;
                    for &(row, high) in rows {
                        let start = (sample * height + row) * width;
                        for &(column, share) in columns {
                            visit(to, start + column, high * share);
                        }
                    }
                }
            }
        }
    }

    fn result(&self, height: usize, width: usize) -> [usize; 2] {
        match self.size {
            Size::Times(times) => [height.saturating_mul(times[0]), width.saturating_mul(times[1])],
            Size::Fixed(size) => size,
        }
    }
}

impl Op for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let shape = ins[0].shape();
        let &[samples, height, width, channels] = shape else {
            return Err(EngineError::shape("resize", format!("{shape:?}")));
        };
        let [tall, wide] = self.result(height, width);
        outs[0].zero(&[samples, tall, wide, channels])?;
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
