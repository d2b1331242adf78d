"""What a model answered: from the dict that `infer` returns to stamped items, and over the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy as np

from nodegraph.core.errors import Problem, WorkerError
from nodegraph.core.messages import BANG, At, from_wire, to_wire
from nodegraph.core.ports import CableKind
from nodegraph.core.spec import NodeSpec
from nodegraph.core.values import plain


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request.

    ``items``: (outlet, stamp_frame, value), by stamp. A message's value is a message, a tensor's a read-only float32
    array. The stamp is the frame of the clip's end, without the node's `answer_s`; for a message `At` an offset into
    the clip it is later by that offset. ``infer_s``: seconds in the model. ``queue_s``: seconds that the request waited
    for the worker, once its sound was there. Not ``ok``: `error` says why, and `items` holds what was still answered.
    ``notes``: lines for the log.
    """

    node: str
    number: int
    end_frame: int
    items: list[tuple[str, int, Any]]
    infer_s: float
    queue_s: float
    ok: bool
    error: str
    notes: tuple[str, ...] = ()


def pack_answer(spec: NodeSpec, answer: Any, end_frame: int, rate: int) -> list[list[Any]]:
    """The items of one `infer`, ready for the wire, in the order of the outlets. Raises WorkerError."""
    if answer is None:
        return []
    if not isinstance(answer, dict):
        raise _unfit(f"infer returned {_named(answer)}", "It returns a dict by outlet name.")
    for name in answer:
        if name not in spec.outlet_named:
            legal = ", ".join(f"'{outlet.name}'" for outlet in spec.outlets)
            raise _unfit(f"infer answered on {name!r}, which is no outlet", f"Outlets are {legal}.")
    items: list[list[Any]] = []
    for outlet in spec.outlets:
        value = answer.get(outlet.name)
        if value is None:
            continue
        if outlet.kind is CableKind.TENSOR:
            for array in value if isinstance(value, list) and all(isinstance(one, At) for one in value) else [value]:
                late, said = (array.offset_s, array.message) if isinstance(array, At) else (0.0, array)
                items.append([outlet.name, end_frame + round(late * rate), *_pack_tensor(outlet.name, said)])
            continue
        for message in value if isinstance(value, list) else [value]:
            late, said = (message.offset_s, message.message) if isinstance(message, At) else (0.0, message)
            items.append([outlet.name, end_frame + round(late * rate), to_wire(_plain(outlet.name, said))])
    return items


def pack_message(inlet: str, frame: int, value: Any) -> list[Any]:
    """A message on its way to a node in a worker; `unpack_items` reads it. Raises WorkerError when it cannot."""
    if isinstance(value, np.ndarray):
        return [inlet, frame, *_pack_tensor(inlet, value)]
    item = [inlet, frame, to_wire(_plain(inlet, value))]
    try:
        msgpack.packb(item)
    except (TypeError, ValueError, OverflowError) as error:
        raise _unfit(f"'{inlet}' got {_named(value)}, which a worker cannot be sent", "Send a message.") from error
    return item


def unpack_items(items: Iterable[list[Any]]) -> list[tuple[str, int, Any]]:
    """The items as the engine wants them, by stamp."""
    found = [
        (item[0], item[1], from_wire(item[2]) if len(item) == 3 else _unpack_tensor(item[2], item[3])) for item in items
    ]
    return sorted(found, key=lambda item: item[1])


def _pack_tensor(outlet: str, value: Any) -> tuple[list[int], bytes]:
    try:
        array = np.asarray(value, dtype="<f4")  # asarray also takes a tensor of torch
    except (TypeError, ValueError) as error:
        raise _unfit(f"infer answered {_named(value)} on '{outlet}'", "A tensor outlet takes an array.") from error
    return list(array.shape), array.tobytes()


def _unpack_tensor(shape: list[int], data: bytes) -> Any:
    return np.frombuffer(data, "<f4").reshape(shape)


def _plain(outlet: str, message: Any) -> Any:
    """The message with NumPy's scalars as numbers. Tags, notes and bangs stay what they are."""
    if isinstance(message, tuple):
        fields = [_plain(outlet, item) for item in message]
        return type(message)(*fields) if hasattr(message, "_fields") else tuple(fields)
    if isinstance(message, (str, float, int)) or message is None or message is BANG:
        return message
    number = plain(message)
    if number is message:
        do = "An event outlet takes a number, a text, a tuple, BANG, a Note or a Tag, or a list of these."
        raise _unfit(f"infer answered {_named(message)} on '{outlet}'", do)
    return tuple(number) if isinstance(number, list) else number


def _named(value: Any) -> str:
    return f"a value of type {type(value).__name__}"


def _unfit(what: str, do: str) -> WorkerError:
    return WorkerError(Problem("bad-answer", f"{what}.", do))
