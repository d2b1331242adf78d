"""LAION's own checkpoints of CLAP, under the names and with the settings by which `networks.clap` draws one.

Such a file (``630k-audioset-best.pt``, ``music_audioset_epoch_15_esc_90.14.pt``) is what a training program saved: both
sides of the network under ``state_dict``, beside the optimiser's state, and no settings at all. What they would say is
seen in the shapes of the tensors.

Source: Y. Wu and others, "Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and
Keyword-to-Caption Augmentation", ICASSP 2023, and their program laion_clap 1.1 (``clap_module/htsat.py``,
``model.py``); names on the other side: transformers, ``ClapModel``, and its conversion script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isqrt
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.convert.fitting import Shape, Unfit, batch_norm, check_fit, layer
from nodegraph.models.convert.torchfile import read_tensors, tensors_of

Array = np.ndarray[Any, Any]
FFT, RATE, BANDS, JOINT = 1_024, 48_000, 64, 512
LOW_HZ, HIGH_HZ = 50.0, 14_000.0
"""The columns on which LAION taught every HTSAT that it published."""
PATCH: Final = 4
PICTURE: Final = 256
HEAD: Final = 64
"""Numbers of one head of a RoBERTa. No tensor tells the heads apart, and every RoBERTa has them of this size."""
ROBERTA: Final[Mapping[str, Any]] = {"hidden_act": "gelu", "layer_norm_eps": 1e-5, "pad_token_id": 1}
"""As roberta-base has them, which LAION trained further."""
BLOCK: Final = re.compile(r"audio_branch\.layers\.(\d{1,2})\.blocks\.(\d{1,2})\..*")
TEXT_LAYER: Final = re.compile(r"text_branch\.encoder\.layer\.(\d{1,2})\..*")
FUSION: Final = re.compile(r"audio_branch\.(patch_embed\.)?(mel_conv[12]d|fusion_model)\..*")
UNUSED: Final = "|".join((
    r"audio_branch\.(spectrogram_extractor|logmel_extractor|tscam_conv|head)\..*",
    r"audio_branch\..*\.(relative_position_index|attn_mask)",
    r"text_branch\.embeddings\.(position_ids|token_type_ids)",
    r"(audio|text)_transform\..*",
    "logit_scale_t",
))  # fmt: skip
"""What needs no drawing: columns are made by the node, classes are no part of CLAP, and the transforms were only for a
loss in training."""
BLOCK_NAMES: Final[Mapping[str, str]] = {
    "norm1": "layernorm_before", "attn.relative_position_bias_table": "attention.self.relative_position_bias_table",
    "attn.proj": "attention.output.dense", "norm2": "layernorm_after", "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}  # fmt: skip
ENCODER: Final = "audio_model.audio_encoder"


class Size(NamedTuple):
    """What the shapes tell: of the sound's side its width before the first stage, how many blocks each stage has, with
    how many heads, and the side of a window; of the text's side its width, and how many layers it has."""

    width: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int
    text_width: int
    text_layers: int


