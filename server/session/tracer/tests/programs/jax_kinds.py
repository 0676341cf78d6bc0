"""Many kinds of training on JAX, each from the same seed; prints the outcome of each to the last bit."""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import jax
import keras
import numpy as np
import shared_kinds
from common import data, kind, main, outcome
from keras import layers

shared_kinds.define(keras)
shared_kinds.define_compiled(keras)


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
def distributed_over_time(name):
    x = np.random.default_rng(3).integers(1, 50, (120, 9))
    y = (x.sum(axis=1) % 2).astype("float32")
    model = keras.Sequential(
        [
            layers.Embedding(50, 8),
            layers.TimeDistributed(layers.Dense(5, "tanh")),
            layers.GlobalMaxPooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", "binary_crossentropy")
    outcome(name, model, model.fit(x, y, epochs=1, verbose=0))


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
