"""The order in which layers are told of, without any Keras."""

from __future__ import annotations

import unittest
from types import SimpleNamespace

from _deeplocalize_tracer.layers import in_order


class Order(unittest.TestCase):
    """That of the forward pass."""

    def test_lookups_come_first_and_what_is_not_called_last(self) -> None:
        """What gives no floats is never seen being called."""
        lookup, hidden, output, unused = (
            SimpleNamespace(output=SimpleNamespace(dtype=dtype))
            for dtype in ("int64", "float32", "float32", "float16")
        )
        subclassed = SimpleNamespace()
        found = in_order([unused, hidden, lookup, subclassed, output], [id(hidden), id(output)])
        self.assertEqual(
            [id(layer) for layer in found], [*map(id, (lookup, hidden, output, unused, subclassed))]
        )


if __name__ == "__main__":
    unittest.main()
