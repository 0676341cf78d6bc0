"""The imperative mechanism: what a script sees of it, and when it is given up."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from _deeplocalize_tracer.imperative import engine as pipe
from _deeplocalize_tracer.imperative import names, reading, tensorflow
from _deeplocalize_tracer.imperative.dataset import Dataset

from . import harness

_BINARY = os.environ.get("DEEPLOCALIZE_TEST_BINARY", "")
_CONFIG = {"mechanism": "auto", "engine": [_BINARY or "/nonexistent", "__engine"]}
_TOLERANCE = 2e-4


class Reading(unittest.TestCase):
    """Giving up before anything runs."""

    def what(self, text: str) -> str | None:
        found = reading.obstacle(text.encode(), "train.py")
        return None if found is None else found[0]

    def test_what_the_stand_in_has_is_no_obstacle(self) -> None:
        self.assertIsNone(
            self.what(
                "import tensorflow as tf\n"
                "from tensorflow import keras\n"
                "from tensorflow.keras.layers import Dense\n"
                "import tensorflow.keras.backend as K\n"
                "tf.random.set_seed(1); tf.compat.v1.set_random_seed(2)\n"
                "print(tf.__version__, tf.float32.name, tf.config.list_physical_devices('GPU'))\n"
                "data = tf.data.Dataset.from_tensor_slices(x).batch(tf.data.AUTOTUNE)\n"
                "model = tf.keras.Sequential([tf.keras.layers.Dense(1, activation=tf.nn.relu)])\n"
            )
        )

    def test_what_it_lacks_is_named(self) -> None:
        cases = {
            "import tensorflow as tf\nwith tf.GradientTape() as tape: pass": "tensorflow.GradientTape",
            "import tensorflow as tf\nDense(1, activation=tf.nn.softmax)": "tensorflow.nn.softmax",
            "from tensorflow import function as f": "tensorflow.function",
            "import tensorflow.compat.v1 as old\nold.Session()": "tensorflow.compat.v1.Session",
            "import torch.nn": "the package torch",
            "from tensorflow_probability import layers": "the package tensorflow_probability",
            "import os\nos.environ['KERAS_BACKEND'] = 'jax'": "the choice of a back end, KERAS_BACKEND,",
            "class Net(Model):\n    def train_step(self, data): pass": "the model's own `train_step`",
        }
        for text, what in cases.items():
            self.assertEqual(self.what(text), what)
        self.assertIsNone(self.what("import os\nos.environ['KERAS_BACKEND'] = 'tensorflow'"))

    def test_what_comes_after_the_last_training_does_not_matter(self) -> None:
        after = "model.fit(x, y)\nprint(tf.math.confusion_matrix(y, z))\n"
        self.assertIsNone(self.what("import tensorflow as tf\n" + after))
        within = "for _ in range(2):\n    model.fit(x, y)\n    print(tf.math.confusion_matrix(y, z))\n"
        self.assertEqual(self.what("import tensorflow as tf\n" + within), "tensorflow.math.confusion_matrix")


class Names(unittest.TestCase):
    """What is looked for in a script, and what there is."""

    def test_every_name_stands_for_something(self) -> None:
        self.assertEqual({*tensorflow._VALUES, *tensorflow._MADE}, names.KNOWN)
        without = {name: None for name in sys.modules if name.partition(".")[0] == "tensorflow"}
        with mock.patch.dict(sys.modules):
            for name in without:
                del sys.modules[name]
            # Keras itself is the affair of `imports`, and needs no stand-in.
            for name in {*tensorflow._VALUES, *names.OPEN} - {"keras"}:
                value: Any = tensorflow.module("")
                for part in name.split("."):
                    value = getattr(value, part)
                self.assertIsNotNone(value, name)

    def test_what_scripts_quieten_tensorflow_with_is_there(self) -> None:
        tf = tensorflow.module("")
        tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
        self.assertEqual(tf.get_logger().level, logging.ERROR)
        self.assertIs(tf.autograph.experimental.do_not_convert(len), len)
        self.assertTrue(issubclass(tf.errors.InvalidArgumentError, Exception))
        self.assertEqual(int(tf.size([[1, 2], [3, 4]])), 4)
        self.assertEqual(tf.linspace(0.0, 1.0, 3).tolist(), [0.0, 0.5, 1.0])


class Datasets(unittest.TestCase):
    """The order of elements where it is random."""

    def numbers(self, dataset: Any) -> list[int]:
        return [int(element) for element in dataset]

    def test_an_order_that_is_to_stay_stays(self) -> None:
        rows = Dataset.range(100).shuffle(100, reshuffle_each_iteration=False)
        self.assertEqual(self.numbers(rows), self.numbers(rows))
        # So that what is held out is not trained on.
        self.assertEqual(sorted(self.numbers(rows.take(30)) + self.numbers(rows.skip(30))), list(range(100)))
        rows = Dataset.range(100).shuffle(100)
        self.assertNotEqual(self.numbers(rows), self.numbers(rows))

    def test_arrays_may_be_used_again(self) -> None:
        held = np.array([1, 2])
        rows = Dataset.from_tensor_slices(held), Dataset.from_tensors(held)
        held[:] = 0
        self.assertEqual([self.numbers(rows[0]), next(iter(rows[1])).tolist()], [[1, 2], [1, 2]])

    def test_what_is_cached_is_not_made_again(self) -> None:
        rows = Dataset.range(100).shuffle(100).cache()
        self.assertEqual(self.numbers(rows.take(3))[3:], [])
        self.assertEqual(self.numbers(rows), self.numbers(rows))
        calls: list[int] = []
        rows = Dataset.range(3).map(lambda at: calls.append(at) or at).cache()
        self.assertEqual(self.numbers(rows.repeat(2)), [0, 1, 2, 0, 1, 2])
        self.assertEqual(len(calls), 3)


# Answers every request with its own number.
_ANSWERS = """
import struct, sys
number = 0
while head := sys.stdin.buffer.read(4):
    sys.stdin.buffer.read(*struct.unpack("<I", head))
    text = b'{"number": %d}' % number
    number += 1
    sys.stdout.buffer.write(struct.pack("<II", len(text), 0) + text)
    sys.stdout.buffer.flush()
