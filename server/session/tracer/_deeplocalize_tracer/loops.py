"""Training loops that the user wrote with `tf.GradientTape`, without `fit`.

A step ends when an optimizer applies gradients. In a loop that runs eagerly the very step is recorded, as
under `run_eagerly`; one that is a `tf.function` gets a shadow step, as `fit` does.
"""

from __future__ import annotations

import functools
import math
import sys
import time
import traceback
from types import ModuleType
from typing import Any, Callable

from . import config, dialect, fit, recorder, reporting, sites
from .channel import notice
from .loop_model import LoopModel, roots_of
from .loop_recorder import LoopRecorder
from .loop_shadow import LoopShadow
from .shadow import CannotProbe
from .variables import inner

# Steps of a loop that runs eagerly in which the shapes of the loss are looked at.
_STEPS_PAIRED = 3
# Calls of compiled functions that are under way outside of `fit`, outermost first.
_calls: list[Traced] = []
# The compiled functions that train, by id.
_trainers: dict[int, FunctionLoop] = {}
# The loops that run eagerly, by id of the optimizer.
_eager: dict[int, EagerLoop] = {}


class _Open:
    """The step of an eager loop that is under way."""

    # Tapes that watch.
    tapes = 0
    # Steps since a loop was last begun: which optimizer the next one is for is not known when it begins.
    steps = 0
    recorded: LoopRecorder | None = None


