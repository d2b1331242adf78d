"""What the original AudioSet networks answer, written down for tests/listeners to compare ours with.

    python -m tests.listeners.make_audioset_golden FOLDER

It needs the network, and a Python with torch, transformers, librosa, kaldi-native-fbank and nodegraph in it. FOLDER
holds BEATs' own modules (https://github.com/microsoft/unilm, beats/*.py). The weights are random: the tests make the
same again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.listeners.make_golden import save
from tests.listeners.sounds import random_input

MELS = {"povey": 32_768.0, "hanning": 1.0}


def main() -> None:
    save("kaldi-mels", **kaldi())


def kaldi() -> dict[str, Any]:
    """Kaldi's own code, in the bands that it can do at this rate; and transformers' formula, in 128."""
    import kaldi_native_fbank
    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

    bank = mel_filter_bank(
        num_frequency_bins=257, num_mel_filters=128, min_frequency=20, max_frequency=8_000, sampling_rate=16_000,
        norm=None, mel_scale="kaldi", triangularize_in_mel_space=True,
    )  # fmt: skip
    made = {}
    for window, scale in MELS.items():
        sound = random_input((4_000,), 1) * np.float32(0.1 * scale)
        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.dither = 0
        options.frame_opts.window_type = window
        options.mel_opts.num_bins = 64
        features = kaldi_native_fbank.OnlineFbank(options)
        features.accept_waveform(16_000, sound.tolist())
        features.input_finished()
        frames = [features.get_frame(number) for number in range(features.num_frames_ready)]
        made[f"{window}_64"] = np.array(frames, np.float32)
        shape = window_function(400, {"povey": "povey", "hanning": "hann"}[window], periodic=False)
        made[f"{window}_128"] = spectrogram(
            sound, shape, frame_length=400, hop_length=160, fft_length=512, power=2.0, center=False, preemphasis=0.97,
            mel_filters=bank, log_mel="log", mel_floor=1.192092955078125e-07, remove_dc_offset=True,
        ).T.astype(np.float32)  # fmt: skip
    return made


if __name__ == "__main__":
    main()
