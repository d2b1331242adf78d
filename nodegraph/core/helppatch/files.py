"""The files that help patches play: a few sounds, a tune, some arrays, made here and the same every time."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Callable, Mapping
from typing import Any, Final

RATE: Final = 48_000


def sound() -> bytes:
    """A second of a chord that is struck and fades."""
    pitches = (220.0, 277.18, 329.63, 440.0)
    return _wave(
        sum(math.sin(math.tau * pitch * n / RATE) for pitch in pitches) / 5.0 * math.exp(-3.0 * n / RATE)
        * min(1.0, n / 100.0, (RATE - n) / 500.0)
        for n in range(RATE)
    )  # fmt: skip


def room() -> bytes:
    """Some echoes, less and less: what a room answers to a clap."""
    echoes = {0: 0.6, 4_410: 0.3, 7_938: -0.25, 12_348: 0.2, 17_199: -0.12, 22_050: 0.08}
    return _wave(echoes.get(n, 0.0) for n in range(24_000))


def cycles() -> bytes:
    """Four waves of 2048 frames one after another, from a sine to many partials."""
    return _wave(
        sum(math.sin(math.tau * k * n / 2_048) / k for k in range(1, 2 + 3 * number)) / 2.0
        for number in range(4)
        for n in range(2_048)
    )


def tune() -> bytes:
    """A standard MIDI file: eight notes of half a beat."""
    track = b""
    for pitch in (57, 60, 64, 69, 67, 64, 60, 57):
        track += bytes((0, 0x90, pitch, 100)) + bytes((48, 0x80, pitch, 0))
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", len(track)) + track


def codes() -> bytes:
    """What `codes.write` writes: arrays of EnCodec's codes, ten a second."""
    import numpy as np

    said = (np.arange(8 * 80).reshape(8, 80) * 37 % 1024).astype(np.uint16)
    table = np.array([(number * 4_800, 4, 8) for number in range(20)], np.int64)
    numbers = {"rate": 24_000, "hop": 320, "stages": 8, "bits": 10, "frames": 80, "clock": RATE}
    words = {"format": "nodegraph-codes", "version": "1", "codec": "encodec-24khz", "revision": ""}
    return _arrays({"codes": said, "arrays": table}, words | {name: str(value) for name, value in numbers.items()})


def latents() -> bytes:
    """What `latent.record` writes: eight numbers that swing, ten times a second."""
    import numpy as np

    times = np.arange(20, dtype=np.int64) * 4_800
    swing = np.sin(np.arange(20)[:, None] * 0.3 + np.arange(8)).astype(np.float32)
    words = {"format": "nodegraph-latents", "version": "1", "clock": str(RATE)}
    return _arrays({"latents": swing, "times": times}, words)


def part() -> bytes:
    """A patch that is a node in a help patch: it makes a sound softer, and says how often it was asked."""
    return b"""{
  "nodegraph": 1,
  "title": "A node made of nodes",
  "about": "What comes in at x goes out at y, times level. Each message to tap is counted.",
  "nodes": {
    "count": {"kind": "outlet", "help": "how many messages came"},
    "counter": {"kind": "counter"},
    "level": {"kind": "param", "help": "how loud", "default": 0.5},
    "soft": {"kind": "*~"},
    "start": {"kind": "argument", "help": "a value that is given with the node", "default": 0},
    "tap": {"kind": "inlet", "help": "counts"},
    "x": {"kind": "inlet~", "help": "sound"},
    "y": {"kind": "outlet~", "help": "the sound, softer"}
  },
  "cables": [
    "counter.y -> count.x",
    "level.y -> soft.b",
    "soft.y -> y.x",
    "tap.y -> counter.x",
    "x.y -> soft.x"
  ],
  "view": {
    "count": [240, 180],
    "counter": [240, 110],
    "level": [140, 40],
    "soft": [40, 110],
    "start": [380, 40],
    "tap": [240, 40],
    "x": [40, 40],
    "y": [40, 180]
  }
}
"""


FILES: Final[Mapping[str, Callable[[], bytes]]] = {
    "help-sound.wav": sound, "help-room.wav": room, "help-waves.wav": cycles, "help-tune.mid": tune,
    "help-codes.safetensors": codes, "help-latents.safetensors": latents, "help-part.ng": part,
}  # fmt: skip
"""By name."""


def _wave(samples: Any) -> bytes:
    """A sound file of one channel in 16 bits."""
    data = b"".join(struct.pack("<h", round(32_767 * max(-1.0, min(1.0, sample)))) for sample in samples)
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(data)
    return stream.getvalue()


def _arrays(arrays: dict[str, Any], words: dict[str, str]) -> bytes:
    from safetensors.numpy import save

    return bytes(save(arrays, words))
