"""What was recorded of one step, turned into the rows of a step frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np

from . import statistics
from .activations import activation_name
from .grouped import Tensor, summarize
from .layers import probed_weights
from .recorder import Call, Recorder, variable_key


@dataclass(frozen=True)
class Row:
    """One probed tensor, before it has a value."""

    layer: int
    tensor: str
    weight: str | None = None
    before_activation: bool = False

    def message(self) -> dict[str, Any]:
        """As it stands in the `layout` message."""
        row: dict[str, Any] = {"layer": self.layer, "tensor": self.tensor, "weight": self.weight}
        if self.before_activation:
            row["before_activation"] = True
        return row


@dataclass
class Probe:
    """One probed step: arrays of the batch, by row, and statistics of them."""

    rows: list[Row] = field(default_factory=list)
    stats: np.ndarray | None = None
    loss: float | None = None
    learning_rate: float | None = None
    prediction: np.ndarray | None = None
    # Where the batch is not known otherwise.
    inputs: Any = None
    labels: Any = None


@dataclass(frozen=True)
class Weight:
    """A weight of a leaf layer."""

    row: Row
    variable: Any


def weights_of(layers: list[Any]) -> list[Weight]:
    """The float weights of these layers."""
    return [
        Weight(Row(index, "w", name), variable)
        for index, layer in enumerate(layers)
        for name, variable in probed_weights(layer)
        if "float" in str(variable.dtype)
    ]


def unit_axis(layer: Any, rank: int) -> int:
    """The axis of the units in the output of a layer."""
    if getattr(layer, "data_format", None) == "channels_first" and rank > 2:
        return 1
    return -1


def tensors_of(
    calls: dict[int, Call], indices: dict[int, int], dense: Callable[[Any], Any]
) -> dict[Row, Any]:
    """The tensors of these calls by row, in the order of the layers.

    `calls` and `indices` are by id of the layer; `dense` makes a plain tensor of a sparse gradient.
    """
    found: dict[Row, Any] = {}
    for key, index in sorted(indices.items(), key=lambda item: item[1]):
        call = calls.get(key)
        if call is None:
            continue
        if call.before is not None:
            found[Row(index, "v1")] = call.before
        found[Row(index, "v2")] = call.after
        if call.after_gradient is not None:
            found[Row(index, "gout")] = dense(call.after_gradient)
        elif call.before_gradient is not None:
            found[Row(index, "gout", before_activation=True)] = dense(call.before_gradient)
    return found


def gradients_of(
    gradients: dict[int, Any], weights: list[Weight], dense: Callable[[Any], Any]
) -> dict[Row, Any]:
    """The gradients of the weights by row; `gradients` is by `variable_key`."""
    found: dict[Row, Any] = {}
    for weight in weights:
        gradient = gradients.get(variable_key(weight.variable))
        if gradient is not None:
            found[Row(weight.row.layer, "dw", weight.row.weight)] = dense(gradient)
    return found


def dense_on(tf: Any) -> Callable[[Any], Any]:
    """The gradient of an embedding comes as slices."""

    def dense(gradient: Any) -> Any:
        return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient

    return dense


def eager(
    tf: Any,
    recorded: Recorder,
    ordered: list[Any],
    before: dict[int, Any],
    after: dict[int, Any],
    scale: float,
) -> Probe:
    """What was recorded of a step that ran eagerly; `before` and `after` are by `variable_key`."""
    indices = {id(layer): index for index, layer in enumerate(ordered)}
    weights = weights_of(ordered)
    dense = dense_on(tf)
    tensors = tensors_of(recorded.first_calls(), indices, dense)
    tensors.update(gradients_of(recorded.gradients, weights, dense))
    probe = Probe()
    if recorded.prediction is not None:
        probe.prediction = view(recorded.prediction)
    values = [
        (weight, view(before[key]), view(after[key]))
        for weight, key in ((weight, variable_key(weight.variable)) for weight in weights)
        if key in before
    ]
    measure(probe, ordered, {row: view(tensor) for row, tensor in tensors.items()}, values, scale)
    return probe


def view(tensor: Any) -> np.ndarray:
    """The values of a tensor without a copy, where TensorFlow can do that; `numpy()` always copies."""
    try:
        return np.asarray(memoryview(tensor))
    except (TypeError, ValueError, BufferError):
        return tensor.numpy()


def measure(
    probe: Probe,
    layers: list[Any],
    arrays: dict[Row, Any],
    weights: list[tuple[Weight, Any, Any]],
    gradient_scale: float,
) -> None:
    """Fills in the statistics: of recorded `arrays`, and of `weights` with their values before and after."""
    by_layer: list[list[tuple[Weight, Any, Any]]] = [[] for _ in layers]
    for weight in weights:
        by_layer[weight[0].row.layer].append(weight)
    outputs: list[list[tuple[Row, Any]]] = [[] for _ in layers]
    for row, array in arrays.items():
        if row.weight is None:
            outputs[row.layer].append((row, array))
    rows: list[Row] = []
    tensors: list[Tensor] = []
    with np.errstate(all="ignore"):
        for index, layer in enumerate(layers):
            for row, array in outputs[index]:
                values = _scaled(array, gradient_scale if row.tensor == "gout" else 1.0)
                activation = activation_name(layer) if row.tensor == "v1" else None
                rows.append(row)
                tensors.append(Tensor(values, unit_axis(layer, values.ndim), activation))
            for weight, before, after in by_layer[index]:
                name = weight.row.weight
                old, new = statistics.as_floats(before), statistics.as_floats(after)
                gradient = arrays.get(Row(index, "dw", name))
                rows.append(Row(index, "w", name))
                tensors.append(Tensor(old))
                if gradient is not None:
                    rows.append(Row(index, "dw", name))
                    tensors.append(Tensor(_scaled(gradient, gradient_scale)))
                rows.append(Row(index, "update", name))
                tensors.append(Tensor(new - old))
        probe.rows, probe.stats = rows, summarize(tensors)


def _scaled(array: Any, scale: float) -> np.ndarray:
    values = statistics.as_floats(array)
    return values if scale == 1.0 else values / np.float32(scale)
