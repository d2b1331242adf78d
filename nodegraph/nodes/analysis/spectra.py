"""Spectra."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodegraph.core import Moment, TapNode, inlet, node, outlet, setting

WINDOWS = ("256", "512", "1024", "2048", "4096", "8192", "16384")


@node("spectrum~", aliases=("fft~", "rfft~", "FFT", "spectroscope~", "pfft~"))
class Spectrum(TapNode):
    """Measure how loud each frequency is, over and over.

    Each `column` is the magnitude of ``window / 2 + 1`` frequencies from 0 to half the rate, ``rate / window`` Hz
    apart, through a Hann window, scaled so that a sine of amplitude 1 on one of them reads 1. One column every `hop`
    frames, from when the first window is full; several channels are mixed to one, and what is no number is silence.
    Shapes: column (bins,) float32, 0 upwards, linear. A column bears the time of its window's end plus 0.06 s.

    Source: F. Harris, "On the use of windows for harmonic analysis with the DFT", Proc. IEEE, 1978.
    """

    window = setting.choice("2048", "frames a window", WINDOWS)
    hop = setting.number(512, "frames from one column to the next", span=(64, 16_384))
    x = inlet.signal("sound to measure")
    column = outlet.tensor("magnitude of each frequency", shape=("bins",))

    def __init__(self) -> None:
        super().__init__()
        self.held: np.ndarray[Any, np.dtype[np.float32]] | None = None

    def stride(self) -> int:
        return int(self.hop)

    def hear(self, sound: Any, when: Moment) -> None:
        size = int(self.window)
        if self.held is None:
            self.held = np.zeros(0, np.float32)
            shape = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
            self.shape = (shape * (2.0 / shape.sum())).astype(np.float32)
        whole = sound.shape[1] == self.stride()
        mono = np.where(np.isfinite(sound), sound, np.float32(0.0)).mean(axis=0, dtype=np.float32)
        self.held = np.concatenate([self.held, mono])[-size:]
        if whole and len(self.held) == size:
            self.column(np.abs(np.fft.rfft(self.held * self.shape)).astype(np.float32))
