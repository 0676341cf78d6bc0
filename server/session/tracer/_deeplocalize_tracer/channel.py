"""Writes frames to the tool, as docs/trace-protocol.md describes them."""

from __future__ import annotations

import json
import math
import os
import socket
import struct
from typing import Any, Protocol

from .frame_queue import FrameQueue

VARIABLE = "_DEEPLOCALIZE_CHANNEL"
_STEP = struct.Struct("<IIIIQII")


def _plain(value: Any) -> Any:
    """Makes JSON of a value: non-finite floats become strings, the unknown its `repr`."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item") and getattr(value, "size", 0) == 1:
        return _plain(value.item())
    return repr(value)


class Sink(Protocol):
    """Who takes in what is sent when no tool listens."""

    def message(self, kind: str, fields: dict[str, Any]) -> None:
        """Takes in a message."""

    def step(self, position: tuple[int, ...], scalars: bytes, rows: int, stats: bytes) -> None:
        """Takes in a step."""


class Channel:
    """The tool's end is a stream socket; when it breaks, nothing more is sent and the script goes on.

    When the tool cannot follow, the training waits for a moment, then steps are left out; messages never are.
    """

    def __init__(self) -> None:
        self._sink: Sink | None = None
        self._queue: FrameQueue | None = None
        self._process = os.getpid()
        # Steps left out, and how many of them the tool was told of.
        self._missed = 0
        self._told = 0
        # Of the socket, and of a second descriptor of it for the next child process.
        self._descriptor = -1
        self._handed_on = -1
        self._unread = b""

    def hand_on(self) -> None:
        """The next child process sends in this one's place, if it takes over."""
        self._handed_on = os.dup(self._descriptor)

    def take_back(self) -> None:
        """The child process is there; this one goes on when it has ended."""
        os.close(self._handed_on)

    def take_over(self) -> None:
        """This process sends from now on; its own children do not."""
        self._process = os.getpid()
        self._queue = FrameQueue(socket.socket(fileno=self._handed_on))

    def receive(self) -> str:
        """The next line from the tool; waits for it. Nothing when the tool is gone."""
        while b"\n" not in self._unread:
            more = os.read(self._descriptor, 1 << 16)
            if not more:
                return ""
            self._unread += more
        line, self._unread = self._unread.split(b"\n", 1)
        return line.decode("utf-8")

    def open(self) -> None:
        """Takes over the descriptor that the supervisor passed on; no child process can use it."""
        number = os.environ.pop(VARIABLE, None)
        if number is None:
            return
        os.set_inheritable(int(number), False)
        self._descriptor = int(number)
        self._queue = FrameQueue(socket.socket(fileno=int(number)))
        os.register_at_fork(after_in_child=self._close)

    def keep(self, sink: Sink | None) -> None:
        """Gives everything to this one instead."""
        self._sink = sink

    def _close(self) -> None:
        if self._queue is not None:
            self._queue.abandon()
            self._queue = None
        self._sink = None

    def flush(self) -> None:
        """Waits until everything is sent."""
        if self._queue is not None:
            self._queue.flush()

    def send(self, kind: str, **fields: Any) -> None:
        """Sends a JSON message of this type."""
        message = _plain(fields)
        if self._sink is not None and os.getpid() == self._process:
            self._sink.message(kind, message)
        if self._queue is not None:
            text = json.dumps({"type": kind, **message}, allow_nan=False, ensure_ascii=True)
            self._queue.put(b"J", text.encode("ascii"))

    def send_step(
        self,
        position: tuple[int, int, int, int, int],
        scalars: bytes,
        rows: int,
        stats: bytes,
    ) -> None:
        """Sends a step: (fit, layout, epoch, batch, step), then little-endian doubles."""
        if self._sink is not None and os.getpid() == self._process:
            self._sink.step(position, scalars, rows, stats)
        if self._queue is not None:
            header = _STEP.pack(*position, len(scalars) // 8, rows)
            self._missed += self._queue.put(b"S", header + scalars + stats)
            # Each time it has doubled, or the notices would be too many in turn.
            if self._missed > 2 * self._told:
                self._told = self._missed
                text = f"{self._missed} steps were not recorded, because the analysis could not follow"
                self.send("notice", name="thinned", text=text, site=None)


channel = Channel()
_noticed: set[str] = set()


def notice(name: str, text: str, site: dict[str, Any] | None = None) -> None:
    """Tells the user something once."""
    if name + text not in _noticed:
        _noticed.add(name + text)
        channel.send("notice", name=name, text=text, site=site)
