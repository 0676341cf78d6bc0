"""Statistics of tensors, over their finite values, as docs/trace-protocol.md names them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import histogram

NAMES = [
    "count",
    "mean",
    "std",
    "min",
    "max",
    "absmax",
    "l2",
    "zeros",
    "nans",
    "infs",
    "units",
    "dead_units",
    "constant_units",
    "saturated",
    "spread",
    "saturated_units",
    *histogram.NAMES,
]
_NAN = math.nan
NO_UNITS = [_NAN] * 6
# Beyond this the squares of float32 overflow.
_LARGE = 1e16
FLAT_FROM = 5.0
_CONSTANT = 1e-6
# Above this share of the mean square, the square of the mean has to be taken off before squaring.
_OFFSET = 0.5
SATURATING = {"sigmoid", "tanh"}


def as_floats(array: Any) -> np.ndarray:
    """The array in float32, or float64 if it is that."""
    array = np.asarray(array)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def of_tensor(array: np.ndarray) -> list[float]:
    """Statistics of a weight, gradient or update, without the histogram."""
    return _elements(array.reshape(-1)) + NO_UNITS


def of_output(array: np.ndarray, axis: int, activation: str | None) -> list[float]:
    """Statistics of a layer's output or of the gradient at it, whose units lie along `axis`.

    Without the histogram. `activation` is the function that is applied to it, if any. Few passes over the
    array: sums, extremes and squares are taken over the samples first, and the rest works on what is left.
    """
    if array.ndim < 2 or array.size == 0:
        return of_tensor(array)
    if axis not in (-1, array.ndim - 1):
        array = np.moveaxis(array, axis, -1)
    samples, units = array.shape[0], array.shape[-1]
    # NaN and infinity propagate through all of these.
    high = np.maximum.reduce(array, axis=0)
    low = np.minimum.reduce(array, axis=0)
    largest = max(abs(float(high.max())), abs(float(low.min())))
    if not math.isfinite(largest) or largest > _LARGE:
        elements, spread = _elements(array.reshape(-1)), _spread(array.astype(np.float64))[0]
    else:
        spread, variance, mean = _spread(array)
        elements = _summary(array.size, mean, variance, float(low.min()), float(high.max()))
        elements += [float(np.count_nonzero(array == 0)), 0.0, 0.0]
    unit_high = np.maximum.reduce(high.reshape(-1, units), axis=0)
    unit_low = np.minimum.reduce(low.reshape(-1, units), axis=0)
    saturated = flat = _NAN
    if activation in SATURATING:
        flat = float(np.count_nonzero(are_saturated(unit_low, unit_high)))
        saturated = np.count_nonzero(np.abs(array) >= FLAT_FROM) / array.size
    constant = np.count_nonzero(are_constant(unit_low, unit_high)) if samples > 1 else _NAN
    return [
        *elements,
        float(units),
        float(np.count_nonzero((unit_high == 0) & (unit_low == 0))),
        float(constant),
        saturated,
        spread if samples > 1 else _NAN,
        flat,
    ]


def are_constant(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Which units do not vary, of the extremes of each."""
    return high - low <= _CONSTANT * np.maximum(1.0, np.maximum(np.abs(high), np.abs(low)))


def are_saturated(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Which units are in the same flat part of the activation for every sample, of the extremes of each."""
    return (low >= FLAT_FROM) | (high <= -FLAT_FROM)


def are_plain(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Whether tensors with these extremes are finite, and their squares are."""
    return (low >= -_LARGE) & (high <= _LARGE)


def spread_over_samples(array: np.ndarray) -> float:
    """Mean over all outputs of one sample of the standard deviation over the samples."""
    return _spread(array)[0]


def _spread(array: np.ndarray) -> tuple[float, float, float]:
    """That, then variance and mean of all elements: variance within outputs plus that between their means."""
    samples = array.shape[0]
    means = np.add.reduce(array, axis=0) / array.dtype.type(samples)
    centred = array - means
    within = np.einsum("i...,i...->...", centred, centred) / array.dtype.type(samples)
    means = np.asarray(means, dtype=np.float64)
    mean = float(means.mean())
    between = means - mean
    variance = float(within.mean(dtype=np.float64)) + float((between * between).mean())
    return float(np.sqrt(within).mean(dtype=np.float64)), variance, mean


def _summary(count: int, mean: float, variance: float, low: float, high: float) -> list[float]:
    """From count to l2."""
    std = math.sqrt(variance)
    l2 = math.sqrt(count) * math.hypot(std, mean)
    return [float(count), mean, std, low, high, max(abs(low), abs(high)), l2]


def _elements(flat: np.ndarray) -> list[float]:
    """From count to infs."""
    count = flat.size
    if count == 0:
        return [0.0] + [_NAN] * 6 + [0.0] * 3
    nans = infs = 0
    finite = flat
    total = float(np.add.reduce(flat))
    if not math.isfinite(total):
        finite = flat[np.isfinite(flat)].astype(np.float64)
        nans = int(np.count_nonzero(np.isnan(flat)))
        infs = count - nans - finite.size
        if finite.size == 0:
            return [float(count)] + [_NAN] * 6 + [0.0, float(nans), float(infs)]
    low, high = float(np.minimum.reduce(finite)), float(np.maximum.reduce(finite))
    if max(abs(low), abs(high)) > _LARGE:
        finite = finite.astype(np.float64)
    mean = float(total if finite is flat else np.add.reduce(finite)) / finite.size
    # Not `dot`, which would wake the threads of the linear algebra library.
    square = float(np.einsum("i,i->", finite, finite)) / finite.size
    if mean * mean > _OFFSET * square:
        centred = finite - finite.dtype.type(mean)
        variance = float(np.einsum("i,i->", centred, centred)) / finite.size
    else:
        variance = square - mean * mean
    summary = _summary(finite.size, mean, variance, low, high)
    summary[0] = float(count)
    return [*summary, float(np.count_nonzero(finite == 0)), float(nans), float(infs)]
