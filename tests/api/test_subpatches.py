"""Patches inside patches are heard as what they are made of, and can be played from outside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nodegraph import Patch, PatchError
from tests.core.test_subpatches import write

TONE = {
    "freq": {"kind": "param", "default": 220, "low": 20, "high": 2_000, "unit": "Hz"},
    "tempo": {"kind": "param", "default": 0.1, "low": 0.01, "high": 2},
    "wave": {"kind": "saw~"},
    "cut": {"kind": "svf~"},
    "beat": {"kind": "metro"},
    "hit": {"kind": "outlet"},
    "y": {"kind": "outlet~"},
}
CABLES = ["freq.y -> wave.freq", "wave.y -> cut.x", "cut.low -> y.x", "tempo.y -> beat.interval", "beat.bang -> hit.x"]


@pytest.fixture
def patch(tmp_path: Path) -> Patch:
    write(tmp_path / "tone.ng", TONE, CABLES)
    write(
        tmp_path / "main.ng",
        {
            "one": {"kind": "tone.ng", "freq": 330}, "two": {"kind": "tone.ng"}, "soft": {"kind": "gain~", "gain": 0.2},
            "out": {"kind": "out~"},
        },
        ["one.y -> soft.x", "two.y -> soft.x", "soft.y -> out.x"],
    )  # fmt: skip
    return Patch.open(tmp_path / "main.ng")


def alone(freq: float) -> Patch:
    patch = Patch()
    wave, cut = patch.add("saw~", freq=freq), patch.add("svf~")
    patch.connect(wave, cut, patch.add("gain~", "soft", gain=0.2), patch.add("out~"))
    return patch


def test_it_sounds_as_its_nodes_do(patch: Patch) -> None:
    flat = alone(330)
    wave, cut = flat.add("saw~", freq=220), flat.add("svf~")
    flat.connect(wave, cut, "soft")
    assert np.array_equal(patch.render(seconds=0.5).audio, flat.render(seconds=0.5).audio)


def test_what_comes_out_of_it_is_heard_under_its_name(patch: Patch) -> None:
    made = patch.render(seconds=0.45)
    assert [round(event.time, 3) for event in made["one.hit"]] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert made["one/beat.bang"], "and what happens inside it under the names of its nodes"
    assert not any(name.startswith("one/hit") for name in made.events)


def test_parameters_are_moved_from_outside_while_it_plays(patch: Patch) -> None:
    with patch.play(driver="null") as playing:
        for event in playing.watch("one.hit"):
            if event.frame == 0:
                playing.set("one.tempo", 0.02)
            elif event.time > 0.4:
                break
        playing.set("two.freq", 500)
        with pytest.raises(PatchError, match="20 to 2000 Hz"):
            playing.set("two.freq", 1)
        with pytest.raises(PatchError, match="nothing"):
            playing.set("two.nothing", 1)


def test_a_signal_moves_a_parameter_sample_by_sample(patch: Patch, tmp_path: Path) -> None:
    patch.connect(patch.add("scale~", "up", mul=50, add=330), "one.freq")
    patch.connect(patch.add("sine~", "lfo", freq=7), "up")
    flat = alone(330)
    flat.connect(flat.add("sine~", freq=7), flat.add("scale~", "up", mul=50, add=330), "saw1.freq")
    wave, cut = flat.add("saw~", freq=220), flat.add("svf~")
    flat.connect(wave, cut, "soft")
    assert np.array_equal(patch.render(seconds=0.5).audio, flat.render(seconds=0.5).audio)


def test_a_subpatch_that_was_saved_anew_is_taken_in_without_a_click(patch: Patch, tmp_path: Path) -> None:
    with patch.play(driver="null", record=tmp_path / "take.wav") as playing:
        write(tmp_path / "tone.ng", {**TONE, "wave": {"kind": "sine~"}}, CABLES)
        playing.update()
        until = playing.time + 0.2
        for event in playing.watch("one/beat.bang"):
            if event.time > until:
                break
        (tmp_path / "tone.ng").unlink()
        with pytest.raises(PatchError, match=r"main.ng.*There is no patch file 'tone.ng'"):
            playing.update()
        assert playing.running, "the sound that was playing goes on"
        write(tmp_path / "tone.ng", TONE, CABLES)
        playing.update()
    assert playing.error is None


def test_a_patch_with_ports_plays_by_itself(tmp_path: Path) -> None:
    write(
        tmp_path / "alone.ng",
        {
            "x": {"kind": "inlet~"}, "level": {"kind": "param", "default": 0.5}, "tone": {"kind": "sine~"},
            "g": {"kind": "gain~"}, "y": {"kind": "outlet~"}, "out": {"kind": "out~"},
        },
        ["x.y -> g.x", "tone.y -> g.x", "level.y -> g.gain", "g.y -> y.x", "g.y -> out.x"],
    )  # fmt: skip
    sound = Patch.open(tmp_path / "alone.ng").render(seconds=0.1).audio
    assert np.abs(sound).max() == pytest.approx(0.5, abs=1e-3)


def test_a_file_inside_is_found_and_what_is_missing_is_told_with_its_place(tmp_path: Path) -> None:
    write(tmp_path / "parts" / "player.ng", {"sound": {"kind": "play~", "file": "gone.wav"}, "y": {"kind": "outlet~"}})
    write(tmp_path / "main.ng", {"p": {"kind": "parts/player.ng"}, "out": {"kind": "out~"}}, ["p.y -> out.x"])
    (problem,) = Patch.open(tmp_path / "main.ng").check()
    assert problem.file == str(tmp_path / "parts" / "player.ng") and "gone.wav" in problem.what
    assert json.loads((tmp_path / "parts" / "player.ng").read_text())


def test_a_media_folder_holds_patches_that_are_nodes_as_well_as_sounds(tmp_path: Path) -> None:
    write(tmp_path / "parts" / "tone.ng", TONE, CABLES)
    built = Patch(media=[tmp_path / "parts"])
    built.connect(built.add("tone.ng", "one", freq=330).y, built.add("out~", "out"))
    (tmp_path / "song").mkdir()
    built.save(tmp_path / "song" / "main.ng")
    opened = Patch.open(tmp_path / "song" / "main.ng", media=[tmp_path / "parts"])
    assert opened.check() == []
    assert np.array_equal(opened.render(seconds=0.1).audio, built.render(seconds=0.1).audio)
    made = opened.render(seconds=0.1).save(tmp_path / "song" / "main.wav")
    assert Patch.open(made, media=[tmp_path / "parts"]).check() == []
    (problem,) = Patch.open(made).check()
    assert "tone.ng" in problem.what
