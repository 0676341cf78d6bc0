"""Times Keras' `fit` on TensorFlow, and writes what the engine needs to train the same models.

python engine.py FOLDER: writes FOLDER/SHAPE.json for each shape and prints `ready`. Then for each line of
standard input that names a shape, it trains that model and prints the seconds of a step.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras import layers

# Batch size, input shape, layers, classes, steps of an epoch.
SHAPES: dict[str, tuple[int, tuple[int, ...], list[Any], int, int]] = {
    "mlp": (32, (20,), [layers.Dense(64, activation="relu"), layers.Dense(1, activation="sigmoid")], 1, 200),
    "digits": (
        64,
        (784,),
        [layers.Dense(128, activation="relu"), layers.Dense(10, activation="softmax")],
        10,
        100,
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
        40,
    ),
    "lstm": (32, (50, 8), [layers.LSTM(32), layers.Dense(1, activation="sigmoid")], 1, 40),
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


class Model:
    """One of them, compiled and with data."""

    def __init__(self, name: str) -> None:
        self.batch, shape, stack, classes, self.steps = SHAPES[name]
        self.model = keras.Sequential([keras.Input(shape), *stack])
        loss = "binary_crossentropy" if classes == 1 else "sparse_categorical_crossentropy"
        self.model.compile("adam", loss, metrics=["accuracy"])
        self.described = {
            "model": keras.saving.serialize_keras_object(self.model),
            "compile": self.model.get_compile_config(),
            "weights": [np.asarray(weight).reshape(-1).tolist() for weight in self.model.weights],
            "batch": self.batch,
            "shape": shape,
            "classes": classes,
            "steps": self.steps,
        }
        rng = np.random.default_rng(0)
        self.x = rng.random((self.batch * self.steps, *shape), dtype=np.float32)
        self.y = rng.integers(0, max(classes, 2), self.batch * self.steps).astype(np.float32)
        self.warm = False

    def seconds(self) -> float:
        """Of one step of `fit`, once its graph is traced: the best epoch, since the machine may be shared."""
        clock = Clock()
        # The first epoch of each call makes the data set anew.
        epochs = 3 if self.warm else 5
        self.warm = True
        self.model.fit(self.x, self.y, batch_size=self.batch, epochs=epochs, verbose=0, callbacks=[clock])
        return min(clock.times[1:]) / self.steps


def main() -> None:
    """Serves the measurements."""
    models = {name: Model(name) for name in SHAPES}
    for name, model in models.items():
        Path(sys.argv[1], f"{name}.json").write_text(json.dumps(model.described))
    print("ready", flush=True)
    for line in sys.stdin:
        print(models[line.strip()].seconds(), flush=True)


if __name__ == "__main__":
    main()
