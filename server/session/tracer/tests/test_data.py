"""What is said of the data a training is given, without any Keras."""

from __future__ import annotations

import math
import unittest

import numpy as np
from _deeplocalize_tracer import baselines, data


class HeldOut(unittest.TestCase):
    """Validation data against training data."""

    def apart(self, train: np.ndarray, others: np.ndarray) -> float:
        labels = np.zeros(len(train)), np.zeros(len(others))
        found = baselines.compare([train], [labels[0]], [others], [labels[1]])
        assert found is not None
        return found["apart"]

    def test_features_that_are_scaled_alike(self) -> None:
        """Two draws from one distribution, and one with a column that does not vary."""
        draws = np.random.default_rng(0)
        train, others = draws.normal(size=(300, 6)), draws.normal(size=(80, 6))
        self.assertEqual(self.apart(train, others), 0.0)
        train[:, 2] = others[:, 2] = 7.0
        self.assertEqual(self.apart(train, others), 0.0)

    def test_features_that_are_not(self) -> None:
        """Moved by four deviations, and spread over ten times as much or a tenth."""
        draws = np.random.default_rng(0)
        train, others = draws.normal(size=(300, 4)), draws.normal(size=(80, 4))
        others[:, 0] += 4.0
        self.assertEqual(self.apart(train, others), 0.25)
        others[:, 1] *= 10.0
        others[:, 2] /= 10.0
        self.assertEqual(self.apart(train, others), 0.75)

    def test_classes_are_counted_where_each_sample_has_one(self) -> None:
        """Numbers, a column of them and one-hot rows are classes; a label per time step and several labels are not."""
        numbers = np.array([0, 2, 2])
        for labels in (numbers, numbers[:, None], np.eye(3)[numbers]):
            self.assertEqual(baselines.classes_of(labels), {0: 1, 2: 2})
        for labels in (
            np.array([[0, 2, 1], [1, 1, 0]]),
            np.array([[1, 1, 0], [0, 1, 0]]),
            np.zeros((2, 3, 3)),
        ):
            self.assertIsNone(baselines.classes_of(labels))

    def test_what_cannot_be_compared(self) -> None:
        """Other numbers of columns, texts, features that all are constant."""
        self.assertTrue(math.isnan(self.apart(np.zeros((50, 3)), np.zeros((50, 4)))))
        self.assertTrue(math.isnan(self.apart(np.zeros((50, 3)), np.ones((50, 3)))))
        self.assertTrue(math.isnan(self.apart(np.array([["a"]] * 50), np.array([["b"]] * 50))))


class TrailingZeros(unittest.TestCase):
    """Padding behind sequences."""

    def test_zeros_behind_count_and_those_before_do_not(self) -> None:
        """Rows that are padded behind, in front, not at all, and one without any word."""

        def share(rows: list[list[int]]) -> float:
            found = data.describe(np.array(rows), whole=True)
            return float(found["trailing_zeros"])

        self.assertEqual(share([[5, 0, 0, 0], [5, 6, 0, 0]]), 0.625)
        self.assertEqual(share([[0, 0, 0, 5], [0, 7, 0, 5]]), 0.0)
        self.assertEqual(share([[0, 0], [3, 4]]), 0.5)
        self.assertNotIn("trailing_zeros", data.describe(np.array([[0.5, 0.0]]), whole=True))


class ClassWeight(unittest.TestCase):
    """The argument of `fit`."""

    def test_numbers_by_number(self) -> None:
        """As Keras takes them; anything else says nothing."""
        self.assertEqual(data.class_weight({0: 1, np.int64(1): np.float32(2.5)}), {"0": 1.0, "1": 2.5})
        self.assertEqual(data.class_weight(None), {})
        self.assertEqual(data.class_weight({"cat": 1.0}), {})
        self.assertEqual(data.class_weight({0: "heavy"}), {})


if __name__ == "__main__":
    unittest.main()
