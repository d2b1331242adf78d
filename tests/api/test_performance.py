"""What is done to a playing patch is kept, and done again to the same bits; files that do not fit say so."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from nodegraph import MediaError, Patch, PatchError, PatchFileError
from nodegraph.api import playing as playing_module
from nodegraph.api.performance import faithful
from nodegraph.api.playing import Playing
from nodegraph.cli import main
from nodegraph.core.declare import EventNode, node
from nodegraph.core.messages import BANG, At, Note, NoteExpression, Ramp
from nodegraph.core.ports import outlet
from nodegraph.core.registry import Registry, registry
from nodegraph.session.session import Session
from tests.api.performing import RATE, band, lines, perform, take


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device waits for Python, so that nothing comes too late on a machine that is busy."""
    make = playing_module.make_player

    def waits(*args: Any, **named: Any) -> Any:
        player = make(*args, **named)
        player.engine.waiting = True
        return player

    monkeypatch.setattr(playing_module, "make_player", waits)


# the same bits


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("edits", [False, True], ids=["acts", "acts and edits"])
def test_what_was_played_is_rendered_again_to_the_bit(tmp_path: Path, edits: bool) -> None:
    session = perform(tmp_path, 3.0, edits=edits)
    done = lines(tmp_path / "take.ngp")
    assert done[-1]["exact"] and done[-1]["end"] == 3 * RATE and done[-1]["acts"] == sum("do" in line for line in done)
    assert sum("do" in line for line in done) > 30 and any("after" in line for line in done)
    assert {line["do"] for line in done if "do" in line} == {"set", "sets", "clock", "recall", "arrive"}
    assert any("edit" in line for line in done) == edits
    before = str(session.patch)
    patch = Patch.open(tmp_path / "take.wav")  # as it was in the beginning
    rendered = patch.render(performance=tmp_path / "take.ngp", block=100)
    assert np.array_equal(rendered.audio, take(tmp_path)), "the same samples"
    assert rendered.log == [] and str(session.patch) == before and str(patch) == rendered.text
    plain = patch.render(seconds=3).audio
    assert not np.array_equal(plain, rendered.audio), "what was done is heard"


@pytest.mark.parametrize("edits", [False, True], ids=["acts", "acts and edits"])
def test_a_run_in_real_time_is_the_same_again_if_it_says_so(tmp_path: Path, edits: bool) -> None:
    """In real time Python may come too late, which the file tells."""
    perform(tmp_path, 2.0, edits=edits, seed=2)
    rendered = Patch.open(tmp_path / "take.wav").render(performance=tmp_path / "take.ngp")
    late = [line["at"] for line in lines(tmp_path / "take.ngp") if "late" in line]
    same = min(late, default=2 * RATE)  # before that nothing was late
    assert np.array_equal(rendered.audio[:, :same], take(tmp_path)[:, :same])
    assert bool(late) == any("too late" in text for _, text in rendered.log)


def test_python_that_is_held_up_until_the_end_is_told(tmp_path: Path) -> None:
    """Nothing came too late: it never came."""
    end = RATE // 2
    begun: list[Playing] = []
    held: list[int] = []

    def hold_up() -> None:
        if not begun:
            return
        engine = begun[0].player.engine
        if not held and engine.done > end // 4:
            held.append(begun[0].player.messages.handled)
            while engine.done < end:
                time.sleep(0.001)

    files = {"record": tmp_path / "take.wav", "keep_performance": tmp_path / "take.ngp"}
    with Playing(band(), end / RATE, driver="null", each=hold_up, **files) as playing:
        begun.append(playing)
        assert playing.wait(60)
    (late,) = [line for line in lines(tmp_path / "take.ngp") if "late" in line]
    assert late == {"at": held[0], "late": {"unhandled": end - held[0]}} and held[0] < end
    assert lines(tmp_path / "take.ngp")[-1]["exact"] is False
    rendered = Patch.open(tmp_path / "take.wav").render(performance=tmp_path / "take.ngp")
    assert np.array_equal(rendered.audio[:, : late["at"]], take(tmp_path)[:, : late["at"]])
    assert not np.array_equal(rendered.audio, take(tmp_path)), "the clock went on in the render"
    assert any("too late, or not at all" in text for _, text in rendered.log)


