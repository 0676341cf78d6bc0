"""What simple models get out of the training data: a yardstick for the network that does not depend on it."""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np

# Enough for a skill to within a few per cent, and some ten milliseconds.
_MOST_SAMPLES = 400
_MOST_FEATURES = 1000
_FEWEST_SAMPLES = 40
_MOST_CLASSES = 30
_NEIGHBOURS = 5
_MOST_COMPARED = 20_000
# Numbers of the data that are correlated with the label.
_MOST_CORRELATED = 1_000_000
# Standard deviations between means, and times between spreads, from which a feature is scaled otherwise.
_APART = 3.0
# Share of the samples below which a class is rare, and how many samples of it say something.
_RARE = 0.1
_FEWEST_OF_CLASS = 30
# Correlation from which a feature is the label.
_COPIED = 0.9999

Arrays = Optional["list[np.ndarray]"]


def describe(x: np.ndarray, y: np.ndarray) -> dict[str, Any] | None:
    """The `baselines` object of the `fit` message; `None` where samples and labels cannot be paired.

    Skills are parts of the way from the best constant answer to perfection, on samples not seen before.
    """
    samples = len(x)
    if (
        samples != len(y)
        or samples < _FEWEST_SAMPLES
        or x.dtype.kind not in "fiub"
        or y.dtype.kind not in "fiub"
    ):
        return None
    chosen = np.random.default_rng(0).permutation(samples)[:_MOST_SAMPLES]
    features = _features(x, chosen)
    labels, classes = _labels(y, chosen)
    if features is None or labels is None:
        return None
    found: dict[str, Any] = {"samples": len(chosen)}
    with np.errstate(all="ignore"):
        found["neighbours"] = _skill(_nearest(features, labels), labels, classes)
        found["linear"] = _skill(_ridge(features, labels), labels, classes)
        found["minority"] = _minority(x, y)
        found.update(_copied(x, y))
        found["label_runs"] = _runs(y)
    return found


def compare(train: Arrays, labels: Arrays, x: Arrays, y: Arrays) -> dict[str, Any] | None:
    """The `held_out` object of the `fit` message: how the validation data relate to the training data."""
    if not train or not labels or not x or not y or len(x[0]) == 0:
        return None
    found: dict[str, Any] = {"samples": len(x[0])}
    known = {row.tobytes() for row in train[0][:_MOST_COMPARED]}
    rows = x[0][:_MOST_COMPARED]
    found["seen_before"] = sum(row.tobytes() in known for row in rows) / len(rows)
    found["apart"] = _apart(train[0][:_MOST_COMPARED], rows)
    there, here = classes_of(labels[0]), classes_of(y[0])
    if there is not None and here is not None and set(there) | set(here):
        found.update(mixtures(there, here))
    return found


def mixtures(there: dict[float, int], here: dict[float, int]) -> dict[str, Any]:
    """How the classes of labels (`here`, with their counts) relate to those that were trained on."""
    trained, given = sum(there.values()), sum(here.values())
    apart = [abs(there.get(label, 0) / trained - here.get(label, 0) / given) for label in {*there, *here}]
    return {
        "samples": given,
        "classes": len(here),
        "unseen": float(sum(count for label, count in here.items() if label not in there)) / given,
        "shift": 0.5 * float(sum(apart)),
    }


def _apart(train: np.ndarray, rows: np.ndarray) -> float:
    """Share of the features that are scaled otherwise than in the training data."""
    if train.dtype.kind not in "fiub" or rows.dtype.kind not in "fiub" or train.shape[1:] != rows.shape[1:]:
        return math.nan
    known, others = train.reshape(len(train), -1), rows.reshape(len(rows), -1)
    step = max(1, math.ceil(known.shape[1] / _MOST_FEATURES))
    known, others = known[:, ::step].astype(np.float64), others[:, ::step].astype(np.float64)
    with np.errstate(all="ignore"):
        deviation = known.std(axis=0)
        varies = deviation > 1e-9 * (1.0 + np.abs(known).max(axis=0, initial=0.0))
        if not varies.any():
            return math.nan
        offset = np.abs(others.mean(axis=0) - known.mean(axis=0))[varies] / deviation[varies]
        spread = others.std(axis=0)[varies] / deviation[varies]
        return float(((offset >= _APART) | (spread >= _APART) | (spread <= 1.0 / _APART)).mean())


