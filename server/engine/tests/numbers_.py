"""Numbers that the Rust test computes in the same way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np


def raw(seed: int, count: int) -> np.ndarray:
    """`count` numbers in [0, 1): SplitMix64 of the index."""
    with np.errstate(over="ignore"):
        state = np.uint64(seed) * np.uint64(1_000_003) + np.arange(1, count + 1, dtype=np.uint64)
        state = state * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return (state >> np.uint64(40)).astype(np.float64) / float(1 << 24)


def values(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Values between -1 and 1."""
    count = int(np.prod(shape, dtype=np.int64))
    return (2.0 * raw(seed, count) - 1.0).astype(np.float32).reshape(shape)


class _Noise:
    """Takes the place of Keras' random numbers with ones that the Rust test knows."""

    def __init__(self) -> None:
        self.step = 0
        self._drawn: list[int] = []

    def _seed(self) -> int:
        """Of the first draw of a step that of the step, of each further one another."""
        if self._drawn[:1] != [self.step]:
            self._drawn = [self.step]
        self._drawn.append(0)
        return 5000 + self.step + 1000 * (len(self._drawn) - 2)

    @contextlib.contextmanager
    def __call__(self, tf: Any, active: bool) -> Iterator[None]:
        if not active:
            yield
            return
        from keras.src import backend, ops

        saved = (backend.random.dropout, backend.random.normal, ops.random.uniform)

        def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
            shape = tuple(inputs.shape)
            small = tuple(noise_shape) if noise_shape is not None else shape
            small = tuple(s if n is None else int(n) for s, n in zip(shape, small))
            keep = raw(self._seed(), int(np.prod(small))).reshape(small) >= rate
            return inputs * (keep.astype(np.float32) / np.float32(1.0 - rate))

        def normal(
            shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
        ) -> Any:
            shape = tuple(int(size) for size in shape)
            return tf.constant(mean + stddev * values(5000 + self.step, shape).astype(np.float32))

        def uniform(shape: Any, *_: Any, **__: Any) -> Any:
            shape = tuple(int(size) for size in shape)
            return tf.constant(raw(5000 + self.step, int(np.prod(shape))).reshape(shape).astype(np.float32))

        backend.random.dropout, backend.random.normal = dropout, normal
        ops.random.uniform = uniform
        try:
            yield
        finally:
            backend.random.dropout, backend.random.normal = saved[0], saved[1]
            ops.random.uniform = saved[2]


noise = _Noise()
