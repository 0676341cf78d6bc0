"""Judges the training of a trial by what the model predicts after some steps, and ends the trial then."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import time
import traceback
from types import ModuleType
from typing import Any, Callable, NoReturn

import numpy as np

from . import judged_rows, losses, yardstick
from .channel import channel, notice

_ROWS_AT_ONCE = 250


class Judge:
    """Waits for the training that the trial is about."""

    def __init__(self, trial: dict[str, Any]) -> None:
        self._fit = int(trial.get("fit", 0))
        self._steps = int(trial["steps"])
        # Steps at which it is judged on the way, and the skill below which the trial ends there.
        self._checks = {int(step): float(bar) for step, bar in trial.get("checks", ())}
        self._seconds = float(trial["seconds"])
        self._started = 0.0
        self._fits = -1
        self._step = 0
        self._model: Any = None
        # Whether the time was over before the steps were.
        self._late = False
        self._rows: judged_rows.Rows | None = None

    def begin(self, model: Any, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """A call of `fit` begins; when it is the one to judge, the arguments that it gets instead of its own.

        `None` when it is another.
        """
        self._fits += 1
        if self._fits != self._fit:
            return None
        self._model = model
        try:
            self._rows, changed = judged_rows.of_fit(arguments)
        except Exception:
            # Data that nobody thought of: the training goes on as the script has it, and is not judged.
            notice("unsupported", f"a trial cannot be judged: {traceback.format_exc(limit=-3)}")
            return {}
        return changed

    def room(self, model: Any) -> int:
        """Steps until the model is judged next; 0 when it is none of ours."""
        if model is not self._model:
            return 0
        ends = [step for step in (*self._checks, self._steps) if step > self._step]
        return min(ends, default=self._step + 1) - self._step

    def trained(self, model: Any, steps: int) -> None:
        """That many more steps of training are done."""
        if model is not self._model:
            return
        if self._step == 0:
            self._started = _seconds()
        self._step += steps
        if self._step >= self._steps:
            self.finish()
        if _seconds() - self._started > self._seconds:
            self._late = True
            self.finish()
        if self._step in self._checks:
            skill, finite = self._judge(last=False)
            if not finite or (skill is not None and skill < self._checks[self._step]):
                # It is clearly behind, or broken; what it has come to is all there will be.
                self._end()

    def waits(self) -> bool:
        """Whether the training has begun and was not judged."""
        return self._model is not None

    def finish(self) -> NoReturn:
        """Judges, and ends the trial: what comes after the training in the script is not part of it."""
        try:
            self._judge(last=True)
        finally:
            self._end()

    @staticmethod
    def _end() -> NoReturn:
        channel.flush()
        end_engine()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def _judge(self, last: bool) -> tuple[float | None, bool]:
        """Sends what the model is worth; returns its skill, and whether its predictions are numbers."""
        found = None
        model, rows = self._model, self._rows
        if rows is not None and model is not None:
            loss = losses.describe(model) or {}
            from_logits = bool(loss.get("config", {}).get("from_logits"))
            found = yardstick.measure(rows.y, _predict(model, rows.x), loss.get("name"), from_logits)
        if found is None:
            channel.send("score", step=self._step, last=last, late=self._late, held_out=False)
            return None, True
        channel.send("score", step=self._step, last=last, late=self._late, held_out=rows.held_out, **found)
        return yardstick.skill(found), found["finite"]


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


def _engine() -> Any:
    """The engine, when training is done by one."""
    module = sys.modules.get(f"{__package__}.imperative.engine")
    return module.engine() if module is not None and module.engine.cache_info().currsize else None


def _seconds() -> float:
    """Processor time so far, that of the engine included."""
    engine = _engine()
    return time.process_time() + (engine.seconds() if engine is not None else 0.0)


def end_engine() -> None:
    """Ends the engine, so that its processor time counts as this process'."""
    engine = _engine()
    if engine is not None:
        engine.end()


def _predict(model: Any, x: Any) -> np.ndarray:
    parts = []
    count = len(x[0]) if isinstance(x, list) else len(x)
    engine = _engine()
    for start in range(0, count, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        batch = [array[rows] for array in x] if isinstance(x, list) else x[rows]
        if engine is not None:
            from .imperative import learner

            output = learner.of(model, (batch,)).predict(batch)
        else:
            output = model(batch, training=False)
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
            changes = [(judge, judge.begin(self, arguments)) for judge in _judges]
            judges = [judge for judge, changed in changes if changed is not None]
            if arguments:
                args = ()
                kwargs = {key: value for key, value in arguments.items() if key != "self"}
                for _, changed in changes:
                    kwargs.update(changed or {})
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
            judge.trained(getattr(self, "_model", None), 1)
        return result

    module.CallbackList.on_train_batch_end = on_train_batch_end


def patch_steps(module: ModuleType) -> None:
    """Lets the judge count the steps of the engine, which come in groups."""
    original = module.Reporter.train

    @functools.wraps(original)
    def train(self: Any, batches: list[Any]) -> dict[str, float]:
        logs: dict[str, float] = {}
        while batches:
            rooms = [room for room in (judge.room(self.model) for judge in _judges) if room > 0]
            count = min([len(batches), *rooms])
            logs = original(self, batches[:count])
            batches = batches[count:]
            for judge in _judges:
                judge.trained(self.model, count)
        return logs

    module.Reporter.train = train
