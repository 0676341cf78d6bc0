"""Sends frames without holding the training up for long when the tool is busy."""

from __future__ import annotations

import atexit
import socket
import struct
import threading
from collections import deque

_HEADER = struct.Struct("<IB")
# Bytes that wait before steps are left out: some hundred steps of a large model.
_MOST_BYTES = 32 << 20
# Seconds that a step waits for room.
_PATIENCE = 0.05
# Seconds that the end of the script waits for what was not sent yet.
_LAST_WAIT = 10.0


class FrameQueue:
    """Frames in their order. Steps are left out when they do not fit; messages always fit.

    What the socket takes at once is sent at once. A thread, started when first needed, sends the rest.
    """

    def __init__(self, stream: socket.socket) -> None:
        self._socket: socket.socket | None = stream
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._missed = 0
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        atexit.register(self.flush)

    def put(self, kind: bytes, payload: bytes) -> int:
        """Takes in a frame; how many steps were left out since the last one that was not."""
        frame = _HEADER.pack(len(payload), kind[0]) + payload
        with self._changed:
            if self._socket is None:
                return 0
            if kind == b"S" and not self._changed.wait_for(self._has_room, _PATIENCE):
                self._missed += 1
                return 0
            if not self._waiting:
                frame = self._send_at_once(self._socket, frame)
            if frame:
                self._wait(frame)
            if kind != b"S":
                return 0
            missed, self._missed = self._missed, 0
            return missed

    def _has_room(self) -> bool:
        return self._bytes < _MOST_BYTES or self._socket is None

    def _send_at_once(self, stream: socket.socket, frame: bytes) -> bytes:
        """Sends what the socket takes; the rest."""
        try:
            return frame[stream.send(frame, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return frame
        except OSError:
            self._end()
            return b""

    def _wait(self, frame: bytes) -> None:
        self._waiting.append(frame)
        self._bytes += len(frame)
        self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="deeplocalize", daemon=True)
            self._thread.start()

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._waiting.clear()
        self._bytes = 0
        self._changed.notify_all()

    def flush(self) -> None:
        """Waits until everything is sent, but not for ever."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, _LAST_WAIT)

    def abandon(self) -> None:
        """In a child process, which has neither the thread nor a use for the socket."""
        # The lock may be held by a thread that does not exist here.
        self._changed = threading.Condition()
        with self._changed:
            self._end()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._socket is None)
                stream = self._socket
                if stream is None:
                    return
                # It stays at the head until it is sent, so that nothing overtakes it.
                frame = self._waiting[0]
            try:
                stream.sendall(frame)
            except OSError:
                with self._changed:
                    self._end()
                return
            with self._changed:
                if self._waiting:
                    self._waiting.popleft()
                    self._bytes -= len(frame)
                    self._changed.notify_all()
