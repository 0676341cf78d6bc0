"""Many kinds of training with Keras 2, each from the same seed; prints the outcome of each to the last bit."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import shared_kinds
import tensorflow as tf
import tf_keras
from common import data, kind, main, outcome

keras = tf.keras
layers = keras.layers

shared_kinds.define(keras)
shared_kinds.define_compiled(keras)


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
def compiled_with_a_legacy_optimizer(name):
    x, y = data()
    model = tf_keras.Sequential([layers.Dense(8, "relu"), layers.Dense(4, "softmax")])
    model.compile(
        tf_keras.optimizers.legacy.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", jit_compile=True
    )
    source = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(150).batch(20)
    outcome(name, model, model.fit(source, epochs=2, verbose=0))


main(keras, keras.backend.clear_session)
