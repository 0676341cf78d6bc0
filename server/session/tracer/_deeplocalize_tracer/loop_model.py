"""What stands for the model in a training loop of the user's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from . import dialect, layers, sites
from .variables import inner


class LoopModel:
    """The models and layers that are called in a loop, as if they were one model."""

    def __init__(self, roots: list[Any], optimizer: Any, loss: Any) -> None:
        first = next((root for root in roots if dialect.is_model(root)), roots[0] if roots else None)
        self.name = getattr(first, "name", "loop")
        self.optimizer = optimizer
        # The metrics of such a loop are variables that its step reads; that is known once it is traced.
        self.metrics_variables: list[Any] = []
        alone = len(roots) == 1 and dialect.is_model(roots[0]) and not dialect.own_weights(roots[0])
        self._layers = dialect.children(roots[0]) if alone else roots
        self._roots = roots
        self._compile_loss = SimpleNamespace(_user_loss=loss)
        self.kind = type(first).__name__ if first is not None else "Layer"
        sites.remember(self, sites.recall(first) if first is not None else None)

    @property
    def variables(self) -> list[Any]:
        """Everything the layers keep."""
        return [variable for root in self._roots for variable in root.variables]

    def leaves(self) -> list[Any]:
        """The leaf layers."""
        return layers.leaves(self)


def roots_of(called: list[Any], changed: list[Any]) -> list[Any]:
    """Of the outermost layers that were called those whose weights change; all if that cannot be told."""
    trained = {id(inner(variable)) for variable in changed}
    found = [
        layer for layer in called if trained & {id(inner(variable)) for variable in layer.trainable_variables}
    ]
    # Layers without weights belong to whatever they stand between.
    return [layer for layer in called if layer in found or not layer.variables] if found else called
