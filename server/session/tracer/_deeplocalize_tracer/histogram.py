"""Small histograms of tensors: how many elements lie in which tenth between the least and the greatest."""

from __future__ import annotations

import numpy as np

BINS = 10
NAMES = [f"bin_{number}" for number in range(BINS)]
# Elements looked at; of larger tensors so many of them, spread evenly.
SAMPLE = 256
# The multiples of the golden ratio, modulo one, fill the interval evenly and in step with no shape.
_GOLDEN = 0.6180339887498949

_places: dict[int, np.ndarray] = {}


def places(size: int) -> np.ndarray:
    """Which elements of a flat tensor of this size are looked at."""
    found = _places.get(size)
    if found is None:
        if len(_places) > 10_000:  # A training whose shapes never repeat.
            _places.clear()
        if size <= SAMPLE:
            found = np.arange(size)
        else:
            found = (np.arange(1, SAMPLE + 1) * _GOLDEN % 1.0 * size).astype(np.intp)
        _places[size] = found
    return found


def shares(sample: np.ndarray, counts: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Of several tensors, whose samples follow each other in `sample`, the share of elements in each bin."""
    many = len(counts)
    width = high - low
    scale = np.divide(BINS, width, out=np.zeros(many), where=width > 0)
    bins = ((sample - np.repeat(low, counts)) * np.repeat(scale, counts)).astype(np.intp)
    # The greatest value belongs to the last bin.
    np.minimum(bins, BINS - 1, out=bins)
    bins += np.repeat(np.arange(0, many * BINS, BINS), counts)
    return np.bincount(bins, minlength=many * BINS).reshape(many, BINS) / counts[:, None]


def of_tensors(arrays: list[np.ndarray], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The shares of each tensor, of its finite elements; `low` and `high` are NaN where there are none."""
    samples = [array.reshape(-1).take(places(array.size)).astype(np.float64) for array in arrays]
    samples = [sample[np.isfinite(sample)] for sample in samples]
    found = np.full((len(arrays), BINS), np.nan)
    some = [at for at, sample in enumerate(samples) if sample.size and np.isfinite(low[at] - high[at])]
    if some:
        counts = np.array([samples[at].size for at in some])
        found[some] = shares(np.concatenate([samples[at] for at in some]), counts, low[some], high[some])
    return found
