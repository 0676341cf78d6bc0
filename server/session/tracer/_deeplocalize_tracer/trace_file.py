"""Keeps what the tracer sends, in bounded memory, and writes it as docs/trace-file.md describes.

For trainings that run where no tool listens.
"""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

import numpy as np

CAPACITY = 2048
# Trainings kept; of more, the last ones.
_MOST_FITS = 200
_SERIES = ("layer", "tensor", "weight")


class History:
    """Rows of numbers with the moments they belong to; older ones get sparser when there are too many."""

    def __init__(self) -> None:
        self.moments: list[tuple[int, int, int]] = []
        self.rows: list[np.ndarray] = []

    def push(self, moment: tuple[int, int, int], row: np.ndarray) -> None:
        """Adds a row."""
        if len(self.moments) >= CAPACITY:
            half = CAPACITY // 2
            self.moments = self.moments[:half:2] + self.moments[half:]
            self.rows = self.rows[:half:2] + self.rows[half:]
        self.moments.append(moment)
        self.rows.append(row)

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of the file."""
        moments = np.asarray(self.moments, dtype="<i8").reshape(-1, 3)
        width = max((len(row) for row in self.rows), default=0)
        rows = np.full((len(self.rows), width), np.nan, dtype="<f8")
        for at, row in enumerate(self.rows):
            rows[at, : len(row)] = row
        return {name: rows, f"{name}.moments": moments}


class _Fit:
    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self.epochs: list[dict[str, Any]] = []
        self.end: str | None = None
        self.layouts: dict[int, dict[str, Any]] = {}
        self.columns: list[str] = []
        self.stats: list[str] = []
        self.scalars = History()
        self.series: dict[tuple[Any, ...], History] = {}

    def step(self, position: tuple[int, ...], scalars: np.ndarray, rows: int, stats: np.ndarray) -> None:
        _, number, epoch, batch, step = position
        layout = self.layouts.get(number)
        if layout is None:
            return
        moment = (step, epoch, batch)
        names = layout["scalars"]
        self.columns += [name for name in names if name not in self.columns]
        row = np.full(len(self.columns), np.nan)
        for name, value in zip(names, scalars):
            row[self.columns.index(name)] = value
        self.scalars.push(moment, row)
        if rows:
            self.stats = layout["stats"]
            for described, values in zip(layout["rows"], stats.reshape(rows, -1)):
                key = tuple(described.get(name) for name in _SERIES)
                self.series.setdefault(key, History()).push(moment, values.copy())


class TraceFile:
    """What a run has sent so far."""

    def __init__(self) -> None:
        # Nothing is written before there is one.
        self.path: str | None = None
        self._messages: dict[str, Any] = {}
        self._notices: list[dict[str, Any]] = []
        self._fits: dict[int, _Fit] = {}

    @property
    def raised(self) -> bool:
        """Whether the script ended with an exception."""
        return "exception" in self._messages

    def message(self, kind: str, fields: dict[str, Any]) -> None:
        """Takes in a message, whose values are those of JSON."""
        if kind == "fit":
            self._fits[fields["fit"]] = _Fit(fields)
            if len(self._fits) > _MOST_FITS:
                del self._fits[next(iter(self._fits))]
        elif kind == "notice":
            self._notices.append(fields)
        elif kind in ("start", "keras", "exception", "exit"):
            self._messages[kind] = fields
        elif fields.get("fit") in self._fits:
            fit = self._fits[fields["fit"]]
            if kind == "layout":
                fit.layouts[fields["layout"]] = fields
            elif kind == "epoch":
                fit.epochs.append(fields)
            elif kind == "fit-end":
                fit.end = fields["reason"]

    def step(self, position: tuple[int, ...], scalars: bytes, rows: int, stats: bytes) -> None:
        """Takes in a step."""
        fit = self._fits.get(position[0])
        if fit is not None:
            fit.step(position, np.frombuffer(scalars, "<f8"), rows, np.frombuffer(stats, "<f8"))

    def write(self) -> None:
        """Writes the file in one step, so that a killed run leaves the last complete one."""
        if self.path is None:
            return
        arrays: dict[str, np.ndarray] = {}
        fits = []
        for at, fit in enumerate(self._fits.values()):
            name = f"fit{at}"
            arrays.update(fit.scalars.arrays(f"{name}/scalars"))
            series = []
            for (layer, tensor, weight), history in fit.series.items():
                array = f"{name}/layer{layer}/{tensor}"
                if weight is not None:
                    array += "/" + str(weight).translate(str.maketrans("/\\:", "___"))
                arrays.update(history.arrays(array))
                series.append({"array": array, "layer": layer, "tensor": tensor, "weight": weight})
            steps = [{"array": f"{name}/scalars", "columns": fit.columns}]
            described = {"info": fit.info, "epochs": fit.epochs, "end": fit.end, "stats": fit.stats}
            fits.append({**described, "steps": steps, "series": series})
        metadata = {"format": "deeplocalize-trace", "version": 1, **self._messages}
        metadata.update(notices=self._notices, fits=fits)
        arrays["metadata"] = np.array(json.dumps(metadata, allow_nan=False))
        folder = os.path.dirname(os.path.abspath(self.path))
        os.makedirs(folder, exist_ok=True)
        number, temporary = tempfile.mkstemp(suffix=".npz", dir=folder)
        try:
            with os.fdopen(number, "wb") as file:
                np.savez_compressed(file, **arrays)
            os.chmod(temporary, 0o644)
            os.replace(temporary, self.path)
        except BaseException:
            os.unlink(temporary)
            raise
