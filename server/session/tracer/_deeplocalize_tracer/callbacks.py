"""Follows the epochs of a training through the list of callbacks, which every back end of Keras drives."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any, Callable

from . import fit


def patch_callbacks(module: ModuleType) -> None:
    """Lets the current training know when its epochs and batches begin and end."""
    for name, told in {
        "on_train_begin": _train_begin,
        "on_epoch_begin": _epoch_begin,
        "on_epoch_end": _epoch_end,
        "on_train_batch_begin": _batch_begin,
        "on_train_batch_end": _batch_end,
    }.items():
        setattr(module.CallbackList, name, _followed(getattr(module.CallbackList, name), told))


def _followed(original: Callable[..., Any], told: Callable[..., None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        run = fit.innermost()
        if run is not None and getattr(self, "_model", None) in (run.model, None):
            fit.guarded(told, run, self, *args, **kwargs)
        return original(self, *args, **kwargs)

    return method


def _train_begin(run: fit.Run, callbacks: Any, *_: Any, **__: Any) -> None:
    steps = (getattr(callbacks, "params", None) or {}).get("steps")
    run.steps_per_epoch = int(steps) if steps else None


def _epoch_begin(run: fit.Run, _callbacks: Any, epoch: int, *_: Any, **__: Any) -> None:
    run.begin_epoch(epoch)


def _epoch_end(run: fit.Run, _callbacks: Any, epoch: int, logs: Any = None) -> None:
    run.end_epoch(epoch, logs)


def _batch_begin(run: fit.Run, _callbacks: Any, batch: int, *_: Any, **__: Any) -> None:
    run.batch = batch


def _batch_end(run: fit.Run, _callbacks: Any, batch: int, logs: Any = None) -> None:
    run.end_batch(batch, logs)
