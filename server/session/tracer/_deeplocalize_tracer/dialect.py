"""What Keras 2 (`tf_keras`) and Keras 3 call by different names."""

from __future__ import annotations

from typing import Any, Callable


def package_of(thing: Any) -> str:
    """The outermost package that the class of an object comes from."""
    return type(thing).__module__.partition(".")[0]


def is_from_keras(layer: Any) -> bool:
    """Whether the class is one of Keras' own."""
    return package_of(layer) in ("keras", "tf_keras")


def is_old(model: Any) -> bool:
    """Whether this is a model of Keras 2."""
    return any(base.__module__.startswith("tf_keras.") for base in type(model).__mro__)


def is_model(layer: Any) -> bool:
    """Whether the layer can be trained by itself."""
    return any(base.__name__ in ("Trainer", "Model") for base in type(layer).__mro__)


def children(layer: Any) -> list[Any]:
    """The layers directly within a layer, input layers and metrics not counted."""
    if hasattr(layer, "_flatten_modules"):
        found = layer._flatten_layers(recursive=False, include_self=False)
    else:
        found = getattr(layer, "_layers", [])
    return [child for child in found if type(child).__name__ != "InputLayer" and not _is_metric(child)]


def _is_metric(layer: Any) -> bool:
    return hasattr(layer, "update_state") and hasattr(layer, "result")


def own_weights(layer: Any) -> list[Any]:
    """Weights of the layer itself, not of layers within it."""
    names = ("_trainable_variables", "_non_trainable_variables")
    if hasattr(layer, "_trainable_weights"):
        names = ("_trainable_weights", "_non_trainable_weights")
    return [weight for name in names for weight in getattr(layer, name, [])]


def weight_name(layer: Any, weight: Any) -> str:
    """Name of the weight within its layer."""
    path = getattr(weight, "path", None)
    if path is None:
        # A variable of TensorFlow: `dense/kernel:0`.
        return weight.name.rpartition("/")[2].partition(":")[0]
    prefix = (getattr(layer, "path", None) or "") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else weight.name


def optimizer_variables(optimizer: Any) -> list[Any]:
    """Everything an optimizer keeps."""
    if optimizer is None:
        return []
    found = optimizer.variables
    kept = list(found() if callable(found) else found)
    if package_of(optimizer) == "tf_keras":
        # Mixed precision.
        kept += optimizer_variables(getattr(optimizer, "inner_optimizer", None))
    return kept


def metrics_variables(model: Any) -> list[Any]:
    """Everything the metrics keep."""
    if hasattr(model, "metrics_variables"):
        return list(model.metrics_variables)
    return [variable for metric in model.metrics for variable in metric.variables]


def loss_variables(model: Any) -> list[Any]:
    """Sum and count behind Keras' running mean of the loss; a custom model need not list it as a metric."""
    if hasattr(model, "compiled_loss") and is_old(model):
        tracker = getattr(model.compiled_loss, "_total_loss_mean", None)
        if tracker is None:
            tracker = getattr(model.compiled_loss, "_loss_metric", None)
    else:
        tracker = getattr(model, "_loss_tracker", None)
    return list(getattr(tracker, "variables", []))


def loss_totals(model: Any, number: Callable[[Any], float]) -> tuple[float, float] | None:
    """Sum and count behind Keras' running mean of the loss, by what reads a variable of one number."""
    variables = loss_variables(model)
    if len(variables) != 2:
        return None
    total, count = (number(variable) for variable in variables)
    return total, count


def loss_scale(optimizer: Any) -> Any:
    """The variable by which the loss is multiplied in mixed precision, a number, or `None`."""
    scale = getattr(optimizer, "dynamic_scale", None)
    if scale is None:
        scale = getattr(getattr(optimizer, "_loss_scale", None), "current_loss_scale", None)
    return getattr(optimizer, "loss_scale_factor", None) if scale is None else scale


def steps_per_execution(model: Any) -> int:
    """How many batches one call of the train function trains on."""
    if is_old(model):
        steps = getattr(model, "_steps_per_execution", None)
        return 1 if steps is None else int(steps.numpy().item())
    return int(getattr(model, "steps_per_execution", 1) or 1)


def number(value: Any) -> float:
    """A variable or number as a number; those of early Keras 3 know no `float`."""
    return float(value.numpy() if hasattr(value, "numpy") else value)


def user_loss(model: Any) -> Any:
    """The loss as it was given to `compile`."""
    if is_old(model):
        return getattr(getattr(model, "compiled_loss", None), "_user_losses", None)
    return getattr(getattr(model, "_compile_loss", None), "_user_loss", None)


def user_metrics(model: Any) -> Any:
    """The metrics as they were given to `compile`."""
    if is_old(model):
        return getattr(getattr(model, "compiled_metrics", None), "_user_metrics", None)
    return getattr(getattr(model, "_compile_metrics", None), "_user_metrics", None)


def losses_of(model: Any) -> Any:
    """The module of losses that goes with the model."""
    if is_old(model):
        from tf_keras import losses

        return losses
    from keras import losses

    return losses
