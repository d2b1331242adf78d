"""What the original AudioSet networks answer, written down for tests/listeners to compare ours with.

    python -m tests.listeners.make_audioset_golden FOLDER

It needs the network, and a Python with torch, transformers, librosa, kaldi-native-fbank and nodegraph in it. FOLDER
holds BEATs' own modules (https://github.com/microsoft/unilm, beats/*.py). The weights are random: the tests make the
same again.
"""

from __future__ import annotations

import importlib
import io
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np

from tests.listeners.make_golden import HERE, save, unpack
from tests.listeners.random_weights import (
    BEATS,
    LABELS,
    NARROW,
    PRUNED,
    cnn14_shapes,
    openl3_shapes,
    random_sounds,
    random_weights,
)
from tests.listeners.sounds import random_input

MELS = {"povey": 32_768.0, "hanning": 1.0}
PACKAGES = ("panns-inference==0.1.1", "epanns-inference==0.1.1", "torchlibrosa==0.1.0", "torchopenl3==1.0.1")


def main(folder: str) -> None:
    save("kaldi-mels", **kaldi())
    with tempfile.TemporaryDirectory() as text:
        unpack(Path(text), PACKAGES)
        sys.path[:0] = [text, folder]
        for name in ("panns_inference", "epanns_inference", "torchopenl3"):  # their modules, without what they import
            package: Any = types.ModuleType(name)
            package.__path__ = [f"{text}/{name}"]
            sys.modules[name] = package
        for name in ("matplotlib", "matplotlib.pyplot"):
            sys.modules.setdefault(name, types.ModuleType(name))
        save("audioset", **cnn14(), **pruned(), **openl3(), **beats())


def filled(net: Any, weights: Any, fixed: str) -> Any:
    """The network with these weights; what is `fixed` stays."""
    import torch

    left = net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, strict=False)
    assert not left.unexpected_keys and all(name.startswith(fixed) for name in left.missing_keys), left
    return net.eval()


def cnn14() -> dict[str, Any]:
    """PANNs' own class, with narrower blocks."""
    import torch

    code = importlib.import_module("panns_inference.models")
    net = code.Cnn14(32_000, 1_024, 320, 64, 50, 14_000, 527)
    before = 1
    for number, width in enumerate(NARROW, 1):
        setattr(net, f"conv_block{number}", code.ConvBlock(before, width))
        before = width
    net.fc1, net.fc_audioset = torch.nn.Linear(before, 16), torch.nn.Linear(16, 527)
    filled(net, random_weights(cnn14_shapes(NARROW), 1), "spectrogram_extractor")
    with torch.no_grad():
        found = net(torch.from_numpy(random_sounds(32_000, 11)))
    return {"cnn14_tags": found["clipwise_output"].numpy(), "cnn14_embedding": found["embedding"].numpy()}


def pruned() -> dict[str, Any]:
    """E-PANNs' own class, pruned further. It ends in a softmax, where its training, as PANNs', had a sigmoid."""
    import torch

    code = importlib.import_module("epanns_inference.models.models")
    full = [64, 64, 128, 128, 256, 256, 512, 512, 1_024, 1_024, 2_048, 2_048]
    shares = {f"p{number}": 1 - (w + 0.5) / f for number, (w, f) in enumerate(zip(PRUNED, full, strict=True), 1)}
    net = code.Cnn14_pruned(pre_trained=False, **shares)
    net.fc1, net.fc_audioset = torch.nn.Linear(PRUNED[-1], 16), torch.nn.Linear(16, 527)
    filled(net, random_weights(cnn14_shapes(PRUNED), 2), "spectrogram_extractor")
    with torch.no_grad():
        found = net(torch.from_numpy(random_sounds(32_000, 12)))
        tags = torch.sigmoid(net.fc_audioset(found["embedding"]))
    return {"pruned_tags": tags.numpy(), "pruned_embedding": found["embedding"].numpy()}


