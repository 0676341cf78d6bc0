"""What trials are judged on and by, without any Keras."""

from __future__ import annotations

import math
import os
import random
import select
import signal
import subprocess
import sys
import time
import unittest
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from _deeplocalize_tracer import judged_rows, scores, seeds, trials, yardstick

from . import harness

NAN = float("nan")


class Yardstick(unittest.TestCase):
    """Numbers worked out by hand."""

    def test_one_column_of_classes(self) -> None:
        """Accuracy at the threshold, and its mean over the classes."""
        labels = np.array([0, 0, 0, 1])
        predicted = np.array([[0.1], [0.2], [0.7], [0.9]])
        found = yardstick.measure(labels, predicted, "binary_crossentropy", False)
        self.assertEqual((found["rows"], found["classes"], found["finite"]), (4, 2, True))
        self.assertAlmostEqual(found["accuracy"], 0.75)
        self.assertAlmostEqual(found["balanced_accuracy"], (2 / 3 + 1) / 2)
        self.assertAlmostEqual(found["constant"], 0.75)
        # Squared errors 0.01 + 0.04 + 0.49 + 0.01 over 0.75.
        self.assertAlmostEqual(found["probabilities"], 1 - 0.55 / 0.75)
        # Accuracy is no better than a constant; both classes are found more often than by guessing.
        self.assertAlmostEqual(yardstick.skill(found), (2 / 3 + 1) - 1)

    def test_logits(self) -> None:
        """The threshold of logits is 0, and their probabilities are those of a sigmoid."""
        labels = np.array([0, 1])
        found = yardstick.measure(labels, np.array([[-2.0], [2.0]]), "binary_crossentropy", True)
        self.assertEqual(found["accuracy"], 1.0)
        error = 1 / (1 + math.exp(2.0))
        self.assertAlmostEqual(found["probabilities"], 1 - 2 * error**2 / 0.5)

    def test_one_hot_rows_and_class_numbers_come_to_the_same(self) -> None:
        """The largest output is the answer."""
        predicted = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.6, 0.2, 0.2]])
        numbers = np.array([0, 1, 2])
        sparse = yardstick.measure(numbers, predicted, "sparse_categorical_crossentropy", False)
        hot = yardstick.measure(np.eye(3)[numbers], predicted, "categorical_crossentropy", False)
        for name in ("accuracy", "balanced_accuracy", "constant", "classes", "probabilities"):
            self.assertAlmostEqual(sparse[name], hot[name], msg=name)
        self.assertAlmostEqual(sparse["accuracy"], 2 / 3)
        self.assertAlmostEqual(yardstick.skill(sparse), (2 / 3 - 1 / 3) / (2 / 3))

    def test_numbers(self) -> None:
        """Explained variance does not depend on the scale."""
        labels = np.array([1.0, 2.0, 3.0, 4.0])
        for scale in (1.0, 1000.0):
            found = yardstick.measure(scale * labels, scale * (labels + 0.5), "mean_squared_error", False)
            self.assertTrue(math.isnan(found["accuracy"]))
            self.assertAlmostEqual(found["explained_variance"], 1 - 1.0 / 5.0)
            self.assertAlmostEqual(yardstick.skill(found), 0.8)

    def test_what_cannot_be_judged(self) -> None:
        """Texts, other lengths, one class only; predictions that are no numbers are worth nothing."""
        self.assertIsNone(yardstick.measure(np.array(["a"]), np.array([1.0]), None, False))
        self.assertIsNone(yardstick.measure(np.zeros(3), np.zeros(2), None, False))
        one = yardstick.measure(np.zeros(3), np.zeros((3, 1)), "binary_crossentropy", False)
        self.assertIsNone(yardstick.skill(one))
        broken = yardstick.measure(np.array([1.0, 2.5]), np.array([NAN, 1.0]), "mean_squared_error", False)
        self.assertEqual(yardstick.skill(broken), 0.0)


