"""Whether weights are those of a network: every name, every shape, and nothing beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Shape = Sequence[int | str]
COUNTED: Final = r".*\.num_batches_tracked"  # PyTorch counts there; no answer depends on it
MOST_NAMED: Final = 4


class Unfit(ValueError):
    """These are weights of another network; the text says how one can tell."""


def check_fit(weights: Mapping[str, Any], wanted: Mapping[str, Shape], ignored: str = "") -> dict[str, int]:
    """Compare `weights` with the shapes that a network needs. Names that match the pattern `ignored` may be there, too.

    A text in a shape is a length that is not known before, and the same wherever it is named; they are returned.
    Raises Unfit with what is missing, too much, or of another shape.
    """
    missing = [name for name in wanted if name not in weights]
    known = re.compile("|".join(filter(None, (COUNTED, ignored))))
    strange = [name for name in weights if name not in wanted and not known.fullmatch(name)]
    lengths: dict[str, int] = {}
    misshaped = [
        f"{name} is {_shown(weights[name].shape)} where {_shown(shape)} is needed"
        for name, shape in wanted.items()
        if name in weights and not _fits(weights[name].shape, shape, lengths)
    ]
    said = []
    if missing:
        said.append(f"it has no {_listed(missing)}")
    if misshaped:
        said.append(_listed(misshaped))
    if strange:
        said.append(f"it has {_listed(strange)}, which this network does not know")
    if said:
        raise Unfit("; ".join(said))
    return lengths


def batch_norm(prefix: str, length: int | str) -> dict[str, Shape]:
    """What a batch normalisation holds."""
    return {f"{prefix}.{name}": (length,) for name in ("weight", "bias", "running_mean", "running_var")}


def layer(prefix: str, *shape: int | str, bias: bool = True) -> dict[str, Shape]:
    """``weight``, and ``bias`` over the first length of its shape, under `prefix`."""
    weight: dict[str, Shape] = {f"{prefix}.weight": shape}
    return weight | ({f"{prefix}.bias": shape[:1]} if bias else {})


def _fits(found: Sequence[int], shape: Shape, lengths: dict[str, int]) -> bool:
    if len(found) != len(shape):
        return False
    for length, want in zip(found, shape, strict=True):
        if length != (lengths.setdefault(want, length) if isinstance(want, str) else want):
            return False
    return True


def _shown(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "a single number"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
