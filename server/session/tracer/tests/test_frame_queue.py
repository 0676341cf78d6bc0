"""Frames reach a tool that reads late or not at all, and the script never waits long."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
import unittest
from unittest import mock

from _deeplocalize_tracer import channel, frame_queue


def _frames(stream: socket.socket) -> list[tuple[int, bytes]]:
    received = bytearray()
    while chunk := stream.recv(1 << 16):
        received.extend(chunk)
    frames, at = [], 0
    while at < len(received):
        length, kind = struct.unpack_from("<IB", received, at)
        frames.append((kind, bytes(received[at + 5 : at + 5 + length])))
        at += 5 + length
    return frames


class Queue(unittest.TestCase):
    """Between two ends of a socket."""

    def setUp(self) -> None:
        self.ours, theirs = socket.socketpair()
        self.addCleanup(self.ours.close)
        with mock.patch.dict(os.environ, {channel.VARIABLE: str(theirs.detach())}):
            self.channel = channel.Channel()
            self.channel.open()

    def send(self, count: int, size: int = 100_000) -> None:
        """Sends so many steps."""
        for step in range(count):
            self.channel.send_step((0, 0, 0, step, step), b"", 1, bytes(size))

    def test_a_tool_that_follows_gets_everything_without_a_thread(self) -> None:
        threads = threading.active_count()
        self.channel.send("start", pid=1)
        self.send(3, size=800)
        self.assertEqual(threading.active_count(), threads)
        self.channel._queue.abandon()
        frames = _frames(self.ours)
        self.assertEqual([kind for kind, _ in frames], [ord("J"), *[ord("S")] * 3])
        self.assertEqual(json.loads(frames[0][1]), {"type": "start", "pid": 1})

    def test_a_tool_that_reads_late_gets_everything_in_order(self) -> None:
        self.send(20)
        self.channel.send("exit", code=0)
        got: list[tuple[int, bytes]] = []
        reader = threading.Thread(target=lambda: got.extend(_frames(self.ours)))
        reader.start()
        self.channel.flush()
        self.channel._queue.abandon()
        reader.join()
        steps = [struct.unpack_from("<IIIIQ", payload)[4] for kind, payload in got if kind == ord("S")]
        self.assertEqual(steps, list(range(20)))
        self.assertEqual(json.loads(got[-1][1])["type"], "exit")

    def test_steps_are_left_out_for_a_tool_that_does_not_read_and_that_is_said(self) -> None:
        with (
            mock.patch.object(frame_queue, "_MOST_BYTES", 1_000_000),
            mock.patch.object(frame_queue, "_PATIENCE", 0.001),
        ):
            begun = time.monotonic()
            self.send(200)
            self.channel.send("epoch", epoch=0)
            self.assertLess(time.monotonic() - begun, 5.0)
            got: list[tuple[int, bytes]] = []
            reader = threading.Thread(target=lambda: got.extend(_frames(self.ours)))
            reader.start()
            self.channel.flush()
            self.send(1)
            self.channel.flush()
        self.channel._queue.abandon()
        reader.join()
        steps = [kind for kind, _ in got if kind == ord("S")]
        messages = [json.loads(payload) for kind, payload in got if kind == ord("J")]
        self.assertEqual([message["type"] for message in messages], ["epoch", "notice"])
        missed = 201 - len(steps)
        self.assertGreater(missed, 150)
        self.assertIn(f"{missed} steps were not recorded", messages[1]["text"])

    def test_a_tool_that_is_gone_is_no_trouble(self) -> None:
        self.ours.close()
        self.send(5)
        self.channel.send("exit", code=0)
        self.channel.flush()


if __name__ == "__main__":
    unittest.main()