class JudgedRows(unittest.TestCase):
    """Which rows a model is judged on."""

    def test_those_that_the_script_holds_out(self) -> None:
        """Validation data, else the end that `validation_split` takes."""
        x, y = np.arange(200.0).reshape(200, 1), np.arange(200)
        rows, changed = judged_rows.of_fit({"x": x, "y": y, "validation_data": (x[:5], y[:5])})
        self.assertEqual((list(rows.y), rows.held_out, changed), ([0, 1, 2, 3, 4], True, {}))
        rows, changed = judged_rows.of_fit({"x": x, "y": y, "validation_split": 0.1})
        self.assertEqual((list(rows.y), rows.held_out, changed), (list(range(180, 200)), True, {}))

    def test_a_share_of_the_training_rows_else(self) -> None:
        """The same one each time, and it is not trained on."""
        x, y = np.arange(200.0).reshape(200, 1), np.arange(200)
        given = {"x": x, "y": y, "sample_weight": y * 10}
        rows, changed = judged_rows.of_fit(given)
        again, _ = judged_rows.of_fit(given)
        self.assertTrue(rows.held_out)
        self.assertEqual(len(rows.y), 40)
        np.testing.assert_array_equal(rows.y, again.y)
        np.testing.assert_array_equal(rows.x[:, 0], rows.y)
        self.assertEqual(set(rows.y) | set(changed["y"]), set(range(200)))
        self.assertFalse(set(rows.y) & set(changed["y"]))
        np.testing.assert_array_equal(changed["x"][:, 0], changed["y"])
        np.testing.assert_array_equal(changed["sample_weight"], changed["y"] * 10)

    def test_several_inputs(self) -> None:
        """Each loses the same rows."""
        x, y = np.arange(150), np.arange(150)
        rows, changed = judged_rows.of_fit({"x": [x, -x], "y": y})
        np.testing.assert_array_equal(rows.x[0], rows.y)
        np.testing.assert_array_equal(rows.x[1], -rows.y)
        np.testing.assert_array_equal(changed["x"][1], -changed["y"])

    def test_a_handful_is_needed_for_training(self) -> None:
        """Then it is judged on what it has seen."""
        x, y = np.arange(20.0).reshape(20, 1), np.arange(20)
        rows, changed = judged_rows.of_fit({"x": x, "y": y})
        self.assertEqual((len(rows.y), rows.held_out, changed), (20, False, {}))

    def test_batches(self) -> None:
        """Of what yields batches some are read, and none where it can be read only once."""
        batches = [(np.full((2, 1), at), np.full(2, at)) for at in range(20)]
        rows, changed = judged_rows.of_fit({"x": batches_of(batches)})
        self.assertEqual((len(rows.y), rows.held_out, changed), (16, False, {}))
        rows, _ = judged_rows.of_fit({"x": iter(batches)})
        self.assertIsNone(rows)

    def test_batches_of_several_inputs_are_not_judged(self) -> None:
        """Of a tuple or a dictionary no array is made."""
        x, y = np.zeros((2, 1)), np.zeros(2)
        for inputs in ((x, np.zeros((2, 3))), {"a": x, "b": x}):
            rows, changed = judged_rows.of_fit({"x": batches_of([(inputs, y)])})
            self.assertEqual((rows, changed), (None, {}))
        self.assertEqual(judged_rows.of_fit({"x": batches_of([x])}), (None, {}))


def batches_of(batches: list[Any]) -> Any:
    """As `tf.data.Dataset` has it."""
    return SimpleNamespace(take=lambda count: batches[:count])


class Ended(BaseException):
    """Stands for the end of the process."""


