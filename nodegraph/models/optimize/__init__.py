"""Faster versions of stored ONNX models, each measured against its original before a node gets it.

``int8``: weights of matrix products and LSTMs as 8-bit numbers, made without sounds. ``static``: convolutions too, in 8
bits, scaled by what the model was fed while its node heard sounds. ``fp16``: half precision, for lanes on a GPU.

``python -m nodegraph.models.optimize REQUEST`` makes one file in a process that may write in one folder alone. It says
one line of JSON after another: progress, and in the end what was made, or what is wrong.
"""

from __future__ import annotations

from typing import Final, Literal

To = Literal["int8", "static", "fp16"]
TO: Final[tuple[To, ...]] = ("int8", "static", "fp16")
RECIPE: Final = {"int8": 1, "static": 1, "fp16": 1}
"""Goes up with every change of how a version is made: those made before it count as stale."""
FOR_GPU: Final = frozenset({"fp16"})
"""Versions for lanes on a GPU; the others are for the processor."""

WORST: Final = 0.10
"""Of the largest number that the original says: no number of the faster version may be further off."""
MEAN: Final = 0.01
"""The same on the mean."""
LABELS: Final = 0.05
"""The top label may be another one in so many of the clips."""
GAIN: Final = 1.1
"""So many times as fast it must be."""
