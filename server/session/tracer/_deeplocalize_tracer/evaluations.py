"""Compares the labels of a later `evaluate` with those that the model was trained on."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from . import baselines, fit, sites
from .channel import channel

_TRAINED = "_deeplocalize_trained"
# More calls of one model are made in a loop, and say the same.
_MOST = 4
# Of more samples, some evenly spaced ones are looked at.
_MOST_SAMPLES = 200_000


def remember(model: Any, number: int, described: list[dict[str, Any]]) -> None:
    """Notes the classes that a model was trained on in this training. Past Keras' own attribute tracking."""
    counts = None
    if len(described) == 1 and described[0].get("whole"):
        counts = described[0].get("first_column_classes") or described[0].get("classes")
    object.__setattr__(model, _TRAINED, {"fit": number, "classes": counts, "left": _MOST})


def patch_evaluate(trainer: Any) -> None:
    """Sees the labels that models are evaluated with after their training."""
    original = trainer.evaluate
    signature = inspect.signature(original)

    @functools.wraps(original)
    def evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not fit.training():
            fit.guarded(_compare, self, signature, args, kwargs, sites.caller())
        return original(self, *args, **kwargs)

    trainer.evaluate = evaluate


def _compare(
    model: Any,
    signature: inspect.Signature,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    site: sites.Site | None,
) -> None:
    trained = vars(model).get(_TRAINED)
    if trained is None or not trained["classes"] or not trained["left"]:
        return
    try:
        given = signature.bind(model, *args, **kwargs).arguments.get("y")
    except TypeError:  # A wrong call, which is about to fail.
        return
    if not hasattr(given, "__array__") or not len(getattr(given, "shape", ())):
        return
    labels = np.asarray(given)
    labels = labels[:: max(1, len(labels) // _MOST_SAMPLES)]
    here = baselines.classes_of(labels) if labels.size and labels.dtype.kind in "fiub" else None
    if here is None:
        return
    trained["left"] -= 1
    there = {float(label): count for label, count in trained["classes"]}
    channel.send(
        "evaluate",
        fit=trained["fit"],
        site=site,
        **baselines.mixtures(there, {float(label): count for label, count in here.items()}),
    )
