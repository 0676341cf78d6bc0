"""Tracing the user's step a second time without anybody noticing.

While that lasts, what this thread prints is dropped and what it draws from the global random state of Python
and NumPy comes from a copy. Other threads, which may be fetching the next batches, go on as ever: nothing is
put back afterwards that they could have changed in between.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, Callable

import numpy as np


@contextmanager
def undisturbed() -> Iterator[None]:
    """What this thread draws and prints in this context has no effect outside."""
    # A script may have put something else into the place of NumPy's generator; then there is none to copy.
    numpy_state = getattr(np.random.mtrand, "_rand", None)
    with ExitStack() as stack:
        generator = random.Random()
        generator.setstate(random.getstate())
        stack.enter_context(_own_draws(random, random._inst, generator))  # type: ignore[attr-defined]
        if isinstance(numpy_state, np.random.RandomState):
            copy = np.random.RandomState()
            copy.set_state(np.random.get_state())
            stack.enter_context(_own_draws(np.random, numpy_state, copy))
        stack.enter_context(_own_printing())
        yield


@contextmanager
def _own_draws(module: ModuleType, shared: Any, copy: Any) -> Iterator[None]:
    """Functions of the module that are methods of `shared` are, for this thread, methods of `copy`."""
    thread = threading.get_ident()
    originals = {
        name: value for name, value in vars(module).items() if getattr(value, "__self__", None) is shared
    }

    def dispatched(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        own = getattr(copy, original.__name__)

        def draw(*args: Any, **kwargs: Any) -> Any:
            return (own if threading.get_ident() == thread else original)(*args, **kwargs)

        draw.__name__ = name
        return draw

    for name, original in originals.items():
        if hasattr(copy, original.__name__):
            setattr(module, name, dispatched(name, original))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(module, name, original)


class _Muted:
    """A stream that drops what one thread writes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread: int | None = threading.get_ident()

    def write(self, text: str) -> int:
        """See `io.TextIOBase`."""
        if threading.get_ident() == self._thread:
            return len(text)
        return self._stream.write(text)

    def release(self) -> None:
        """From now on everything is written; somebody may have kept this stream."""
        self._thread = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _own_printing() -> Iterator[None]:
    original = sys.stdout
    muted = _Muted(original)
    sys.stdout = muted  # type: ignore[assignment]
    try:
        yield
    finally:
        muted.release()
        if sys.stdout is muted:
            sys.stdout = original
