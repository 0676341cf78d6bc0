"""Stands in for Keras' train function on TensorFlow: takes the batch out, probes it, trains on it."""

from __future__ import annotations

import math
import time
import traceback
from typing import Any, Callable

from . import dialect, fit, reporting
from .layers import in_order, leaves
from .probe import Probe, eager, weights_of
from .recorder import Recorder, variable_key
from .shadow import CannotProbe, Shadow, as_tensors, gradient_scale
from .variables import inner, number_in


class Stepper:
    """Trains one compiled model, step by step."""

    def __init__(self, tf: Any, model: Any, plain: Callable[[Any], Any]) -> None:
        self._tf = tf
        self._model = model
        self._plain = plain
        self._shadow: Shadow | None = None
        self._why_not: str | None = None
        self._prepared: fit.Run | None = None
        # Whether the batches that were taken out have been handed to Keras.
        self._trained = False
        self._seconds = 0.0
        self._last: tuple[float, float] | None = None

    def step(self, iterator: Any) -> Any:
        """What Keras calls to train on the next batch, or the next `steps_per_execution` of them."""
        run = fit.of_model(self._model)
        batches = self._take(iterator)
        if batches is None:
            self._cannot("training is distributed over several devices")
            return self._plain(iterator)
        if run is None:
            return self._timed(iterator, batches)
        run.stepped = True
        if run is not self._prepared:
            self._prepare(run, batches[0], iterator)
            self._prepared = run
        step, started = run.step, time.perf_counter()
        due = self._why_not is None and run.cadence.due(step, len(batches))
        # Keras begins the mean anew with each epoch, and with each call of `train_on_batch`.
        fresh = self._last is None or run is not fit.innermost() or not run.batch
        before = fit.guarded(self._totals) if fresh else self._last
        rate = fit.guarded(self._learning_rate)
        if not due:
            logs, probe, failure = self._timed(iterator, batches), None, None
        elif self._model.run_eagerly:
            logs, probe, failure = self._recorded(iterator, batches)
        else:
            probe, failure = self._shadowed(batches[0])
            logs = self._timed(iterator, batches)
        # Only now is it known that the failure was not the training's own.
        if failure is not None:
            self._cannot(failure)
        run.seconds = self._seconds
        fit.guarded(self._report, run, batches, probe, logs, before, math.nan if rate is None else rate)
        run.cadence.spent(step, probe is not None, self._seconds, time.perf_counter() - started)
        return logs

    def _report(
        self, run: fit.Run, batches: list[Any], probe: Probe | None, logs: Any, before: Any, rate: float
    ) -> None:
        found = fit.floats(logs)
        self._last = self._totals()
        loss = reporting.loss_since(before, self._last, found)
        reporting.report(run, batches, probe, found, loss, rate)

    def _take(self, iterator: Any) -> list[Any] | None:
        """The next batches; `None` when they are spread over devices.

        Always taken out, probed or not: otherwise operations with a random stream of their own would run in
        two different graphs and so draw from two streams.
        """
        count = self._count()
        if isinstance(iterator, self._tf.distribute.DistributedIterator):
            return None
        if not isinstance(iterator, self._tf.data.Iterator):
            return [next(iterator) for _ in range(count)] if count == 1 else list(_some(iterator, count))
        batches: list[Any] = []
        for _ in range(count):
            try:
                batches.append(iterator.get_next())
            except self._tf.errors.OutOfRangeError:
                if not batches:
                    raise
                break
        return batches

    def _timed(self, iterator: Any, batches: list[Any]) -> Any:
        """Trains, and notes how long that takes."""
        started = time.perf_counter()
        try:
            return self._train(iterator, batches)
        finally:
            self._seconds = time.perf_counter() - started

    def _count(self) -> int:
        return dialect.steps_per_execution(self._model)

    def _train(self, _iterator: Any, batches: list[Any]) -> Any:
        """Has Keras train on these batches, which were taken from the iterator."""
        return self._plain(iter(batches))

    def _traced_for(self, _iterator: Any, example: Any) -> Any:
        """What Keras' compiled step is given; `None` when it is not to be traced ahead."""
        return example

    def _compiled_step(self) -> Any:
        """The compiled step within the train function that Keras made, if it is still there."""
        return _compiled_step(self._plain)

    def _prepare(self, run: fit.Run, batch: Any, iterator: Any) -> None:
        """Before the first step: has both steps traced, and announces the training.

        Keras' own first, so that variables come to be in their usual order. A data set describes its batches,
        and Keras traces for that description, where the size of a batch is usually open: a step that was
        traced for one size computes some losses differently in the last bits.
        """
        spec = getattr(iterator, "element_spec", None)
        example = as_tensors(self._tf, batch) if spec is None else spec
        if self._why_not is None and not self._model.run_eagerly:
            function = fit.guarded(self._compiled_step)
            given = self._traced_for(iterator, example)
            if function is not None and given is not None:
                try:
                    function.get_concrete_function(given)
                except Exception as error:
                    if _is_users(error):
                        raise
            try:
                if self._shadow is None:
                    self._shadow = Shadow(self._tf, self._model)
                self._shadow.prepare(example)
            except CannotProbe as reason:
                self._cannot(str(reason))
            except Exception:
                self._cannot(traceback.format_exc(limit=-3))
        if self._shadow is not None and self._shadow.layers:
            shadow = self._shadow
            run.pairings = shadow.pairings
            fit.guarded(run.announce, shadow.layers, shadow.sources, shadow.shapes, batch)
        elif not self._model.run_eagerly:
            fit.guarded(run.announce, batch=batch)

    def _shadowed(self, batch: Any) -> tuple[Probe | None, str | None]:
        if self._shadow is None:
            return None, "the training step cannot be traced a second time"
        try:
            return self._shadow.run(batch), None
        except CannotProbe as reason:
            return None, str(reason)
        except Exception:
            return None, traceback.format_exc(limit=-3)

    def _recorded(self, iterator: Any, batches: list[Any]) -> tuple[Any, Probe | None, str | None]:
        """Under `run_eagerly` the step itself is recorded: nothing rewrites its single operations."""
        if len(batches) > 1:
            return self._timed(iterator, batches), None, "run_eagerly together with steps_per_execution"
        tf = self._tf
        found = leaves(self._model)
        before = {variable_key(weight.variable): self._value(weight.variable) for weight in weights_of(found)}
        scale = dialect.loss_scale(self._model.optimizer)
        scales = {id(inner(scale)): inner(scale).read_value()} if hasattr(inner(scale), "read_value") else {}
        recorded = Recorder(tf, self._model, found)
        with recorded.recording():
            logs = self._timed(iterator, batches)
        try:
            return logs, self._eager_probe(recorded, before, scales), None
        except Exception:
            return logs, None, traceback.format_exc(limit=-3)

    def _eager_probe(self, recorded: Recorder, before: dict[int, Any], scales: dict[int, Any]) -> Probe:
        ordered = in_order(leaves(self._model), recorded.first_calls())
        after = {
            variable_key(weight.variable): self._value(weight.variable) for weight in weights_of(ordered)
        }
        scale = gradient_scale(self._model.optimizer, scales)
        probe = eager(self._tf, recorded, ordered, before, after, scale)
        run = fit.of_model(self._model)
        if run is not None:
            run.pairings = recorded.pairings.found
            run.announce(ordered)
        return probe

    def _totals(self) -> tuple[float, float] | None:
        """Sum and count behind Keras' running mean of the loss."""
        return dialect.loss_totals(self._model, number_in)

    def _learning_rate(self) -> float:
        """The learning rate where reading it costs nothing; schedules are read in the probed step."""
        rate = getattr(getattr(self._model, "optimizer", None), "_learning_rate", None)
        variable = inner(rate)
        is_variable = hasattr(variable, "numpy") and hasattr(variable, "assign")
        return number_in(variable) if is_variable else math.nan

    def _value(self, variable: Any) -> Any:
        return inner(variable).read_value()

    def _cannot(self, why: str) -> None:
        if self._why_not is None:
            self._why_not = why
            reporting.cannot_probe(self._model, why)


def _some(iterator: Any, count: int) -> Any:
    for _, batch in zip(range(count), iterator):
        yield batch


def _compiled_step(plain: Callable[[Any], Any]) -> Any:
    """The compiled function for one batch within the train function that Keras made, if it is still there."""
    if not hasattr(plain, "__code__"):
        return None
    cells = dict(zip(plain.__code__.co_freevars, plain.__closure__ or ()))
    cell = cells.get("one_step_on_data")
    function = getattr(cell.cell_contents, "__wrapped__", None) if cell is not None else None
    return function if hasattr(function, "get_concrete_function") else None


def _is_users(error: BaseException) -> bool:
    """Whether the error comes from the training step itself."""
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_name in ("train_step", "one_step_on_data"):
            return True
        step = step.tb_next
    # Keras and TensorFlow shorten tracebacks to the user's own frames.
    return type(error).__module__ == "builtins" or "tensorflow" in type(error).__module__
