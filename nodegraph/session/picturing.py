"""Requests for what is only looked at: the images that stand beside the boxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.images import size_of
from nodegraph.session.naming import IMAGE, named
from nodegraph.session.requests import TEXT, needed, request

if TYPE_CHECKING:
    from nodegraph.session.protocol import Client

MOST_BYTES: Final = 1_500_000
"""Of an image that goes over the wire: a client for whom more than 4 MiB wait is hung up on, and JSON takes twice."""


@request("picture", slow=True, file=needed(TEXT))
def picture(client: Client, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """A PNG or JPEG of the patch's folder or the media folders, as bytes (hexadecimal in JSON)."""
    text = asked["file"]
    path = named(client.session, text, IMAGE)
    try:
        with open(path, "rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        what = f"{quoted(text)} cannot be read: {error.strerror or error}."
        raise MediaError(Problem("bad-image", what, "Look at its permissions.")) from error
    if len(data) > MOST_BYTES:
        what = f"{quoted(text)} has more than {MOST_BYTES / 1e6:g} MB."
        raise MediaError(Problem("bad-image", what, "Make it smaller: it goes over the wire."))
    width, height = size_of(data)
    return {"file": text, "width": width, "height": height, "data": data}
