"""Records a run that no tool has started."""

from __future__ import annotations

import atexit
import json
import os
import platform
import sys
from types import TracebackType
from typing import Any, Callable, Optional

from . import errors, hooks, patches
from .channel import channel
from .trace_file import TraceFile

Hook = Callable[[type[BaseException], BaseException, Optional[TracebackType]], Any]
# These change what the script shows, which is for a tool that runs it on trial.
_NOT_ALONE = ("matplotlib", "matplotlib.pyplot")
_RANKS = ("SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "RANK")

file = TraceFile()


def start() -> None:
    """Begins to record, also with a Keras that is imported already."""
    channel.keep(file)
    channel.send("start", python=platform.python_version(), executable=sys.executable, pid=os.getpid())
    wanted = {name: patch for name, patch in patches.ALL.items() if name not in _NOT_ALONE}
    for name, patch in wanted.items():
        if name in sys.modules:
            hooks.apply(patch, sys.modules[name])
    hooks.install(wanted)
    sys.excepthook = _reporting(sys.excepthook)
    atexit.register(_end)


def rank() -> int:
    """Number of this worker among those that train together."""
    for name in _RANKS:
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    try:
        return int(json.loads(os.environ.get("TF_CONFIG", "{}"))["task"]["index"])
    except (ValueError, KeyError, TypeError):
        return 0


def _reporting(original: Hook) -> Hook:
    def excepthook(kind: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
        try:
            error.__traceback__ = tb
            errors.report(error)
            errors.clean(error)
            tb = error.__traceback__
        finally:
            original(kind, error, tb)

    return excepthook


def _end() -> None:
    fit = sys.modules.get(f"{__package__}.fit")
    if fit is not None:
        fit.end_all()
        channel.send("exit", code=0 if not file.raised else 1, fits=fit.count())
    file.write()
