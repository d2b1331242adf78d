"""A patch that is played by chance, kept as a performance, and what the files of it hold."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from nodegraph import Patch, PatchError
from nodegraph.core.messages import MidiIn, Note
from nodegraph.core.osc import OscIn
from nodegraph.core.registry import Registry
from nodegraph.session.session import Session

RATE = 48_000


def band(kinds: Registry | None = None) -> Patch:
    """A voice, a clock, chance, notes, and presets that a counter recalls."""
    patch = Patch("Band", kinds=kinds)
    patch.connect(
        patch.add("saw~", "osc", freq=220), patch.add("svf~", "cut", cutoff=2_000),
        patch.add("gain~", "level", gain=0.2), patch.add("out~", "out"),
    )  # fmt: skip
    patch.add("metro", "clock", interval=0.11)
    patch.connect("clock.bang", patch.add("random", "chance", low=100, high=900, seed=3), "osc.freq")
    patch.add("transport", "time")
    patch.add("every", "beat", beats=0.25)
    patch.add("voices~", "voices", count=3)
    patch.connect("voices.freq", patch.add("sine~", "sines").freq)
    patch.connect("voices.gate", patch.add("adsr~", "shape", release=0.1).gate)
    patch.connect(
        "sines", patch.add("*~", "loud"), patch.add("sum~", "sum"), patch.add("gain~", "far", gain=0.1), "out"
    )
    patch.connect("shape", "loud.b")
    dark = {"cut.cutoff": 300, "level.gain": 0.3, "clock.interval": 0.2}
    bright = {"cut.cutoff": 9_000, "level.gain": 0.1, "clock.interval": 0.05}
    patch.do({"do": "store-preset", "preset": "dark", "values": dark})
    patch.do({"do": "store-preset", "preset": "bright", "values": bright})
    patch.add("preset", "colours", time=0.3, curve="smooth", among=["dark", "bright"])
    patch.connect("beat.count", patch.add("counter", "turns", modulo=2))
    patch.connect("turns.carry", "colours.recall")
    patch.connect(patch.add("notein", "keys").note, "voices.notes")
    patch.connect(patch.add("osc.receive", "mail", address="/far").message, "far.gain")
    return patch


def do_something(session: Session, choose: random.Random, number: int, edits: bool) -> None:
    """One act of a performance, or an edit."""
    what = choose.randrange(11 if edits else 10)
    assert session.playing is not None
    if what == 0:
        session.set("cut.cutoff", choose.uniform(100.0, 8_000.0))
    elif what == 1:
        session.set("osc.freq", choose.uniform(100.0, 800.0), ramp_s=choose.uniform(0.0, 0.5))
    elif what == 2:
        session.transport(tempo=choose.uniform(60.0, 200.0), locate=choose.uniform(0.0, 8.0))
    elif what == 3:
        session.presets.recall(choose.choice(["dark", "bright"]), choose.uniform(0.0, 1.0), curve="smooth")
    elif what == 4:
        session.presets.randomise(0.3, seed=number, addresses=["cut.cutoff", "level.gain"])
    elif what == 5:
        session.set("voices.notes", Note(choose.randrange(40, 80), 0.8, choose.uniform(0.05, 0.3)))
    elif what == 6:  # ahead of time, as bundles with time tags are
        frame = session.playing.player.engine.done + choose.randrange(20_000)
        session.set("colours.x", choose.random(), frame=frame)
    elif what == 7:
        session.presets.morph(["dark", "bright"], choose.random(), seconds=0.1)
    elif what == 8:  # as a bank of faders sends them
        places = (("cut", "cutoff"), ("level", "gain"), ("clock", "interval"))
        values = (choose.uniform(100.0, 8_000.0), choose.uniform(0.05, 0.3), choose.uniform(0.05, 0.3))
        session.playing.player.act("sets", places, values)
    elif what == 9:  # by the doors
        note = MidiIn("keys", bytes((choose.choice((0x80, 0x90)), choose.randrange(40, 80), 100)))
        session.playing.player.act("arrive", "midi", note)
        session.playing.player.act("arrive", "osc", OscIn("/far", (choose.uniform(0.05, 0.2),)))
    else:
        tone = f"tone{number}"
        session.edit([
            {"do": "add", "node": tone, "kind": "sine~", "values": {"freq": choose.uniform(100.0, 500.0)}},
            {"do": "connect", "cable": f"{tone}.y -> level.x"},
        ])  # fmt: skip


def perform(folder: Path, seconds: float, *, edits: bool, seed: int = 1, **options: Any) -> Session:
    """Play and do things by chance for so many seconds of sound."""
    session = Session(
        band(), seconds=seconds, record=folder / "take.wav", keep_performance=folder / "take.ngp",
        **{"driver": "null", **options},
    )  # fmt: skip
    session.play()
    playing = session.playing
    assert playing is not None
    choose, number, due = random.Random(seed), 0, 0.0
    while playing.running:
        if playing.time < due:
            time.sleep(0.001)
            continue
        number, due = number + 1, playing.time + 0.02
        try:
            do_something(session, choose, number, edits)
        except PatchError as error:  # it was over meanwhile
            assert error.problems[0].code == "not-playing", error
    playing.wait(60)
    assert playing.error is None and playing.lost == 0
    return session


def take(folder: Path) -> np.ndarray[Any, Any]:
    return soundfile.read(folder / "take.wav", dtype="float32")[0].T


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
