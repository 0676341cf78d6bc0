"""Runs the user's script as `__main__`, so that it cannot tell the difference."""

from __future__ import annotations

import builtins
import os
import platform
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import NoReturn

from . import channel as channels
from . import config, errors, hooks, overrides, patches, surroundings


def main() -> NoReturn:
    """Runs the script named by the first argument, and ends the process with its exit status."""
    channels.channel.open()
    config.current = config.take()
    script = sys.argv[1]
    _imitate_start(script)
    channels.channel.send(
        "start", python=platform.python_version(), executable=sys.executable, pid=os.getpid()
    )
    surroundings.install()
    overrides.install(config.current.overrides)
    if config.current.files is not None:
        from . import redirect, redirect_native

        redirect.install(config.current.files)
        hooks.install(redirect_native.PATCHES)
    if config.current.trials:
        _serve_trials(script)
    engine = config.current.mechanism != "callback" and _use_engine(script)
    hooks.install(patches.ALL)
    code = _run(script, engine)
    channels.channel.send("exit", code=code, fits=_end_trainings())
    sys.exit(code)


def _use_engine(script: str) -> bool:
    """Prepares for the imperative mechanism, unless the script is seen not to fit it."""
    from .imperative import start

    return start.prepare(script)


def _serve_trials(script: str) -> NoReturn:
    from . import trials

    engine = config.current.mechanism != "callback" and _use_engine(script)
    hooks.install(patches.TRIALS)
    trials.serve(config.current.modules, lambda: _run(script, engine))


def _imitate_start(script: str) -> None:
    """Leaves `sys` as `python SCRIPT` would."""
    del sys.argv[0]
    folder = os.path.dirname(os.path.realpath(script))
    if getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    else:
        sys.path[0] = folder
    # What was printed must reach the log also when the run is ended from outside.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)


def _run_again(error: BaseException) -> None:
    """Gives up unless the error would have come under Keras' real back end too."""
    from .imperative import start

    start.after_error(error)


def _run(script: str, engine: bool) -> int:
    module = ModuleType("__main__")
    vars(module).update(
        __file__=script,
        __builtins__=builtins,
        __loader__=SourceFileLoader("__main__", script),
        __package__=None,
        __spec__=None,
        __cached__=None,
        __annotations__={},
    )
    sys.modules["__main__"] = module
    try:
        source = overrides.read(script)
        if source is None:
            with open(script, "rb") as file:
                source = file.read()
        exec(compile(source, script, "exec", dont_inherit=True), vars(module))
    except SystemExit as stop:
        return _exit_status(stop)
    except BaseException as error:
        notice_missing_keras(error)
        if engine:
            _run_again(error)
        errors.report(error)
        errors.show(error)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _end_trainings() -> int:
    """Trainings that have no end of their own end with the script."""
    fit = sys.modules.get(f"{__package__}.fit")
    if fit is None:  # The script has not imported Keras.
        return 0
    fit.end_all()
    return fit.count()


def _exit_status(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF
    print(stop.code, file=sys.stderr)
    return 1


def notice_missing_keras(error: BaseException) -> None:
    """Says plainly that the interpreter has no Keras, which is the usual sign of the wrong interpreter."""
    if isinstance(error, ModuleNotFoundError) and error.name in ("keras", "tensorflow"):
        channels.notice(
            "keras-missing", f"{sys.executable} has no module {error.name}", surroundings.site_of(error)
        )
