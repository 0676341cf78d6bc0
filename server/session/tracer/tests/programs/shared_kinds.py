"""Kinds of training that are written alike whatever runs them: Keras 3 on any back end, and Keras 2."""

import numpy as np
from common import data, kind, outcome


def define(keras):
    """Adds them; `keras` is the package that trains."""
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
        base = keras.Sequential(
            [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()], name="base"
        )
        model = keras.Sequential([base, layers.Dense(4, "softmax")])
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
                layers.Bidirectional(layers.LSTM(6, return_sequences=True, dropout=0.2)),
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
        model.compile(
            keras.optimizers.Adam(rate, clipnorm=1.0),
            {"c": "sparse_categorical_crossentropy", "d": "mse"},
            loss_weights={"c": 1.0, "d": 0.5},
        )
        outcome(name, model, model.fit({"a": x, "b": -x}, {"c": y, "d": y * 1.0}, epochs=2, verbose=0))

    @kind
    def attention(name):
        x, y = data(shape=(6, 8))
        inputs = keras.Input((6, 8))
        hidden = layers.MultiHeadAttention(2, 4, dropout=0.1)(inputs, inputs)
        hidden = layers.LayerNormalization()(inputs + hidden)
        model = keras.Model(inputs, layers.Dense(4, "softmax")(layers.GlobalAveragePooling1D()(hidden)))
        model.compile("adam", "sparse_categorical_crossentropy")
        outcome(name, model, model.fit(x, y, epochs=2, verbose=0))

    @kind
    def weighted_batches(name):
        x, y = data()
        model = keras.Sequential(
            [
                layers.Dense(8, "relu", kernel_regularizer="l2"),
                layers.Dropout(0.1),
                layers.Dense(4, "softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
        weights = np.random.default_rng(1).random(150)
        first = model.fit(x, y, sample_weight=weights, epochs=1, verbose=0)
        second = model.fit(x, y, class_weight={0: 1.0, 1: 2.0, 2: 0.5, 3: 3.0}, epochs=1, verbose=0)
        losses = [model.train_on_batch(x[at : at + 30], y[at : at + 30]) for at in range(0, 150, 30)]
        outcome(name, model, first, second, losses)

    @kind
    def uncompiled(name):
        x, y = data()
        model = keras.Sequential(
            [layers.Dense(8, "sigmoid"), layers.Dropout(0.5), layers.Dense(4, "softmax")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        outcome(name, model, model.fit(x, y, epochs=1, verbose=0))

    @kind
    def drawn_batches(name):
        x, y = data()

        class Draws(getattr(keras.utils, "PyDataset", None) or keras.utils.Sequence):
            def __len__(self):
                return 6

            def __getitem__(self, index):
                at = np.random.randint(0, 130)
                return x[at : at + 20], y[at : at + 20]

        model = keras.Sequential([layers.Dense(8, "gelu"), layers.Dense(4)])
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        outcome(name, model, model.fit(Draws(), epochs=2, verbose=0))

    @kind
    def mixed_precision(name):
        policy = getattr(keras, "mixed_precision", None)
        choose = policy.set_global_policy if policy else keras.config.set_dtype_policy
        choose("mixed_float16")
        x, y = data()
        model = keras.Sequential(
            [layers.Dense(8, "relu"), layers.Dense(4), layers.Activation("softmax", dtype="float32")]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        history = model.fit(x, y, epochs=2, verbose=0)
        choose("float32")
        outcome(name, model, history)


def define_compiled(keras):
    """Adds those that PyTorch does not have."""
    layers = keras.layers

    @kind
    def many_steps_per_execution(name):
        x, y = data()
        model = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(4, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=3)
        outcome(name, model, model.fit(x, y, batch_size=20, epochs=2, verbose=0))

    @kind
    def random_while_tracing(name):
        class Jitter(layers.Layer):
            def call(self, x):
                return x * np.random.uniform(0.9, 1.1)

        x, y = data()
        model = keras.Sequential([layers.Dense(8, "relu"), Jitter(), layers.Dense(4, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        outcome(name, model, model.fit(x, y, verbose=0))
