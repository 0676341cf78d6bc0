"""Scripts that fail or do unusual things."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

from . import harness

START = """\
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import keras
from keras import layers
"""


class Scripts(unittest.TestCase):
    """Each runs a script of its own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def trace(self, text: str, **options: object) -> harness.Run:
        """Runs this text after the usual imports."""
        return harness.traced(harness.script(self.folder, START + text), **options)

    def test_an_error_in_the_first_step_names_the_layer(self) -> None:
        text = (
            "model = keras.Sequential([layers.Dense(4), layers.LSTM(3), layers.Dense(1)])\n"
            "model.compile(loss='mse', optimizer='sgd')\n"
            "def train():\n"
            "    model.fit(np.zeros((10, 5)), np.zeros(10), verbose=0)\n"
            "train()\n"
        )
        run = self.trace(text)
        plain = harness.plain(self.folder / "train.py")
        self.assertEqual((run.code, plain.code), (1, 1))
        exception = run.of("exception")[0]
        self.assertEqual(exception["class"], "ValueError")
        self.assertIn("expected ndim=3, found ndim=2", exception["message"])
        self.assertEqual([frame["site"]["line"] for frame in exception["frames"] if frame["user"]], [10, 9])
        self.assertEqual((exception["layer"]["name"], exception["layer"]["index"]), ("lstm", 1))
        self.assertEqual(exception["layer"]["site"]["line"], 6)
        self.assertEqual(exception["fit"], 0)
        self.assertEqual([end["reason"] for end in run.of("fit-end")], ["exception"])
        self.assertEqual(_traceback(run.stderr), _traceback(plain.stderr))

    def test_an_error_while_building_names_the_layer(self) -> None:
        run = self.trace(
            "keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(4, 3),\n"
            "                  layers.MaxPooling2D(8), layers.Dense(2)])\n"
        )
        exception = run.of("exception")[0]
        self.assertEqual(
            (exception["layer"]["class"], exception["layer"]["site"]["line"]), ("MaxPooling2D", 7)
        )
        self.assertNotIn("\x1b", exception["message"])
        self.assertEqual(run.of("fit"), [])
        self.assertEqual(run.of("exit")[0]["code"], 1)

    def test_loops_whose_loss_is_over_all_pairs_of_rows(self) -> None:
        """Compiled, where only the line is known, and eager; the twins compare each row with its own label."""
        run = self.trace(
            "import tensorflow as tf\n"
            "x, y = np.random.rand(64, 3).astype('float32'), np.random.rand(64).astype('float32')\n"
            "def trained(compiled, wrong):\n"
            "    net = keras.Sequential([keras.Input((3,)), layers.Dense(1)])\n"
            "    rate = keras.optimizers.SGD(0.01)\n"
            "    def step(a, b):\n"
            "        with tf.GradientTape() as tape:\n"
            "            p = net(a) if wrong else net(a)[:, 0]\n"
            "            cost = tf.reduce_mean(tf.square(b - p))\n"
            "        weights = net.trainable_variables\n"
            "        rate.apply_gradients(zip(tape.gradient(cost, weights), weights))\n"
            "    step = tf.function(step) if compiled else step\n"
            "    for at in range(0, 64, 16):\n"
            "        step(x[at:at + 16], y[at:at + 16])\n"
            "for compiled in (True, False):\n"
            "    for wrong in (True, False):\n"
            "        trained(compiled, wrong)\n"
        )
        self.assertEqual(run.code, 0, run.stderr)
        found = [fit["pairings"] for fit in run.of("fit")]
        self.assertEqual([len(pairings) for pairings in found], [1, 0, 1, 0])
        for pairings in (found[0], found[2]):
            self.assertEqual(
                (pairings[0]["operation"], pairings[0]["shapes"], pairings[0]["prediction"]),
                ("Sub", [[16], [16, 1]], 1),
            )
            self.assertEqual(pairings[0]["site"]["line"], 14)
        self.assertIsNone(found[0][0]["site"]["column"])

    def test_caught_errors_and_several_trainings(self) -> None:
        run = self.trace(
            "from tensorflow import keras as old\n"
            "model = old.Sequential([old.layers.Dense(2), old.layers.Dense(1)])\n"
            "model.compile('sgd', 'mse')\n"
            "try:\n"
            "    model.fit(np.zeros((4, 2)), np.zeros(5), verbose=0)\n"
            "except ValueError:\n"
            "    pass\n"
            "model.fit(np.zeros((4, 2)), np.zeros(4), verbose=0)\n"
            "for _ in range(3):\n"
            "    model.train_on_batch(np.zeros((4, 2)), np.zeros(4))\n"
            "raise SystemExit(3)\n"
        )
        self.assertEqual(run.code, 3)
        self.assertEqual(run.of("exception"), [])
        self.assertEqual([fit["call"] for fit in run.of("fit")], ["fit", "fit", "train_on_batch"])
        ends = [(end["fit"], end["reason"]) for end in run.of("fit-end")]
        self.assertEqual(ends, [(0, "exception"), (1, "finished"), (2, "finished")])
        self.assertEqual([(step.fit, step.step) for step in run.steps], [(1, 0), (2, 0), (2, 1), (2, 2)])
        self.assertEqual(run.of("exit")[0], {"type": "exit", "code": 3, "fits": 3})

    def test_loops_without_fit_are_observed(self) -> None:
        run = self.trace(
            "import tensorflow as tf\n"
            "x, y = np.random.rand(32, 3).astype('float32'), np.random.randint(0, 2, 32)\n"
            "def loop(compiled):\n"
            "    model = keras.Sequential([layers.Dense(4, activation='relu'), layers.Dense(2)])\n"
            "    optimizer = keras.optimizers.SGD(0.5)\n"
            "    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n"
            "    def step(x, y):\n"
            "        with tf.GradientTape() as tape:\n"
            "            value = loss(y, model(x, training=True))\n"
            "        gradients = tape.gradient(value, model.trainable_weights)\n"
            "        optimizer.apply_gradients(zip(gradients, model.trainable_weights))\n"
            "        return value\n"
            "    if compiled:\n"
            "        step = tf.function(step)\n"
            "    print([float(step(tf.constant(x), tf.constant(y))) for _ in range(4)])\n"
            "loop(False)\n"
            "loop(True)\n"
        )
        self.assertEqual(run.code, 0, run.stderr)
        self.assertEqual(run.of("notice"), [])
        fits = run.of("fit")
        self.assertEqual([fit["call"] for fit in fits], ["loop", "loop"])
        self.assertEqual([fit["site"]["line"] for fit in fits], [16, 20])
        for fit in fits:
            self.assertEqual(fit["loss"]["name"], "sparse_categorical_crossentropy")
            self.assertEqual([layer["site"]["line"] for layer in fit["layers"]], [9, 9])
            self.assertEqual(fit["optimizer"]["site"]["line"], 10)
            self.assertEqual(fit["data"]["y"][0]["min"], 0.0)
        losses = [json.loads(line) for line in run.stdout.splitlines()]
        for number, first in ((0, 0), (1, 1)):
            steps = [step for step in run.steps if step.fit == number]
            # Of a compiled step the first call shows that it trains.
            self.assertEqual([step.step for step in steps], [*range(first, 4)])
            for step in steps:
                self.assertAlmostEqual(step.scalars["loss"], losses[number][step.step], places=6)
                self.assertGreater(step.scalars["hits"], 0.0)
                self.assertAlmostEqual(
                    step.rows[1, "update", "kernel"]["l2"], step.rows[1, "dw", "kernel"]["l2"] / 2, places=5
                )

    def test_the_private_keras_of_tensorflow_is_named(self) -> None:
        run = self.trace(
            "from tensorflow.python.keras import layers, models\n"
            "model = models.Sequential([layers.Dense(2)])\n"
            "model.compile('sgd', 'mse')\n"
            "model.fit(np.zeros((4, 2)), np.zeros((4, 2)))\n"
        )
        notices = [(notice["name"], notice["site"]["line"]) for notice in run.of("notice")]
        self.assertEqual(notices, [("private-keras", 9)])

    def test_validation_samples_that_are_trained_on(self) -> None:
        run = self.trace(
            "x, y = np.random.rand(40, 5), np.random.rand(40)\n"
            "model = keras.Sequential([layers.Dense(1)])\n"
            "model.compile('sgd', 'mse')\n"
            "model.fit(x, y, verbose=0, validation_split=0.25)\n"
            "model.fit(x[:30], y[:30], verbose=0, validation_data=(x[28:36], y[28:36]))\n"
            "model.fit(x, y, verbose=0)\n"
        )
        self.assertEqual(run.code, 0, run.stderr)
        found = [fit["duplicates"] for fit in run.of("fit")]
        self.assertEqual(found, [{"validation": 10, "shared": 0}, {"validation": 8, "shared": 2}, None])
        self.assertTrue(all(step.scalars["seconds"] > 0 for step in run.steps))

    def test_nested_models_subclasses_and_helpers(self) -> None:
        run = self.trace(
            "class Block(layers.Layer):\n"
            "    def __init__(self, units):\n"
            "        super().__init__()\n"
            "        self.inner = layers.Dense(units, activation='relu')\n"
            "    def call(self, x):\n"
            "        return self.inner(x)\n"
            "def head(): return [layers.Dense(3), layers.Activation('sigmoid'), layers.Dense(1)]\n"
            "base = keras.Sequential([keras.Input((4,)), Block(5), *head()], name='base')\n"
            "model = keras.Sequential([base, layers.LeakyReLU(negative_slope=0.1), layers.Dense(1, 'sigmoid')])\n"
            "model.compile(keras.optimizers.Adam(), keras.losses.BinaryCrossentropy(label_smoothing=0.1))\n"
            "model.fit(np.random.rand(64, 4), np.random.randint(0, 2, 64), verbose=0, validation_split=0.25)\n"
        )
        self.assertEqual(run.code, 0, run.stderr)
        fit = run.of("fit")[0]
        names = [
            "base/block/dense",
            "base/dense_1",
            "base/activation",
            "base/dense_2",
            "leaky_re_lu",
            "dense_3",
        ]
        self.assertEqual([layer["name"] for layer in fit["layers"]], names)
        self.assertEqual([layer["inputs"] for layer in fit["layers"]], [[], [0], [1], [2], [3], [4]])
        activations = ["relu", "linear", "sigmoid", "linear", "leaky_relu", "sigmoid"]
        self.assertEqual([layer["activation"] for layer in fit["layers"]], activations)
        self.assertEqual([layer["site"]["line"] for layer in fit["layers"]], [9, 12, 12, 12, 14, 14])
        self.assertEqual(fit["loss"]["name"], "binary_crossentropy")
        self.assertEqual(fit["loss"]["config"]["label_smoothing"], 0.1)
        self.assertEqual((fit["samples"], fit["steps_per_epoch"], fit["validation"]), (48, 2, True))
        tensors = {(layer, tensor) for layer, tensor, _ in run.steps[0].rows}
        for layer in range(6):
            self.assertLessEqual({(layer, "v1"), (layer, "v2"), (layer, "gout")}, tensors)
        self.assertEqual(set(run.of("epoch")[0]["logs"]), {"loss", "val_loss"})

    def test_plots_open_no_window(self) -> None:
        package = self.folder / "matplotlib"
        package.mkdir()
        used = (
            "def use(backend, *, force=True):\n    if backend == 'TkAgg': raise ImportError('no display')\n"
        )
        (package / "__init__.py").write_text(used, encoding="utf-8")
        (package / "pyplot.py").write_text(
            "def show(*a, **k): raise SystemExit('a window')\n", encoding="utf-8"
        )
        text = (
            "import matplotlib\n"
            "matplotlib.use('TkAgg')\n"
            "import matplotlib.pyplot as plt\n"
            "plt.show()\n"
            "plt.show(block=True)\n"
        )
        run = harness.traced(harness.script(self.folder, text))
        self.assertEqual(run.code, 0, run.stderr)
        notices = [(notice["name"], notice["site"]["line"]) for notice in run.of("notice")]
        self.assertEqual(notices, [("plot", 2)])

    def test_a_missing_keras_is_said_plainly(self) -> None:
        text = "import sys\nsys.modules['keras'] = None\nfrom keras import layers\n"
        run = harness.traced(harness.script(self.folder, text))
        self.assertEqual(run.code, 1)
        self.assertEqual(run.of("notice")[0]["name"], "keras-missing")
        self.assertEqual(run.of("notice")[0]["site"]["line"], 3)
        self.assertEqual(run.of("exception")[0]["class"], "ModuleNotFoundError")


def _traceback(text: str) -> str:
    return text[text.index("Traceback") :]
