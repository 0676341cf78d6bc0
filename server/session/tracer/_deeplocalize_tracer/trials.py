"""Runs variants of one script for some steps each, in processes that have Keras imported already.

Importing Keras takes longer than such a trial. So this process only imports what the script imports, and
forks for each trial.
The trials are lines of JSON that the tool sends, one when the one before is over:

    {"overrides": {PATH: TEXT}, "seed": 0, "fit": 0, "steps": 300, "checks": [[100, 0.2]], "seconds": 5.0}

What a trial sends ends with a `trial-end` message. The service ends when the tool closes the channel.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from typing import Any, Callable, NoReturn

from . import channel as channels
from . import overrides, scores, seeds

# Seconds between two looks whether a trial is over.
_POLL = 0.002
# Seconds that a trial gets, beside those for its training, until it trains and to be judged.
_GRACE = 120.0
_GROUPS = sys.platform == "linux"


def serve(modules: Sequence[str], run: Callable[[], int]) -> NoReturn:
    """Serves the trials that the tool sends. `run` runs the script."""
    # Trials run side by side; small models gain nothing from threads that wait for each other.
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")
    for name in modules:
        # A module that is not there is the script's affair.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    channels.channel.send("trials-ready")
    number = 0
    while True:
        line = channels.channel.receive()
        if not line:
            os._exit(0)
        code, seconds = _fork(json.loads(line), run)
        channels.channel.send("trial-end", trial=number, code=code, seconds=seconds)
        number += 1


def _fork(trial: dict[str, Any], run: Callable[[], int]) -> tuple[int, float]:
    """Exit status of the trial, as a shell gives it, and the seconds of processor time it took."""
    # The thread that sends what waits is not in the child.
    channels.channel.flush()
    channels.channel.hand_on()
    with warnings.catch_warnings():
        # Python warns of threads, of which TensorFlow has some as soon as it is imported.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _set_group(0)
        _child(trial, run)
    _set_group(child)
    channels.channel.take_back()
    deadline = time.monotonic() + float(trial["seconds"]) + _GRACE
    while True:
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            _kill_group(child)
            return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        if time.monotonic() > deadline:
            _kill_group(child)
            os.kill(child, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(_POLL)


def _set_group(process: int) -> None:
    """Gives a trial a process group of its own, with what it starts.

    On Linux, where the supervisor reaches every descendant; elsewhere it ends the group of the script alone.
    """
    if _GROUPS:
        # Whoever of parent and child comes second finds it done.
        with contextlib.suppress(OSError):
            os.setpgid(process, 0)


def _kill_group(process: int) -> None:
    """Ends what a trial has started and left behind."""
    if _GROUPS:
        with contextlib.suppress(OSError):
            os.killpg(process, signal.SIGKILL)


def _kept(texts: dict[str, str]) -> dict[str, str]:
    """Writes the texts beside the tracer, which the tool removes at the end."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    kept = {}
    for path, text in texts.items():
        descriptor, kept[path] = tempfile.mkstemp(suffix=".py", dir=folder)
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    return kept


def _child(trial: dict[str, Any], run: Callable[[], int]) -> NoReturn:
    code = 1
    try:
        channels.channel.take_over()
        overrides.install(_kept(trial.get("overrides", {})))
        seeds.shift(int(trial.get("seed", 0)))
        scores.expect(trial)
        if trial.get("remember_logits") is not None:
            from .imperative import learner

            learner.remembers = bool(trial["remember_logits"])
        code = run()
        scores.end()
        scores.end_engine()
        channels.channel.flush()
    finally:
        with contextlib.suppress(Exception):
            channels.channel.flush()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code & 0xFF)
