"""What the engine is told of a model."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from .giving_up import NotCovered
from .reading import METHODS

_STEPS = (*sorted(METHODS), "test_step", "predict_step", "stateless_call", "apply_gradients")


def functional_form(model: Any, x: Any) -> Any:
    """The model as a graph of layers: itself, or what its `call` does with symbolic inputs like `x`."""
    from keras.src import tree
    from keras.src.layers.core.input_layer import Input
    from keras.src.models.functional import Functional

    _refuse_own_steps(model)
    if is_sequential(model):
        if not model.built:
            model.build(tree.map_structure(_open_shape, x))
        form = model._functional
        if form is None:
            raise NotCovered(f"the model {model.name}: its input is not known")
    elif isinstance(model, Functional) and type(model).call is Functional.call:
        form = model
    elif hasattr(model, "_deeplocalize_form"):
        return model._deeplocalize_form
    else:
        inputs = tree.map_structure(
            lambda array: Input(batch_shape=_open_shape(array), dtype=_dtype(array)), x
        )
        options = {"training": True} if model._call_has_training_arg else {}
        try:
            outputs = model.call(inputs, **options)
            form = Functional(inputs, outputs, name=model.name)
        except Exception as error:
            line = (str(error).strip().splitlines() or [""])[0][:200]
            name = type(error).__name__
            raise NotCovered(f"the model's own `call` ({type(model).__name__}): {name}: {line}") from None
        model.built = True
        object.__setattr__(model, "_deeplocalize_form", form)
    return form


def is_sequential(model: Any) -> bool:
    """Whether this is a Sequential model that runs its layers one after the other, and nothing else."""
    from keras.src.models.sequential import Sequential

    return isinstance(model, Sequential) and type(model).call is Sequential.call


def _refuse_own_steps(model: Any) -> None:
    from keras.src.models.model import Model

    for name in _STEPS:
        own = getattr(type(model), name, None)
        if own is not None and _from_script(own) and own is not getattr(Model, name, None):
            raise NotCovered(f"the model's own `{name}` ({type(model).__name__})")


def _from_script(thing: Any) -> bool:
    module = getattr(thing, "__module__", None) or ""
    return not module.startswith(("keras.", "_deeplocalize_tracer"))


def _refuse_layers(form: Any) -> None:
    """Names the first layer that the engine would misunderstand."""
    for layer in form._flatten_layers(include_self=False):
        owner = type(layer)
        if _from_script(owner):
            raise NotCovered(f"the layer {layer.name}, a {owner.__name__} of the script's own,")
        precision = getattr(layer.dtype_policy, "compute_dtype", "float32")
        if precision != "float32" and owner.__name__ != "InputLayer":
            raise NotCovered(f"the layer {layer.name} in {precision}")


def _open_shape(array: Any) -> tuple[int | None, ...]:
    return (None, *(int(size) for size in array.shape[1:]))


def _dtype(array: Any) -> str:
    kind = np.dtype(array.dtype).kind
    return "int32" if kind in "iu" else "float32"


def serialized(model: Any, form: Any) -> tuple[Any, Any]:
    """The model and what it was compiled with, as Keras saves them."""
    from keras.src.saving.serialization_lib import serialize_keras_object

    _refuse_layers(form)
    try:
        graph = serialize_keras_object(form)
    except Exception as error:
        raise NotCovered(f"the model {model.name}, which Keras cannot serialise ({error})") from None
    _forget_training(graph, traced=hasattr(model, "_deeplocalize_form"))
    if not model.compiled:
        return graph, None
    try:
        compiled = model.get_compile_config()
    except Exception as error:
        raise NotCovered(
            f"what the model was compiled with, which Keras cannot serialise ({error})"
        ) from None
    compiled = dict(compiled)
    given = model._compile_config.config
    for part in ("loss", "metrics", "weighted_metrics"):
        compiled[part] = _completed(compiled.get(part), given.get(part))
    _refuse_exceptions(model.optimizer)
    if model.optimizer is not None:
        compiled["optimizer"] = serialize_keras_object(model.optimizer)
    return graph, compiled


def _refuse_exceptions(optimizer: Any) -> None:
    """Which weights are not to decay does not stand in the configuration."""
    for name in ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern"):
        if getattr(optimizer, name, None):
            raise NotCovered("an optimizer that leaves weights out of the weight decay")


def _completed(config: Any, thing: Any) -> Any:
    """The configuration with what Keras leaves out of it.

    Some losses and metrics lack an argument (the delta of `Huber`), and Keras' own functions look like
    those of the script.
    """
    if isinstance(thing, dict) and isinstance(config, dict):
        return {key: _completed(item, thing.get(key)) for key, item in config.items()}
    if isinstance(thing, (list, tuple)) and isinstance(config, (list, tuple)):
        return [_completed(inner, item) for inner, item in zip(config, thing)]
    if _is_own_function(thing):
        return thing.__name__
    if isinstance(config, dict) and isinstance(config.get("config"), dict):
        for name, value in getattr(thing, "_fn_kwargs", {}).items():
            if isinstance(value, (bool, int, float, str)):
                config["config"].setdefault(name, value)
    return config


def _is_own_function(thing: Any) -> bool:
    """Whether this is one of Keras' own loss or metric functions."""
    from keras.src import losses, metrics

    known = (*losses.ALL_OBJECTS, *metrics.ALL_OBJECTS)
    return isinstance(thing, FunctionType) and any(thing is item for item in known)


def _forget_training(config: Any, traced: bool) -> None:
    """Takes `training` out of the recorded calls of layers.

    A functional model hands its own on to every layer, whatever was recorded. In a form that was `traced`,
    True is what it was traced with, and False the script's own.
    """
    for layer in config.get("config", {}).get("layers", []):
        for node in layer.get("inbound_nodes", []):
            kwargs = node.get("kwargs", {})
            if kwargs.get("training") is not None and not (traced and kwargs["training"] is False):
                del kwargs["training"]
        _forget_training(layer, False)
        inner = layer.get("config", {}).get("layer")
        if isinstance(inner, dict):
            _forget_training(inner, False)


def arrays_of(given: Any, names: list[str], what: str) -> list[Any]:
    """The arrays of an input or output structure in the order of `names`."""
    if given is None:
        return []
    if isinstance(given, dict):
        missing = [name for name in names if name not in given]
        if missing:
            if len(names) == len(given):
                return [given[key] for key in sorted(given)]
            raise NotCovered(f"{what} without {missing[0]}")
        return [given[name] for name in names]
    if isinstance(given, (list, tuple)):
        flat: list[Any] = []
        for item in given:
            flat += arrays_of(item, [], what) if isinstance(item, (list, tuple)) else [item]
        return flat
    return [given]


def input_names(form: Any) -> list[str]:
    """Names by which a dictionary of inputs is looked up."""
    struct = form._inputs_struct
    if isinstance(struct, dict):
        by_id = {id(tensor): key for key, tensor in struct.items()}
        return [by_id[id(tensor)] for tensor in form.inputs if id(tensor) in by_id]
    return [tensor.name for tensor in form.inputs]


def adjusted(array: Any, rank: int) -> Any:
    """The array with an axis of length 1 more or less at the end, as Keras would have it."""
    array = np.asarray(array)
    if array.ndim == rank - 1:
        return array[..., None]
    if array.ndim == rank + 1 and array.shape[-1] == 1:
        return array[..., 0]
    return array
