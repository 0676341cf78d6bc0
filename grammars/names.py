"""Tries every row of removed-names.toml on an installed Keras.

python grammars/names.py    prints the rows that are not true; fails when there are any
"""

import importlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomllib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

TABLE = tomllib.loads((Path(__file__).parent / "removed-names.toml").read_text())


def has(package: str, name: str) -> bool:
    """Whether a package still gives that dotted name, as an attribute or as a module."""
    found: Any = keras if package == "keras" else tf.keras
    for part in name.split("."):
        if not hasattr(found, part):
            break
        found = getattr(found, part)
    else:
        return True
    try:
        importlib.import_module(f"{package}.{name}")
    except ImportError:
        return False
    return True


def rows() -> Iterator[dict[str, Any]]:
    """All rows, the short tables spelled out."""
    for parent, modules in TABLE["flattened"].items():
        for module in modules.split():
            yield {"old": f"{parent}.{module}", "replacement": parent}
    for name in TABLE["backend"]["ops"].split():
        yield {"old": f"backend.{name}", "replacement": f"ops.{name}", "in_tf": True}
    for name in TABLE["backend"]["gone"].split():
        yield {"old": f"backend.{name}"}
    yield from TABLE["name"]


def mistakes(row: dict[str, Any]) -> Iterator[str]:
    """What is not true of a row."""
    old, new = row["old"], row.get("replacement")
    if has("keras", old):
        yield "Keras still has it"
    if row.get("in_tf", False) != has("tensorflow.keras", old):
        yield f"tensorflow.keras {'lacks' if row.get('in_tf') else 'has'} it"
    method = old.startswith("Model.")
    if new and not has("keras", f"Model.{new}" if method else new):
        yield f"Keras has no {new}"
    for name in re.findall(r"`keras\.([A-Za-z0-9_.]+)`", row.get("advice", "")):
        if not has("keras", name):
            yield f"the advice names keras.{name}, which Keras does not have"


def main() -> int:
    """Number of mistakes."""
    wrong = tried = 0
    for row in rows():
        tried += 1
        for mistake in mistakes(row):
            print(f"{row['old']}: {mistake}")
            wrong += 1
    print(f"Keras {keras.__version__}: {tried} names tried, {wrong} mistakes")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
