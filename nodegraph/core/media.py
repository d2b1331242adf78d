"""The files that a patch names: sounds, shaders, recordings.

A patch may name files in its own folder and in the media folders that the user declares (the environment variable
NODEGRAPH_MEDIA, folders joined by ``:``, on Windows by ``;``). It cannot reach any other file, be it by an absolute
path, by ``..``, or through a link. Besides files it may name a sound of the model store: ``sound:NAME/KEY``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.hints import quoted

VARIABLE = "NODEGRAPH_MEDIA"
SOUND = "sound:"
Sounds = Callable[[str, str], Path]
"""Gives the file of a stored sound by its name and key. Raises ModelError when the store has none."""


def media_folders(environment: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """The folders that the user has declared."""
    told = (os.environ if environment is None else environment).get(VARIABLE, "")
    return tuple(Path(part).expanduser() for part in told.split(os.pathsep) if part.strip())


def resolve_media(
    document_folder: Path,
    text: str,
    media_folders: Iterable[Path] = (),
    *,
    writes: bool = False,
    sounds: Sounds | None = None,
) -> Path:
    """The file that a setting names, as an absolute path without links.

    A relative path is looked for in the patch's folder, then in the media folders; what the patch writes goes into its
    own folder. When there is no such file, the path is where it should be. `sounds` finds stored sounds.
    Raises MediaError when the path is empty, or leads out of these folders, and what `sounds` raises.
    """
    if not text:
        raise MediaError(Problem("no-file", "No file is named.", "Give a path relative to the patch's folder."))
    if text.startswith(SOUND):
        return _stored(text, writes, sounds)
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        text += "\0"
    if "\0" in text:
        raise MediaError(Problem("no-file", f"{quoted(text)} cannot be a file's path.", "Rename the file."))
    roots = [Path(os.path.realpath(folder)) for folder in (document_folder, *media_folders)]
    expected = None
    for root in roots[:1] if writes or os.path.isabs(text) else roots:
        path = Path(os.path.realpath(root / text))  # an absolute text stands for itself
        if any(path.is_relative_to(other) for other in roots):
            if os.path.exists(path):  # quiet about names that are too long
                return path
            if root is roots[0]:
                expected = path
    if expected is not None:
        return expected
    what = f"{quoted(text)} lies outside the patch's folder and the declared media folders."
    do = f"Put the file into the patch's folder and name it from there, or declare its folder in {VARIABLE}."
    raise MediaError(Problem("outside-file", what, do))


def _stored(text: str, writes: bool, sounds: Sounds | None) -> Path:
    name, slash, key = text.removeprefix(SOUND).partition("/")
    if writes or sounds is None:
        what = f"{quoted(text)} is a sound of the model store, which " + (
            "is not written to." if writes else "is absent."
        )
        raise MediaError(Problem("no-file", what, "Name a file."))
    if not slash or not name or not key:
        raise MediaError(Problem("no-file", f"{quoted(text)} names no stored sound.", "Write it as sound:NAME/KEY."))
    return sounds(name, key)
