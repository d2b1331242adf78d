"""What an editor sees of the sound, without a window: levels that fall, messages that flash, and a closer look."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core.cable import Cable
from nodegraph.editor.closeup import BANDS, HIGHEST_HZ, LOWEST_HZ, closeup, text_of, wave_of
from nodegraph.editor.editing import Editing
from nodegraph.editor.faders import fader_of
from nodegraph.editor.seeing import FLASH_S, HOVER_S
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import PATIENCE_S, joined, port

OSC, TICK = Cable("osc", "y", "level", "x"), Cable("clock", "bang", "count", "x")


class Watch:
    """An editor, and its clock."""

    def __init__(self, editing: Editing) -> None:
        self.editing, self.seeing = editing, editing.seeing
        self.now = 1_000.0
        self.seeing.turn(self.now)

    def pass_(self, seconds: float) -> bool:
        self.now += seconds
        return self.seeing.turn(self.now)

    def until(self, true: Callable[[], Any], what: str, *, step: float = 0.0) -> None:
        """Until something is true; it is looked again and again, as a window does that draws."""
        end = time.monotonic() + PATIENCE_S
        while True:
            self.editing.turn()
            self.pass_(step)
            if true():
                return
            assert time.monotonic() < end, f"it never came: {what}; said {list(self.editing.lines)[-5:]}"
            self.editing.waker.event.wait(0.01)  # type: ignore[attr-defined]


@pytest.fixture
def patch() -> Patch:
    patch = Patch("Seen")
    osc = patch.add("sine~", "osc", freq=440)
    patch.connect(osc, patch.add("gain~", "level", gain=0.1), patch.add("out~", "out"))
    patch.connect(patch.add("metro", "clock", interval=0.05), patch.add("counter", "count"))
    return patch


@pytest.fixture
def session(patch: Patch, tmp_path: Path) -> Any:
    patch.save(tmp_path / "seen.ng")
    with Session(patch, driver="null") as made:
        made.play()
        yield made


def apart(editing: Editing) -> None:
    """Boxes lie apart, so that cables can be met."""
    for number, id in enumerate(("osc", "level", "out", "clock", "count")):
        box = editing.scene.boxes[id]
        box.x, box.y = 40.0 + (300.0 if number > 2 else 0.0), 40.0 + 150.0 * (number % 3)


def on_cable(editing: Editing, cable: Cable) -> tuple[float, float]:
    """The middle of a cable on the screen."""
    ends = editing.scene.ends(cable)
    assert ends is not None
    (ax, ay), (bx, by) = ends
    return editing.viewport.screen((ax + bx) / 2, (ay + by) / 2)


def test_levels_come_and_fall(editing: Editing, session: Session) -> None:
    watch, seeing = Watch(editing), editing.seeing
    watch.until(lambda: seeing.level("/patch/osc/y") > 0.95, "the level of the oscillator")
    watch.until(lambda: 0.55 < seeing.level("/patch/level/y") < 0.75, "-20 dB of 60")
    assert seeing.cable(OSC) == seeing.level("/patch/osc/y") and seeing.cable(TICK) == seeing.flash("/patch/clock/bang")
    watch.until(lambda: seeing.flash("/patch/clock/bang") == 1.0, "a message")
    watch.pass_(FLASH_S / 2)
    assert seeing.flash("/patch/clock/bang") == pytest.approx(0.5)
    before = seeing.level("/patch/osc/y")
    assert watch.pass_(0.5)
    assert seeing.level("/patch/osc/y") == pytest.approx(before - 0.25, abs=0.01), "30 dB a second of 60 dB"
    assert not editing.link.doze, "who is awake is not woken"
    session.stop()
    watch.until(lambda: not editing.playing, "the end")
    watch.until(lambda: not watch.pass_(0.1), "silence")
    assert editing.link.doze and seeing.level("/patch/osc/y") == 0.0


def test_levels_are_turned_off_and_on(editing: Editing, session: Session) -> None:
    watch, seeing = Watch(editing), editing.seeing
    assert session.playing is not None
    probes = session.playing.player.engine.probes
    watch.until(lambda: seeing.level("/patch/osc/y") > 0.9, "a level")
    editing.actions["show-levels"]()
    assert seeing.cable(OSC) == 0.0
    watch.until(lambda: probes.gauges is None, "that nothing is measured")
    editing.actions["show-levels"]()
    watch.until(lambda: seeing.level("/patch/osc/y") > 0.9, "a level again")


def test_the_mouse_rests_on_a_cable_and_on_an_outlet(editing: Editing, session: Session) -> None:
    watch, seeing, hands = Watch(editing), editing.seeing, editing.hands
    apart(editing)
    hands.move(*on_cable(editing, OSC))
    assert hands.hover_cable == OSC and hands.hover is None
    watch.pass_(0.0)
    watch.pass_(HOVER_S / 2)
    assert not seeing.looks, "it has only just come"
    watch.pass_(HOVER_S)
    assert [look.outlet for look in seeing.looks] == [("osc", "y")]
    watch.until(lambda: seeing.looks[0].closeup and seeing.looks[0].closeup.spectrum, "its spectrum")
    found = seeing.looks[0].closeup
    assert found is not None and found.name == "osc.y" and found.lines[0] == "1 channel, 48 kHz"
    assert found.lines[1].startswith("peak -0.0 dBFS, rms -3.") or found.lines[1].startswith("peak 0.0 dBFS, rms -3.")
    loudest = int(np.argmax(found.spectrum))
    assert LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (loudest / BANDS) <= 440 * 1.1

    editing.actions["probe-keep"]()
    hands.move(*port(editing, "clock", "bang", True))
    assert hands.hover is not None and hands.hover_cable is None
    watch.pass_(0.0)
    watch.pass_(2 * HOVER_S)
    assert [look.outlet for look in seeing.looks] == [("osc", "y"), ("clock", "bang")]
    watch.until(lambda: seeing.looks[1].closeup, "the message")
    message = seeing.looks[1].closeup
    assert message is not None and message.kind == "event" and message.lines[0] == "bang"
    hands.move(5.0, 5.0)
    watch.pass_(0.0)
    assert [look.outlet for look in seeing.looks] == [("osc", "y")], "the other stays"
    assert seeing.kept is not None
    number = seeing.kept.number
    watch.until(lambda: seeing.kept and seeing.kept.number > number + 2, "more of it")
    editing.actions["probe-keep"]()
    assert not seeing.looks
    assert session.playing is not None
    watch.until(lambda: not session.cables._closely, "that nobody looks closely any more")
    editing.actions["probe-keep"]()
    assert "Rest the mouse" in editing.lines[-1]


def test_what_is_selected_is_kept_in_view_without_the_mouse(editing: Editing, session: Session) -> None:
    watch, seeing = Watch(editing), editing.seeing
    editing.selection.only(["osc"])
    editing.actions["probe-keep"]()
    watch.until(lambda: seeing.kept and seeing.kept.closeup, "a closer look")
    assert [look.outlet for look in seeing.looks] == [("osc", "y")]
    editing.actions["probe-keep"]()
    assert not seeing.looks
    editing.selection.only((), {Cable("level", "y", "out", "x")})
    editing.actions["probe-keep"]()
    assert [look.outlet for look in seeing.looks] == [("level", "y")]


def test_what_a_signal_makes_of_a_control_is_told_while_its_object_is_selected(tmp_path: Path) -> None:
    patch = Patch("Driven")
    patch.connect(patch.add("sine~", "lfo", freq=5), patch.add("*~", "wide", b=500.0), patch.add("+~", "up", b=1000.0))
    patch.connect(patch.add("pink~", "wind"), patch.add("svf~", "cut", cutoff=300.0))
    patch.connect("cut.low", patch.add("out~", "out").x)
    patch.connect("up.y", "cut.cutoff")
    patch.connect("up.y", "cut.resonance")  # far beyond its span
    patch.save(tmp_path / "driven.ng")
    with Session(patch, driver="null") as session, Server(session) as server, joined(server) as editing:
        session.play()
        watch, ports = Watch(editing), {item.name: item for item in patch.graph.node("cut").spec.controls}
        cutoff, resonance = ports["cutoff"], ports["resonance"]
        assert editing.seeing.driven("cut", cutoff) is None
        editing.selection.only(["cut"])
        seen: list[float] = []
        watch.until(lambda: editing.seeing.driven("cut", cutoff), "what the signal does")
        for edge in (lambda value: value < 700.0, lambda value: value > 1300.0):
            watch.until(lambda edge=edge: any(map(edge, editing.seeing.driven("cut", cutoff) or ())), "its whole way")
            seen += editing.seeing.driven("cut", cutoff) or ()
        assert all(499.0 < value < 1501.0 for value in seen), seen
        assert editing.seeing.driven("cut", resonance) == (resonance.span[1],) * 2, "held within its span"
        fader = fader_of(editing, "cut", cutoff)
        assert fader.driven == "signal" and fader.moved is not None and 0.0 < fader.moved[0] <= fader.moved[1] < 1.0
        assert re.fullmatch(r"up\.y: (\d+–)?\d+ Hz", editing.context.below("cut", cutoff))
        assert not editing.seeing.looks, "nothing lies over the canvas for it"
        editing.selection.only(["out"])
        assert session.playing is not None
        probes = session.playing.player.engine.probes
        editing.actions["show-levels"]()
        watch.until(lambda: probes.gauges is None, "that nobody looks any more")
        assert editing.seeing.driven("cut", cutoff) is None and editing.context.below("cut", cutoff) == "by up.y"


def test_a_hand_that_does_something_looks_at_nothing(editing: Editing, session: Session) -> None:
    watch, hands = Watch(editing), editing.hands
    apart(editing)
    hands.move(*port(editing, "osc", "y", True))
    watch.pass_(0.0)
    hands.press(*port(editing, "osc", "y", True))
    watch.pass_(2 * HOVER_S)
    assert not editing.seeing.looks
    hands.release(*port(editing, "osc", "y", True))
    hands.move(*on_cable(editing, OSC))
    assert hands.hover_cable == OSC
    hands.leave()
    assert hands.hover_cable is None and hands.hover is None


def test_what_was_looked_at_is_asked_for_again(server: Server, session: Session) -> None:
    with joined(server) as editing:
        watch, hands = Watch(editing), editing.hands
        apart(editing)
        hands.move(*on_cable(editing, OSC))
        watch.pass_(0.0)
        watch.pass_(2 * HOVER_S)
        editing.actions["probe-keep"]()
        watch.until(lambda: editing.seeing.kept and editing.seeing.kept.number > 2, "the closer look")
        session.stop()
        watch.until(lambda: editing.seeing.kept and editing.seeing.kept.closeup is None, "that nothing is to be seen")
        session.play()
        watch.until(lambda: editing.seeing.kept and editing.seeing.kept.closeup, "the closer look again")


def test_a_wave_stands_still() -> None:
    wave = np.sin(2 * np.pi * 480 * np.arange(4_096) / 48_000).astype(np.float32)
    first, second = (np.array(wave_of(wave[start : start + 2_048])) for start in (0, 37))
    assert np.abs(first - second).max() < 0.1 and abs(first[0]) < 0.1
    assert max(wave_of(4.0 * wave[:2_048])) == 1.0, "it fits its frame"


def test_closer_looks_in_words() -> None:
    signal = {"node": "a/b", "port": "y", "kind": "signal", "channels": 2, "rate": 96_000, "samples": b""}
    assert closeup(signal).lines == ("2 channels, 96 kHz",) and closeup(signal).name == "a/b.y"
    assert "no cable" in closeup({**signal, "channels": 0}).lines[0]
    silent = closeup({**signal, "samples": bytes(8_192)})
    assert silent.lines[1] == "peak silent, rms silent" and max(silent.spectrum) == 0.0
    tensor = closeup({"node": "a", "port": "t", "kind": "tensor", "ago": 0.25, "per_s": 10.0, "shape": [2, 3],
                      "values": [0, 1, 2, 3, 4, 5]})  # fmt: skip
    assert tensor.lines == ("tensor, 2 x 3", "0 to 5, mean 2.5", "0.2 s ago, 10 a second")
    assert tensor.strip == pytest.approx([(number / 5) ** 0.5 for number in range(6)])
    nothing = closeup({"node": "a", "port": "e", "kind": "event", "ago": None, "per_s": 0.0, "value": None})
    assert nothing.lines == ("nothing yet", "0 a second")
    assert text_of({"note": [60, 0.8, None]}) == "note 60, 0.8, null"
    assert text_of([{"tag": ["Speech", 0.91]}, {"tag": ["Music", 0.2]}]) == "tag Speech, 0.91, tag Music, 0.2"
    assert text_of("x" * 100).endswith("…") and text_of(3.0) == "3"
