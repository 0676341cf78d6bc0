"""Sends what is known of a training step, whatever the back end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import fit, predictions
from .channel import notice
from .probe import Probe


def report(
    run: fit.Run, batches: list[Any], probe: Probe | None, logs: dict[str, float], loss: float, rate: float
) -> None:
    """Sends the frame of a step, or of the steps of one `steps_per_execution`."""
    x, y = unpacked(batches[0])
    if probe is not None and probe.loss is not None:
        loss = probe.loss
    run.announce(batch=batches[0])
    compared = predictions.UNKNOWN
    if probe is not None:
        if probe.learning_rate is not None:
            rate = probe.learning_rate
        compared = run.compare(None if y is None else np.asarray(y), probe.prediction)
    size = float(x.shape[0]) if x is not None and len(x.shape) else math.nan
    run.send(run.batch, probe, logs, loss, rate, size, compared)
    run.batch += 1
    run.step += len(batches) - 1


def loss_since(
    before: tuple[float, float] | None, after: tuple[float, float] | None, logs: dict[str, float]
) -> float:
    """The loss of the steps between two readings of the sum and count behind Keras' running mean."""
    if before is not None and after is not None and after[1] > before[1]:
        return (after[0] - before[0]) / (after[1] - before[1])
    # A custom step that keeps its own account of the loss.
    return logs.get("loss", next((value for name, value in logs.items() if "loss" in name), math.nan))


def unpacked(batch: Any) -> tuple[Any, Any]:
    """The first input and the first label of a batch; of a batch that was not seen neither."""
    parts = batch if isinstance(batch, tuple) else (batch,)
    return _leaf(parts[0]), _leaf(parts[1]) if len(parts) > 1 else None


def _leaf(part: Any) -> Any:
    if isinstance(part, dict):
        part = next(iter(part.values()), None)
    if isinstance(part, (list, tuple)):
        part = part[0] if part else None
    return part if hasattr(part, "shape") and hasattr(part, "dtype") else None


def cannot_probe(model: Any, why: str) -> None:
    """Says once that the layers of this model are not seen."""
    notice("unsupported", f"the layers of {model.name} cannot be probed: {why}")
