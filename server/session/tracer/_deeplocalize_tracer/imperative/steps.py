"""Trains a group of batches and sends the steps on to the tool."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import fit
from . import graph, learner


class Reporter:
    """Trains one model within one call of `fit`, or one of `train_on_batch`."""

    def __init__(self, model: Any, batch: Any) -> None:
        self.model = model
        self._learner = learner.of(model, batch)
        self._run = fit.of_model(model)
        if self._run is not None:
            self._run.stepped = True
            form = self._learner.form
            self._run.announce(self._learner.order, graph.sources(form), graph.shapes(form), batch)

    def train(self, batches: list[Any]) -> dict[str, float]:
        """Trains on these batches; returns the logs after the last."""
        run = self._run
        step = 0 if run is None else run.step
        probed = [run is not None and run.cadence.due(step + offset) for offset in range(len(batches))]
        rates = _rates(self.model.optimizer, len(batches))
        answer, numbers = self._learner.train(batches, rates, probed)
        if run is not None:
            _send(run, answer, numbers)
        return {name: float(value) for name, value in answer["logs"].items()}

    def finish(self) -> None:
        """The training is over."""
        self._learner.finish()


def _send(run: fit.Run, answer: dict[str, Any], numbers: bytes) -> None:
    """Step by step: scalars, then of a probed step the statistics, row by row."""
    scalars, width = 8 * len(answer["scalars"]), 8 * len(answer["stats"])
    at = 0
    inside = [("fault", found) for found in answer["faults"]] + [
        ("gauge", found) for found in answer["gauges"]
    ]
    for place, layout in enumerate(answer["steps"]):
        rows = [] if layout is None else answer["layouts"][layout]
        middle = at + scalars
        end = middle + width * len(rows)
        if layout is not None or not run.has_layout:
            names = {"scalars": answer["scalars"], "stats": answer["stats"], "rows": rows}
            run.use_layout(str(names), lambda names=names: names)
        run.send_raw(numbers[at:middle], len(rows), numbers[middle:end])
        at = end
        for name, found in inside:
            if found["step"] == place:
                run.send_inside(name, found)


def _rates(optimizer: Any, count: int) -> list[float]:
    """The learning rate of each of the next steps; moves the optimizer's count of steps on past them."""
    # With `gradient_accumulation_steps`, `iterations` is a quotient of this.
    iterations = optimizer._iterations
    start = int(iterations.value)
    if hasattr(getattr(optimizer, "_learning_rate", None), "assign"):
        rates = [float(np.asarray(optimizer.learning_rate))] * count
    else:
        # A schedule: a function of the count.
        rates = []
        for step in range(start, start + count):
            iterations.assign(step)
            rates.append(float(np.asarray(optimizer.learning_rate)))
    iterations.assign(start + count)
    return rates
