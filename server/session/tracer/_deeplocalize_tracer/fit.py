"""The trainings of a run: what is sent about each of them."""

from __future__ import annotations

import functools
import math
import traceback
from collections.abc import Hashable
from typing import Any, Callable, ClassVar

import numpy as np

from . import data, dialect, layers, losses, predictions, sites, statistics
from .cadence import Cadence
from .channel import channel, notice
from .probe import Probe

_COMPILE = "_deeplocalize_compile_site"
_SCALARS = ["loss", "learning_rate", "batch_size", *predictions.NAMES, "seconds"]

# Trainings by `fit` that have not ended, outermost first: a callback may train another model.
_open: list[Run] = []
# Trainings by `train_on_batch` and loops, by id of the model; they have no end of their own.
_batchwise: dict[int, Run] = {}


class Run:
    """One training."""

    # Trainings so far.
    count: ClassVar[int] = 0

    def __init__(self, model: Any, call: str, site: sites.Site | None, arguments: dict[str, Any]) -> None:
        self.number = Run.count
        Run.count += 1
        self.model = model
        self.steps_per_epoch: int | None = None
        self.epoch = 0
        self.batch = 0
        self.step = 0
        # Whether somebody else sends the steps (the one who stands in for Keras' train function).
        self.stepped = False
        # How long the training itself took for the step that is being sent.
        self.seconds = math.nan
        # Whether a call of `train_on_batch` is under way.
        self.running = False
        self._call = call
        self._site = site
        self._arguments = arguments
        self.cadence = Cadence(functools.partial(channel.send, "cadence", fit=self.number))
        # Where the loss combines every row with every other one.
        self.pairings: list[dict[str, Any]] = []
        self._announced = False
        # What the labels look like, once they are known.
        self.labels: list[dict[str, Any]] = []
        self._layouts: dict[Hashable, int] = {}
        self._layout = 0
        self._mean_loss = 0.0
        self._loss: dict[str, Any] | None = None

    def announce(
        self,
        ordered: list[Any] | None = None,
        sources: dict[int, list[int]] | None = None,
        shapes: dict[int, Any] | None = None,
        batch: Any = None,
        learning_rate: float = math.nan,
    ) -> None:
        """Sends the `fit` message, once. `learning_rate` where the optimizer itself cannot tell it now."""
        if self._announced:
            return
        self._announced = True
        model = self.model
        if ordered is None:
            ordered = layers.leaves(model)
        self._loss = losses.describe(model)
        described = data.describe_training(self._arguments, batch)
        guarded(data.name_outputs, described.y, self._arguments.get("y"), model)
        self.labels = described.y
        steps = self.steps_per_epoch
        if steps is None and described.samples and described.batch_size:
            steps = math.ceil(described.samples / described.batch_size)
        channel.send(
            "fit",
            fit=self.number,
            call=self._call,
            site=self._site,
            compile_site=vars(model).get(_COMPILE),
            model={
                "name": model.name,
                "class": getattr(model, "kind", type(model).__name__),
                "site": sites.recall(model),
            },
            layers=layers.describe(model, ordered, sources or {}, shapes or {}),
            inputs=guarded(layers.inputs, model) or [],
            optimizer=_optimizer(getattr(model, "optimizer", None), learning_rate),
            loss=self._loss,
            metrics=_metrics(model),
            epochs=self._arguments.get("epochs", 1) if self._call == "fit" else None,
            batch_size=described.batch_size,
            steps_per_epoch=steps if self._call == "fit" else None,
            samples=described.samples,
            shuffle=described.shuffle,
            validation=bool(
                self._arguments.get("validation_data") is not None or self._arguments.get("validation_split")
            ),
            data={
                "x": described.x,
                "y": described.y,
                "baselines": described.baselines,
                "held_out": described.held_out,
            },
            duplicates=described.duplicates,
            pairings=self.pairings,
            class_weight=data.class_weight(self._arguments.get("class_weight")),
            weighted=any(self._arguments.get(name) is not None for name in ("class_weight", "sample_weight")),
        )

    def begin_epoch(self, epoch: int) -> None:
        """A new epoch: Keras counts batches from 0 again."""
        self.epoch = epoch
        self.batch = 0
        self._mean_loss = 0.0

    def end_epoch(self, epoch: int, logs: Any) -> None:
        """Sends what Keras logs of the epoch."""
        channel.send("epoch", fit=self.number, epoch=epoch, logs=floats(logs))

    def end_batch(self, batch: int, logs: Any) -> None:
        """For back ends whose steps nobody stands in for: the loss of the batch from the running mean."""
        if self.stepped:
            return
        notice(
            "unsupported",
            "layers are not probed on this back end; the loss is all that is seen",
        )
        found = floats(logs)
        mean = found.get("loss", math.nan)
        loss = mean * (batch + 1) - self._mean_loss * batch
        self._mean_loss = mean
        self.announce()
        self.send(batch, None, found, loss, math.nan, math.nan, predictions.UNKNOWN)

    def send(
        self,
        batch: int,
        probe: Probe | None,
        logs: dict[str, float],
        loss: float,
        learning_rate: float,
        batch_size: float,
        compared: list[float],
    ) -> None:
        """Sends a step frame, with a layout before it when the numbers change their meaning."""
        metrics = tuple(name for name in logs if name != "loss")
        rows = tuple(probe.rows) if probe else ()
        if probe or not self._layouts:
            self.use_layout(
                (rows, metrics),
                lambda: {
                    "scalars": [*_SCALARS, *(f"metric:{name}" for name in metrics)],
                    "stats": statistics.NAMES,
                    "rows": [row.message() for row in rows],
                },
            )
        scalars = [
            loss,
            learning_rate,
            batch_size,
            *compared,
            self.seconds,
            *(logs[name] for name in metrics),
        ]
        stats = probe.stats.astype("<f8").tobytes() if probe and probe.stats is not None else b""
        position = (self.number, self._layout, self.epoch, batch, self.step)
        self.cadence.saw(self.step, loss)
        channel.send_step(position, np.asarray(scalars, dtype="<f8").tobytes(), len(rows), stats)
        self.step += 1

    @property
    def has_layout(self) -> bool:
        """Whether the numbers of the steps have been named."""
        return bool(self._layouts)

    def send_raw(self, scalars: bytes, rows: int, stats: bytes) -> None:
        """Sends the next step, whose numbers somebody else has put together as the layout in use says."""
        position = (self.number, self._layout, self.epoch, self.batch, self.step)
        channel.send_step(position, scalars, rows, stats)
        self.batch += 1
        self.step += 1

    def send_inside(self, kind: str, found: dict[str, Any]) -> None:
        """Sends what only an engine can see of the step that was sent last."""
        where = {"fit": self.number, "step": self.step - 1}
        if kind == "fault":
            where.update(epoch=self.epoch, batch=self.batch - 1)
        channel.send(kind, **{**found, **where})

    def use_layout(self, key: Hashable, names: Callable[[], dict[str, Any]]) -> None:
        """Names the numbers of the steps that follow, if that has not been done under this key."""
        if key not in self._layouts:
            self._layouts[key] = len(self._layouts)
            channel.send("layout", fit=self.number, layout=self._layouts[key], **names())
        self._layout = self._layouts[key]

    def compare(self, labels: Any, prediction: Any) -> list[float]:
        """The scalars that compare the labels with the predictions."""
        loss = self._loss or {}
        from_logits = bool(loss.get("config", {}).get("from_logits"))
        return predictions.compare(labels, prediction, loss.get("name"), from_logits)

    def end(self, reason: str) -> None:
        """Sends the end of the training, and its beginning if it never came to a step."""
        if not self._announced:
            self.announce()
        channel.send("fit-end", fit=self.number, reason=reason)


