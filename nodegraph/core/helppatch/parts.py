"""What plays into a node in its help patch, and what makes heard or seen what it says.

A source is a word and perhaps numbers: ``saw 110``, ``lfo 200 4000 0.5``, ``values 0 1``, ``message 60 64 67``. An ear
is a word: ``out``, ``print``, ``freq``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from nodegraph.core.helppatch.sketch import Sketch

Source = Callable[[Sketch, list[str]], str]
"""Adds what it needs to a sketch; gives the outlet."""
Ear = Callable[[Sketch, str], None]
"""Hears an outlet."""
BEAT_S: Final = 0.25
LEVEL: Final = 0.2
"""How loud help patches are: a full-scale wave is 14 dB below full scale."""


def source(sketch: Sketch, words: str) -> str:
    """The outlet of a source, made if it is not there yet."""
    name, *rest = words.split()
    return SOURCES[name](sketch, rest)


def hear(sketch: Sketch, words: str, outlet: str) -> None:
    """Have an ear, or several, hear an outlet."""
    for name in words.split():
        EARS[name](sketch, outlet)


def _fresh(sketch: Sketch, stem: str, kind: str, **values: object) -> str:
    """A node of its own: the id is the stem, or the stem and a number; a node that is the same serves for both."""
    number, id = 1, stem
    while id in sketch.nodes and sketch.nodes[id] != {"kind": kind, **values}:
        number += 1
        id = f"{stem}{number}"
    return sketch.add(id, kind, **values)


# -- sources


def _wave(kind: str) -> Source:
    def made(sketch: Sketch, words: list[str]) -> str:
        return f"{_fresh(sketch, kind.rstrip('~'), kind, freq=float(words[0]) if words else 110.0)}.y"

    return made


def _fed(feed: str, id: str, kind: str, outlet: str = "y", **values: object) -> Source:
    """A node that another source plays into."""

    def made(sketch: Sketch, words: list[str]) -> str:
        sketch.add(id, kind, **values)
        sketch.join(source(sketch, feed), f"{id}.x")
        return f"{id}.{outlet}"

    return made


def _noise(sketch: Sketch, words: list[str]) -> str:
    return f"{sketch.add('noise', 'noise~')}.y"


def _lfo(sketch: Sketch, words: list[str]) -> str:
    low, high, freq = (float(word) for word in words[:3])
    shape = words[3] if len(words) > 3 else "sine"
    return f"{_fresh(sketch, 'sweep', 'lfo~', freq=freq, low=low, high=high, shape=shape)}.y"


def _stereo(sketch: Sketch, words: list[str]) -> str:
    sketch.add("both", "pack~")
    sketch.join(source(sketch, "saw 110"), "both.x1")
    sketch.join(source(sketch, "sine 220"), "both.x2")
    return "both.y"


def _bang(sketch: Sketch, words: list[str]) -> str:
    sketch.add("clock", "metro", interval=BEAT_S)
    return "clock.bang"


def _values(sketch: Sketch, words: list[str]) -> str:
    id = _fresh(sketch, "values", "sequence", values=[float(word) for word in words])
    sketch.join(source(sketch, "bang"), f"{id}.x")
    return f"{id}.y"


def _message(sketch: Sketch, words: list[str]) -> str:
    id = _fresh(sketch, "message", "message", text=" ".join(words))
    sketch.join(source(sketch, "bang"), f"{id}.x")
    return f"{id}.y"


def _once(sketch: Sketch, words: list[str]) -> str:
    sketch.add("begin", "loadbang")
    return "begin.bang"


def _pluck(sketch: Sketch, words: list[str]) -> str:
    sketch.add("string", "pluck~")
    sketch.join(source(sketch, "hz"), "string.freq")
    sketch.join(source(sketch, "bang"), "string.pluck")
    return "string.y"


def _codes(sketch: Sketch, words: list[str]) -> str:
    sketch.add("codes", "codes.read", file="help-codes.safetensors", loop=True)
    return "codes.codes"


SOURCES: Final[Mapping[str, Source]] = {
    "saw": _wave("saw~"), "sine": _wave("sine~"), "square": _wave("square~"), "noise": _noise, "lfo": _lfo,
    "stereo": _stereo, "bang": _bang, "values": _values, "message": _message, "once": _once, "pluck": _pluck,
    "codes": _codes,
    "numbers": _fed("bang", "draw", "random", seed=2),
    "switch": _fed("bang", "turn", "toggle"),
    "pitches": _fed("bang", "tune", "sequence", values=[57, 60, 64, 67, 69, 72]),
    "hz": _fed("pitches", "hz", "mtof"),
    "notes": _fed("pitches", "notes", "makenote", duration=0.2),
    "array": _fed("pluck", "spectrum", "spectrum~", "column"),
    "other-array": _fed("saw 220", "other", "spectrum~", "column"),
}  # fmt: skip
"""``array`` is a spectrum of a string that is plucked, some ninety times a second."""


# -- ears


def _heard_by(id: str, kind: str, inlet: str, then: str, **values: object) -> Ear:
    """A node hears the outlet, and another ear hears the node."""

    def made(sketch: Sketch, outlet: str) -> None:
        sketch.add(id, kind, **values)
        sketch.join(outlet, f"{id}.{inlet}")
        hear(sketch, then, f"{id}.y")

    return made


def _out(sketch: Sketch, outlet: str) -> None:
    sketch.add("level", "gain~", gain=LEVEL)
    sketch.join(outlet, "level.x")
    sketch.add("out", "out~")
    sketch.join("level.y", "out.x")


def _print(sketch: Sketch, outlet: str) -> None:
    port = outlet.split(".")[1]
    sketch.add(f"said_{port}", "print", label=port)
    sketch.join(outlet, f"said_{port}.x")


def _loudness(sketch: Sketch, outlet: str) -> None:
    """A signal of about 0 to 1 as the loudness of a tone."""
    sketch.add("tone", "triangle~", freq=220.0)
    sketch.add("loudness", "*~")
    sketch.join("tone.y", "loudness.x")
    sketch.join(outlet, "loudness.b")
    _out(sketch, "loudness.y")


def _map(sketch: Sketch, outlet: str) -> None:
    """Arrays as places on a map: such as are alike lie near one another."""
    sketch.add("map", "vector.map")
    sketch.join(outlet, "map.vector")
    _print(sketch, "map.x")
    _print(sketch, "map.y")


def _voices(sketch: Sketch, outlet: str) -> None:
    """Notes as an instrument."""
    sketch.add("voices", "voices~", count=4)
    sketch.join(outlet, "voices.notes")
    voiced(sketch, "voices")


def voiced(sketch: Sketch, voices: str) -> None:
    """What sounds behind a `voices~`."""
    sketch.add("wave", "saw~")
    sketch.add("hull", "adsr~", attack=0.01, decay=0.2, sustain=0.4, release=0.2)
    sketch.add("shaped", "*~")
    sketch.add("sum", "sum~")
    sketch.add("soft", "gain~", gain=0.4)
    for outlet, inlet in (
        (f"{voices}.freq", "wave.freq"), (f"{voices}.gate", "hull.gate"), ("wave.y", "shaped.x"),
        ("hull.y", "shaped.b"), ("shaped.y", "sum.x"), ("sum.y", "soft.x"),
    ):  # fmt: skip
        sketch.join(outlet, inlet)
    _out(sketch, "soft.y")


EARS: Final[Mapping[str, Ear]] = {
    "out": _out, "print": _print, "loudness": _loudness, "map": _map, "voices": _voices,
    "hertz": _heard_by("tone", "sine~", "freq", "out"),
    "freq": _heard_by("pitch", "scale~", "x", "hertz", mul=440.0, add=220.0),
    "midi": _heard_by("pitch_hz", "mtof", "x", "hertz"),
    "strike": _heard_by("struck", "pluck~", "pluck", "out", freq=330.0),
}  # fmt: skip
"""``hertz`` hears numbers as the frequency of a tone, ``freq`` a signal of about 0 to 1 as its pitch, ``midi`` MIDI
pitches; ``strike`` plucks a string at each message."""
