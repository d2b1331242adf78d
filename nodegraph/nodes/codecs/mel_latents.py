"""The two ends of AudioLDM: sound to mel columns to a latent, and a latent to mel columns to sound.

Source: H. Liu and others, "AudioLDM: Text-to-Audio Generation with Latent Diffusion Models", ICML 2023, section
"Decoder"; the same, "AudioLDM 2: Learning Holistic Audio Generation with Self-supervised Pretraining", IEEE/ACM TASLP
2024. The columns are those of its training: github.com/haoheliu/AudioLDM-training-finetuning, ``mel_spectrogram_train``
in audioldm_train/utilities/data/dataset.py, with the settings of config/2023_11_13_vae_autoencoder/16k_64.yaml. A
periodic Hann window of 1024 samples every 160, which begins 432 samples before those for which the column stands;
magnitudes; librosa's 64 bands from 0 to 8 kHz, even on Slaney's scale, each divided by its width; the natural logarithm
of what is 1e-5 at least. (What its authors do to change a given sound, ``get_mel_from_wav``, begins 80 samples earlier;
the vocoder has learned the other.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.nodes.analysis.mels import columns, hann, mel_bank
from nodegraph.nodes.codecs.flowing import Floats, Flowing, expect, sane
from nodegraph.nodes.codecs.overlaps import Overlapping, Window

RATE, COLUMN, HOP = 16_000, 160, 640
"""Samples of a column, and of a latent frame."""
FFT: Final = 1_024
LOW_HZ, HIGH_HZ = 0.0, 8_000.0
FLOOR: Final = 1e-5
SILENCE: Final = float(np.log(np.float32(FLOOR)))
"""What every band of a column says of silence."""
WINDOW: Final = Window(before=8, step=16, ahead=8, fade=4)
"""Latent frames of 40 ms. Half of what is computed is said. Convolutions see some 0.5 s to either side (hearing) and
0.7 s (saying), the far ends faintly; normalisation and attention see all of the window."""
VOCODER_DELAY: Final = 3_526
COLUMN_DELAY: Final = (FFT - COLUMN) // 2
ENCODER_DELAY: Final = COLUMN_DELAY + WINDOW.ahead * HOP
DECODER_DELAY: Final = VOCODER_DELAY + WINDOW.ahead * HOP


class Columns:
    """Sound, some columns at a time → the logarithms of its mel bands ``(bands, columns)``, `COLUMN_DELAY` samples
    later."""

    def __init__(self, bands: int) -> None:
        self._bank = mel_bank(bands, LOW_HZ, HIGH_HZ, FFT, RATE, scale="slaney", area="hz")
        self.forget()

    def forget(self) -> None:
        self._before: Floats = np.zeros(FFT - COLUMN, np.float32)

    def hear(self, sound: NDArray[Any]) -> Floats:
        """Sound ``(samples,)``, a multiple of `COLUMN`."""
        heard = np.concatenate([self._before, sane(sound)])
        self._before = heard[-(FFT - COLUMN) :]
        bands = columns(heard, hann(FFT), COLUMN, FFT, self._bank, 1.0)
        found: Floats = np.log(np.maximum(bands, np.float32(FLOOR))).T
        return found


class MelEncoder:
    """Sound, a step of `WINDOW` at a time → the latent of a step."""

    def __init__(self, files: dict[str, Path], model: str, device: str = "cpu") -> None:
        self.network = Flowing(files["encoder"], device)
        expect(self.network, model, rate=RATE, hop=HOP, column=COLUMN)
        bands, grain = self.network.number("bands"), HOP // COLUMN
        self._columns = Columns(bands)
        silence = np.full((bands, (WINDOW.before + WINDOW.ahead) * grain), SILENCE, np.float32)
        self._steps = Overlapping(WINDOW, self._run, silence, np.zeros((0, 1), np.float32), grain)

    def forget(self) -> None:
        self._columns.forget()
        self._steps.forget()

    def hear(self, sound: NDArray[Any]) -> tuple[Floats, Floats]:
        """Sound ``(samples,)`` → mean and deviation ``(width, frames)``, `ENCODER_DELAY` samples later."""
        both = self._steps.hear(self._columns.hear(sound))
        mean, deviation = np.split(both, 2)
        return mean, deviation

    def _run(self, window: Floats) -> Floats:
        mean, deviation = self.network.hear(["mean", "deviation"], {"columns": window[None]})
        return np.concatenate([mean[0], deviation[0]])


class MelDecoder:
    """The latent of a step of `WINDOW` → the sound of a step."""

    def __init__(self, files: dict[str, Path], model: str, device: str = "cpu") -> None:
        self.network, self.vocoder = Flowing(files["decoder"], device), Flowing(files["vocoder"], device)
        expect(self.network, model, rate=RATE, hop=HOP, column=COLUMN)
        expect(self.vocoder, model, rate=RATE, hop=COLUMN, delay=VOCODER_DELAY)
        bands = self.network.number("bands")
        (self.width,) = (item.shape[1] for item in self.network.session.get_inputs())
        self._silence = np.full((bands, 1), SILENCE, np.float32)
        self._steps = Overlapping(WINDOW, self._run, np.zeros((self.width, 0), np.float32), self._silence)
        self.forget()

    def forget(self) -> None:
        self._steps.forget()
        self.vocoder.forget()

    def say(self, latent: Floats) -> Floats:
        """Latent ``(width, WINDOW.step)`` → sound ``(samples,)``, `DECODER_DELAY` samples later."""
        (sound,) = self.vocoder.hear(["sound"], {"columns": self._steps.hear(latent)[None]})
        found: Floats = sound[0, 0]
        return found

    def _run(self, window: Floats) -> Floats:
        (made,) = self.network.hear(["columns"], {"latent": window[None]})
        found: Floats = made[0]
        return found
