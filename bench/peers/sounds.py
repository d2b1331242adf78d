"""The numbers that b7 and b8 read: the same for every peer, as arrays and as sound files."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.peers import measure, music


def cloud() -> NDArray[np.float32]:
    """The sound that b7 takes apart."""
    p = np.arange(music.CLOUD) / music.CLOUD
    wobble = music.CLOUD_INDEX * np.sin(2 * np.pi * music.CLOUD_WOBBLES * p)
    return np.sin(2 * np.pi * music.CLOUD_CYCLES * p + wobble).astype(np.float32)


def response() -> NDArray[np.float32]:
    """The impulse response of b8: noise that falls by 60 dB, its squares adding up to 1."""
    noise = np.random.default_rng(8).standard_normal(music.TAPS) * 10 ** (-3 * np.arange(music.TAPS) / music.TAPS)
    return (noise / np.sqrt(np.sum(noise**2))).astype(np.float32)


def files(rate: int) -> tuple[Path, Path]:
    """Both as sound files of this rate: the cloud, the response."""
    folder = measure.work("sounds")
    found = folder / f"cloud-{rate}.wav", folder / f"response-{rate}.wav"
    for path, sound in zip(found, (cloud(), response()), strict=True):
        if not path.exists():
            soundfile.write(path, sound, rate, "FLOAT")
    return found
