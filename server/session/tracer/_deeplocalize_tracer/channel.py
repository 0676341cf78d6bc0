"""Writes frames to the tool, as docs/trace-protocol.md describes them."""

from __future__ import annotations

import json
import math
import os
import socket
import struct
import threading
from typing import Any

VARIABLE = "_DEEPLOCALIZE_CHANNEL"
_HEADER = struct.Struct("<IB")
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


class Channel:
    """The tool's end is a stream socket; when it breaks, nothing more is sent and the script goes on."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._process = os.getpid()
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
        self._socket = socket.socket(fileno=self._handed_on)

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
        self._socket = socket.socket(fileno=int(number))
        os.register_at_fork(after_in_child=self._close)

    def _close(self) -> None:
        # The lock may be held by a thread that does not exist in the child.
        self._lock = threading.Lock()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, kind: str, **fields: Any) -> None:
        """Sends a JSON message of this type."""
        text = json.dumps(_plain({"type": kind, **fields}), allow_nan=False, ensure_ascii=True)
        self._write(b"J", text.encode("ascii"))

    def send_step(
        self,
        position: tuple[int, int, int, int, int],
        scalars: bytes,
        rows: int,
        stats: bytes,
    ) -> None:
        """Sends a step: (fit, layout, epoch, batch, step), then little-endian doubles."""
        header = _STEP.pack(*position, len(scalars) // 8, rows)
        self._write(b"S", header + scalars + stats)

    def _write(self, kind: bytes, payload: bytes) -> None:
        with self._lock:
            if self._socket is None or os.getpid() != self._process:
                return
            try:
                self._socket.sendall(_HEADER.pack(len(payload), kind[0]) + payload)
            except OSError:
                self._socket.close()
                self._socket = None


channel = Channel()
_noticed: set[str] = set()


def notice(name: str, text: str, site: dict[str, Any] | None = None) -> None:
    """Tells the user something once."""
    if name + text not in _noticed:
        _noticed.add(name + text)
        channel.send("notice", name=name, text=text, site=site)
