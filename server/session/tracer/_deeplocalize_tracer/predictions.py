"""How the predictions of a batch compare with its labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .statistics import spread_over_samples

NAMES = [
    "hits",
    "label_sum",
    "label_square_sum",
    "label_count",
    "residual_square_sum",
    "prediction_spread",
    "prediction_min",
    "prediction_max",
    "prediction_majority",
]
UNKNOWN = [math.nan] * len(NAMES)


def compare(labels: Any, prediction: Any, loss: str | None, from_logits: bool) -> list[float]:
    """The scalars of `NAMES`; NaN for what does not apply."""
    found = dict(zip(NAMES, UNKNOWN))
    given = _numbers(labels)
    predicted = _numbers(prediction)
    with np.errstate(all="ignore"):
        if given is not None:
            found["label_sum"] = float(given.sum())
            found["label_square_sum"] = float(np.square(given).sum())
            found["label_count"] = float(given.size)
        if predicted is not None:
            finite = predicted[np.isfinite(predicted)]
            if finite.size:
                found["prediction_min"] = float(finite.min())
                found["prediction_max"] = float(finite.max())
            found["prediction_majority"] = _majority(predicted, loss or "", from_logits)
            if predicted.ndim >= 1 and predicted.shape[0] > 1:
                found["prediction_spread"] = spread_over_samples(predicted)
        if given is not None and predicted is not None:
            found["hits"] = hits(given, predicted, loss or "", from_logits)
            aligned = _aligned(given, predicted)
            if aligned is not None and "sparse" not in (loss or ""):
                found["residual_square_sum"] = float(np.square(aligned - predicted).sum())
    return list(found.values())


def _majority(prediction: np.ndarray, loss: str, from_logits: bool) -> float:
    """Share of the most frequent predicted class; NaN where predictions are not classes."""
    if "crossentropy" not in loss or prediction.size == 0 or not np.isfinite(prediction).all():
        return math.nan
    if prediction.ndim > 1 and prediction.shape[-1] > 1:
        if loss.startswith("binary"):
            return math.nan
        counts = np.bincount(prediction.argmax(axis=-1).reshape(-1))
        return float(counts.max() / counts.sum())
    positive = float((prediction > threshold(loss, from_logits)).mean())
    return max(positive, 1.0 - positive)


def hits(labels: np.ndarray, prediction: np.ndarray, loss: str, from_logits: bool) -> float:
    """Share of right answers; NaN when the labels are not classes."""
    if labels.size == 0 or not np.isfinite(labels).all():
        return math.nan
    aligned = _aligned(labels, prediction)
    columns = prediction.shape[-1] if prediction.ndim > 1 else 1
    if columns > 1 and (aligned is None or "sparse" in loss):
        return _sparse_hits(labels, prediction)
    two = (0.0, 1.0) if not is_hinge(loss) or 0.0 in labels else (-1.0, 1.0)
    if aligned is None or "sparse" in loss or not np.isin(aligned, two).all():
        return math.nan
    if columns > 1 and not loss.startswith("binary") and (aligned.sum(axis=-1) == 1.0).all():
        return float((aligned.argmax(axis=-1) == prediction.argmax(axis=-1)).mean())
    return float(((prediction > threshold(loss, from_logits)) == (aligned > 0.0)).mean())


def is_hinge(loss: str) -> bool:
    """Whether the sign of a prediction is its class; Keras takes labels 0 for -1 there."""
    return loss in ("hinge", "squared_hinge")


def threshold(loss: str, from_logits: bool) -> float:
    """Between the predictions of two classes."""
    return 0.0 if from_logits or is_hinge(loss) else 0.5


def _sparse_hits(labels: np.ndarray, prediction: np.ndarray) -> float:
    if labels.ndim == prediction.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = prediction.shape[-1]
    if labels.shape != prediction.shape[:-1] or not (labels == np.floor(labels)).all():
        return math.nan
    if labels.min() < 0 or labels.max() >= classes:
        return math.nan
    return float((prediction.argmax(axis=-1) == labels).mean())


def _aligned(labels: np.ndarray, prediction: np.ndarray) -> np.ndarray | None:
    """The labels in the shape of the prediction, where only an axis of length 1 differs."""
    if labels.shape == prediction.shape:
        return labels
    if (*labels.shape, 1) == prediction.shape or labels.shape == (*prediction.shape, 1):
        return labels.reshape(prediction.shape)
    return None


def _numbers(values: Any) -> np.ndarray | None:
    if values is None:
        return None
    array = np.asarray(values)
    if array.dtype.kind not in "fiub" and array.dtype.name not in ("bfloat16", "float16"):
        return None
    return array.astype(np.float64)
