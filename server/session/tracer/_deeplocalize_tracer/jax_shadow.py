"""The shadow step on JAX: the user's own training step, recorded and compiled apart.

Steps on JAX are functions from state to state, so there is nothing to undo: its new state is thrown away.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dialect
from . import probe as probes
from .isolation import undisturbed
from .jax_recorder import JaxRecorder, Unstable
from .layers import in_order, leaves
from .shadow import CannotProbe
from .variables import mean_of


class JaxShadow:
    """The shadow step of one model for one training."""

    def __init__(self, jax: Any, model: Any) -> None:
        self._jax = jax
        self._model = model
        self.layers: list[Any] = []
        self.sources: dict[int, list[int]] = {}
        self.shapes: dict[int, list[int | None]] = {}
        # Traced tensors are named by their number in this list.
        self._rows: list[probes.Row] = []
        self._weights: list[probes.Weight] = []
        self._compiled: dict[Any, Any] = {}
        self._tracker = positions(model.metrics_variables, dialect.loss_variables(model))

    def run(self, state: Any, batch: Any) -> probes.Probe:
        """Runs the step on a state, which stays as it is."""
        outputs = self._function(state, batch)(state, batch)
        probe = probes.Probe()
        probe.loss = mean_of([float(value) for value in outputs["loss"]])
        if outputs["learning_rate"] is not None:
            probe.learning_rate = float(outputs["learning_rate"])
        if outputs["prediction"] is not None:
            probe.prediction = np.asarray(outputs["prediction"])
        arrays = {self._rows[number]: np.asarray(value) for number, value in outputs["rows"].items()}
        weights = [
            (weight, np.asarray(before), np.asarray(after))
            for weight, (before, after) in zip(self._weights, outputs["weights"])
        ]
        probes.measure(probe, self.layers, arrays, weights, float(outputs["scale"]))
        return probe

    def _function(self, state: Any, batch: Any) -> Any:
        """The compiled step for such a state and batch."""
        flatten = self._jax.tree_util.tree_flatten
        values, structure = flatten((state, batch))
        key = (structure, *((np.shape(value), str(getattr(value, "dtype", ""))) for value in values))
        if key not in self._compiled:
            with undisturbed():
                step = self._jax.jit(self._step)
                try:
                    if hasattr(step, "trace"):
                        traced = step.trace(state, batch)
                        _refuse_effects(traced.jaxpr)
                        lowered = traced.lower()
                    else:  # JAX before 0.4.30 has to trace once more.
                        _refuse_effects(self._jax.make_jaxpr(self._step)(state, batch))
                        lowered = step.lower(state, batch)
                    self._compiled[key] = lowered.compile()
                except Unstable as error:
                    raise CannotProbe(f"the training step cannot be traced again: {error}") from error
        return self._compiled[key]

    def _step(self, state: Any, batch: Any) -> dict[str, Any]:
        """Traced by JAX."""
        jax, model = self._jax, self._model
        trainable, frozen, of_optimizer, of_metrics = state
        # From zero, the running mean of the loss is that of this batch alone.
        of_metrics = list(of_metrics)
        for at in self._tracker:
            of_metrics[at] = jax.numpy.zeros_like(of_metrics[at])
        found = leaves(model)
        recorded = JaxRecorder(jax, model, found, list(zip(model.trainable_variables, trainable)))
        with recorded.recording():
            _, (new_trainable, new_frozen, _, new_metrics) = model.train_step(
                (trainable, frozen, of_optimizer, of_metrics), batch
            )
        if not self.layers:
            self._settle(recorded, found)
        indices = {id(layer): index for index, layer in enumerate(self.layers)}
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        changed = {
            id(variable): pair
            for variable, pair in zip(variables, zip([*trainable, *frozen], [*new_trainable, *new_frozen]))
        }
        self._weights = [
            weight for weight in probes.weights_of(self.layers) if id(weight.variable) in changed
        ]
        tensors = probes.tensors_of(recorded.first_calls(), indices, _same)
        tensors.update(probes.gradients_of(recorded.gradients, self._weights, _same))
        fresh = jax.lax.optimization_barrier
        return {
            "loss": [new_metrics[at] for at in self._tracker],
            "learning_rate": self._learning_rate(of_optimizer),
            "scale": self._scale(of_optimizer),
            "prediction": recorded.prediction,
            "rows": {self._number(row): value for row, value in tensors.items()},
            # The real step is given the buffers of the state to write in; these must not be the same.
            "weights": [fresh(changed[id(weight.variable)]) for weight in self._weights],
        }

    def _number(self, row: probes.Row) -> int:
        if row not in self._rows:
            self._rows.append(row)
        return self._rows.index(row)

    def _settle(self, recorded: JaxRecorder, found: list[Any]) -> None:
        """Fixes the order of the layers: that of the forward pass; layers that were not called come last."""
        calls = recorded.first_calls()
        self.layers = in_order(found, calls)
        for key, call in calls.items():
            self.sources[key] = call.sources
            self.shapes[key] = [None, *call.after.shape[1:]]

    def _learning_rate(self, values: Any) -> Any:
        """The learning rate in force, of a schedule as well."""
        optimizer = self._model.optimizer
        if optimizer is None:
            return None
        from keras.src.backend import StatelessScope

        with StatelessScope(state_mapping=list(zip(optimizer.variables, values))):
            return self._jax.numpy.asarray(optimizer.learning_rate)

    def _scale(self, values: Any) -> Any:
        """What the loss is multiplied by (mixed precision)."""
        optimizer = self._model.optimizer
        scale = dialect.loss_scale(optimizer)
        if isinstance(scale, (int, float)):
            return float(scale)
        return 1.0 if scale is None else values[positions(optimizer.variables, [scale])[0]]


def positions(variables: list[Any], wanted: list[Any]) -> list[int]:
    """Where these variables stand in the list of all."""
    places = {id(variable): at for at, variable in enumerate(variables)}
    return [places[id(variable)] for variable in wanted if id(variable) in places]


def _same(gradient: Any) -> Any:
    return gradient


def _refuse_effects(jaxpr: Any) -> None:
    """Raises when running the step a second time would be seen outside it."""
    if jaxpr.effects or _calls_back(getattr(jaxpr, "jaxpr", jaxpr)):
        raise CannotProbe("the training step calls back into Python")


def _calls_back(jaxpr: Any) -> bool:
    for equation in jaxpr.eqns:
        if "callback" in equation.primitive.name:
            return True
        for value in equation.params.values():
            for part in value if isinstance(value, (list, tuple)) else [value]:
                inside = getattr(part, "jaxpr", part)
                if hasattr(inside, "eqns") and _calls_back(inside):
                    return True
    return False