@pytest.mark.usefixtures("waiting")
def test_what_was_played_is_played_again_live_and_kept_again(tmp_path: Path) -> None:
    perform(tmp_path, 2.0, edits=True)
    patch = Patch.open(tmp_path / "take.wav")
    again = tmp_path / "again"
    again.mkdir()
    with patch.play(
        driver="null", performance=tmp_path / "take.ngp", record=again / "take.wav", keep_performance=again / "take.ngp"
    ) as playing:
        with pytest.raises(PatchError, match="A performance is being played"):
            playing.update()
        assert playing.wait(60)
    assert np.array_equal(take(tmp_path), take(again))
    first, second = (
        [line for line in lines(folder / "take.ngp") if line.get("after", line.get("at", RATE * 9)) < 1.9 * RATE]
        for folder in (tmp_path, again)
    )
    for line in (*first, *second):  # edits that had waited for one another are one now
        if "edit" in line:
            line["edit"] = [command for asked in line["edit"] for command in asked["commands"]]
    assert first == second and any("edit" in line for line in first)


@pytest.mark.usefixtures("waiting")
def test_renames_settings_and_other_patches_are_done_again_too(tmp_path: Path) -> None:
    session = Session(
        band(), seconds=2.5, driver="null", record=tmp_path / "take.wav", keep_performance=tmp_path / "t.ngp"
    )
    other = Patch("Other")
    other.connect(other.add("sine~", "osc", freq=150), other.add("gain~", "level", gain=0.3), other.add("out~", "out"))
    other.save(tmp_path / "other.ng")
    session.play()
    playing = session.playing
    assert playing is not None
    steps: list[Callable[[], object]] = [
        lambda: session.edit([{"do": "rename", "node": "cut", "to": "filter"}]),
        lambda: session.set("filter.cutoff", 700),
        lambda: session.edit([{"do": "set", "node": "voices", "values": {"count": 5}}]),
        lambda: session.edit([{"do": "replace", "node": "osc", "kind": "square~"}]),
        lambda: session.undo(),
        lambda: session.edit([{"do": "set", "node": "filter", "values": {"cutoff": 1_500}}]),
        lambda: session.patch.graph.set("level", "gain", 0.15),  # past the commands
        lambda: session.edit([{"do": "remove", "node": "clock"}]),
        lambda: session.open(tmp_path / "other.ng"),
        lambda: session.set("level.gain", 0.1),
    ]
    for number, step in enumerate(steps):
        deadline = time.monotonic() + 60
        while playing.running and playing.time < 0.2 * (number + 1):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        step()
    playing.wait(60)
    assert playing.error is None
    done = lines(tmp_path / "t.ngp")
    edits = [asked for line in done if "edit" in line for asked in line["edit"]]
    assert [asked for asked in edits if asked.get("other")] and [asked for asked in edits if "commands" in asked]
    rendered = Patch.open(tmp_path / "take.wav").render(performance=tmp_path / "t.ngp")
    late = [line["at"] for line in done if "late" in line]  # a node that became another tells so
    same = min(late, default=2.5 * RATE)
    assert np.array_equal(rendered.audio[:, : int(same)], take(tmp_path)[:, : int(same)])
    assert done[-1]["exact"] == (not late)


@node("hears-all")
class HearsAll(EventNode):
    """Send on what comes in by a door."""

    y = outlet.event("what came")

    def start(self, when: Any) -> None:
        self.host.outside.listen(self, "osc", lambda value, when: self.y(value))


@pytest.mark.usefixtures("waiting")
def test_what_comes_by_a_door_comes_again(tmp_path: Path) -> None:
    kinds = Registry([*registry(), HearsAll.spec])
    patch = band(kinds)
    patch.connect(patch.add("hears-all", "ears"), "cut.cutoff")
    with patch.play(
        seconds=0.5, driver="null", record=tmp_path / "take.wav", keep_performance=tmp_path / "t.ngp"
    ) as one:
        for number in range(20):
            one.player.act("arrive", "osc", 200.0 + 50 * number, frame=1_001 * number)
        one.player.act("arrive", "osc", ("a", b"\x90\x40", BANG), frame=21_000)
        one.player.act("arrive", "osc", object(), frame=22_000)
        one.wait(60)
    done = lines(tmp_path / "t.ngp")
    assert sum(line.get("do") == "arrive" for line in done) == 22
    assert [line["late"] for line in done if "late" in line] == [{"unkept": "arrive"}], "what no file can hold is told"
    rendered = patch.render(performance=tmp_path / "t.ngp")
    assert np.array_equal(rendered.audio[:, :20_000], take(tmp_path)[:, :20_000])
    assert [event.value for event in rendered["ears.y"]][20] == ("a", b"\x90\x40", BANG)