class Traced:
    """A call of a compiled function, and what is seen of its training while it is traced."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.observed = LoopRecorder(sys.modules["tensorflow"], keep=False)
        # Each with the variables that it changes.
        self.applied: list[tuple[Any, list[Any]]] = []
        self.site = sites.caller()


class Loop:
    """One loop: the training it amounts to."""

    def __init__(self, model: LoopModel, site: sites.Site | None) -> None:
        self.model = model
        self.run = fit.loop(model, site)
        self.why_not: str | None = None

    def cannot(self, why: str) -> None:
        """The layers are not seen from here on."""
        if self.why_not is None:
            self.why_not = why
            reporting.cannot_probe(self.model, why)


class EagerLoop(Loop):
    """Steps that run one operation at a time."""

    def finish(self, recorded: LoopRecorder, before: dict[int, Any], keys: set[int], rate: float) -> None:
        """The gradients have been applied to the variables with these keys."""
        target = recorded.loss_tensor(keys)
        if target is None:
            # Nothing is known of this step.
            self.run.step += 1
            return
        probe, batch = None, None
        if recorded.keep:
            probe = recorded.probe(self.model, before)
            batch = (recorded.inputs, recorded.labels)
            calls = recorded.first_calls()
            shapes = {key: [None, *call.after.shape.as_list()[1:]] for key, call in calls.items()}
            self.run.pairings = recorded.pairings.found
            self.run.announce(recorded.layers, {}, shapes, batch)
        reporting.report(self.run, [batch], probe, {}, float(target), rate)


class FunctionLoop(Loop):
    """Steps that are a compiled function of the user's."""

    def __init__(self, tf: Any, seen: Traced) -> None:
        changed = [variable for _, variables in seen.applied for variable in variables]
        roots = roots_of(seen.observed.roots, changed)
        super().__init__(LoopModel(roots, seen.applied[0][0], seen.observed.loss), seen.site)
        self._shadow = LoopShadow(tf, self.model, seen.function)
        # Kept alive, and with it its id.
        self._function = seen.function
        # Which of the function's results is the loss.
        self._result: int | None = None
        self._tf = tf

    def call(self, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One step."""
        probe, failure = None, None
        step, started = self.run.step, time.perf_counter()
        rate = _rate_of(self.model.optimizer)
        if self.why_not is None and self.run.cadence.due(self.run.step):
            try:
                probe = self._shadow.run((args, kwargs))
            except CannotProbe as reason:
                failure = str(reason)
            except Exception:
                failure = traceback.format_exc(limit=-3)
        own = time.perf_counter()
        result = original(*args, **kwargs)
        self.run.seconds = time.perf_counter() - own
        if failure is not None:
            self.cannot(failure)
        fit.guarded(self._report, probe, result, rate)
        self.run.cadence.spent(step, probe is not None, self.run.seconds, time.perf_counter() - started)
        return result

    def _report(self, probe: Any, result: Any, rate: float) -> None:
        numbers = [_scalar(self._tf, value) for value in self._tf.nest.flatten(result)]
        if probe is not None and probe.loss is not None:
            near = [
                at
                for at, value in enumerate(numbers)
                if value is not None and math.isclose(value, probe.loss, rel_tol=1e-4, abs_tol=1e-7)
            ]
            if self._result not in near:
                self._result = near[0] if near else None
        shadow = self._shadow
        batch = None
        if probe is not None:
            batch = (probe.inputs, probe.labels)
            self.run.pairings = shadow.pairings
            self.run.announce(shadow.layers, shadow.sources, shadow.shapes, batch)
        loss = numbers[self._result] if self._result is not None else None
        if probe is not None:
            loss = probe.loss if probe.loss is not None else loss
        if loss is None:
            # Nothing is known of this step.
            self.run.step += 1
            self.run.batch += 1
            return
        reporting.report(self.run, [batch], probe, {}, loss, rate)


def _scalar(tf: Any, value: Any) -> float | None:
    if isinstance(value, tf.Tensor) and value.shape.rank == 0 and value.dtype.is_floating:
        return float(value)
    return None


def patch_function(module: ModuleType) -> None:
    """Follows calls of compiled functions outside of `fit`."""
    function = module.Function
    original = function.__call__

    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _calls or fit.training() or not sys.modules["tensorflow"].executing_eagerly():
            return original(self, *args, **kwargs)
        loop = _trainers.get(id(self))
        if loop is not None:
            return loop.call(functools.partial(original, self), args, kwargs)
        seen = Traced(self)
        _calls.append(seen)
        try:
            with recorder.activated(seen.observed):
                result = original(self, *args, **kwargs)
        finally:
            _calls.pop()
        if seen.applied:
            fit.guarded(_found, seen)
        return result

    function.__call__ = __call__


def _found(seen: Traced) -> None:
    """A compiled function turned out to train; this was its first step."""
    loop = FunctionLoop(sys.modules["tensorflow"], seen)
    _trainers[id(seen.function)] = loop
    loop.run.step += 1
    loop.run.batch += 1


def patch_tape(module: ModuleType) -> None:
    """Records what happens under a tape outside of `fit`."""
    tape = module.GradientTape
    enter, leave, gradient = tape.__enter__, tape.__exit__, tape.gradient

    @functools.wraps(enter)
    def __enter__(self: Any) -> Any:
        fit.guarded(_open)
        return enter(self)

    @functools.wraps(leave)
    def __exit__(self: Any, *args: Any) -> Any:
        fit.guarded(_close)
        return leave(self, *args)

    @functools.wraps(gradient)
    def gradient_(self: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        active = recorder.active()
        if active is None:
            active = _Open.recorded if _outside() else None
        if active is None or not hasattr(active, "gradient"):
            return gradient(self, target, sources, *args, **kwargs)
        return active.gradient(gradient, self, target, sources, args, kwargs)

    tape.__enter__, tape.__exit__, tape.gradient = __enter__, __exit__, gradient_


def _outside() -> bool:
    tf = sys.modules["tensorflow"]
    return not _calls and not fit.training() and tf.executing_eagerly()


def _open() -> None:
    """A tape begins to watch."""
    if not _outside():
        return
    _Open.tapes += 1
    if _Open.tapes == 1:
        _Open.recorded = LoopRecorder(sys.modules["tensorflow"], keep=config.current.due(_Open.steps))
        _Open.steps += 1
        recorder.push(_Open.recorded)
        # Operations that are told of run slower, and do the same in every step.
        if _Open.recorded.keep and _Open.steps <= _STEPS_PAIRED:
            _Open.recorded.pairings.start()


def _close() -> None:
    if _Open.tapes and _outside():
        _Open.tapes -= 1
        if _Open.tapes == 0:
            recorder.remove(_Open.recorded)
            _Open.recorded.pairings.stop()


def patch_loss(module: ModuleType) -> None:
    """Sees which loss a loop works out, of what."""
    base = module.Loss
    original = base.__call__

    @functools.wraps(original)
    def __call__(self: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        active = recorder.active()
        if isinstance(active, LoopRecorder):
            active.compare(self, y_true, y_pred)
        return original(self, y_true, y_pred, *args, **kwargs)

    base.__call__ = __call__


def patch_apply(base: Any, name: str) -> None:
    """Notes the end of a step in a loop of the user's own. `name` is the method that applies gradients."""
    original = getattr(base, name)

    @functools.wraps(original)
    def apply(self: Any, *args: Any, **kwargs: Any) -> Any:
        if fit.training() or _applying:
            return original(self, *args, **kwargs)
        _applying.append(self)
        try:
            return _apply(functools.partial(original, self), self, args, kwargs)
        finally:
            _applying.pop()

    setattr(base, name, apply)


# An optimizer that applies gradients now: its methods call each other.
_applying: list[Any] = []


def _apply(
    original: Callable[..., Any], optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    tf = sys.modules.get("tensorflow")
    if tf is None or _on_other_backend(optimizer):
        text = "the script trains in a loop of its own, which is observed on TensorFlow only"
        notice("custom-loop", text, sites.caller())
        return original(*args, **kwargs)
    if original.func.__name__ == "apply_gradients" and args:
        # An iterator can be gone through only once.
        args = (list(args[0]), *args[1:])
        variables = [variable for _, variable in args[0]]
    else:
        variables = args[1] if len(args) > 1 else kwargs.get("trainable_variables")
        variables = list(variables or getattr(optimizer, "_trainable_variables", ()))
    if _calls:
        seen = _calls[-1]
        if all(optimizer is not other for other, _ in seen.applied):
            seen.applied.append((optimizer, variables))
        return original(*args, **kwargs)
    recorded = _Open.recorded
    if recorded is None or not tf.executing_eagerly():
        return original(*args, **kwargs)
    before = fit.guarded(recorded.weights, variables) if recorded.keep else None
    rate = _rate_of(optimizer)
    result = original(*args, **kwargs)
    fit.guarded(_eager_step, optimizer, recorded, before or {}, variables, rate)
    return result


def _rate_of(optimizer: Any) -> float:
    rate = getattr(optimizer, "learning_rate", math.nan)
    try:
        return dialect.number(rate)
    except (TypeError, ValueError):
        pass
    try:  # A schedule of a legacy optimizer.
        return float(rate(optimizer.iterations))
    except Exception:  # An optimizer that is not built yet.
        return math.nan


def _eager_step(
    optimizer: Any, recorded: LoopRecorder, before: dict[int, Any], variables: list[Any], rate: float
) -> None:
    loop = _eager.get(id(optimizer))
    if loop is None:
        _Open.steps = 0
        model = LoopModel(roots_of(recorded.roots, variables), optimizer, recorded.loss)
        loop = _eager[id(optimizer)] = EagerLoop(model, sites.caller())
    keys = {id(inner(variable)) for variable in variables}
    loop.finish(recorded, before, keys, rate)


def _on_other_backend(optimizer: Any) -> bool:
    if dialect.package_of(optimizer) == "tf_keras":
        return False
    keras = sys.modules.get("keras")
    return keras is not None and keras.backend.backend() != "tensorflow"
