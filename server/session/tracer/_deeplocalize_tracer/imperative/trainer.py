"""Gives Keras' trainer on NumPy what it lacks: `fit`, and the rest by the engine."""

from __future__ import annotations

import sys
import time
import warnings
from types import ModuleType
from typing import Any

import numpy as np

from . import adapters, learner
from .giving_up import NotCovered, give_up
from .steps import Reporter

# Steps are handed over in groups that take about so long, so that the verdict is not late.
_SECONDS = 0.03
_MOST_BYTES = 32 << 20
_MOST_STEPS = 256
# Callbacks of Keras that do nothing at the end of a batch that anybody would miss.
_BY_EPOCH = {
    "CSVLogger",
    "EarlyStopping",
    "History",
    "LearningRateScheduler",
    "ProgbarLogger",
    "ReduceLROnPlateau",
}
_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


def patch_trainer(module: ModuleType) -> None:
    """Replaces what the trainer on NumPy does not have, or would do without the engine."""
    trainer = module.NumpyTrainer
    module.EpochIterator = adapters.epoch_iterator(module.EpochIterator)
    for name in ("reset_metrics", "_get_metrics_result_or_logs"):
        _native[name] = getattr(trainer, name)
    for method in (fit, train_on_batch, make_test_function, make_predict_function, reset_metrics):
        setattr(trainer, method.__name__, method)
    trainer._get_metrics_result_or_logs = _metrics_result_or_logs
    trainer._symbolic_build = build


# Methods of the trainer that are replaced by ones that call them.
_native: dict[str, Any] = {}


def _keras() -> Any:
    """The module that was patched."""
    return sys.modules["keras.src.backend.numpy.trainer"]


def fit(
    self: Any,
    x: Any = None,
    y: Any = None,
    batch_size: Any = None,
    epochs: int = 1,
    verbose: Any = "auto",
    callbacks: Any = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: Any = True,
    class_weight: Any = None,
    sample_weight: Any = None,
    initial_epoch: int = 0,
    steps_per_epoch: Any = None,
    validation_steps: Any = None,
    validation_batch_size: Any = None,
    validation_freq: Any = 1,
) -> Any:
    """See `keras.Model.fit`."""
    self._assert_compile_called("fit")
    if any(np.asarray(array).dtype.kind in "SU" for array in _arrays([x, y])):
        give_up("data of strings or objects")
    epochs = _capped(epochs)
    self._eval_epoch_iterator = None
    if validation_split and validation_data is None:
        from keras.src.trainers.data_adapters.array_slicing import train_validation_split

        adapters.notice_pandas()
        (x, y, sample_weight), validation_data = train_validation_split(
            (x, y, sample_weight), validation_split=validation_split
        )
    epoch_iterator = _keras().EpochIterator(
        x=x,
        y=y,
        sample_weight=sample_weight,
        batch_size=batch_size,
        steps_per_epoch=steps_per_epoch,
        shuffle=shuffle,
        class_weight=class_weight,
        steps_per_execution=self.steps_per_execution,
    )
    validation = None
    if validation_data is not None:
        validation = learner.unpacked(validation_data)
    try:
        return _train(
            self,
            epoch_iterator,
            callbacks=callbacks,
            epochs=epochs,
            initial_epoch=self._initial_epoch or initial_epoch,
            verbose=verbose,
            validation=validation,
            validation_freq=validation_freq,
            validation_options={
                "batch_size": validation_batch_size or batch_size,
                "steps": validation_steps,
            },
        )
    except NotCovered as what:
        give_up(str(what))


def train_on_batch(
    self: Any,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    return_dict: bool = False,
) -> Any:
    """See `keras.Model.train_on_batch`."""
    self._assert_compile_called("train_on_batch")
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError(
                "Arguments `sample_weight` and `class_weight` cannot be specified at the same time. "
                f"Received: sample_weight={sample_weight}, class_weight={class_weight}"
            )
        from keras.src.trainers.data_adapters import data_adapter_utils

        sample_weight = data_adapter_utils.class_weight_to_sample_weights(y, class_weight)
    batch = (x, y, sample_weight)
    try:
        build(self, batch)
        self.reset_metrics()
        logs = Reporter(self, batch).train([batch])
    except NotCovered as what:
        give_up(str(what))
    return logs if return_dict else self._flatten_metrics_in_order(logs)


def make_test_function(self: Any, force: bool = False) -> None:
    """See Keras' trainers: makes `test_function`, which evaluates one or more batches."""
    if self.test_function is not None and not force:
        return

    def test(batches: list[Any]) -> Any:
        try:
            build(self, batches[0])
            return learner.of(self, batches[0]).evaluate(batches)
        except NotCovered as what:
            give_up(str(what))

    self.test_function = test


def make_predict_function(self: Any, force: bool = False) -> None:
    """See Keras' trainers: makes `predict_function`, which predicts for one or more batches."""
    if self.predict_function is not None and not force:
        return

    def predict(batches: list[Any]) -> Any:
        from keras.src import tree

        outputs = [_predicted(self, batch) for batch in batches]
        if len(outputs) == 1:
            return outputs[0]
        return tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)

    self.predict_function = predict


def _predicted(model: Any, batch: Any) -> Any:
    try:
        return learner.of(model, batch).predict(learner.unpacked(batch)[0])
    except NotCovered:
        # Keras on NumPy computes much itself, and gives up where it cannot.
        return model.predict_step(batch)


