"""Judges the training of a trial by what the model predicts after some steps, and ends the trial then."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import time
from types import ModuleType
from typing import Any, Callable, NoReturn

import numpy as np

from . import losses, yardstick
from .channel import channel

# Rows that predictions are judged on at most, and how many are predicted at once.
_ROWS = 1000
_ROWS_AT_ONCE = 250
# Batches taken from what is no array.
_BATCHES = 8


class Judge:
    """Waits for the training that the trial is about."""

    def __init__(self, trial: dict[str, Any]) -> None:
        self._fit = int(trial.get("fit", 0))
        self._steps = int(trial["steps"])
        self._checks = {int(step) for step in trial.get("checks", ())}
        self._seconds = float(trial["seconds"])
        self._started = 0.0
        self._fits = -1
        self._step = 0
        self._model: Any = None
        self._rows: tuple[Any, Any, bool] | None = None

    def begin(self, model: Any, arguments: dict[str, Any]) -> bool:
        """A call of `fit` begins; whether it is the one to judge."""
        self._fits += 1
        if self._fits != self._fit:
            return False
        self._model = model
        self._rows = _rows(arguments)
        return True

    def batch_ended(self, model: Any) -> None:
        """A step of training is done."""
        if model is not self._model:
            return
        if self._step == 0:
            self._started = time.process_time()
        self._step += 1
        if self._step >= self._steps or time.process_time() - self._started > self._seconds:
            self.finish()
        if self._step in self._checks:
            self._send(last=False)

    def waits(self) -> bool:
        """Whether the training has begun and was not judged."""
        return self._model is not None

    def finish(self) -> NoReturn:
        """Judges, and ends the trial: what comes after the training in the script is not part of it."""
        try:
            self._send(last=True)
            channel.flush()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

    def _send(self, last: bool) -> None:
        found = None
        model = self._model
        if self._rows is not None and model is not None:
            x, y, held_out = self._rows
            loss = losses.describe(model) or {}
            from_logits = bool(loss.get("config", {}).get("from_logits"))
            found = yardstick.measure(y, _predict(model, x), loss.get("name"), from_logits)
        if found is None:
            channel.send("score", step=self._step, last=last, held_out=False)
        else:
            channel.send("score", step=self._step, last=last, held_out=held_out, **found)


# The one judge of this process, once a trial is expected.
_judges: list[Judge] = []


def expect(trial: dict[str, Any]) -> None:
    """From now on, this is the trial."""
    _judges.append(Judge(trial))


def end() -> None:
    """The script is over without the training the trial is about."""
    for judge in _judges:
        if judge.waits():
            judge.finish()


def _rows(arguments: dict[str, Any]) -> tuple[Any, Any, bool] | None:
    """Features and labels to judge on: those the script holds out, else of those it trains on."""
    held_out = arguments.get("validation_data")
    if isinstance(held_out, (list, tuple)) and len(held_out) >= 2:
        found = _some(held_out[0], held_out[1], 0.0)
        if found is not None:
            return (*found, True)
    elif held_out is not None:
        found = _from_batches(held_out)
        if found is not None:
            return (*found, True)
    x, y = arguments.get("x"), arguments.get("y")
    if y is None:
        found = _from_batches(x)
        return None if found is None else (*found, False)
    share = float(arguments.get("validation_split") or 0.0)
    found = _some(x, y, share)
    return None if found is None else (*found, share > 0.0)


def _some(x: Any, y: Any, held_out: float) -> tuple[Any, Any] | None:
    """Evenly spaced rows of arrays; with `held_out`, of that share at their end."""
    arrays = _arrays(x)
    labels = _arrays(y)
    if not arrays or not labels or not len(labels[0]):
        return None
    count = len(labels[0])
    start = int(count * (1.0 - held_out)) if held_out else 0
    chosen = np.unique(np.linspace(start, count - 1, min(_ROWS, count - start)).astype(int))
    picked = [array[chosen] for array in arrays]
    return (picked if isinstance(x, (list, tuple)) else picked[0]), labels[0][chosen]


def _arrays(given: Any) -> list[np.ndarray]:
    items = list(given) if isinstance(given, (list, tuple)) else [given]
    if not all(hasattr(item, "__array__") and getattr(item, "shape", ()) for item in items):
        return []
    return [np.asarray(item) for item in items]


def _from_batches(given: Any) -> tuple[Any, Any] | None:
    """The first batches of something that yields them and can be read twice."""
    if hasattr(given, "take"):
        batches = list(given.take(_BATCHES))
    elif hasattr(given, "__getitem__") and hasattr(given, "__len__"):
        batches = [given[at] for at in range(min(_BATCHES, len(given)))]
    else:
        return None
    pairs = [(np.asarray(batch[0]), np.asarray(batch[1])) for batch in batches if len(batch) >= 2]
    if not pairs:
        return None
    return np.concatenate([x for x, _ in pairs])[:_ROWS], np.concatenate([y for _, y in pairs])[:_ROWS]


def _predict(model: Any, x: Any) -> np.ndarray:
    parts = []
    count = len(x[0]) if isinstance(x, list) else len(x)
    for start in range(0, count, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        output = model([array[rows] for array in x] if isinstance(x, list) else x[rows], training=False)
        if isinstance(output, dict):
            output = next(iter(output.values()))
        if isinstance(output, (list, tuple)):
            output = output[0]
        parts.append(np.asarray(output))
    return np.concatenate(parts)


def patch_trainer(module: ModuleType, name: str) -> None:
    """Lets the judge know when a training begins and ends."""
    trainer = getattr(module, name)
    original: Callable[..., Any] = trainer.fit
    signature = inspect.signature(original)

    @functools.wraps(original)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        judges = []
        if _judges:
            try:
                arguments = dict(signature.bind(self, *args, **kwargs).arguments)
            except TypeError:
                arguments = {}
            judges = [judge for judge in _judges if judge.begin(self, arguments)]
        result = original(self, *args, **kwargs)
        for judge in judges:
            judge.finish()
        return result

    trainer.fit = fit


def patch_callbacks(module: ModuleType) -> None:
    """Lets the judge count the steps."""
    original = module.CallbackList.on_train_batch_end

    @functools.wraps(original)
    def on_train_batch_end(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        for judge in _judges:
            judge.batch_ended(getattr(self, "_model", None))
        return result

    module.CallbackList.on_train_batch_end = on_train_batch_end
