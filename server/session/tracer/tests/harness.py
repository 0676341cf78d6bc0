"""Runs a script under the tracer as the tool does, and decodes what it sends."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TRACER = Path(__file__).resolve().parent.parent
PROGRAMS = Path(__file__).resolve().parent / "programs"
HAS_TORCH = importlib.util.find_spec("torch") is not None


@dataclass
class Step:
    """One step frame with its numbers by name."""

    fit: int
    epoch: int
    batch: int
    step: int
    scalars: dict[str, float]
    rows: dict[tuple[int, str, str | None], dict[str, float]]


@dataclass
class Run:
    """Everything a script sent and printed."""

    code: int
    stdout: str
    stderr: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of this type."""
        return [message for message in self.messages if message["type"] == kind]


def traced(
    script: Path,
    *arguments: str,
    config: dict[str, Any] | None = None,
    variables: dict[str, str] | None = None,
    **options: Any,
) -> Run:
    """Runs the script under the tracer, with more environment `variables`."""
    ours, theirs = socket.socketpair()
    received = bytearray()
    reader = threading.Thread(target=lambda: _receive(ours, received))
    reader.start()
    environment = {
        **os.environ,
        **(variables or {}),
        "_DEEPLOCALIZE_CHANNEL": str(theirs.fileno()),
        "_DEEPLOCALIZE_CONFIG": json.dumps(config or {}),
    }
    done = subprocess.run(
        [sys.executable, str(TRACER), str(script), *arguments],
        env=environment,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        **options,
    )
    theirs.close()
    reader.join()
    ours.close()
    run = Run(done.returncode, done.stdout, done.stderr)
    _decode(bytes(received), run)
    return run


def plain(script: Path, *arguments: str, **options: Any) -> Run:
    """Runs the script without the tracer."""
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        **options,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def script(folder: str | Path, text: str, name: str = "train.py") -> Path:
    """Writes a script."""
    path = Path(folder) / name
    path.write_text(text, encoding="utf-8")
    return path


def _receive(stream: socket.socket, received: bytearray) -> None:
    while chunk := stream.recv(1 << 16):
        received.extend(chunk)


def _decode(received: bytes, run: Run) -> None:
    layouts: dict[tuple[int, int], dict[str, Any]] = {}
    at = 0
    while at < len(received):
        length, kind = struct.unpack_from("<IB", received, at)
        payload = received[at + 5 : at + 5 + length]
        at += 5 + length
        if kind == ord("J"):
            message = json.loads(payload)
            run.messages.append(message)
            if message["type"] == "layout":
                layouts[message["fit"], message["layout"]] = message
        else:
            run.steps.append(_step(payload, layouts))


def _step(payload: bytes, layouts: dict[tuple[int, int], dict[str, Any]]) -> Step:
    fit, layout, epoch, batch, step, scalars, rows = struct.unpack_from("<IIIIQII", payload)
    names = layouts[fit, layout]
    values = struct.unpack_from(f"<{(len(payload) - 32) // 8}d", payload, 32)
    width = len(names["stats"])
    tables = {}
    for number, row in enumerate(names["rows"][:rows]):
        start = scalars + number * width
        key = (row["layer"], row["tensor"], row["weight"])
        tables[key] = dict(zip(names["stats"], values[start : start + width]))
    return Step(fit, epoch, batch, step, dict(zip(names["scalars"], values[:scalars])), tables)
