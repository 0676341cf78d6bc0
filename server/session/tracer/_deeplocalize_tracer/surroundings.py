"""What a script may expect of a terminal or a desktop, and does not have here: input and windows."""

from __future__ import annotations

import io
import sys
from types import ModuleType
from typing import Any

from . import sites
from .channel import notice


def site_of(error: BaseException) -> sites.Site | None:
    """The innermost place of the user's own code in the error's traceback."""
    found = None
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if sites.is_user_code(code, step.tb_frame.f_globals.get("__name__")):
            found = sites.place(code, step.tb_lasti, step.tb_lineno)
        step = step.tb_next
    return found


class NoInput(io.TextIOWrapper):
    """Standard input of a script that nobody sits in front of: at its end, and says so when it is read."""

    def _tell(self) -> None:
        notice("input", "the script asked for input, which a traced run cannot give", sites.caller())

    def readline(self, size: int = -1, /) -> str:
        """Called by `input()` as well."""
        self._tell()
        return super().readline(size)

    def read(self, size: int | None = -1, /) -> str:
        """See `io.TextIOBase`."""
        self._tell()
        return super().read(size)

    def __next__(self) -> str:
        """See `io.TextIOBase`."""
        self._tell()
        return super().__next__()


def install() -> None:
    """Replaces standard input, which is /dev/null, by one that reports being read."""
    if sys.stdin is not None:
        sys.stdin = NoInput(sys.stdin.detach(), encoding="utf-8")


def patch_matplotlib(module: ModuleType) -> None:
    """Keeps the back end that opens no windows."""
    original = module.use

    def use(backend: str, *args: Any, **kwargs: Any) -> None:
        if backend.lower() not in {"agg", "pdf", "ps", "svg", "cairo", "pgf", "template"}:
            _no_window()
            return
        original(backend, *args, **kwargs)

    module.use = use


def patch_pyplot(module: ModuleType) -> None:
    """Makes `show` do nothing."""

    def show(*_: Any, **__: Any) -> None:
        _no_window()

    module.show = show


def _no_window() -> None:
    notice("plot", "plots are not shown in a traced run", sites.caller())
