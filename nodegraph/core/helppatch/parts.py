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


def _noise(sketch: Sketch, words: list[str]) -> str:
    return f"{sketch.add('noise', 'noise~')}.y"


def _lfo(sketch: Sketch, words: list[str]) -> str:
    low, high, freq = (float(word) for word in words[:3])
    shape = words[3] if len(words) > 3 else "sine"
    return f"{_fresh(sketch, 'sweep', 'lfo~', freq=freq, low=low, high=high, shape=shape)}.y"


def _stereo(sketch: Sketch, words: list[str]) -> str:
    sketch.add("both", "pack~")
    sketch.join(_wave("saw~")(sketch, ["110"]), "both.x1")
    sketch.join(_wave("sine~")(sketch, ["220"]), "both.x2")
    return "both.y"


def _bang(sketch: Sketch, words: list[str]) -> str:
    sketch.add("clock", "metro", interval=BEAT_S)
    return "clock.bang"


def _numbers(sketch: Sketch, words: list[str]) -> str:
    sketch.add("draw", "random", seed=2)
    sketch.join(_bang(sketch, []), "draw.x")
    return "draw.y"


def _values(sketch: Sketch, words: list[str]) -> str:
    id = _fresh(sketch, "values", "sequence", values=[float(word) for word in words])
    sketch.join(_bang(sketch, []), f"{id}.x")
    return f"{id}.y"


def _pitches(sketch: Sketch, words: list[str]) -> str:
    sketch.add("tune", "sequence", values=[57, 60, 64, 67, 69, 72])
    sketch.join(_bang(sketch, []), "tune.x")
    return "tune.y"


def _hz(sketch: Sketch, words: list[str]) -> str:
    sketch.add("hz", "mtof")
    sketch.join(_pitches(sketch, []), "hz.x")
    return "hz.y"


def _notes(sketch: Sketch, words: list[str]) -> str:
    sketch.add("notes", "makenote", duration=0.2)
    sketch.join(_pitches(sketch, []), "notes.x")
    return "notes.y"


def _message(sketch: Sketch, words: list[str]) -> str:
    id = _fresh(sketch, "message", "message", text=" ".join(words))
    sketch.join(_bang(sketch, []), f"{id}.x")
    return f"{id}.y"


def _once(sketch: Sketch, words: list[str]) -> str:
    sketch.add("begin", "loadbang")
    return "begin.bang"


def _switch(sketch: Sketch, words: list[str]) -> str:
    sketch.add("turn", "toggle")
    sketch.join(_bang(sketch, []), "turn.x")
    return "turn.y"


def _pluck(sketch: Sketch, words: list[str]) -> str:
    sketch.add("string", "pluck~")
    sketch.join(_hz(sketch, []), "string.freq")
    sketch.join(_bang(sketch, []), "string.pluck")
    return "string.y"


def _array(sketch: Sketch, words: list[str]) -> str:
    """A spectrum of a string that is plucked, some ninety times a second."""
    sketch.add("spectrum", "spectrum~")
    sketch.join(_pluck(sketch, []), "spectrum.x")
    return "spectrum.column"


def _other_array(sketch: Sketch, words: list[str]) -> str:
    sketch.add("other", "spectrum~")
    sketch.join(_wave("saw~")(sketch, ["220"]), "other.x")
    return "other.column"


def _codes(sketch: Sketch, words: list[str]) -> str:
    sketch.add("codes", "codes.read", file="help-codes.safetensors", loop=True)
    return "codes.codes"


SOURCES: Final[Mapping[str, Source]] = {
    "saw": _wave("saw~"), "sine": _wave("sine~"), "square": _wave("square~"), "noise": _noise, "lfo": _lfo,
    "stereo": _stereo, "bang": _bang, "numbers": _numbers, "values": _values, "pitches": _pitches, "hz": _hz,
    "notes": _notes, "message": _message, "once": _once, "switch": _switch, "pluck": _pluck, "array": _array,
    "other-array": _other_array, "codes": _codes,
}  # fmt: skip


# -- ears


def _out(sketch: Sketch, outlet: str) -> None:
    sketch.add("level", "gain~", gain=LEVEL)
    sketch.join(outlet, "level.x")
    sketch.add("out", "out~")
    sketch.join("level.y", "out.x")


def _print(sketch: Sketch, outlet: str) -> None:
    port = outlet.split(".")[1]
    sketch.add(f"said_{port}", "print", label=port)
    sketch.join(outlet, f"said_{port}.x")


def _freq(sketch: Sketch, outlet: str) -> None:
    """A signal of about 0 to 1 as the pitch of a tone."""
    sketch.add("pitch", "scale~", mul=440.0, add=220.0)
    sketch.join(outlet, "pitch.x")
    _hertz(sketch, "pitch.y")


def _loudness(sketch: Sketch, outlet: str) -> None:
    """A signal of about 0 to 1 as the loudness of a tone."""
    sketch.add("tone", "triangle~", freq=220.0)
    sketch.add("loudness", "*~")
    sketch.join("tone.y", "loudness.x")
    sketch.join(outlet, "loudness.b")
    _out(sketch, "loudness.y")


def _strike(sketch: Sketch, outlet: str) -> None:
    """Each message plucks a string."""
    sketch.add("struck", "pluck~", freq=330.0)
    sketch.join(outlet, "struck.pluck")
    _out(sketch, "struck.y")


def _hertz(sketch: Sketch, outlet: str) -> None:
    """Numbers as the frequency of a tone."""
    sketch.add("tone", "sine~")
    sketch.join(outlet, "tone.freq")
    _out(sketch, "tone.y")


def _map(sketch: Sketch, outlet: str) -> None:
    """Arrays as places on a map: such as are alike lie near one another."""
    sketch.add("map", "vector.map")
    sketch.join(outlet, "map.vector")
    _print(sketch, "map.x")
    _print(sketch, "map.y")


def _midi(sketch: Sketch, outlet: str) -> None:
    """MIDI pitches as a tone."""
    sketch.add("pitch_hz", "mtof")
    sketch.join(outlet, "pitch_hz.x")
    _hertz(sketch, "pitch_hz.y")


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
    "out": _out, "print": _print, "freq": _freq, "loudness": _loudness, "strike": _strike, "hertz": _hertz,
    "map": _map, "midi": _midi, "voices": _voices,
}  # fmt: skip
