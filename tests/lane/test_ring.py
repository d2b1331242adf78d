"""The ring: what was written is read, and what is not there is told."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.core import Chunks, Clip, WorkerError
from nodegraph.runtime.lane import Ring, SoundLost, SoundNotYet, ring_frames
from nodegraph.runtime.lane import ring as module

ROOT = Path(__file__).parents[2]


def count_up(channels: int, start: int, frames: int) -> np.ndarray:
    """Frame k of channel c is k + c / 4, exact in float32 below 2^21."""
    return (np.arange(start, start + frames) + np.arange(channels)[:, None] / 4).astype(np.float32)


@pytest.fixture
def ring():
    made = Ring(2, 1024, longest_block=128)
    yield made
    made.close()


@given(st.lists(st.integers(1, 300), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_any_blocks_written_are_read_at_any_place(blocks, random) -> None:
    ring = Ring(2, 1024, longest_block=128)
    try:
        now = 0
        for frames in blocks:
            ring.write(now, count_up(2, now, frames))
            now += frames
            start = random.randint(max(0, ring.oldest()), now)
            count = random.randint(0, now - start)
            np.testing.assert_array_equal(ring.read(start, count), count_up(2, start, count))
    finally:
        ring.close()


def test_before_the_start_there_was_silence(ring) -> None:
    ring.write(0, count_up(2, 1, 100))
    sound = ring.read(-50, 100)
    np.testing.assert_array_equal(sound[:, :50], 0.0)
    np.testing.assert_array_equal(sound[:, 50:], count_up(2, 1, 50))
    np.testing.assert_array_equal(ring.read(-300, 200), np.zeros((2, 200)))


def test_sound_that_has_not_come_is_told(ring) -> None:
    ring.write(0, count_up(2, 0, 100))
    with pytest.raises(SoundNotYet, match="101"):
        ring.read(50, 51)


def test_sound_that_was_overwritten_is_told_and_a_block_that_may_be_half_so_counts(ring) -> None:
    ring.write(0, count_up(2, 0, 2000))
    oldest = 2000 - 1024 + 128
    assert ring.oldest() == oldest
    np.testing.assert_array_equal(ring.read(oldest, 10), count_up(2, oldest, 10))
    with pytest.raises(SoundLost, match=str(oldest)):
        ring.read(oldest - 1, 10)


@pytest.mark.parametrize(("channels", "frames"), [(0, 1024), (1, 1000), (1, 0), (1, 256), (1, -1024)])
def test_sizes_that_do_not_fit_are_refused(channels, frames) -> None:
    with pytest.raises(WorkerError, match="power of two above 256"):
        Ring(channels, frames, longest_block=128)


def test_native_code_writes_at_the_addresses(ring) -> None:
    """The layout that the native tap knows: planes one after another, frame k at k mod size, the count in word 0."""
    for frame in (1022, 1023, 1024):
        for channel in range(2):
            address = ring.data_address + 4 * ring.size * channel + 4 * (frame % ring.size)
            ctypes.c_float.from_address(address).value = frame + channel / 4
    ctypes.c_int64.from_address(ring.header_address).value = 1025
    np.testing.assert_array_equal(ring.read(1022, 3), count_up(2, 1022, 3))
    assert ring.header_address % 64 == 0
    assert ring.data_address % 64 == 0


def test_a_ring_is_as_long_as_a_clip_and_a_restart() -> None:
    for hears in (Clip(0.975, 16_000), Clip(10.24, 16_000), Chunks(512, 16_000)):
        for rate in (44_100, 48_000, 96_000):
            frames = ring_frames(hears, rate)
            assert frames & (frames - 1) == 0
            assert frames >= (hears.seconds + 3.0) * rate + 8192, "the answers are promised back within 3 s"


WRITER = """
import sys, numpy as np
from nodegraph.runtime.lane.ring import Ring
ring = Ring.attach(int(sys.argv[1]), 1, 4096, 256)
now, ramp = 0, np.arange(1 << 22, dtype=np.float32)
sys.stdout.write("up\\n"); sys.stdout.flush()
while now < ramp.size:
    ring.write(now, ramp[None, now : now + 256])
    now += 256
"""


def test_a_reader_that_the_writer_overtakes_never_sees_mixed_sound() -> None:
    ring = Ring(1, 4096, longest_block=256)
    command = [sys.executable, "-c", WRITER, str(ring.fd)]
    writer = subprocess.Popen(command, cwd=ROOT, pass_fds=[ring.fd], stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None and writer.stdout.readline() == b"up\n", "the writer did not start"
        read = lost = 0
        while writer.poll() is None:
            start = max(0, ring.oldest())  # the place that is overwritten next
            try:
                sound = ring.read(start, min(3000, ring.written - start))
            except SoundLost:
                lost += 1
                continue
            read += 1
            expected = np.arange(start, start + sound.shape[1], dtype=np.float32)
            np.testing.assert_array_equal(sound[0], expected)
        assert writer.returncode == 0
        assert read > 0, f"nothing was ever read whole; {lost} times it was lost"
        assert ring.written == 1 << 22
    finally:
        writer.kill()
        writer.communicate()
        ring.close()


def maps() -> str:
    return Path("/proc/self/maps").read_text() if sys.platform == "linux" else ""


def test_closing_gives_the_memory_back() -> None:
    before = set(os.listdir("/dev/fd"))
    ring = Ring(1, 1 << 16)
    ring.close()
    ring.close()
    assert set(os.listdir("/dev/fd")) == before
    assert "nodegraph-ring" not in maps()


def test_memory_has_no_name_also_without_memfd(monkeypatch) -> None:
    shared = Path("/dev/shm")
    before = set(shared.iterdir()) if shared.exists() else set()
    monkeypatch.setattr(module, "_nameless_memory", module._unlinked_memory)
    ring = Ring(1, 1 << 15)
    try:
        assert (set(shared.iterdir()) if shared.exists() else set()) == before
        other = Ring.attach(os.dup(ring.fd), 1, 1 << 15, ring.longest_block)
        ring.write(0, count_up(1, 0, 100))
        np.testing.assert_array_equal(other.read(0, 100), count_up(1, 0, 100))
        other.close()
    finally:
        ring.close()


def test_no_memory_is_an_error_that_says_so(monkeypatch) -> None:
    def full(fd: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "ftruncate", full)
    before = set(os.listdir("/dev/fd"))
    with pytest.raises(WorkerError, match="No space left"):
        Ring(1, 1 << 15)
    assert set(os.listdir("/dev/fd")) == before, "the file was left open"
