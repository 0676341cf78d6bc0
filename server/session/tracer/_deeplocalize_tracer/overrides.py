"""Runs texts in place of the files on disk, which stay as they are: a fix to be tried, or unsaved edits.

To the script, to tracebacks and to `inspect` the text is what stands in the file of that path.
"""

from __future__ import annotations

import builtins
import functools
import io
import linecache
import os
from importlib.machinery import SourceFileLoader
from typing import Any, Callable

# By the real path of the file: where its text is kept instead.
_kept: dict[str, str] = {}


def install(kept: dict[str, str]) -> None:
    """From now on, the files with these real paths read as the files they are mapped to."""
    if not kept:
        return
    _kept.update(kept)
    get_code, get_data = SourceFileLoader.get_code, SourceFileLoader.get_data

    @functools.wraps(get_code)
    def overridden_code(self: Any, fullname: str) -> Any:
        path = self.get_filename(fullname)
        text = read(path)
        # Past the bytecode on disk, which belongs to the text on disk, and without writing any.
        return get_code(self, fullname) if text is None else self.source_to_code(text, path)

    @functools.wraps(get_data)
    def overridden_data(self: Any, path: str) -> bytes:
        text = read(path)
        return get_data(self, path) if text is None else text

    SourceFileLoader.get_code = overridden_code  # type: ignore[method-assign]
    SourceFileLoader.get_data = overridden_data  # type: ignore[method-assign]
    builtins.open = io.open = _reading_instead(io.open)


def read(path: str) -> bytes | None:
    """The text that stands in for this file, if there is one. Makes tracebacks show it."""
    place = _kept.get(os.path.realpath(path))
    if place is None:
        return None
    with io.FileIO(place) as file:
        text = file.readall()
    lines = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", errors="replace").readlines()
    for name in {path, os.path.abspath(path), os.path.realpath(path)}:
        # Without a time of change the entry is never compared with the file.
        linecache.cache[name] = (len(text), None, lines, name)
    return text


def _reading_instead(original: Callable[..., Any]) -> Callable[..., Any]:
    """`open` for scripts that read themselves, and for the interpreter, which prints tracebacks with it."""

    @functools.wraps(original)
    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if isinstance(file, (str, os.PathLike)) and isinstance(mode, str) and not set(mode) & set("wax+"):
            place = _kept.get(os.path.realpath(os.fsdecode(file)))
            file = file if place is None else place
        return original(file, mode, *args, **kwargs)

    return opened
