"""Trains a network for a fixed number of steps and writes what that took to a file.

Seconds of the steady state, wall and processor, and seconds of the processor until the first step was over.
"""

import sys
import time

import keras
import numpy as np

shape, result = sys.argv[1], sys.argv[2]
epochs = 9
keras.utils.set_random_seed(0)

if shape == "mlp":
    x = np.random.normal(size=(6400, 784)).astype("float32")
    layers = [keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10, activation="softmax")]
elif shape == "lstm":
    x = np.random.normal(size=(3200, 20, 16)).astype("float32")
    layers = [keras.layers.LSTM(32), keras.layers.Dense(10, activation="softmax")]
elif shape == "deep":
    x = np.random.normal(size=(3200, 64)).astype("float32")
    layers = [keras.layers.Dense(64, activation="relu") for _ in range(99)]
    layers.append(keras.layers.Dense(10, activation="softmax"))
    epochs = 5
else:
    x = np.random.normal(size=(3200, 28, 28, 1)).astype("float32")
    layers = [
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
y = np.random.randint(0, 10, len(x))


class Clock(keras.callbacks.Callback):
    """The steady state begins after the first epoch; the first step traces the graph."""

    started: tuple[float, float]
    begun: float
    first: float | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.begun = time.process_time()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.first is None:
            self.first = time.process_time() - self.begun

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if epoch == 0:
            self.started = (time.perf_counter(), time.process_time())

    def on_train_end(self, logs: dict | None = None) -> None:
        wall, cpu = self.started
        with open(result, "w") as file:
            file.write(f"{time.perf_counter() - wall} {time.process_time() - cpu} {self.first}")


model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, batch_size=64, epochs=epochs, verbose=0, callbacks=[Clock()])
