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


def expect(config: Mapping[str, Any], kind: str) -> None:
    """Raises ModelError when the settings are those of another architecture."""
    found = config.get("model_type")
    if found != kind:
        whose = f"those of a '{found}'" if found else "of an architecture that they do not name"
        what = f"the settings are {whose}, and a '{kind}' is expected."
        raise ModelError(Problem("wrong-architecture", what, "Name the network that these files belong to."))


def labels_of(config: Mapping[str, Any]) -> list[str]:
    """The names of a classifier's classes, in the order of its answers. Raises ModelError when some are missing."""
    named = config.get("id2label")
    if not isinstance(named, Mapping) or not named or set(named) != {str(number) for number in range(len(named))}:
        what = "config.json does not name the classes: 'id2label' is missing, or has gaps."
        raise ModelError(Problem("no-labels", what, "Take the config.json that was published with these weights."))
    return [str(named[str(number)]) for number in range(len(named))]
