"""The layers of a functional model: their paths, and what they read from."""

from __future__ import annotations

from typing import Any

from .. import layers


def by_path(form: Any) -> dict[str, Any]:
    """The leaf layers by path (`outer/inner`), as the engine names them."""
    paths = layers.paths(form)
    return {paths[id(leaf)]: leaf for leaf in layers.leaves(form) if id(leaf) in paths}


def shapes(form: Any) -> dict[int, list[int | None]]:
    """Output shapes by id of the layer."""
    found: dict[int, list[int | None]] = {}
    for node in _nodes(form):
        first = node.output_tensors[0] if node.output_tensors else None
        if first is not None:
            found.setdefault(
                id(node.operation), [None if size is None else int(size) for size in first.shape]
            )
    return found


def sources(form: Any) -> dict[int, list[int]]:
    """Ids of the layers that a layer reads from, by id of the layer; other operations are looked through."""
    made: dict[int, list[int]] = {}
    found: dict[int, list[int]] = {}
    for node in _nodes(form):
        origin = [source for tensor in node.input_tensors for source in made.get(id(tensor), [])]
        operation = node.operation
        is_layer = hasattr(operation, "trainable_variables")
        if is_layer:
            found.setdefault(id(operation), list(dict.fromkeys(origin)))
        for tensor in node.output_tensors:
            made[id(tensor)] = [_last(operation)] if is_layer and node.input_tensors else origin
    return found


def _last(operation: Any) -> int:
    """A layer by itself; of a nested model the layer that makes its first output."""
    outputs = getattr(operation, "outputs", None)
    if outputs and hasattr(operation, "_nodes_by_depth"):
        return _last(outputs[0]._keras_history.operation)
    return id(operation)


def _nodes(form: Any) -> list[Any]:
    """The calls of the model, those of nested models included, in the order of the forward pass."""
    found: list[Any] = []
    for depth in sorted(getattr(form, "_nodes_by_depth", {}), reverse=True):
        for node in form._nodes_by_depth[depth]:
            inner = node.operation
            nested = getattr(inner, "_functional", None) or inner
            if hasattr(nested, "_nodes_by_depth") and nested is not form:
                found += _nodes(nested)
            found.append(node)
    return found
