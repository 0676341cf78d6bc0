"""What the stand-in for `tensorflow` has, by dotted name.

Kept apart from what the names stand for (`tensorflow`; a test compares them), so that a script can be looked
through before anything is imported.
"""

from __future__ import annotations

# Attributes below these are answered by Keras, or by whatever they are called with.
OPEN = ("keras", "config", "errors")

KNOWN = {
    "__version__",
    "version.VERSION",
    "constant",
    "convert_to_tensor",
    "cast",
    "Tensor",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "bool",
    "zeros",
    "ones",
    "zeros_like",
    "ones_like",
    "reshape",
    "expand_dims",
    "squeeze",
    "transpose",
    "concat",
    "stack",
    "one_hot",
    "range",
    "linspace",
    "shape",
    "size",
    "argmax",
    "argmin",
    "reduce_mean",
    "reduce_sum",
    "reduce_max",
    "reduce_min",
    "math.reduce_mean",
    "math.reduce_sum",
    "math.argmax",
    "math.reduce_max",
    "math.reduce_min",
    "random.set_seed",
    "random.normal",
    "random.uniform",
    "set_random_seed",
    "device",
    "executing_eagerly",
    "get_logger",
    "test.is_gpu_available",
    "test.gpu_device_name",
    "test.is_built_with_cuda",
    "data.Dataset",
    "data.AUTOTUNE",
    "data.experimental.AUTOTUNE",
    "autograph.set_verbosity",
    "autograph.experimental.do_not_convert",
    "nn.relu",
    "nn.relu6",
    "nn.tanh",
    "nn.elu",
    "nn.selu",
    "nn.softplus",
    "nn.softsign",
    "nn.silu",
    "nn.swish",
    "compat.v1.set_random_seed",
    "compat.v1.random.set_random_seed",
    "compat.v1.logging.set_verbosity",
    "compat.v1.logging.get_verbosity",
    "compat.v1.logging.DEBUG",
    "compat.v1.logging.INFO",
    "compat.v1.logging.WARN",
    "compat.v1.logging.ERROR",
    "compat.v1.logging.FATAL",
    "compat.v1.logging.debug",
    "compat.v1.logging.info",
    "compat.v1.logging.warning",
    "compat.v1.logging.warn",
    "compat.v1.logging.error",
    "compat.v1.logging.fatal",
}
# Modules of other packages that cannot work without the back end they belong to.
FOREIGN = (
    "jax",
    "flax",
    "torch",
    "tf_keras",
    "tensorflow_",
    "keras_cv",
    "keras_hub",
    "keras_nlp",
    "keras_tuner",
)


def covered(name: str) -> bool:
    """Whether the stand-in has `tensorflow.NAME`, or something below it."""
    if any(name == known or name.startswith(known + ".") for known in OPEN):
        return True
    return name in KNOWN or any(known.startswith(name + ".") for known in KNOWN) or _below(name)


def _below(name: str) -> bool:
    """`data.Dataset.from_tensor_slices`, `float32.name`: an attribute of something known."""
    parent = name.rpartition(".")[0]
    return bool(parent) and (parent in KNOWN or _below(parent))


def foreign(module: str) -> bool:
    """Whether this is a module of a package that brings its own back end."""
    top = module.partition(".")[0]
    return any(top == name or (name.endswith("_") and top.startswith(name)) for name in FOREIGN)
