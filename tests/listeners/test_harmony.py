"""Keys and chords of instruments that fluidsynth plays, and of a recorded guitar, are named right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.nodes.analysis.harmony import CHORDS, KINDS, NAMES, chord_fits, key_fits
from nodegraph.nodes.analysis.pitch_classes import Classes, PitchClasses
from tests.listeners.sounds import played

RATE = 44_100
SIZE = 16_384
PROGRAMS = {"piano": 0, "guitar": 24, "strings": 48, "organ": 16}
DUR_S = 1.2
CADENCES = {
    False: [(0, ""), (5, ""), (7, ""), (9, "m"), (7, ""), (0, "")],
    True: [(0, "m"), (5, "m"), (7, ""), (8, ""), (7, ""), (0, "m")],
}


def root_and_kind(name: str) -> tuple[int, str]:
    root = next(other for other in sorted(NAMES, key=len, reverse=True) if name.startswith(other))
    return NAMES.index(root), name[len(root) :]


def progression(chords: list[str], program: int, folder: Path) -> Any:
    """Each chord with its root in the bass, DUR_S long."""
    notes = []
    for number, name in enumerate(chords):
        root, kind = root_and_kind(name)
        keys = [36 + root, *(48 + (root + step) % 12 for step in KINDS[kind])]
        notes += [(number * DUR_S, 0.98 * DUR_S, key) for key in keys]
    return played(notes, RATE, folder, program)


def heard(sound: Any, kind: str, outlet: str, **controls: float) -> list[tuple[float, Any]]:
    patch = Patch("Harmony")
    patch.connect(patch.add("in~", "in"), patch.add(kind, "ears", **controls))
    patch.connect("in", patch.add("out~", "out"))
    made = patch.render(input=np.asarray(sound, np.float32)[None], rate=RATE, block=512)
    return [(event.time, event.value) for event in made[f"ears.{outlet}"]]


@pytest.mark.parametrize(("program", "least"), [("piano", 15), ("strings", 15), ("organ", 15), ("guitar", 12)])
def test_chords_of_three_notes_are_named(program: str, least: int, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    chords = [f"{NAMES[random.integers(12)]}{('', 'm')[random.integers(2)]}" for _ in range(16)]
    said = heard(progression(chords, PROGRAMS[program], tmp_path), "chords~", "chord")
    right = 0
    for number, wanted in enumerate(chords):
        now = [name for time, name in said if time <= (number + 0.75) * DUR_S]
        right += bool(now) and now[-1] == wanted
    assert right >= least, f"{right} of 16: {said}"


@pytest.mark.parametrize("root", range(0, 12, 3))
@pytest.mark.parametrize("minor", [False, True])
def test_the_key_of_a_cadence_is_found(root: int, minor: bool, tmp_path: Path) -> None:
    chords = [f"{NAMES[(root + step) % 12]}{kind}" for step, kind in CADENCES[minor]]
    said = heard(progression(chords, 0, tmp_path), "key~", "key")
    assert said and said[-1][1] == f"{NAMES[root]}{'m' if minor else ''}", said


def test_a_recorded_guitar_plays_g_e_minor_and_d(demo: Any) -> None:
    said = [name for _, name in heard(demo("guitar", RATE), "chords~", "chord")]
    assert {"G", "D"} <= set(said) and set(said) & {"Em", "Em7"}
    assert [name for _, name in heard(demo("guitar", RATE), "key~", "key")][-1] in ("G", "D")


def test_overtones_are_no_notes() -> None:
    """A tone with twelve overtones is one pitch class, wherever it is tuned."""
    time = np.arange(SIZE) / RATE
    for cents in (-35.0, 0.0, 30.0):
        hz = 220.0 * 2.0 ** (cents / 1200.0)
        tone = sum(np.sin(2 * np.pi * hz * n * time) / n for n in range(1, 13))
        classes = PitchClasses(RATE, SIZE)
        for _ in range(30):
            found = classes.hear((0.2 * tone).astype(np.float32))
        assert classes.tuning_cents == pytest.approx(cents, abs=6.0)
        total = found.treble + found.bass
        assert total.argmax() == 9 and np.sort(total)[-2] < 0.25 * total.max()


def test_silence_has_no_chord_and_templates_fit_themselves() -> None:
    none = chord_fits(Classes(np.zeros(12), np.zeros(12), 0.0))
    assert none.argmax() == len(CHORDS)
    for number, name in enumerate(CHORDS):
        root, kind = root_and_kind(name)
        treble, bass = np.zeros(12), np.zeros(12)
        treble[[(root + step) % 12 for step in KINDS[kind]]] = 1.0
        bass[root] = 1.0
        assert chord_fits(Classes(bass, treble, 0.1)).argmax() == number, name
    assert key_fits(np.array([1.0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1])).argmax() % 12 in (0, 9)


def test_pitch_classes_come_ten_times_a_second(demo: Any) -> None:
    found = heard(demo("guitar", RATE)[: 3 * RATE], "chroma~", "pitches")
    times = [time for time, _ in found]
    assert np.diff(times) == pytest.approx(0.1, abs=1e-3) and len(times) > 20
    assert all(value.shape == (12,) and value.max() <= 1.0 for _, value in found)