def test_what_a_file_gives_back_as_it_was() -> None:
    for value in (1, 1.5, True, "x", b"x", BANG, Note(60, 0.5), NoteExpression(60, "bend", 1), Ramp(1, 2), (1, ("a",))):
        assert faithful(value)
    for value in (object(), [1], np.float32(1), np.zeros(2), At(1.0, object()), (1, object())):
        assert not faithful(value)


# files that do not fit


def made(folder: Path, *acts: tuple[int, str, tuple[Any, ...]], rate: int = RATE) -> tuple[Patch, Path]:
    """A short performance, made by hand."""
    patch = Patch("Tone")
    patch.connect(patch.add("sine~", "osc", freq=330), patch.add("gain~", "level", gain=0.25), patch.add("out~", "out"))
    path = folder / "made.ngp"
    with patch.play(seconds=0.2, driver="null", keep_performance=path, rate=rate) as playing:
        for frame, what, args in acts:
            playing.player.act(what, *args, frame=frame)
        playing.wait(60)
    return patch, path


def test_another_patch_plays_what_fits_and_says_so(tmp_path: Path) -> None:
    patch, path = made(tmp_path, (4_000, "set", ("osc", "freq", 440.0)), (5_000, "set", ("level", "gain", 0.5)))
    patch.rename("osc", "tone")
    found = patch.render(performance=path)
    assert [text for _, text in found.log][:2] == [
        "made.ngp was played with another patch, or another version of this one; what fits is done.",
        "made.ngp plays 'osc', which is not in the patch.",
    ]
    assert np.abs(found.audio[0, 7_000:]).max() == pytest.approx(0.5, abs=0.01)


def test_another_rate_is_refused(tmp_path: Path) -> None:
    patch, path = made(tmp_path, rate=44_100)
    with pytest.raises(PatchError, match=r"played at 44100 Hz, and is to be played at 48000 Hz.*--rate 44100"):
        patch.render(performance=path)
    with pytest.raises(PatchError, match="44100 Hz"):
        patch.play(driver="null", performance=path)
    assert patch.render(performance=path, rate=44_100).seconds == pytest.approx(0.2)


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_torn_file_is_done_as_far_as_it_goes(tmp_path: Path, cut: int) -> None:
    acts = [(1_000 + 100 * number, "set", ("osc", "freq", 300.0 + number)) for number in range(50)]
    patch, path = made(tmp_path, *acts)
    path.write_bytes(path.read_bytes()[:-cut])
    found = patch.render(performance=path, seconds=0.2)
    assert any("breaks off" in text or "cannot be read" in text for _, text in found.log)
    assert np.abs(found.audio).max() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    "line",
    [
        "nonsense", "[]", '{"at": "soon"}', '{"at": 1, "do": "fly", "args": []}', '{"at": 1, "do": "set", "args": [1]}',
        '{"at": 1, "do": "set"}', '{"at": 1, "do": "recall", "args": [[["osc", "freq", "high"]]]}',
        '{"at": 1, "do": "clock", "args": ["go", "fast"]}', '{"at": 1, "do": "clock", "args": ["__init__"]}',
        '{"at": 1, "edit": 5}', '{"at": 1, "stage": true}', '{"at": 1, "late": 3}', '{"at": 1, "floor": "x"}',
        '{"at": 1, "after": "x"}', '{"at": -5, "do": "set", "args": ["osc", "freq", 400.0]}', '{"end": -3}',
        '{"at": 1, "do": "set", "args": ["osc", "freq", {"note": [1]}]}', '{"at": 1e999}', "[" * 5_000,
    ],
)  # fmt: skip
def test_lines_that_somebody_else_wrote_do_no_harm(tmp_path: Path, line: str) -> None:
    patch, path = made(tmp_path, (4_000, "set", ("osc", "freq", 440.0)))
    header, *rest = path.read_text().splitlines()
    path.write_text("\n".join([header, line, *rest]) + "\n")
    found = patch.render(performance=path, seconds=0.2)
    assert np.abs(found.audio).max() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("text", ["", "{}\n", "no\n", '{"performance": 1, "rate": "fast"}\n', "\x00\xff\n"])
