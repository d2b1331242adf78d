"""Files that change while their patch plays: taken over when they are good and trusted, told when not; the sound goes
on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import Patch, PatchError, trust
from nodegraph.api.playing import Playing
from nodegraph.api.watching import Watch
from nodegraph.core.trust import trusted
from nodegraph.runtime.kernels.jit import Jit
from nodegraph.usernodes import reading
from tests.runtime.editing import SMOOTH
from tests.runtime.playing import click
from tests.usernodes.files import COUNT, TONE, patch_text, until, write

NODES = {
    "a": {"kind": "tone.py"}, "b": {"kind": "tone.py", "freq": 330}, "left": {"kind": "out~", "channels": 1},
    "pure": {"kind": "sine~", "freq": 100}, "right": {"kind": "out~", "channel": 2, "channels": 1},
    "soft": {"kind": "gain~", "gain": 0.02},
}  # fmt: skip
CABLES = ["a.y -> left.x", "b.y -> left.x", "pure.y -> soft.x", "soft.y -> right.x"]
LOUDER = TONE.replace("0.02 *", "0.05 *")
BROKEN = TONE.replace("return 0.02 * sin_pi", "return 0.02 * sorted")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NODEGRAPH_CONFIG", str(tmp_path / "config"))
    home = tmp_path / "home"
    home.mkdir()
    trust(write(home / "tone.py", TONE))
    write(home / "main.ng", patch_text(NODES, CABLES))
    return home


@contextmanager
def watched(folder: Path, *, trust_edits: bool = True) -> Iterator[tuple[Playing, Watch]]:
    """The patch plays, and its files are watched; in the end no click was heard and the right side kept every bit."""
    take = folder.parent / "take.wav"
    patch = Patch.open(folder / "main.ng")
    with patch.play(driver="null", record=take) as playing:
        watch = playing.watch_files(trust_edits=trust_edits)
        until(lambda: watch.looks, "the first look")
        yield playing, watch
        assert playing.running
        beat(playing)
        watch.close()
    sound = soundfile.read(take, dtype="float32", always_2d=True)[0].T
    pure = Patch()
    pure.connect(pure.add("sine~", freq=100), pure.add("gain~", gain=0.02), pure.add("out~"))
    still = pure.render(seconds=sound.shape[1] / 48_000).audio[0]
    body = slice(0, sound.shape[1] - 4_000)  # the end fades
    assert np.array_equal(sound[1, body].view(np.int32), still[: sound.shape[1]][body].view(np.int32)), "untouched"
    assert click(sound[0, 100 : body.stop]) < SMOOTH


def beat(playing: Playing, seconds: float = 0.1) -> None:
    """Let it play a little."""
    end = playing.time + seconds
    until(lambda: playing.time > end, "the sound goes on")


def said(playing: Playing, words: str) -> bool:
    return any(words in text for _, text in playing.log)


def spied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modules that this process compiles from now on."""
    found: list[str] = []
    compile_ = Jit._compile
    monkeypatch.setattr(Jit, "_compile", lambda self, text, *rest: (found.append(text), compile_(self, text, *rest))[1])
    return found


def loudness(playing: Playing) -> float:
    """The peak of the left side while it plays a little."""
    playing.status()
    beat(playing)
    return float(playing.status()["outputs"][0])


def test_a_node_that_is_saved_is_taken_over_and_nothing_is_compiled_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(folder) as (playing, _):
        before = loudness(playing)
        compiled = spied(monkeypatch)
        write(folder / "tone.py", LOUDER)
        until(lambda: said(playing, "plays tone.py as it is now"), f"the new node plays: {playing.log}")
        assert {node for node, text in playing.log} == {"a", "b"}
        assert not [text for text in compiled if "tone.py" in text], "its machine code came from the other process"
        until(lambda: loudness(playing) > 2 * before, "it is louder")
    assert said(playing, "tone.py was edited while it played. To trust it from now on: nodegraph trust")
    assert len(trusted()) == 1, "nothing was trusted for good by that"
    with pytest.raises(PatchError, match="not trusted"):
        Patch.open(folder / "main.ng").play(driver="null")


