"""Training under the tracer ends in the same bits as without it."""

from __future__ import annotations

import json
import unittest

from . import harness


class Unchanged(unittest.TestCase):
    """Losses, weights, optimizer state, metrics and random state, for each kind of training."""

    def test_every_bit_of_every_kind_is_the_same(self) -> None:
        program = harness.PROGRAMS / "kinds.py"
        plain = harness.plain(program)
        # Probed and unprobed steps both, also within one epoch.
        traced = harness.traced(program, config={"dense_steps": 2, "every": 3})
        self.assertEqual((plain.code, traced.code), (0, 0), traced.stderr)
        expected, found = json.loads(plain.stdout), json.loads(traced.stdout)
        self.assertGreaterEqual(len(expected), 19)
        for kind, outcome in expected.items():
            with self.subTest(kind=kind):
                self.assertEqual(found[kind], outcome)

        fits = {fit["fit"]: fit for fit in traced.of("fit")}
        probed = {step.fit for step in traced.steps if step.rows}
        unprobed = [fits[number]["model"]["name"] for number in fits if number not in probed]
        # Only the one whose step calls back into Python cannot be run twice; it says so.
        self.assertEqual(len(unprobed), 1, unprobed)
        notices = traced.of("notice")
        self.assertEqual([notice["name"] for notice in notices], ["unsupported"], notices)
        self.assertIn("PyFunc", notices[0]["text"])
        self.assertEqual({step.fit for step in traced.steps}, set(fits))
