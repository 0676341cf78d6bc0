"""TensorFlow's functions on values that are at hand, for scripts that prepare their data with them."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any, Callable

import numpy as np

from .giving_up import give_up

_generators = {"random": np.random.default_rng()}


class Tensor(np.ndarray):
    """An array that also answers to `numpy()`, as TensorFlow's tensors do."""

    def numpy(self) -> Any:
        """The plain array."""
        plain = self.view(np.ndarray)
        return plain[()] if plain.ndim == 0 else plain


def tensor(value: Any, dtype: Any = None) -> Any:
    """A tensor of the type that TensorFlow would choose."""
    if type(value).__name__ == "KerasTensor":
        give_up("a TensorFlow function on a layer's output")
    given = hasattr(value, "dtype")
    array = np.asarray(value, dtype=dtype)
    if dtype is None and not given:
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        elif array.dtype == np.int64:
            array = array.astype(np.int32)
    if array.dtype.kind not in "fiub":
        give_up("tensors of strings or objects")
    return array.view(Tensor)


def set_seed(value: int) -> None:
    """`tf.random.set_seed`."""
    _generators["random"] = np.random.default_rng(int(value))


def generator() -> np.random.Generator:
    """What shuffles data where TensorFlow would have; never the script's own `numpy.random`."""
    return _generators["random"]


def seed_from_the_script() -> int:
    """A number that follows from the script's seed, where it set one."""
    return int(generator().integers(1 << 31))


def patch_seed(module: ModuleType) -> None:
    """`keras.utils.set_random_seed` seeds TensorFlow too, where there is one."""
    theirs = module.set_random_seed

    @functools.wraps(theirs)
    def set_random_seed(seed: int) -> None:
        theirs(seed)
        set_seed(seed)

    module.set_random_seed = set_random_seed


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Any:
    made = tensor(value, dtype)
    if shape is None:
        return made
    return tensor(np.full(shape, made.reshape(()))) if made.size == 1 else made.reshape(shape)


def convert_to_tensor(value: Any, dtype: Any = None, **_: Any) -> Any:
    return tensor(value, dtype)


def cast(x: Any, dtype: Any, name: Any = None) -> Any:
    return tensor(x).astype(dtype)


def one_hot(
    indices: Any, depth: int, on_value: float = 1.0, off_value: float = 0.0, axis: int = -1, dtype: Any = None
) -> Any:
    if axis != -1:
        give_up("tf.one_hot with an axis")
    places = tensor(indices).astype(np.int64)
    hot = places[..., None] == np.arange(depth)
    return tensor(np.where(hot, on_value, off_value), dtype or np.float32)


def normal(
    shape: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = np.float32,
    seed: Any = None,
    name: Any = None,
) -> Any:
    return tensor(generator().normal(mean, stddev, tuple(shape)), dtype)


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = np.float32,
    seed: Any = None,
    name: Any = None,
) -> Any:
    high = 1 if maxval is None else maxval
    if np.dtype(dtype).kind in "iu":
        return tensor(generator().integers(minval, high, tuple(shape)), dtype)
    return tensor(generator().uniform(minval, high, tuple(shape)), dtype)


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: Any = None) -> Any:
        given = tensor(input_tensor)
        axis = tuple(axis) if isinstance(axis, list) else axis
        return tensor(function(given.view(np.ndarray), axis=axis, keepdims=keepdims), given.dtype)

    return reduce


def arg(function: Callable[..., Any]) -> Callable[..., Any]:
    def find(input: Any, axis: Any = 0, output_type: Any = np.int64, name: Any = None) -> Any:
        return tensor(function(tensor(input), axis=axis or 0), output_type)

    return find


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy whose first argument is a tensor or a list of them, and whose name goes last."""

    def call(value: Any, *args: Any, name: Any = None, **kwargs: Any) -> Any:
        given = [tensor(item) for item in value] if isinstance(value, (list, tuple)) else tensor(value)
        return tensor(function(given, *args, **kwargs))

    return call


def filled(value: float) -> Callable[..., Any]:
    def fill(shape: Any, dtype: Any = np.float32, name: Any = None) -> Any:
        return tensor(np.full(shape, value), dtype)

    return fill


def filled_like(value: float) -> Callable[..., Any]:
    def fill(input: Any, dtype: Any = None, name: Any = None) -> Any:
        given = tensor(input)
        return tensor(np.full(given.shape, value), dtype or given.dtype)

    return fill


def arange(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: Any = None) -> Any:
    values = np.arange(start) if limit is None else np.arange(start, limit, delta)
    return tensor(values, dtype or (np.int32 if values.dtype.kind == "i" else np.float32))


def linspace(start: Any, stop: Any, num: Any, name: Any = None, axis: int = 0) -> Any:
    first = tensor(start)
    if first.dtype.kind != "f":
        give_up("tf.linspace of whole numbers")
    return tensor(np.linspace(first, tensor(stop), int(num), axis=axis), first.dtype)


def concat(values: Any, axis: int, name: Any = None) -> Any:
    return tensor(np.concatenate([tensor(value) for value in values], axis=axis))


def stack(values: Any, axis: int = 0, name: Any = None) -> Any:
    return tensor(np.stack([tensor(value) for value in values], axis=axis))


def transpose(a: Any, perm: Any = None, **_: Any) -> Any:
    return tensor(np.transpose(tensor(a), perm))