"""


class GivenUp(BaseException):
    """In place of the end of the process."""


class Pipe(unittest.TestCase):
    """Requests and answers stay together."""

    def setUp(self) -> None:
        self.engine = pipe.Engine([sys.executable, "-c", _ANSWERS])
        patch = mock.patch.object(pipe, "give_up", side_effect=GivenUp)
        patch.start()
        self.addCleanup(patch.stop)

    def test_an_interrupted_request_is_the_last(self) -> None:
        self.addCleanup(self.engine.end)
        self.assertEqual(self.engine.call(do="nothing")[0], {"number": 0})
        interrupted = mock.patch.object(pipe, "_read", side_effect=KeyboardInterrupt)
        with interrupted, self.assertRaises(KeyboardInterrupt):
            self.engine.call(do="nothing")
        # The answer that waits is that to the request before.
        with self.assertRaises(GivenUp):
            self.engine.call(do="nothing")

    def test_what_is_interrupted_before_it_is_sent_is_the_last_too(self) -> None:
        self.addCleanup(self.engine.end)
        with self.assertRaises(pipe.NotCovered), self.engine.request():
            raise pipe.NotCovered("this")
        self.assertEqual(self.engine.call(do="nothing")[0], {"number": 0})
        with self.assertRaises(KeyboardInterrupt), self.engine.request():
            raise KeyboardInterrupt
        # Weights may count as handed over that are not.
        with self.assertRaises(GivenUp):
            self.engine.call(do="nothing")

    def test_a_request_is_not_begun_within_another(self) -> None:
        self.addCleanup(self.engine.end)
        with self.engine.request():
            self.engine.put([1.0, 2.0])
            with self.assertRaises(GivenUp), self.engine.request():
                pass
            self.assertEqual(self.engine.used, 8)
        with self.engine.request():
            self.assertEqual(self.engine.used, 0)

    def test_its_end_does_not_wait_for_others_who_hold_the_pipe(self) -> None:
        # As a process does that the script has forked.
        held = os.dup(self.engine._requests)
        self.addCleanup(os.close, held)
        # Lets go after a minute where it would wait for ever.
        helper = subprocess.Popen(
            [sys.executable, "-c", f"import os, time; time.sleep(60); os.kill({self.engine._process}, 9)"]
        )
        self.addCleanup(helper.wait)
        self.addCleanup(helper.kill)
        self.engine.end()
        self.assertIsNone(helper.poll())


@unittest.skipUnless(_BINARY, "needs the tool; `cargo xtask test` builds it")
class Engine(unittest.TestCase):
    """Each runs a script under the mechanism."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def trace(self, text: str) -> harness.Run:
        return harness.traced(harness.script(self.folder, text), config=_CONFIG)

    def fallback(self, text: str) -> str | None:
        """What the script is given up for."""
        run = self.trace(text)
        if run.of("fallback"):
            self.assertEqual(run.messages[-1]["type"], "fallback")
            return str(run.of("fallback")[0]["what"])
        self.assertEqual(run.code, 0, run.stderr)
        return None

    def test_the_user_sees_what_keras_on_tensorflow_shows(self) -> None:
        program, weights = harness.PROGRAMS / "histories.py", str(self.folder / "weights.npz")
        theirs = harness.plain(program, weights)
        self.assertEqual(theirs.code, 0, theirs.stderr)
        ours = harness.traced(program, weights, config=_CONFIG)
        self.assertEqual(ours.of("fallback"), [])
        self.assertEqual(ours.code, 0, ours.stderr)
        expected, seen = json.loads(theirs.stdout), json.loads(ours.stdout)
        self.assertEqual(list(seen), list(expected))
        for name in expected:
            with self.subTest(name):
                self.same(seen[name], expected[name], name)

    def same(self, seen: Any, expected: Any, place: str) -> None:
        if isinstance(expected, dict):
            self.assertEqual(list(seen), list(expected), place)
            for key in expected:
                self.same(seen[key], expected[key], f"{place}.{key}")
        elif isinstance(expected, list):
            self.assertEqual(len(seen), len(expected), place)
            for at, (one, other) in enumerate(zip(seen, expected)):
                self.same(one, other, f"{place}[{at}]")
        elif isinstance(expected, float):
            self.assertLessEqual(
                abs(seen - expected), _TOLERANCE * max(1.0, abs(expected)), (place, seen, expected)
            )
        else:
            self.assertEqual(seen, expected, place)

    def test_the_trace_is_that_of_the_other_mechanism(self) -> None:
        text = (
            "import numpy as np\n"
            "import keras\n"
            "from keras import layers\n"
            "base = keras.Sequential([keras.Input((4,)), layers.Dense(5), layers.Activation('sigmoid')], name='base')\n"
            "model = keras.Sequential([base, layers.LeakyReLU(), layers.Dropout(0.5), layers.Dense(1, 'sigmoid')])\n"
            "model.compile(keras.optimizers.Adam(), 'binary_crossentropy', metrics=['accuracy'])\n"
            "x = np.random.default_rng(1).random((64, 4))\n"
            "model.fit(x, np.arange(64) % 2, verbose=0, validation_split=0.25, epochs=2)\n"
        )
        script = harness.script(self.folder, text)
        ours, theirs = harness.traced(script, config=_CONFIG), harness.traced(script)
        self.assertEqual((ours.code, theirs.code), (0, 0), ours.stderr)
        self.assertEqual(ours.of("mechanism")[0]["name"], "imperative")
        mine, other = ours.of("fit")[0], theirs.of("fit")[0]
        for key in other:
            self.assertEqual(_scrubbed(mine[key]), _scrubbed(other[key]), key)
        self.assertEqual(
            [set(step.scalars) for step in ours.steps],
            [set(step.scalars) - {"seconds"} for step in theirs.steps],
        )
        self.assertEqual(set(ours.steps[0].rows), set(theirs.steps[0].rows))
        places = [(step.epoch, step.batch, step.step) for step in theirs.steps]
        self.assertEqual([(step.epoch, step.batch, step.step) for step in ours.steps], places)
        rows = {
            (row["layer"], row["tensor"], row["weight"], row.get("before_activation"))
            for row in ours.of("layout")[0]["rows"]
        }
        probed = next(layout for layout in theirs.of("layout") if layout["rows"])
        self.assertEqual(
            rows,
            {
                (row["layer"], row["tensor"], row["weight"], row.get("before_activation"))
                for row in probed["rows"]
            },
        )

    def test_dropout_drops_in_training_and_only_there(self) -> None:
        text = (
            "import keras, numpy as np\n"
            "from keras import layers\n"
            "x = np.ones((640, 50), 'float32')\n"
            "same = dict(units=50, kernel_initializer='identity', use_bias=False)\n"
            "def plain(): return keras.Sequential([keras.Input((50,)), layers.Dropout(0.5), layers.Dense(**same)])\n"
            "def nested(): return keras.Sequential([plain()])\n"
            "class Own(keras.Model):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.drop, self.dense = layers.Dropout(0.5), layers.Dense(**same)\n"
            "    def call(self, x, training=None):\n"
            "        return self.dense(self.drop(x, training=training) if training else x)\n"
            "for make in (plain, nested, Own):\n"
            "    model = make()\n"
            "    model.compile(keras.optimizers.SGD(0.0), 'mse')\n"
            "    history = model.fit(x, x, verbose=0)\n"
            "    print(round(history.history['loss'][0], 3), model.evaluate(x, x, verbose=0))\n"
        )
        run = self.trace(text)
        self.assertEqual(run.code, 0, run.stderr)
        # A kept input counts twice: its error is 1, as is that of a dropped one.
        self.assertEqual(run.stdout.split(), ["1.0", "0.0"] * 3)

    def test_the_script_does_not_see_the_stand_ins_where_it_matters(self) -> None:
        text = (
            "import os, sys\n"
            "import numpy as np\n"
            "np.random.seed(3)\n"
            "import tensorflow as tf\n"
            "from tensorflow import keras\n"
            "assert 'KERAS_BACKEND' not in os.environ and 'jax' not in sys.modules and 'scipy' not in sys.modules\n"
            "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n"
            "model.compile('sgd', 'mse')\n"
            "model.fit(np.zeros((50, 3)), np.zeros((50, 2)), batch_size=5, verbose=0)\n"
            "print(np.random.rand())\n"
            "print(keras.utils.to_categorical(np.array([0.0, 2.0]), 3).tolist())\n"
            "print(keras.utils.to_categorical(np.array([True, False]), 2).tolist())\n"
            "print(tf.constant([1, 2]).numpy().dtype, tf.one_hot([1], 2).numpy().tolist(), tf.executing_eagerly())\n"
        )
        run = self.trace(text)
        self.assertEqual(run.code, 0, run.stderr)
        self.assertEqual(
            run.stdout.split("\n"),
            [
                "0.5507979025745755",
                "[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]",
                "[[0.0, 1.0], [1.0, 0.0]]",
                "int32 [[0.0, 1.0]] True",
                "",
            ],
        )

    def test_asking_whether_keras_is_there_does_not_import_it(self) -> None:
        text = (
            "import importlib.util, os\n"
            "assert importlib.util.find_spec('keras') is not None\n"
            "assert 'KERAS_BACKEND' not in os.environ\n"
            "import pandas, tensorflow as tf\n"
            "import keras\n"
            "assert 'KERAS_BACKEND' not in os.environ\n"
            "print(keras.backend.backend(), pandas.Series([1]).sum())\n"
        )
        run = self.trace(text)
        self.assertEqual((run.code, run.of("fallback")), (0, []), run.stderr)
        self.assertEqual(run.stdout.split(), ["numpy", "1"])

    def test_weights_of_an_interrupted_step_are_not_taken_from_python(self) -> None:
        text = (
            "import keras, numpy as np\n"
            "from _deeplocalize_tracer.imperative import engine\n"
            "def interrupted(*_):\n"
            "    raise KeyboardInterrupt\n"
            "x = np.ones((5, 3), 'float32')\n"
            "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\n"
            "model.compile('sgd', 'mse')\n"
            "model.evaluate(x, x[:, :1], verbose=0)\n"
            "engine._read, plain = interrupted, engine._read\n"
            "try:\n"
            "    model.fit(x, x[:, :1], verbose=0)\n"
            "except KeyboardInterrupt:\n"
            "    engine._read = plain\n"
            "    model.get_weights()\n"
        )
        run = self.trace(text)
        self.assertEqual(
            [message["what"] for message in run.of("fallback")], ["a training that was interrupted"]
        )

    def test_models_that_are_gone_are_closed(self) -> None:
        text = (
            "import gc, keras, numpy as np\n"
            "from _deeplocalize_tracer.imperative import mirror\n"
            "x = np.ones((5, 3), 'float32')\n"
            "def fit():\n"
            "    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\n"
            "    model.compile('sgd', 'mse')\n"
            "    model.fit(x, x[:, :1], verbose=0)\n"
            "    return model\n"
            "def loss(model):\n"
            "    return model.evaluate(x, x[:, :1], verbose=0)\n"
            "kept = fit()\n"
            "before = loss(kept)\n"
            "layer = fit().layers[0]\n"
            "for _ in range(5): fit()\n"
            "gc.collect()\n"
            "last = fit()\n"
            # The two that are kept, and that of the layer.
            "print(mirror._open[0], loss(kept) == before, layer.kernel.shape, bool(np.any(layer.get_weights()[0])))\n"
        )
        run = self.trace(text)
        self.assertEqual(run.code, 0, run.stderr)
        self.assertEqual(run.stdout.strip(), "3 True (3, 1) True")

    def test_what_is_not_covered_is_named(self) -> None:
        start = (
            "import numpy as np\n"
            "import keras\n"
            "from keras import layers, ops\n"
            "x, y = np.random.rand(20, 4), np.random.rand(20, 1)\n"
            "def fit(*parts, x=x, y=y, optimizer='sgd', loss='mse', metrics=None):\n"
            "    model = keras.Sequential([keras.Input((4,)), *parts])\n"
            "    model.compile(optimizer, loss, metrics=metrics)\n"
            "    model.fit(x, y, verbose=0)\n"
        )
        own = "class Own(layers.Layer):\n    def call(self, x): return x * 2\n"
        step = "class Own(keras.optimizers.SGD): pass\n"
        cases = {
            own + "fit(Own(), layers.Dense(1))\n": "a Own of the script's own",
            "fit(layers.Lambda(lambda x: x * 2), layers.Dense(1))\n": "Lambda",
            "fit(layers.Dense(1), loss=lambda a, b: ops.mean(a - b))\n": "loss",
            step + "fit(layers.Dense(1), optimizer=Own())\n": "Own",
            "fit(layers.Dense(1), x=x.astype(str))\n": "data of strings or objects",
            "fit(layers.Dense(1), x=np.array([[1, 2, 3, 4], [1]], dtype=object), y=y[:2])\n": "ValueError",
            "import tensorflow as tf\nfit(layers.Dense(1), x=tf.ragged.constant([[1], [2, 3]]))\n": "tensorflow.ragged",
            "import tensorflow as tf\nx = keras.Input((4,))\ntf.square(x)\n": "tensorflow.square",
            "optimizer = keras.optimizers.AdamW()\noptimizer.exclude_from_weight_decay(var_names=['bias'])\n"
            "fit(layers.Dense(1), optimizer=optimizer)\n": "leaves weights out of the weight decay",
            "keras.config.set_dtype_policy('mixed_float16')\nfit(layers.Dense(1))\n": "float16",
            "fit(layers.Dense(1), x=x[:0], y=y[:0])\n": "training data without a single batch",
            "import tensorflow\ngetattr(tensorflow, 'Gradient' + 'Tape')\n": "tensorflow.GradientTape",
            "__import__('torch')\n": "the package torch",
            "raise ValueError('mine')\n": "a script that raises ValueError here",
        }
        for text, what in cases.items():
            with self.subTest(text):
                found = self.fallback(start + text)
                self.assertIsNotNone(found)
                self.assertIn(what, found or "")

    def test_functions_of_keras_are_known_by_name(self) -> None:
        text = (
            "import keras, numpy as np\n"
            "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, keras.activations.relu)])\n"
            "model.compile('sgd', keras.losses.mean_squared_error, metrics=[keras.metrics.mean_absolute_error])\n"
            "history = model.fit(np.ones((5, 3)), np.zeros((5, 2)), verbose=0)\n"
            "print(sorted(history.history))\n"
        )
        run = self.trace(text)
        self.assertEqual(run.code, 0, run.stderr)
        self.assertEqual(run.stdout.strip(), "['loss', 'mean_absolute_error']")
        self.assertEqual(run.of("keras")[0]["backend"], "engine")

    def test_what_only_an_engine_sees_is_sent(self) -> None:
        text = (
            "import keras, numpy as np\n"
            "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n"
            "model.compile('sgd', 'mse')\n"
            "x = np.random.default_rng(0).random((160, 3))\n"
            "model.fit(x, x[:, :2], batch_size=4, verbose=0)\n"
            "kernel, bias = model.get_weights()\n"
            "kernel[2, 1] = np.nan\n"
            "model.set_weights([kernel, bias])\n"
            "model.fit(x, x[:, :2], batch_size=4, verbose=0)\n"
        )
        run = self.trace(text)
        self.assertEqual(run.code, 0, run.stderr)
        [gauge] = run.of("gauge")
        self.assertEqual((gauge["fit"], gauge["step"]), (0, 32))
        self.assertLess(gauge["slope_before"], 0)
        self.assertEqual(len(gauge["sample_gradients"]), 4)
        [fault] = run.of("fault")
        self.assertEqual((fault["fit"], fault["step"], fault["moment"]), (1, 0, "weight"))
        self.assertEqual((fault["what"], fault["element"], fault["value"]), ("kernel", [2, 1], "nan"))

    def test_an_engine_that_ends_is_said(self) -> None:
        script = harness.script(
            self.folder,
            "import keras, numpy as np\n"
            "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n"
            "model.compile('sgd', 'mse')\n"
            "model.fit(np.zeros((5, 3)), np.zeros((5, 2)), verbose=0)\n",
        )
        run = harness.traced(script, config={"mechanism": "auto", "engine": ["/bin/true"]})
        self.assertIn("the engine ended unexpectedly", run.of("fallback")[0]["what"])
        self.assertEqual(run.of("fallback")[0]["site"]["line"], 4)


def _scrubbed(value: Any) -> Any:
    """Without what follows from the initial weights or the back end."""
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value
