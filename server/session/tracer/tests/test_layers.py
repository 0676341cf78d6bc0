"""The order in which layers are told of, without any Keras."""

from __future__ import annotations

import unittest
from types import SimpleNamespace

from _deeplocalize_tracer.layers import in_order


class Order(unittest.TestCase):
    """That of the forward pass."""

    def test_lookups_come_first_and_what_is_not_called_last(self) -> None:
        """What gives no floats is not seen being called."""
        hidden, output, unused = (SimpleNamespace(_outbound_nodes=[]) for _ in range(3))
        lookup = SimpleNamespace(_outbound_nodes=[SimpleNamespace(operation=hidden)])
        subclassed = SimpleNamespace()
        found = in_order([unused, hidden, lookup, subclassed, output], [id(hidden), id(output)])
        expected = [lookup, hidden, output, unused, subclassed]
        self.assertEqual([id(layer) for layer in found], [id(layer) for layer in expected])


if __name__ == "__main__":
    unittest.main()
