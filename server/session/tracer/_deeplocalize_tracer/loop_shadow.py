"""The shadow step of a training loop whose step is a `tf.function`."""

from __future__ import annotations

from typing import Any

from . import probe as probes
from .loop_model import LoopModel
from .loop_recorder import LoopRecorder
from .shadow import Shadow
from .variables import inner


class LoopShadow(Shadow):
    """Runs what the user's compiled function was made from."""

    def __init__(self, tf: Any, model: LoopModel, function: Any) -> None:
        super().__init__(tf, model)
        self._user = _translated(function)

    def _recorder(self, _found: list[Any]) -> Any:
        return LoopRecorder(self._tf, keep=True)

    def _train(self, batch: Any) -> None:
        args, kwargs = batch
        self._user(*args, **kwargs)

    def _more(self, recorded: Any) -> dict[str, Any]:
        keys = {id(inner(variable)) for variable in self._model.variables}
        return {
            "loss": recorded.loss_tensor(keys),
            "inputs": recorded.inputs,
            "labels": recorded.labels,
        }

    def _fill(self, probe: probes.Probe, outputs: dict[str, Any]) -> None:
        if outputs["loss"] is not None:
            probe.loss = float(outputs["loss"])
        probe.inputs, probe.labels = outputs["inputs"], outputs["labels"]


def _translated(function: Any) -> Any:
    """The user's function, as autograph translates it for TensorFlow."""
    from tensorflow.python.autograph.core import ag_ctx
    from tensorflow.python.autograph.impl import api

    if not getattr(function, "_autograph", True):
        return function.python_function
    context = ag_ctx.ControlStatusCtx(status=ag_ctx.Status.ENABLED)
    return api.tf_convert(function.python_function, context, user_requested=True)
