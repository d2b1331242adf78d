"""The process that makes a network: ``python -m nodegraph.models.convert NETWORK TARGET KEY=PATH…``.

It says nothing, or what is wrong as one line of JSON on its standard output, and ends with 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nodegraph.core.errors import ModelError, Problem
from nodegraph.sandbox import confine


def main(words: list[str]) -> int:
    """Make one network."""
    name, target, *pairs = words
    confine([Path(target).parent])
    files = {key: Path(path) for key, _, path in (pair.partition("=") for pair in pairs)}
    try:
        _make(name, Path(target), files)
    except ModelError as error:
        sys.stdout.write(json.dumps([problem.as_dict() for problem in error.problems]) + "\n")
        return 1
    return 0


def _make(name: str, target: Path, files: dict[str, Path]) -> None:
    from nodegraph.models.convert.fitting import Unfit
    from nodegraph.models.convert.networks import NETWORKS

    network = NETWORKS[name]
    try:
        import onnx
    except ImportError as error:
        what = "the package onnx is not here, and this model is made with it."
        raise ModelError(Problem("onnx-missing", what, "Run: pip install onnx")) from error
    first = next(iter(files.values()), Path())
    try:
        model = network.draw(files)
    except (KeyError, IndexError, ValueError, TypeError, onnx.checker.ValidationError) as error:
        said = {KeyError: f"it has no {error}", Unfit: str(error)}
        why = said.get(type(error), f"{type(error).__name__}: {error}")
        what = f"these are no weights of '{name}': {why}."
        raise ModelError(
            Problem("wrong-architecture", what, "Name the network that they belong to.", str(first))
        ) from error
    try:
        target.write_bytes(model.SerializeToString())
    except OSError as error:
        raise ModelError(Problem("no-space", f"it cannot be written: {error.strerror}.", file=str(target))) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
