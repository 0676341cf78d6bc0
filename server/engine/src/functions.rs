//! Exponentials that the compiler can turn into vector instructions; a few units in the last place from exact.

/// `e^x`; infinite above 88.72, 0 far below, NaN for NaN.
#[inline]
pub fn exp(x: f32) -> f32 {
    // 1.5 · 2^23: adding it leaves the nearest integer in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.3, 88.722_8);
    let shifted = clamped * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = clamped - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    // In two halves, since 2^128 is no float.
    let bits = shifted.to_bits();
    #[allow(clippy::cast_possible_wrap)]
    let exponent = (bits as i32).wrapping_sub(MAGIC.to_bits() as i32);
    let half = exponent >> 1;
    let rest = exponent - half;
    #[allow(clippy::cast_sign_loss)]
    let scale = |power: i32| f32::from_bits(((power + 127) as u32) << 23);
    let value = y * scale(half) * scale(rest);
    let value = if x > 88.722_8 { f32::INFINITY } else { value };
    if x < -87.3 { 0.0 } else { value }
}

/// `tanh x`, as a rational function (the one of Eigen, which TensorFlow uses).
#[inline]
pub fn tanh(x: f32) -> f32 {
    let c = x.clamp(-7.905_311, 7.905_311);
    let s = c * c;
    let mut p = -2.760_768_5e-16;
    p = p * s + 2.000_188e-13;
    p = p * s - 8.604_672e-11;
    p = p * s + 5.122_297e-8;
    p = p * s + 1.485_722_4e-5;
    p = p * s + 6.372_619_3e-4;
    p = p * s + 4.893_524_6e-3;
    let mut q = 1.198_258_4e-6;
    q = q * s + 1.185_347_1e-4;
    q = q * s + 2.268_434_6e-3;
    q = q * s + 4.893_525e-3;
    c * p / q
}

/// `1 / (1 + e^-x)`.
#[inline]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `ln(1 + e^x)` without overflow.
#[inline]
pub fn softplus(x: f32) -> f32 {
    x.max(0.0) + exp(-x.abs()).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_with_double_precision() {
        for step in -9000..9000 {
            let x = step as f32 / 100.0;
            let exact = f64::from(x).exp();
            if x > -87.0 && x < 88.7 {
                assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3e-7, "exp {x}");
            }
            let exact = f64::from(x).tanh();
            assert!(
                (f64::from(tanh(x)) - exact).abs() < 4e-7 * exact.abs() + 1e-12,
                "tanh {x}"
            );
        }
        assert_eq!(exp(89.0), f32::INFINITY);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
        assert_eq!((sigmoid(-200.0), sigmoid(200.0)), (0.0, 1.0));
        assert!((softplus(-3.0) - 0.048_587_35).abs() < 1e-7);
    }
}
