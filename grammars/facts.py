"""Reads the tables of Keras API facts off an installed Keras, or tries them on it.

python grammars/facts.py signatures   prints signatures.toml
python grammars/facts.py verify       compares signatures.toml and removed-arguments.toml with Keras
"""

import fnmatch
import inspect
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import tomllib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

HERE = Path(__file__).parent
MODULES = [
    "layers",
    "optimizers",
    "optimizers.schedules",
    "losses",
    "metrics",
    "activations",
    "initializers",
    "regularizers",
    "callbacks",
    "utils",
]
ABSTRACT = {
    "Layer",
    "InputSpec",
    "Optimizer",
    "Metric",
    "Loss",
    "Initializer",
    "Regularizer",
}
OTHER = {"get", "serialize", "deserialize", "Input"}
METHODS = [
    "compile",
    "fit",
    "evaluate",
    "predict",
    "train_on_batch",
    "test_on_batch",
    "predict_on_batch",
]
FIT_GENERATOR = (
    "generator steps_per_epoch epochs verbose callbacks validation_data validation_steps validation_freq "
    "class_weight max_queue_size workers use_multiprocessing shuffle initial_epoch"
)

# Arguments a class or function needs before the one that is tried.
NEEDED: dict[str, tuple[Any, ...]] = {
    "keras.layers.Dense": (4,),
    "keras.layers.Embedding": (4, 5),
    "keras.layers.Dropout": (0.5,),
    "keras.layers.GaussianDropout": (0.5,),
    "keras.layers.GaussianNoise": (0.5,),
    "keras.callbacks.ModelCheckpoint": ("model.keras",),
    "keras.utils.to_categorical": ([0, 1],),
}
OPTIMIZERS = [
    "SGD",
    "Adam",
    "AdamW",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Adamax",
    "Nadam",
    "Ftrl",
    "Lion",
    "Lamb",
    "Adafactor",
    "Muon",
]


def member(path: str) -> Any:
    """The thing of Keras with that dotted name, without the leading `keras.`."""
    found: Any = keras
    for part in path.split("."):
        found = getattr(found, part)
    return found


def parameters(thing: Any) -> str:
    """Names of the parameters that can be given by position."""
    try:
        signature = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing)
    except (TypeError, ValueError):
        return ""
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    named = signature.parameters.items()
    return " ".join(name for name, one in named if one.kind in positional and name not in ("self", "args"))


def signatures() -> dict[str, dict[str, str]]:
    """The content of signatures.toml."""
    tables: dict[str, dict[str, str]] = {}
    aliases: dict[str, str] = {}
    for name in MODULES:
        module = member(name)
        table = tables.setdefault(f"keras.{name}", {})
        for public in sorted(dir(module)):
            thing = getattr(module, public)
            if public.startswith("_") or not callable(thing) or public in ABSTRACT | OTHER:
                continue
            if inspect.isclass(thing) and thing.__name__ != public and hasattr(module, thing.__name__):
                aliases[f"keras.{name}.{public}"] = f"keras.{name}.{thing.__name__}"
            else:
                table[public] = parameters(thing)
    tables["keras"] = {
        "Input": parameters(keras.Input),
        "Sequential": parameters(keras.Sequential),
        "Model": "inputs outputs name",
    }
    tables["Model"] = {method: parameters(getattr(keras.Model, method)) for method in METHODS}
    # `add` takes one layer by position; `fit_generator` is gone in Keras 3 and stands here as Keras 2 had it.
    tables["Model"] |= {"add": "layer", "fit_generator": FIT_GENERATOR}
    tables["aliases"] = aliases
    return tables


def print_signatures() -> None:
    """Prints signatures.toml."""
    print(
        f"# Names of the parameters that positional arguments stand for, read from Keras {keras.__version__}"
    )
    print("# by `python grammars/facts.py signatures`.")
    for section, table in signatures().items():
        print(f'\n["{section}"]')
        for name, value in table.items():
            key = f'"{name}"' if "." in name else name
            print(f'{key} = "{value}"')


def attempt(name: str, positional: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[bool, str]:
    """Whether a call works, with its warnings or its exception."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            if name.startswith("Model."):
                call_method(name.removeprefix("Model."), keywords)
            else:
                member(name.removeprefix("keras."))(*positional, **keywords)
        except (TypeError, ValueError) as error:
            return False, str(error).split("\n")[0]
    return True, " ".join(str(one.message) for one in seen)


def call_method(method: str, keywords: dict[str, Any]) -> None:
    """Calls a method of a small model."""
    model = keras.Sequential([keras.layers.Dense(1)])
    features, labels = np.zeros((4, 2)), np.zeros((4, 1))
    if method == "compile":
        model.compile("sgd", "mse", **keywords)
        return
    model.compile("sgd", "mse")
    data = (features,) if method == "predict" else (features, labels)
    getattr(model, method)(*data, verbose=0, **keywords)


def needed(name: str) -> tuple[Any, ...]:
    """The arguments a call needs anyway."""
    if name in NEEDED:
        return NEEDED[name]
    if ".Conv" in name:
        return (4, 3)
    if "Average" in name:
        return (2,)
    return (4,) if any(part in name for part in ("LSTM", "GRU", "RNN")) else ()


def verify() -> int:
    """Number of rows that are not true of this Keras."""
    wrong = 0
    if tomllib.loads((HERE / "signatures.toml").read_text()) != signatures():
        print("signatures.toml differs from this Keras")
        wrong += 1
    names = [f"keras.layers.{name}" for name in dir(keras.layers)]
    names += [f"keras.optimizers.{name}" for name in OPTIMIZERS]
    names += ["keras.utils.to_categorical"]
    names += ["keras.callbacks.ModelCheckpoint", "keras.callbacks.ReduceLROnPlateau"]
    names += [f"Model.{method}" for method in ("fit", "evaluate", "predict", "compile")]
    tried = 0
    for row in tomllib.loads((HERE / "removed-arguments.toml").read_text())["argument"]:
        for name in [name for pattern in row["callees"] for name in fnmatch.filter(names, pattern)]:
            tried += 1
            plain, said = attempt(name, needed(name), {})
            works, heard = attempt(name, needed(name), {row["name"]: None if row["raises"] else 0.1})
            ignored = row["raises"] or row.get("silent") or row["name"] in heard
            if not plain or works == row["raises"] or not ignored:
                print(f"{name}({row['name']}=): {said or heard or 'accepted'}")
                wrong += 1
            if "replacement" in row and not accepts(name, row["replacement"]):
                print(f"{name} has no argument {row['replacement']}")
                wrong += 1
    print(f"Keras {keras.__version__}: {tried} calls tried, {wrong} wrong")
    return wrong


def accepts(name: str, keyword: str) -> bool:
    """Whether a class, function or method has a parameter of that name."""
    found = member("Model." + name.removeprefix("Model.")) if name.startswith("Model.") else member(name[6:])
    return keyword in parameters(found).split()


if __name__ == "__main__":
    if sys.argv[1:] == ["signatures"]:
        print_signatures()
    elif sys.argv[1:] == ["verify"]:
        sys.exit(1 if verify() else 0)
    else:
        sys.exit(__doc__)
