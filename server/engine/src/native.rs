//! The only two places that need `unsafe`: the matrix product and the processor's mode for denormal numbers.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// A matrix within a slice: element (i, j) is at `offset + i * row + j * column`.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a> {
    /// The values.
    pub data: &'a [f32],
    /// Distance of two rows.
    pub row: usize,
    /// Distance of two columns.
    pub column: usize,
}

impl<'a> Mat<'a> {
    /// A row-major matrix.
    pub fn rows(data: &'a [f32], columns: usize) -> Self {
        Mat {
            data,
            row: columns,
            column: 1,
        }
    }

    /// The transpose of a row-major matrix with that many columns.
    pub fn transposed(data: &'a [f32], columns: usize) -> Self {
        Mat {
            data,
            row: 1,
            column: columns,
        }
    }
}

fn fits(length: usize, rows: usize, columns: usize, row: usize, column: usize) -> bool {
    rows == 0 || columns == 0 || (rows - 1) * row + (columns - 1) * column < length
}

/// Fewer multiplications than this are not worth a second thread.
const WORTH_THREADS: usize = 1 << 21;

/// `out = a · b` (`m × k` times `k × n`), or `out += a · b` when `add`; `out` is row-major with `stride` between rows.
///
/// # Panics
/// When a matrix does not lie within its slice; callers derive the sizes from tensors whose shapes were checked.
#[allow(clippy::many_single_char_names)]
pub fn matmul(
    (m, k, n): (usize, usize, usize),
    a: Mat<'_>,
    b: Mat<'_>,
    out: &mut [f32],
    stride: usize,
    add: bool,
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(fits(a.data.len(), m, k, a.row, a.column), "left matrix");
    assert!(fits(b.data.len(), k, n, b.row, b.column), "right matrix");
    assert!(stride >= n && fits(out.len(), m, n, stride, 1), "product");
    if k == 0 {
        if !add {
            for row in out.chunks_mut(stride).take(m) {
                row[..n].fill(0.0);
            }
        }
        return;
    }
    if m * n * k >= WORTH_THREADS && m >= 16 && rayon::current_num_threads() > 1 {
        let half = m / 2;
        let (top, bottom) = out.split_at_mut(half * stride);
        let below = Mat {
            data: &a.data[half * a.row..],
            ..a
        };
        rayon::join(
            || product((half, k, n), a, b, top, stride, add),
            || product((m - half, k, n), below, b, bottom, stride, add),
        );
        return;
    }
    product((m, k, n), a, b, out, stride, add);
}

/// From this many elements on, work that is light for each element is worth a second thread.
const WORTH_SHARING: usize = 1 << 15;

/// How many of `items` one thread takes, where they have so many elements in all.
pub fn share(items: usize, elements: usize) -> usize {
    if elements < WORTH_SHARING {
        return items.max(1);
    }
    items.div_ceil(rayon::current_num_threads().max(1)).max(1)
}

#[allow(unsafe_code, clippy::cast_possible_wrap, clippy::many_single_char_names)]
fn product(
    (m, k, n): (usize, usize, usize),
    a: Mat<'_>,
    b: Mat<'_>,
    out: &mut [f32],
    stride: usize,
    add: bool,
) {
    // SAFETY: `matmul` checked that all three matrices lie within their slices, and `out` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
            add,
            a.data.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.data.as_ptr(),
            b.column as isize,
            b.row as isize,
            1.0_f32,
            1.0_f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Runs a loop compiled for the widest vectors this processor has; what it calls must be inlined.
#[inline]
pub fn wide<R>(work: impl FnOnce() -> R) -> R {
    static ARCH: OnceLock<pulp::Arch> = OnceLock::new();
    ARCH.get_or_init(pulp::Arch::new).dispatch(work)
}

/// Runs `work` with denormal numbers flushed to zero, on threads that do the same.
///
/// Denormal moments of an optimizer made a prototype five times slower.
#[allow(unsafe_code)]
pub fn flushed<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        ThreadPoolBuilder::new()
            .spawn_handler(|thread| {
                std::thread::Builder::new()
                    .name("engine".into())
                    // SAFETY: nothing on these threads depends on the value of a denormal number.
                    .spawn(|| unsafe { no_denormals::no_denormals(|| thread.run()) })?;
                Ok(())
            })
            .build()
            .ok()
    });
    match pool {
        Some(pool) => pool.install(work),
        // SAFETY: as above; the mode is put back when the closure returns.
        None => unsafe { no_denormals::no_denormals(work) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_all_orientations_agree_with_the_definition() {
        let mut rng = fastrand::Rng::with_seed(7);
        for (m, k, n) in [(1, 1, 1), (3, 5, 2), (64, 33, 17), (200, 128, 130)] {
            let a: Vec<f32> = (0..m * k).map(|_| rng.f32() - 0.5).collect();
            let b: Vec<f32> = (0..k * n).map(|_| rng.f32() - 0.5).collect();
            let at: Vec<f32> = (0..m * k).map(|i| a[(i % m) * k + i / m]).collect();
            let mut expected = vec![0.0_f64; m * n];
            for i in 0..m {
                for j in 0..n {
                    for x in 0..k {
                        expected[i * n + j] += f64::from(a[i * k + x]) * f64::from(b[x * n + j]);
                    }
                }
            }
            let mut plain = vec![1.0; m * n];
            matmul(
                (m, k, n),
                Mat::rows(&a, k),
                Mat::rows(&b, n),
                &mut plain,
                n,
                false,
            );
            let mut turned = vec![1.0; m * n];
            matmul(
                (m, k, n),
                Mat::transposed(&at, m),
                Mat::rows(&b, n),
                &mut turned,
                n,
                true,
            );
            for (at, &value) in expected.iter().enumerate() {
                assert!((f64::from(plain[at]) - value).abs() < 1e-4);
                assert!((f64::from(turned[at]) - 1.0 - value).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn denormals_are_flushed_on_every_thread() {
        let tiny = std::hint::black_box(1e-30_f32);
        assert_ne!(tiny * 1e-10, 0.0);
        assert_eq!(flushed(|| std::hint::black_box(tiny) * 1e-10), 0.0);
    }
}
