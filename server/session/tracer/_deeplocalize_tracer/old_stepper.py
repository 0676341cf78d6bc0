"""Stands in for the train function of Keras 2 (`tf_keras`)."""

from __future__ import annotations

import functools
import time
from typing import Any

from . import fit
from .stepper import Stepper


class OldStepper(Stepper):
    """Takes a batch out only when it is probed.

    Keras 2 fetches the batch within the compiled step. A batch that was taken out is handed to the same
    compiled step by an iterator of its own, of the same type.
    """

    def step(self, iterator: Any) -> Any:
        """What Keras calls to train on the next batch, or the next `steps_per_execution` of them."""
        run = fit.of_model(self._model)
        if run is None or not isinstance(iterator, self._tf.data.Iterator):
            return super().step(iterator)
        count = self._count()
        due = run.cadence.due(run.step, count)
        if self._prepared is not run or (due and self._why_not is None):
            try:
                return super().step(iterator)
            except self._tf.errors.OutOfRangeError:
                if self._trained:
                    raise
                # Has it raised from within Keras' own step, as Keras expects.
                return self._plain(iterator)
        step, started = run.step, time.perf_counter()
        before, rate = self._totals(), self._learning_rate()
        logs = self._plain(iterator)
        fit.guarded(self._report, run, [None] * count, None, logs, before, rate)
        seconds = time.perf_counter() - started
        run.cadence.spent(step, False, seconds, seconds)
        return logs

    def _train(self, iterator: Any, batches: list[Any]) -> Any:
        self._trained = True
        return self._plain(_feed(self._tf, iterator, batches))

    def _take(self, iterator: Any) -> list[Any] | None:
        self._trained = False
        if not isinstance(iterator, self._tf.data.Iterator):
            return None
        return super()._take(iterator)

    def _compiled_step(self) -> Any:
        return getattr(self._model, "train_tf_function", None)

    def _traced_for(self, iterator: Any, _example: Any) -> Any:
        return iterator


def _feed(tf: Any, iterator: Any, batches: list[Any]) -> Any:
    """An iterator over these batches, of the type of the one that they come from."""
    from tensorflow.python.data.ops.dataset_ops import _VariantDataset

    parts = [tf.data.Dataset.from_tensors(batch) for batch in batches]
    joined = functools.reduce(lambda first, second: first.concatenate(second), parts)
    return iter(_VariantDataset(joined._variant_tensor, iterator.element_spec))
