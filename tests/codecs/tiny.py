"""Codecs small enough for tests: the layout of the published ones, a few channels, numbers that are always the same.

The ratios, kernels and dilations are those of the published models, so that hops, delays and looks ahead are theirs.
Names and shapes of the weights come from the reference implementations (`make_codec_golden`), and lie in golden/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from nodegraph.models import Store

GOLDEN = Path(__file__).parent / "golden"
Array = NDArray[Any]
CONFIGS: dict[str, dict[str, Any]] = {
    "dac-44khz": {
        "encoder_hidden_size": 2,
        "decoder_hidden_size": 32,
        "downsampling_ratios": [2, 4, 8, 8],
        "n_codebooks": 5,
        "codebook_size": 64,
        "codebook_dim": 4,
        "sampling_rate": 44_100,
    },
    "oobleck": {
        "encoder_hidden_size": 4,
        "decoder_channels": 2,
        "decoder_input_channels": 2,
        "downsampling_ratios": [2, 4, 4, 8, 8],
        "channel_multiples": [1, 1, 2, 2, 2],
        "sampling_rate": 44_100,
    },
    "encodec-24khz": {"num_filters": 4, "hidden_size": 16, "codebook_size": 64, "target_bandwidths": [0.9, 1.8, 3.6]},
    "encodec-32khz": {
        "num_filters": 4,
        "hidden_size": 16,
        "codebook_size": 64,
        "target_bandwidths": [1.2],
        "sampling_rate": 32_000,
        "upsampling_ratios": [8, 5, 4, 4],
        "use_causal_conv": False,
        "use_conv_shortcut": False,
    },
    "encodec-48khz": {
        "num_filters": 4,
        "hidden_size": 16,
        "codebook_size": 64,
        "target_bandwidths": [0.9, 3.6],
        "sampling_rate": 48_000,
        "audio_channels": 2,
        "normalize": True,
        "norm_type": "time_group_norm",
        "use_causal_conv": False,
        "chunk_length_s": 0.04,
        "overlap": 0.01,
    },
    "audioldm2": {
        "in_channels": 1,
        "out_channels": 1,
        "down_block_types": ["DownEncoderBlock2D"] * 3,
        "up_block_types": ["UpDecoderBlock2D"] * 3,
        "block_out_channels": [4, 8, 8],
        "layers_per_block": 1,
        "norm_num_groups": 2,
        "latent_channels": 2,
        "scaling_factor": 0.411,
    },
    "audioldm2-vocoder": {
        "model_in_dim": 64,
        "sampling_rate": 16_000,
        "upsample_initial_channel": 32,
        "upsample_rates": [5, 4, 2, 2, 2],
        "upsample_kernel_sizes": [16, 16, 8, 4, 4],
        "normalize_before": False,
    },
}


def golden(name: str) -> Mapping[str, Any]:
    """What the reference answered, and under ``shapes`` and ``config`` what it was made of."""
    return np.load(GOLDEN / f"{name}.npz")


def numbers(shape: tuple[int, ...], seed: int) -> Array:
    """Sound or latents for a test: about 0.3 loud."""
    return (0.3 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def weights(shapes: Mapping[str, list[int]], seed: int = 1) -> dict[str, Array]:
    """A model's weights: each layer about as loud as what it hears."""
    found: dict[str, Array] = {}
    for name, shape in shapes.items():
        random = np.random.default_rng([seed, *name.encode()])
        value = random.standard_normal(shape)
        if name.endswith(("original0", "weight_g")):
            value = 1.0 + 0.1 * value
        elif name.endswith(("alpha", "beta")):
            value = 0.5 + np.abs(0.5 * value)
        elif name == "scale":
            value = 1.0 + 0.1 * value
        elif ".lstm." in name:
            value *= 0.5 / np.sqrt(shape[-1])
        elif "norm" in name and name.endswith("weight"):
            value = 1.0 + 0.1 * value
        elif name.endswith("bias"):
            value *= 0.05
        elif name.endswith(("embed", "codebook.weight")):
            value *= 0.3
        elif name.endswith("weight"):
            value /= np.sqrt(np.prod(shape[1:]))
        if ".res_unit" in name and ".conv2.weight" in name and not name.endswith("_v"):
            value *= 0.2  # what is added on the way must not grow
        if name.startswith("upsampler.") and name.endswith("weight"):
            value *= 1.6  # between its strides a sample hears only a part of the kernel
        found[name] = value.astype(np.float32)
    return found


def of_golden(name: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Config and weights of the model that the golden answers are of."""
    known = golden(name)
    return json.loads(str(known["config"])), weights(json.loads(str(known["shapes"])))


def of_golden_vocoder(name: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Of the vocoder that stands beside it."""
    known = golden(name)
    return json.loads(str(known["vocoder_config"])), weights(json.loads(str(known["vocoder_shapes"])), 2)


def write_audioldm(folder: Path) -> dict[str, Path]:
    """AudioLDM as a hub has it: an autoencoder, and a vocoder beside it."""
    made = write(folder / "vae", *of_golden("audioldm2"))
    beside = write(folder / "vocoder", *of_golden_vocoder("audioldm2"))
    return made | {"vocoder-config": beside["config"], "vocoder-weights": beside["weights"]}


def write(folder: Path, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, Path]:
    """As a hub has them: config.json and safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"config": folder / "config.json", "weights": folder / "model.safetensors"}
    files["config"].write_text(json.dumps(dict(config)))
    save_file(dict(arrays), files["weights"])
    return files


def stored(root: Path, model: str, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, Path]:
    """Put a tiny model into a store in the place of the published one, as if it had been fetched; the files that a node
    gets."""
    return shelved(root, model, write(root / "made", config, arrays))


def shelved(root: Path, model: str, made: Mapping[str, Path]) -> dict[str, Path]:
    """The same, of files that have been written."""
    store = Store(root)
    manifest = store.info(model).manifest
    folder = root / model / manifest.revision
    folder.mkdir(parents=True, exist_ok=True)
    record = {}
    for file in manifest.files:
        data = made[file.key].read_bytes()
        (folder / file.save).write_bytes(data)
        record[file.key] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (root / "pins").mkdir(exist_ok=True)
    (root / "pins" / f"{model}@{manifest.revision}.json").write_text(json.dumps(record))
    accepted = root / "accepted.json"
    known = json.loads(accepted.read_text()) if accepted.exists() else {}
    accepted.write_text(json.dumps(known | {model: manifest.licence}))
    return store.files(model)
