"""Patches of Keras' trainers."""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any, Callable

from . import errors, evaluations, fit, sites


def patch_compile(trainer: Any) -> None:
    """Notes where models are compiled."""
    compile_ = trainer.compile

    @functools.wraps(compile_)
    def compiled(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = compile_(self, *args, **kwargs)
        fit.guarded(_after_compile, self, args[0] if args else kwargs.get("optimizer"))
        return result

    trainer.compile = compiled


def _after_compile(model: Any, given: Any) -> None:
    site = sites.caller()
    fit.remember_compile(model, site)
    optimizer = model.optimizer
    if optimizer is None:
        return
    if isinstance(given, (str, dict, type(None))):
        # Keras made it within `compile`; there is no call of the user's own to show.
        sites.remember(optimizer, None)
    elif optimizer is not given:
        # Wrapped for mixed precision.
        sites.remember(optimizer, sites.recall(given))


def patch_trainer(trainer: Any) -> None:
    """Lets trainings be known: `fit` and `train_on_batch`."""
    trainer.fit = _followed_fit(trainer.fit)
    trainer.train_on_batch = _followed_batch(trainer.train_on_batch)
    evaluations.patch_evaluate(trainer)


def _followed_fit(original: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def fit_(self: Any, *args: Any, **kwargs: Any) -> Any:
        site = sites.caller()
        run = fit.guarded(lambda: fit.begin(self, "fit", site, _bound(signature, self, args, kwargs)))
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            if run is not None:
                errors.note_fit(error, run.number)
                fit.guarded(fit.finish, run, "exception")
            raise
        if run is not None:
            fit.guarded(fit.finish, run, "finished")
            fit.guarded(evaluations.remember, self, run.number, run.labels)
        return result

    return fit_


def _followed_batch(original: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def train_on_batch(self: Any, *args: Any, **kwargs: Any) -> Any:
        site = sites.caller()
        run = fit.guarded(lambda: fit.batchwise(self, site, _bound(signature, self, args, kwargs)))
        if run is None:
            return original(self, *args, **kwargs)
        run.running = True
        try:
            return original(self, *args, **kwargs)
        except BaseException as error:
            errors.note_fit(error, run.number)
            raise
        finally:
            run.running = False

    return train_on_batch


def _bound(signature: inspect.Signature, *call: Any) -> dict[str, Any]:
    """The arguments of the call by name; none of them when the call is wrong and about to fail."""
    self, args, kwargs = call
    try:
        return dict(signature.bind(self, *args, **kwargs).arguments)
    except TypeError:
        return {}


def patch_make_train_function(trainer: Any, stand_in: Callable[[Any, Any], Any]) -> None:
    """Stands in for the function that trains on the next batch.

    `stand_in` is given the model and that function, and returns what is called in its place.
    """
    make = trainer.make_train_function

    @functools.wraps(make)
    def make_train_function(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = make(self, *args, **kwargs)
        fit.guarded(_replace, self, stand_in)
        # Keras 2 uses what is returned, Keras 3 the attribute.
        return result if result is None else self.train_function

    trainer.make_train_function = make_train_function


def _replace(model: Any, stand_in: Callable[[Any, Any], Any]) -> None:
    plain = model.train_function
    if plain is None or hasattr(plain, "_deeplocalize_stepper"):
        return
    stepper = stand_in(model, plain)

    def train_function(*args: Any) -> Any:
        return stepper.step(*args)

    train_function._deeplocalize_stepper = stepper  # type: ignore[attr-defined]
    model.train_function = train_function


def on_tensorflow(model: Any, plain: Any) -> Any:
    """The stand-in on TensorFlow."""
    from .old_stepper import OldStepper
    from .stepper import Stepper

    whole = hasattr(plain, "get_concrete_function")
    return (OldStepper if whole else Stepper)(sys.modules["tensorflow"], model, plain)


def on_tf_keras(model: Any, plain: Any) -> Any:
    """The stand-in in Keras 2."""
    from .old_stepper import OldStepper

    return OldStepper(sys.modules["tensorflow"], model, plain)


def on_jax(model: Any, plain: Any) -> Any:
    """The stand-in on JAX."""
    from .jax_stepper import JaxStepper

    return JaxStepper(sys.modules["jax"], model, plain)


def on_torch(model: Any, plain: Any) -> Any:
    """The stand-in on PyTorch."""
    from .torch_stepper import TorchStepper

    return TorchStepper(sys.modules["torch"], model, plain)
