"""Takes note of the tensors of a training step on JAX while it is traced.

What is noted within a differentiated function is handed out of it as part of its result. To each noted value
a zero is added, by which the function is differentiated too: that is the gradient of the loss at this value.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Callable

from . import recorder
from .activations import ACTIVATION_LAYERS
from .recorder import Call, variable_key, watched_activation

# How many operations to walk back from a layer's input to the layer that made it.
_LONGEST_WALK = 200


class Unstable(Exception):
    """The step took another course when it was traced again."""


@dataclass
class _Pass:
    """One trip through a differentiated function, or through what lies outside of all of them."""

    # Where tracers may come from to be noted; those of loops and inner functions cannot be handed out.
    traces: list[Any]
    # Zeros to add in order, while differentiating.
    shifts: list[Any] | None = None
    calls: list[Call] = field(default_factory=list)
    # For each call the places of its values among `noted`, and what it was given.
    places: list[tuple[int | None, int]] = field(default_factory=list)
    inputs: list[list[Any]] = field(default_factory=list)
    noted: list[Any] = field(default_factory=list)
    prediction: Any = None

    def note(self, value: Any) -> Any:
        """Notes a value, and returns what to go on with."""
        if self.shifts is not None:
            at = len(self.noted)
            if at >= len(self.shifts) or self.shifts[at].shape != value.shape:
                raise Unstable("it is not the same each time it is traced")
            moved = value + self.shifts[at]
            _carry_mask(value, moved)
            value = moved
        self.noted.append(value)
        return value


class JaxRecorder:
    """Records one step of `model`, whose leaf layers are `leaves`.

    `weights` are trainable variables with the tracers that stand for their values in this step.
    """

    def __init__(self, jax: Any, model: Any, leaves: list[Any], weights: list[tuple[Any, Any]]) -> None:
        self._jax = jax
        self.model = model
        self._leaves = {id(layer) for layer in leaves}
        self._weights = weights
        self._pass = _Pass(_traces_of([value for _, value in weights]))
        self._differentiating = False
        self.calls: list[Call] = self._pass.calls
        # By `variable_key`.
        self.gradients: dict[int, Any] = {}

    @property
    def prediction(self) -> Any:
        """The first output of the model."""
        return self._pass.prediction

    def first_calls(self) -> dict[int, Call]:
        """One call for each layer, by id, in the order of the forward pass."""
        return recorder.first_calls(self.calls)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Everything that happens in this context is recorded."""
        # Keras' own step calls the model without `__call__`. Past Keras' attribute tracking.
        attributes = vars(self.model)
        original = self.model.stateless_call

        def stateless_call(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            self._pass.prediction = self._first(result[0])
            return result

        attributes["stateless_call"] = stateless_call
        try:
            with recorder.activated(self):
                yield
        finally:
            del attributes["stateless_call"]

    def call(
        self, original: Callable[..., Any], layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Calls a layer and, if it is one of the leaves, notes its tensors."""
        current = self._pass
        if id(layer) not in self._leaves:
            output = original(layer, *args, **kwargs)
            if layer is self.model:
                current.prediction = self._first(output)
            return output
        before: list[Any] = []
        before_at: int | None = None

        def note(tensor: Any) -> Any:
            nonlocal before_at
            if before or not self._usable(tensor):
                return tensor
            before_at = len(current.noted)
            before.append(current.note(tensor))
            return before[0]

        with watched_activation(layer, note):
            output = original(layer, *args, **kwargs)
        after = self._first(output)
        if after is None:
            return output
        if not before and type(layer).__name__ in ACTIVATION_LAYERS:
            before.append(self._first(args))
        after_at = len(current.noted)
        moved = current.note(after)
        if moved is not after:
            replace = self._jax.tree_util.tree_map
            output = replace(lambda leaf: moved if leaf is after else leaf, output)
        current.calls.append(Call(layer, before[0] if before else None, moved))
        current.places.append((before_at, after_at))
        current.inputs.append(self._flat((args, kwargs)))
        return output

    def differentiate(
        self,
        value_and_grad: Callable[..., Any],
        function: Callable[..., Any],
        argnums: int | Sequence[int],
        has_aux: bool,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """What the function made by `jax.value_and_grad` returns; notes the gradients on the way."""
        chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        parameters = [args[at] for at in chosen]

        def called(values: Sequence[Any]) -> Any:
            given = list(args)
            for at, value in zip(chosen, values):
                given[at] = value
            result = function(*given, **kwargs)
            return result if has_aux else (result, None)

        outside, self._differentiating = self._pass, True
        try:
            shapes, sources = self._survey(called, parameters, outside.traces)
            zeros = [self._jax.numpy.zeros(shape.shape, shape.dtype) for shape in shapes]

            def noted(shifts: list[Any], *values: Any) -> Any:
                self._pass = _Pass([*outside.traces, *_traces_of(self._leaves_of((shifts, values)))], shifts)
                loss, aux = called(values)
                if len(self._pass.noted) != len(shifts):
                    raise Unstable("it is not the same each time it is traced")
                calls = [(call.before, call.after) for call in self._pass.calls]
                return loss, (aux, calls, self._pass.prediction)

            differentiated = value_and_grad(noted, argnums=tuple(range(len(chosen) + 1)), has_aux=True)
            (loss, (aux, values, prediction)), (at_noted, *gradients) = differentiated(zeros, *parameters)
            inside = self._pass
        finally:
            self._pass, self._differentiating = outside, False
        for call, found, (before_at, after_at), read in zip(inside.calls, values, inside.places, sources):
            call.before, call.after = found
            call.before_gradient = None if before_at is None else at_noted[before_at]
            call.after_gradient = at_noted[after_at]
            call.sources = read
            outside.calls.append(call)
        if prediction is not None:
            outside.prediction = prediction
        self._keep(parameters, gradients)
        return ((loss, aux) if has_aux else loss), gradients[0] if isinstance(argnums, int) else tuple(
            gradients
        )

    @property
    def differentiating(self) -> bool:
        """Whether a differentiated function is being traced; those within it are left alone."""
        return self._differentiating

    def _survey(
        self, called: Callable[..., Any], parameters: list[Any], traces: list[Any]
    ) -> tuple[list[Any], list[list[int]]]:
        """Shapes of what will be noted, in order; and for each call the layers that it reads from."""
        surveyed = _Pass(traces)

        def visited(*values: Any) -> Any:
            surveyed.traces = [*traces, *_traces_of(self._leaves_of(values))]
            self._pass = surveyed
            called(values)
            return surveyed.noted, [call.after for call in surveyed.calls], surveyed.inputs

        jaxpr, shapes = self._jax.make_jaxpr(visited, return_shape=True)(*parameters)
        ends = iter(jaxpr.jaxpr.outvars)
        _, outputs, inputs = self._jax.tree_util.tree_map(lambda _: next(ends), shapes)
        keys = [id(call.layer) for call in surveyed.calls]
        return shapes[0], _sources(jaxpr.jaxpr, keys, outputs, inputs)

    def _keep(self, parameters: list[Any], gradients: list[Any]) -> None:
        variables = {id(value): variable for variable, value in self._weights}
        for value, gradient in zip(self._leaves_of(parameters), self._leaves_of(gradients)):
            variable = variables.get(id(value))
            if variable is not None:
                self.gradients.setdefault(variable_key(variable), gradient)

    def _leaves_of(self, tree: Any) -> list[Any]:
        return self._jax.tree_util.tree_leaves(tree)

    def _flat(self, tree: Any) -> list[Any]:
        return [leaf for leaf in self._leaves_of(tree) if self._usable(leaf)]

    def _first(self, tree: Any) -> Any:
        found = self._flat(tree)
        return found[0] if found else None

    def _usable(self, tensor: Any) -> bool:
        """Floats of the function that is being traced."""
        jax = self._jax
        if not isinstance(tensor, jax.Array) or not jax.numpy.issubdtype(tensor.dtype, jax.numpy.floating):
            return False
        if not isinstance(tensor, jax.core.Tracer):
            return True
        own = _trace(tensor)
        return any(own is trace for trace in self._pass.traces)


def _trace(tracer: Any) -> Any:
    """What a tracer belongs to; JAX before 0.4.36 makes several objects of the same one."""
    found = getattr(tracer, "_trace", None)
    main = getattr(found, "main", None)
    return main if type(main).__name__ == "MainTrace" else found


def _traces_of(leaves: list[Any]) -> list[Any]:
    unique = {id(trace): trace for trace in map(_trace, leaves) if trace is not None}
    return list(unique.values())


def _carry_mask(source: Any, target: Any) -> None:
    """Keras hangs masks on tensors."""
    try:
        from keras.src.backend import get_keras_mask, set_keras_mask
    except ImportError:  # Keras before 3.6 has a plain attribute, which JAX arrays refuse.
        return
    mask = get_keras_mask(source)
    if mask is not None:
        set_keras_mask(target, mask)


def _sources(jaxpr: Any, keys: list[int], outputs: list[Any], inputs: list[list[Any]]) -> list[list[int]]:
    """For each call the ids of the layers whose outputs reach it without passing through another layer."""
    made_by = {id(variable): equation for equation in jaxpr.eqns for variable in equation.outvars}
    makers: dict[int, int] = {}
    found: list[list[int]] = []
    for key, output, read in zip(keys, outputs, inputs):
        own: list[int] = []
        pending, seen = list(read), set()
        while pending and len(seen) < _LONGEST_WALK:
            variable = pending.pop()
            if id(variable) in seen:
                continue
            seen.add(id(variable))
            maker = makers.get(id(variable))
            if maker is not None:
                if maker not in own:
                    own.append(maker)
            elif id(variable) in made_by:
                pending.extend(made_by[id(variable)].invars)
        found.append(own)
        makers[id(output)] = key
    return found


def patch_jax(module: ModuleType) -> None:
    """Lets the recorder take part when a step is differentiated."""
    value_and_grad = module.value_and_grad

    def patched(original: Callable[..., Any], keep_value: bool) -> Callable[..., Any]:
        @functools.wraps(original)
        def differentiating(
            fun: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *args: Any, **kwargs: Any
        ) -> Any:
            plain = original(fun, argnums, has_aux, *args, **kwargs)

            @functools.wraps(plain)
            def differentiated(*given: Any, **named: Any) -> Any:
                active = recorder.active()
                if not isinstance(active, JaxRecorder) or active.differentiating or args or kwargs:
                    return plain(*given, **named)
                result, gradients = active.differentiate(value_and_grad, fun, argnums, has_aux, given, named)
                if keep_value:
                    return result, gradients
                return (gradients, result[1]) if has_aux else gradients

            return differentiated

        return differentiating

    module.value_and_grad = patched(value_and_grad, keep_value=True)
    module.grad = patched(module.grad, keep_value=False)