def reset_metrics(self: Any) -> None:
    """See `keras.Model.reset_metrics`."""
    _native["reset_metrics"](self)
    known = learner.known(self)
    if known is not None:
        known.fresh = True


def _metrics_result_or_logs(self: Any, logs: Any) -> Any:
    # Keras' own metric objects have seen nothing.
    return _native["_get_metrics_result_or_logs"](self, logs) if learner.known(self) is None else logs


def build(model: Any, data_batch: Any) -> None:
    """Builds what is not built yet, without computing anything."""
    from keras.src import tree
    from keras.src.backend import KerasTensor

    from .description import functional_form

    x, y, _ = learner.unpacked(data_batch)
    form = functional_form(model, x)
    labels = tree.map_structure(
        lambda item: None if item is None else KerasTensor(np.shape(item), "float32"), y
    )
    outputs = form._outputs_struct
    for part in (model._compile_metrics, model._compile_loss):
        if part is not None and not part.built:
            part.build(labels, outputs)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built and model.trainable_variables:
        optimizer.build(model.trainable_variables)
    model._post_build()


def _capped(epochs: int) -> int:
    from keras.src.backend import config

    most = config.max_epochs()
    if most and most < epochs:
        warnings.warn(f"Limiting epochs to {most}", stacklevel=3)
        return int(most)
    return epochs


def _train(
    model: Any,
    epoch_iterator: Any,
    *,
    callbacks: Any,
    epochs: int,
    initial_epoch: int,
    verbose: Any,
    validation: Any,
    validation_freq: Any,
    validation_options: dict[str, Any],
) -> Any:
    """Keras' loop over the epochs; see `fit` of its trainer on TensorFlow, which it follows line by line."""
    batch = adapters.first_batch(epoch_iterator)
    if batch is None:
        raise NotCovered("training data without a single batch")
    build(model, batch)
    callback_list = _keras().callbacks_module.CallbackList
    if not isinstance(callbacks, callback_list):
        callbacks = callback_list(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=epochs,
            steps=epoch_iterator.num_batches,
            model=model,
        )
    model.stop_training = False
    callbacks.on_train_begin()
    training_logs = None
    singly = _wants_every_batch(callbacks)
    reporter = Reporter(model, batch)
    for epoch in range(initial_epoch, epochs):
        model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        logs = _train_epoch(model, epoch_iterator, callbacks, reporter, singly)
        epoch_logs = dict(logs)
        if validation is not None and model._should_eval(epoch, validation_freq):
            epoch_logs.update(_validate(model, callbacks, validation, validation_options))
        callbacks.on_epoch_end(epoch, epoch_logs)
        training_logs = epoch_logs
        if model.stop_training:
            break
    if epochs > 0:
        # Of the one that was trained: a callback may have compiled the model anew.
        reporter.finish()
    model._eval_epoch_iterator = None
    callbacks.on_train_end(logs=training_logs)
    return model.history


def _train_epoch(model: Any, epoch_iterator: Any, callbacks: Any, reporter: Any, singly: bool) -> Any:
    group: list[Any] = []
    logs: Any = {}
    size, held, last = 1, 0, 0
    for begin, end, batches in epoch_iterator:
        if singly:
            callbacks.on_train_batch_begin(begin)
            logs = reporter.train(batches)
            callbacks.on_train_batch_end(end, logs)
            if model.stop_training:
                break
            continue
        group += batches
        held += sum(array.nbytes for array in _arrays(batches))
        last = end
        if len(group) < size and held < _MOST_BYTES:
            continue
        started = time.perf_counter()
        logs = reporter.train(group)
        callbacks.on_train_batch_end(end, logs)
        took = (time.perf_counter() - started) / len(group)
        size = min(_MOST_STEPS, max(1, int(_SECONDS / max(took, 1e-6))))
        group, held = [], 0
    if group:
        logs = reporter.train(group)
        callbacks.on_train_batch_end(last, logs)
    return logs


def _arrays(batches: Any) -> list[Any]:
    if isinstance(batches, dict):
        batches = list(batches.values())
    if isinstance(batches, (list, tuple)):
        return [array for item in batches for array in _arrays(item)]
    # The class is asked: a stand-in takes a question after an unknown attribute for use of what it lacks.
    return [batches] if hasattr(type(batches), "nbytes") else []


def _validate(model: Any, callbacks: Any, validation: Any, options: dict[str, Any]) -> Any:
    x, y, weight = validation
    if model._eval_epoch_iterator is None:
        model._eval_epoch_iterator = _keras().EpochIterator(
            x=x,
            y=y,
            sample_weight=weight,
            batch_size=options["batch_size"],
            steps_per_execution=model.steps_per_execution,
            steps_per_epoch=options["steps"],
            shuffle=False,
        )
    logs = model.evaluate(
        x=x,
        y=y,
        sample_weight=weight,
        callbacks=callbacks,
        return_dict=True,
        _use_cached_eval_dataset=True,
        **options,
    )
    return {f"val_{name}": value for name, value in logs.items()}


def _wants_every_batch(callbacks: Any) -> bool:
    """Whether a callback looks at single batches, as far as that can be seen."""
    from keras.src.callbacks.callback import Callback

    for callback in callbacks.callbacks:
        kind = type(callback)
        if kind.__module__.startswith("keras.") and (
            kind.__name__ in _BY_EPOCH or getattr(callback, "save_freq", None) == "epoch"
        ):
            continue
        for name in _BATCH_HOOKS:
            hook = getattr(callback, name)
            if getattr(hook, "__func__", hook) is not getattr(Callback, name):
                return True
    return False
