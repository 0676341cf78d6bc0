"""The modules that are patched when the script imports them."""

from __future__ import annotations

import os
from types import ModuleType

from . import surroundings
from .hooks import Patch


def _layer(module: ModuleType) -> None:
    from .layers import patch_layer

    patch_layer(module)


def _optimizer(module: ModuleType) -> None:
    from .layers import patch_optimizer
    from .training import patch_apply_gradients

    patch_optimizer(module)
    patch_apply_gradients(module)


def _trainer(module: ModuleType) -> None:
    from .training import patch_compile

    patch_compile(module)


def _tensorflow_trainer(module: ModuleType) -> None:
    from .training import on_tensorflow, patch_make_train_function, patch_trainer

    patch_make_train_function(module, "TensorFlowTrainer", on_tensorflow)
    patch_trainer(module, "TensorFlowTrainer")


def _jax_trainer(module: ModuleType) -> None:
    from .training import on_jax, patch_make_train_function, patch_trainer

    patch_make_train_function(module, "JAXTrainer", on_jax)
    patch_trainer(module, "JAXTrainer")


def _jax(module: ModuleType) -> None:
    from .jax_recorder import patch_jax

    patch_jax(module)


def _torch_trainer(module: ModuleType) -> None:
    from .training import patch_trainer

    patch_trainer(module, "TorchTrainer")


def _callbacks(module: ModuleType) -> None:
    from .callbacks import patch_callbacks

    patch_callbacks(module)


def _tf_keras(module: ModuleType) -> None:
    from .channel import channel, notice

    version = getattr(module, "__version__", "")
    channel.send("keras", version=version, backend="tensorflow", package="tf_keras")
    notice("unsupported", "training with tf_keras (Keras 2) is not observed; Keras 3 is")


def _tracebacks(module: ModuleType) -> None:
    """Keras leaves its own frames out of tracebacks; let it leave out the tracer's with them."""
    module._EXCLUDED_PATHS = (*module._EXCLUDED_PATHS, os.path.dirname(os.path.abspath(__file__)))


ALL: dict[str, Patch] = {
    "keras.src.utils.traceback_utils": _tracebacks,
    "keras.src.layers.layer": _layer,
    "keras.src.optimizers.base_optimizer": _optimizer,
    "keras.src.trainers.trainer": _trainer,
    "keras.src.backend.tensorflow.trainer": _tensorflow_trainer,
    "jax": _jax,
    "keras.src.backend.jax.trainer": _jax_trainer,
    "keras.src.backend.torch.trainer": _torch_trainer,
    "keras.src.callbacks.callback_list": _callbacks,
    "tf_keras": _tf_keras,
    "matplotlib": surroundings.patch_matplotlib,
    "matplotlib.pyplot": surroundings.patch_pyplot,
}
