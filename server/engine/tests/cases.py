"""The models, losses, optimizers and metrics that are trained by Keras and by the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

import keras
import numpy as np
from numbers_ import raw, values


@dataclass
class Data:
    """What a case is trained on: kinds and shapes of its arrays, of which a batch is drawn for each step."""

    inputs: list[list[Any]]
    targets: list[list[Any]]
    weights: list[Any] = field(default_factory=list)

    def arrays(self, step: int, batch: int) -> Any:
        """Inputs, targets and sample weights of a step."""
        x = [draw(kind, 10 * step + 1 + at, batch) for at, kind in enumerate(self.inputs)]
        y = [draw(kind, 10 * step + 4 + at, batch) for at, kind in enumerate(self.targets)]
        w = [draw(kind, 10 * step + 7 + at, batch) for at, kind in enumerate(self.weights)]
        return _one(x), _one(y), _one(w) if w else None


def _one(arrays: list[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else arrays


def draw(kind: list[Any], seed: int, batch: int) -> np.ndarray:
    """An array of a kind: `real`, `positive`, `class` (with the number of them), `onehot`, `bit`, `ids`, `padded`."""
    what, shape = kind[0], (batch, *kind[1])
    count = int(np.prod(shape))
    if what == "real":
        return values(seed, shape)
    if what == "positive":
        return (0.05 + 0.9 * raw(seed, count)).astype(np.float32).reshape(shape)
    if what == "bit":
        return (raw(seed, count) < 0.5).astype(np.float32).reshape(shape)
    drawn = np.floor(raw(seed, count) * kind[2]).astype(np.int64).reshape(shape)
    if what == "onehot":
        return np.eye(kind[2], dtype=np.float32)[drawn]
    if what == "padded":
        # Sequences of several lengths, zeros behind.
        long = shape[1]
        lengths = 1 + np.arange(batch) % long
        return np.where(np.arange(long)[None, :] < lengths[:, None], drawn + 1, 0).astype(np.float32)
    return drawn.astype(np.float32)


@dataclass
class Case:
    """One model with what it is compiled with and trained on."""

    model: Callable[[], Any]
    data: Data
    compile: dict[str, Any]
    noisy: bool = False
    noise_shapes: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    steps: int = 50
    loose: float = 1.0
    # Batches of the evaluation at the end.
    evaluated: int = 1


TABLES: dict[str, dict[str, Case]] = {"layers": {}, "losses": {}, "optimizers": {}, "metrics": {}}


def stack(shape: tuple[int, ...], *layers: Callable[[], Any]) -> Callable[[], Any]:
    """A sequential model."""
    return lambda: keras.Sequential([keras.Input(shape), *[layer() for layer in layers]])


def reals(*shapes: tuple[int, ...]) -> list[list[Any]]:
    """Real arrays of these shapes."""
    return [["real", list(shape)] for shape in shapes]


def layer(
    name: str,
    shape: tuple[int, ...],
    target: tuple[int, ...],
    *layers: Callable[[], Any],
    inputs: list[list[Any]] | None = None,
    **more: Any,
) -> None:
    """A sequential model that is trained by mean squared error."""
    TABLES["layers"][name] = Case(
        stack(shape, *layers),
        Data(inputs or reals(shape), reals(target)),
        {"optimizer": keras.optimizers.SGD(0.05), "loss": "mse", **more.pop("compile", {})},
        **more,
    )


def graph(name: str, build: Callable[[], Any], inputs: list[Any], targets: list[Any], **more: Any) -> None:
    """A functional model."""
    TABLES["layers"][name] = Case(
        build,
        Data(inputs, targets),
        {"optimizer": keras.optimizers.SGD(0.05), "loss": "mse", **more.pop("compile", {})},
        **more,
    )


import cases_layers  # noqa: F401
import cases_rest  # noqa: F401
