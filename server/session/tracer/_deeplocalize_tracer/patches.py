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
    from .training import patch_make_train_function, patch_trainer

    patch_make_train_function(module)
    patch_trainer(module, "TensorFlowTrainer")


def _jax_trainer(module: ModuleType) -> None:
    from .training import patch_trainer

    patch_trainer(module, "JAXTrainer")


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
    "keras.src.backend.jax.trainer": _jax_trainer,
    "keras.src.backend.torch.trainer": _torch_trainer,
    "keras.src.callbacks.callback_list": _callbacks,
    "tf_keras": _tf_keras,
    "matplotlib": surroundings.patch_matplotlib,
    "matplotlib.pyplot": surroundings.patch_pyplot,
}


def _judged(module: ModuleType) -> None:
    from .scores import patch_trainer

    trainers = ("TensorFlowTrainer", "JAXTrainer", "TorchTrainer")
    patch_trainer(module, next(name for name in trainers if hasattr(module, name)))


def _counted(module: ModuleType) -> None:
    from .scores import patch_callbacks

    patch_callbacks(module)


def _quick(module: ModuleType) -> None:
    """Leaves out XLA where Keras would choose it: compiling takes longer than the few steps of a trial."""
    module.Trainer._resolve_auto_jit_compile = lambda _: module.backend.backend() == "jax"


# For trials: nothing is probed, only what comes out is judged.
TRIALS: dict[str, Patch] = {
    "keras.src.utils.traceback_utils": _tracebacks,
    "keras.src.trainers.trainer": _quick,
    "keras.src.backend.tensorflow.trainer": _judged,
    "keras.src.backend.jax.trainer": _judged,
    "keras.src.backend.torch.trainer": _judged,
    "keras.src.callbacks.callback_list": _counted,
    "matplotlib": surroundings.patch_matplotlib,
    "matplotlib.pyplot": surroundings.patch_pyplot,
}