def test_a_change_that_is_not_trusted_waits_for_trust(folder: Path) -> None:
    with watched(folder, trust_edits=False) as (playing, _):
        before = loudness(playing)
        write(folder / "tone.py", LOUDER)
        until(lambda: said(playing, "run: nodegraph trust"), "it says how to trust")
        assert not said(playing, "as it is now") and loudness(playing) < 1.5 * before
        trust(folder / "tone.py")
        until(lambda: said(playing, "plays tone.py as it is now"), "trust is seen from outside")


def test_a_broken_node_is_told_at_its_line_and_the_old_one_plays(folder: Path) -> None:
    with watched(folder) as (playing, watch):
        before = loudness(playing)
        write(folder / "tone.py", BROKEN)
        until(lambda: said(playing, "'sorted' cannot be called"), "the fault is told")
        texts = [text for _, text in playing.log]
        line = next(k for k, text in enumerate(BROKEN.splitlines(), 1) if "sorted" in text)
        assert len(texts) == 1 and f"tone.py:{line}: " in texts[0] and "What was playing plays on." in texts[0]
        assert "The line is: return 0.02 * sorted" in texts[0]
        assert abs(loudness(playing) - before) < 0.3 * before
        with playing.changing:  # other edits go on with the node as it was
            patch = playing.patch
            patch.connect(patch.add("sine~", freq=50), patch.add("gain~", gain=0.01), "left")
            playing.update()
        beat(playing)
        write(folder / "tone.py", LOUDER)
        until(lambda: said(playing, "plays tone.py as it is now"), "mended, it is taken over")
        looks = watch.looks
        write(folder / "tone.py", BROKEN)
        until(lambda: watch.looks > looks, "looked at again")
        until(lambda: len([text for _, text in playing.log if "sorted" in text]) == 2, "told again after it was well")


def test_a_node_that_never_returns_is_told_and_never_played(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reading.LIMITS, "import", 1.5)
    with watched(folder) as (playing, _):
        write(folder / "tone.py", TONE + "\nk = [1]\nwhile k:\n    k[0] += 1\n")
        until(lambda: said(playing, "was not imported within 1.5 s"), "the loop is told")
        beat(playing)


def test_a_file_that_is_gone_is_told_and_plays_on(folder: Path) -> None:
    with watched(folder) as (playing, _):
        os.unlink(folder / "tone.py")
        until(lambda: said(playing, "There is no node file 'tone.py'"), "it is told")
        before = loudness(playing)
        assert before > 0.01
        with playing.changing:
            playing.update()
        write(folder / "tone.py", LOUDER)
        until(lambda: loudness(playing) > 2 * before, "it is back")


def test_after_the_playing_a_broken_file_is_a_broken_file_again(folder: Path) -> None:
    with watched(folder) as (playing, _):
        write(folder / "tone.py", BROKEN)
        until(lambda: said(playing, "sorted"), "the fault is told")
        patch = playing.patch
        with playing.changing:
            assert patch.check() == [], "while it plays, the old node is there"
    assert {problem.code for problem in patch.check()} == {"untrusted-node"}
    trust(folder / "tone.py")
    assert [problem.code for problem in patch.check()] == ["kernel"]
    write(folder / "tone.py", TONE)
    assert patch.check() == []


def test_a_removed_inlet_with_a_cable_is_told_and_plays_on(folder: Path) -> None:
    write(folder / "main.ng", patch_text({**NODES, "lfo": {"kind": "number"}}, [*CABLES, "lfo.y -> a.freq"]))
    with watched(folder) as (playing, _):
        write(folder / "tone.py", TONE.replace("freq", "pitch"))
        until(lambda: said(playing, "has no inlet 'freq'"), f"the cable is told: {playing.log}")
        assert loudness(playing) > 0.01


