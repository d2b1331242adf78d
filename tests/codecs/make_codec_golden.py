"""What the reference implementations answer with tiny weights, written down for tests/codecs to compare ours with.

    python -m tests.codecs.make_codec_golden [NAME…]

It needs a Python with torch, transformers, diffusers and nodegraph in it, and no network.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.codecs.tiny import CONFIGS, GOLDEN, numbers, weights


def main(wanted: list[str]) -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name in wanted or list(MAKERS):
        buffer = io.BytesIO()
        with torch.no_grad():
            np.savez_compressed(buffer, **MAKERS[name](name))
        (GOLDEN / f"{name}.npz").write_bytes(buffer.getvalue())


def filled(model: Any, config: Any, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """Give a model the weights of the tests; what it is made of."""
    shapes = {
        name: list(value.shape) for name, value in model.state_dict().items() if not name.endswith(skip or ("\0",))
    }
    made = {name: torch.from_numpy(value) for name, value in weights(shapes).items()}
    missing, unexpected = model.load_state_dict(made, strict=False)
    assert not unexpected and all(name.endswith(skip) for name in missing), (missing, unexpected)
    model.eval()
    return {"shapes": json.dumps(shapes), "config": json.dumps(config)}


def encodec(name: str) -> dict[str, Any]:
    """Frames of noise: codes with all stages, and what they sound like."""
    from transformers import EncodecConfig, EncodecModel

    config = EncodecConfig(**CONFIGS[name])
    model = EncodecModel(config)
    found = filled(model, config.to_dict(), ("inited", "cluster_size", "embed_avg"))
    frames = {"encodec-24khz": 24, "encodec-32khz": 32}.get(name)
    length = frames * config.hop_length if frames else 2 * config.chunk_stride + config.chunk_length
    sound = torch.from_numpy(numbers((1, config.audio_channels, length), 2))
    codes, scales, _ = model.encode(sound, bandwidth=config.target_bandwidths[-1], return_dict=False)
    (back,) = model.decode(codes, scales, return_dict=False)
    found |= {"codes": codes.numpy().astype(np.int16), "sound": back.numpy()[0]}
    if scales[0] is not None:
        found["scales"] = np.array([float(scale) for scale in scales], np.float32)
    return found


def dac(name: str) -> dict[str, Any]:
    """40 frames of noise: codes with all stages, and what they sound like."""
    from transformers import DacConfig, DacModel

    config = DacConfig(**CONFIGS[name])
    model = DacModel(config)
    found = filled(model, config.to_dict())
    sound = torch.from_numpy(numbers((1, 1, 40 * config.hop_length), 2))
    _, _, codes, _ = model.encode(sound, return_dict=False)
    (back,) = model.decode(audio_codes=codes, return_dict=False)
    return found | {"codes": codes.numpy().astype(np.int16)[0], "sound": back.numpy()}


def oobleck(name: str) -> dict[str, Any]:
    """30 frames of noise: the latent's mean and deviation, and what 30 frames of another latent sound like."""
    from diffusers import AutoencoderOobleck

    model = AutoencoderOobleck(**CONFIGS[name])
    found = filled(model, dict(model.config))
    latents = model.encode(torch.from_numpy(numbers((1, 2, 30 * 2048), 2))).latent_dist
    sound = model.decode(torch.from_numpy(numbers((1, 2, 24), 3))).sample[0, :, 4 * 2048 : 16 * 2048 : 3]
    return found | {"mean": latents.mean.numpy()[0], "deviation": latents.std.numpy()[0], "sound": sound.numpy()}


def audioldm(name: str) -> dict[str, Any]:
    """Columns of noise, their latent, 24 frames of another latent as columns, and what a vocoder makes of those.

    Names and shapes are those of files that the libraries wrote."""
    import librosa
    from diffusers import AutoencoderKL
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    model = AutoencoderKL(**CONFIGS[name])
    vocoder = SpeechT5HifiGan(SpeechT5HifiGanConfig(**CONFIGS[f"{name}-vocoder"]))
    found = saved(model)
    found |= {f"vocoder_{key}": value for key, value in saved(vocoder, 2).items()}
    sound = torch.nn.functional.pad(torch.from_numpy(numbers((1, 1, 128 * 160), 2)), (432, 432), mode="reflect")[0]
    spectra = torch.stft(sound, 1_024, 160, window=torch.hann_window(1_024), center=False, return_complex=True).abs()
    bank = torch.from_numpy(librosa.filters.mel(sr=16_000, n_fft=1_024, n_mels=64, fmin=0, fmax=8_000))
    columns = torch.log(torch.clamp(bank @ spectra, min=1e-5))
    latents = model.encode(columns.transpose(1, 2)[None]).latent_dist
    factor = model.config.scaling_factor
    latent = torch.from_numpy(numbers((1, 2, 24, 16), 3)) * 3.0
    made = model.decode(latent / factor).sample
    voice = vocoder(made[0])[0, ::3]
    return found | {
        "columns": columns[0].numpy(), "mean": (latents.mean * factor).numpy()[0],
        "deviation": (latents.std * factor).numpy()[0], "made": made[0, 0].T.numpy(), "sound": voice.numpy(),
    }  # fmt: skip


def saved(model: Any, seed: int = 1) -> dict[str, Any]:
    """Save a model, give it the weights of the tests by the names in its file, and say what it is made of."""
    from safetensors import safe_open

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        (path,) = Path(folder).glob("*.safetensors")
        with safe_open(path, "pt") as file:
            shapes = {key: list(file.get_slice(key).get_shape()) for key in sorted(file.keys())}
        config = json.loads((Path(folder) / "config.json").read_text())
    made = {key: torch.from_numpy(value) for key, value in weights(shapes, seed).items()}
    model.load_state_dict(made, strict=True)
    model.eval()
    return {"shapes": json.dumps(shapes), "config": json.dumps(config)}


MAKERS = dict.fromkeys(("encodec-24khz", "encodec-32khz", "encodec-48khz"), encodec)
MAKERS |= {"dac-44khz": dac, "oobleck": oobleck, "audioldm2": audioldm}

if __name__ == "__main__":
    main(sys.argv[1:])
