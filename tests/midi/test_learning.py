"""Learned knobs: bound by moving them, kept in the patch's file, and moving what they are bound to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.core.commands import Add, Rename
from nodegraph.core.errors import PatchError
from nodegraph.headless.recovery import Recovery, lost_edits
from nodegraph.midi import words
from nodegraph.midi.bonds import Learned, knobs, learnable, learned_in
from nodegraph.midi.gathering import Controls
from nodegraph.midi.learning import Learning
from nodegraph.midi.session import SessionMidi
from nodegraph.session.session import Session
from tests.midi.fake_system import FakeSystem
from tests.midi.waiting import PATIENCE_S, until


def filtered() -> Patch:
    patch = Patch(title="Filtered")
    saw, cut = patch.add("saw~", "saw"), patch.add("svf~", "cut", cutoff=1_000.0)
    patch.connect(saw, cut)
    patch.connect(cut.low, patch.add("gain~", "level", gain=0.1).x)
    patch.connect("level.y", patch.add("out~"))
    patch.add("number", "shown")
    return patch


@contextmanager
def playing(patch: Patch) -> Iterator[tuple[Session, SessionMidi, FakeSystem]]:
    system = FakeSystem(["nanoKONTROL", "keys"])
    with Session(patch, driver="null") as session:
        midi = SessionMidi(session, system=lambda: system, look_s=0.02)
        session.play()
        midi.learn("level.gain")  # opens the ports
        midi.learning.cancel()
        assert midi.door is not None
        yield session, midi, system
        door = midi.door
        session.stop()
        midi.close()
        assert door.wait(PATIENCE_S)


def test_ports_are_opened_when_the_patch_comes_to_want_them() -> None:
    system = FakeSystem(["keys"])
    with Session(filtered(), driver="null") as session:
        midi = SessionMidi(session, system=lambda: system)
        session.play()
        assert midi.door is None and not system.open
        session.edit([Add("notes", "notein")])
        assert midi.door is not None and [port.name for port in system.open] == ["keys"]
        session.stop()
        assert midi.door.wait(PATIENCE_S)
        session.play()
        assert [port.name for port in system.open] == ["keys", "keys"], "again when it plays again"
        midi.close()


def learned(midi: SessionMidi, address: str, count: int = 1) -> Learned:
    """The bond of an address, as soon as the patch has it."""

    def there() -> list[Learned]:
        found = learned_in(midi.session.patch.document)
        return [bond for bond in found if bond.address == address] if len(found) == count else []

    until(there, "it is learned")
    return there()[0]


def test_the_knob_that_moves_is_bound_and_moves_the_parameter(tmp_path: Path) -> None:
    patch = filtered()
    with playing(patch) as (session, midi, system):
        midi.learning.learn("cut.cutoff", takeover="jump")
        assert midi.learning.waiting == "/patch/cut/cutoff"
        system.play("nanoKONTROL", 0xFE)
        system.play("nanoKONTROL", 0xB2, 74, 0)
        bond = learned(midi, "/patch/cut/cutoff")
        assert (bond.what, bond.channel, bond.number) == ("7 bit", 3, 74) and midi.learning.waiting is None
        low, high = session.parameter("cut.cutoff").control.span  # type: ignore[union-attr]
        for value, wanted in ((127, high), (0, low), (64, low * (high / low) ** (64 / 127))):
            system.play("keys", 0xB2, 74, value)  # by any port
            until(lambda: session.get("cut.cutoff") == pytest.approx(wanted), "it moves")  # noqa: B023
        system.play("keys", 0xB3, 74, 127)  # another channel
        session.patch.save(tmp_path / "patch.ng")
        stored = json.loads((tmp_path / "patch.ng").read_text())["learned"]["midi"]
        assert stored == [
            {"address": "/patch/cut/cutoff", "what": "7 bit", "channel": 3, "number": 74, "takeover": "jump"}
        ]
        assert session.get("cut.cutoff") < high
        assert midi.learning.remove("cut.cutoff") == 1 and learned_in(patch.document) == []
    again = Patch.open(tmp_path / "patch.ng")
    with playing(again) as (session, midi, system):
        system.play("keys", 0xB2, 74, 127)
        until(lambda: session.get("cut.cutoff") == high, "what the file has learned is known")
        assert midi.status()["learned"] == stored


def test_keys_bends_parameters_and_fine_knobs_are_learned_as_what_they_are() -> None:
    with playing(filtered()) as (session, midi, system):
        cases = [
            ("cut.resonance", words.parameter(1, 300, 16_383), "nrpn", 300),
            ("saw.freq", [words.bend(2, 1.0)], "bend", 0),
            ("shown.x", [words.note_off(1, 61), words.note_on(1, 60, 9)], "note", 60),
            ("level.gain", words.control_14(1, 7, 16_383), "14 bit", 7),
        ]
        for count, (address, data, what, number) in enumerate(cases, 1):
            midi.learning.learn(address, takeover="jump")
            for message in data:
                system.play("keys", *message)
            full = session.full(address)
            until(lambda: any(item.address == full and item.what == what for item in midi.learning.bonds), what)  # noqa: B023
            assert learned(midi, full, count).number == number
            if what != "note":  # the rest of what was moved must not be there for the next to learn
                high = session.parameter(address).control.span[1]  # type: ignore[union-attr]
                until(lambda: session.get(address) == high, f"{what} moves it")  # noqa: B023
        system.play("keys", *words.note_on(1, 60, 100))
        assert midi.learning.remove(bond=midi.learning.bonds[0]) == 1


def sounded(session: Session) -> None:
    """Wait until all that was handled sounds: what comes by MIDI acts a little later than what a client sets."""
    assert session.playing is not None
    end = session.playing.time + 0.2
    until(lambda: session.playing is not None and session.playing.time >= end, "it sounds")


def test_pickup_waits_until_the_knob_has_passed_the_value() -> None:
    patch = filtered()
    with playing(patch) as (session, midi, system):
        midi.learning.add(Learned("/patch/level/gain", "7 bit", 1, 7, span=(0.0, 1.0)))
        session.set("level.gain", 0.5)
        until(lambda: session.get("level.gain") == 0.5, "it is set")
        marks = Learned("/patch/saw/freq", "7 bit", 1, 9, span=(100.0, 227.0), takeover="jump")
        midi.learning.add(marks)

        def moved(value: int, mark: int) -> float:
            """The gain after the knob has moved; another knob says when that has been handled."""
            system.play("keys", 0xB0, 7, value, 9, mark)
            until(lambda: round(session.get("saw.freq")) == 100 + mark, "it is handled")
            return session.get("level.gain")

        assert moved(10, 1) == 0.5 and moved(40, 2) == 0.5, "not there yet"
        assert moved(100, 3) == pytest.approx(100 / 127), "it has passed"
        assert moved(20, 4) == pytest.approx(20 / 127), "and holds it"
        sounded(session)
        session.set("level.gain", 0.9)
        until(lambda: session.get("level.gain") == 0.9, "somebody else moves it")
        assert moved(30, 5) == 0.9, "it has lost it"
        assert moved(114, 6) == pytest.approx(114 / 127), "and picks it up where it is near"


def test_scaled_takeover_closes_in_from_both_sides() -> None:
    with playing(filtered()) as (session, midi, system):
        midi.learning.add(Learned("/patch/level/gain", "7 bit", 1, 7, span=(0.0, 1.0), takeover="scale"))
        session.set("level.gain", 0.5)
        until(lambda: session.get("level.gain") == 0.5, "it is set")
        found = [0.5]
        for value in (100, 110, 120, 127):
            system.play("keys", 0xB0, 7, value)
            if value > 100:
                until(lambda: session.get("level.gain") > found[-1], "it goes up")
                found.append(session.get("level.gain"))
        assert found[-1] == pytest.approx(1.0) and all(0 < b - a < 0.3 for a, b in pairwise(found))


def test_values_go_over_the_span_by_the_curve_and_back() -> None:
    with Session(filtered()) as session:
        cutoff, gain = session.parameter("cut.cutoff"), session.parameter("level.gain")
        bond = Learned(cutoff.address, "7 bit", 1, 1, span=(100.0, 10_000.0))
        assert [round(bond.value(cutoff, share)) for share in (0.0, 0.5, 1.0)] == [100, 1_000, 10_000]
        flipped = Learned(gain.address, "7 bit", 1, 1, span=(1.0, 0.0), curve="linear")
        assert [flipped.value(gain, share) for share in (0.0, 0.25, 1.0)] == [1.0, 0.75, 0.0]
        for item, parameter in ((bond, cutoff), (flipped, gain)):
            for share in (0.0, 0.1, 0.7, 1.0):
                assert item.share(parameter, item.value(parameter, share)) == pytest.approx(share)
        assert bond.share(cutoff, 1e9) == 1.0 and bond.share(cutoff, -5.0) == 0.0


def test_what_a_node_is_called_later_is_followed() -> None:
    with playing(filtered()) as (session, midi, system):
        midi.learning.add(Learned("/patch/cut/cutoff", "7 bit", 0, 74, takeover="jump"))
        session.edit([Rename("cut", "filter")])
        assert [bond.address for bond in learned_in(session.patch.document)] == ["/patch/filter/cutoff"]
        system.play("keys", 0xBF, 74, 127)
        top = session.parameter("filter.cutoff").control.span[1]  # type: ignore[union-attr]
        until(lambda: session.get("filter.cutoff") == top, "it moves under the new name")


def test_a_name_that_changes_inside_a_subpatch_is_followed_there_and_nowhere_else(tmp_path: Path) -> None:
    voice = Patch("Voice")
    voice.connect(voice.add("saw~", "saw"), voice.add("outlet~", "y"))
    voice.save(tmp_path / "voice.ng")
    patch = filtered()
    patch.save(tmp_path / "filtered.ng")
    patch = Patch.open(tmp_path / "filtered.ng")
    patch.add("voice.ng", "v")
    with playing(patch) as (session, midi, _):
        for number, address in enumerate(("/patch/saw/freq", "/patch/v/saw/freq")):
            midi.learning.add(Learned(address, "7 bit", 0, 74 + number))
        session.sheets.edit(session.sheets.open("voice.ng", by="me").name, [Rename("saw", "tone")], by="me")
        bonds = [bond.address for bond in learned_in(session.patch.document)]
        assert bonds == ["/patch/saw/freq", "/patch/v/tone/freq"]


def test_what_is_learned_is_to_be_saved_and_outlives_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("NODEGRAPH_STATE", str(tmp_path / "state"))
    path = tmp_path / "patch.ng"
    filtered().save(path)
    heard: list[Mapping[str, Any]] = []
    with playing(Patch.open(path)) as (session, midi, system):
        recovery = Recovery(session, print, every_s=600.0)
        session.news.listen(lambda topic, data: heard.append(data), ("changed",))
        midi.learn("cut.cutoff")
        assert not session.patch.history.changed and midi.unlearn("level.gain") == 0 and not heard, "nothing yet"
        system.play("keys", 0xB0, 74, 5, 74, 6)
        bond = learned(midi, "/patch/cut/cutoff")
        until(lambda: heard, "it is told")
        assert [(item["commands"], item["unsaved"], item["by"]) for item in heard] == [([], True, "midi")]
        assert heard[0]["revision"] == session.revision and recovery.keeper.keep()
        session.save()
        assert not session.patch.history.changed and recovery.keeper.keep() is False
        other = Learned("/patch/level/gain", "7 bit", 1, 7)
        midi.learning.add(other)
        assert recovery.close(leave=True)
        (lost,) = lost_edits(path)
        assert learned_in(lost.patch().document) == [bond, other] and lost.patch().history.changed
        session.save()
        assert midi.unlearn("cut.cutoff") == 1 and session.patch.history.changed


def test_learning_while_it_is_edited_never_stands_still() -> None:
    """An edit waits for the player, and the player must not wait for it."""
    with playing(filtered()) as (session, midi, system):
        midi.learning.add(Learned("/patch/level/gain", "7 bit", 1, 7, takeover="jump"))
        for number in range(20):
            midi.learning.learn("cut.cutoff")
            for value in range(20):
                system.play("keys", 0xB0, 7, value, 70 + number % 8, value)
            session.edit([Rename("saw" if number % 2 == 0 else "tooth", "tooth" if number % 2 == 0 else "saw")])
        until(lambda: session.get("level.gain") > 0.0, "knobs are handled")


def test_odd_data_stays_in_the_file_and_is_refused_where_it_is_given() -> None:
    patch = filtered()
    good = {"address": "/patch/cut/cutoff", "what": "bend", "channel": 1, "number": 0, "takeover": "jump"}
    odd = [5, {"what": "bend"}, {**good, "what": "thought"}, {**good, "channel": 99}, {**good, "span": ["a", 1]}]
    odd.append({**good, "span": [float("inf"), 0]})
    for data in odd:
        with pytest.raises(PatchError, match="no learned knob"):
            Learned.of(data)
    patch.document.extra["learned"] = {"osc": [1], "midi": [*odd, good]}
    with Session(patch) as session:
        learning = Learning(session)
        assert [bond.as_data() for bond in learning.bonds] == [good]
        learning.add(Learned("/patch/level/gain", "note", 1, 60))
        assert patch.document.extra["learned"]["osc"] == [1]
        assert len(patch.document.extra["learned"]["midi"]) == len(odd) + 2
        assert learning.remove("/patch/cut/cutoff") == 1 and learning.remove("/patch/cut/cutoff") == 0
        with pytest.raises(PatchError, match="no parameter"):
            learning.learn("cut.nothing")
        with pytest.raises(PatchError, match="outlet"):
            learning.learn("shown.y")
        learning.close()


def test_what_is_meant_by_a_message() -> None:
    controls = Controls()

    def meant(*messages: bytes) -> list[str | None]:
        found = [learnable(knobs(controls, message)) for message in messages]
        return [None if knob is None else f"{knob.what} {knob.number}" for knob in found]

    assert meant(words.control(1, 5, 1), words.control(1, 99, 1), words.pressure(1, 5), b"\xf8") == [
        "7 bit 5", None, "pressure 0", None
    ]  # fmt: skip
    assert meant(*words.parameter(1, 9, 5)) == [None, None, "nrpn 9", "nrpn 9"]
    assert meant(words.poly_pressure(1, 60, 5), words.note_off(1, 60), words.program(1, 2)) == ["key 60", None, None]
