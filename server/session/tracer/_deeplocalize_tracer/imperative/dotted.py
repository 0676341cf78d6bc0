"""Names of another package that are only looked at when they are called."""

from __future__ import annotations

from typing import Any


class Dotted:
    """Whatever goes by a dotted name; what lies below it is such a thing too."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(self)(f"{self._path}.{name}")

    @property
    def _last(self) -> str:
        return self._path.rpartition(".")[2]
