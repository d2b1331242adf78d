"""Opening ONNX models in a worker: one thread, quiet, and with inner values shown where a node wants them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from nodegraph.providers import Choice, choose, session_options

_open: WeakValueDictionary[tuple[str, int, int, str, tuple[str, ...]], Any] = WeakValueDictionary()
"""Sessions that somebody holds: nodes of one worker that use the same model share it, and it goes with the last."""
_opening = threading.Lock()


def open_session(
    path: Path, device: str = "cpu", show: tuple[str, ...] = (), look: Callable[[bytes], object] | None = None
) -> Any:
    """An onnxruntime session of the model at `path`: one for all in this process that ask for the same.

    It remembers nothing between two runs; a node keeps what its model must remember. `show` names float values inside
    the graph that become outputs after the declared ones. `look` is given the very bytes that are to be opened, before
    they are, and raises for those that must not be. A `device` that this machine's onnxruntime lacks falls back to the
    processor, and the listeners' status says so (`nodegraph.providers`). One thread: the lanes run side by side
    already.
    """
    status, choice = path.stat(), choose(device)
    key = str(path), status.st_size, status.st_mtime_ns, choice.device, show
    with _opening:
        found = _open.get(key)
        if found is None:
            found = _open[key] = _session(path, choice, show, look)
        return found


def _session(path: Path, choice: Choice, show: tuple[str, ...], look: Callable[[bytes], object] | None) -> Any:
    import onnxruntime

    graph = path.read_bytes()
    if look is not None:
        look(graph)
    graph += outputs_fragment(show)
    return onnxruntime.InferenceSession(graph, session_options(path.parent), providers=list(choice.providers))


def note_in(session: Any, name: str) -> Any:
    """What a network's drawing notes under a name (`models.convert`): JSON that was kept with it. Raises ValueError."""
    noted = session.get_modelmeta().custom_metadata_map.get(name)
    if noted is None:
        raise ValueError(f"the model notes no {name}; draw it again from its config.json")
    return json.loads(noted)


def labels_in(session: Any) -> list[str]:
    """The names of a classifier's classes, as its drawing keeps them. Raises ValueError."""
    labels: list[str] = note_in(session, "labels")
    return labels


def outputs_fragment(names: tuple[str, ...]) -> bytes:
    """Bytes that, appended to an ONNX file, add these inner float values to the graph's outputs.

    Protocol buffers merge a message that is followed by a second one, and repeated fields grow, so nothing has to be
    parsed and the package `onnx` is not needed. ModelProto.graph is field 7, GraphProto.output 12; ValueInfoProto has
    name 1 and type 2; TypeProto.tensor_type 1; its elem_type 1, where 1 is float32.

    Source: protobuf.dev, "Encoding", last paragraph of "Last One Wins"; onnx.proto3.
    """
    if not names:
        return b""
    float32 = _field(2, _field(1, b"\x08\x01"))
    return _field(7, b"".join(_field(12, _field(1, name.encode()) + float32) for name in names))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
