"""Codes and latents as they come in messages: arrays of strangers, until they have been looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import WorkerError

MOST_FRAMES = 1_024
MOST_ROWS = 4_096
LARGEST = 1e4
"""Of a latent's numbers: what is larger would break a network's memory."""


def codes_in(message: Any) -> NDArray[np.int64]:
    """Codes ``(stages, frames)``; a vector is one frame. Raises WorkerError when it is something else."""
    found = _rows(message, "codes")
    if not np.all(np.abs(found) < 1 << 24) or np.any(found != np.round(found)):
        raise WorkerError("codes are whole numbers; what came has others.")
    return found.astype(np.int64)


def latent_in(message: Any, width: int) -> NDArray[np.float32]:
    """A latent ``(width, frames)``. A vector is one frame, or several in one row, as the `latent.…` nodes lay them.
    Raises WorkerError when it is something else."""
    if isinstance(message, np.ndarray) and message.ndim == 1 and len(message) > width and not len(message) % width:
        message = message.reshape(width, -1)
    found = _rows(message, "a latent")
    if len(found) != width:
        raise WorkerError(f"a latent has {len(found)} rows; this model has {width}.")
    if not np.all(np.isfinite(found)):
        raise WorkerError("a latent has numbers that are none.")
    kept: NDArray[np.float32] = np.clip(found, -LARGEST, LARGEST).astype(np.float32)
    return kept


def _rows(message: Any, what: str) -> NDArray[Any]:
    try:
        found = np.asarray(message, np.float64)
    except (TypeError, ValueError) as error:
        raise WorkerError(f"{what} came as {type(message).__name__}, and not as an array.") from error
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2 or not 1 <= len(found) <= MOST_ROWS or not 1 <= found.shape[1] <= MOST_FRAMES:
        legal = f"1 to {MOST_ROWS} rows of 1 to {MOST_FRAMES} frames"
        raise WorkerError(f"{what} came in the shape {found.shape}; it has {legal}.")
    return found
