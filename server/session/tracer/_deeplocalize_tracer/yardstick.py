"""How good predictions are, whatever loss they were trained with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import predictions


def measure(labels: Any, predicted: Any, loss: str | None, from_logits: bool) -> dict[str, Any] | None:
    """What predictions are worth against labels; `None` when they cannot be compared.

    `accuracy` and `balanced_accuracy` (mean over the classes of the share found) for classes, with the share
    of the most frequent answer as `constant`; `explained_variance` over that of the best constant for
    numbers; `probabilities` (Brier skill score: 1 minus the squared error over that of the classes' shares)
    for what is given as probabilities. NaN for what does not apply.
    """
    y, p = np.asarray(labels), np.asarray(predicted)
    if y.dtype.kind not in "fiub" or p.dtype.kind not in "fiub" or not y.size or len(y) != len(p):
        return None
    y, p = y.astype(np.float64), p.astype(np.float64)
    with np.errstate(all="ignore"):
        found = {
            "rows": len(y),
            "finite": bool(np.isfinite(p).all()),
            "spread": float(p.std(axis=0).mean()),
            "accuracy": predictions.hits(y, p, loss or "", from_logits),
            "balanced_accuracy": math.nan,
            "constant": math.nan,
            "classes": 0,
            "explained_variance": _explained(y, p, loss or ""),
            "probabilities": math.nan,
        }
        if not math.isnan(found["accuracy"]):
            found.update(_classes(y, p, loss or "", from_logits))
    return found


def skill(found: dict[str, Any]) -> float | None:
    """Part of the way from the best constant answer to perfection, 0 to 1; `None` when it cannot be said.

    The same as `skill` in server/repair/src/outcome.rs.
    """
    if not found["finite"]:
        return 0.0
    if math.isnan(found["accuracy"]):
        value = found["explained_variance"]
    elif found["classes"] < 2 or found["constant"] >= 1.0:
        return None
    else:
        guess = 1.0 / found["classes"]
        plain = (found["accuracy"] - found["constant"]) / (1.0 - found["constant"])
        value = max(plain, (found["balanced_accuracy"] - guess) / (1.0 - guess))
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else None


def _explained(y: np.ndarray, p: np.ndarray, loss: str) -> float:
    if y.size != p.size or "sparse" in loss:
        return math.nan
    flat_y, flat_p = y.reshape(len(y), -1), p.reshape(len(p), -1)
    total = np.square(flat_y - flat_y.mean(axis=0)).sum()
    return float(1.0 - np.square(flat_y - flat_p).sum() / total) if total > 0 else math.nan


def _classes(y: np.ndarray, p: np.ndarray, loss: str, from_logits: bool) -> dict[str, Any]:
    columns = p.shape[-1] if p.ndim > 1 else 1
    one_of_many = columns > 1 and (
        y.shape != p.shape or (not loss.startswith("binary") and bool((y.sum(axis=-1) == 1.0).all()))
    )
    if one_of_many:
        truth = y.argmax(axis=-1) if y.shape == p.shape else y.reshape(p.shape[:-1])
        answer = p.argmax(axis=-1)
    else:
        truth, answer = y.reshape(p.shape) > 0.0, p > predictions.threshold(loss, from_logits)
    classes, counts = np.unique(truth, return_counts=True)
    recalls = [float((answer[truth == value] == value).mean()) for value in classes]
    return {
        "probabilities": _brier_skill(truth, p, one_of_many, from_logits),
        "balanced_accuracy": float(np.mean(recalls)),
        "constant": float(counts.max() / counts.sum()),
        "classes": len(classes),
    }


def _brier_skill(truth: np.ndarray, p: np.ndarray, one_of_many: bool, from_logits: bool) -> float:
    given = p
    if from_logits and (p.min() < 0.0 or p.max() > 1.0):
        if one_of_many:
            powers = np.exp(p - p.max(axis=-1, keepdims=True))
            given = powers / powers.sum(axis=-1, keepdims=True)
        else:
            given = 1.0 / (1.0 + np.exp(-p))
    wanted = (truth[..., None] == np.arange(p.shape[-1])) if one_of_many else truth
    wanted = wanted.astype(np.float64).reshape(given.shape)
    total = np.square(wanted - wanted.mean(axis=0)).sum()
    return float(1.0 - np.square(wanted - given).sum() / total) if total > 0 else math.nan
