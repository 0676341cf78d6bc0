//! Windows that slide over an image of up to three axes, channels last.

use crate::graph::{Call, Dim, Sym};
use crate::{EngineError, Unsupported};

/// How windows lie over the axes; always three axes, those in front of size 1 where the layer has fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    pub kernel: [usize; 3],
    pub stride: [usize; 3],
    pub dilation: [usize; 3],
    pub padding: Padding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Padding {
    Valid,
    Same,
    /// Zeros before only, along the time axis.
    Causal,
}

/// Windows over an image of known size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Geometry {
    /// Size of the image.
    pub image: [usize; 3],
    /// Number of windows along each axis.
    pub windows: [usize; 3],
    kernel: [usize; 3],
    stride: [usize; 3],
    dilation: [usize; 3],
    /// Padding in front.
    before: [usize; 3],
}

/// Sizes for each axis, in front of them `1`s up to three.
fn three(sizes: &[usize]) -> [usize; 3] {
    let mut all = [1; 3];
    let missing = 3 - sizes.len().min(3);
    for (at, &size) in sizes.iter().take(3).enumerate() {
        all[missing + at] = size;
    }
    all
}

/// Number of axes of a layer from the end of its class name (`Conv2D`, `Conv2DTranspose`).
pub(super) fn axes_of(class: &str) -> usize {
    if class.contains("3D") {
        3
    } else if class.contains("2D") {
        2
    } else {
        1
    }
}

impl Windows {
    /// Reads kernel (under this name), strides, dilation and padding.
    pub fn read(call: &Call<'_>, kernel: &str, axes: usize) -> Result<Self, Unsupported> {
        let config = call.config;
        if config.text("data_format", "channels_last")? != "channels_last" {
            return Err(config.not("data_format"));
        }
        let size = config.sizes(kernel, axes, 1)?;
        let pool = kernel == "pool_size";
        let stride = match config.get("strides") {
            None if pool => size.clone(),
            _ => config.sizes("strides", axes, 1)?,
        };
        let padding = match config.text("padding", "valid")? {
            "valid" => Padding::Valid,
            "same" => Padding::Same,
            "causal" if axes == 1 => Padding::Causal,
            _ => return Err(config.not("padding")),
        };
        let windows = Windows {
            kernel: three(&size),
            stride: three(&stride),
            dilation: three(&config.sizes("dilation_rate", axes, 1)?),
            padding,
        };
        if windows
            .kernel
            .iter()
            .chain(&windows.stride)
            .chain(&windows.dilation)
            .any(|&size| size > 1 << 16)
        {
            return Err(config.not(kernel));
        }
        Ok(windows)
    }

    pub fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    fn count(&self, axis: usize, size: usize) -> Option<usize> {
        match self.padding {
            Padding::Same => Some(size.div_ceil(self.stride[axis])),
            Padding::Causal => {
                Some((size + self.reach(axis) - 1).checked_sub(self.reach(axis))? / self.stride[axis] + 1)
            }
            Padding::Valid => Some(size.checked_sub(self.reach(axis))? / self.stride[axis] + 1),
        }
    }

    /// The shape of what comes out of a layer for `x` with that many channels.
    pub fn output(
        &self,
        call: &Call<'_>,
        x: &Sym,
        axes: usize,
        channels: Dim,
    ) -> Result<Vec<Dim>, Unsupported> {
        if x.rank() != axes + 2 {
            return Err(call.unsupported(format!("an input of {} axes", x.rank())));
        }
        let mut shape = vec![None];
        for axis in 0..axes {
            shape.push(match x.shape[axis + 1] {
                None => None,
                Some(size) => Some(
                    self.count(3 - axes + axis, size)
                        .ok_or_else(|| call.unsupported("a window larger than its input"))?,
                ),
            });
        }
        shape.push(channels);
        Ok(shape)
    }

    /// Over an image of this shape, `[samples, …, channels]`.
    pub fn over(&self, shape: &[usize]) -> Result<Geometry, EngineError> {
        let image = three(shape.get(1..shape.len().saturating_sub(1)).unwrap_or_default());
        self.over_image(image)
    }

    pub fn over_image(&self, image: [usize; 3]) -> Result<Geometry, EngineError> {
        let mut windows = [1; 3];
        for axis in 0..3 {
            windows[axis] = self
                .count(axis, image[axis])
                .ok_or_else(|| EngineError::shape("window", format!("larger than the input of {image:?}")))?;
        }
        Ok(self.laid(image, windows))
    }

    /// With a number of windows that is given.
    pub fn laid(&self, image: [usize; 3], windows: [usize; 3]) -> Geometry {
        let mut before = [0; 3];
        for axis in 0..3 {
            let reached = windows[axis].saturating_sub(1) * self.stride[axis] + self.reach(axis);
            before[axis] = match self.padding {
                Padding::Valid => 0,
                Padding::Same => reached.saturating_sub(image[axis]) / 2,
                Padding::Causal => self.reach(axis) - 1,
            };
        }
        Geometry {
            image,
            windows,
            kernel: self.kernel,
            stride: self.stride,
            dilation: self.dilation,
            before,
        }
    }

