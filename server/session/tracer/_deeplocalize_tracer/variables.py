"""Reading and restoring many TensorFlow variables at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# From so many variables on, calling a compiled function costs less than reading one by one.
_MANY = 60


def inner(variable: Any) -> Any:
    """The TensorFlow variable within a variable of Keras 3, or within one of mixed precision in Keras 2."""
    for name in ("_value", "_variable"):
        found = getattr(variable, name, None)
        if found is not None:
            return found
    return variable


def mean_of(tracker: list[Any]) -> float | None:
    """The mean in the values of a Keras `Mean`; `None` when nothing was counted."""
    if len(tracker) != 2:
        return None
    total, count = (float(value) for value in tracker)
    return total / count if count else None


class Variables:
    """A set of variables. Reading many is compiled, one call instead of hundreds; writing would not gain."""

    def __init__(self, tf: Any, variables: Iterable[Any]) -> None:
        self._all = list({id(variable): variable for variable in map(inner, variables)}.values())
        from tensorflow.python.ops.gen_resource_variable_ops import assign_variable_op, read_variable_op

        self._assign = assign_variable_op

        @tf.autograph.experimental.do_not_convert
        def read_all() -> list[Any]:
            return [read_variable_op(variable.handle, variable.dtype) for variable in self._all]

        self._read = read_all
        if len(self._all) > _MANY:
            # A concrete function: TensorFlow counts calls of others and warns the user of too much tracing.
            self._read = tf.function(read_all).get_concrete_function()

    def values(self) -> dict[int, Any]:
        """The values of now by id of the TensorFlow variable. Later steps leave them as they are."""
        return {id(variable): value for variable, value in zip(self._all, self._read())}

    def restore(self, values: dict[int, Any]) -> None:
        """Puts these values back."""
        for variable in self._all:
            self._assign(variable.handle, values[id(variable)])
