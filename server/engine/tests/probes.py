"""Statistics of small arrays as the tracer takes them, for the test of the engine's probes.

python server/engine/tests/probes.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numbers_ import raw, values

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "server/session/tracer"))

from _deeplocalize_tracer import predictions, statistics


def plain(numbers: Any) -> list[Any]:
    """NaN as null, which JSON can carry."""
    return [None if np.isnan(number) else float(f"{number:.9g}") for number in numbers]


def spoiled(array: np.ndarray, how: str) -> np.ndarray:
    """The array with a defect."""
    array = array.copy()
    flat = array.reshape(-1)
    if how == "dead":
        array[..., 0] = 0.0
        array[..., 1] = 0.75
    elif how == "broken":
        flat[3], flat[5], flat[8] = np.nan, np.inf, -np.inf
    elif how == "large":
        flat *= np.float32(1e20)
    elif how == "offset":
        flat += np.float32(1000.0)
    elif how == "steep":
        flat *= np.float32(9.0)
    return array


def main() -> None:
    """Writes the file."""
    tensors, compared = [], []
    for at, (shape, how) in enumerate(
        (shape, how)
        for shape in ([8, 6], [4, 5, 3], [1, 9], [9], [6, 2, 3, 4])
        for how in ("", "dead", "broken", "large", "offset", "steep")
    ):
        array = spoiled(values(at, tuple(shape)), how)
        with np.errstate(all="ignore"):
            outputs = statistics.of_output(array, -1, "tanh" if how == "steep" else None)
            tensor = statistics.of_tensor(array)
        tensors.append({"shape": shape, "how": how, "output": plain(outputs), "tensor": plain(tensor)})
    for at, (labels, columns, loss, logits) in enumerate(
        [
            ("real", 3, "mean_squared_error", False),
            ("bit", 1, "binary_crossentropy", False),
            ("bit", 1, "binary_crossentropy", True),
            ("bits", 3, "binary_crossentropy", False),
            ("onehot", 3, "categorical_crossentropy", False),
            ("class", 3, "sparse_categorical_crossentropy", False),
            ("column", 3, "sparse_categorical_crossentropy", False),
            ("class", 3, "mean_squared_error", False),
        ]
    ):
        prediction = values(100 + at, (8, columns))
        y = {
            "real": values(200 + at, (8, columns)),
            "bit": (raw(200 + at, 8) < 0.5).astype(np.float32),
            "bits": (raw(200 + at, 24) < 0.5).astype(np.float32).reshape(8, 3),
            "onehot": np.eye(3, dtype=np.float32)[np.floor(raw(200 + at, 8) * 3).astype(int)],
            "class": np.floor(raw(200 + at, 8) * 3).astype(np.float32),
            "column": np.floor(raw(200 + at, 8) * 3).astype(np.float32)[:, None],
        }[labels]
        found = predictions.compare(y, prediction, loss, logits)
        compared.append(
            {
                "prediction": [list(prediction.shape), 100 + at],
                "labels": [list(y.shape), y.reshape(-1).tolist()],
                "loss": loss,
                "logits": logits,
                "scalars": plain(found),
            }
        )
    out = Path(__file__).parent / "reference/probes.json"
    out.write_text(json.dumps({"tensors": tensors, "compared": compared}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