def _minority(x: np.ndarray, y: np.ndarray) -> float:
    """Skill on as many samples of the rarer of two classes as of the other: what tells them apart."""
    label = y.reshape(len(y), -1)[:, 0] if y.size == len(y) else y[:0]
    distinct, counts = np.unique(label, return_counts=True)
    if len(distinct) != 2 or not _FEWEST_OF_CLASS <= counts.min() < _RARE * len(label):
        return math.nan
    rare = label == distinct[counts.argmin()]
    draws = np.random.default_rng(0)
    few = draws.permutation(np.flatnonzero(rare))[: _MOST_SAMPLES // 2]
    others = draws.permutation(np.flatnonzero(~rare))[: len(few)]
    chosen = draws.permutation(np.concatenate([few, others]))
    features = _features(x, chosen)
    if features is None:
        return math.nan
    labels = np.stack([rare[chosen], ~rare[chosen]], axis=1).astype(np.float64)
    return max(_skill(guess(features, labels), labels, True) for guess in (_nearest, _ridge))


def _features(x: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    flat = x.reshape(len(x), -1)
    step = max(1, math.ceil(flat.shape[1] / _MOST_FEATURES))
    values = flat[chosen, ::step].astype(np.float64)
    if not np.isfinite(values).all():
        return None
    deviation = values.std(axis=0)
    varies = deviation > 1e-9 * (1.0 + np.abs(values).max(axis=0))
    if not varies.any():
        return None
    return (values[:, varies] - values[:, varies].mean(axis=0)) / deviation[varies]


def _labels(y: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray | None, bool]:
    """Labels as columns, one per class where they are classes."""
    values = y.reshape(len(y), -1)
    if values.shape[1] > _MOST_FEATURES:
        return None, False
    values = values[chosen].astype(np.float64)
    if not np.isfinite(values).all() or (values == values[0]).all():
        return None, False
    if values.shape[1] == 1:
        distinct = np.unique(values)
        if len(distinct) <= _MOST_CLASSES and (distinct == np.floor(distinct)).all():
            return (values == distinct).astype(np.float64), True
        return values, False
    exclusive = bool(np.isin(values, (0.0, 1.0)).all() and (values.sum(axis=1) == 1.0).all())
    return values, exclusive


def _nearest(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean of the labels of the nearest other samples."""
    square = (features**2).sum(axis=1)
    distance = square[:, None] + square[None, :] - 2.0 * features @ features.T
    np.fill_diagonal(distance, np.inf)
    count = min(_NEIGHBOURS, max(1, len(features) // 10))
    return labels[np.argpartition(distance, count - 1, axis=1)[:, :count]].mean(axis=1)


def _ridge(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Predictions of ridge regression, by halves: each half is predicted from the other."""
    step = max(1, math.ceil(features.shape[1] / 200))
    design = np.column_stack([features[:, ::step], np.ones(len(features))])
    predicted = np.empty_like(labels)
    half = np.arange(len(features)) % 2 == 0
    for test in (half, ~half):
        known, wanted = design[~test], labels[~test]
        penalty = 0.02 * len(known) * np.eye(design.shape[1])
        predicted[test] = design[test] @ np.linalg.solve(known.T @ known + penalty, known.T @ wanted)
    return predicted


def _skill(predicted: np.ndarray, labels: np.ndarray, classes: bool) -> float:
    if classes:
        majority = float(labels.mean(axis=0).max())
        right = float((predicted.argmax(axis=1) == labels.argmax(axis=1)).mean())
        return (right - majority) / (1.0 - majority) if majority < 1.0 else math.nan
    total = float(np.square(labels - labels.mean(axis=0)).sum())
    return 1.0 - float(np.square(labels - predicted).sum()) / total if total > 0 else math.nan


def _copied(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """The feature that goes most closely with a label that is a number or one of two classes."""
    flat, label = x.reshape(len(x), -1), y.reshape(len(y), -1)
    if flat.shape[1] > _MOST_FEATURES or label.shape[1] != 1:
        return {}
    rows = min(_MOST_COMPARED, max(_MOST_SAMPLES, _MOST_CORRELATED // flat.shape[1]))
    flat, label = flat[:rows].astype(np.float64), label[:rows, 0].astype(np.float64)
    centred = flat - flat.mean(axis=0)
    away = label - label.mean()
    scale = np.sqrt(np.square(centred).sum(axis=0) * np.square(away).sum())
    related = np.abs(np.where(scale > 0, centred.T @ away / np.where(scale > 0, scale, 1.0), 0.0))
    if not np.isfinite(related).any():
        return {}
    return {
        "copied": float(np.nanmax(related)),
        "copied_feature": int(np.nanargmax(related)),
        "copies": int((related >= _COPIED).sum()),
    }


def _runs(y: np.ndarray) -> float:
    """Label changes from row to row over those expected of shuffled rows: 1 when shuffled, 0 when sorted."""
    if y.size == len(y):
        label = y.reshape(-1)
    elif y.ndim == 2 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all():
        label = y.argmax(axis=1)
    else:
        # A label per time step or pixel, or several per sample.
        return None
    distinct, counts = np.unique(label, return_counts=True)
    if not 2 <= len(distinct) <= _MOST_CLASSES:
        return math.nan
    share = counts / counts.sum()
    expected = (1.0 - float(np.square(share).sum())) * (len(label) - 1)
    return float((label[1:] != label[:-1]).sum()) / expected if expected > 0 else math.nan


def classes_of(y: np.ndarray) -> dict[float, int] | None:
    """The classes among labels with their counts; `None` where they are no classes."""
    if y.size == len(y):
        label = y.reshape(-1)
    elif y.ndim == 2 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all():
        label = y.argmax(axis=1)
    else:
        # A label per time step or pixel, or several per sample.
        return None
    if label.dtype.kind not in "iub" and not (label == np.floor(label)).all():
        return None
    distinct, counts = np.unique(label, return_counts=True)
    if len(distinct) > _MOST_CLASSES:
        return None
    return dict(zip(distinct.tolist(), counts.tolist()))
