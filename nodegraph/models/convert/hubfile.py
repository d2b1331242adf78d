"""Models as hubs publish them: ``model.safetensors`` (or PyTorch's ``.bin``), and ``config.json`` beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodegraph.core.errors import ModelError, Problem


def read_weights(path: Path) -> Mapping[str, Any]:
    """The arrays of a file of weights, by their names. Raises ModelError."""
    if path.suffix != ".safetensors":
        from nodegraph.models.convert.torchfile import read_tensors, tensors_of

        return tensors_of(read_tensors(path))
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, KeyError, TypeError) as error:  # KeyError, TypeError: bfloat16, which numpy has not
        what = f"it cannot be read: {error}."
        raise ModelError(
            Problem("damaged", what, "Fetch it again; weights are float32 or float16.", str(path))
        ) from error


def read_config(path: Path) -> Mapping[str, Any]:
    """The settings beside the weights. Raises ModelError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(Problem("damaged", f"it is no config.json: {error}.", file=str(path))) from error
    if not isinstance(data, dict):
        raise ModelError(Problem("damaged", "it is no config.json: a table is expected.", file=str(path)))
    return data
