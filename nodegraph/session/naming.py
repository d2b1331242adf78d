"""Files that a client names: of what is wanted, those that the patch may name (`core.media`)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nodegraph.api.checking import SOUND_SUFFIXES
from nodegraph.api.places import folders
from nodegraph.core import images
from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.media import resolve_media

if TYPE_CHECKING:
    from nodegraph.session.session import Session


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file should be: in a word, and how its name ends. `wrong` is the code for another, `missing` that for one
    that is not there; None: whoever opens it says so."""

    word: str
    suffixes: tuple[str, ...]
    wrong: str
    missing: str | None = None


PATCH: Final = Wanted("patch", (".ng",), "not-a-patch")
SOUND: Final = Wanted("sound file", tuple(sorted(SOUND_SUFFIXES)), "no-file", "no-file")
IMAGE: Final = Wanted("image", images.SUFFIXES, "bad-image", "missing-file")


def named(session: Session, text: str, wanted: Wanted, *, writes: bool = False) -> Path:
    """The file that a client names, in the folder of the patch or in a media folder. With `writes`, a relative path
    leads into the folder of the patch. Raises MediaError."""
    _check(text, text, wanted)
    path = resolve_media(session.patch.document.folder, text, folders(session.patch.media), writes=writes)
    _check(path.name, text, wanted)  # a link may lead to anything
    if os.path.exists(path):  # quiet about names that are too long
        if not path.is_file():
            raise MediaError(Problem(wanted.wrong, f"{quoted(text)} is no {wanted.word}.", "Name a file."))
    elif wanted.missing is not None:
        what = f"There is no {wanted.word} {quoted(text)}."
        raise MediaError(Problem(wanted.missing, what, "Put it into the patch's folder, or name another."))
    return path


def _check(name: str, text: str, wanted: Wanted) -> None:
    if not name.lower().endswith(wanted.suffixes):
        what = f"{quoted(text)} is no {wanted.word}."
        raise MediaError(Problem(wanted.wrong, what, f"Its name should end in {', '.join(wanted.suffixes)}."))
