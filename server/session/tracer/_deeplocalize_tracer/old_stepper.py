"""Stands in for a train function that is compiled as a whole: in Keras 2 (`tf_keras`) and early Keras 3."""

from __future__ import annotations

import functools
import math
import time
from typing import Any

from . import fit
from .stepper import Stepper


class OldStepper(Stepper):
    """Takes a batch out only when it is probed.

    Keras fetches it within the compiled step. A batch that was taken out is handed to the same
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
        before, rate = fit.guarded(self._totals), fit.guarded(self._learning_rate)
        logs = self._plain(iterator)
        rate = math.nan if rate is None else rate
        run.seconds = time.perf_counter() - started
        fit.guarded(self._report, run, [None] * count, None, logs, before, rate)
        run.cadence.spent(step, False, run.seconds, run.seconds)
        return logs

    def _train(self, iterator: Any, batches: list[Any]) -> Any:
        self._trained = True
        if not isinstance(iterator, self._tf.data.Iterator):
            return self._plain(iter(batches))
        return self._plain(_feed(self._tf, iterator, batches))

    def _take(self, iterator: Any) -> list[Any] | None:
        self._trained = False
        return super()._take(iterator)

    def _compiled_step(self) -> Any:
        compiled = getattr(self._model, "train_tf_function", self._plain)
        return compiled if hasattr(compiled, "get_concrete_function") else None

    def _traced_for(self, iterator: Any, _example: Any) -> Any:
        # `train_on_batch` of early Keras 3 gives a generator, which tracing would use up.
        return iterator if isinstance(iterator, self._tf.data.Iterator) else None


def _feed(tf: Any, iterator: Any, batches: list[Any]) -> Any:
    """An iterator over these batches, of the type of the one that they come from."""
    from tensorflow.python.data.ops.dataset_ops import _VariantDataset

    parts = [tf.data.Dataset.from_tensors(batch) for batch in batches]
    joined = functools.reduce(lambda first, second: first.concatenate(second), parts)
    return iter(_VariantDataset(joined._variant_tensor, iterator.element_spec))