def read_laion_clap(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The tensors of a checkpoint by the names of ``ClapModel``, and its settings as a config.json would hold them.

    Raises ModelError for a file that is no CLAP of LAION's, or one that is not drawn here, and Unfit for one whose
    tensors do not fit together.
    """
    found = read_tensors(path)
    state = tensors_of(found["state_dict"] if isinstance(found, dict) and "state_dict" in found else found)
    weights = {name.removeprefix("module."): array for name, array in state.items()}
    try:
        _check_kind(weights)
    except ModelError as error:
        raise ModelError([Problem(item.code, item.what, item.do, str(path)) for item in error.problems]) from error
    size = _size_of(weights)
    lengths = check_fit(weights, _shapes(size), UNUSED)
    return _renamed(weights, size), _settings(size, lengths["positions"])


def _check_kind(weights: Mapping[str, Array]) -> None:
    """Raises ModelError for what can be told by names, and by how the columns are made."""
    sides = {name.split(".", 1)[0] for name in weights}
    if not sides & {"audio_branch", "text_branch"}:
        what = "it is no CLAP as LAION publishes them: no tensor of it belongs to an 'audio_branch' or a 'text_branch'."
        raise _other(what, "Name the network that it belongs to; CLAPs with a config.json are 'clap'.")
    if any(FUSION.fullmatch(name) for name in weights):
        what = "this CLAP fuses several views of a longer sound ('fusion'), which is not drawn here."
        raise _other(what, "Take one without fusion, such as 630k-audioset-best.pt.")
    if "audio_branch.patch_embed.proj.weight" not in weights:
        what = "its sound's side is missing, or is no HTSAT: it has no audio_branch.patch_embed."
        raise _other(what, "Take one with HTSAT-tiny or HTSAT-base, whole, such as 630k-audioset-best.pt.")
    if "text_branch" not in sides:
        what = "its text's side is missing: it has no text_branch."
        raise _other(what, "Take the whole checkpoint, as LAION publishes it.")
    kinds = weights.get("text_branch.embeddings.token_type_embeddings.weight")
    # BERT tells two sentences apart there; BART and LAION's own have no such table
    if kinds is None or len(kinds) != 1:
        what = "its text's side is no RoBERTa."
        raise _other(what, "Take one with RoBERTa: all that LAION published are of that kind.")
    taps, bands = (weights.get(f"audio_branch.{name}") for name in (
        "spectrogram_extractor.stft.conv_real.weight", "logmel_extractor.melW"
    ))  # fmt: skip
    if (taps is not None and taps.shape != (FFT // 2 + 1, 1, FFT)) or (bands is not None and not _usual(bands)):
        what = f"it hears other columns than {BANDS} mel bands from {LOW_HZ:g} to {HIGH_HZ:g} Hz of {FFT} samples."
        raise _other(what, "No node makes them: take one of those that LAION published.")


def _usual(bands: Array) -> bool:
    """Whether filters, (frequencies, bands), begin and end where the node's do."""
    if bands.shape != (FFT // 2 + 1, BANDS):
        return False
    heard = np.flatnonzero(bands.any(axis=1)) * (RATE / FFT)
    step = RATE / FFT
    return bool(len(heard)) and LOW_HZ <= heard[0] < LOW_HZ + step and HIGH_HZ - step < heard[-1] <= HIGH_HZ


def _other(what: str, do: str) -> ModelError:
    return ModelError(Problem("wrong-architecture", what, do))


def _size_of(weights: Mapping[str, Array]) -> Size:
    """Raises Unfit where the shapes tell of no network; KeyError names a tensor that must be there to tell."""
    blocks = {(int(found[1]), int(found[2])) for name in weights if (found := BLOCK.fullmatch(name))}
    stages = max((stage for stage, _ in blocks), default=-1) + 1
    depths = tuple(max((number for at, number in blocks if at == stage), default=-1) + 1 for stage in range(stages))
    if not stages:
        raise Unfit("it has no audio_branch.layers.0.blocks.0")
    first = weights["audio_branch.patch_embed.proj.weight"]
    tables = [
        weights[f"audio_branch.layers.{stage}.blocks.0.attn.relative_position_bias_table"] for stage in range(stages)
    ]
    words = weights["text_branch.embeddings.word_embeddings.weight"]
    if any(table.ndim != 2 for table in (*tables, words)) or first.ndim != 4:
        raise Unfit("its tables have other axes than those of an HTSAT and a RoBERTa")
    if not first.shape[0] or not words.shape[1]:
        raise Unfit("its vectors hold no numbers")
    heads = tuple(table.shape[1] for table in tables)
    for stage, count in enumerate(heads):
        if not count or first.shape[0] * 2**stage % count:
            raise Unfit(f"{first.shape[0] * 2**stage} numbers cannot be parted among {count} heads in stage {stage}")
    if words.shape[1] % HEAD:
        raise Unfit(f"a text's vector of {words.shape[1]} numbers cannot be parted among heads of {HEAD}")
    layers = {int(found[1]) for name in weights if (found := TEXT_LAYER.fullmatch(name))}
    window = (isqrt(len(tables[0])) + 1) // 2
    if (left := (PICTURE // PATCH) >> (stages - 1)) < window:  # each stage but the last halves the picture
        raise Unfit(f"after {stages} stages a side of {left} places is left, which holds no window of {window}")
    return Size(first.shape[0], depths, heads, window, words.shape[1], max(layers, default=0) + 1)


def _shapes(size: Size) -> dict[str, Shape]:
    """Every tensor that is drawn, by LAION's name."""
    audio, text = "audio_branch", "text_branch"
    found: dict[str, Shape] = {"logit_scale_a": ()}
    found |= batch_norm(f"{audio}.bn0", BANDS)
    found |= layer(f"{audio}.patch_embed.proj", size.width, 1, PATCH, PATCH)
    found |= layer(f"{audio}.patch_embed.norm", size.width)
    for stage, number, width in _blocks(size):
        name = f"{audio}.layers.{stage}.blocks.{number}"
        found |= layer(f"{name}.norm1", width) | layer(f"{name}.norm2", width)
        found |= layer(f"{name}.attn.qkv", 3 * width, width) | layer(f"{name}.attn.proj", width, width)
        found[f"{name}.attn.relative_position_bias_table"] = ((2 * size.window - 1) ** 2, size.heads[stage])
        found |= layer(f"{name}.mlp.fc1", 4 * width, width) | layer(f"{name}.mlp.fc2", width, 4 * width)
    for stage in range(len(size.depths) - 1):
        name, width = f"{audio}.layers.{stage}.downsample", size.width * 2**stage
        found |= layer(f"{name}.norm", 4 * width) | layer(f"{name}.reduction", 2 * width, 4 * width, bias=False)
    last, width = size.width * 2 ** (len(size.depths) - 1), size.text_width
    found |= layer(f"{audio}.norm", last)
    for name, count in (("word", "vocabulary"), ("position", "positions"), ("token_type", 1)):
        found |= layer(f"{text}.embeddings.{name}_embeddings", count, width, bias=False)
    found |= layer(f"{text}.embeddings.LayerNorm", width) | layer(f"{text}.pooler.dense", width, width)
    for number in range(size.text_layers):
        name = f"{text}.encoder.layer.{number}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            found |= layer(f"{name}.attention.{part}", width, width)
        found |= layer(f"{name}.attention.output.LayerNorm", width) | layer(f"{name}.output.LayerNorm", width)
        found |= layer(f"{name}.intermediate.dense", "inner", width) | layer(f"{name}.output.dense", width, "inner")
    for side, wide in (("audio", last), ("text", width)):
        found |= layer(f"{side}_projection.0", JOINT, wide) | layer(f"{side}_projection.2", JOINT, JOINT)
    return found


def _blocks(size: Size) -> Iterator[tuple[int, int, int]]:
    """Stage, number and width of every block of the sound's side."""
    for stage, depth in enumerate(size.depths):
        for number in range(depth):
            yield stage, number, size.width * 2**stage


def _renamed(weights: Mapping[str, Array], size: Size) -> dict[str, Array]:
    """The tensors that are drawn, as ``ClapModel`` names them. Query, key and value lie above each other in LAION's."""
    old = {f"audio_branch.{name}": f"{ENCODER}.{name}" for name in ("patch_embed.proj", "patch_embed.norm", "norm")}
    old |= {"audio_branch.bn0": f"{ENCODER}.batch_norm"}
    for stage, number, _ in _blocks(size):
        place = f"layers.{stage}.blocks.{number}"
        for theirs, ours in BLOCK_NAMES.items():
            old[f"audio_branch.{place}.{theirs}"] = f"{ENCODER}.{place}.{ours}"
    for stage in range(len(size.depths) - 1):
        for part in ("norm", "reduction"):
            old[f"audio_branch.layers.{stage}.downsample.{part}"] = f"{ENCODER}.layers.{stage}.downsample.{part}"
    for side in ("audio", "text"):
        old |= {f"{side}_projection.{theirs}": f"{side}_projection.linear{ours}" for theirs, ours in ((0, 1), (2, 2))}
    found: dict[str, Array] = {}
    for name in _shapes(size):
        layer_name, _, part = name.rpartition(".")
        if layer_name.endswith(".attn.qkv"):
            place = layer_name.removeprefix("audio_branch").removesuffix(".attn.qkv")
            for which, piece in zip(("query", "key", "value"), np.split(weights[name], 3), strict=True):
                found[f"{ENCODER}{place}.attention.self.{which}.{part}"] = piece
        elif name in old:
            found[old[name]] = weights[name]
        elif layer_name in old:
            found[f"{old[layer_name]}.{part}"] = weights[name]
        else:  # the text's side, and what both name alike
            found[re.sub(r"^text_branch\.", "text_model.", name)] = weights[name]
    return found


def _settings(size: Size, positions: int) -> dict[str, Any]:
    """What a config.json would say of such a network."""
    audio = {
        "depths": list(size.depths), "enable_fusion": False, "enable_patch_layer_norm": True, "hidden_act": "gelu",
        "layer_norm_eps": 1e-5, "num_attention_heads": list(size.heads), "num_mel_bins": BANDS, "patch_size": PATCH,
        "patch_stride": [PATCH, PATCH], "spec_size": PICTURE, "window_size": size.window,
    }  # fmt: skip
    text = {
        **ROBERTA, "max_position_embeddings": positions, "num_attention_heads": size.text_width // HEAD,
        "num_hidden_layers": size.text_layers,
    }  # fmt: skip
    return {"model_type": "clap", "projection_hidden_act": "relu", "audio_config": audio, "text_config": text}
