"""Trainings of one or two steps whose every number is also worked out by hand; prints those."""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(3)
EXPECTED = {}
generator = np.random.default_rng(0)
x = generator.normal(size=(8, 5)).astype("float32")


def stats(a):
    a = np.asarray(a, dtype=np.float64)
    return {
        "count": a.size,
        "mean": a.mean(),
        "std": a.std(),
        "min": a.min(),
        "max": a.max(),
        "absmax": abs(a).max(),
        "l2": np.sqrt((a * a).sum()),
        "zeros": int((a == 0).sum()),
        "nans": 0,
        "infs": 0,
    }


def bins(a):
    """The histogram, of tensors that are small enough for all elements to count."""
    counts, _ = np.histogram(np.asarray(a, dtype=np.float64), 10)
    return {f"bin_{number}": share for number, share in enumerate(counts / counts.sum())}


def unit_stats(a):
    a = np.asarray(a, dtype=np.float64)
    return {
        **stats(a),
        "units": a.shape[-1],
        "dead_units": int((a == 0).all(axis=0).sum()),
        "spread": a.std(axis=0).mean(),
    }


# 0: relu, then softmax with cross-entropy on remembered logits; all in one batch.
y = generator.integers(0, 3, 8)
model = keras.Sequential(
    [keras.Input((5,)), layers.Dense(4, activation="relu"), layers.Dense(3, activation="softmax")]
)
w1, b1, w2, b2 = model.get_weights()
b1[0] = -100.0
model.set_weights([w1, b1, w2, b2])
model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0)
v1 = x @ w1 + b1
h = np.maximum(v1, 0)
z = h @ w2 + b2
p = np.exp(z - z.max(axis=1, keepdims=True))
p /= p.sum(axis=1, keepdims=True)
dz = (p - np.eye(3)[y]) / 8
dp = (1 - np.eye(3)[y] / p) / 8
dh = dz @ w2.T
dv1 = dh * (v1 > 0)
EXPECTED["classifier"] = {
    "0/v1": unit_stats(v1),
    "0/v2": {**unit_stats(h), **bins(h)},
    "0/gout": unit_stats(dh),
    "0/w:kernel": {**stats(w1), **bins(w1)},
    "0/dw:kernel": stats(x.T @ dv1),
    "0/update:kernel": stats(-0.5 * x.T @ dv1),
    "0/dw:bias": stats(dv1.sum(axis=0)),
    "1/v1": unit_stats(z),
    "1/v2": unit_stats(p),
    # TensorFlow works the loss out from the logits, JAX from the probabilities.
    "1/gout": unit_stats(dz if keras.backend.backend() == "tensorflow" else dp),
    "1/dw:kernel": stats(h.T @ dz),
    "scalars": {
        "loss": -np.log(p[np.arange(8), y]).mean(),
        "learning_rate": 0.5,
        "batch_size": 8,
        "hits": (p.argmax(axis=1) == y).mean(),
        "label_sum": y.sum(),
        "label_square_sum": (y * y).sum(),
        "label_count": 8,
        "prediction_spread": p.std(axis=0).mean(),
        "prediction_min": p.min(),
        "prediction_max": p.max(),
        "metric:accuracy": (p.argmax(axis=1) == y).mean(),
    },
}

# 1: regression through tanh, labels of shape (n,) against predictions of shape (n, 1).
t = generator.normal(size=8).astype("float32") * 3
model = keras.Sequential([keras.Input((5,)), layers.Dense(6, activation="tanh"), layers.Dense(1)])
w1, b1, w2, b2 = model.get_weights()
w1 *= 20
model.set_weights([w1, b1, w2, b2])
model.compile(keras.optimizers.SGD(0.01), "mse")
model.fit(x, t, batch_size=8, epochs=1, shuffle=False, verbose=0)
v1 = x @ w1 + b1
h = np.tanh(v1)
out = h @ w2 + b2
dout = 2 * (out - t[:, None]) / 8
EXPECTED["regression"] = {
    "0/v1": {**unit_stats(v1), "saturated": (abs(v1) >= 5).mean()},
    "0/gout": unit_stats(dout @ w2.T),
    "1/v1": unit_stats(out),
    "1/v2": unit_stats(out),
    "1/gout": unit_stats(dout),
    "1/dw:kernel": stats(h.T @ dout),
    "scalars": {
        "loss": ((out[:, 0] - t) ** 2).mean(),
        "hits": None,
        "residual_square_sum": ((out[:, 0] - t) ** 2).sum(),
        "label_sum": t.sum(),
    },
}

# 2: one sigmoid unit against 0/1 labels, with NaN in one sample.
bad = x.copy()
bad[2, 1] = np.nan
binary = np.array([0, 1, 1, 0, 1, 0, 0, 1], dtype="float32")
model = keras.Sequential(
    [keras.Input((5,)), layers.Dense(2), layers.Activation("relu"), layers.Dense(1, "sigmoid")]
)
w = model.get_weights()
# PyTorch refuses NaN in a cross-entropy.
model.compile("adam", "mse", metrics=["accuracy"])
model.fit(bad, binary, batch_size=8, epochs=1, shuffle=False, verbose=0)
v = bad @ w[0] + w[1]
finite = v[np.isfinite(v)]
EXPECTED["nan"] = {
    "0/v1": {**stats(finite), "count": 16, "nans": 2, "units": 2},
    "1/v1": {**stats(finite), **bins(finite), "count": 16, "nans": 2},
    "scalars": {"loss": None},
}

# 3: gradient accumulated over a last, smaller batch; the loss must be that batch's alone, not Keras' running mean.
model = keras.Sequential([keras.Input((5,)), layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.0), "mae")
w, b = model.get_weights()
model.fit(x, t, batch_size=3, epochs=2, shuffle=False, verbose=0)
errors = abs((x @ w + b)[:, 0] - t)
EXPECTED["batches"] = [errors[:3].mean(), errors[3:6].mean(), errors[6:].mean()] * 2

# 4: channels-first convolution: units along axis 1.
images = generator.normal(size=(4, 2, 6, 6)).astype("float32")
model = keras.Sequential(
    [
        keras.Input((6, 6, 2)),
        layers.Conv2D(3, 3, activation="relu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(1),
    ]
)
model.compile("sgd", "mse")
model.fit(images.transpose(0, 2, 3, 1), np.ones(4), batch_size=4, verbose=0)

print(json.dumps(EXPECTED, default=float))
