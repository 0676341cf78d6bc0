"""Seeds of a trial: the script's own, shifted; the same for every trial where the script has none.

Shifted is what the script sets by `keras.utils.set_random_seed` (also that of `tensorflow.keras`),
`tensorflow.random.set_seed` and `numpy.random.seed`. All others stay as they are: `random.seed`, generators
with a seed of their own (`numpy.random.default_rng`, `keras.random.SeedGenerator`), the `seed` of an
initializer or of a data set, `random_state`, `torch.manual_seed`.
"""

from __future__ import annotations

import functools
import random
import sys
from types import ModuleType
from typing import Any

_OWN = 20


def shift(by: int) -> None:
    """Seeds what has a state of its own, and from now on adds `by` to the seeds that the script sets."""
    keras = sys.modules.get("keras")
    if keras is not None:
        keras.utils.set_random_seed(_OWN + by)
    else:
        random.seed(_OWN + by)
    if by == 0:
        return
    for module, name in (
        ("keras.utils", "set_random_seed"),
        ("keras.src.utils.rng_utils", "set_random_seed"),
        ("tensorflow.random", "set_seed"),
        ("numpy.random", "seed"),
    ):
        if module in sys.modules:
            _shifted(sys.modules[module], name, by)
    if keras is not None:
        _shifted(keras.utils, "set_random_seed", by)
    if "tensorflow" in sys.modules:
        _shifted(sys.modules["tensorflow"].random, "set_seed", by)
        tf_keras = getattr(sys.modules["tensorflow"], "keras", None)
        if tf_keras is not None:
            _shifted(tf_keras.utils, "set_random_seed", by)


def _shifted(module: ModuleType, name: str, by: int) -> None:
    original = getattr(module, name, None)
    if original is None or hasattr(original, "_deeplocalize_shifted"):
        return

    @functools.wraps(original)
    def seed(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], int):
            args = (args[0] + by, *args[1:])
        kwargs = {
            key: value + by if key == "seed" and isinstance(value, int) else value
            for key, value in kwargs.items()
        }
        return original(*args, **kwargs)

    seed._deeplocalize_shifted = True  # type: ignore[attr-defined]
    setattr(module, name, seed)
