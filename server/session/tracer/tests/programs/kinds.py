"""Many kinds of training, each from the same seed; prints the outcome of each to the last bit."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np
import shared_kinds
import tensorflow as tf
from common import data, kind, main, outcome
from keras import layers

shared_kinds.define(keras)
shared_kinds.define_compiled(keras)


@kind
def cnn_batchnorm(name):
    x, y = data(shape=(8, 8, 1))
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(4),
            layers.Softmax(),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    outcome(name, model, model.fit(x, y, epochs=3, verbose=0))


class Custom(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(8, activation="relu")
        self.out = layers.Dense(1)
        self.seen = tf.Variable(0.0, trainable=False)
        self.tracker = keras.metrics.Mean(name="loss")

    def call(self, x, training=False):
        return self.out(self.hidden(x))

    def train_step(self, data):
        x, y = data
        noise = tf.random.normal(tf.shape(x), stddev=0.1)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(x + noise, training=True)[:, 0] - tf.cast(y, tf.float32)))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.seen.assign_add(1.0)
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result(), "seen": self.seen}

    @property
    def metrics(self):
        return [self.tracker]


@kind
def custom_train_step(name):
    x, y = data()
    tf.random.set_seed(5)
    model = Custom()
    model.compile(keras.optimizers.Adam(1e-2))
    outcome(name, model, model.fit(x, y, epochs=2, verbose=0), float(model.seen.numpy()))


@kind
def dataset(name):
    x, y = data()
    source = tf.data.Dataset.from_tensor_slices((x, keras.utils.to_categorical(y))).shuffle(150).batch(32)
    model = keras.Sequential([layers.Dense(8, "elu"), layers.Dense(4, "softmax")])
    model.compile("adamw", keras.losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy"])
    outcome(
        name,
        model,
        model.fit(source.map(lambda a, b: (a + tf.random.normal(tf.shape(a)), b)), epochs=2, verbose=0),
    )


@kind
def generator(name):
    x, y = data()

    # A generator of its own: Keras draws batches ahead in another thread (docs/choices.md, the run).
    draw = np.random.default_rng(7)

    def batches():
        while True:
            at = draw.integers(0, 130)
            yield x[at : at + 20], y[at : at + 20]

    model = keras.Sequential([layers.Dense(8, "gelu"), layers.Dense(4)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    outcome(name, model, model.fit(batches(), steps_per_epoch=6, epochs=2, verbose=0))


@kind
def adversarial(name):
    x, _ = data()
    maker = keras.Sequential([keras.Input((3,)), layers.Dense(12, "relu"), layers.Dense(12)], name="maker")
    judge = keras.Sequential(
        [keras.Input((12,)), layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")], name="judge"
    )
    judge.compile("adam", "binary_crossentropy")
    judge.trainable = False
    both = keras.Sequential([maker, judge])
    both.compile("adam", "binary_crossentropy")
    losses = []
    for _at in range(4):
        noise = np.random.normal(size=(20, 3)).astype("float32")
        fake = maker.predict(noise, verbose=0)
        losses.append(judge.train_on_batch(np.concatenate([x[:20], fake]), np.repeat([1.0, 0.0], 20)))
        losses.append(both.train_on_batch(noise, np.ones(20)))
    outcome(name, both, losses)


@kind
def schedule_and_accumulation(name):
    x, y = data()
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)
    model = keras.Sequential([layers.Dense(8, "selu"), layers.Dense(4, "softmax")])
    model.compile(
        keras.optimizers.Adam(rate, gradient_accumulation_steps=2, clipnorm=1.0),
        "sparse_categorical_crossentropy",
    )
    outcome(name, model, model.fit(x, y, epochs=2, verbose=0))


@kind
def xla(name):
    x, y = data()
    model = keras.Sequential([layers.Dense(8, "relu"), layers.Dropout(0.2), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=True)
    outcome(name, model, model.fit(x, y, epochs=1, verbose=0))


@kind
def frozen_and_recompiled(name):
    x, y = data()
    base = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(6, "tanh")], name="base")
    model = keras.Sequential([base, layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    first = model.fit(x, y, verbose=0)
    base.trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    outcome(name, model, first, model.fit(x, y, verbose=0, epochs=2))


@kind
def python_function(name):
    calls = []

    def measured(y, p):
        def count(values):
            calls.append(1)
            return values

        return tf.reduce_mean(tf.numpy_function(count, [p], tf.float32))

    x, y = data()
    model = keras.Sequential([layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[measured])
    outcome(name, model, model.fit(x, y, verbose=0), len(calls))


def _steps(model, optimizer, loss_of, x, y):
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    source = tf.data.Dataset.from_tensor_slices((x, y)).batch(30)
    return step, [batch for _ in range(2) for batch in source]


@kind
def eager_loop(name):
    x, y = data()
    model = keras.Sequential([layers.Dense(8, "relu"), layers.Dropout(0.2), layers.Dense(4)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    step, batches = _steps(model, keras.optimizers.Adam(0.01), loss, x, y)
    outcome(name, model, [float(step(*batch)) for batch in batches])


@kind
def compiled_loop(name):
    x, y = data()
    tf.random.set_seed(5)
    model = keras.Sequential([layers.Dense(8, "relu"), layers.Dropout(0.2), layers.Dense(1)])
    step, batches = _steps(
        model, keras.optimizers.SGD(0.01), lambda y, p: tf.reduce_mean((p[:, 0] - y) ** 2), x, y * 1.0
    )
    noisy = tf.function(lambda x, y: step(x + tf.random.normal(tf.shape(x)), tf.cast(y, tf.float32)))
    outcome(name, model, [float(noisy(*batch)) for batch in batches])


@kind
def adversarial_loop(name):
    x, _ = data()
    maker = keras.Sequential([layers.Dense(12, "relu"), layers.Dense(12)], name="maker")
    judge = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(1)], name="judge")
    of_maker, of_judge = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    losses = []
    for at in range(0, 150, 30):
        noise = tf.random.normal((30, 3))
        with tf.GradientTape() as first, tf.GradientTape() as second:
            fake = judge(maker(noise, training=True), training=True)
            true = judge(x[at : at + 30], training=True)
            for_maker = loss(tf.ones_like(fake), fake)
            for_judge = loss(tf.ones_like(true), true) + loss(tf.zeros_like(fake), fake)
        gradients = first.gradient(for_maker, maker.trainable_variables)
        of_maker.apply_gradients(zip(gradients, maker.trainable_variables))
        gradients = second.gradient(for_judge, judge.trainable_variables)
        of_judge.apply_gradients(zip(gradients, judge.trainable_variables))
        losses += [float(for_maker), float(for_judge)]
    outcome(name, judge, losses)


main(keras, keras.utils.clear_session)
