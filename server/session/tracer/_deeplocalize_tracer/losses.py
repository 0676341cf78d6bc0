"""Names of losses, whatever form they were given in."""

from __future__ import annotations

import re
from typing import Any

from . import dialect
from .layers import config_of


def describe(model: Any) -> dict[str, Any] | None:
    """The `loss` of the `fit` message; of several losses the first."""
    given = _first(dialect.user_loss(model))
    if given is None:
        return None
    losses = dialect.losses_of(model)

    try:
        loss = losses.get(given)
    except Exception:
        return {"name": str(given), "config": {}}
    function = getattr(loss, "fn", None)
    if function is not None:
        return {"name": _name(function), "config": {**config_of(loss), **_plain(loss)}}
    if isinstance(loss, losses.Loss):
        return {"name": _snake(type(loss).__name__), "config": config_of(loss)}
    return {"name": _name(loss), "config": {}}


def _first(loss: Any) -> Any:
    if isinstance(loss, dict) and "class_name" not in loss:
        loss = list(loss.values())
    if isinstance(loss, (list, tuple)):
        return next((found for found in map(_first, loss) if found is not None), None)
    return loss


def _plain(loss: Any) -> dict[str, Any]:
    arguments = getattr(loss, "_fn_kwargs", {})
    return {key: value for key, value in arguments.items() if isinstance(value, (bool, int, float, str))}


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or _snake(type(function).__name__)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
