"""A CLAP as LAION's training program saves it, made from one in the layout of transformers.

Written from the names in laion_clap's ``clap_module`` and in transformers' conversion script, apart from what reads
such files here: each is held against the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.listeners.random_weights import save_torch
from tests.listeners.sounds import random_input

Arrays = dict[str, np.ndarray[Any, Any]]
RENAMED = (
    (r"^text_model\.", "text_branch."),
    (r"^audio_model\.audio_encoder\.", "audio_branch."),
    (r"^audio_branch\.batch_norm\.", "audio_branch.bn0."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"^(audio_branch.*)\.attention\.self\.relative", r"\1.attn.relative"),
    (r"^(audio_branch.*)\.attention\.output\.dense\.", r"\1.attn.proj."),
    (r"^(audio_branch.*)\.intermediate\.dense\.", r"\1.mlp.fc1."),
    (r"^(audio_branch.*\.blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    (r"_projection\.linear1\.", "_projection.0."),
    (r"_projection\.linear2\.", "_projection.2."),
)
FUSED = re.compile(r"audio_model\.audio_encoder\.(.*)\.attention\.self\.query\.(weight|bias)")
UNFUSED = re.compile(r"audio_model\.audio_encoder\..*\.attention\.self\.(key|value)\.")
WINDOW, SIDE, JOINT = 8, 64, 512
FREQUENCIES = np.arange(513) * 48_000 / 1_024


def as_laion(hub: Mapping[str, np.ndarray[Any, Any]]) -> Arrays:
    """The tensors of both sides under LAION's names, without ``module.``."""
    found: Arrays = {}
    for name, array in hub.items():
        if part := FUSED.fullmatch(name):
            others = [name.replace(".query.", f".{other}.") for other in ("key", "value")]
            rows = [array, *(hub[other] for other in others)]
            found[f"audio_branch.{part[1]}.attn.qkv.{part[2]}"] = np.concatenate(rows)
        elif not UNFUSED.match(name):
            theirs = name
            for pattern, text in RENAMED:
                theirs = re.sub(pattern, text, theirs)
            found[theirs] = array
    return found


def with_the_rest(state: Mapping[str, np.ndarray[Any, Any]]) -> Arrays:
    """And what such a file holds that is no part of CLAP's answers: filters, places, classes, transforms."""
    last, classes = len(state["audio_branch.norm.weight"]), 527
    positions = len(state["text_branch.embeddings.position_embeddings.weight"])
    rest: Arrays = {
        "logit_scale_t": np.asarray(2.5, np.float32),
        "audio_branch.logmel_extractor.melW": filters(),
        "audio_branch.tscam_conv.weight": random_input((classes, last, 2, 3), 41),
        "audio_branch.tscam_conv.bias": random_input((classes,), 42),
        "audio_branch.head.weight": random_input((classes, classes), 43),
        "audio_branch.head.bias": random_input((classes,), 44),
        "audio_branch.bn0.num_batches_tracked": np.asarray(7, np.int64),
        "text_branch.embeddings.position_ids": np.arange(positions)[None],
    }
    for which in ("real", "imag"):
        rest[f"audio_branch.spectrogram_extractor.stft.conv_{which}.weight"] = random_input((513, 1, 1024), 45)
    for side in ("audio", "text"):
        for number in (0, 3):
            rest[f"{side}_transform.sequential.{number}.weight"] = random_input((JOINT, JOINT), 46)
            rest[f"{side}_transform.sequential.{number}.bias"] = random_input((JOINT,), 47)
    for name in state:
        if place := re.fullmatch(r"(audio_branch\.layers\.(\d+)\.blocks\.(\d+))\.attn\.qkv\.weight", name):
            rest[f"{place[1]}.attn.relative_position_index"] = np.zeros((WINDOW**2, WINDOW**2), np.int64)
            side = SIDE >> int(place[2])
            if int(place[3]) % 2 and side > WINDOW:
                rest[f"{place[1]}.attn_mask"] = np.zeros(((side // WINDOW) ** 2, WINDOW**2, WINDOW**2), np.float32)
    return {**state, **rest}


def filters(low_hz: float = 50.0, high_hz: float = 14_000.0) -> np.ndarray[Any, Any]:
    """Something between these frequencies: (frequencies, bands). Only where it begins and ends is looked at."""
    inside = np.logical_and(low_hz < FREQUENCIES, high_hz > FREQUENCIES)
    return np.repeat(inside[:, None], 64, axis=1).astype(np.float32)


def save_laion(path: Path, state: Mapping[str, np.ndarray[Any, Any]], module: str = "module.") -> Path:
    """The file, with an optimiser's state beside it, as it is published."""
    first = next(iter(state.values()))
    optimizer = {"state": {0: {"step": 3, "exp_avg": first}}, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.99)}]}
    named = {f"{module}{name}": array for name, array in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    return save_torch(path, {"epoch": 15, "name": "clap", "state_dict": named, "optimizer": optimizer})
