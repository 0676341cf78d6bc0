"""Decides whether a script is run under the imperative mechanism, and prepares for it."""

from __future__ import annotations

import functools
import importlib.util
import os
from types import ModuleType
from typing import Any

from .. import config, hooks, imperative, overrides, sites, surroundings
from ..channel import channel
from . import imports, reading
from .giving_up import give_up

# Errors that a stand-in has no part in, when the script itself raises them.
_OWN = (FileNotFoundError, KeyboardInterrupt, EOFError, PermissionError, IsADirectoryError)
# Back ends that train as the engine does.
_BACKENDS = ("tensorflow", "jax", "torch")
_TRAINER = os.path.join("src", "backend", "numpy", "trainer.py")


def prepare(script: str) -> bool:
    """Puts the stand-ins in place; `False` when the script is better run under Keras' real back end."""
    obstacle = _obstacle(script)
    if obstacle is not None:
        what, site = obstacle
        if config.current.mechanism == "imperative":
            give_up(what, site)
        channel.send("mechanism", name="callback", instead=what, site=site)
        return False
    channel.send("mechanism", name="imperative", instead=None, site=None)
    imperative.active = True
    hooks.install({**imports.install(), **_patches()})
    return True


def _obstacle(script: str) -> tuple[str, dict[str, Any] | None] | None:
    if not config.current.engine:
        return "everything: there is no engine on this system", None
    if not hasattr(os, "posix_spawn"):
        return "this system", None
    backend = imports.backend()
    if backend not in _BACKENDS:
        return f"the back end {backend}, which the environment asks for,", None
    source = overrides.read(script)
    if source is None:
        with open(script, "rb") as file:
            source = file.read()
    found = reading.obstacle(source, os.path.abspath(script))
    if found is not None:
        return found
    keras = importlib.util.find_spec("keras")
    if keras is None:
        # What the script says of that is said by the other mechanism just as soon.
        return "an interpreter without Keras", None
    folders = list(keras.submodule_search_locations or ())
    if not any(os.path.exists(os.path.join(folder, _TRAINER)) for folder in folders):
        return "this version of Keras", None
    return None


def _patches() -> dict[str, hooks.Patch]:
    from . import mirror, philox, repairs, tensors, trainer

    found = {
        "keras.src.utils.numerical_utils": repairs.patch_numerical_utils,
        "keras.src.backend.numpy.random": philox.patch_random,
        "keras.src.utils.rng_utils": tensors.patch_seed,
        "keras.src.backend.numpy.core": mirror.patch_variable,
        "keras.src.backend.numpy.trainer": functools.partial(_patch_trainer, trainer.patch_trainer),
    }
    return {name: functools.partial(_certainly, patch) for name, patch in found.items()}


def _patch_trainer(patch: hooks.Patch, module: ModuleType) -> None:
    from ..training import patch_trainer

    patch(module)
    patch_trainer(module.NumpyTrainer)


def _certainly(patch: hooks.Patch, module: ModuleType) -> None:
    """Without its patches Keras on NumPy would not do what the script asks for."""
    try:
        patch(module)
    except Exception as error:
        give_up(f"this version of Keras ({module.__name__}: {error})")


def after_error(error: BaseException) -> None:
    """The script has raised: gives up, unless a stand-in certainly had no part in it."""
    if config.current.mechanism == "imperative":
        return
    own = isinstance(error, _OWN) or (
        isinstance(error, ModuleNotFoundError)
        and (error.name or "").partition(".")[0] not in ("keras", "tensorflow")
        and not _within_keras(error)
    )
    if own or isinstance(error, SyntaxError):
        return
    give_up(f"a script that raises {type(error).__name__} here", surroundings.site_of(error), raised=True)


def _within_keras(error: BaseException) -> bool:
    step = error.__traceback__
    while step is not None:
        if not sites.is_user_code(step.tb_frame.f_code, step.tb_frame.f_globals.get("__name__")) and (
            step.tb_frame.f_globals.get("__name__", "").startswith("keras")
        ):
            return True
        step = step.tb_next
    return False
