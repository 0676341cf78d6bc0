"""TensorFlow's private copy of an old Keras, which scripts import by mistake."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from . import sites
from .channel import notice

_TEXT = (
    "`tensorflow.python.keras` is a private remnant of an old Keras in TensorFlow, which no longer trains; "
    "import the same names from `tensorflow.keras`"
)


def patch_training(module: ModuleType) -> None:
    """Says so when a model of it is to be trained."""
    for name in ("fit", "train_on_batch"):
        setattr(module.Model, name, _noticed(getattr(module.Model, name)))


def _noticed(original: Any) -> Any:
    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        notice("private-keras", _TEXT, sites.caller())
        return original(*args, **kwargs)

    return method
