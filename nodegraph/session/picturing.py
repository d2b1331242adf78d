"""Requests for what is only looked at: the images that stand beside the boxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from nodegraph.api.places import folders
from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.images import SUFFIXES, size_of
from nodegraph.core.media import SOUND, resolve_media
from nodegraph.session.requests import TEXT, needed, request

if TYPE_CHECKING:
    from nodegraph.session.protocol import Client

MOST_BYTES: Final = 1_500_000
"""Of an image that goes over the wire: a client for whom more than 4 MiB wait is hung up on, and JSON takes twice."""


@request("picture", slow=True, file=needed(TEXT))
def picture(client: Client, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """A PNG or JPEG of the patch's folder or the media folders, as bytes (hexadecimal in JSON)."""
    session, text = client.session, asked["file"]
    if text.startswith(SOUND) or not text.lower().endswith(SUFFIXES):
        what = f"{quoted(text)} is no image."
        raise MediaError(Problem("bad-image", what, f"Its name should end in {', '.join(SUFFIXES)}."))
    path = resolve_media(session.patch.document.folder, text, folders(session.patch.media))
    if not path.name.lower().endswith(SUFFIXES):  # a link may lead to anything
        raise MediaError(Problem("bad-image", f"{quoted(text)} is no image.", "Name a PNG or a JPEG."))
    if not path.is_file():
        what = f"There is no file {quoted(text)}."
        raise MediaError(Problem("missing-file", what, "Put it into the patch's folder, or name another."))
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
