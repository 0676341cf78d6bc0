"""The shadow step: a recorded copy of the user's own training step, whose effects are undone.

It is compiled, and runs on the same batch just before the real step. Recording the real step instead would
add consumers to its tensors, and with them change which rewrites the graph optimiser applies and so the last
bits of the training.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import dialect
from . import probe as probes
from .isolation import undisturbed
from .layers import in_order, leaves
from .recorder import Recorder
from .variables import Variables, inner, mean_of

# Operations whose effect outlives the step and is not undone by restoring variables.
_EFFECTS = {
    "PyFunc",
    "EagerPyFunc",
    "IteratorGetNext",
    "IteratorGetNextSync",
    "IteratorGetNextAsOptional",
    "LookupTableInsert",
    "LookupTableInsertV2",
    "LookupTableImport",
    "LookupTableImportV2",
    "LookupTableRemoveV2",
    "MutableDenseHashTableV2",
    "QueueEnqueueV2",
    "QueueDequeueV2",
    "WriteFile",
    "Save",
    "SaveV2",
    "WriteSummary",
    "WriteScalarSummary",
    "WriteHistogramSummary",
    "WriteImageSummary",
    "WriteAudioSummary",
    "WriteGraphSummary",
    "WriteRawProtoSummary",
}


class CannotProbe(Exception):
    """The step cannot be run twice; the text says why."""


class Trace:
    """One traced shape of the shadow step."""

    # The compiled step.
    function: Any

    def __init__(self, rows: list[probes.Row], weights: list[probes.Weight]) -> None:
        self.rows = rows
        self.weights = weights
        # Every variable that the step can change; known once it is traced.
        self.touched: Any = None
        # The step and what undoes it in one call, where that could be compiled.
        self.undone: Any = None


class Shadow:
    """The shadow step of one model for one training."""

    def __init__(self, tf: Any, model: Any) -> None:
        self._tf = tf
        self._model = model
        self._traces: dict[int, Trace] = {}
        # By shapes and types of the batch.
        self._known: dict[Any, Trace] = {}
        self.layers: list[Any] = []
        self.sources: dict[int, list[int]] = {}
        self.shapes: dict[int, list[int | None]] = {}
        self.pairings: list[dict[str, Any]] = []
        # Keras 2 lets autograph translate what the user wrote, Keras 3 does not.
        step = self._step if dialect.is_old(model) else tf.autograph.experimental.do_not_convert(self._step)
        self._function = tf.function(step, reduce_retracing=True)

    def prepare(self, batch: Any) -> None:
        """Traces the step for such batches, if that has not been done."""
        self._trace_of(batch)

    def run(self, batch: Any) -> probes.Probe:
        """Runs the step and undoes it."""
        batch = as_tensors(self._tf, batch)
        key = tuple(_signature(item) for item in self._tf.nest.flatten(batch))
        trace = self._known.get(key)
        if trace is None:
            trace = self._known[key] = self._trace_of(batch)
        return self._run(trace, batch)

    def _run(self, trace: Trace, batch: Any) -> probes.Probe:
        # Also for the case that the step fails halfway.
        before = trace.touched.values()
        try:
            outputs, after = self._both(trace, batch, before)
        except BaseException:
            trace.touched.restore(before)
            raise
        probe = probes.Probe()
        probe.loss = mean_of([after[id(variable)] for variable in self._tracker()])
        if outputs["learning_rate"] is not None:
            probe.learning_rate = float(outputs["learning_rate"])
        if outputs["prediction"] is not None:
            probe.prediction = probes.view(outputs["prediction"])
        self._fill(probe, outputs)
        arrays = {row: probes.view(tensor) for row, tensor in zip(trace.rows, outputs["rows"])}
        weights = [
            (weight, probes.view(before[id(variable)]), probes.view(after[id(variable)]))
            for weight, variable in ((weight, inner(weight.variable)) for weight in trace.weights)
        ]
        probes.measure(probe, self.layers, arrays, weights, gradient_scale(self._model.optimizer, before))
        return probe

    def _both(
        self, trace: Trace, batch: Any, before: dict[int, Any]
    ) -> tuple[dict[str, Any], dict[int, Any]]:
        """Runs the step and undoes it: what it hands out, and the values that it has left."""
        if trace.undone is not None:
            outputs, left = trace.undone(batch)
            return outputs, dict(zip(self._wanted(trace), left))
        self._forget()
        outputs = trace.function(batch)
        after = trace.touched.values()
        trace.touched.restore(before)
        return outputs, after

    def _forget(self) -> None:
        """From zero, the running mean of the loss is that of the batch alone."""
        for variable in self._tracker():
            variable.assign(self._tf.zeros(variable.shape, variable.dtype))

    def _wanted(self, trace: Trace) -> dict[int, Any]:
        """The variables whose values after the step count, by id."""
        weights = [inner(weight.variable) for weight in trace.weights]
        return {id(variable): variable for variable in [*weights, *self._tracker()]}

    def _in_one_call(self, trace: Trace) -> Any:
        """A few dozen variables cost more to read and write one by one than the step itself."""
        tf = self._tf
        wanted = Variables(tf, self._wanted(trace).values())

        def undone(batch: Any) -> tuple[dict[str, Any], list[Any]]:
            before = trace.touched.read()
            self._forget()
            outputs = trace.function(batch)
            after = wanted.read()
            trace.touched.assign(before)
            return outputs, after

        compiled = tf.function(tf.autograph.experimental.do_not_convert(undone))
        return compiled.get_concrete_function(trace.function.structured_input_signature[0][0])

    def _step(self, batch: Any) -> dict[str, Any]:
        """Traced by TensorFlow."""
        tf, model = self._tf, self._model
        optimizer = model.optimizer
        learning_rate = _learning_rate(tf, optimizer)
        found = leaves(model)
        recorded = self._recorder(found)
        with recorded.recording():
            self._train(batch)
        if not self.layers:
            self._settle(recorded, found)
        indices = {id(layer): index for index, layer in enumerate(self.layers)}
        weights = probes.weights_of(self.layers)
        dense = probes.dense_on(tf)
        tensors = probes.tensors_of(recorded.first_calls(), indices, dense)
        tensors.update(probes.gradients_of(recorded.gradients, weights, dense))
        graph = tf.compat.v1.get_default_graph()
        self._traces[id(graph)] = Trace(list(tensors), weights)
        return {
            "learning_rate": learning_rate,
            "prediction": recorded.prediction,
            "rows": list(tensors.values()),
            **self._more(recorded),
        }

    def _recorder(self, found: list[Any]) -> Any:
        return Recorder(self._tf, self._model, found)

    def _train(self, batch: Any) -> None:
        """The step itself."""
        self._model.distribute_strategy.run(self._model.train_step, args=(batch,))

    def _more(self, _recorded: Any) -> dict[str, Any]:
        """What else the step hands out, to be filled in by `_fill`."""
        return {}

    def _fill(self, probe: probes.Probe, outputs: dict[str, Any]) -> None:
        """Fills in what `_more` handed out."""

    def _settle(self, recorded: Recorder, found: list[Any]) -> None:
        """Fixes the order of the layers: that of the forward pass; layers that were not called come last."""
        calls = recorded.first_calls()
        self.pairings = recorded.pairings.found
        self.layers = in_order(found, calls)
        for key, call in calls.items():
            self.sources[key] = call.sources
            # The batch axis is only incidentally known here.
            self.shapes[key] = [None, *call.after.shape.as_list()[1:]] if call.after.shape.rank else []

    def _trace_of(self, batch: Any) -> Trace:
        with undisturbed(), _silent_printing():
            function = self._function.get_concrete_function(batch)
        graph = function.graph
        trace = self._traces[id(graph)]
        trace.function = function
        if trace.touched is None:
            refuse_effects(graph)
            trace.touched = self._touched(graph)
            with contextlib.suppress(Exception):  # A batch that is not made of tensors alone.
                trace.undone = self._in_one_call(trace)
        return trace

    def _touched(self, graph: Any) -> Variables:
        model = self._model
        of_optimizer = dialect.optimizer_variables(model.optimizer)
        of_metrics = [*dialect.metrics_variables(model), *self._tracker()]
        return Variables(self._tf, [*graph.variables, *model.variables, *of_metrics, *of_optimizer])

    def _tracker(self) -> list[Any]:
        return [inner(variable) for variable in dialect.loss_variables(self._model)]


def _signature(item: Any) -> Any:
    """The same for what one traced step can be run with."""
    if item is None or isinstance(item, (bool, int, float, str)):
        return item
    shape = getattr(item, "shape", None)
    return id(item) if shape is None else (tuple(shape), item.dtype)


def _learning_rate(tf: Any, optimizer: Any) -> Any:
    rate = getattr(optimizer, "learning_rate", None)
    if callable(rate) and not hasattr(rate, "shape"):  # A schedule of a legacy optimizer.
        rate = rate(optimizer.iterations)
    return None if rate is None else tf.convert_to_tensor(rate)


def as_tensors(tf: Any, batch: Any) -> Any:
    """The batch with its NumPy arrays as tensors of the same type."""
    return tf.nest.map_structure(
        lambda item: tf.convert_to_tensor(item) if isinstance(item, (np.ndarray, np.generic)) else item, batch
    )


def gradient_scale(optimizer: Any, values: dict[int, Any]) -> float:
    """What the loss was multiplied by (mixed precision); `values` are those of variables by id."""
    scale = dialect.loss_scale(optimizer)
    if scale is not None and id(inner(scale)) in values:
        return float(values[id(inner(scale))].numpy())
    return float(scale) if isinstance(scale, (int, float)) else 1.0


def refuse_effects(graph: Any) -> None:
    """Raises when running the graph a second time would be seen outside it."""
    definition = graph.as_graph_def()
    nodes = [node for function in definition.library.function for node in function.node_def]
    found = sorted({node.op for node in [*definition.node, *nodes]} & _EFFECTS)
    if found:
        raise CannotProbe(f"the training step has effects outside the model ({', '.join(found)})")


@contextlib.contextmanager
def _silent_printing() -> Iterator[None]:
    """`tf.print` in the step would otherwise print twice."""
    from tensorflow.python.ops import control_flow_ops, gen_logging_ops

    original = gen_logging_ops.print_v2
    gen_logging_ops.print_v2 = lambda *_, **__: control_flow_ops.no_op()
    try:
        yield
    finally:
        gen_logging_ops.print_v2 = original
