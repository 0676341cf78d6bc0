"""The rows that a model is judged on: such as it does not train on, wherever there are any to spare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# Rows that predictions are judged on at most, and batches taken from what is no array.
MOST = 1000
_BATCHES = 8
# Share of the training rows that is held out where the script holds out none, and rows from which that is
# done: of a handful every one is needed to learn from.
_SHARE = 0.2
_ENOUGH = 100
# The split is the same for every trial.
_SEED = 7


@dataclass
class Rows:
    """Features and labels, and whether they were held out of the training."""

    x: Any
    y: np.ndarray
    held_out: bool


def of_fit(arguments: dict[str, Any]) -> tuple[Rows | None, dict[str, Any]]:
    """What to judge a call of `fit` on, and the arguments that change so that it does not train on it."""
    given = arguments.get("validation_data")
    if isinstance(given, (list, tuple)) and len(given) >= 2:
        found = _some(given[0], given[1], 0.0)
        if found is not None:
            return Rows(*found, True), {}
    elif given is not None:
        found = _from_batches(given)
        if found is not None:
            return Rows(*found, True), {}
    x, y = arguments.get("x"), arguments.get("y")
    if y is None:
        found = _from_batches(x)
        return (None if found is None else Rows(*found, False)), {}
    share = float(arguments.get("validation_split") or 0.0)
    if share <= 0.0:
        split = _split(arguments)
        if split is not None:
            return split
    found = _some(x, y, share)
    return (None if found is None else Rows(*found, share > 0.0)), {}


def _split(arguments: dict[str, Any]) -> tuple[Rows, dict[str, Any]] | None:
    """Holds out a share of the training rows; `None` where that cannot be done."""
    x, y, weight = (arguments.get(name) for name in ("x", "y", "sample_weight"))
    if arguments.get("steps_per_epoch") or not _arrays(x) or not _arrays(y):
        return None
    count = len(_arrays(y)[0])
    arrays = [*_arrays(x), *_arrays(y), *([] if weight is None else _arrays(weight))]
    if count < _ENOUGH or any(len(array) != count for array in arrays):
        return None
    if weight is not None and not _arrays(weight):
        return None
    order = np.random.RandomState(_SEED).permutation(count)
    chosen = np.sort(order[: min(MOST, int(count * _SHARE))])
    kept = np.sort(order[len(chosen) :])
    changed = {"x": _picked(x, kept), "y": _picked(y, kept)}
    if weight is not None:
        changed["sample_weight"] = _picked(weight, kept)
    return Rows(_plain(_picked(x, chosen)), _arrays(_picked(y, chosen))[0], True), changed


def _picked(given: Any, rows: np.ndarray) -> Any:
    """These rows of an array, of a table, or of each of several."""
    if isinstance(given, (list, tuple)):
        return type(given)([_picked(item, rows) for item in given])
    if hasattr(given, "iloc"):
        return given.iloc[rows]
    return np.asarray(given)[rows]


def _plain(given: Any) -> Any:
    if isinstance(given, (list, tuple)):
        return [np.asarray(item) for item in given]
    return np.asarray(given)


def _some(x: Any, y: Any, held_out: float) -> tuple[Any, np.ndarray] | None:
    """Evenly spaced rows of arrays; with `held_out`, of that share at their end."""
    arrays = _arrays(x)
    labels = _arrays(y)
    if not arrays or not labels or not len(labels[0]):
        return None
    count = len(labels[0])
    start = int(count * (1.0 - held_out)) if held_out else 0
    chosen = np.unique(np.linspace(start, count - 1, min(MOST, count - start)).astype(int))
    picked = [array[chosen] for array in arrays]
    return (picked if isinstance(x, (list, tuple)) else picked[0]), labels[0][chosen]


def _arrays(given: Any) -> list[np.ndarray]:
    items = list(given) if isinstance(given, (list, tuple)) else [given]
    if not all(hasattr(item, "__array__") and getattr(item, "shape", ()) for item in items):
        return []
    return [np.asarray(item) for item in items]


def _from_batches(given: Any) -> tuple[Any, np.ndarray] | None:
    """The first batches of something that yields them and can be read twice."""
    if hasattr(given, "take"):
        batches = list(given.take(_BATCHES))
    elif hasattr(given, "__getitem__") and hasattr(given, "__len__"):
        batches = [given[at] for at in range(min(_BATCHES, len(given)))]
    else:
        return None
    pairs = [
        (batch[0], batch[1]) for batch in batches if isinstance(batch, (list, tuple)) and len(batch) >= 2
    ]
    # Of several inputs or outputs a batch has a tuple or dictionary.
    if not pairs or any(not hasattr(item, "__array__") for pair in pairs for item in pair):
        return None
    pairs = [(np.asarray(x), np.asarray(y)) for x, y in pairs]
    return np.concatenate([x for x, _ in pairs])[:MOST], np.concatenate([y for _, y in pairs])[:MOST]
