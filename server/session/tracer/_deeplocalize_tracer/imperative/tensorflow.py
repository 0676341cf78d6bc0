"""The stand-in for `tensorflow`: what training scripts use beside Keras."""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
from types import ModuleType
from typing import Any

import numpy as np

from . import names, tensors
from .dotted import Dotted
from .giving_up import give_up

_PACKAGE = "tensorflow"
_OLDEST_VERSION = "2.16.0"
_logger = logging.getLogger(_PACKAGE)


class StandIn(ModuleType):
    """A module of TensorFlow, whose attributes are made when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        path = vars(self)["_path"]
        value = _value(f"{path}.{name}" if path else name)
        setattr(self, name, value)
        return value


def module(path: str) -> ModuleType:
    """The stand-in for `tensorflow.PATH`."""
    full = f"{_PACKAGE}.{path}" if path else _PACKAGE
    known = sys.modules.get(full)
    if known is not None:
        return known
    made = StandIn(full)
    vars(made).update(_path=path, __path__=[], __file__=None)
    return made


def _value(path: str) -> Any:
    """What `tensorflow.PATH` is."""
    if path == "keras":
        return importlib.import_module(f"{_PACKAGE}.keras")
    if path in _VALUES:
        return _VALUES[path]
    maker = _MADE.get(path)
    if maker is not None:
        return maker()
    if path == "config" or path.startswith("config."):
        return _Configuration(path)
    if path == "errors":
        return module(path)
    if path.startswith("errors."):
        # For `except`; nothing here raises it.
        return type(path.rpartition(".")[2], (Exception,), {})
    if any(known.startswith(path + ".") for known in (*names.KNOWN, *names.OPEN)):
        return module(path)
    return give_up(f"{_PACKAGE}.{path}")


def _nothing(*_: Any, **__: Any) -> None:
    """For settings of a run-time that is not there."""


def _as_it_is(func: Any = None) -> Any:
    """For marks on functions: nothing translates them here."""
    return _as_it_is if func is None else func


class _Configuration(Dotted):
    """`tf.config`: there are no devices, and nothing to set."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        name = self._last
        if name.startswith(("list_", "get_visible")):
            return []
        if name.startswith(("set_", "enable_op", "optimizer")) or name == "run_functions_eagerly":
            return None
        return give_up(f"{_PACKAGE}.{self._path}")


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return _OLDEST_VERSION


def _activation(name: str) -> Any:
    return getattr(importlib.import_module("keras").activations, name)


def _dataset() -> Any:
    from .dataset import Dataset

    return Dataset


def _device(*_: Any) -> Any:
    return contextlib.nullcontext()


def _shape(input: Any, out_type: Any = np.int32, name: Any = None) -> Any:
    return tensors.tensor(np.shape(tensors.tensor(input)), out_type)


def _size(input: Any, out_type: Any = np.int32, name: Any = None) -> Any:
    return tensors.tensor(np.size(tensors.tensor(input)), out_type)


_VALUES: dict[str, Any] = {
    "constant": tensors.constant,
    "convert_to_tensor": tensors.convert_to_tensor,
    "cast": tensors.cast,
    "Tensor": tensors.Tensor,
    **{
        name: np.dtype(name)
        for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
    },
    "zeros": tensors.filled(0.0),
    "ones": tensors.filled(1.0),
    "zeros_like": tensors.filled_like(0.0),
    "ones_like": tensors.filled_like(1.0),
    "reshape": tensors.elementwise(np.reshape),
    "expand_dims": tensors.elementwise(np.expand_dims),
    "squeeze": tensors.elementwise(np.squeeze),
    "transpose": tensors.transpose,
    "concat": tensors.concat,
    "stack": tensors.stack,
    "one_hot": tensors.one_hot,
    "range": tensors.arange,
    "linspace": tensors.linspace,
    "shape": _shape,
    "size": _size,
    "argmax": tensors.arg(np.argmax),
    "argmin": tensors.arg(np.argmin),
    "math.argmax": tensors.arg(np.argmax),
    "reduce_mean": tensors.reduction(np.mean),
    "reduce_sum": tensors.reduction(np.sum),
    "reduce_max": tensors.reduction(np.max),
    "reduce_min": tensors.reduction(np.min),
    "math.reduce_mean": tensors.reduction(np.mean),
    "math.reduce_sum": tensors.reduction(np.sum),
    "math.reduce_max": tensors.reduction(np.max),
    "math.reduce_min": tensors.reduction(np.min),
    "random.set_seed": tensors.set_seed,
    "set_random_seed": tensors.set_seed,
    "compat.v1.set_random_seed": tensors.set_seed,
    "compat.v1.random.set_random_seed": tensors.set_seed,
    "random.normal": tensors.normal,
    "random.uniform": tensors.uniform,
    "device": _device,
    "executing_eagerly": lambda: True,
    "get_logger": lambda: _logger,
    "test.is_gpu_available": lambda *_, **__: False,
    "test.is_built_with_cuda": lambda: False,
    "test.gpu_device_name": lambda: "",
    "data.AUTOTUNE": -1,
    "data.experimental.AUTOTUNE": -1,
    "autograph.set_verbosity": _nothing,
    "autograph.experimental.do_not_convert": _as_it_is,
    "compat.v1.logging.set_verbosity": _logger.setLevel,
    "compat.v1.logging.get_verbosity": _logger.getEffectiveLevel,
    **{
        f"compat.v1.logging.{name}": getattr(logging, name)
        for name in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
    },
    **{
        f"compat.v1.logging.{name}": getattr(_logger, name)
        for name in ("debug", "info", "warning", "warn", "error", "fatal")
    },
}
_MADE: dict[str, Any] = {
    "__version__": _version,
    "version.VERSION": _version,
    "data.Dataset": _dataset,
    # Softmax and sigmoid are not among them: TensorFlow's own do not remember the logits, Keras' do.
    **{
        f"nn.{name}": (lambda name=name: _activation(name))
        for name in ("relu", "relu6", "tanh", "elu", "selu", "softplus", "softsign", "silu", "swish")
    },
}