def openl3() -> dict[str, Any]:
    """torchopenl3's own class, with fewer channels."""
    import torch

    sys.modules["torchopenl3.core"] = sys.modules["torchopenl3"].core = types.ModuleType("torchopenl3.core")  # type: ignore[attr-defined]
    code = importlib.import_module("torchopenl3.models")
    shapes, made = openl3_shapes(), {}
    weights = random_weights(shapes, 3)
    for size in (512, 6_144):
        net = code.PytorchOpenl3("music", "mel256", size)
        for name, shape in shapes.items():
            place, last = name.rsplit(".", 1)
            if last == "weight" and len(shape) == 4:
                setattr(net, place, torch.nn.Conv2d(shape[1], shape[0], (3, 3)))
            elif last == "running_mean":
                setattr(net, place, torch.nn.BatchNorm2d(shape[0], eps=0.001))
        filled(net, weights, "speclayer.dft")
        with torch.no_grad():
            sound = torch.from_numpy(random_sounds(48_000, 13)[:, None])
            made[f"openl3_{size}"] = net(sound).numpy()
    return made


def beats() -> dict[str, Any]:
    """BEATs' own class. It asks torchaudio for Kaldi's columns; transformers' formula stands for that."""
    import torch

    torchaudio: Any = types.ModuleType("torchaudio")
    torchaudio.compliance = types.ModuleType("torchaudio.compliance")
    mels: Any = types.ModuleType("torchaudio.compliance.kaldi")
    mels.fbank = lambda sound, **_: torch.from_numpy(columns(sound[0].numpy(), "povey"))
    torchaudio.compliance.kaldi = mels
    sys.modules |= {"torchaudio": torchaudio, "torchaudio.compliance": torchaudio.compliance, mels.__name__: mels}
    code = importlib.import_module("BEATs")
    made: dict[str, Any] = {}
    for number, (name, settings) in enumerate(BEATS.items()):
        net = code.BEATs(code.BEATsConfig(settings)).eval()
        state = net.state_dict()
        weights = random_weights({key: tuple(state[key].shape) for key in sorted(state)}, 4 + number)
        for key in weights:
            if key.endswith("relative_attention_bias.weight"):  # all layers share it
                weights[key] = weights["encoder.layers.0.self_attn.relative_attention_bias.weight"]
        filled(net, weights, "nothing")
        sound = torch.from_numpy(random_sounds(32_000, 14))
        with torch.no_grad():
            answer = net.extract_features(sound)[0]
            if settings.get("finetuned_model"):
                made[f"beats_{name}_tags"] = answer.numpy()
                predictor, net.predictor = net.predictor, None
                answer = net.extract_features(sound)[0]
                net.predictor = predictor
                buffer = io.BytesIO()
                labels = dict(enumerate(LABELS))
                torch.save({"cfg": settings, "model": net.state_dict(), "label_dict": labels}, buffer)
                (HERE / f"beats-{name}.pt").write_bytes(buffer.getvalue())
            made[f"beats_{name}_embedding"] = answer.mean(dim=1).numpy()
    attention = importlib.import_module("backbone").MultiheadAttention(
        8, 2, self_attention=True, has_relative_attention_bias=True, num_buckets=320, max_distance=800
    )
    made["beats_buckets"] = attention._relative_positions_bucket(torch.arange(-900, 901)).numpy().astype(np.int16)
    return made


def kaldi() -> dict[str, Any]:
    """Kaldi's own code, in the bands that it can do at this rate; and transformers' formula, in 128."""
    import kaldi_native_fbank

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
        made[f"{window}_128"] = columns(sound, window)
    return made


def columns(sound: Any, window: str) -> Any:
    """transformers' formula for Kaldi's columns: (samples,) at 16 kHz → (frames, 128)."""
    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

    bank = mel_filter_bank(
        num_frequency_bins=257, num_mel_filters=128, min_frequency=20, max_frequency=8_000, sampling_rate=16_000,
        norm=None, mel_scale="kaldi", triangularize_in_mel_space=True,
    )  # fmt: skip
    shape = window_function(400, {"povey": "povey", "hanning": "hann"}[window], periodic=False)
    return spectrogram(
        sound, shape, frame_length=400, hop_length=160, fft_length=512, power=2.0, center=False, preemphasis=0.97,
        mel_filters=bank, log_mel="log", mel_floor=1.192092955078125e-07, remove_dc_offset=True,
    ).T.astype(np.float32)  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
