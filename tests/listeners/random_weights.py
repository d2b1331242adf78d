"""Weights that every machine makes alike, from names and shapes; and PyTorch files of them, written without PyTorch."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from tests.listeners.sounds import random_input

Shapes = Mapping[str, Sequence[int]]
POSITIVE = ("running_var", "weight_g")
BANKS = ("melW", "mel_basis")
FIRST = ("bn0.weight", "batch_normalization_1.weight")  # they bring decibels to the size of what follows


def random_weights(shapes: Shapes, seed: int) -> dict[str, Any]:
    """Numbers such that a signal keeps about its size from layer to layer: variances and filters above 0, gains of
    normalisations around 1, all else around 0."""
    made: dict[str, Any] = {}
    for number, (name, shape) in enumerate(shapes.items()):
        spread = random_input(tuple(shape), 1_000 * seed + number) * np.float32(0.5)
        last = name.rsplit(".", 1)[-1]
        if last == "num_batches_tracked":
            made[name] = np.array(0, np.int64)
        elif last in BANKS:  # each band hears bins of its own, as in a real one
            bins, bands = np.meshgrid(*map(np.arange, shape), indexing="ij")
            if last == "mel_basis":
                bins, bands = bands, bins
            heard = bins * (bands.max() + 1) // (bins.max() + 1) == bands
            made[name] = (np.abs(spread) + np.float32(0.25)) * heard
        elif name in FIRST:
            made[name] = np.float32(0.0625) * (1 + spread)
        elif last in POSITIVE:
            made[name] = np.abs(spread) + np.float32(0.25)
        elif last == "weight" and len(shape) == 1:
            made[name] = 1 + spread * np.float32(0.25)
        elif len(shape) > 1:
            gain = 2.125 if len(shape) == 4 else 1.0  # so that the sound is heard behind a dozen convolutions
            made[name] = spread * np.float32(gain / np.sqrt(np.prod(shape[1:])))
        else:
            made[name] = spread * np.float32(0.25)
    return made


def random_sounds(samples: int, seed: int) -> Any:
    """Two sounds that differ: noise with nothing at all in between, and a low rumble. (2, samples), below 1."""
    white, steps = random_input((2, samples), seed).astype(np.float64)
    comes = 0.1 * (np.arange(samples) // (samples // 7) % 2)
    rumble = np.cumsum(steps - steps.mean())
    return np.stack([white * comes, 0.5 * rumble / np.abs(rumble).max()]).astype(np.float32)


def save_torch(path: Path, found: Any) -> Path:
    """Write dicts, lists, numbers and texts with arrays in them as ``torch.save`` does, the arrays as tensors."""
    numbers: list[Any] = []

    class Storage:
        def __init__(self, array: Any) -> None:
            self.array, self.key = array, str(len(numbers))
            numbers.append(array)

    with _torch() as torch:

        class Pickler(pickle.Pickler):
            def persistent_id(self, item: Any) -> Any:
                if not isinstance(item, Storage):
                    return None
                kind = torch.LongStorage if item.array.dtype == np.int64 else torch.FloatStorage
                return "storage", kind, item.key, "cpu", item.array.size

            def reducer_override(self, item: Any) -> Any:
                if not isinstance(item, np.ndarray):
                    return NotImplemented
                item = np.ascontiguousarray(item) if item.ndim else item
                strides = tuple(step // item.itemsize for step in item.strides)
                return torch.rebuild, (Storage(item), 0, item.shape, strides, False, OrderedDict())

        out = io.BytesIO()
        Pickler(out, protocol=2).dump(found)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", out.getvalue())
        archive.writestr("archive/byteorder", "little")
        for number, array in enumerate(numbers):
            archive.writestr(f"archive/data/{number}", array.tobytes())
    return path


@contextmanager
def _torch() -> Iterator[Any]:
    """What a pickle names must be there while it is written; the reader imports none of it."""
    torch: Any = types.ModuleType("torch")
    utils: Any = types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))

    def _rebuild_tensor_v2(*_: Any) -> None:
        raise AssertionError("it is not to be called")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = torch.rebuild = _rebuild_tensor_v2
    with mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
        yield torch


# The networks of the tests: as published, but with fewer channels.
NARROW = (4, 6, 8, 8, 10, 12)
PRUNED = (3, 4, 5, 6, 6, 7, 8, 8, 9, 10, 11, 12)
LABELS = ("/m/09x0r", "/m/04rlf", "/m/015p6", "/m/0ngt1", "/m/mine")
_BEATS = {
    "input_patch_size": 16, "embed_dim": 12, "conv_bias": False, "encoder_layers": 2, "encoder_embed_dim": 16,
    "encoder_ffn_embed_dim": 24, "encoder_attention_heads": 4, "activation_fn": "gelu", "conv_pos": 8,
    "conv_pos_groups": 4, "num_buckets": 12, "max_distance": 20, "dropout": 0.1, "attention_dropout": 0.1,
    "activation_dropout": 0.0, "encoder_layerdrop": 0.05, "dropout_input": 0.1, "layer_wise_gradient_decay_ratio": 1.0,
}  # fmt: skip
BEATS: dict[str, dict[str, Any]] = {
    # As Microsoft's checkpoints are, fine-tuned; then as their code allows otherwise.
    "tuned": _BEATS | {"layer_norm_first": False, "deep_norm": True, "relative_position_embedding": True,
                       "gru_rel_pos": True, "finetuned_model": True, "predictor_class": len(LABELS)},
    "first": _BEATS | {"layer_norm_first": True, "relative_position_embedding": True, "activation_fn": "glu",
                       "conv_bias": True, "embed_dim": 16, "conv_pos": 7},
    "plain": _BEATS | {"activation_fn": "relu", "encoder_layers": 1},
}  # fmt: skip


def cnn14_shapes(channels: Sequence[int], embedding: int = 16) -> dict[str, tuple[int, ...]]:
    """A CNN14 whose convolutions have so many channels, each twice but for those of a pruned one (twelve numbers)."""
    widths = list(channels) if len(channels) == 12 else [width for width in channels for _ in range(2)]
    shapes: dict[str, tuple[int, ...]] = {"logmel_extractor.melW": (513, 64), **_norm("bn0", 64)}
    before = 1
    for number, width in enumerate(widths):
        place, half = f"conv_block{number // 2 + 1}", number % 2 + 1
        shapes |= {f"{place}.conv{half}.weight": (width, before, 3, 3), **_norm(f"{place}.bn{half}", width)}
        before = width
    return shapes | {
        "fc1.weight": (embedding, before), "fc1.bias": (embedding,), "fc_audioset.weight": (527, embedding),
        "fc_audioset.bias": (527,),
    }  # fmt: skip


def openl3_shapes(channels: Sequence[int] = (4, 4, 6, 6, 8, 8, 10), embedding: int = 16) -> dict[str, tuple[int, ...]]:
    """OpenL3 with so many channels."""
    shapes: dict[str, tuple[int, ...]] = {"speclayer.mel_basis": (256, 1025), **_norm("batch_normalization_1", 1)}
    before = 1
    for number, width in enumerate(channels, 1):
        shapes |= {f"conv2d_{number}.weight": (width, before, 3, 3), f"conv2d_{number}.bias": (width,)}
        shapes |= _norm(f"batch_normalization_{number + 1}", width)
        before = width
    last = "audio_embedding_layer"
    return shapes | {f"{last}.weight": (embedding, before, 3, 3), f"{last}.bias": (embedding,)}


def _norm(place: str, width: int) -> dict[str, tuple[int, ...]]:
    names = ("weight", "bias", "running_mean", "running_var")
    return {f"{place}.{name}": (width,) for name in names} | {f"{place}.num_batches_tracked": ()}
