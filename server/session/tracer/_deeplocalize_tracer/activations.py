"""Activation functions of layers."""

from __future__ import annotations

from typing import Any

# Layers that are nothing but an activation and have no attribute of that name.
ACTIVATION_LAYERS = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "PReLU": "prelu",
    "Softmax": "softmax",
}


def activation_name(layer: Any) -> str | None:
    """Name of the activation function the layer applies; `None` when it has none to apply."""
    name = ACTIVATION_LAYERS.get(type(layer).__name__)
    if name is not None:
        return name
    activation = getattr(layer, "activation", None)
    if activation is None:
        return "linear" if hasattr(layer, "activation") else None
    return getattr(activation, "__name__", None) or _snake(type(activation).__name__)


def _snake(name: str) -> str:
    return ACTIVATION_LAYERS.get(name) or "".join(
        "_" + letter.lower() if letter.isupper() and at else letter.lower() for at, letter in enumerate(name)
    )
