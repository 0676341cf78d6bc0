"""Takes note of the tensors of a training step on PyTorch while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

import numpy as np

from .recorder import Call, Recorder, activated

# How many operations to walk back from a layer's input to the layer that made it.
_LONGEST_WALK = 200


class TorchRecorder(Recorder):
    """Records the very step: its operations run one by one, and hooks on tensors change none of them."""

    def __init__(self, torch: Any, model: Any, leaves: list[Any]) -> None:
        super().__init__(torch, model, leaves)
        self._torch = torch
        # What made the outputs of layers, in autograd's graph, with the layers' ids.
        self._nodes: list[tuple[Any, int]] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Everything in this context is recorded."""
        with activated(self):
            yield

    def note_call(
        self, original: Callable[..., Any], layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Calls a layer, notes its tensors and has autograd note their gradients."""
        before = len(self.calls)
        output = super().note_call(original, layer, args, kwargs)
        for call in self.calls[before:]:
            if call.layer is layer:
                self._hook(call)
                self._nodes += [
                    (tensor.grad_fn, id(layer)) for tensor in self._flat(output) if tensor.grad_fn is not None
                ]
        return output

    def _hook(self, call: Call) -> None:
        def of_output(gradient: Any) -> None:
            call.after_gradient = gradient.detach()

        def of_value(gradient: Any) -> None:
            call.before_gradient = gradient.detach()

        if call.after.requires_grad:
            call.after.register_hook(of_output)
        if call.before is not None and call.before is not call.after and call.before.requires_grad:
            call.before.register_hook(of_value)

    def _flat(self, tensors: Any) -> list[Any]:
        found: list[Any] = []
        pending = [tensors]
        while pending:
            item = pending.pop(0)
            if isinstance(item, dict):
                pending.extend(item.values())
            elif isinstance(item, (list, tuple)):
                pending.extend(item)
            elif self._usable(item):
                found.append(item)
        return found

    def _usable(self, tensor: Any) -> bool:
        return isinstance(tensor, self._torch.Tensor) and tensor.is_floating_point()

    def _sources(self, arguments: Any) -> list[int]:
        """Ids of the layers whose outputs reach these arguments without passing through another layer."""
        makers = {id(node): layer for node, layer in self._nodes}
        pending = [tensor.grad_fn for tensor in self._flat(arguments)]
        found: list[int] = []
        seen: set[int] = set()
        # Kept, so that no other node gets the id of one that was looked at.
        kept: list[Any] = []
        while pending and len(seen) < _LONGEST_WALK:
            node = pending.pop()
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            kept.append(node)
            maker = makers.get(id(node))
            if maker is None:
                pending.extend(following for following, _ in node.next_functions)
            elif maker not in found:
                found.append(maker)
        return found


def array(tensor: Any) -> np.ndarray:
    """The values of a tensor; those on a device are fetched, and NumPy knows no bfloat16."""
    values = tensor.detach().cpu()
    return (values.float() if str(values.dtype) == "torch.bfloat16" else values).numpy()
