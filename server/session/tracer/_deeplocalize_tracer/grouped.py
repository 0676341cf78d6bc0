"""Statistics of many small tensors of one shape at once: in a deep network calls cost more than numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import statistics

# Larger tensors gain nothing from being stacked.
_SMALL = 32_768
_FEWEST = 3


@dataclass(frozen=True)
class Tensor:
    """A tensor to be summed up: an output or the gradient at one if it has a unit axis."""

    values: np.ndarray
    axis: int | None = None
    activation: str | None = None


def summarize(tensors: list[Tensor]) -> list[list[float]]:
    """The statistics of each."""
    groups: dict[Any, list[int]] = {}
    for at, tensor in enumerate(tensors):
        values, axis = tensor.values, tensor.axis
        if values.size == 0 or values.size > _SMALL:
            key: Any = at
        elif axis is None or values.ndim < 2:
            key = (values.dtype, values.size)
        else:
            key = (values.dtype, values.shape, axis % values.ndim, tensor.activation)
        groups.setdefault(key, []).append(at)
    found: list[list[float]] = [[]] * len(tensors)
    for members in groups.values():
        own = [tensors[at] for at in members]
        if len(own) < _FEWEST:
            lists = [_alone(tensor) for tensor in own]
        elif own[0].axis is None or own[0].values.ndim < 2:
            lists = _plain(own)
        else:
            lists = _outputs(own)
        for at, numbers in zip(members, lists):
            found[at] = numbers
    return found


def _alone(tensor: Tensor) -> list[float]:
    if tensor.axis is None:
        return statistics.of_tensor(tensor.values)
    return statistics.of_output(tensor.values, tensor.axis, tensor.activation)


def _plain(tensors: list[Tensor]) -> list[list[float]]:
    stacked = np.stack([tensor.values.reshape(-1) for tensor in tensors])
    count = stacked.shape[1]
    low, high = stacked.min(axis=1), stacked.max(axis=1)
    mean = stacked.mean(axis=1, dtype=np.float64)
    zeros = np.count_nonzero(stacked == 0, axis=1)
    stacked -= mean.astype(stacked.dtype)[:, None]
    std = np.sqrt(np.einsum("ij,ij->i", stacked, stacked) / count)
    numbers = statistics.summaries(count, mean, std, low, high, zeros)
    return [
        [*row, *statistics.NO_UNITS] if statistics.is_plain(a, b) else _alone(tensor)
        for row, a, b, tensor in zip(numbers, low, high, tensors)
    ]


def _outputs(tensors: list[Tensor]) -> list[list[float]]:
    first = tensors[0]
    axis = first.axis if first.axis is not None else -1
    stacked = np.stack([np.moveaxis(tensor.values, axis, -1) for tensor in tensors])
    many, samples, units = stacked.shape[0], stacked.shape[1], stacked.shape[-1]
    stacked = stacked.reshape(many, samples, -1, units)
    count = stacked[0].size
    unit_high = stacked.max(axis=(1, 2))
    unit_low = stacked.min(axis=(1, 2))
    low, high = unit_low.min(axis=1), unit_high.max(axis=1)
    zeros = np.count_nonzero(stacked.reshape(many, -1) == 0, axis=1)
    saturated = np.full(many, np.nan)
    if first.activation in statistics.SATURATING:
        flat = np.abs(stacked.reshape(many, -1)) >= statistics.FLAT_FROM
        saturated = np.count_nonzero(flat, axis=1) / count
    means = stacked.mean(axis=1)
    stacked -= means[:, None]
    within = np.einsum("ksp,ksp->kp", *[stacked.reshape(many, samples, -1)] * 2) / samples
    means = means.reshape(many, -1).astype(np.float64)
    mean = means.mean(axis=1)
    std = np.sqrt(within.mean(axis=1, dtype=np.float64) + means.var(axis=1))
    spread = np.sqrt(within).mean(axis=1, dtype=np.float64)
    numbers = statistics.summaries(count, mean, std, low, high, zeros)
    found = []
    for at, (row, tensor) in enumerate(zip(numbers, tensors)):
        if statistics.is_plain(low[at], high[at]):
            of_units = statistics.of_units(unit_low[at], unit_high[at], samples)
            flat = np.nan
            if first.activation in statistics.SATURATING:
                flat = statistics.saturated_units(unit_low[at], unit_high[at])
            varied = spread[at] if samples > 1 else np.nan
            found.append([*row, *of_units, float(saturated[at]), varied, flat])
        else:
            found.append(_alone(tensor))
    return found
