"""Reports exceptions that end the script, and prints them as Python would have."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from . import sites
from .channel import channel

_LAYER = "_deeplocalize_layer"
_FIT = "_deeplocalize_fit"
_LONGEST_MESSAGE = 20_000
_OWN = __name__.partition(".")[0]


def note_layer(error: BaseException, layer: object) -> None:
    """Remembers the innermost layer that was being built or called when the error was raised."""
    _note(error, _LAYER, layer)


def note_fit(error: BaseException, number: int) -> None:
    """Remembers the innermost training in which the error was raised."""
    _note(error, _FIT, number)


def _note(error: BaseException, name: str, value: object) -> None:
    if _noted(error, name) is None:
        try:
            setattr(error, name, value)
        except Exception:  # An exception class with slots; the note is a convenience.
            return


def _noted(error: BaseException, name: str) -> Any:
    """Keras wraps errors in new ones, so the note may be on an earlier one of the chain."""
    current: BaseException | None = error
    for _ in range(20):
        if current is None:
            return None
        value = getattr(current, name, None)
        if value is not None:
            return value
        current = current.__cause__ or current.__context__
    return None


def _without_tracer(tb: TracebackType | None) -> TracebackType | None:
    """The same traceback without the frames of the tracer."""
    kept = [
        step
        for step in _steps(tb)
        if step.tb_frame.f_globals.get("__name__", "").partition(".")[0] != _OWN
        and step.tb_frame.f_globals.get("__package__") != _OWN
    ]
    chain: TracebackType | None = None
    for step in reversed(kept):
        chain = TracebackType(chain, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return chain


def _steps(tb: TracebackType | None) -> Iterator[TracebackType]:
    while tb is not None:
        yield tb
        tb = tb.tb_next


def clean(error: BaseException) -> None:
    """Takes the tracer's frames out of the error and of those it came from."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        current.__traceback__ = _without_tracer(current.__traceback__)
        pending += [current.__cause__, current.__context__]


def report(error: BaseException) -> None:
    """Sends the exception to the tool."""
    frames = []
    for step in _steps(_without_tracer(error.__traceback__)):
        code = step.tb_frame.f_code
        frames.append(
            {
                "site": sites.place(code, step.tb_lasti, step.tb_lineno),
                "function": code.co_name,
                "user": sites.is_user_code(code, step.tb_frame.f_globals.get("__name__")),
            }
        )
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(_syntax_frame(error))
    channel.send(
        "exception",
        **{"class": type(error).__name__},
        message=_message(error),
        fit=_noted(error, _FIT),
        frames=frames,
        layer=_layer_of(error),
    )


def _message(error: BaseException) -> str:
    """The text of the error without colours, and without the tracer's part of a stack within it."""
    try:
        text = str(error)
    except Exception:
        text = "".join(traceback.format_exception_only(type(error), error)).strip()
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    foreign = re.compile(rf'  File "(?:{re.escape(folder)}|<frozen runpy>)[^\n]*\n\n?')
    return foreign.sub("", text)[:_LONGEST_MESSAGE]


def _syntax_frame(error: SyntaxError) -> dict[str, Any]:
    site = {"path": error.filename, "line": error.lineno or 1}
    user = sites.is_user_code(compile("", str(error.filename), "exec"), None)
    return {"site": site, "function": "<module>", "user": user}


def _layer_of(error: BaseException) -> dict[str, Any] | None:
    layer = _noted(error, _LAYER)
    if layer is None:
        return None
    from .layers import index_of

    return {
        "index": index_of(layer),
        "name": getattr(layer, "name", ""),
        "class": type(layer).__name__,
        "site": sites.recall(layer),
    }


def show(error: BaseException) -> None:
    """Prints the error as the interpreter would, through the script's own hook if it has one."""
    clean(error)
    sys.excepthook(type(error), error, error.__traceback__)
