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


def number_in(variable: Any) -> float:
    """What a variable of one number holds, by the shortest way: this is asked at every step."""
    found = inner(variable)
    handle = getattr(found, "_handle", None)
    if handle is None:  # One on several devices.
        return float(found.numpy())
    from tensorflow.python.ops.gen_resource_variable_ops import read_variable_op

    return float(read_variable_op(handle, found.dtype).numpy())


def mean_of(tracker: list[Any]) -> float | None:
    """The mean in the values of a Keras `Mean`; `None` when nothing was counted."""
    if len(tracker) != 2:
        return None
    total, count = (float(value) for value in tracker)
    return total / count if count else None


class Variables:
    """A set of variables. Reading many is compiled, one call instead of hundreds."""

    def __init__(self, tf: Any, variables: Iterable[Any]) -> None:
        self._all = list({id(variable): variable for variable in map(inner, variables)}.values())
        from tensorflow.python.ops.gen_resource_variable_ops import assign_variable_op, read_variable_op

        self._assign = assign_variable_op

        self._tf = tf
        self._read_one = read_variable_op
        self._compiled: Any = None

    def read(self) -> list[Any]:
        """The values of now, read one by one."""
        return [self._read_one(variable.handle, variable.dtype) for variable in self._all]

    def values(self) -> dict[int, Any]:
        """The values of now by id of the TensorFlow variable. Later steps leave them as they are."""
        if self._compiled is None and len(self._all) > _MANY:
            # A concrete function: TensorFlow counts calls of others and warns the user of too much tracing.
            read = self._tf.autograph.experimental.do_not_convert(self.read)
            self._compiled = self._tf.function(read).get_concrete_function()
        found = self.read() if self._compiled is None else self._compiled()
        return {id(variable): value for variable, value in zip(self._all, found)}

    def restore(self, values: dict[int, Any]) -> None:
        """Puts these values back."""
        self.assign(list(values.values()))

    def assign(self, values: list[Any]) -> None:
        """Gives each of the variables its value, in the order in which `values` has them."""
        for variable, value in zip(self._all, values):
            self._assign(variable.handle, value)
