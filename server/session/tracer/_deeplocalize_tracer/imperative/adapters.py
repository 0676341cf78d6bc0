"""Batches in the order in which Keras would have trained on them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import tensors
from .dataset import Dataset


def epoch_iterator(base: Any) -> Any:
    """Keras' own iterator over the batches of an epoch, that also takes the stand-in's data sets."""
    from keras.src.trainers.data_adapters import data_adapter_utils
    from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
    from keras.src.trainers.data_adapters.data_adapter import DataAdapter

    class DatasetAdapter(DataAdapter):
        """For the stand-in of `tf.data.Dataset`."""

        def __init__(self, dataset: Dataset, class_weight: Any) -> None:
            self._dataset = dataset
            self._class_weight = class_weight

        def get_numpy_iterator(self) -> Iterator[Any]:
            for element in self._dataset:
                yield self._weighted(element)

        def _weighted(self, element: Any) -> Any:
            if self._class_weight is None:
                return element if isinstance(element, tuple) else (element,)
            x, y, weight = data_adapter_utils.unpack_x_y_sample_weight(element)
            if weight is None:
                weight = data_adapter_utils.class_weight_to_sample_weights(np.asarray(y), self._class_weight)
            return x, y, weight

        @property
        def num_batches(self) -> int | None:
            return self._dataset.known_length

        batch_size = has_partial_batch = partial_batch_size = None

    class BatchIterator(base):  # type: ignore[misc]
        """Shuffles with a generator of its own, since TensorFlow does not draw from NumPy's either."""

        def __init__(self, x: Any, *args: Any, **kwargs: Any) -> None:
            notice_pandas()
            if isinstance(x, Dataset):
                x = DatasetAdapter(x, kwargs.get("class_weight"))
            super().__init__(x, *args, **kwargs)

        def _get_iterator(self) -> Any:
            iterator = super()._get_iterator()
            if not isinstance(self.data_adapter, (ArrayDataAdapter, DatasetAdapter)):
                # Batches wait for each other before they are used; what makes them may use its arrays again.
                iterator = map(_copied, iterator)
            shuffle = getattr(self.data_adapter, "_shuffle", False)
            return _with_own_random(iterator, shuffle == "batch") if shuffle else iterator

    return BatchIterator


def _copied(batch: Any) -> Any:
    if isinstance(batch, dict):
        return {name: _copied(item) for name, item in batch.items()}
    if isinstance(batch, (list, tuple)):
        copies = [_copied(item) for item in batch]
        return copies if isinstance(batch, list) else tuple(copies)
    return np.array(batch, subok=True) if isinstance(batch, np.ndarray) else batch


# The state of the generator that shuffles arrays, once it is known.
_state: list[Any] = []


def _with_own_random(iterator: Iterator[Any], always: bool) -> Iterator[Any]:
    """Lets an iterator draw from a state of our own where it draws from `numpy.random`.

    It does so for its first batch, or `always`.
    """
    if not _state:
        _state.append(np.random.RandomState(tensors.seed_from_the_script()).get_state())
    draws = True
    while True:
        if draws:
            theirs = np.random.get_state()
            np.random.set_state(_state[0])
        try:
            batch = next(iterator)
        except StopIteration:
            return
        finally:
            if draws:
                _state[0] = np.random.get_state()
                np.random.set_state(theirs)
        draws = always
        yield batch


def notice_pandas() -> None:
    """Keras was imported as if pandas were not installed; see `imports`."""
    from keras.src.trainers.data_adapters import array_slicing

    pandas = sys.modules.get("pandas")
    if pandas is not None and getattr(array_slicing, "pandas", None) is None:
        array_slicing.pandas = pandas
        array_slicing.ARRAY_TYPES = (*array_slicing.ARRAY_TYPES, pandas.Series, pandas.DataFrame)


def first_batch(iterator: Any) -> Any:
    """The first batch, which stays in line for training."""
    adapter = iterator.data_adapter
    waiting = getattr(adapter, "_first_batches", None)
    if waiting:
        return waiting[0]
    batch = None
    for _, _, data in iterator:
        batch = data[0]
        break
    iterator.reset()
    return batch
