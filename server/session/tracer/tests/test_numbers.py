"""The numbers of the frames are those worked out by hand."""

from __future__ import annotations

import json
import math
import unittest
from typing import ClassVar

from . import harness


class Numbers(unittest.TestCase):
    """Runs `programs/reference.py` once."""

    backend: ClassVar[str] = "tensorflow"
    run_: ClassVar[harness.Run]
    expected: ClassVar[dict]

    @classmethod
    def setUpClass(cls) -> None:
        cls.run_ = harness.traced(harness.PROGRAMS / "reference.py", variables={"KERAS_BACKEND": cls.backend})
        if cls.run_.code:
            raise AssertionError(cls.run_.stderr)
        cls.expected = json.loads(cls.run_.stdout)

    def check(self, fit: int, name: str) -> None:
        """Compares the first step of a training with what is expected of it."""
        step = next(step for step in self.run_.steps if step.fit == fit)
        for key, numbers in self.expected[name].items():
            table = step.scalars if key == "scalars" else step.rows[_row(key)]
            for number, value in numbers.items():
                with self.subTest(key=key, number=number):
                    if value is None:
                        self.assertTrue(math.isnan(table[number]), table[number])
                    else:
                        close = math.isclose(table[number], value, rel_tol=2e-5, abs_tol=2e-6)
                        self.assertTrue(close, f"{table[number]} instead of {value}")

    def test_a_classifier_with_remembered_logits(self) -> None:
        self.check(0, "classifier")
        layout = next(layout for layout in self.run_.of("layout") if layout["fit"] == 0)
        before = [row["layer"] for row in layout["rows"] if row.get("before_activation")]
        # On JAX the loss is worked out from the probabilities.
        self.assertEqual(before, [1] if self.backend == "tensorflow" else [])

    def test_a_regression(self) -> None:
        self.check(1, "regression")

    def test_nans_are_counted_and_left_out(self) -> None:
        self.check(2, "nan")

    def test_the_loss_is_that_of_the_batch(self) -> None:
        losses = [step.scalars["loss"] for step in self.run_.steps if step.fit == 3]
        self.assertEqual(len(losses), 6)
        for found, expected in zip(losses, self.expected["batches"]):
            self.assertAlmostEqual(found, expected, places=5)
        places = [(step.epoch, step.batch, step.step) for step in self.run_.steps if step.fit == 3]
        self.assertEqual(places, [(0, 0, 0), (0, 1, 1), (0, 2, 2), (1, 0, 3), (1, 1, 4), (1, 2, 5)])
        sizes = [step.scalars["batch_size"] for step in self.run_.steps if step.fit == 3]
        self.assertEqual(sizes, [3, 3, 2, 3, 3, 2])

    def test_what_is_said_about_the_training(self) -> None:
        fit = self.run_.of("fit")[0]
        self.assertEqual([layer["class"] for layer in fit["layers"]], ["Dense", "Dense"])
        self.assertEqual([layer["activation"] for layer in fit["layers"]], ["relu", "softmax"])
        self.assertEqual([layer["inputs"] for layer in fit["layers"]], [[], [0]])
        self.assertEqual([given["layers"] for given in fit["inputs"]], [[0]])
        self.assertEqual(fit["layers"][0]["output_shape"], [None, 4])
        self.assertEqual(fit["loss"]["name"], "sparse_categorical_crossentropy")
        self.assertEqual((fit["optimizer"]["class"], fit["optimizer"]["learning_rate"]), ("SGD", 0.5))
        self.assertEqual((fit["epochs"], fit["batch_size"], fit["steps_per_epoch"]), (1, 8, 1))
        self.assertEqual((fit["samples"], fit["shuffle"], fit["validation"]), (8, False, False))
        self.assertEqual(fit["metrics"], ["accuracy"])
        labels = fit["data"]["y"][0]
        self.assertEqual(sum(count for _, count in labels["classes"]), 8)
        self.assertTrue(labels["integers"] and labels["whole"])
        self.assertEqual(self.run_.of("fit")[2]["data"]["x"][0]["nans"], 1)
        # Given as strings: there is no call of the user's own that made the optimizer.
        self.assertIsNone(self.run_.of("fit")[2]["optimizer"]["site"])

    def test_sites_are_the_very_calls(self) -> None:
        lines = (harness.PROGRAMS / "reference.py").read_text(encoding="utf-8").splitlines()
        for fit in self.run_.of("fit")[:2]:
            sites = {"fit": fit["site"], "compile": fit["compile_site"], "SGD": fit["optimizer"]["site"]}
            for name, site in sites.items():
                text = lines[site["line"] - 1][site["column"] : site["end_column"]]
                self.assertRegex(text, rf"^[\w.]*{name}\(.*\)$")
            for layer in fit["layers"]:
                site = layer["site"]
                text = lines[site["line"] - 1][site["column"] : site["end_column"]]
                self.assertRegex(text, r"^layers\.Dense\([^()]*\)$")


class NumbersOnJax(Numbers):
    """The same with Keras on JAX."""

    backend = "jax"


@unittest.skipUnless(harness.HAS_TORCH, "PyTorch is not installed")
class NumbersOnPyTorch(Numbers):
    """The same with Keras on PyTorch."""

    backend = "torch"


def _row(key: str) -> tuple[int, str, str | None]:
    layer, _, tensor = key.partition("/")
    tensor, _, weight = tensor.partition(":")
    return int(layer), tensor, weight or None
