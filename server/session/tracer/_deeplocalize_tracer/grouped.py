"""Statistics of the tensors of a step, small ones many at once: calls cost more than numbers there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from . import histogram, statistics

# Larger tensors gain nothing from being joined.
_SMALL = 20_000
_FEWEST = 2
# Numbers that are worked on together, so that they stay in the processor's cache.
_TOGETHER = 50_000
_LOW = statistics.NAMES.index("min")
_UNITS = statistics.NAMES.index("units")
_BINS = statistics.NAMES.index(histogram.NAMES[0])


@dataclass(frozen=True)
class _Layout:
    """How tensors of these sizes lie one behind the other."""

    sizes: np.ndarray
    starts: np.ndarray
    # The elements that the histograms look at, and how many those are of each tensor.
    places: np.ndarray
    looked_at: np.ndarray


_layouts: dict[tuple[int, ...], _Layout] = {}


@dataclass(frozen=True)
class Tensor:
    """A tensor to be summed up: an output or the gradient at one if it has a unit axis."""

    values: np.ndarray
    axis: int | None = None
    activation: str | None = None


def summarize(tensors: list[Tensor]) -> np.ndarray:
    """The statistics of each, one row a tensor."""
    found = np.full((len(tensors), len(statistics.NAMES)), np.nan)
    small = [at for at, tensor in enumerate(tensors) if 0 < tensor.values.size <= _SMALL]
    if len(small) < _FEWEST:
        small = []
    alone = set(range(len(tensors))).difference(small)
    for part in _parts(small, [tensors[at].values.size for at in small]):
        rows, usable = _elements([tensors[at].values for at in part])
        found[part, :_UNITS] = rows[:, :_UNITS]
        found[part, _BINS:] = rows[:, _UNITS:]
        alone.update(at for at, is_usable in zip(part, usable.tolist()) if not is_usable)
    groups: dict[int, list[int]] = {}
    for at in small:
        tensor = tensors[at]
        if tensor.axis is not None and tensor.values.ndim > 1 and at not in alone:
            groups.setdefault(tensor.values.shape[0], []).append(at)
    for samples, group in groups.items():
        for part in _parts(group, [tensors[at].values.size for at in group]):
            found[part, _UNITS:_BINS] = _units([tensors[at] for at in part], samples)
    others = sorted(alone)
    if others:
        for at in others:
            found[at, :_BINS] = _alone(tensors[at])
        arrays = [tensors[at].values for at in others]
        found[others, _BINS:] = histogram.of_tensors(arrays, found[others, _LOW], found[others, _LOW + 1])
    return found


def _parts(members: list[int], sizes: list[int]) -> Iterator[list[int]]:
    """Members that fit into the processor's cache together."""
    part: list[int] = []
    total = 0
    for at, size in zip(members, sizes):
        if part and total + size > _TOGETHER:
            yield part
            part, total = [], 0
        part.append(at)
        total += size
    if part:
        yield part


def _alone(tensor: Tensor) -> list[float]:
    if tensor.axis is None:
        return statistics.of_tensor(tensor.values)
    return statistics.of_output(tensor.values, tensor.axis, tensor.activation)


def _layout(sizes: tuple[int, ...]) -> _Layout:
    known = _layouts.get(sizes)
    if known is None:
        if len(_layouts) > 200:  # A training whose shapes never repeat.
            _layouts.clear()
        starts = np.cumsum(sizes) - sizes
        picked = [histogram.places(size) for size in sizes]
        known = _layouts[sizes] = _Layout(
            np.array(sizes),
            starts,
            np.concatenate([start + places for start, places in zip(starts, picked)]),
            np.array([len(places) for places in picked]),
        )
    return known


def _elements(arrays: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """From count to infs and the histogram; and for which of the arrays that is right."""
    layout = _layout(tuple([array.size for array in arrays]))
    sizes, starts = layout.sizes, layout.starts
    joined = np.concatenate([array.reshape(-1) for array in arrays], dtype=np.float64)
    low = np.minimum.reduceat(joined, starts)
    high = np.maximum.reduceat(joined, starts)
    usable = statistics.are_plain(low, high)
    if not usable.all():
        np.nan_to_num(joined, copy=False, posinf=0.0, neginf=0.0)
        low, high = np.where(usable, low, 0.0), np.where(usable, high, 0.0)
    zeros = _counts(joined == 0.0, starts)
    shares = histogram.shares(joined.take(layout.places), layout.looked_at, low, high)
    mean = np.add.reduceat(joined, starts) / sizes
    joined -= np.repeat(mean, sizes)
    std = np.sqrt(np.add.reduceat(np.square(joined, out=joined), starts) / sizes)
    nothing = np.zeros(len(sizes))
    absmax = np.maximum(np.abs(low), np.abs(high))
    l2 = np.sqrt(sizes) * np.hypot(std, mean)
    columns = np.stack([sizes, mean, std, low, high, absmax, l2, zeros, nothing, nothing], axis=1)
    return np.concatenate([columns, shares], axis=1), usable


def _units(tensors: list[Tensor], samples: int) -> np.ndarray:
    """From units to saturated units, of finite tensors with so many samples."""
    arrays = [np.moveaxis(tensor.values, tensor.axis, -1) for tensor in tensors]  # type: ignore[arg-type]
    # One column for each output of a sample: what is worked out over the samples runs along the memory.
    joined = np.concatenate([array.reshape(samples, -1) for array in arrays], axis=1)
    sizes = np.array([array.size // samples for array in arrays])
    starts = np.cumsum(sizes) - sizes
    high, low = np.maximum.reduce(joined, axis=0), np.minimum.reduce(joined, axis=0)
    units = np.array([array.shape[-1] for array in arrays])
    if (units < sizes).any():
        parts = list(zip(starts.tolist(), sizes.tolist(), units.tolist()))
        high = np.concatenate(
            [high[at : at + size].reshape(-1, each).max(axis=0) for at, size, each in parts]
        )
        low = np.concatenate([low[at : at + size].reshape(-1, each).min(axis=0) for at, size, each in parts])
    first = np.cumsum(units) - units
    found = np.full((len(tensors), _BINS - _UNITS), np.nan)
    found[:, 0] = units
    found[:, 1] = _counts((high == 0) & (low == 0), first)
    flat = [at for at, tensor in enumerate(tensors) if tensor.activation in statistics.SATURATING]
    if flat:
        steep = np.count_nonzero(np.abs(joined) >= statistics.FLAT_FROM, axis=0)
        found[flat, 3] = (np.add.reduceat(steep, starts) / (samples * sizes))[flat]
        found[flat, 5] = _counts(statistics.are_saturated(low, high), first)[flat]
    if samples > 1:
        found[:, 2] = _counts(statistics.are_constant(low, high), first)
        joined -= np.add.reduce(joined, axis=0) / joined.dtype.type(samples)
        within = np.add.reduce(np.square(joined, out=joined), axis=0) / joined.dtype.type(samples)
        found[:, 4] = np.add.reduceat(np.sqrt(within), starts, dtype=np.float64) / sizes
    return found


def _counts(flags: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(flags, starts, dtype=np.intp)
