"""The callback that writes what was recorded."""

from __future__ import annotations

import sys
import time
from typing import Any

from . import alone
from .channel import channel, notice

if "keras" not in sys.modules and "tf_keras" in sys.modules:
    import tf_keras as keras
else:
    import keras

# Seconds between two writes; a large model takes a good part of one to write.
_PAUSE = 5.0


class Tracer(keras.callbacks.Callback):
    """Writes the trace of the run to `path`, in which `{rank}` stands for the number of the worker."""

    def __init__(self, path: str = "trace-{rank}.npz") -> None:
        super().__init__()
        alone.file.path = path.replace("{rank}", str(alone.rank()))
        self._written = 0.0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """See `keras.callbacks.Callback`."""
        if time.monotonic() - self._written > _PAUSE:
            self._write()

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """See `keras.callbacks.Callback`."""
        self._write()

    def _write(self) -> None:
        try:
            alone.file.write()
        except OSError as error:  # The training is worth more than its trace.
            notice("unsupported", f"the trace cannot be written: {error}")
            channel.keep(None)
        self._written = time.monotonic()
