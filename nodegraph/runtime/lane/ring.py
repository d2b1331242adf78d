"""The ring through which sound goes from the audio thread to a worker process.

    byte 0      int64: the frame up to which there is sound (the native tap stores it last, with release order)
    byte 64     int64: the worker's: end frame + 1 of what its model hears just now, 0 between two clips
    byte 4096   one float32 plane a channel; frame k lies at index k mod frames

The memory has no name. It is handed to the worker as an open file, so it vanishes with the last process that holds it,
however that process ends: nothing is left in /dev/shm, and no resource tracker has a say.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.errors import Problem, WorkerError
from nodegraph.core.listening import Chunks, Clip

HEADER_BYTES: Final = 4096
WRITTEN: Final = 0
BUSY: Final = 8
LONGEST_BLOCK: Final = 8192
SPARE_S: Final = 4.0  # a worker that was killed is back and has caught up within this time


class SoundNotYet(WorkerError):
    """The ring does not hold this sound yet."""


class SoundLost(WorkerError):
    """The ring held this sound once; newer sound lies there now."""


class Ring:
    """One writer (the native tap), one reader (the worker). Frames are counted from the start of the patch.

    ``frames``: a power of two, more than twice `longest_block`. ``longest_block``: the most frames that the writer
    writes before it says so; that much of the oldest sound counts as lost already, because it may be half overwritten.
    Raises WorkerError when the sizes do not fit, or memory cannot be had.
    """

    def __init__(self, channels: int, frames: int, *, longest_block: int = LONGEST_BLOCK) -> None:
        if channels < 1 or frames < 2 or frames & (frames - 1) or frames <= 2 * longest_block:
            what = f"a ring of {channels} channels and {frames} frames cannot be made."
            do = f"It takes 1 channel or more, and a power of two above {2 * longest_block} frames."
            raise WorkerError(Problem("bad-ring", what, do))
        size = HEADER_BYTES + 4 * channels * frames
        fd = -1
        try:
            fd = _nameless_memory()
            os.ftruncate(fd, size)
            self._map(fd, channels, frames, longest_block)
            self._planes[:] = 0.0  # touches every page, so that the audio thread never meets a page fault
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            what = f"{size} bytes of shared memory cannot be had ({error.strerror or error})."
            raise WorkerError(Problem("no-memory", what, "Close other programs, or make /dev/shm larger.")) from error

    @classmethod
    def attach(cls, fd: int, channels: int, frames: int, longest_block: int) -> Ring:
        """The same ring in another process, from an open file that was received. Takes the file over."""
        ring = cls.__new__(cls)
        ring._map(fd, channels, frames, longest_block)
        return ring

    def _map(self, fd: int, channels: int, frames: int, longest_block: int) -> None:
        self.fd = fd
        self.channels = channels
        self.frames = frames
        self.longest_block = longest_block
        memory = mmap.mmap(fd, HEADER_BYTES + 4 * channels * frames)
        self._memory: mmap.mmap | None = memory
        self._words: NDArray[np.int64] = np.frombuffer(memory, np.int64, HEADER_BYTES // 8)
        self._planes: NDArray[np.float32] = np.frombuffer(memory, np.float32, channels * frames, HEADER_BYTES).reshape(
            channels, frames
        )
        self._order = threading.Lock()

    @property
    def header_address(self) -> int:
        """Where the native tap stores the frame up to which there is sound."""
        return self._words.ctypes.data

    @property
    def data_address(self) -> int:
        """Where the first channel's plane begins; the others follow, `frames` float32 each."""
        return self._planes.ctypes.data

    @property
    def size(self) -> int:
        """Frames that a plane holds, for ``k mod size``."""
        return self.frames

    @property
    def name(self) -> str:
        """For logs. The memory itself has no name."""
        return f"ring {self.fd} ({self.channels} × {self.frames})"

    @property
    def written(self) -> int:
        """The frame up to which there is sound."""
        return int(self._words[WRITTEN])

    @property
    def busy(self) -> int:
        """What the worker's model hears just now: end frame + 1, or 0."""
        return int(self._words[BUSY])

    @busy.setter
    def busy(self, value: int) -> None:
        self._words[BUSY] = value

    def oldest(self) -> int:
        """The first frame that is surely still whole."""
        return self.written + self.longest_block - self.frames

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        """A copy of `count` frames from `start`: (channels, count) float32. Before frame 0 there was silence.

        Raises SoundNotYet, or SoundLost when newer sound overwrote it.

        The writer stores the samples first and the frame count after them (release). Here it is the other way round:
        the count is read before the samples, and once more after them to see whether the writer came round meanwhile.
        An aligned 64-bit word is read whole on x86 and arm64. x86 never swaps two loads; arm64 may, so a lock is
        taken and given back between them, which is a full barrier there and costs 0.1 µs.
        """
        if start + count > self.written:
            raise SoundNotYet(Problem("sound-not-yet", f"frame {start + count} has not been played yet."))
        self._check_whole(start)
        self._barrier()
        skipped = min(max(0, -start), count)
        out = np.empty((self.channels, count), np.float32)
        out[:, :skipped] = 0.0
        for first, here, length in self._pieces(start + skipped, count - skipped):
            out[:, skipped + first : skipped + first + length] = self._planes[:, here : here + length]
        self._barrier()
        self._check_whole(start)
        return out

    def write(self, start: int, sound: NDArray[np.float32]) -> None:
        """What the native tap does: put (channels, count) frames at `start`, and then say so."""
        count = sound.shape[1]
        for at in range(0, count, self.longest_block):
            piece = sound[:, at : at + self.longest_block]
            for first, here, length in self._pieces(start + at, piece.shape[1]):
                self._planes[:, here : here + length] = piece[:, first : first + length]
            self._barrier()
            self._words[WRITTEN] = start + at + piece.shape[1]

    def close(self) -> None:
        """Let go of the memory. No native code may know its addresses any more. May be called twice."""
        if self._memory is None:
            return
        memory, self._memory = self._memory, None
        empty: NDArray[Any] = np.zeros(HEADER_BYTES // 8, np.int64)
        self._words, self._planes = empty, np.zeros((self.channels, 0), np.float32)
        with contextlib.suppress(BufferError):  # somebody holds a view: it goes when that does
            memory.close()
        os.close(self.fd)
        self.fd = -1

    def _check_whole(self, start: int) -> None:
        oldest = self.oldest()
        if max(start, 0) < oldest:
            what = f"the sound from frame {start} on is lost: the ring goes back to frame {oldest} only."
            raise SoundLost(Problem("sound-lost", what))

    def _barrier(self) -> None:
        with self._order:
            pass

    def _pieces(self, start: int, count: int) -> Iterator[tuple[int, int, int]]:
        """The one or two straight runs in which frames lie: (offset in the wish, index in the plane, length)."""
        done = 0
        while done < count:
            here = (start + done) & (self.frames - 1)
            length = min(count - done, self.frames - here)
            yield done, here, length
            done += length


def ring_frames(hears: Clip | Chunks, rate: int, longest_block: int = LONGEST_BLOCK) -> int:
    """The size of a ring for a node that hears this: what it hears at once, and what passes while a worker restarts."""
    need = int((hears.seconds + SPARE_S) * rate) + 2 * longest_block
    return 1 << need.bit_length()


def _nameless_memory() -> int:
    if sys.platform == "linux":
        return os.memfd_create("nodegraph-ring", os.MFD_CLOEXEC)
    else:
        return _unlinked_memory()


def _unlinked_memory() -> int:
    """POSIX shared memory whose name is taken away at once, for systems without memfd (macOS)."""
    import _posixshmem  # type: ignore[import-not-found, unused-ignore]  # what multiprocessing.shared_memory stands on

    name = f"/nodegraph-{secrets.token_hex(8)}"  # macOS allows 31 characters
    fd: int = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600)
    _posixshmem.shm_unlink(name)
    return fd
