"""Applies patches to modules at the moment they are imported, however the script imports them."""

from __future__ import annotations

import importlib.abc
import sys
import traceback
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable

from .channel import notice

Patch = Callable[[ModuleType], None]


class Finder(importlib.abc.MetaPathFinder):
    """Finds nothing itself; lets the other finders find a module, and has it patched once it is loaded."""

    def __init__(self, patches: dict[str, Patch]) -> None:
        self._patches = patches

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if name not in self._patches:
            return None
        spec = found_behind(self, name, path, target)
        if spec is not None and spec.loader is not None:
            self._wrap(spec.loader, self._patches[name])
        return spec

    @staticmethod
    def _wrap(loader: Any, patch: Patch) -> None:
        """Replaces the method of this one loader, whose type and other methods stay as they are."""
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            vars(loader).pop("exec_module", None)
            apply(patch, module)

        loader.exec_module = exec_module


def found_behind(
    finder: Any, name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    """What the finders behind this one find; those before it had their turn."""
    behind = sys.meta_path[sys.meta_path.index(finder) + 1 :] if finder in sys.meta_path else sys.meta_path
    for other in behind:
        find = getattr(other, "find_spec", None)
        spec = None if find is None else find(name, path, target)
        if spec is not None:
            return spec
    return None


def apply(patch: Patch, module: ModuleType) -> None:
    """Patches a module; when that fails, the script goes on with the module as it is."""
    try:
        patch(module)
    except Exception:
        notice("unsupported", f"{module.__name__} cannot be observed: {traceback.format_exc(limit=-3)}")


def install(patches: dict[str, Patch]) -> None:
    """From now on, these modules are patched when they are imported."""
    sys.meta_path.insert(0, Finder(patches))