def begin(model: Any, call: str, site: sites.Site | None, arguments: dict[str, Any]) -> Run:
    """A call of `fit` begins."""
    _batchwise.pop(id(model), None)
    run = Run(model, call, site, arguments)
    _open.append(run)
    return run


def finish(run: Run, reason: str) -> None:
    """That call ends."""
    _open.remove(run)
    run.end(reason)


def batchwise(model: Any, site: sites.Site | None, arguments: dict[str, Any]) -> Run:
    """The training that this call of `train_on_batch` belongs to: one for each model and place."""
    run = _batchwise.get(id(model))
    if run is None:
        run = _batchwise[id(model)] = Run(model, "train_on_batch", site, arguments)
    return run


def loop(model: Any, site: sites.Site | None) -> Run:
    """The training that a loop of the user's own amounts to."""
    run = _batchwise[id(model)] = Run(model, "loop", site, {})
    return run


def innermost() -> Run | None:
    """The call of `fit` that is running."""
    return _open[-1] if _open else None


def of_model(model: Any) -> Run | None:
    """The training that a step of this model belongs to."""
    for run in reversed(_open):
        if run.model is model:
            return run
    return _batchwise.get(id(model))


def training() -> bool:
    """Whether a call of `fit` or `train_on_batch` is under way."""
    return bool(_open) or any(run.running for run in _batchwise.values())


def end_all() -> None:
    """The script is over."""
    for run in _batchwise.values():
        guarded(run.end, "finished")
    _batchwise.clear()


def count() -> int:
    """Trainings so far."""
    return Run.count


def guarded(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls one of ours; its failure is reported and never reaches the script."""
    try:
        return function(*args, **kwargs)
    except Exception:
        notice("unsupported", f"part of the training cannot be observed: {traceback.format_exc(limit=-3)}")
        return None


def remember_compile(model: Any, site: sites.Site | None) -> None:
    """Notes where the model was compiled."""
    object.__setattr__(model, _COMPILE, site)


def floats(logs: Any) -> dict[str, float]:
    """The logs that are single numbers."""
    found: dict[str, float] = {}
    for name, value in logs.items() if isinstance(logs, dict) else ():
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError):
            continue
    return found


def _optimizer(optimizer: Any, rate: float) -> dict[str, Any] | None:
    if optimizer is None:
        return None
    return {
        "class": type(optimizer).__name__,
        "site": sites.recall(optimizer),
        "learning_rate": _rate_of(optimizer) if math.isnan(rate) else rate,
        "config": layers.config_of(optimizer),
    }


def _rate_of(optimizer: Any) -> float | None:
    try:
        return dialect.number(optimizer.learning_rate)
    except (
        Exception
    ):  # On JAX the variables are empty while a training runs; in old Keras it may be a schedule.
        return None


def _metrics(model: Any) -> list[str]:
    names = []
    for metric in _flat(dialect.user_metrics(model)):
        names.append(metric if isinstance(metric, str) else getattr(metric, "name", None) or _name(metric))
    return names


def _flat(metrics: Any) -> list[Any]:
    if isinstance(metrics, dict):
        metrics = list(metrics.values())
    if isinstance(metrics, (list, tuple)):
        return [item for metric in metrics for item in _flat(metric)]
    return [] if metrics is None else [metrics]


def _name(metric: Any) -> str:
    return getattr(metric, "__name__", type(metric).__name__)
