"""TensorFlow's stateless random numbers, so that models begin with the weights they would have had.

Philox 4x32-10 with the key and counter that TensorFlow derives from a seed (`random_distributions.h`,
`stateless_random_ops.cc`).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_STEPS = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_FIRST_KEY = (0x3EC8F720, 0x02461E29)
_LOW = np.uint64(0xFFFFFFFF)
_SMALLEST = np.float32(1e-7)


def _rounds(counter: list[np.ndarray], key: tuple[int, int]) -> list[np.ndarray]:
    """Four words of 32 bits (kept in 64) for each counter."""
    first, second, third, fourth = counter
    low, high = key
    for _ in range(_ROUNDS):
        one, two = first * _MULTIPLIERS[0], third * _MULTIPLIERS[1]
        first, second, third, fourth = (
            (two >> np.uint64(32)) ^ second ^ np.uint64(low),
            two & _LOW,
            (one >> np.uint64(32)) ^ fourth ^ np.uint64(high),
            one & _LOW,
        )
        low, high = (low + _STEPS[0]) & 0xFFFFFFFF, (high + _STEPS[1]) & 0xFFFFFFFF
    return [first, second, third, fourth]


def words(seed: tuple[int, int], count: int) -> np.ndarray:
    """The first words of the stream of this seed."""
    halves = [number >> shift & 0xFFFFFFFF for number in seed for shift in (0, 32)]
    mixed = _rounds([np.array([half], dtype=np.uint64) for half in halves], _FIRST_KEY)
    key = (int(mixed[0][0]), int(mixed[1][0]))
    groups = np.arange(-(-count // 4), dtype=np.uint64)
    # The counter's upper half does not carry: nobody draws 2^64 numbers.
    counter = [groups & _LOW, groups >> np.uint64(32), *(np.full_like(groups, part[0]) for part in mixed[2:])]
    return np.stack(_rounds(counter, key), axis=1).reshape(-1).astype(np.uint32)


def _unit(drawn: np.ndarray) -> np.ndarray:
    """Floats from 0 to 1, the latter not included."""
    return ((drawn & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)


def uniform(seed: tuple[int, int], shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """`tf.random.stateless_uniform` in float32."""
    count = int(np.prod(shape, dtype=np.int64))
    drawn = _unit(words(seed, count)[:count]).reshape(shape)
    return drawn * (np.float32(high) - np.float32(low)) + np.float32(low)


def normal(seed: tuple[int, int], shape: tuple[int, ...], mean: float, deviation: float) -> np.ndarray:
    """`tf.random.stateless_normal` in float32."""
    count = int(np.prod(shape, dtype=np.int64))
    pairs = _unit(words(seed, count)).reshape(-1, 2)
    radius = np.sqrt(np.float32(-2) * np.log(np.maximum(pairs[:, 0], _SMALLEST)))
    angle = np.float32(2 * np.pi) * pairs[:, 1]
    drawn = np.stack([np.sin(angle) * radius, np.cos(angle) * radius], axis=1).reshape(-1)
    return drawn[:count].reshape(shape) * np.float32(deviation) + np.float32(mean)


def patch_random(module: ModuleType) -> None:
    """Lets Keras on NumPy draw what Keras on TensorFlow would, where that is simple."""
    plain_uniform, plain_normal = module.uniform, module.normal

    def keras_uniform(
        shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
    ) -> Any:
        if _is_float32(dtype):
            return uniform(_pair(module, seed), tuple(shape), float(minval), float(maxval))
        return plain_uniform(shape, minval, maxval, dtype=dtype, seed=seed)

    def keras_normal(
        shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
    ) -> Any:
        if _is_float32(dtype):
            return normal(_pair(module, seed), tuple(shape), float(mean), float(stddev))
        return plain_normal(shape, mean, stddev, dtype=dtype, seed=seed)

    module.uniform, module.normal = keras_uniform, keras_normal


def _pair(module: ModuleType, seed: Any) -> tuple[int, int]:
    first, second = (int(part) for part in np.asarray(module.draw_seed(seed)).reshape(-1)[:2])
    return first, second


def _is_float32(dtype: Any) -> bool:
    from keras.src.backend import floatx

    return np.dtype(dtype or floatx()) == np.float32
