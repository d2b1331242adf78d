"""Frames to data and back: msgpack in binary frames, JSON in text frames."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import msgpack

from nodegraph.core.errors import PatchError, Problem


def packed(data: Mapping[str, Any]) -> bytes:
    """Data as a binary frame."""
    found: bytes = msgpack.packb(data, default=_plain)
    return found


def unpacked(frame: bytes) -> Any:
    """What a binary frame holds. Raises PatchError."""
    try:
        return msgpack.unpackb(frame, raw=False, strict_map_key=True, ext_hook=_no_extension)
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise PatchError(Problem("bad-frame", f"The frame is no msgpack: {_reason(error)}.")) from error


def written(data: Mapping[str, Any]) -> str:
    """Data as a text frame."""
    try:
        return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except ValueError:
        return json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":"), default=_plain)


def read(frame: str) -> Any:
    """What a text frame holds. Raises PatchError."""
    try:
        return json.loads(frame, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PatchError(Problem("bad-frame", f"The frame is no JSON: {_reason(error)}.")) from error


def _plain(value: Any) -> Any:
    """What neither format has, as something that both have."""
    if isinstance(value, bytes):
        return value.hex()
    listed = getattr(value, "tolist", None)
    return listed() if callable(listed) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200].rstrip(".")


def _no_extension(code: int, data: bytes) -> Any:
    raise ValueError(f"extension {code} means nothing here")


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")
