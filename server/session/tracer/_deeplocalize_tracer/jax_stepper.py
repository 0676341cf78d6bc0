"""Stands in for Keras' train function on JAX: takes the batch out, probes it, trains on it."""

from __future__ import annotations

import math
import time
import traceback
from itertools import islice
from typing import Any, Callable

from . import dialect, fit, reporting
from .jax_shadow import JaxShadow, positions
from .probe import Probe
from .shadow import CannotProbe


class JaxStepper:
    """Trains one compiled model, step by step."""

    def __init__(self, jax: Any, model: Any, plain: Callable[..., Any]) -> None:
        self._jax = jax
        self._model = model
        self._plain = plain
        self._shadow: JaxShadow | None = None
        self._why_not = _reason_not_to()
        if self._why_not is not None:
            reporting.cannot_probe(model, self._why_not)

    def step(self, state: Any, source: Any) -> Any:
        """What Keras calls to train on the next batch, or the next `steps_per_execution` of them."""
        run = fit.of_model(self._model)
        if run is None:
            return self._plain(state, source)
        # Keras before 3.9 hands over the batches themselves.
        listed = isinstance(source, (list, tuple))
        batches = list(source if listed else islice(source, int(self._model.steps_per_execution or 1)))
        if not batches:
            return self._plain(state, iter(()))
        run.stepped = True
        before, rate = fit.guarded(self._totals, state), fit.guarded(self._learning_rate, state)
        rate = math.nan if rate is None else rate
        probe, failure = None, None
        step, started = run.step, time.perf_counter()
        if self._why_not is None and run.cadence.due(step, len(batches)):
            probe, failure = self._shadowed(run, state, batches[0], rate)
        own = time.perf_counter()
        logs, state = self._plain(state, batches if listed else iter(batches))
        # Only now is it known that the failure was not the training's own.
        if failure is not None:
            self._why_not = failure
            reporting.cannot_probe(self._model, failure)
        # The training itself is over when its loss can be read.
        totals = (before, fit.guarded(self._totals, state))
        run.seconds = time.perf_counter() - own
        fit.guarded(self._report, run, batches, probe, logs, totals, rate)
        run.cadence.spent(step, probe is not None, run.seconds, time.perf_counter() - started)
        return logs, state

    def _shadowed(self, run: fit.Run, state: Any, batch: Any, rate: float) -> tuple[Probe | None, str | None]:
        try:
            if self._shadow is None:
                self._shadow = JaxShadow(self._jax, self._model)
            probe = self._shadow.run(state, batch)
        except CannotProbe as reason:
            return None, str(reason)
        except Exception:
            return None, traceback.format_exc(limit=-3)
        shadow = self._shadow
        if probe.learning_rate is not None:
            rate = probe.learning_rate
        fit.guarded(run.announce, shadow.layers, shadow.sources, shadow.shapes, batch, rate)
        return probe, None

    def _report(
        self, run: fit.Run, batches: list[Any], probe: Probe | None, logs: Any, totals: Any, rate: float
    ) -> None:
        found = fit.floats(logs)
        fit.guarded(run.announce, batch=batches[0], learning_rate=rate)
        reporting.report(run, batches, probe, found, reporting.loss_since(*totals, found), rate)

    def _totals(self, state: Any) -> tuple[float, float] | None:
        """Sum and count behind Keras' running mean of the loss."""
        places = positions(self._model.metrics_variables, dialect.loss_variables(self._model))
        if len(places) != 2:
            return None
        total, count = (float(state[3][at]) for at in places)
        return total, count

    def _learning_rate(self, state: Any) -> float:
        """The learning rate where it is a variable; schedules are read in the probed step."""
        optimizer = self._model.optimizer
        rate = getattr(optimizer, "_learning_rate", None)
        places = positions(optimizer.variables, [rate]) if optimizer is not None else []
        return float(state[2][places[0]]) if places else math.nan


def _reason_not_to() -> str | None:
    from keras.src.distribution import distribution_lib

    if distribution_lib.distribution() is not None:
        return "training is distributed over several devices"
    try:
        from keras.src.backend.config import is_nnx_enabled
    except ImportError:
        return None
    return "NNX is enabled" if is_nnx_enabled() else None
