"""A model in the engine: the far end of one Keras model."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import description, graph, imports, tensors
from .engine import engine
from .giving_up import NotCovered
from .mirror import Mirror, close_forgotten

_ATTRIBUTE = "_deeplocalize_learner"

# Set in a trial that trains as another back end would.
remembers: bool | None = None


class Learner:
    """Trains, evaluates and predicts one compiled model."""

    count = 0

    def __init__(self, model: Any, form: Any) -> None:
        self.form = form
        self.number = Learner.count
        Learner.count += 1
        self._compiled = getattr(model, "_compile_config", None)
        self._optimizer = getattr(model, "optimizer", None)
        self._names = description.input_names(self.form)
        self._outputs = list(self.form.output_names)
        self._ranks = [len(tensor.shape) for tensor in self.form.inputs]
        # Metrics start anew with the next request.
        self.fresh = True
        weights = list(form.weights)
        self._trainable = [weight.trainable for weight in weights]
        # Not among the weights; every pass changes them, not only training.
        states = graph.states(self.form)
        self._keeps = bool(states)
        self._mirror = Mirror(self.number, [*weights, *states.values()])
        config, compiled = description.serialized(model, self.form)
        close_forgotten()
        answer, _ = engine().call(
            do="open",
            model=self.number,
            graph=config,
            compile=compiled,
            # What softmax and sigmoid leave for the loss; see docs/hand-over.md.
            remember_logits=imports.backend() == "tensorflow" if remembers is None else remembers,
            weights=[
                {"path": path, "shape": list(variable.shape)}
                for path, variable in [*((weight.path, weight) for weight in weights), *states.items()]
            ],
            seed=tensors.seed_from_the_script(),
        )
        self.order = self._ordered(answer["leaves"])

    def valid(self, model: Any, form: Any) -> bool:
        """Whether the model is still compiled as it was, and has the same layers to train."""
        return (
            self.form is form
            and self._compiled is getattr(model, "_compile_config", None)
            and self._optimizer is getattr(model, "optimizer", None)
            and self._trainable == [weight.trainable for weight in form.weights]
        )

    def train(
        self, batches: list[Any], rates: list[float], probed: list[bool]
    ) -> tuple[dict[str, Any], bytes]:
        """Trains on these batches; returns what the engine says of the steps."""
        shared = engine()
        with shared.request():
            weights = self._mirror.changed()
            laid = [self._laid(batch) for batch in batches]
            # Before it is so: when the step is interrupted, what Python has are not the weights.
            self._mirror.trained()
            answer, numbers = shared.call(
                do="train",
                model=self.number,
                weights=weights,
                fresh=self._take_fresh(),
                batches=laid,
                rates=rates,
                probed=probed,
            )
        return answer, numbers

    def evaluate(self, batches: list[Any]) -> dict[str, float]:
        """Loss and metrics so far, these batches included."""
        shared = engine()
        with shared.request():
            weights = self._changed()
            answer, _ = shared.call(
                do="evaluate",
                model=self.number,
                weights=weights,
                fresh=self._take_fresh(),
                batches=[self._laid(batch) for batch in batches],
            )
        return _floats(answer["logs"])

    def predict(self, x: Any) -> Any:
        """The outputs for a batch of inputs."""
        from keras.src import tree

        shared = engine()
        inputs = self._inputs(x)
        with shared.request():
            answer, numbers = shared.call(
                do="predict",
                model=self.number,
                # First, because weights count as handed over once they are laid in.
                x=[shared.put(array) for array in inputs],
                weights=self._changed(),
            )
        outputs, at = [], 0
        for shape in answer["shapes"]:
            length = int(np.prod(shape, dtype=np.int64))
            outputs.append(np.frombuffer(numbers, "<f4", length, at).reshape(shape).copy())
            at += 4 * length
        return tree.pack_sequence_as(self.form._outputs_struct, outputs)

    def finish(self) -> None:
        """The training is over."""
        with engine().locked():
            self._mirror.trained()
            engine().call(do="finish", model=self.number)

    def _changed(self) -> list[dict[str, Any]]:
        """What the engine needs for a pass without training."""
        weights = self._mirror.changed()
        if self._keeps:
            self._mirror.trained()
        return weights

    def _take_fresh(self) -> bool:
        fresh, self.fresh = self.fresh, False
        return fresh

    def _inputs(self, x: Any) -> list[Any]:
        arrays = description.arrays_of(x, self._names, "an input")
        if len(arrays) != len(self._ranks):
            raise NotCovered(f"{len(arrays)} inputs for a model of {len(self._ranks)}")
        return [description.adjusted(array, rank) for array, rank in zip(arrays, self._ranks)]

    def _laid(self, batch: Any) -> dict[str, Any]:
        x, y, weight = unpacked(batch)
        shared = engine()
        weights = description.arrays_of(weight, self._outputs, "sample weights")
        return {
            "x": [shared.put(array) for array in self._inputs(x)],
            "y": [
                None if array is None else shared.put(array)
                for array in description.arrays_of(y, self._outputs, "labels")
            ],
            "weight": [None if array is None else shared.put(array) for array in weights],
        }

    def _ordered(self, paths: list[str]) -> list[Any]:
        """The layers that the engine names, in its order."""
        found = graph.by_path(self.form)
        unknown = [path for path in paths if path not in found]
        if unknown:
            raise NotCovered(f"the layer {unknown[0]}, which the engine knows by another name,")
        return [found[path] for path in paths]


def unpacked(batch: Any) -> tuple[Any, Any, Any]:
    """Inputs, labels and sample weights of a batch."""
    from keras.src.trainers.data_adapters import data_adapter_utils

    return data_adapter_utils.unpack_x_y_sample_weight(batch)


def of(model: Any, batch: Any) -> Learner:
    """The far end of this model; made when there is none yet, or when it was compiled anew."""
    form = description.functional_form(model, unpacked(batch)[0])
    known = vars(model).get(_ATTRIBUTE)
    if known is not None and known.valid(model, form):
        return known
    made = Learner(model, form)
    object.__setattr__(model, _ATTRIBUTE, made)
    return made


def known(model: Any) -> Learner | None:
    """The far end of this model, if it has one."""
    return vars(model).get(_ATTRIBUTE)


def _floats(logs: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}
