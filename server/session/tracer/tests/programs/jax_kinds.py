"""Many kinds of training on JAX, each from the same seed; prints the outcome of each to the last bit."""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import jax
import keras
import numpy as np
from common import data, kind, main, outcome
from keras import layers


@kind
def mlp(name):
    x, y = data()
    model = keras.Sequential(
        [
            layers.Dense(16, "relu"),
            layers.Dropout(0.3),
            layers.BatchNormalization(),
            layers.Dense(8),
            layers.LeakyReLU(),
            layers.Dense(4, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    first = model.fit(x, y, epochs=3, verbose=0, validation_split=0.2)
    second = model.fit(x, y, epochs=1, batch_size=10, verbose=0)
    outcome(name, model, first, second, model.evaluate(x, y, verbose=0))


@kind
def cnn(name):
    x, y = data(shape=(8, 8, 1))
    model = keras.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(4, "softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    outcome(name, model, model.fit(x, y, epochs=2, verbose=0))


@kind
def recurrent(name):
    x = np.random.default_rng(3).integers(1, 50, (120, 9))
    x[:, 6:] = 0
    y = (x.sum(axis=1) % 2).astype("float32")
    model = keras.Sequential(
        [
            layers.Embedding(50, 8, mask_zero=True),
            layers.Bidirectional(layers.LSTM(6, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(5, "tanh")),
            layers.GRU(5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    outcome(name, model, model.fit(x, y, epochs=2, verbose=0))


@kind
def two_inputs(name):
    x, y = data()
    a, b = keras.Input((12,), name="a"), keras.Input((12,), name="b")
    shared = layers.Dense(8, activation="tanh")
    joined = layers.Concatenate()([shared(a) + shared(b), layers.Dense(3)(b)])
    model = keras.Model(
        [a, b], [layers.Dense(4, "softmax", name="c")(joined), layers.Dense(1, name="d")(joined)]
    )
    model.compile("adam", {"c": "sparse_categorical_crossentropy", "d": "mse"})
    outcome(name, model, model.fit({"a": x, "b": -x}, {"c": y, "d": y * 1.0}, epochs=2, verbose=0))


@kind
def attention(name):
    x, y = data(shape=(6, 8))
    inputs = keras.Input((6, 8))
    hidden = layers.MultiHeadAttention(2, 4, dropout=0.1)(inputs, inputs)
    hidden = layers.LayerNormalization()(inputs + hidden)
    model = keras.Model(inputs, layers.Dense(4, "softmax")(layers.GlobalAveragePooling1D()(hidden)))
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "sparse_categorical_crossentropy")
    outcome(name, model, model.fit(x, y, epochs=2, verbose=0))


class Custom(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(8, activation="relu")
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.hidden(x))

    def compute_loss_and_updates(self, trainable, frozen, x, y, training=False):
        found, frozen = self.stateless_call(trainable, frozen, x, training=training)
        return jax.numpy.mean((found[:, 0] - y) ** 2), (found, frozen)

    def train_step(self, state, batch):
        trainable, frozen, of_optimizer, of_metrics = state
        x, y = batch[:2]
        gradient = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (_, frozen)), gradients = gradient(trainable, frozen, x, y, training=True)
        trainable, of_optimizer = self.optimizer.stateless_apply(of_optimizer, gradients, trainable)
        return {"loss": loss}, (trainable, frozen, of_optimizer, of_metrics)


@kind
def custom_train_step(name):
    x, y = data()
    model = Custom()
    model.compile(keras.optimizers.Adam(1e-2))
    outcome(name, model, model.fit(x, y.astype("float32"), epochs=2, verbose=0))


@kind
def uncompiled(name):
    x, y = data()
    model = keras.Sequential([layers.Dense(8, "sigmoid"), layers.Dropout(0.5), layers.Dense(4, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    outcome(name, model, model.fit(x, y, epochs=1, verbose=0))


@kind
def generator(name):
    x, y = data()

    class Draws(keras.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            at = np.random.randint(0, 130)
            return x[at : at + 20], y[at : at + 20]

    model = keras.Sequential([layers.Dense(8, "gelu"), layers.Dense(4)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    outcome(name, model, model.fit(Draws(), epochs=2, verbose=0))


@kind
def weighted_batches(name):
    x, y = data()
    model = keras.Sequential([layers.Dense(8, "relu", kernel_regularizer="l2"), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    weights = np.random.default_rng(1).random(150)
    first = model.fit(x, y, sample_weight=weights, epochs=1, verbose=0)
    second = model.fit(x, y, class_weight={0: 1.0, 1: 2.0, 2: 0.5, 3: 3.0}, epochs=1, verbose=0)
    losses = [model.train_on_batch(x[at : at + 30], y[at : at + 30]) for at in range(0, 150, 30)]
    outcome(name, model, first, second, losses)


@kind
def many_steps_per_execution(name):
    x, y = data()
    model = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=3)
    outcome(name, model, model.fit(x, y, batch_size=20, epochs=2, verbose=0))


@kind
def mixed_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    x, y = data()
    model = keras.Sequential(
        [layers.Dense(8, "relu"), layers.Dense(4), layers.Activation("softmax", dtype="float32")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    history = model.fit(x, y, epochs=2, verbose=0)
    keras.config.set_dtype_policy("float32")
    outcome(name, model, history)


@kind
def random_while_tracing(name):
    class Jitter(layers.Layer):
        def call(self, x):
            return x * np.random.uniform(0.9, 1.1)

    x, y = data()
    model = keras.Sequential([layers.Dense(8, "relu"), Jitter(), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    outcome(name, model, model.fit(x, y, verbose=0))


@kind
def callback(name):
    calls = []

    class Counted(layers.Layer):
        def call(self, x):
            jax.debug.callback(lambda: calls.append(1))
            return x

    x, y = data()
    model = keras.Sequential([layers.Dense(4), Counted(), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    outcome(name, model, model.fit(x, y, verbose=0), len(calls))


main(keras, keras.utils.clear_session)
