"""Records Keras trainings for ``deeplocalize analyze``.

Import this before Keras, so that it is known where each layer is made. `Tracer` writes what is recorded.
"""

from __future__ import annotations

from typing import Any

from _deeplocalize_tracer import alone

__version__ = "0.1.0"
__all__ = ["Tracer"]

alone.start()


def __getattr__(name: str) -> Any:
    # Not before it is asked for: it imports Keras.
    if name == "Tracer":
        from _deeplocalize_tracer.callback import Tracer

        return Tracer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
