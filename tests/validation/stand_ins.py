"""A store for the validator in which every model is at hand: those that were fetched, and small networks with random
numbers in the place of those that no package carries.

They are drawn from checkpoints in the published layout, as the published ones are, and their answers have the shapes
that the nodes declare; what they say means nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from safetensors.numpy import load_file

from nodegraph.models import Store
from nodegraph.models.convert.networks.audio_transformers import Settings, wanted
from nodegraph.models.disk import CHECKED
from nodegraph.models.manifest import Manifest
from nodegraph.models.pins import pin
from nodegraph.models.sources import WheelFile
from nodegraph.nodes.analysis.audioset import audioset_names
from tests.codecs.tiny import of_golden, write_audioldm
from tests.codecs.tiny import write as write_codec
from tests.listeners import random_weights as taggers
from tests.listeners.checkpoints import Golden, write_checkpoint

SHAPES: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("stand_ins.json").read_text(encoding="utf-8"))
"""Names and shapes of transformers with one narrow layer, as the reference implementation saves them."""
LABELS: Final = {"ast-audioset": [f"Class {number}" for number in range(527)], "emotion": ["neu", "hap", "ang", "sad"]}
BEATS: Final = {
    "input_patch_size": 16, "embed_dim": 16, "encoder_layers": 1, "encoder_embed_dim": 768, "encoder_ffn_embed_dim": 16,
    "encoder_attention_heads": 4, "conv_pos": 8, "deep_norm": True, "relative_position_embedding": True,
    "gru_rel_pos": True,
}  # fmt: skip


def fill(root: Path) -> None:
    """Make `root` such a store. What the user's own store has is linked, not copied."""
    real = Store()
    for entry in real.list():
        if entry.state == "here":
            (root / entry.name).mkdir(parents=True)
            (root / entry.name / entry.manifest.revision).symlink_to(entry.folder)
        elif not carried_by_a_package(entry.manifest):
            _place(root, entry.manifest, MAKERS[entry.name](root / ".made" / entry.name))
    (root / ".derived").mkdir()
    for folder in (real.root / ".derived").glob("*"):
        (root / ".derived" / folder.name).symlink_to(folder)
    for name in ("pins", "manifests"):
        for path in (real.root / name).glob("*"):
            (root / name).mkdir(exist_ok=True)
            (root / name / path.name).exists() or (root / name / path.name).symlink_to(path)
    licences = {entry.name: entry.manifest.licence for entry in real.list() if entry.manifest.non_commercial}
    (root / "accepted.json").write_text(json.dumps(licences), encoding="utf-8")


def carried_by_a_package(manifest: Manifest) -> bool:
    """Whether all its files come from a package index."""
    return all(isinstance(file.source, WheelFile) for file in manifest.files)


def _place(root: Path, manifest: Manifest, made: Mapping[str, Path]) -> None:
    """Files as if they had been fetched. Where a hash is known, the store is told that they were found to have it."""
    folder = root / manifest.name / manifest.revision
    folder.mkdir(parents=True)
    assert set(made) == {file.key for file in manifest.files}, manifest.name
    for file in manifest.files:
        if file.save.endswith(".bin"):  # as PyTorch wrote it then
            taggers.save_torch(folder / file.save, load_file(made[file.key]))
        else:
            (folder / file.save).write_bytes(made[file.key].read_bytes())
    known = pin(manifest, root, {file.key: folder / file.save for file in manifest.files if not file.sha256})
    seen = {}
    for file in known.files:
        status = (folder / file.save).stat()
        seen[file.save] = [status.st_size, status.st_mtime_ns, file.sha256]
    (folder / CHECKED).write_text(json.dumps(seen), encoding="utf-8")


def _hub(folder: Path) -> dict[str, Path]:
    """A transformer by its name."""
    about = SHAPES[folder.name]
    labels = {str(number): label for number, label in enumerate(LABELS.get(folder.name, []))}
    return write_checkpoint(folder, about["config"] | ({"id2label": labels} if labels else {}), about["shapes"])


def _clap(folder: Path) -> dict[str, Path]:
    golden = Golden("clap")
    made = golden.checkpoint(folder)
    made["tokenizer"] = folder / "tokenizer.json"
    made["tokenizer"].write_text(str(golden["tokenizer"]), encoding="utf-8")
    return made


def _torch(found: Callable[[], Any]) -> Callable[[Path], dict[str, Path]]:
    def make(folder: Path) -> dict[str, Path]:
        folder.mkdir(parents=True)
        return {"weights": taggers.save_torch(folder / "weights.pth", found())}

    return make


def _beats(**more: Any) -> Any:
    settings = Settings.read(BEATS | more)
    shapes = {name: tuple(map(int, shape)) for name, shape in wanted(settings).items()}
    return {"cfg": BEATS | more, "model": taggers.random_weights(shapes, 4)} | (
        {"label_dict": dict(enumerate(audioset_names()))} if more else {}
    )


def _codec(folder: Path) -> dict[str, Path]:
    config, arrays = of_golden(folder.name)
    if config.get("chunk_length_s"):
        config |= {"chunk_length_s": 1.0}  # as the published one
    return write_codec(folder, config, arrays)


def _cnn14(channels: Any) -> Callable[[], Any]:
    return lambda: {"model": taggers.random_weights(taggers.cnn14_shapes(channels, 2_048), 1)}


def _openl3() -> Any:
    return taggers.random_weights(taggers.openl3_shapes(embedding=512), 2)


MAKERS: Final[Mapping[str, Callable[[Path], dict[str, Path]]]] = {
    "ast-audioset": _hub, "wav2vec2-base": _hub, "emotion": _hub, "clap-general": _clap, "clap-music": _clap,
    "panns-cnn14": _torch(_cnn14(taggers.NARROW)), "epanns": _torch(_cnn14(taggers.PRUNED)),
    "openl3-music": _torch(_openl3), "openl3-env": _torch(_openl3), "beats": _torch(_beats),
    "beats-audioset": _torch(lambda: _beats(finetuned_model=True, predictor_class=527)),
    **dict.fromkeys(("encodec-24khz", "encodec-32khz", "encodec-48khz", "dac-44khz", "oobleck"), _codec),
    "audioldm2": write_audioldm,
}  # fmt: skip
