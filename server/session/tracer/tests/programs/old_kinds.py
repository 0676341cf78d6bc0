"""Many kinds of training with Keras 2, each from the same seed; prints the outcome of each to the last bit."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import tf_keras
from common import data, kind, main, outcome

keras = tf.keras
layers = keras.layers


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
    base = tf_keras.Sequential(
        [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()], name="base"
    )
    model = tf_keras.Sequential([base, layers.Dense(4, "softmax")])
    model.compile(tf_keras.optimizers.legacy.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
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
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)
    model.compile(keras.optimizers.Adam(rate), {"c": "sparse_categorical_crossentropy", "d": "mse"})
    outcome(name, model, model.fit({"a": x, "b": -x}, {"c": y, "d": y * 1.0}, epochs=2, verbose=0))


class Custom(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(8, activation="relu")
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        hidden = self.hidden(x)
        # Translated by autograph.
        if tf.reduce_mean(hidden) > 1e9:
            hidden = hidden * 0.5
        return self.out(hidden)

    def train_step(self, data):
        x, y = data
        noise = tf.random.normal(tf.shape(x), stddev=0.1)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(x + noise, training=True)[:, 0] - tf.cast(y, tf.float32)))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {"loss": loss}


@kind
def custom_train_step(name):
    x, y = data()
    tf.random.set_seed(5)
    model = Custom()
    model.compile(keras.optimizers.Adam(1e-2))
    outcome(name, model, model.fit(x, y, epochs=2, verbose=0))


@kind
def eager(name):
    x, y = data()
    model = keras.Sequential([layers.Dense(8, "sigmoid"), layers.Dropout(0.5), layers.Dense(4, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    outcome(name, model, model.fit(x, y, epochs=1, verbose=0))


@kind
def sequence(name):
    x, y = data()

    class Draws(keras.utils.Sequence):
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
    source = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(150).batch(20)
    outcome(name, model, model.fit(source, epochs=2, verbose=0))


@kind
def compiled_and_mixed(name):
    keras.mixed_precision.set_global_policy("mixed_float16")
    x, y = data()
    model = keras.Sequential(
        [layers.Dense(8, "relu"), layers.Dense(4), layers.Activation("softmax", dtype="float32")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=True)
    history = model.fit(x, y, epochs=2, verbose=0)
    keras.mixed_precision.set_global_policy("float32")
    outcome(name, model, history)


main(keras, keras.backend.clear_session)
