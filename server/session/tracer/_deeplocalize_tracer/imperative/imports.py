"""What imports find under the imperative mechanism: Keras on NumPy, and a stand-in for TensorFlow."""

from __future__ import annotations

import importlib
import importlib.abc
import json
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any, Callable

from .. import hooks
from . import names
from .dotted import Dotted
from .giving_up import give_up

_TENSORFLOW = "tensorflow"
_KERAS = "keras._tf_keras.keras"
# Packages that Keras imports for functions which most scripts never call. It takes them for not installed; a
# script that does call such a function fails, and is run again under the real back end.
_OPTIONAL = {"sklearn", "matplotlib", "pandas", "requests", "grain", "tqdm", "torch", "tf_keras", "cv2"}
# Packages that Keras' NumPy back end imports for a few functions: loaded when one is called, or never.
_LATER = {"scipy", "jax"}
_VARIABLE = "KERAS_BACKEND"
_UNTIL_IMPORTED = (_VARIABLE, "TF_FORCE_GPU_ALLOW_GROWTH")


class Finder(importlib.abc.MetaPathFinder):
    """Answers for `tensorflow`, and for what Keras imports on the side."""

    def __init__(self) -> None:
        self._importing_keras = False
        self._environment: dict[str, str | None] = {}
        self._placeholders: list[str] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        top = name.partition(".")[0]
        if name == "keras":
            spec = hooks.found_behind(self, name, path, target)
            if spec is not None and spec.loader is not None:
                self._wrap(spec.loader)
            return spec
        by_keras = self._importing_keras or _importer() == "keras"
        if by_keras and top == _TENSORFLOW:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if self._importing_keras and top in _OPTIONAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if self._importing_keras and (top in _LATER or name.startswith("keras.src.backend.jax")):
            self._placeholders.append(name)
            return ModuleSpec(name, _Loader(_later), is_package=True)
        if top == _TENSORFLOW:
            return self._tensorflow(name)
        if names.foreign(name) and not by_keras:
            give_up(f"the package {top}")
        return None

    def _tensorflow(self, name: str) -> ModuleSpec:
        rest = name[len(_TENSORFLOW) + 1 :]
        if rest == "keras" or rest.startswith("keras."):
            return ModuleSpec(name, _Loader(_alias), is_package=True)
        if not names.covered(rest) and rest:
            give_up(name)
        return ModuleSpec(name, _Loader(_stand_in), is_package=True)

    def _wrap(self, loader: Any) -> None:
        """Only when it is executed is Keras imported; packages also just ask whether it is there."""
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            self._begin()
            try:
                execute(module)
            finally:
                self._finish()
            chosen = self._environment.get(_VARIABLE)
            if chosen and chosen not in (_TENSORFLOW, _at_start):
                give_up(f"the back end {chosen}, which the script asks for,")

        loader.exec_module = exec_module

    def _begin(self) -> None:
        """Keras reads its back end from the environment once; the script must not find it there."""
        self._importing_keras = True
        self._environment = {name: os.environ.get(name) for name in _UNTIL_IMPORTED}
        os.environ[_VARIABLE] = "numpy"

    def _finish(self) -> None:
        """Keras is imported, or could not be."""
        self._importing_keras = False
        for name in self._placeholders:
            sys.modules.pop(name, None)
        self._placeholders.clear()
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_at_start = os.environ.get(_VARIABLE, "")


def backend() -> str:
    """The back end that the script would have had: that of the environment, else of Keras' own settings."""
    if _at_start:
        return _at_start
    folder = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    try:
        with open(os.path.join(folder, "keras.json"), encoding="utf-8") as file:
            return str(json.load(file).get("backend", _TENSORFLOW))
    except (OSError, ValueError, AttributeError):
        return _TENSORFLOW


def install() -> dict[str, hooks.Patch]:
    """Puts the finder in place; returns what is to be patched when it is imported."""
    sys.meta_path.insert(0, Finder())
    return {"keras.src.utils.module_utils": _without_tensorflow}


def _without_tensorflow(module: ModuleType) -> None:
    """Keras must not take the stand-in for TensorFlow."""

    def missing(self: Any) -> None:
        raise ImportError(self.import_error_msg)

    for name in ("tensorflow", "gfile", "tensorflow_io", "jax", "torch_xla"):
        lazy = getattr(module, name, None)
        if lazy is not None:
            lazy._available = False
            lazy.initialize = missing.__get__(lazy)


def _importer() -> str:
    """The package whose code is importing."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not name.startswith(("importlib", "_frozen_importlib")) and name != __name__:
            return str(name).partition(".")[0]
        frame = frame.f_back
    return ""


class _Loader(importlib.abc.Loader):
    """Loads a module by calling `make` with its name."""

    def __init__(self, make: Callable[[str], ModuleType]) -> None:
        self._make = make
        self._spec: Any = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """See `importlib.abc.Loader`."""
        module = self._make(spec.name)
        self._spec = getattr(module, "__spec__", None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """A module that goes by two names keeps its own."""
        if self._spec is not None:
            module.__spec__ = self._spec


def _alias(name: str) -> ModuleType:
    """`tensorflow.keras.X` is `keras._tf_keras.keras.X`."""
    return importlib.import_module(_KERAS + name[len(_TENSORFLOW + ".keras") :])


def _stand_in(name: str) -> ModuleType:
    from . import tensorflow

    return tensorflow.module(name[len(_TENSORFLOW) + 1 :])


def _later(name: str) -> ModuleType:
    module = ModuleType(name)

    def attribute(wanted: str) -> Any:
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        if name.partition(".")[0] == "scipy":
            return getattr(importlib.import_module(name), wanted)
        return _Uncovered(f"{name}.{wanted}")

    module.__getattr__ = attribute  # type: ignore[method-assign]
    return module


class _Uncovered(Dotted):
    """A function of JAX, by which Keras' NumPy back end computes convolutions and the like."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        give_up(f"an operation outside of training that Keras on NumPy lacks ({self._last})")
