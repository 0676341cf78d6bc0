"""Statistics of tensors, over their finite values, as docs/trace-protocol.md names them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

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
]
_NAN = math.nan
_NO_UNITS = [_NAN] * 5
# Beyond this the squares leave float32.
_LARGE = 1e16
_FLAT_FROM = 5.0
_CONSTANT = 1e-6
SATURATING = {"sigmoid", "tanh"}


def as_floats(array: Any) -> np.ndarray:
    """The array in float32, or float64 if it is that."""
    array = np.asarray(array)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def of_tensor(array: np.ndarray) -> list[float]:
    """Statistics of a weight, gradient or update."""
    return _elements(array.reshape(-1)) + _NO_UNITS


def of_output(array: np.ndarray, axis: int, activation: str | None) -> list[float]:
    """Statistics of a layer's output or of the gradient at it, whose units lie along `axis`; `activation` is the one
    that is applied to it.
    """
    elements = _elements(array.reshape(-1))
    if array.ndim < 2 or array.size == 0:
        return elements + _NO_UNITS
    if axis not in (-1, array.ndim - 1):
        array = np.moveaxis(array, axis, -1)
    units = array.shape[-1]
    flat = array.reshape(-1, units)
    high, low = flat.max(axis=0), flat.min(axis=0)
    dead = float(np.count_nonzero((high == 0) & (low == 0)))
    constant = spread = _NAN
    if array.shape[0] > 1:
        with np.errstate(invalid="ignore", over="ignore"):
            bound = _CONSTANT * np.maximum(1.0, np.maximum(np.abs(high), np.abs(low)))
            constant = float(np.count_nonzero(high - low <= bound))
        spread = spread_over_samples(array)
    saturated = _NAN
    if activation in SATURATING:
        saturated = float(np.count_nonzero(np.abs(flat) >= _FLAT_FROM)) / flat.size
    return [*elements, float(units), dead, constant, saturated, spread]


def spread_over_samples(array: np.ndarray) -> float:
    """Mean over all outputs of one sample of the standard deviation over the samples."""
    with np.errstate(invalid="ignore", over="ignore"):
        centred = array - array.mean(axis=0, dtype=np.float64).astype(array.dtype)
        variance = np.einsum("i...,i...->...", centred, centred) / array.shape[0]
        return float(np.sqrt(variance, dtype=np.float64).mean())


def _elements(flat: np.ndarray) -> list[float]:
    count = flat.size
    if count == 0:
        return [0.0] + [_NAN] * 6 + [0.0] * 3
    with np.errstate(invalid="ignore", over="ignore"):
        total = float(flat.sum(dtype=np.float64))
    if math.isfinite(total):
        return [float(count), *_finite(flat, total), 0.0, 0.0]
    nans = int(np.count_nonzero(np.isnan(flat)))
    finite = flat[np.isfinite(flat)]
    infs = count - nans - finite.size
    if finite.size == 0:
        return [float(count)] + [_NAN] * 6 + [0.0, float(nans), float(infs)]
    return [float(count), *_finite(finite, float(finite.sum(dtype=np.float64))), float(nans), float(infs)]


def _finite(flat: np.ndarray, total: float) -> list[float]:
    """mean, std, min, max, absmax, l2, zeros."""
    count = flat.size
    low, high = float(flat.min()), float(flat.max())
    largest = max(abs(low), abs(high))
    if largest > _LARGE and flat.dtype != np.float64:
        flat = flat.astype(np.float64)
    mean = total / count
    with np.errstate(over="ignore"):
        centred = flat - flat.dtype.type(mean)
        variance = float(np.dot(centred, centred)) / count
    std = math.sqrt(variance)
    l2 = math.sqrt(count) * math.hypot(std, mean)
    return [mean, std, low, high, largest, l2, float(count - np.count_nonzero(flat))]
