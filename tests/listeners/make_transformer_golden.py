"""What transformers answers with small networks of its own, written down for tests/listeners to compare ours with.

    python -m tests.listeners.make_transformer_golden [NAME…]

It needs a Python with torch 2.13 and transformers 5.23 in it. Each network is made small from a config, saved by
transformers, given random weights under the names that it was saved with, and loaded again by transformers.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.listeners.checkpoints import write_checkpoint
from tests.listeners.make_golden import save
from tests.listeners.sounds import random_input


def main(names: list[str]) -> None:
    for name in names or list(MAKERS):
        save(name, **MAKERS[name]())


def again(model: Any) -> tuple[Any, dict[str, Any]]:
    """The same network with random weights, and what describes it in a golden file."""
    from safetensors import safe_open

    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        model.save_pretrained(folder / "made")
        config = json.loads((folder / "made/config.json").read_text())
        with safe_open(folder / "made/model.safetensors", "np") as saved:
            shapes = {key: list(saved.get_slice(key).get_shape()) for key in saved.keys()}  # noqa: SIM118
        write_checkpoint(folder / "random", config, shapes)
        loaded, found = type(model).from_pretrained(folder / "random", output_loading_info=True)
        assert not found["missing_keys"] and not found["unexpected_keys"], found
    return loaded.eval(), {"config": json.dumps(config), "shapes": json.dumps(shapes)}


def spectrogram_transformer() -> dict[str, Any]:
    import torch
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    config = ASTConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
                       num_labels=527, layer_norm_eps=1e-12)  # fmt: skip
    config.id2label = {number: f"Class {number}" for number in range(527)}
    model, told = again(ASTForAudioClassification(config))
    extract = ASTFeatureExtractor()
    sound = random_input((163_840,), 11) * np.float32(0.1)
    columns = extract(sound, sampling_rate=16_000, return_tensors="pt")["input_values"]
    raw = ASTFeatureExtractor(max_length=30, do_normalize=False)(sound[:5_000], sampling_rate=16_000)["input_values"]
    other = torch.from_numpy(random_input((2, 1024, 128), 12))
    with torch.no_grad():
        return told | {
            "columns": columns[0, ::64].numpy(), "raw": np.asarray(raw[0]), "heard": model(columns).logits[0].numpy(),
            "logits": model(other).logits.numpy(),
            "embedding": model.audio_spectrogram_transformer(other).pooler_output.numpy(),
        }  # fmt: skip


MAKERS: dict[str, Callable[[], dict[str, Any]]] = {"spectrogram-transformer": spectrogram_transformer}

if __name__ == "__main__":
    main(sys.argv[1:])
