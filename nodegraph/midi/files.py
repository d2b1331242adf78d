"""Standard MIDI files: read into beats, written from beats. mido does the bytes.

Source: Standard MIDI Files 1.0, MMA, 1996.
"""

from __future__ import annotations

import importlib
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.replacing import replace_file

SUFFIXES: Final = (".mid", ".midi", ".smf")
TICKS: Final = 960
"""Ticks a beat of the files that are written."""
MOST_BYTES: Final = 64 << 20
MOST_EVENTS: Final = 1_000_000
USUAL_BPM: Final = 120.0


class Played(NamedTuple):
    """A message at its beat; or, with a tempo and no message, the tempo from there on."""

    beat: float
    data: bytes
    bpm: float = 0.0


@dataclass(frozen=True)
class Song:
    """What a file holds: all of its tracks, in the order of time. `beats`: how long it is."""

    events: tuple[Played, ...]
    beats: float


def _mido() -> Any:
    try:
        return importlib.import_module("mido")
    except ImportError as error:
        what, do = "MIDI files need the package mido.", "pip install nodegraph[midi] brings it."
        raise MediaError(Problem("no-mido", what, do)) from error


def read_song(path: Path) -> Song:
    """A whole file. Raises MediaError when it is missing, damaged, or too large."""
    if not path.is_file():
        raise MediaError(Problem("no-file", f"There is no MIDI file {path.name!r}.", "Check the name."))
    mido = _mido()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MB")
        file = mido.MidiFile(file=io.BytesIO(path.read_bytes()), clip=True)
        return _song(mido, file)
    except (
        Exception
    ) as error:  # a damaged file has mido raise OSError, EOFError, ValueError, and what its bytes lead to
        reason = str(error).rstrip(".") or type(error).__name__
        what = f"The file {path.name!r} cannot be read as MIDI ({reason})."
        raise MediaError(Problem("bad-midi", what, "Give a standard MIDI file that plays elsewhere.")) from error


def _song(mido: Any, file: Any) -> Song:
    division = int(file.ticks_per_beat)
    if division < 0:  # frames of a film a second, and ticks a frame: a beat lasts half a second
        frames, ticks = -(division >> 8), division & 0xFF
        division = round(frames * ticks / 2)
    if division <= 0:
        raise ValueError("it has no ticks a beat")
    events: list[Played] = []
    ticks = 0
    for message in mido.merge_tracks(file.tracks):
        ticks += message.time
        beat = ticks / division
        if message.type == "set_tempo":
            events.append(Played(beat, b"", min(max(60e6 / max(message.tempo, 1), 1.0), 1_000.0)))
        elif not message.is_meta:
            events.append(Played(beat, bytes(message.bytes())))
        if len(events) > MOST_EVENTS:
            raise ValueError(f"it has more than {MOST_EVENTS} messages")
    return Song(tuple(events), ticks / division)


def check_target(path: Path) -> None:
    """Raises MediaError when this cannot become a MIDI file."""
    if path.suffix.lower() not in SUFFIXES:
        what = f"{quoted(path.name)} has no suffix of a MIDI file."
        raise MediaError(Problem("bad-format", what, "Name it .mid."))
    if not path.parent.is_dir() or path.is_dir():
        raise MediaError(Problem("unwritable", f"{quoted(path.name)} cannot be written there.", "Make the folder."))


def write_song(path: Path, events: Iterable[Played], beats: float, title: str = "") -> None:
    """Write a file of one track, in one step: what stood there before stays until the new one is whole.

    Raises MediaError; nothing is left behind then.
    """
    check_target(path)
    mido = _mido()
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS)
    track = mido.MidiTrack()
    file.tracks.append(track)
    if title:
        track.append(mido.MetaMessage("track_name", name=title.encode("latin-1", "replace").decode("latin-1")))
    at = 0
    for event in events:
        ticks = max(round(event.beat * TICKS), at)
        if event.bpm:
            made = mido.MetaMessage("set_tempo", tempo=min(max(round(60e6 / event.bpm), 1), 0xFFFFFF))
        else:
            made = mido.Message.from_bytes(event.data)
        made.time = ticks - at
        track.append(made)
        at = ticks
    track.append(mido.MetaMessage("end_of_track", time=max(round(beats * TICKS) - at, 0)))
    out = io.BytesIO()
    file.save(file=out)
    try:
        replace_file(path, out.getvalue())
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        what = f"{quoted(path.name)} cannot be written ({reason})."
        raise MediaError(Problem("unwritable", what, "Check the folder and the disk.")) from error
