"""Which steps of a training are probed."""

from __future__ import annotations

import math
from typing import Any, Callable

from . import config

# Share of the plain training that probing may cost once the first steps are over.
_BUDGET = 0.15
# Steps that tell what a probe costs; the first ones compile.
_WARM_UP = 3
_MEASURED = 20
# The interval becomes this many times as long at most.
_LONGEST = 16
# A loss so many standard deviations off its recent mean is worth a closer look ...
_MOVED = 6.0
# ... at so many steps, once in so many.
_BURST = 3
_REST = 50


class Cadence:
    """Every step at the start, then every so many, as the probes cost; more often when the loss moves."""

    def __init__(self, changed: Callable[..., Any]) -> None:
        self._settings = config.current
        self._changed = changed
        self.every = self._settings.every
        self._probes: list[float] = []
        self._plain: list[float] = []
        self._mean = self._variance = 0.0
        self._seen = 0
        self._burst = range(0)

    def due(self, step: int, count: int = 1) -> bool:
        """Whether any of the `count` steps from this one is probed."""
        steps = range(step, step + count)
        if step < self._settings.dense_steps or any(at in self._burst for at in steps):
            return True
        return any(at % self.every == 0 for at in steps)

    def spent(self, step: int, probed: bool, plain: float, total: float) -> None:
        """Takes the seconds of a step into account: of the training itself, and with all that is ours."""
        if step < _WARM_UP or not self._settings.adaptive:
            return
        self._plain.append(plain)
        if probed:
            self._probes.append(total - plain)
        if len(self._probes) < _MEASURED:
            return
        cost = _middle(self._probes) / max(_middle(self._plain), 1e-9)
        self._probes.clear()
        self._plain.clear()
        every = self._settings.every
        while cost / every > _BUDGET and every < self._settings.every * _LONGEST:
            every *= 2
        if every != self.every:
            self.every = every
            self._changed(step=step, every=every, cost=cost)

    def saw(self, step: int, loss: float) -> None:
        """Takes the loss of a step into account."""
        if not math.isfinite(loss):
            self._look_closer(step)
            return
        self._seen += 1
        off = loss - self._mean
        if self._seen > 20 and off * off > _MOVED**2 * self._variance + 1e-12:
            self._look_closer(step)
        share = max(1.0 / self._seen, 0.05)
        self._mean += share * off
        self._variance = (1.0 - share) * (self._variance + share * off * off)

    def _look_closer(self, step: int) -> None:
        if not self._burst or step >= self._burst.start + _REST:
            self._burst = range(step + 1, step + 1 + _BURST)


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
