"""Speech without its noise."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import Chunks, StreamNode, Weights, WorkerError, inlet, node, outlet

RATE, FRAME = 48_000, 480
SCALE = 32_768.0  # RNNoise counts as 16-bit sound does
Floats = NDArray[np.float32]


@node("denoise~", aliases=("rnnoise~",))
class Denoiser(StreamNode):
    """Take the noise out of speech.

    Keeps a voice and takes away what is steady or rustles: fans, streets, hiss, keys. Music it takes for noise.
    `amount` mixes the two; `speech` sends how likely somebody speaks, every 10 ms.
    Shapes: chunks (480,) float32 at 48 kHz, one channel.
    Latency: 0.05 s at 48 kHz, of which 20 ms are the model's own; at other rates 0.09 s, since the sound is
    converted there and back. Cost: 1 to 1.5 ms for 10 ms of sound on one core.
    Errors: WeightsMissing when `rnnoise` is not in the model store. It is a library for Linux on x86-64.

    Source: J.-M. Valin, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement", MMSP 2018.
    RNNoise 0.2, BSD-3-Clause.
    """

    x = inlet.signal("speech with noise; channels are mixed to one", channels=1)
    amount = inlet.control(1.0, "how much of the noise goes", span=(0.0, 1.0))
    y = outlet.signal("speech without noise", channels=1)
    speech = outlet.event("how likely somebody speaks, every 10 ms")

    hears = Chunks(samples=FRAME, rate=RATE)
    weights = Weights("rnnoise")
    delay = 960
    state: int | None = None

    def load(self, files: dict[str, Path], device: str) -> None:
        try:
            library = ctypes.CDLL(str(files["library"]))
        except OSError as error:
            raise WorkerError(
                f"RNNoise is a library for Linux on x86-64, and cannot be loaded here ({error})."
            ) from error
        library.rnnoise_create.restype = ctypes.c_void_p
        library.rnnoise_create.argtypes = library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
        library.rnnoise_process_frame.restype = ctypes.c_float
        library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3
        self.library = library
        self.reset()

    def reset(self) -> None:
        self.stop()
        self.state = self.library.rnnoise_create(None)
        self.before = np.zeros(self.delay, np.float32)

    def stop(self) -> None:
        if self.state is not None:
            self.library.rnnoise_destroy(self.state)
            self.state = None

    def infer(self, clip: Floats) -> dict[str, Any]:
        heard = np.clip(clip * np.float32(SCALE), -1e6, 1e6).astype(np.float32)
        made = np.zeros(FRAME, np.float32)
        speech = float(self.library.rnnoise_process_frame(self.state, made.ctypes.data, heard.ctypes.data))
        self.before = np.concatenate([self.before, clip])
        dry, self.before = self.before[:FRAME], self.before[FRAME:]
        amount = np.float32(self.amount)
        return {"y": amount * made / np.float32(SCALE) + (1 - amount) * dry, "speech": speech}
