"""Trains models of many kinds and prints what a user would see: `python histories.py WEIGHTS`.

Weights are read from that file, or written to it when it is not there, so that two runs begin alike.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

kept = np.load(sys.argv[1]) if os.path.exists(sys.argv[1]) else None
made = {}
random = np.random.default_rng(5)
x = random.normal(size=(70, 6)).astype("float32")
y = (x[:, 0] > 0).astype("int64") + (x[:, 1] > 0.5)
target = (x @ np.arange(6.0)[:, None] + 1).astype("float32")
seen = {}


def dense(units=3, activation="softmax"):
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, "tanh"), layers.Dense(units, activation)])


def begin(name, model):
    made.update({f"{name}/{at}": value for at, value in enumerate(model.get_weights())})
    if kept is not None:
        model.set_weights([kept[f"{name}/{at}"] for at in range(len(model.weights))])


def show(name, model, history, *data):
    predicted = model.predict(data[0], verbose=0)
    seen[name] = {
        "history": {key: [float(value) for value in values] for key, values in history.history.items()},
        "epoch": history.epoch,
        "evaluate": np.ravel(model.evaluate(*data, verbose=0)).tolist(),
        "predict": [
            float(np.mean(part)) for part in (predicted if isinstance(predicted, list) else [predicted])
        ],
        "weights": [float(np.abs(weight).sum()) for weight in model.get_weights()],
    }


def classes():
    model = dense()
    begin("classes", model)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x,
        y,
        batch_size=16,
        epochs=3,
        shuffle=False,
        verbose=0,
        validation_split=0.2,
        class_weight={0: 1.0, 1: 2.0, 2: 0.5},
    )
    show("classes", model, history, x, y)


def weighted():
    model = dense(1, None)
    begin("weighted", model)
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
        "mse",
        metrics=["mae"],
        weighted_metrics=["mse"],
    )
    history = model.fit(x, target, sample_weight=np.linspace(0, 2, 70), epochs=2, shuffle=False, verbose=0)
    show("weighted", model, history, x, target)


def callbacks():
    class Log(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.events = []

        def on_train_batch_end(self, batch, logs=None):
            self.events.append([batch, sorted(logs)])

        def on_epoch_end(self, epoch, logs=None):
            self.events.append([epoch, round(float(np.abs(self.model.layers[0].get_weights()[0]).sum()), 3)])
            if epoch == 4:
                self.model.stop_training = True

    model = dense(1, "sigmoid")
    begin("callbacks", model)
    model.compile(keras.optimizers.RMSprop(0.02), "binary_crossentropy", metrics=["accuracy"])
    log = Log()
    history = model.fit(
        x,
        y > 0,
        batch_size=35,
        epochs=30,
        shuffle=False,
        verbose=0,
        validation_data=(x[:20], y[:20] > 0),
        callbacks=[
            log,
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5),
            keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True),
        ],
    )
    show("callbacks", model, history, x, y > 0)
    seen["callbacks"]["events"] = log.events


def plateau():
    model = dense(1, None)
    begin("plateau", model)
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.8)
    model.compile(keras.optimizers.Adam(rate), keras.losses.Huber())
    history = model.fit(x, target[:, 0], epochs=4, shuffle=False, verbose=0, steps_per_epoch=2, batch_size=10)
    show("plateau", model, history, x, target)


def generator():
    def batches():
        while True:
            for start in range(0, 60, 20):
                yield x[start : start + 20], target[start : start + 20]

    model = dense(1, None)
    begin("generator", model)
    model.compile("sgd", "mae")
    history = model.fit(batches(), steps_per_epoch=4, epochs=3, verbose=0)
    show("generator", model, history, x, target)


def reused():
    # What is to be trained on are the rows as they were when they were handed over. TensorFlow does so only by
    # chance: it reads ahead, and may take the arrays themselves.
    given = np.copy if keras.backend.backend() == "tensorflow" else np.asarray

    def batches():
        # Keras draws two batches before it uses the first, whatever the back end.
        yield x[:10], target[:10]
        yield x[10:20], target[10:20]
        held, label = np.zeros((10, 6), "float32"), np.zeros((10, 1), "float32")
        while True:
            for start in range(0, 60, 10):
                held[:], label[:] = x[start : start + 10], target[start : start + 10]
                yield given(held), given(label)

    class Rows(keras.utils.PyDataset):
        held, label = np.zeros((10, 6), "float32"), np.zeros((10, 1), "float32")

        def __len__(self):
            return 6

        def __getitem__(self, at):
            self.held[:], self.label[:] = x[at * 10 : at * 10 + 10], target[at * 10 : at * 10 + 10]
            return given(self.held), given(self.label)

    model = dense(1, None)
    begin("reused", model)
    model.compile("sgd", "mse")
    model.fit(batches(), steps_per_epoch=6, epochs=4, verbose=0)
    model.compile("sgd", "mse", steps_per_execution=3)
    history = model.fit(Rows(), epochs=4, shuffle=False, verbose=0)
    show("reused", model, history, x, target)


def accumulated():
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.7)
    model = dense(1, None)
    begin("accumulated", model)
    model.compile(keras.optimizers.Adam(rate, gradient_accumulation_steps=3), "mse")
    history = model.fit(x, target, batch_size=10, epochs=3, shuffle=False, verbose=0)
    show("accumulated", model, history, x, target)
    seen["accumulated"]["iterations"] = int(model.optimizer.iterations)


def sequence():
    class Rows(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, at):
            return x[at * 15 : at * 15 + 15], target[at * 15 : at * 15 + 15]

    model = dense(1, None)
    begin("sequence", model)
    model.compile("sgd", "mse")
    history = model.fit(Rows(), epochs=2, shuffle=False, verbose=0)
    show("sequence", model, history, x, target)


def dataset():
    import tensorflow as tf

    rows = (
        tf.data.Dataset.from_tensor_slices((x, target)).map(lambda a, b: (a * 2.0, b)).batch(16).prefetch(1)
    )
    model = dense(1, None)
    begin("dataset", model)
    model.compile("adam", "mse")
    history = model.fit(rows, epochs=2, verbose=0, validation_data=rows.take(2))
    show("dataset", model, history, x, target)


def several():
    first, second = keras.Input((2,), name="first"), keras.Input((4,), name="second")
    both = layers.concatenate([layers.Dense(4, "relu")(first), second])
    label, number = layers.Dense(3, "softmax", name="label")(both), layers.Dense(1, name="number")(both)
    model = keras.Model([first, second], {"label": label, "number": number})
    begin("several", model)
    model.compile(
        "adam",
        {"label": "sparse_categorical_crossentropy", "number": "mse"},
        loss_weights={"label": 1.0, "number": 0.5},
        metrics={"label": "accuracy"},
    )
    inputs = {"first": x[:, :2], "second": x[:, 2:]}
    history = model.fit(inputs, {"label": y, "number": target}, epochs=2, shuffle=False, verbose=0)
    outputs = model.predict(inputs, verbose=0)
    seen["several"] = {
        "history": {key: [float(value) for value in values] for key, values in history.history.items()},
        "predict": [float(np.abs(outputs[name]).sum()) for name in ("label", "number")],
    }


def subclass():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(7, "relu")
            self.out = layers.Dense(1)

        def call(self, inputs):
            return self.out(layers.concatenate([self.hidden(inputs), inputs]))

    model = Net()
    model(x[:2])
    begin("subclass", model)
    model.compile("sgd", "mse")
    history = model.fit(x, target, epochs=2, shuffle=False, verbose=0)
    show("subclass", model, history, x, target)


def singly():
    import pandas as pd

    model = dense(1, None)
    begin("singly", model)
    model.compile("sgd", "mse", metrics=["mae"])
    logs = [model.train_on_batch(x[at : at + 10], target[at : at + 10]) for at in range(0, 70, 10)]
    frame = pd.DataFrame(x, columns=list("abcdef"))
    history = model.fit(frame, pd.Series(target[:, 0]), epochs=2, shuffle=False, verbose=0)
    show("singly", model, history, x, target)
    seen["singly"]["logs"] = np.array(logs, dtype=float).tolist()


def stateful():
    class Reset(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.layers[0].reset_states()

    def states():
        return [float(np.abs(np.asarray(state)).sum()) for state in model.layers[0].states]

    model = keras.Sequential(
        [keras.Input((3, 2), batch_size=10), layers.LSTM(4, stateful=True), layers.Dense(1)]
    )
    begin("stateful", model)
    model.compile("adam", "mse")
    windows = x.reshape(70, 3, 2)
    history = model.fit(
        windows, target, batch_size=10, epochs=3, shuffle=False, verbose=0, callbacks=[Reset()]
    )
    seen["stateful"] = {
        "loss": [float(value) for value in history.history["loss"]],
        "trained": states(),
        "predict": float(np.mean(model.predict(windows, batch_size=10, verbose=0))),
        "predicted": states(),
    }


for program in (
    classes,
    weighted,
    callbacks,
    plateau,
    generator,
    reused,
    accumulated,
    sequence,
    dataset,
    several,
    subclass,
    singly,
    stateful,
):
    program()
if kept is None:
    np.savez(sys.argv[1], **made)
print(json.dumps(seen))
