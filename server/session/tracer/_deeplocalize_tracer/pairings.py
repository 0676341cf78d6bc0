"""Sees where a loss combines every row of a batch with every other one.

Arithmetic on shapes (n, 1) and (n,) gives a table of (n, n). TensorFlow tells of each operation under a tape.
Those count that stand after the last layer, one side of which comes from the model and the other does not,
and which the loss that is differentiated depends on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import sites

# Operations on two tensors, element by element.
_ELEMENTWISE = {"Sub", "SquaredDifference", "Mul", "RealDiv", "DivNoNan", "AddV2", "Maximum", "Minimum"}
# The mean of sums of pairs is the sum of the means: until something else follows, these do no harm.
_LINEAR = {
    "AddN",
    "AddV2",
    "Cast",
    "ExpandDims",
    "Identity",
    "Mean",
    "Neg",
    "Pack",
    "Reshape",
    "Squeeze",
    "Sub",
    "Sum",
    "Transpose",
}
_SCALED = {"Mul", "RealDiv", "DivNoNan"}
# Fewer rows may be as many as something else by chance.
_FEWEST_ROWS = 4
_GENERATED = "__autograph_generated_file"


class Pairings:
    """What is seen of one step."""

    def __init__(self, tf: Any) -> None:
        self._tf = tf
        # As they stand in the `fit` message.
        self.found: list[dict[str, Any]] = []
        self._candidates: list[dict[str, Any]] = []
        # What stems from a layer; kept, so that no other tensor gets the same id.
        self._predicted: dict[Any, Any] = {}
        # The candidates that a tensor depends on by sums alone, and those that it depends on otherwise.
        self._sums: dict[Any, set[int]] = {}
        self._others: dict[Any, set[int]] = {}
        self._depth = 0
        self._watching = False

    def start(self) -> None:
        """TensorFlow tells of its operations from here on."""
        from tensorflow.python.framework import op_callbacks

        op_callbacks.add_op_callback(self._note)
        self._watching = True

    def stop(self) -> None:
        """No more."""
        if self._watching:
            from tensorflow.python.framework import op_callbacks

            self._watching = False
            op_callbacks.remove_op_callback(self._note)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Operations in this context are seen, where TensorFlow can tell of them."""
        try:
            self.start()
        except Exception:  # Not part of TensorFlow's public interface.
            yield
            return
        try:
            yield
        finally:
            self.stop()

    @contextmanager
    def within(self) -> Iterator[None]:
        """What happens in this context is a layer's own."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def made(self, output: Any) -> None:
        """A layer has made this."""
        if self._watching:
            for tensor in self._tf.nest.flatten(output):
                if isinstance(tensor, self._tf.Tensor):
                    self._predicted[_key(tensor)] = tensor

    def differentiate(self, target: Any) -> None:
        """The loss is known: what it depends on is found."""
        for tensor in self._tf.nest.flatten(target):
            for at in sorted(self._others.get(_key(tensor), ())):
                if self._candidates[at] not in self.found:
                    self.found.append(self._candidates[at])

    def _note(
        self, kind: str, inputs: Any, _attributes: Any, outputs: Any, op_name: Any = None, graph: Any = None
    ) -> None:
        """Called by TensorFlow."""
        try:
            self._follow(kind, list(inputs), list(outputs), op_name, graph)
        except Exception:
            # A tensor of a kind that has no shape or name.
            return

    def _follow(self, kind: str, inputs: list[Any], outputs: list[Any], op_name: Any, graph: Any) -> None:
        keys = [_key(tensor) for tensor in inputs]
        predicted = [key in self._predicted for key in keys]
        if not any(predicted):
            return
        sums = {at for key in keys for at in self._sums.get(key, ())}
        others = {at for key in keys for at in self._others.get(key, ())}
        if kind.startswith("MatrixDiagPart"):
            # Each row with itself again.
            sums, others = set(), set()
        scaled = kind in _SCALED and any(tensor.shape.rank == 0 for tensor in inputs)
        if kind not in _LINEAR and not scaled:
            sums, others = set(), others | sums
        at_loss = self._depth == 0 and kind in _ELEMENTWISE and len(inputs) == 2
        if at_loss and predicted[0] != predicted[1] and _pairs(*inputs):
            self._candidates.append(
                {
                    "site": _site(op_name, graph),
                    "operation": kind,
                    "shapes": [tensor.shape.as_list() for tensor in inputs],
                    "prediction": predicted.index(True),
                }
            )
            (sums if kind in _LINEAR else others).add(len(self._candidates) - 1)
        for tensor in outputs:
            key = _key(tensor)
            self._predicted[key] = tensor
            if sums:
                self._sums[key] = sums
            if others:
                self._others[key] = others


def _key(tensor: Any) -> Any:
    """The same for the same tensor; of a graph there may be several objects for one."""
    graph = getattr(tensor, "graph", None) if not hasattr(tensor, "numpy") else None
    return id(tensor) if graph is None else (id(graph), tensor.name)


def _pairs(first: Any, second: Any) -> bool:
    """Whether one is (n,) and the other (n, 1)."""
    flat, column = sorted((first.shape, second.shape), key=lambda shape: shape.rank or 0)
    if flat.rank != 1 or not column.rank or column.rank < 2 or any(size != 1 for size in column[1:]):
        return False
    return flat[0] == column[0] and (flat[0] is None or flat[0] >= _FEWEST_ROWS)


def _site(op_name: Any, graph: Any) -> sites.Site | None:
    """The expression of the user's that makes this operation."""
    frame = sys._getframe(1)
    while frame is not None and not sites.is_user_code(frame.f_code, frame.f_globals.get("__name__")):
        if _GENERATED in frame.f_code.co_filename and graph is not None:
            return _translated(graph.get_operation_by_name(op_name).traceback)
        frame = frame.f_back
    return None if frame is None else sites.place(frame.f_code, frame.f_lasti, frame.f_lineno)


def _translated(traceback: Any) -> sites.Site | None:
    """The user's line behind what autograph has made of it: TensorFlow knows it, though not the columns."""
    for entry in reversed(list(traceback)):
        if _GENERATED not in entry.filename and sites.is_user_file(entry.filename):
            return {
                "path": os.path.abspath(entry.filename),
                "line": entry.lineno,
                "column": None,
                "end_line": None,
                "end_column": None,
            }
    return None
