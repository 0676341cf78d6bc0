"""Layers and optimizers: where they were created, and what there is to say about them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from . import dialect, errors, recorder, sites
from .activations import activation_name

_LONGEST_LIST = 16
_LONGEST_TEXT = 200
# Index of each layer in the latest training; for the report of an exception.
_indices: dict[int, int] = {}


def patch_layer(module: ModuleType) -> None:
    """Notes where each layer is created, and lets the recorder see its calls."""
    layer_class = module.Layer
    create = layer_class.__new__
    call = layer_class.__call__

    @functools.wraps(create)
    def __new__(cls: type, *args: Any, **kwargs: Any) -> Any:
        layer = create(cls, *args, **kwargs)
        sites.remember(layer, sites.caller())
        return layer

    @functools.wraps(call)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            active = recorder.active()
            if active is None:
                return call(self, *args, **kwargs)
            return active.call(call, self, args, kwargs)
        except Exception as error:
            errors.note_layer(error, self)
            raise

    layer_class.__new__ = __new__
    layer_class.__call__ = __call__


def patch_optimizer(base: Any) -> None:
    """Notes where each optimizer derived from this class is created."""

    def __new__(cls: type, *_: Any, **__: Any) -> Any:
        optimizer = super(base, cls).__new__(cls)
        sites.remember(optimizer, sites.caller())
        return optimizer

    base.__new__ = __new__


def index_of(layer: object) -> int | None:
    """Index of the layer in the training announced last."""
    return _indices.get(id(layer))


def leaves(model: Any) -> list[Any]:
    """The layers of a model without input layers, those of nested models in the place of the model."""
    found: list[Any] = []
    seen: set[int] = set()
    for layer in dialect.children(model):
        for leaf in _flattened(layer):
            if id(leaf) not in seen:
                seen.add(id(leaf))
                found.append(leaf)
    return found


def _flattened(layer: Any) -> Iterator[Any]:
    # What Keras itself composes (Bidirectional, attention, recurrent cells) is one layer to its user.
    children = dialect.children(layer)
    if not children or (dialect.is_from_keras(layer) and not dialect.is_model(layer)):
        yield layer
        return
    for child in children:
        yield from _flattened(child)
    if dialect.own_weights(layer):
        yield layer


def probed_weights(layer: Any) -> list[tuple[str, Any]]:
    """The float weights of a leaf layer with their names within it."""
    composed = dialect.is_from_keras(layer) or not dialect.children(layer)
    weights = layer.weights if composed else dialect.own_weights(layer)
    named: list[tuple[str, Any]] = []
    for weight in weights:
        name = dialect.weight_name(layer, weight)
        if any(name == other for other, _ in named):
            name = f"{name}_{len(named)}"
        named.append((name, weight))
    return named


def scalars_of(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Numbers, strings and short lists of a configuration.

    A configured object becomes the name of its class, and its own configuration follows under dotted names.
    """
    found: dict[str, Any] = {}
    for key, value in config.items():
        name = prefix + str(key)
        if value is None or isinstance(value, (bool, int, float)):
            found[name] = value
        elif isinstance(value, str):
            found[name] = value[:_LONGEST_TEXT]
        elif isinstance(value, (list, tuple)):
            if len(value) <= _LONGEST_LIST and all(
                item is None or isinstance(item, (bool, int, float, str)) for item in value
            ):
                found[name] = list(value)
        elif isinstance(value, dict) and "class_name" in value and not prefix:
            inner = value.get("config")
            found[name] = value["class_name"]
            if value["class_name"] == "function" and isinstance(inner, str):
                found[name] = inner
            elif isinstance(inner, dict):
                found.update(scalars_of(inner, name + "."))
    return found


def in_order(found: list[Any], calls: Iterable[int]) -> list[Any]:
    """The layers in the order of the forward pass: `calls` has their ids; others come last.

    Calls that give no floats (lookups) are not seen, but come before the layers that read them.
    """
    order = {key: at for at, key in enumerate(calls)}
    return sorted(found, key=lambda layer: order.get(id(layer), -1 if _is_read(layer, order) else len(order)))


def _is_read(layer: Any, order: dict[int, int]) -> bool:
    """Whether one of the layers that were called reads this one, in a functional graph."""
    # Keras 2 calls it `layer`.
    nodes = getattr(layer, "_outbound_nodes", None) or ()
    readers = (getattr(node, "operation", None) or getattr(node, "layer", None) for node in nodes)
    return any(id(reader) in order for reader in readers)


def config_of(thing: Any) -> dict[str, Any]:
    """Numbers and strings of `get_config()`; empty when the object cannot tell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return scalars_of(thing.get_config())
    except Exception:
        return {}


def describe(
    model: Any, ordered: list[Any], inputs: dict[int, list[int]], shapes: dict[int, Any]
) -> list[Any]:
    """The `layers` of the `fit` message. `inputs` and `shapes` are by id of the layer."""
    _indices.clear()
    _indices.update((id(layer), index) for index, layer in enumerate(ordered))
    names = paths(model)
    described = []
    for index, layer in enumerate(ordered):
        shape = shapes.get(id(layer), _static_shape(layer))
        described.append(
            {
                "index": index,
                "name": names.get(id(layer), layer.name),
                "class": type(layer).__name__,
                "site": sites.recall(layer),
                "activation": activation_name(layer),
                "config": config_of(layer),
                "inputs": sorted(
                    {_indices[source] for source in inputs.get(id(layer), ()) if source in _indices}
                ),
                "output_shape": None if shape is None else list(shape),
                "trainable": bool(layer.trainable),
                "weights": [
                    {"name": name, "shape": list(weight.shape), "trainable": bool(weight.trainable)}
                    for name, weight in (probed_weights(layer) if layer.built else [])
                ],
            }
        )
    return described


def inputs(model: Any) -> list[dict[str, Any]]:
    """The shapes that the model was told to expect, where, and which of the layers described read them.

    Empty for models that take what comes.
    """
    found = []
    for tensor in getattr(model, "inputs", None) or []:
        history = getattr(tensor, "_keras_history", None)
        # Keras 2 calls it `layer`.
        layer = getattr(history, "operation", None) or getattr(history, "layer", None)
        found.append(
            {
                "shape": list(tensor.shape),
                "site": sites.recall(layer) if layer is not None else None,
                "layers": _readers(layer),
            }
        )
    return found


def _readers(source: Any) -> list[int]:
    """Indices of the layers that read what another gives, behind operations that are none."""
    found: set[int] = set()
    seen: set[int] = set()
    todo = [source]
    while todo:
        for node in getattr(todo.pop(), "_outbound_nodes", None) or ():
            # Keras 2 calls it `layer`.
            reader = getattr(node, "operation", None) or getattr(node, "layer", None)
            if reader is None or id(reader) in seen:
                continue
            seen.add(id(reader))
            if id(reader) in _indices:
                found.add(_indices[id(reader)])
            else:
                todo.append(reader)
    return sorted(found)


def _static_shape(layer: Any) -> list[int | None] | None:
    try:
        shape = layer.output.shape
    except Exception:  # Not part of a functional graph, or with several outputs.
        return None
    return [None if size is None else int(size) for size in shape]


def paths(model: Any) -> dict[int, str]:
    """Names of the leaf layers with those of the models they are nested in."""
    paths: dict[int, str] = {}

    def walk(layer: Any, prefix: str) -> None:
        for child in dialect.children(layer):
            name = prefix + child.name
            paths.setdefault(id(child), name)
            walk(child, name + "/")

    walk(model, "")
    return paths
