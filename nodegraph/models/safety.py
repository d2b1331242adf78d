"""What may lie in the store: formats that hold numbers and text, never code."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from nodegraph.core.errors import ModelError, Problem

SAFE: Final = frozenset(
    {".onnx", ".data", ".safetensors", ".json", ".txt", ".csv", ".npy", ".model", ".jinja"}
    | {".wav", ".flac", ".ogg", ".aif", ".aiff", ".mp3"}
)
"""Suffixes that are stored. ``.data`` holds weights beside an ``.onnx``; ``.model`` is a sentencepiece vocabulary."""

PICKLES: Final = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".bin", ".ckpt", ".th", ".tar"})
"""Suffixes of files that can run code when they are opened."""


INGREDIENTS: Final = frozenset({".pt", ".pth", ".ckpt", ".bin", ".th", ".tar", ".index", ".data-00000-of-00001"})
"""Suffixes of files from which networks are made: only `models.convert` opens them, and runs nothing of them."""


LIBRARIES: Final = frozenset({".so"})
"""Suffixes of native code. Only manifests that come with nodegraph may name such a file, by its hash."""


def check_suffix(file_name: str, model: str, *, ingredient: bool = False, ours: bool = False) -> None:
    """Refuse a file whose format is not known to be safe. `ingredient`: a network is made from it, and no node gets it.
    `ours`: its manifest comes with nodegraph. Raises ModelError."""
    suffix = PurePosixPath(file_name).suffix.lower()
    if suffix in SAFE or (ingredient and suffix in INGREDIENTS) or (ours and suffix in LIBRARIES):
        return
    if suffix in PICKLES:
        what = f"model '{model}': '{file_name}' is refused: a {suffix} file can run code when it is opened."
        do = "Convert it to .safetensors or .onnx and add that."
    else:
        what = f"model '{model}': '{file_name}' is refused: {suffix or 'no suffix'} is no format that the store knows."
        do = f"It takes {', '.join(sorted(SAFE))}."
    raise ModelError(Problem("unsafe-format", what, do))


def plain_name(text: str) -> bool:
    """Whether this is a file's name and nothing more: no folder, no drive, not hidden."""
    return bool(text) and not text.startswith(".") and not any(character in text for character in "/\\:\0")
