"""Puts right what Keras on NumPy does differently from Keras on TensorFlow before any model is there."""

from __future__ import annotations

from types import ModuleType
from typing import Any


class _ArraysAreNoTensors:
    """Keras' back end as code sees it for which an array is something that the user made."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    @staticmethod
    def is_tensor(_: Any) -> bool:
        """An array of NumPy is no tensor to the other back ends."""
        return False


def patch_numerical_utils(module: ModuleType) -> None:
    """`to_categorical` and `normalize` treat arrays and tensors differently."""
    module.backend = _ArraysAreNoTensors(module.backend)
