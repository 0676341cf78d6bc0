"""Takes note of the tensors of a training step while it runs or is traced. Changes none of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable

from .activations import ACTIVATION_LAYERS
from .pairings import Pairings
from .variables import inner

_active: list[Any] = []
# How many operations to walk back from a layer's input to the layer that made it.
_LONGEST_WALK = 200


def active() -> Any:
    """The recorder of the step that is running, if that step is probed."""
    return _active[-1] if _active else None


@contextmanager
def activated(recorder: Any) -> Iterator[None]:
    """Has this recorder see the calls of layers."""
    push(recorder)
    try:
        yield
    finally:
        remove(recorder)


def push(recorder: Any) -> None:
    """From now on this recorder sees the calls of layers."""
    _active.append(recorder)


def remove(recorder: Any) -> None:
    """It sees no more."""
    _active[:] = [other for other in _active if other is not recorder]


@dataclass
class Call:
    """One call of a layer."""

    layer: Any
    before: Any = None
    after: Any = None
    before_gradient: Any = None
    after_gradient: Any = None
    sources: list[int] = field(default_factory=list)


class Recorder:
    """Records one step of `model`, whose leaf layers are `leaves`."""

    def __init__(self, tf: Any, model: Any, leaves: list[Any]) -> None:
        self._tf = tf
        self.model = model
        self._leaves = {id(layer) for layer in leaves}
        self._graph: Any = None
        self.calls: list[Call] = []
        self.prediction: Any = None
        # By `variable_key`.
        self.gradients: dict[int, Any] = {}
        self._makers: dict[str, int] = {}
        self.pairings = Pairings(tf)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Everything in this context is recorded; `patch_tape` (loops.py) has gradients go through it."""
        self._graph = None if self._tf.executing_eagerly() else self._tf.compat.v1.get_default_graph()
        with activated(self), self.pairings.watching():
            yield

    def call(
        self, original: Callable[..., Any], layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Calls a layer and, if it is one of the leaves, notes its tensors."""
        with self.pairings.within():
            if id(layer) in self._leaves:
                output = self.note_call(original, layer, args, kwargs)
            else:
                output = original(layer, *args, **kwargs)
        self.pairings.made(output)
        if layer is self.model:
            self.prediction = self._first(output)
        return output

    def note_call(
        self, original: Callable[..., Any], layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Calls a layer and notes its tensors."""
        inputs: list[Any] = []

        def note(tensor: Any) -> Any:
            inputs.append(tensor)
            return tensor

        with watched_activation(layer, note):
            output = original(layer, *args, **kwargs)
        after = self._first(output)
        if after is not None:
            before = self._first(inputs)
            if before is None and type(layer).__name__ in ACTIVATION_LAYERS:
                before = self._first(args)
            call = Call(layer, before, after, sources=self._sources((args, kwargs)))
            self.calls.append(call)
            if self._graph is not None:
                for tensor in self._flat(output):
                    self._makers[tensor.name] = id(layer)
        return output

    def gradient(
        self,
        original: Callable[..., Any],
        tape: Any,
        target: Any,
        sources: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Asks the same backward pass also for the gradients of the loss at the noted tensors."""
        self.pairings.differentiate(target)
        wanted = [(call, call.before, call.after) for call in self.calls]
        extra = [[after if before is None else before, after] for _, before, after in wanted]
        gradients, extra_gradients = original(tape, target, [sources, extra], *args, **kwargs)
        for (call, before, _), (at_before, at_after) in zip(wanted, extra_gradients):
            if before is not None and call.before_gradient is None:
                call.before_gradient = at_before
            if call.after_gradient is None:
                call.after_gradient = at_after
        flat = self._tf.nest.flatten
        for variable, value in zip(flat(sources), flat(gradients, expand_composites=False)):
            if value is not None:
                self.gradients.setdefault(variable_key(variable), value)
        return gradients

    def first_calls(self) -> dict[int, Call]:
        """One call for each layer, by id, in the order of the forward pass."""
        return first_calls(self.calls)

    def _flat(self, tensors: Any) -> list[Any]:
        return [tensor for tensor in self._tf.nest.flatten(tensors) if self._usable(tensor)]

    def _first(self, tensors: Any) -> Any:
        found = self._flat(tensors)
        return found[0] if found else None

    def _usable(self, tensor: Any) -> bool:
        """Dense floats of the graph of the step; tensors of loops and inner functions cannot be had."""
        if not isinstance(tensor, self._tf.Tensor) or not tensor.dtype.is_floating:
            return False
        if self._graph is None:
            return hasattr(tensor, "numpy")
        return not hasattr(tensor, "numpy") and tensor.graph is self._graph

    def _sources(self, arguments: Any) -> list[int]:
        """Ids of the layers whose outputs reach these arguments without passing through another layer."""
        found: list[int] = []
        if self._graph is None:
            return found
        pending = [
            tensor
            for tensor in self._tf.nest.flatten(arguments)
            if getattr(tensor, "graph", 0) is self._graph
        ]
        seen: set[str] = set()
        while pending and len(seen) < _LONGEST_WALK:
            tensor = pending.pop()
            if tensor.name in seen:
                continue
            seen.add(tensor.name)
            maker = self._makers.get(tensor.name)
            if maker is None:
                pending.extend(tensor.op.inputs)
            elif maker not in found:
                found.append(maker)
        return found


def variable_key(variable: Any) -> int:
    """The same for a Keras variable and the TensorFlow variable within it."""
    return id(inner(variable))


def first_calls(calls: list[Call]) -> dict[int, Call]:
    """One call for each layer, by id, in the order of the forward pass.

    Of several calls the first that took part in the backward pass, else the first.
    """
    chosen: dict[int, Call] = {}
    for call in calls:
        known = chosen.get(id(call.layer))
        if known is None or (not _took_part(known) and _took_part(call)):
            chosen[id(call.layer)] = call
    return chosen


def _took_part(call: Call) -> bool:
    return call.after_gradient is not None or call.before_gradient is not None


@contextmanager
def watched_activation(layer: Any, note: Callable[[Any], Any]) -> Iterator[None]:
    """Replaces the layer's `activation` by one that has its input noted and calls the original.

    So what the original leaves on its output (the logits) stays. Past Keras' attribute tracking, which would
    refuse.
    """
    attributes = vars(layer)
    activation = attributes.get("activation")
    if not callable(activation):
        yield
        return

    def noting(x: Any, *args: Any, **kwargs: Any) -> Any:
        return activation(note(x), *args, **kwargs)

    noting.__name__ = getattr(activation, "__name__", "activation")
    attributes["activation"] = noting
    try:
        yield
    finally:
        attributes["activation"] = activation
