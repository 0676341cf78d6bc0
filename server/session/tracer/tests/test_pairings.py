"""Which operations count as combining every row with every other one, without any TensorFlow."""

from __future__ import annotations

import unittest
from types import SimpleNamespace
from typing import Any

from _deeplocalize_tracer.pairings import Pairings


class Shape(list):
    """As much of a `TensorShape` as is asked for."""

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self)

    def as_list(self) -> list[int | None]:
        """The sizes."""
        return list(self)


class Tensor:
    """A tensor of a step that runs eagerly."""

    def __init__(self, *sizes: int | None) -> None:
        self.shape = Shape(sizes)

    def numpy(self) -> None:
        """Only eager tensors have it."""


def flat(tensors: Any) -> list[Any]:
    """As `tf.nest.flatten` does it for single tensors."""
    return [tensors]


class Step:
    """The operations of a step after the model's output."""

    def __init__(self, output: Tensor) -> None:
        tf = SimpleNamespace(nest=SimpleNamespace(flatten=flat), Tensor=Tensor)
        self.pairings = Pairings(tf)
        self.pairings._watching = True
        self.pairings.made(output)

    def run(self, kind: str, inputs: list[Tensor], *sizes: int | None) -> Tensor:
        """One operation, with a result of this shape."""
        result = Tensor(*sizes)
        self.pairings._note(kind, inputs, (), [result])
        return result

    def found(self, loss: Tensor) -> list[Any]:
        """The shapes of what is found on the way to this loss."""
        self.pairings.differentiate(loss)
        return [(found["operation"], found["shapes"], found["prediction"]) for found in self.pairings.found]


class AllPairs(unittest.TestCase):
    """Shapes (n, 1) and (n,)."""

    def squared(self, labels: Tensor, output: Tensor, *table: int | None) -> list[Any]:
        step = Step(output)
        error = step.run("Sub", [labels, output], *table)
        return step.found(step.run("Mean", [step.run("Square", [error], *table)]))

    def test_differences_of_a_column_and_a_row(self) -> None:
        """However the size is known."""
        self.assertEqual(self.squared(Tensor(50), Tensor(50, 1), 50, 50), [("Sub", [[50], [50, 1]], 1)])
        self.assertEqual(
            self.squared(Tensor(None), Tensor(None, 1), None, None), [("Sub", [[None], [None, 1]], 1)]
        )
        self.assertEqual(self.squared(Tensor(50, 1), Tensor(50), 50, 50), [("Sub", [[50, 1], [50]], 1)])

    def test_shapes_that_belong_together(self) -> None:
        """Or are as long as something else by chance."""
        self.assertEqual(self.squared(Tensor(50), Tensor(50), 50), [])
        self.assertEqual(self.squared(Tensor(50, 1), Tensor(50, 1), 50, 1), [])
        self.assertEqual(self.squared(Tensor(3), Tensor(50, 1), 50, 3), [])
        self.assertEqual(self.squared(Tensor(3), Tensor(3, 1), 3, 3), [])
        self.assertEqual(self.squared(Tensor(1, 50), Tensor(50, 1), 50, 50), [])

    def test_pairs_of_predictions_are_meant(self) -> None:
        """As in a loss of ranks."""
        output = Tensor(50, 1)
        step = Step(output)
        row = step.run("Squeeze", [output], 50)
        gaps = step.run("Sub", [output, row], 50, 50)
        self.assertEqual(step.found(step.run("Softplus", [gaps], 50, 50)), [])

    def test_a_mean_of_sums_is_a_sum_of_means(self) -> None:
        """Nothing is lost until the pairs are squared, say."""
        output, offset = Tensor(50, 1), Tensor(50)
        step = Step(output)
        pairs = step.run("Sub", [output, offset], 50, 50)
        self.assertEqual(step.found(step.run("Mean", [pairs])), [])

    def test_the_diagonal_is_every_row_with_itself(self) -> None:
        """Which is what the loss should be of."""
        output, labels = Tensor(50, 1), Tensor(50)
        step = Step(output)
        product = step.run("Mul", [output, labels], 50, 50)
        self.assertEqual(step.found(step.run("Mean", [step.run("MatrixDiagPartV3", [product], 50)])), [])

    def test_only_what_the_loss_depends_on(self) -> None:
        """A metric beside it changes nothing."""
        output, labels = Tensor(50, 1), Tensor(50)
        step = Step(output)
        step.run("SquaredDifference", [labels, output], 50, 50)
        self.assertEqual(step.found(step.run("Mean", [output])), [])

    def test_what_a_layer_does_is_its_own(self) -> None:
        """Attention and the like."""
        output, labels = Tensor(50, 1), Tensor(50)
        step = Step(output)
        with step.pairings.within():
            product = step.run("Mul", [labels, output], 50, 50)
        self.assertEqual(step.found(product), [])


if __name__ == "__main__":
    unittest.main()
