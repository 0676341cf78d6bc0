"""The layers of a functional model: their paths, and what they read from."""

from __future__ import annotations

from typing import Any

from .. import layers


def by_path(form: Any) -> dict[str, Any]:
    """The leaf layers by path (`outer/inner`), as the engine names them."""
    paths = layers.paths(form)
    return {paths[id(leaf)]: leaf for leaf in layers.leaves(form) if id(leaf) in paths}


def states(form: Any) -> dict[str, Any]:
    """What layers with `stateful` keep from batch to batch, by path, as the engine names it."""
    from keras.src import tree

    found = {}
    for path, leaf in by_path(form).items():
        halves = [getattr(leaf, name, None) for name in ("forward_layer", "backward_layer")]
        parts = {f"{path}/{half.name}": half for half in halves if half is not None} or {path: leaf}
        for part, layer in parts.items():
            if getattr(layer, "stateful", False):
                kept = tree.flatten(getattr(layer, "states", None) or [])
                found.update({f"{part}/rnn_state_{at}": state for at, state in enumerate(kept)})
    return found


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
    _follow(form, made, found)
    return found


def _follow(form: Any, made: dict[int, list[int]], found: dict[int, list[int]]) -> None:
    """Goes through the calls of a model; `made` tells which layers a tensor comes from."""
    for node in _own_nodes(form):
        operation = node.operation
        origin = list(
            dict.fromkeys(source for tensor in node.input_tensors for source in made.get(id(tensor), []))
        )
        inner = _functional(operation)
        if inner is not None:
            for tensor in inner.inputs:
                made[id(tensor)] = origin
            _follow(inner, made, found)
            for outer, tensor in zip(node.output_tensors, inner.outputs):
                made[id(outer)] = made.get(id(tensor), [])
            continue
        is_layer = hasattr(operation, "trainable_variables") and bool(node.input_tensors)
        if is_layer:
            found.setdefault(id(operation), origin)
        for tensor in node.output_tensors:
            made.setdefault(id(tensor), [id(operation)] if is_layer else origin)


def _functional(operation: Any) -> Any:
    """The graph of layers of a nested model; `None` for anything else."""
    inner = getattr(operation, "_functional", None) or operation
    return inner if hasattr(inner, "_nodes_by_depth") else None


def _own_nodes(form: Any) -> list[Any]:
    by_depth = form._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def _nodes(form: Any) -> list[Any]:
    """The calls of the model, those of nested models included, in the order of the forward pass."""
    found: list[Any] = []
    for node in _own_nodes(form):
        inner = _functional(node.operation)
        if inner is not None:
            found += _nodes(inner)
        found.append(node)
    return found