def test_what_is_no_performance_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.ngp").write_text(text)
    with pytest.raises(PatchFileError, match="not a performance"):
        band().render(performance=tmp_path / "x.ngp")
    with pytest.raises(PatchFileError, match="cannot be read"):
        band().render(performance=tmp_path / "gone.ngp")


def test_a_newer_performance_is_refused(tmp_path: Path) -> None:
    patch, path = made(tmp_path)
    path.write_text(path.read_text().replace('{"performance": 1', '{"performance": 2', 1))
    with pytest.raises(PatchFileError, match="format 2"):
        patch.render(performance=path)


@pytest.mark.parametrize("name", ["take.txt", "gone/take.ngp"])
def test_a_performance_is_kept_only_where_it_can_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(MediaError):
        band().play(seconds=0.1, driver="null", keep_performance=tmp_path / name)


@pytest.mark.usefixtures("waiting")
def test_an_edit_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    with band().play(seconds=1, driver="null", keep_performance=tmp_path / "t.ngp") as playing:
        patch = playing.patch
        patch.set("cut.cutoff", 500)
        playing.update()
        playing.wait(60)
    text = (tmp_path / "t.ngp").read_text()
    (tmp_path / "t.ngp").write_text(text.replace('"values": {"cutoff": 500}', '"values": {"cutoff": 501}'))
    with pytest.raises(PatchFileError, match=r"The edit at .* s cannot be done again.*is not what it was"):
        band().render(performance=tmp_path / "t.ngp")


def test_another_rate_while_it_plays_ends_the_performance(tmp_path: Path) -> None:
    path = tmp_path / "t.ngp"
    with band().play(driver="null", keep_performance=path) as playing:
        playing.switch(rate=44_100)
        playing.set("cut.cutoff", 500)
    *_, late, end = lines(path)
    assert late["late"] == {"rate": 44_100} and not end["exact"]
    assert "end" in end and len(lines(path)) >= 3


# for people


def test_the_command_line_keeps_performs_and_renders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    band().save(tmp_path / "band.ng")
    patch, take, wav, again = (str(tmp_path / name) for name in ("band.ng", "take.ngp", "take.wav", "again.wav"))
    assert main(["run", patch, "--driver", "null", "--seconds", "0.5", "--keep-performance", take]) == 0
    assert "take.ngp: what was done, 0 acts" in capsys.readouterr().out
    assert main(["render", patch, "--performance", take, "-o", wav]) == 0
    assert main(["run", patch, "--driver", "null", "--perform", take, "--record", again]) == 0
    assert soundfile.info(wav).frames == soundfile.info(again).frames == 24_000
    capsys.readouterr()
    assert main(["render", patch, "--performance", take, "--rate", "44100", "-o", wav]) != 0
    assert "48000 Hz" in capsys.readouterr().err
    assert main(["run", patch, "--driver", "null", "--seconds", "0.1", "--keep-performance", patch]) != 0
    assert "no name of a performance" in capsys.readouterr().err


KILLED = """
import sys, time
from nodegraph import Patch
patch = Patch.open(sys.argv[1])
with patch.play(driver="null", keep_performance=sys.argv[2]) as playing:
    number = 0
    while True:
        playing.set("cut.cutoff", 200 + number % 5000)
        number += 1
        if number == 50: print("going", flush=True)
        time.sleep(0.002)
"""


def test_a_kill_loses_the_last_lines_at_most(tmp_path: Path) -> None:
    band().save(tmp_path / "band.ng")
    path = tmp_path / "t.ngp"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "band.ng"), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "going\n"
    deadline = time.monotonic() + 60
    while path.read_bytes().count(b"\n") < 40:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = Patch.open(tmp_path / "band.ng").render(performance=path)
    assert found.seconds > 0.05 and any("breaks off" in text or "cannot be read" in text for _, text in found.log)
