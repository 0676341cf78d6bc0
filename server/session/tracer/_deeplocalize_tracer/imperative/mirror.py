"""Keeps the weights of Keras' variables and those of the engine's models the same, as late as possible."""

from __future__ import annotations

import gc
import weakref
from types import ModuleType
from typing import Any

import numpy as np

from .engine import engine

# On a variable: the mirror of the model whose training has changed it since Python last saw it.
_HOLDER = "_deeplocalize_holder"


# Models of the engine that nothing of Keras refers to any more. They are closed later, since objects may end
# while a request is under way.
_forgotten: list[int] = []
# Models from which Python is asked to look for such in cycles, as Keras' models are.
_MANY = 64
_collect_at = [_MANY]
# Models that were opened and not closed.
_open = [0]


def close_forgotten() -> None:
    """Before another model is opened: closes those that are not needed any more."""
    if _open[0] - len(_forgotten) >= _collect_at[0]:
        gc.collect()
        _collect_at[0] = max(_MANY, 2 * (_open[0] - len(_forgotten)))
    while _forgotten:
        engine().call(do="close", model=_forgotten.pop())
        _open[0] -= 1


class Mirror:
    """The weights of one model in the engine, in its order."""

    def __init__(self, number: int, variables: list[Any]) -> None:
        self._number = number
        self._variables = variables
        # The arrays that the engine has, by place; told apart by identity, since assigning makes a new one.
        self._known: list[Any] = [None] * len(variables)
        # Not the model's own end: its variables may live on in another model, and are fetched from here then.
        _open[0] += 1
        weakref.finalize(self, _forgotten.append, number).atexit = False

    def changed(self) -> list[dict[str, Any]]:
        """Lays what the engine does not have yet into the shared file; part of the next request."""
        found = []
        for index, variable in enumerate(self._variables):
            holder = getattr(variable, _HOLDER, None)
            if holder is self:
                continue
            if holder is not None:
                holder.pull()
            value = variable._value
            if value is not self._known[index]:
                self._known[index] = value
                found.append({"index": index, **engine().put(value)})
        return found

    def trained(self) -> None:
        """The engine has changed the weights."""
        for variable in self._variables:
            setattr(variable, _HOLDER, self)

    def pull(self) -> None:
        """Brings the weights to Python."""
        shared = engine()
        with shared.locked():
            kept = shared.used
            places = [shared.room(tuple(variable.shape)) for variable in self._variables]
            shared.call(do="weights", model=self._number, into=places)
            for index, (variable, place) in enumerate(zip(self._variables, places)):
                variable._value = np.array(shared.view(place), dtype=variable._dtype)
                self._known[index] = variable._value
                setattr(variable, _HOLDER, None)
            shared.release(kept)


def patch_variable(module: ModuleType) -> None:
    """Lets variables of Keras on NumPy fetch their values from the engine when they are read."""
    variable = module.Variable
    plain_value = variable.value
    plain_assign = variable._direct_assign

    def value(self: Any) -> Any:
        _fetch(self)
        return plain_value.fget(self)

    def assign(self: Any, new: Any) -> None:
        _fetch(self)
        plain_assign(self, new)

    variable.value = property(value)
    variable._direct_assign = assign


def _fetch(variable: Any) -> None:
    holder = vars(variable).get(_HOLDER)
    if holder is not None:
        holder.pull()
