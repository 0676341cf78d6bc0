"""The engine: a process of the tool's own, spoken to over a pipe, with arrays in a file that both map.

A request is `u32` length and JSON, and the engine answers each before the next: `u32` length of JSON, `u32`
length of what follows it, JSON, numbers. See docs/hand-over.md.
"""

from __future__ import annotations

import contextlib
import functools
import json
import mmap
import os
import signal
import struct
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import config
from ..channel import plain
from .giving_up import NotCovered, give_up

_LENGTH = struct.Struct("<I")
_LENGTHS = struct.Struct("<II")
_FIRST_SIZE = 1 << 20
# The engine's standard streams are the pipe; the file is the first descriptor after them.
_FILE = 3
_LARGEST = 1 << 34


class Engine:
    """The process, started when it is first needed."""

    def __init__(self, command: list[str]) -> None:
        self._file = _shared_file()
        os.ftruncate(self._file, _FIRST_SIZE)
        self._size = _FIRST_SIZE
        self._map = mmap.mmap(self._file, self._size)
        self._used = 0
        self._owner = os.getpid()
        # One request at a time, whichever thread asks; reentrant, since weights are fetched within requests.
        self._lock = threading.RLock()
        self._preparing = False
        self._interrupted = False
        self._process, self._requests, self._replies = _start(command, self._file)

    def put(self, array: Any) -> dict[str, Any]:
        """Lays an array into the shared file, as float32; returns what the engine is told of it."""
        array = np.asarray(array)
        if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
            kind = "strings or objects" if array.dtype.kind in "OSU" else f"{array.dtype} values"
            raise NotCovered(f"data of {kind}")
        place = self.room(array.shape)
        self.view(place)[...] = array
        return place

    def room(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """A place in the shared file for an array of that shape."""
        length = 4 * int(np.prod(shape, dtype=np.int64))
        # Aligned for the engine's vector instructions.
        start = -(-self._used // 64) * 64
        if start + length > self._size:
            self._grow(start + length)
        self._used = start + length
        return {"offset": start, "shape": list(shape)}

    def view(self, place: dict[str, Any]) -> np.ndarray:
        """The array at that place; valid until the next `request`."""
        return np.ndarray(tuple(place["shape"]), "<f4", self._map, place["offset"])

    def locked(self) -> threading.RLock:
        """For `with`: no other thread uses the engine meanwhile."""
        # In a forked process the lock may be that of a thread which is not there.
        if os.getpid() != self._owner:
            give_up("training in a process that the script started")
        return self._lock

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """For putting a request together: the shared file is empty, and no other thread uses it."""
        with self.locked():
            if self._preparing:
                # The handler of a signal, say: it would overwrite what was laid in.
                give_up("training while another step is under way")
            self._preparing = True
            self._used = 0
            try:
                yield
            except NotCovered:
                raise
            except BaseException:
                # That of a signal, say: weights count as handed over that may not have been.
                self._interrupted = True
                raise
            finally:
                self._preparing = False

    def release(self, used: int) -> None:
        """What was laid in since then is not needed any more."""
        self._used = used

    @property
    def used(self) -> int:
        """Bytes of the shared file that are in use."""
        return self._used

    def call(self, **request: Any) -> tuple[dict[str, Any], bytes]:
        """Sends a request and waits for the answer."""
        text = json.dumps(plain({**request, "size": self._size})).encode("ascii")
        with self.locked():
            if self._interrupted:
                give_up("a training that was interrupted")
            # Stays so when the exception of a signal comes in between: the next answer is still this one's.
            self._interrupted = True
            try:
                _write(self._requests, _LENGTH.pack(len(text)) + text)
                head, tail = _LENGTHS.unpack(_read(self._replies, _LENGTHS.size))
                answer = json.loads(_read(self._replies, head))
                numbers = _read(self._replies, tail)
            except (OSError, EOFError, ValueError) as error:
                give_up(f"this model: the engine ended unexpectedly ({error})")
            self._interrupted = False
        if "not_covered" in answer:
            raise NotCovered(answer["not_covered"])
        if "error" in answer:
            raise NotCovered(f"this training: {answer['error']}")
        return answer, numbers

    def seconds(self) -> float:
        """Processor time that the engine has used so far; 0 where the system does not tell."""
        try:
            with open(f"/proc/{self._process}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            return 0.0
        # utime and stime, the fourteenth and fifteenth of all.
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """Ends the engine and waits for it."""
        os.close(self._requests)
        os.close(self._replies)
        if os.getpid() != self._owner:
            return
        with contextlib.suppress(OSError):
            # A process that the script has forked may still hold the pipe open.
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)

    def _grow(self, needed: int) -> None:
        if needed > _LARGEST:
            raise NotCovered("a batch of more than 16 GiB")
        size = self._size
        while size < needed:
            size *= 2
        os.ftruncate(self._file, size)
        # The old mapping lives on for as long as there are views of it.
        self._map = mmap.mmap(self._file, size)
        self._size = size


def _shared_file() -> int:
    """A file in memory that has no name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("deeplocalize", os.MFD_CLOEXEC)
    file, name = tempfile.mkstemp(prefix="deeplocalize-")
    os.unlink(name)
    return file


def _start(command: list[str], file: int) -> tuple[int, int, int]:
    """Starts the engine; returns its process, and the ends of its pipes: for requests, and for replies."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # Placed above the numbers they are to be copied to.
    copies = [_above(theirs_in), _above(theirs_out), _above(file)]
    actions = [(os.POSIX_SPAWN_DUP2, copy, number) for copy, number in zip(copies, (0, 1, _FILE))]
    try:
        process = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    except OSError as error:
        give_up(f"anything: the engine does not start ({error})")
    for descriptor in (theirs_in, theirs_out, *copies):
        os.close(descriptor)
    return process, ours_out, ours_in


def _above(descriptor: int) -> int:
    """A copy with a number above those of the standard streams and the shared file."""
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FILE + 1)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = os.read(descriptor, min(length - len(parts), 1 << 20))
        if not part:
            raise EOFError("no answer")
        parts += part
    return bytes(parts)


@functools.cache
def engine() -> Engine:
    """The engine of this run."""
    return Engine(list(config.current.engine))