class Judge(unittest.TestCase):
    """When a model is judged, and when the trial ends."""

    def setUp(self) -> None:
        """No channel, no end of the process."""
        self.sent: list[dict[str, Any]] = []
        self.model = Model()
        replaced = {
            "channel": SimpleNamespace(send=self.send, flush=lambda: None),
            "losses": SimpleNamespace(describe=lambda _: {"name": "binary_crossentropy"}),
        }
        for name, value in replaced.items():
            patch = mock.patch.object(scores, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        patch = mock.patch.object(scores.os, "_exit", side_effect=Ended)
        patch.start()
        self.addCleanup(patch.stop)

    def send(self, _: str, **fields: Any) -> None:
        """Takes in what would go to the tool."""
        self.sent.append(fields)

    def judge(self, **trial: Any) -> scores.Judge:
        """A judge of that trial, whose training has begun."""
        judge = scores.Judge({"steps": 100, "seconds": 1e9, **trial})
        x = np.linspace(0.0, 1.0, 10)[:, None]
        self.assertEqual(judge.begin(self.model, {"x": x, "y": (x[:, 0] > 0.5).astype(int)}), {})
        return judge

    def test_it_ends_after_its_steps(self) -> None:
        """Groups of steps go up to the next moment at which something happens."""
        judge = self.judge(checks=[[40, 0.0]])
        self.assertEqual(judge.room(self.model), 40)
        self.assertEqual(judge.room(object()), 0)
        judge.trained(self.model, 40)
        self.assertEqual(judge.room(self.model), 60)
        with self.assertRaises(Ended):
            judge.trained(self.model, 60)
        steps = [(score["step"], score["last"], score["accuracy"]) for score in self.sent]
        self.assertEqual(steps, [(40, False, 1.0), (100, True, 1.0)])

    def test_what_is_clearly_behind_is_dropped(self) -> None:
        """The last word is then the judgement on the way."""
        self.model.answer = np.zeros_like
        judge = self.judge(checks=[[40, 0.3]])
        with self.assertRaises(Ended):
            judge.trained(self.model, 40)
        self.assertEqual([(score["step"], score["last"]) for score in self.sent], [(40, False)])

    def test_what_is_broken_is_dropped(self) -> None:
        """NaN does not heal."""
        self.model.answer = lambda x: x * NAN
        judge = self.judge(checks=[[40, 0.0]])
        with self.assertRaises(Ended):
            judge.trained(self.model, 40)
        self.assertFalse(self.sent[0]["finite"])

    def test_its_time_is_limited(self) -> None:
        """And it says that this was the reason."""
        judge = self.judge(seconds=-1.0)
        with self.assertRaises(Ended):
            judge.trained(self.model, 1)
        self.assertEqual([(score["step"], score["late"]) for score in self.sent], [(1, True)])

    def test_data_that_cannot_be_read_does_not_break_the_script(self) -> None:
        """The training goes on with what it was given."""
        judge = scores.Judge({"steps": 1, "seconds": 1e9})
        with mock.patch.object(scores, "notice") as notice:
            broken = SimpleNamespace(take=lambda _: 1 / 0)
            self.assertEqual(judge.begin(self.model, {"x": broken}), {})
        notice.assert_called_once()
        with self.assertRaises(Ended):
            judge.trained(self.model, 1)
        self.assertNotIn("rows", self.sent[0])

    def test_other_trainings_are_not_its_affair(self) -> None:
        """Calls of `fit` are counted."""
        judge = scores.Judge({"steps": 1, "seconds": 1e9, "fit": 1})
        self.assertIsNone(judge.begin(self.model, {}))
        judge.trained(self.model, 5)
        self.assertFalse(judge.waits())
        self.assertEqual(judge.begin(self.model, {}), {})
        with self.assertRaises(Ended):
            judge.finish()
        self.assertNotIn("rows", self.sent[0])


class Model:
    """Answers with its input."""

    def __init__(self) -> None:
        self.answer = lambda x: x

    def __call__(self, x: Any, **_: Any) -> Any:
        """As Keras' models are called."""
        return self.answer(np.asarray(x))


class Seeds(unittest.TestCase):
    """The script's seeds are shifted, once."""

    def test_a_shift_goes_into_every_seed(self) -> None:
        """Positional or not, and only whole numbers."""
        seen: list[Any] = []
        module = ModuleType("numpy.random")
        module.seed = lambda seed=None: seen.append(seed)  # type: ignore[attr-defined]
        with mock.patch.dict(sys.modules, {"numpy.random": module}):
            for name in ("keras", "tensorflow"):
                sys.modules.pop(name, None)
            seeds.shift(3)
            seeds.shift(3)
            module.seed(10)
            module.seed(seed=10)
            module.seed()
        self.assertEqual(seen, [13, 13, None])

    def test_without_a_shift_nothing_but_the_start_is_fixed(self) -> None:
        """Two trials of a script without seeds draw the same."""
        with mock.patch.dict(sys.modules):
            sys.modules.pop("keras", None)
            seeds.shift(0)
            first = random.random()
            seeds.shift(0)
            self.assertEqual(first, random.random())


class Service(unittest.TestCase):
    """Trials run in processes of their own."""

    def test_texts_are_kept_beside_the_tracer(self) -> None:
        """Where the tool removes them."""
        kept = trials._kept({"/a/train.py": "x = 'ä'\r\n"})
        path = kept["/a/train.py"]
        self.addCleanup(lambda: __import__("os").unlink(path))
        self.assertTrue(path.startswith(str(harness.TRACER)))
        with open(path, "rb") as file:
            self.assertEqual(file.read(), "x = 'ä'\r\n".encode())


@unittest.skipUnless(sys.platform == "linux", "elsewhere the supervisor ends the script's own group alone")
class Workers(unittest.TestCase):
    """What a trial starts ends with it."""

    def setUp(self) -> None:
        """A pipe by which a worker says that it runs; it reaches its end when the worker has gone."""
        self.says, self.told = os.pipe()
        self.addCleanup(os.close, self.says)
        patch = mock.patch.object(trials.channels, "channel")
        patch.start()
        self.addCleanup(patch.stop)

    def start(self) -> None:
        """In the trial: starts a worker that stays."""
        text = f"import os, time; os.write({self.told}, b'here'); time.sleep(600)"
        subprocess.Popen([sys.executable, "-c", text], pass_fds=[self.told])

    def trial(self, run: Any) -> int:
        """Exit status of a trial whose worker is gone afterwards."""
        code, _ = trials._fork({"seconds": 1e9, "steps": 1}, run)
        os.close(self.told)
        self.assertEqual(os.read(self.says, 10), b"here")
        self.assertTrue(select.select([self.says], [], [], 60.0)[0])
        self.assertEqual(os.read(self.says, 10), b"")
        return code

    def test_when_it_ends_by_itself(self) -> None:
        """A script may leave its workers behind."""

        def run() -> int:
            self.start()
            select.select([self.says], [], [])
            return 3

        self.assertEqual(self.trial(run), 3)

    def test_when_its_time_is_over(self) -> None:
        """That of this one is, as soon as its worker runs."""

        def now() -> float:
            return float("inf") if select.select([self.says], [], [], 0)[0] else 0.0

        def run() -> int:
            self.start()
            return time.sleep(600) or 0

        clock = SimpleNamespace(monotonic=now, sleep=time.sleep)
        with mock.patch.object(trials, "time", clock):
            self.assertEqual(self.trial(run), -signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
