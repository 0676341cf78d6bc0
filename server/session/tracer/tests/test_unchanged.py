"""Training under the tracer ends in the same bits as without it."""

from __future__ import annotations

import json
import unittest
from concurrent.futures import ThreadPoolExecutor

from . import harness


class Unchanged(unittest.TestCase):
    """Losses, weights, optimizer state, metrics and random state, for each kind of training."""

    def check(self, program: str, kinds: int, why_not: list[str]) -> None:
        """Runs a program of `kinds` with and without the tracer.

        Trainings that cannot be run twice say why in notices, which hold the words of `why_not`.
        """
        path = harness.PROGRAMS / program
        with ThreadPoolExecutor() as both:
            without = both.submit(harness.plain, path)
            # Probed and unprobed steps both, also within one epoch.
            traced = harness.traced(path, config={"dense_steps": 2, "every": 3})
            plain = without.result()
        self.assertEqual((plain.code, traced.code), (0, 0), traced.stderr)
        expected, found = json.loads(plain.stdout), json.loads(traced.stdout)
        self.assertEqual(len(expected), kinds)
        for kind, outcome in expected.items():
            with self.subTest(kind=kind):
                self.assertEqual(found[kind], outcome)

        fits = {fit["fit"]: fit for fit in traced.of("fit")}
        probed = {step.fit for step in traced.steps if step.rows}
        unprobed = [fits[number]["model"]["name"] for number in fits if number not in probed]
        self.assertEqual(len(unprobed), len(why_not), unprobed)
        notices = traced.of("notice")
        self.assertEqual([notice["name"] for notice in notices], ["unsupported"] * len(why_not), notices)
        for words, notice in zip(why_not, notices):
            self.assertIn(words, notice["text"])
        self.assertEqual({step.fit for step in traced.steps}, set(fits))

    def test_every_bit_of_every_kind_on_tensorflow(self) -> None:
        self.check("kinds.py", 23, ["PyFunc"])

    def test_every_bit_of_every_kind_on_jax(self) -> None:
        self.check("jax_kinds.py", 14, ["calls back into Python"])

    def test_every_bit_of_every_kind_in_keras_2(self) -> None:
        self.check("old_kinds.py", 13, [])

    @unittest.skipUnless(harness.HAS_TORCH, "PyTorch is not installed")
    def test_every_bit_of_every_kind_on_pytorch(self) -> None:
        self.check("torch_kinds.py", 10, [])