def test_a_subpatch_is_edited_once_and_changes_everywhere(folder: Path) -> None:
    inner = {"t": {"kind": "tone.py"}, "v": {"kind": "gain~", "gain": 1.0}, "y": {"kind": "outlet~"}}
    cables = ["t.y -> v.x", "v.y -> y.x"]
    write(folder / "part.ng", patch_text(inner, cables))
    write(folder / "main.ng", patch_text({**NODES, "a": {"kind": "part.ng"}, "b": {"kind": "part.ng"}}, CABLES))
    with watched(folder) as (playing, _):
        before = loudness(playing)
        louder = {"t": inner["t"], "w": {"kind": "gain~", "gain": 3.0}, "y": inner["y"]}
        write(folder / "part.ng", patch_text(louder, ["t.y -> w.x", "w.y -> y.x"]))
        until(lambda: said(playing, "plays part.ng as it is now"), "the patch inside is read again")
        until(lambda: loudness(playing) > 2 * before, "both are louder")
        level = loudness(playing)
        write(folder / "part.ng", "{")
        until(lambda: said(playing, "'part.ng' cannot be read"), "half a file is told")
        os.unlink(folder / "part.ng")
        until(lambda: said(playing, "There is no patch file 'part.ng'"), "and a file that is gone")
        assert loudness(playing) > 0.8 * level, "the sound goes on"
        write(folder / "tone.py", LOUDER)
        time_out = playing.time + 60
        write(folder / "part.ng", patch_text(inner, cables))
        until(lambda: [text for _, text in playing.log].count("plays part.ng as it is now.") >= 4, "it is back")
        assert playing.time < time_out


def test_an_untrusted_file_is_not_run_by_watching(folder: Path) -> None:
    """`trust_edits` is for the files that are trusted already."""
    mark = folder.parent / "mark"
    with watched(folder) as (playing, watch):
        write(folder / "more.py", COUNT + f"\nopen({str(mark)!r}, 'w').close()\n")
        part = {"m": {"kind": "more.py"}}
        write(folder / "part.ng", patch_text(part, []))
        with playing.changing:
            playing.patch.graph.refresh()
            with pytest.raises(PatchError, match=r"cannot|trust"):
                playing.patch.add("more.py")
            looks = watch.looks
            playing.patch.add("part.ng")
            with pytest.raises(PatchError, match="have not trusted"):
                playing.update()
            playing.patch.undo()
        until(lambda: watch.looks > looks, "looked at")
        assert not mark.exists()
        write(folder / "more.py", COUNT + f"\nopen({str(mark)!r}, 'w').close()\n# again\n")
        looks = watch.looks
        until(lambda: watch.looks > looks or said(playing, "more.py"), "looked at")
        assert not mark.exists()
        trust(folder / "more.py")
        with playing.changing:
            playing.patch.add("more.py")
            playing.update()
        assert mark.exists()


def test_two_files_that_name_each_other_in_turn_arrive_together(folder: Path) -> None:
    with watched(folder) as (playing, _):
        with playing.changing:
            trust(write(folder / "count.py", COUNT))
            write(folder / "part.ng", patch_text({"c": {"kind": "count.py"}}, []))
            playing.patch.add("part.ng", "p")
            playing.update()
        until(lambda: playing.player.messages.nodes.get("p/c"), "the node inside counts")


def test_the_end_waits_for_no_trial(folder: Path) -> None:
    patch = Patch.open(folder / "main.ng")
    with patch.play(driver="null") as playing:
        watch = playing.watch_files(trust_edits=True)
        until(lambda: watch.looks, "the first look")
        write(folder / "tone.py", TONE + "\nk = [1]\nwhile k:\n    k[0] += 1\n")
        beat(playing, 1.0)
    start = time.monotonic()
    watch.close()
    assert time.monotonic() - start < 4.0
