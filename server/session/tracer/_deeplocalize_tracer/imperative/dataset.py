"""`tf.data.Dataset`, as far as it is simple: a chain of steps over arrays, run one element at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import numpy as np

from . import tensors
from .giving_up import give_up

_MOST = 1 << 62


class Dataset:
    """Elements that are made anew each time they are gone through."""

    def __init__(self, make: Callable[[], Iterator[Any]], length: int | None) -> None:
        self._make = make
        # `None` when it is not known, `_MOST` when there is no end.
        self._length = length

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        give_up(f"tensorflow.data.Dataset.{name}")

    def __iter__(self) -> Iterator[Any]:
        return self._make()

    def __len__(self) -> int:
        if self._length is None or self._length >= _MOST:
            raise TypeError("The dataset length is unknown or infinite.")
        return self._length

    @property
    def known_length(self) -> int | None:
        """Number of elements, if known and finite."""
        return None if self._length is None or self._length >= _MOST else self._length

    @staticmethod
    def from_tensor_slices(tensors_: Any, name: Any = None) -> Dataset:
        """One element for each position along the first axis."""
        given = _copied(tensors_)
        count = len(_leaves(given)[0])
        return Dataset(lambda: (_at(given, at) for at in range(count)), count)

    @staticmethod
    def from_tensors(tensors_: Any, name: Any = None) -> Dataset:
        """A single element."""
        given = _copied(tensors_)
        return Dataset(lambda: iter([given]), 1)

    @staticmethod
    def range(*limits: int, **_: Any) -> Dataset:
        """Integers."""
        numbers = np.arange(*limits, dtype=np.int64).view(tensors.Tensor)
        return Dataset(lambda: iter(numbers), len(numbers))

    @staticmethod
    def zip(*datasets: Any, **_: Any) -> Dataset:
        """Elements of several data sets side by side."""
        parts = datasets[0] if len(datasets) == 1 else datasets
        lengths = [part._length for part in parts]
        length = None if None in lengths else min(lengths)
        return Dataset(lambda: zip(*(iter(part) for part in parts)), length)

    def batch(self, batch_size: Any, drop_remainder: bool = False, **_: Any) -> Dataset:
        """Several elements as one."""
        size = int(batch_size)
        length = self._length
        if length is not None and length < _MOST:
            length = length // size if drop_remainder else -(-length // size)

        def make() -> Iterator[Any]:
            held: list[Any] = []
            for element in self:
                held.append(element)
                if len(held) == size:
                    yield _stack(held)
                    held = []
            if held and not drop_remainder:
                yield _stack(held)

        return Dataset(make, length)

    def shuffle(
        self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: Any = None, name: Any = None
    ) -> Dataset:
        """Each element is drawn at random from the next `buffer_size`."""
        size = int(buffer_size)
        if seed is None and reshuffle_each_iteration is False:
            seed = tensors.seed_from_the_script()
        first = None if seed is None else np.random.default_rng(int(seed))

        def make() -> Iterator[Any]:
            generator = first or tensors.generator()
            if reshuffle_each_iteration is False:
                generator = np.random.default_rng(int(seed))
            held: list[Any] = []
            for element in self:
                if len(held) < size:
                    held.append(element)
                    continue
                at = int(generator.integers(len(held)))
                yield held[at]
                held[at] = element
            for at in generator.permutation(len(held)):
                yield held[at]

        return Dataset(make, self._length)

    def map(self, map_func: Callable[..., Any], *_: Any, **__: Any) -> Dataset:
        """A function of every element."""

        def call(element: Any) -> Any:
            return _convert(map_func(*element) if isinstance(element, tuple) else map_func(element))

        return Dataset(lambda: (call(element) for element in self), self._length)

    def repeat(self, count: Any = None, name: Any = None) -> Dataset:
        """The same again; without end when not told how often."""
        times = None if count is None or int(count) < 0 else int(count)
        length = self._length
        if length is not None:
            length = _MOST if times is None else min(_MOST, length * times)

        def make() -> Iterator[Any]:
            done = 0
            while times is None or done < times:
                yield from self
                done += 1

        return Dataset(make, length)

    def take(self, count: Any, name: Any = None) -> Dataset:
        """The first elements."""
        wanted = int(count)
        length = None if self._length is None else (self._length if wanted < 0 else min(wanted, self._length))

        def make() -> Iterator[Any]:
            for at, element in enumerate(self):
                if 0 <= wanted <= at:
                    return
                yield element

        return Dataset(make, length)

    def skip(self, count: Any, name: Any = None) -> Dataset:
        """All but the first elements."""
        omitted = int(count)
        length = (
            self._length if self._length is None or self._length >= _MOST else max(0, self._length - omitted)
        )
        return Dataset(lambda: (element for at, element in enumerate(self) if at >= omitted), length)

    def prefetch(self, *_: Any, **__: Any) -> Dataset:
        """Changes nothing but the time."""
        return self

    def cache(self, *_: Any, **__: Any) -> Dataset:
        """The elements and their order as when they were first gone through, also where these are random."""
        kept: list[list[Any]] = []

        def make() -> Iterator[Any]:
            if kept:
                yield from kept[0]
                return
            found = []
            for element in self:
                found.append(element)
                yield element
            kept[:] = [found]

        return Dataset(make, self._length)

    def cardinality(self) -> Any:
        """Number of elements, -1 without end, -2 when not known."""
        number = -2 if self._length is None else (-1 if self._length >= _MOST else self._length)
        return tensors.tensor(number, np.int64)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as plain arrays."""
        return (_map(lambda array: array.numpy(), element) for element in self)


def _convert(given: Any) -> Any:
    """The arrays of an element as tensors; lists are arrays, as for TensorFlow."""
    if isinstance(given, tuple):
        return tuple(_convert(item) for item in given)
    if isinstance(given, dict):
        return {key: _convert(item) for key, item in given.items()}
    if hasattr(given, "to_numpy"):
        given = given.to_numpy()
    return tensors.tensor(given)


def _copied(given: Any) -> Any:
    """As `_convert`; what the script does with its arrays afterwards is no affair of the data set."""
    return _map(lambda array: array.copy(), _convert(given))


def _map(function: Callable[[Any], Any], element: Any) -> Any:
    if isinstance(element, tuple):
        return tuple(_map(function, item) for item in element)
    if isinstance(element, dict):
        return {key: _map(function, item) for key, item in element.items()}
    return function(element)


def _at(element: Any, at: int) -> Any:
    return _map(lambda array: array[at], element)


def _leaves(element: Any) -> list[Any]:
    if isinstance(element, tuple):
        return [leaf for item in element for leaf in _leaves(item)]
    if isinstance(element, dict):
        return [leaf for item in element.values() for leaf in _leaves(item)]
    return [element]


def _stack(elements: list[Any]) -> Any:
    first = elements[0]
    if isinstance(first, tuple):
        return tuple(_stack([element[at] for element in elements]) for at in range(len(first)))
    if isinstance(first, dict):
        return {key: _stack([element[key] for element in elements]) for key in first}
    try:
        return tensors.tensor(np.stack(elements))
    except ValueError:
        give_up("batches of arrays of different shapes")
