"""The modules that are patched when the script imports them."""

from __future__ import annotations

import os
from types import ModuleType

from . import imperative, surroundings
from .channel import channel
from .hooks import Patch


def _layer(module: ModuleType) -> None:
    from .layers import patch_layer

    patch_layer(module)


def _optimizer(module: ModuleType) -> None:
    from .layers import patch_optimizer
    from .loops import patch_apply

    patch_optimizer(module.BaseOptimizer)
    patch_apply(module.BaseOptimizer, "apply_gradients")
    patch_apply(module.BaseOptimizer, "apply")


def _trainer(module: ModuleType) -> None:
    from keras.src.version import __version__

    from .training import patch_compile

    patch_compile(module.Trainer)
    channel.send("keras", version=__version__, backend=_backend(module), package="keras")


def _backend(module: ModuleType) -> str:
    """What trains: Keras' back end, or the engine that stands in for it."""
    return "engine" if imperative.active else str(module.backend.backend())


def _tensorflow_trainer(module: ModuleType) -> None:
    from .training import on_tensorflow, patch_make_train_function, patch_trainer

    patch_make_train_function(module.TensorFlowTrainer, on_tensorflow)
    patch_trainer(module.TensorFlowTrainer)


def _jax_trainer(module: ModuleType) -> None:
    from .training import on_jax, patch_make_train_function, patch_trainer

    patch_make_train_function(module.JAXTrainer, on_jax)
    patch_trainer(module.JAXTrainer)


def _torch_trainer(module: ModuleType) -> None:
    from .training import patch_trainer

    patch_trainer(module.TorchTrainer)


def _jax(module: ModuleType) -> None:
    from .jax_recorder import patch_jax

    patch_jax(module)


def _callbacks(module: ModuleType) -> None:
    from .callbacks import patch_callbacks

    patch_callbacks(module)


def _old_optimizer(module: ModuleType) -> None:
    from .layers import patch_optimizer
    from .loops import patch_apply

    patch_optimizer(module._BaseOptimizer)
    patch_apply(module.Optimizer, "apply_gradients")


def _legacy_optimizer(module: ModuleType) -> None:
    from .layers import patch_optimizer
    from .loops import patch_apply

    patch_optimizer(module.OptimizerV2)
    patch_apply(module.OptimizerV2, "apply_gradients")


def _losses(module: ModuleType) -> None:
    from .loops import patch_loss

    patch_loss(module)


def _tape(module: ModuleType) -> None:
    from .loops import patch_tape

    patch_tape(module)


def _function(module: ModuleType) -> None:
    from .loops import patch_function

    patch_function(module)


def _old_trainer(module: ModuleType) -> None:
    from .training import on_tf_keras, patch_compile, patch_make_train_function, patch_trainer

    patch_compile(module.Model)
    patch_make_train_function(module.Model, on_tf_keras)
    patch_trainer(module.Model)


def _tf_keras(module: ModuleType) -> None:
    version = getattr(module, "__version__", "")
    channel.send("keras", version=version, backend="tensorflow", package="tf_keras")


def _private_keras(module: ModuleType) -> None:
    from .private_keras import patch_training

    patch_training(module)


def _autograph(module: ModuleType) -> None:
    """Autograph translates what it does not know to be a library; the tracer is one."""
    package = (__package__ or "").partition(".")[0]
    module.CONVERSION_RULES = (module.DoNotConvert(package), *module.CONVERSION_RULES)


def _tracebacks(module: ModuleType) -> None:
    """Keras leaves its own frames out of tracebacks; let it leave out the tracer's with them."""
    module._EXCLUDED_PATHS = (*module._EXCLUDED_PATHS, os.path.dirname(os.path.abspath(__file__)))


ALL: dict[str, Patch] = {
    "tensorflow.python.autograph.core.config": _autograph,
    "tensorflow.python.eager.backprop": _tape,
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": _function,
    "keras.src.losses.loss": _losses,
    "tf_keras.src.losses": _losses,
    "keras.src.utils.traceback_utils": _tracebacks,
    "keras.src.layers.layer": _layer,
    "keras.src.optimizers.base_optimizer": _optimizer,
    "keras.src.trainers.trainer": _trainer,
    "keras.src.backend.tensorflow.trainer": _tensorflow_trainer,
    "keras.src.backend.jax.trainer": _jax_trainer,
    "keras.src.backend.torch.trainer": _torch_trainer,
    "keras.src.callbacks.callback_list": _callbacks,
    "jax": _jax,
    "tf_keras": _tf_keras,
    "tf_keras.src.utils.traceback_utils": _tracebacks,
    "tf_keras.src.engine.base_layer": _layer,
    "tf_keras.src.engine.training": _old_trainer,
    "tf_keras.src.optimizers.optimizer": _old_optimizer,
    "tf_keras.src.optimizers.legacy.optimizer_v2": _legacy_optimizer,
    "tf_keras.src.callbacks": _callbacks,
    "tensorflow.python.keras.engine.training": _private_keras,
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
