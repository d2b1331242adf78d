"""Requests about files: what lies beside the patch and in the media folders, how a sound looks, how it sounds.

What a client may see is what a patch may name: its own folder, and the media folders (`core.media`).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nodegraph.api.checking import SOUND_SUFFIXES
from nodegraph.api.places import folders
from nodegraph.core.errors import MediaError, NodegraphError, PatchError, Problem
from nodegraph.core.hints import listed, quoted
from nodegraph.core.media import resolve_media
from nodegraph.midi.files import SUFFIXES as MIDI_SUFFIXES
from nodegraph.session.naming import SOUND, named
from nodegraph.session.requests import COUNT, TEXT, TEXTS, needed, request

if TYPE_CHECKING:
    from nodegraph.session.protocol import Client

Asked = Mapping[str, Any]
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "patch": frozenset({".ng"}), "sound": SOUND_SUFFIXES, "midi": frozenset(MIDI_SUFFIXES),
    "node": frozenset({".py"}), "model": frozenset({".ts", ".onnx"}),
}  # fmt: skip
"""What is listed, by what it is for a patch."""
DEEPEST: Final = 6
"""Folders within folders that are looked into."""
MOST_FILES: Final = 2_000
MOST_SEEN: Final = 50_000
"""Entries that are looked at: a patch may lie in somebody's home folder."""
POINTS: Final = 200
MOST_POINTS: Final = 4_000
MOST_READ: Final = 1 << 25
"""Frames of a file that are read for its waveform: of a longer one, the beginning of each piece."""
BLOCK: Final = 1 << 18
"""Frames that are read at once."""


@request("files", slow=True, kinds=TEXTS)
def files(client: Client, asked: Asked) -> Asked:
    """Files that the patch may name, by folder: its own, then the media folders. `kinds` are some of patch, sound,
    midi, node and model."""
    kinds = asked.get("kinds", tuple(KINDS))
    strange = [kind for kind in kinds if kind not in KINDS]
    if strange:
        raise PatchError(
            Problem("bad-request", f"There are no files of kind {quoted(strange[0])}.", f"There are {listed(KINDS)}.")
        )
    suffixes = {suffix: kind for kind in kinds for suffix in KINDS[kind]}
    home = client.session.patch.document.folder
    roots = list(dict.fromkeys(Path(os.path.realpath(root)) for root in (home, *folders(client.session.patch.media))))
    listing = Listing(roots, suffixes)
    found = [
        {"folder": root.name or str(root), "files": [_told(home, roots, *item) for item in listing.below(root)]}
        for root in roots
    ]
    return {"folders": found, "whole": listing.whole}


class Listing:
    """The files below some folders. `whole`: all of them, none is left out because there are too many."""

    def __init__(self, roots: list[Path], suffixes: Mapping[str, str]) -> None:
        self.whole = True
        self._roots, self._suffixes = roots, suffixes
        self._left = MOST_FILES

    def below(self, root: Path) -> Iterator[tuple[Path, str]]:
        """The files below one with what they are, those of near folders first; what is hidden is left out, and links
        that lead out of the folders."""
        waiting, seen = deque([(root, 0)]), 0
        while waiting:
            folder, depth = waiting.popleft()
            for entry in _entries(folder):
                seen += 1
                if seen > MOST_SEEN:
                    self.whole = False
                    return
                if entry.name.startswith((".", "__")):
                    continue
                path = Path(entry.path)
                if _is_folder(entry):
                    if path in self._roots:  # it is listed by itself
                        continue
                    if depth < DEEPEST:
                        waiting.append((path, depth + 1))
                    else:
                        self.whole = False
                    continue
                kind = self._suffixes.get(path.suffix.lower())
                if kind is not None and _lies_within(path, self._roots) and path.is_file():
                    if self._left == 0:
                        self.whole = False
                        return
                    self._left -= 1
                    yield path, kind


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name.casefold())
    except OSError:  # gone meanwhile, or not ours to read
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _lies_within(path: Path, roots: Iterable[Path]) -> bool:
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(root) for root in roots)


def _told(home: Path, roots: list[Path], path: Path, kind: str) -> dict[str, Any]:
    """A file for a client: as a patch names it, shortly where that leads to it."""
    root = next(item for item in roots if path.is_relative_to(item))
    text = path.relative_to(root).as_posix()
    try:
        found = resolve_media(home, text, roots)
    except MediaError:
        found = None
    named = text if found == Path(os.path.realpath(path)) else str(path)
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    return {"path": named, "name": text, "kind": kind, "bytes": size}


@request("peaks", slow=True, path=needed(TEXT), points=COUNT)
def peaks(client: Client, asked: Asked) -> Asked:
    """How a sound file looks: its length, rate and channels, and the lowest and highest sample of so many pieces."""
    path = named(client.session, asked["path"], SOUND)
    return waveform(path, min(max(asked.get("points", POINTS), 1), MOST_POINTS))


@request("preview", slow=True, path=TEXT)
def preview(client: Client, asked: Asked) -> Asked:
    """Play a sound file once beside the patch, on the same device, without touching it; without `path`, stop that."""
    session = client.session
    if "path" not in asked:
        session.errands.previewing.stop()
        return {"path": None, "seconds": 0.0}
    path = named(session, asked["path"], SOUND)
    return {"path": asked["path"], "seconds": session.errands.previewing.play(asked["path"], path)}


def waveform(path: Path, points: int) -> dict[str, Any]:
    """Length, rate, channels and peaks of a sound file; with no points, without the peaks. Raises MediaError."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            frames = max(0, int(file.frames))
            low, high = _peaks(file, frames, min(points, frames))
            return {
                "frames": frames, "rate": int(file.samplerate), "channels": int(file.channels),
                "seconds": frames / file.samplerate, "format": f"{file.format}, {file.subtype}", "low": low,
                "high": high,
            }  # fmt: skip
    except NodegraphError:
        raise
    except (soundfile.LibsndfileError, OSError, RuntimeError, ValueError) as error:
        what = f"The file {quoted(path.name)} cannot be read as sound ({str(error).rstrip('.')})."
        raise MediaError(Problem("bad-sound", what, "Give a file that plays elsewhere.")) from error


def _peaks(file: Any, frames: int, points: int) -> tuple[list[float], list[float]]:
    low, high = [], []
    for number in range(points):
        begin, end = frames * number // points, frames * (number + 1) // points
        read = min(end - begin, max(1, MOST_READ // points))
        if read < end - begin or number == 0:
            file.seek(begin)
        lows, highs = zip(*_extremes(file, read), strict=True)
        low.append(round(min(lows), 3))
        high.append(round(max(highs), 3))
    return low, high


def _extremes(file: Any, frames: int) -> Iterator[tuple[float, float]]:
    """The lowest and highest sample of each block that is read next; of a file that ends before it should, silence."""
    for at in range(0, frames, BLOCK):
        block = file.read(min(BLOCK, frames - at), dtype="float32", always_2d=True)
        block = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
        yield (float(block.min()), float(block.max())) if len(block) else (0.0, 0.0)
