"""How the engine and a worker talk: length-prefixed msgpack frames over a pair of sockets, open files beside them."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import msgpack

from nodegraph.core.errors import Problem, WorkerError

LENGTH: Final = struct.Struct("<I")
LONGEST: Final = 1 << 27
PIECE: Final = 1 << 16
BUFFER: Final = 1 << 18
MOST_FILES: Final = 16


class Door:
    """One end. Sending never blocks: what the socket does not take yet is kept, and goes with the next `flush`.

    A small model answers sooner than its answer travels: what is done for each message is as little as can be.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        with contextlib.suppress(OSError):  # macOS starts with 8 KiB, less than one embedding
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self._end = end
        self._lock = threading.Lock()
        self._out: deque[tuple[memoryview, list[int]]] = deque()
        self._in = bytearray()
        self._ended = False
        self.files: deque[int] = deque()
        """Open files that came in, in the order of the messages that speak of them."""

    def fileno(self) -> int:
        return self._end.fileno()

    def send(self, message: object, files: Sequence[int] = ()) -> bool:
        """Send a message. A far end that is gone is noticed by `receive`, not here. Safe from any thread. True when
        nothing is left to send.

        Raises TypeError or ValueError when msgpack cannot hold the message.
        """
        data = msgpack.packb(message, use_bin_type=True)
        frame = memoryview(LENGTH.pack(len(data)) + data)
        copies = [os.dup(file) for file in files]  # the owner may close its own before they have gone
        with self._lock:
            self._out.append((frame, copies))
            return self._flush()

    def flush(self) -> bool:
        """Send what was kept. True when nothing is left."""
        with self._lock:
            return self._flush()

    def _flush(self) -> bool:
        while self._out:
            frame, files = self._out[0]
            try:
                sent = socket.send_fds(self._end, [frame], files) if files else self._end.send(frame)
            except (BlockingIOError, InterruptedError):
                return False
            except OSError:
                self._drop()
                return True
            for file in files:
                os.close(file)
            if sent == len(frame):
                self._out.popleft()
            else:
                self._out[0] = (frame[sent:], [])
        return True

    def receive(self) -> list[Any]:
        """Every message that has arrived. Raises EOFError when the far end is gone and all it said has been read.

        Raises WorkerError when what came is no frame.
        """
        while not self._ended:
            try:
                data, files, _, _ = socket.recv_fds(self._end, PIECE, MOST_FILES)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                data, files = b"", []
            for file in files:
                os.set_inheritable(file, False)
                self.files.append(file)
            self._in += data
            self._ended = not data
            if 0 < len(data) < PIECE // 2:
                break  # that was all; the end, if it has come, is told by the next call
        messages = self._frames()
        if self._ended and not messages:
            raise EOFError
        return messages

    def close(self) -> None:
        with self._lock:
            self._drop()
            self._end.close()
            while self.files:
                os.close(self.files.popleft())

    def _drop(self) -> None:
        while self._out:
            for file in self._out.popleft()[1]:
                os.close(file)

    def _frames(self) -> list[Any]:
        found: list[Any] = []
        at = 0
        try:
            while len(self._in) - at >= LENGTH.size:
                (length,) = LENGTH.unpack_from(self._in, at)
                if length > LONGEST:
                    raise ValueError(f"a frame of {length} bytes")
                end = at + LENGTH.size + length
                if len(self._in) < end:
                    break
                found.append(msgpack.unpackb(self._in[at + LENGTH.size : end], raw=False, strict_map_key=False))
                at = end
        except (ValueError, msgpack.UnpackException) as error:
            self._in.clear()
            self._ended = True
            what = f"what came from the other process is no message ({error})."
            raise WorkerError(Problem("bad-frame", what, "Please report this.")) from error
        del self._in[:at]
        return found
