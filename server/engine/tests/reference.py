"""Trains small models with Keras on TensorFlow and writes down what came out, for the tests of the engine.

    python server/engine/tests/reference.py [--only TABLE/NAME] [--missing] [--out DIRECTORY]

Data and initial weights are numbers that the Rust test computes itself, so only the results are written. A case is
a line in one of the tables in `cases.py`.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import cases
import keras
import numpy as np
import tensorflow as tf
from numbers_ import noise, values

STEPS = 50
BATCH = 8
SAMPLES = 64
# What the engine does not read; leaving it out keeps the files small.
_NOISE = ("_initializer", "build_config", "registered_name", "module_objects", "build_input_shape")


def pruned(config: Any) -> Any:
    """The serialisation without what only says how weights began."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return config["config"]["name"]
        registered = config.get("registered_name")
        if isinstance(config.get("kwargs"), dict):
            # In `fit` a functional model hands its own on to every layer, whatever was recorded.
            config = {**config, "kwargs": {**config["kwargs"], "training": None}}
        return {
            key: pruned(value)
            for key, value in config.items()
            if not key.endswith(_NOISE) or (key == "registered_name" and registered and ">" in registered)
        }
    if isinstance(config, (list, tuple)):
        return [pruned(item) for item in config]
    return config


def initial(weight: Any, index: int) -> np.ndarray:
    """The values a weight starts with."""
    name = weight.path.rsplit("/", 1)[-1]
    drawn = values(1000 + index, tuple(weight.shape))
    if name in ("gamma", "moving_variance", "scale", "moving_stddev", "renorm_stddev"):
        return (1.0 + 0.2 * drawn).astype(np.float32)
    if name in ("embeddings", "position_embeddings"):
        return drawn
    return (0.4 * drawn).astype(np.float32)


def run(name: str, case: cases.Case) -> dict[str, Any]:
    """Trains one case."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    model = case.model()
    data = case.data
    x, y, w = data.arrays(0, BATCH)
    model(x)
    arguments = dict(case.compile)
    model.compile(run_eagerly=case.noisy, **arguments)
    for index, weight in enumerate(model.weights):
        weight.assign(initial(weight, index))
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False):
            layer.reset_state()
    losses = []
    with noise(tf, case.noisy):
        for step in range(case.steps):
            x, y, w = data.arrays(step, BATCH)
            model.reset_metrics()
            noise.step = step
            logs = model.train_on_batch(x, y, sample_weight=w, return_dict=True)
            losses.append(float(logs["loss"]))
            if not np.isfinite(losses[-1]):
                raise FloatingPointError(f"{name} diverges: choose a smaller learning rate")
    final = []
    for weight in model.weights:
        flat = np.asarray(weight).astype(np.float64).reshape(-1)
        stride = max(1, flat.size // SAMPLES)
        final.append(
            {
                "shape": list(weight.shape),
                "path": weight.path,
                "norm": float(np.sqrt((flat**2).sum())),
                "values": [float(f"{value:.7g}") for value in flat[::stride][:SAMPLES]],
            }
        )
    model.reset_metrics()
    model.make_test_function()
    for step in range(3 - case.evaluated, 3):
        x, y, w = data.arrays(100 + step, BATCH)
        logs = model.test_function(iter([(x, y, w)]))
    outputs = model(x, training=False)
    flat_outputs = [np.asarray(output) for output in tf.nest.flatten(outputs)]
    serialised = keras.saving.serialize_keras_object(model)
    compiled = model.get_compile_config()
    compiled.update(case.extra)
    return {
        "name": name,
        "model": pruned(json.loads(json.dumps(serialised))),
        "compile": pruned(json.loads(json.dumps(compiled))),
        "inputs": data.inputs,
        "targets": data.targets,
        "weights": data.weights,
        "noise": case.noise_shapes,
        "losses": [float(f"{loss:.7g}") for loss in losses],
        "final": final,
        "logs": {key: float(value) for key, value in logs.items()},
        "prediction": [float(f"{value:.6g}") for value in flat_outputs[0].reshape(-1)[:SAMPLES]],
        "loose": case.loose,
        "evaluated": case.evaluated,
    }


def main() -> None:
    """Writes one file for each table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--missing", action="store_true", help="only cases that were not written yet")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "reference")
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)
    failed = []
    for table, entries in cases.TABLES.items():
        path = arguments.out / f"{table}.json"
        chosen = {name: case for name, case in entries.items() if arguments.only in f"{table}/{name}"}
        if not chosen:
            continue
        found = {}
        if path.exists() and (arguments.only or arguments.missing):
            found = {case["name"]: case for case in json.loads(path.read_text())}
        for name, case in chosen.items():
            if arguments.missing and name in found:
                continue
            print(table, name, flush=True)
            try:
                found[name] = run(name, case)
            except Exception as error:
                # The others are not lost for it.
                failed.append(f"{table} {name}: {type(error).__name__}: {error}")
                continue
            # After each case, so that an interrupted run is not lost.
            lines = [json.dumps(found[name], separators=(",", ":")) for name in entries if name in found]
            path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    if failed:
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main()