    /// Size of the image whose windows are `small` in number: what a transposed convolution makes. `extra` is what its
    /// `output_padding` adds.
    pub fn image_of(&self, axis: usize, small: usize, extra: Option<usize>) -> Option<usize> {
        let (kernel, stride) = (self.reach(axis), self.stride[axis]);
        let padding = match (self.padding, extra) {
            (Padding::Same, None) => return small.checked_mul(stride),
            (Padding::Valid, None) => {
                let whole = small.checked_mul(stride)?;
                return whole.checked_add(kernel.saturating_sub(stride));
            }
            (Padding::Causal, _) => return None,
            (Padding::Same, Some(_)) => kernel / 2,
            (Padding::Valid, Some(_)) => 0,
        };
        let reached = small.checked_sub(1)?.checked_mul(stride)?.checked_add(kernel)?;
        let image = reached.checked_add(extra?)?.checked_sub(2 * padding)?;
        // A convolution of that image must give as many windows as there are.
        (self.count(axis, image) == Some(small)).then_some(image)
    }
}

impl Geometry {
    /// Number of windows.
    pub fn positions(&self) -> usize {
        self.windows.iter().product()
    }

    /// Number of places in the image.
    pub fn places(&self) -> usize {
        self.image.iter().product()
    }

    /// Shape of a tensor with a vector at each window.
    pub fn shape(&self, samples: usize, axes: usize, channels: usize) -> Vec<usize> {
        let mut shape = vec![samples];
        shape.extend_from_slice(&self.windows[3 - axes..]);
        shape.push(channels);
        shape
    }

    /// Calls `visit(window, tap, place)` for each tap that lies within the image, window by window.
    pub fn visit(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let mut window = 0;
        for d in 0..self.windows[0] {
            for h in 0..self.windows[1] {
                for w in 0..self.windows[2] {
                    let mut tap = 0;
                    for i in 0..self.kernel[0] {
                        let z = self.at(0, d, i);
                        for j in 0..self.kernel[1] {
                            let y = self.at(1, h, j);
                            for k in 0..self.kernel[2] {
                                if let (Some(z), Some(y), Some(x)) = (z, y, self.at(2, w, k)) {
                                    visit(window, tap, (z * self.image[1] + y) * self.image[2] + x);
                                }
                                tap += 1;
                            }
                        }
                    }
                    window += 1;
                }
            }
        }
    }

    fn at(&self, axis: usize, window: usize, tap: usize) -> Option<usize> {
        let at = (window * self.stride[axis] + tap * self.dilation[axis]).checked_sub(self.before[axis])?;
        (at < self.image[axis]).then_some(at)
    }

    /// Runs of taps along the last axis that lie within the image next to each other: `visit(window, tap, place, run)`.
    fn runs(&self, mut visit: impl FnMut(usize, usize, usize, usize)) {
        if self.dilation[2] != 1 {
            self.visit(|window, tap, place| visit(window, tap, place, 1));
            return;
        }
        let (wide, kernel) = (self.image[2], self.kernel[2]);
        let mut window = 0;
        for d in 0..self.windows[0] {
            for h in 0..self.windows[1] {
                for w in 0..self.windows[2] {
                    let start = (w * self.stride[2]) as isize - self.before[2] as isize;
                    let skip = usize::try_from(-start).unwrap_or(0).min(kernel);
                    let end = usize::try_from(wide as isize - start).unwrap_or(0).min(kernel);
                    let mut tap = 0;
                    for i in 0..self.kernel[0] {
                        let z = self.at(0, d, i);
                        for j in 0..self.kernel[1] {
                            if let (Some(z), Some(y)) = (z, self.at(1, h, j))
                                && skip < end
                            {
                                let x = usize::try_from(start + skip as isize).unwrap_or(0);
                                visit(window, tap + skip, (z * self.image[1] + y) * wide + x, end - skip);
                            }
                            tap += kernel;
                        }
                    }
                    window += 1;
                }
            }
        }
    }

    /// Lays the windows out as rows `[tap, channel]`; `image` has `channels` of which `take` from `from` on are used.
    pub fn unfold(&self, image: &[f32], channels: usize, (from, take): (usize, usize), rows: &mut [f32]) {
        let width = self.kernel.iter().product::<usize>() * take;
        if self.before != [0; 3] || self.padded() {
            rows.fill(0.0);
        }
        if take == channels {
            self.runs(|window, tap, place, run| {
                let to = window * width + tap * take;
                let length = run * take;
                let source = &image[place * channels..place * channels + length];
                let target = &mut rows[to..to + length];
                // A call of memcpy costs more than these few.
                if length <= 8 {
                    for (target, &source) in target.iter_mut().zip(source) {
                        *target = source;
                    }
                } else {
                    target.copy_from_slice(source);
                }
            });
        } else {
            self.visit(|window, tap, place| {
                let to = window * width + tap * take;
                let source = place * channels + from;
                rows[to..to + take].copy_from_slice(&image[source..source + take]);
            });
        }
    }

    /// Whether some window reaches over the far edge.
    fn padded(&self) -> bool {
        (0..3).any(|axis| {
            let reached =
                (self.windows[axis] - 1) * self.stride[axis] + (self.kernel[axis] - 1) * self.dilation[axis];
            reached >= self.image[axis] + self.before[axis]
        })
    }

    /// The reverse of `unfold`: adds the rows to the image.
    pub fn fold(&self, rows: &[f32], channels: usize, (from, take): (usize, usize), image: &mut [f32]) {
        let width = self.kernel.iter().product::<usize>() * take;
        let mut add = |window: usize, tap: usize, place: usize, run: usize| {
            let at = window * width + tap * take;
            let to = place * channels + from;
            let targets = &mut image[to..to + run * take];
            for (target, &value) in targets.iter_mut().zip(&rows[at..at + run * take]) {
                *target += value;
            }
        };
        if take == channels {
            self.runs(add);
        } else {
            self.visit(|window, tap, place| add(window, tap, place, 1));
        }
    }
}
