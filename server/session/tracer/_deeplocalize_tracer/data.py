"""What the training data looks like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import baselines

# Larger arrays are looked at in evenly spaced samples.
_MOST_ELEMENTS = 50_000_000
_MOST_CLASSES = 1000
# Numbers that are looked at together.
_BLOCK = 100_000
_DEFAULT_BATCH = 32
# Outputs that simple models are tried on each.
_MOST_OUTPUTS = 4
# More samples than this are not compared with those of the validation.
_FEWEST_FEATURES = 3
_MOST_COMPARED = 200_000


@dataclass
class Described:
    """The parts of the `fit` message that concern the data."""

    x: list[dict[str, Any]] = field(default_factory=list)
    y: list[dict[str, Any]] = field(default_factory=list)
    samples: int | None = None
    batch_size: int | None = None
    shuffle: bool | None = None
    # Samples of the validation, and how many of them are also trained on.
    duplicates: dict[str, int] | None = None
    baselines: dict[str, Any] | None = None
    held_out: dict[str, Any] | None = None


def describe_training(arguments: dict[str, Any], batch: Any) -> Described:
    """Describes the arrays given to `fit` (less what it sets aside for validation), else the first batch."""
    x, y = _arrays(arguments.get("x")), _arrays(arguments.get("y"))
    described = Described()
    if x is not None and x and "epoch_iterator" not in arguments:
        samples = len(x[0])
        share = arguments.get("validation_split") or 0.0
        if share and arguments.get("validation_data") is None:
            samples = math.floor(samples * (1.0 - share))
        described.x = [describe(array[:samples], whole=True) for array in x]
        described.duplicates = _duplicates(x, samples, arguments.get("validation_data"))
        described.y = [describe(array[:samples], whole=True) for array in y or []]
        described.samples = samples
        described.batch_size = int(arguments.get("batch_size") or _DEFAULT_BATCH)
        described.shuffle = bool(arguments.get("shuffle", True))
        if len(x) == 1 and y is not None and len(y) == 1:
            described.baselines = baselines.describe(x[0][:samples], y[0][:samples])
        elif len(x) == 1 and y is not None and len(y) <= _MOST_OUTPUTS:
            for array, found in zip(y, described.y):
                found["baselines"] = baselines.describe(x[0][:samples], array[:samples])
        described.held_out = _held_out(arguments, x, y, samples)
        return described
    parts = batch if isinstance(batch, tuple) else (batch,)
    first_x, first_y = _arrays(parts[0]) or [], _arrays(parts[1]) if len(parts) > 1 else None
    described.x = [describe(array, whole=False) for array in first_x]
    described.y = [describe(array, whole=False) for array in first_y or []]
    if first_x and first_x[0].ndim:
        described.batch_size = int(first_x[0].shape[0])
    return described


def name_outputs(described: list[dict[str, Any]], given: Any, model: Any) -> None:
    """Notes which output each array of labels is for, where there are several."""
    names = list(given) if isinstance(given, dict) else getattr(model, "output_names", None)
    if len(described) > 1 and names is not None and len(names) == len(described):
        for name, found in zip(names, described):
            found["output"] = str(name)


def class_weight(given: Any) -> dict[str, float]:
    """Weights by class; empty where they are not numbers by number."""
    if not isinstance(given, dict) or len(given) > _MOST_CLASSES:
        return {}
    try:
        return {str(int(label)): float(weight) for label, weight in given.items()}
    except (TypeError, ValueError):
        return {}


def _duplicates(x: list[np.ndarray], samples: int, validation: Any) -> dict[str, int] | None:
    """How many samples of the validation stand among the first `samples`, too; `None` when not known."""
    others = [array[samples:] for array in x]
    if validation is not None:
        others = (
            _arrays(validation[0]) if isinstance(validation, (tuple, list)) and validation else None
        ) or []
    if len(others) != len(x) or not len(others[0]) or max(len(others[0]), samples) > _MOST_COMPARED:
        return None
    if any(a.dtype.kind not in "fiub" or a.shape[1:] != b.shape[1:] for a, b in zip(x, others)):
        return None
    if sum(array.size for array in [*x, *others]) > _MOST_ELEMENTS:
        return None
    # Single numbers and the like are the same by chance.
    if sum(array[0].size for array in x if len(array)) < _FEWEST_FEATURES:
        return None
    seen = set(_digests([array[:samples] for array in x]))
    shared = sum(
        digest in seen for digest in _digests([a.astype(b.dtype, copy=False) for a, b in zip(others, x)])
    )
    return {"validation": len(others[0]), "shared": shared}


def _digests(arrays: list[np.ndarray]) -> Iterator[int]:
    rows = [np.ascontiguousarray(array).reshape(len(array), -1) for array in arrays]
    for at in range(len(rows[0])):
        yield hash(tuple(row[at].tobytes() for row in rows))


def _held_out(
    arguments: dict[str, Any], x: list[np.ndarray], y: list[np.ndarray] | None, samples: int
) -> dict[str, Any] | None:
    given = arguments.get("validation_data")
    if given is None:
        if y is None or samples >= len(x[0]):
            return None
        known, labels = [x[0][:samples]], [y[0][:samples]]
        return baselines.compare(known, labels, [x[0][samples:]], [y[0][samples:]])
    if not isinstance(given, (tuple, list)) or len(given) < 2:
        return None
    return baselines.compare(x, y, _arrays(given[0]), _arrays(given[1]))


def _arrays(given: Any) -> list[np.ndarray] | None:
    """The arrays of an input; `None` when it is something that yields batches."""
    if given is None:
        return None
    if isinstance(given, dict):
        given = list(given.values())
    items = list(given) if isinstance(given, (list, tuple)) else [given]
    if not items or not all(hasattr(item, "__array__") and getattr(item, "shape", ()) for item in items):
        return None
    return [np.asarray(item) for item in items]


def describe(array: np.ndarray, whole: bool) -> dict[str, Any]:
    """One `data` object of the `fit` message."""
    found: dict[str, Any] = {
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "whole": whole,
        "kind": "numeric",
    }
    if array.dtype.kind not in "fiub":
        found["kind"] = "other"
        return found
    if array.size > _MOST_ELEMENTS:
        found["whole"] = False
        array = array[:: math.ceil(array.size / _MOST_ELEMENTS)]
    if array.size == 0:
        return found
    nans, infs = 0, 0
    if array.dtype.kind == "f":
        nans, infs = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    finite = array if nans + infs == 0 else array[np.isfinite(array)]
    found.update(nans=nans, infs=infs)
    if finite.size == 0:
        return found
    integers = array.dtype.kind != "f" or bool((finite == np.floor(finite)).all())
    found.update(
        min=float(finite.min()),
        max=float(finite.max()),
        integers=integers,
        zero_one=integers and bool(((finite == 0) | (finite == 1)).all()),
        classes=_classes(finite) if integers else None,
    )
    found.update(_features(array))
    if nans + infs:
        found.update(mean=float(finite.mean(dtype=np.float64)), std=float(finite.std(dtype=np.float64)))
    if array.ndim == 2:
        found.update(_rows(array, bool(found["zero_one"])))
    return found


def _classes(values: np.ndarray) -> list[list[float]] | None:
    """Distinct values with their counts, unless there are many."""
    low, high = float(values.min()), float(values.max())
    if high - low < _MOST_CLASSES:
        counts = np.bincount((values.reshape(-1).astype(np.float64) - low).astype(np.int64))
        return [[low + at, int(count)] for at, count in enumerate(counts) if count]
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) > _MOST_CLASSES:
        return None
    return [[float(value), int(count)] for value, count in zip(distinct, counts)]


def _features(array: np.ndarray) -> dict[str, Any]:
    columns = array if array.ndim == 2 else array.reshape(-1, 1)
    with np.errstate(invalid="ignore", over="ignore"):
        mean, std = _moments(columns)
    constant = columns.min(axis=0) == columns.max(axis=0)
    varies = ~constant & np.isfinite(std) & (std > 0)
    overall = float(mean.mean())
    found: dict[str, Any] = {
        "mean": overall,
        "std": math.sqrt(float(np.square(std).mean() + np.square(mean - overall).mean())),
        "features": int(columns.shape[1]),
        "constant_features": int(constant.sum()),
        "feature_absmean_max": float(np.abs(mean).max()),
    }
    if varies.any():
        found["feature_std_min"] = float(std[varies].min())
        found["feature_std_max"] = float(std[varies].max())
        found["offset_ratio"] = float(np.median(np.abs(mean[varies]) / std[varies]))
    return found


def _moments(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column, without a second copy of the data in double precision."""
    mean = columns.mean(axis=0, dtype=np.float64)
    square = np.zeros_like(mean)
    block = max(1, _BLOCK // columns.shape[1])
    for at in range(0, len(columns), block):
        centred = columns[at : at + block] - mean
        square += np.einsum("ij,ij->j", centred, centred)
    return mean, np.sqrt(square / len(columns))


def _rows(array: np.ndarray, zero_one: bool) -> dict[str, Any]:
    sums = array.sum(axis=1, dtype=np.float64)
    found: dict[str, Any] = {"row_sum_min": float(sums.min()), "row_sum_max": float(sums.max())}
    if zero_one and array.shape[1] > 1 and (sums == 1.0).all():
        counts = np.bincount(array.argmax(axis=1), minlength=array.shape[1])
        found["first_column_classes"] = [[float(at), int(count)] for at, count in enumerate(counts)]
    return found
