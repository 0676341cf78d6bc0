"""Takes note of the tensors of a step in a training loop of the user's own."""

from __future__ import annotations

from typing import Any, Callable

from . import dialect
from . import probe as probes
from .loop_model import LoopModel
from .recorder import Recorder, variable_key
from .shadow import gradient_scale
from .variables import inner


class LoopRecorder(Recorder):
    """Records whatever layers are called; without `keep` only which, not their tensors."""

    def __init__(self, tf: Any, keep: bool) -> None:
        super().__init__(tf, None, [])
        self.keep = keep
        # The outermost layers, in the order of their first call.
        self.roots: list[Any] = []
        self.loss: Any = None
        self.labels: Any = None
        self.inputs: Any = None
        # What was differentiated, and by which variables.
        self.targets: list[tuple[Any, set[int]]] = []
        self.layers: list[Any] = []
        self._depth = 0
        self._within_leaf = False
        self._compared = False

    def call(
        self, original: Callable[..., Any], layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Calls a layer, and notes it."""
        outermost = self._depth == 0
        if outermost:
            if all(layer is not root for root in self.roots):
                self.roots.append(layer)
            if self.keep and self.inputs is None:
                self.inputs = next(iter(self._seen(args)), None)
        leaf = self.keep and not self._within_leaf and _is_leaf(layer)
        self._depth += 1
        self._within_leaf = self._within_leaf or leaf
        try:
            with self.pairings.within():
                output = (
                    self.note_call(original, layer, args, kwargs)
                    if leaf
                    else original(layer, *args, **kwargs)
                )
            self.pairings.made(output)
        finally:
            self._depth -= 1
            self._within_leaf = self._within_leaf and not leaf
        if outermost and self.keep and not self._compared:
            self.prediction = self._first(output)
        return output

    def compare(self, loss: Any, labels: Any, prediction: Any) -> None:
        """A loss is worked out."""
        if self.loss is None:
            self.loss = loss
        if not self.keep:
            return
        seen, predicted = self._seen(labels), self._first(prediction)
        if self._compared or not seen:
            # Several losses: which of them counts as right answers is not known.
            self.labels = self.prediction = None
        else:
            self.labels, self.prediction = seen[0], predicted
        self._compared = True

    def gradient(
        self,
        original: Callable[..., Any],
        tape: Any,
        target: Any,
        sources: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """The loss is differentiated."""
        flat = self._tf.nest.flatten(sources)
        self.targets.append((target, {variable_key(variable) for variable in flat}))
        if not self.keep:
            return original(tape, target, sources, *args, **kwargs)
        return super().gradient(original, tape, target, sources, args, kwargs)

    def loss_tensor(self, keys: set[int]) -> Any:
        """The loss that was differentiated by any of these variables, as a scalar; else `None`."""
        for target, by in self.targets:
            if by & keys and isinstance(target, self._tf.Tensor) and target.dtype.is_floating:
                return self._tf.reduce_mean(target)
        return None

    def probe(self, model: LoopModel, before: dict[int, Any]) -> probes.Probe:
        """What was recorded of an eager step; `before` are the weights as they were."""
        found, calls = model.leaves(), self.first_calls()
        order = {key: at for at, key in enumerate(calls)}
        self.layers = sorted(found, key=lambda layer: order.get(id(layer), len(order)))
        after = {key: variable.read_value() for key, (variable, _) in before.items()}
        values = {key: value for key, (_, value) in before.items()}
        return probes.eager(self._tf, self, self.layers, values, after, gradient_scale(model.optimizer, {}))

    @staticmethod
    def weights(variables: list[Any]) -> dict[int, Any]:
        """The variables with their values of now."""
        return {id(inner(each)): (inner(each), inner(each).read_value()) for each in variables}

    def _seen(self, tensors: Any) -> list[Any]:
        """Tensors and arrays of any type that belong to this step."""
        flat = [item for item in self._tf.nest.flatten(tensors) if isinstance(item, self._tf.Tensor)]
        if self._graph is None:
            return [item for item in flat if hasattr(item, "numpy")]
        return [item for item in flat if getattr(item, "graph", 0) is self._graph]


def _is_leaf(layer: Any) -> bool:
    return not dialect.children(layer) or (dialect.is_from_keras(layer) and not dialect.is_model(layer))
