"""Times Keras' `fit` per step on TensorFlow and writes what the engine needs to train the same model.

python engine.py SHAPE MODEL.json: prints seconds per step.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras import layers

SHAPES: dict[str, tuple[int, tuple[int, ...], list[Any], int]] = {
    "mlp": (32, (20,), [layers.Dense(64, activation="relu"), layers.Dense(1, activation="sigmoid")], 1),
    "digits": (
        64,
        (784,),
        [layers.Dense(128, activation="relu"), layers.Dense(10, activation="softmax")],
        10,
    ),
    "cnn": (
        32,
        (28, 28, 1),
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ],
        10,
    ),
    "lstm": (32, (50, 8), [layers.LSTM(32), layers.Dense(1, activation="sigmoid")], 1),
}


class Clock(keras.callbacks.Callback):
    """Time of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.times.append(time.perf_counter() - self.start)


def main() -> None:
    """Trains the model of that shape."""
    batch, shape, stack, classes = SHAPES[sys.argv[1]]
    steps = 40 if sys.argv[1] in ("cnn", "lstm") else 200
    model = keras.Sequential([keras.Input(shape), *stack])
    loss = "binary_crossentropy" if classes == 1 else "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=["accuracy"])
    described = {
        "model": keras.saving.serialize_keras_object(model),
        "compile": model.get_compile_config(),
        "weights": [np.asarray(weight).reshape(-1).tolist() for weight in model.weights],
        "batch": batch,
        "shape": shape,
        "classes": classes,
        "steps": steps,
    }
    with open(sys.argv[2], "w") as file:
        json.dump(described, file)
    rng = np.random.default_rng(0)
    x = rng.random((batch * steps, *shape), dtype=np.float32)
    y = rng.integers(0, 2 if classes == 1 else classes, batch * steps).astype(np.float32)
    clock = Clock()
    model.fit(x, y, batch_size=batch, epochs=6, verbose=0, callbacks=[clock])
    print(statistics.median(clock.times[1:]) / steps)


if __name__ == "__main__":
    main()
