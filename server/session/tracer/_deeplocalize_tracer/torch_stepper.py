"""Stands in for Keras' train function on PyTorch: records the step while it runs."""

from __future__ import annotations

import math
import time
import traceback
from typing import Any, Callable

from . import dialect, fit, reporting
from . import probe as probes
from .layers import in_order, leaves
from .recorder import variable_key
from .torch_recorder import TorchRecorder, array
from .variables import inner


class TorchStepper:
    """Trains one compiled model, step by step. There is no second step: this one is run as it is written."""

    def __init__(self, torch: Any, model: Any, plain: Callable[..., Any]) -> None:
        self._torch = torch
        self._model = model
        self._plain = plain
        self._why_not: str | None = None
        if getattr(model, "jit_compile", False):
            self._cannot("the training step is compiled (jit_compile)")

    def step(self, batches: Any) -> Any:
        """What Keras calls to train on the next batch, the only one in this list."""
        run = fit.of_model(self._model)
        if run is None:
            return self._plain(batches)
        run.stepped = True
        before, rate = fit.guarded(self._totals), fit.guarded(self._learning_rate)
        step, started = run.step, time.perf_counter()
        due = self._why_not is None and run.cadence.due(step)
        recorded = fit.guarded(self._prepared) if due else None
        own = time.perf_counter()
        if recorded is None:
            logs = self._plain(batches)
        else:
            with recorded[0].recording():
                logs = self._plain(batches)
        run.seconds = time.perf_counter() - own
        probe = None
        if recorded is not None:
            try:
                probe = self._probe(run, *recorded, batches[0])
            except Exception:
                self._cannot(traceback.format_exc(limit=-3))
        fit.guarded(self._report, run, batches, probe, logs, before, math.nan if rate is None else rate)
        run.cadence.spent(step, probe is not None, run.seconds, time.perf_counter() - started)
        return logs

    def _prepared(self) -> tuple[TorchRecorder, list[Any], dict[int, Any], float]:
        """What has to be known before the step: the weights, and by what the loss is multiplied."""
        found = leaves(self._model)
        values = {
            variable_key(weight.variable): array(inner(weight.variable)).copy()
            for weight in probes.weights_of(found)
        }
        scale = dialect.loss_scale(getattr(self._model, "optimizer", None))
        number = 1.0 if scale is None else self._number(scale)
        return TorchRecorder(self._torch, self._model, found), found, values, number

    def _probe(
        self,
        run: fit.Run,
        recorded: TorchRecorder,
        found: list[Any],
        before: dict[int, Any],
        scale: float,
        batch: Any,
    ) -> probes.Probe:
        calls = recorded.first_calls()
        ordered = in_order(found, calls)
        indices = {id(layer): index for index, layer in enumerate(ordered)}
        weights = probes.weights_of(ordered)
        gradients = {
            variable_key(weight.variable): inner(weight.variable).grad
            for weight in weights
            if inner(weight.variable).grad is not None
        }
        tensors = probes.tensors_of(calls, indices, _dense)
        tensors.update(probes.gradients_of(gradients, weights, _dense))
        probe = probes.Probe()
        if recorded.prediction is not None:
            probe.prediction = array(recorded.prediction)
        values = [
            (weight, before[key], array(inner(weight.variable)))
            for weight, key in ((weight, variable_key(weight.variable)) for weight in weights)
            if key in before
        ]
        probes.measure(probe, ordered, {row: array(value) for row, value in tensors.items()}, values, scale)
        sources = {key: call.sources for key, call in calls.items()}
        shapes = {key: [None, *call.after.shape[1:]] for key, call in calls.items()}
        fit.guarded(run.announce, ordered, sources, shapes, _arrays(batch))
        return probe

    def _report(self, run: fit.Run, batches: Any, probe: Any, logs: Any, before: Any, rate: float) -> None:
        found = fit.floats(logs)
        batch = _arrays(batches[0])
        loss = reporting.loss_since(before, self._totals(), found)
        reporting.report(run, [batch], probe, found, loss, rate)

    def _totals(self) -> tuple[float, float] | None:
        """Sum and count behind Keras' running mean of the loss."""
        return dialect.loss_totals(self._model, self._number)

    def _learning_rate(self) -> float:
        optimizer = getattr(self._model, "optimizer", None)
        return math.nan if optimizer is None else self._number(optimizer.learning_rate)

    def _number(self, value: Any) -> float:
        tensor = inner(value)
        return float(tensor.detach()) if hasattr(tensor, "detach") else float(tensor)

    def _cannot(self, why: str) -> None:
        if self._why_not is None:
            self._why_not = why
            reporting.cannot_probe(self._model, why)


def _dense(gradient: Any) -> Any:
    return gradient.to_dense() if gradient.is_sparse else gradient


def _arrays(batch: Any) -> Any:
    """The batch with arrays in the place of its tensors."""
    if isinstance(batch, dict):
        return {name: _arrays(item) for name, item in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)(_arrays(item) for item in batch)
    return array(batch) if hasattr(batch, "detach") else batch
