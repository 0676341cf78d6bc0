"""Many kinds of training on PyTorch, each from the same seed; prints the outcome of each to the last bit."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import shared_kinds
import torch
from common import data, kind, main, outcome
from keras import layers

# Sums of several threads come in any order.
torch.set_num_threads(1)
shared_kinds.define(keras)


class Custom(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(8, activation="relu")
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.hidden(x))

    def train_step(self, data):
        x, y = data[:2]
        self.zero_grad()
        loss = torch.mean((self(x + torch.randn(x.shape), training=True)[:, 0] - y) ** 2)
        loss.backward()
        weights = self.trainable_weights
        with torch.no_grad():
            self.optimizer.apply([weight.value.grad for weight in weights], weights)
        return {"loss": loss}


@kind
def custom_train_step(name):
    x, y = data()
    model = Custom()
    model.compile(keras.optimizers.Adam(1e-2))
    outcome(name, model, model.fit(x, y.astype("float32"), epochs=2, verbose=0), torch.rand(3).tolist())


main(keras, keras.utils.clear_session)
