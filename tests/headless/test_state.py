"""The state of a session: taken, kept, read and put back, so that it sounds the same."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import Patch
from nodegraph.core.errors import PatchFileError
from nodegraph.headless.keeping import Keeper
from nodegraph.headless.state import Snapshots, State, clock_acts, patch_of, put_back, read
from nodegraph.session.session import Session
from tests.headless.conftest import TONE, until

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)
STATES = st.builds(
    State, st.text(), st.none() | st.text(), st.none() | st.text(), st.booleans(), st.none() | st.text(), st.text(),
    st.dictionaries(st.text(), NUMBERS), st.none() | st.fixed_dictionaries({"on": NUMBERS, "tempo": NUMBERS}),
    st.none() | st.text(), st.booleans(), st.dictionaries(st.text(), st.none() | st.integers() | st.text()), NUMBERS,
)  # fmt: skip


@given(STATES)
def test_what_is_written_is_read(state: State) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        state.write(Path(folder) / "state.json")
        assert read(Path(folder) / "state.json") == state


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert read(tmp_path / "nothing.json") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"nodegraph_state": 1}', '{"nodegraph_state": 2, "patch": ""}',
        '{"nodegraph_state": 1, "patch": 3}', '{"nodegraph_state": 1, "patch": "", "values": []}',
        '{"nodegraph_state": 1, "patch": "", "values": {"/patch/a/b": "x"}}',
        '{"nodegraph_state": 1, "patch": "", "values": {"/patch/a/b": NaN}}',
        '{"nodegraph_state": 1, "patch": "", "clock": {"tempo": Infinity}}', "[" * 100_000, "\xff\xfe",
    ],
)  # fmt: skip
def test_what_is_no_state_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(PatchFileError, match="cannot be read"):
        read(tmp_path / "state.json")


@given(st.binary(max_size=200))
def test_whatever_lies_there_is_read_or_told(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.json"
        path.write_bytes(data)
        with pytest.raises(PatchFileError):
            read(path)


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.ng"
    path.write_text(TONE)
    return path


def test_a_session_put_back_sounds_the_same(tone: Path, tmp_path: Path) -> None:
    with Session(Patch.open(tone), driver="null") as session:
        snapshots = Snapshots(session, given=str(tone))
        session.play()
        session.edit([{"do": "set", "node": "osc", "values": {"freq": 500}}])
        session.set("level.gain", 0.75)
        until(lambda: session.live.get("/patch/level/gain") == 0.75, "the value")
        session.transport(tempo=90.0, play=False)
        until(lambda: not session.playing.player.messages.clock.playing, "the clock")
        snapshots.take().write(tmp_path / "state.json")
    state = read(tmp_path / "state.json")
    assert state is not None and state.playing and state.unsaved and state.path == str(tone)
    again = patch_of(state)
    assert str(again) == str(session.patch) and again.history.changed and again.path == tone
    with Session(again, driver="null") as other:
        put_back(state, other)
        other.play()
        until(lambda: abs(max(other.status()["outputs"], default=0.0) - 0.75) < 0.01, "the level that was set")
        status = other.status()["clock"]
        assert status["tempo"] == 90.0 and status["on"] is False
        assert other.get("osc.freq") == 500 and other.get("level.gain") == 0.75
    assert tone.read_text() == TONE


def test_what_a_patch_does_not_have_any_more_is_left_out(tone: Path) -> None:
    session = Session(Patch.open(tone))
    put_back(State("", values={"/patch/level/gain": 0.5, "/patch/gone/x": 1.0, "/patch/out/x": 1.0}), session)
    assert session.live == {"/patch/level/gain": 0.5}


def test_a_transport_node_does_not_undo_the_tempo(tone: Path) -> None:
    patch = Patch.open(tone)
    patch.add("transport", "time", tempo=60)
    with Session(patch, driver="null") as session:
        put_back(State("", clock={"on": 1.0, "tempo": 150.0, "beat": 3.0}), session)
        session.play()
        until(lambda: session.status()["clock"]["tempo"] == 150.0, "the tempo")


@pytest.mark.parametrize(("position", "low", "high"), [("begin", 0, 0), ("kept", 40, 40), ("onward", 240, 261)])
def test_where_the_clock_goes_on(tone: Path, position: str, low: float, high: float) -> None:
    state = State("", clock={"on": 1.0, "tempo": 120.0, "beat": 40.0}, at=time.time() - 100.0)
    acts = clock_acts(state, position)
    where = [act.args[1] for act in acts if act.args[0] == "locate"] or [0.0]
    assert low <= where[0] <= high
    standing = State("", clock={"on": 0.0, "tempo": 120.0, "beat": 40.0}, at=time.time() - 100.0)
    assert [act.args[1] for act in clock_acts(standing, "onward") if act.args[0] == "locate"] == [40.0]


def test_the_last_preset_is_known_again(tone: Path) -> None:
    session = Session(Patch.open(tone))
    snapshots = Snapshots(session)
    assert snapshots.take().preset is None
    session.presets.recall("dawn")
    state = snapshots.take()
    assert state.preset == "dawn" and state.values == {"/patch/level/gain": 0.125, "/patch/osc/freq": 441.5}
    other = Session(patch_of(state))
    put_back(state, other)
    assert other.presets.recalled == "dawn" and other.live == state.values
    gone = Session(Patch("Another"))
    put_back(state, gone)
    assert gone.presets.recalled is None


# keeping


def keeper_of(session: Session, path: Path, said: list[tuple[str, str]] | None = None) -> Keeper:
    return Keeper(Snapshots(session), path, lambda *line: None if said is None else said.append(line))


def test_it_is_written_only_when_something_has_changed(tone: Path, tmp_path: Path) -> None:
    session = Session(Patch.open(tone))
    keeper = keeper_of(session, tmp_path / "state.json")

    def writes() -> bool:
        before = (tmp_path / "state.json").stat().st_ino if keeper.kept else 0
        assert keeper.keep()
        return (tmp_path / "state.json").stat().st_ino != before

    assert writes() and not writes()
    session.set("level.gain", 0.5)
    assert writes() and not writes()
    session.edit([{"do": "add", "node": "wind", "kind": "noise~"}])
    assert writes() and not writes()
    session.save()
    assert writes() and not writes(), "nothing is unsaved any more"
    assert read(tmp_path / "state.json") == keeper.kept


def test_a_disk_that_is_full_is_said_once_and_got_over(
    tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nodegraph.headless import state as module

    said: list[tuple[str, str]] = []
    session = Session(Patch.open(tone))
    keeper = keeper_of(session, tmp_path / "state.json", said)
    keeper.keep()
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(module, "replace_file", full)
        session.set("level.gain", 0.5)
        assert not keeper.keep() and not keeper.keep()
    assert said == [("error", "the state is not kept: No space left on device.")] and keeper.error
    assert read(tmp_path / "state.json").values == {}  # type: ignore[union-attr]
    assert keeper.keep() and said[-1] == ("info", "the state is kept again.") and not keeper.error
    assert read(tmp_path / "state.json").values == {"/patch/level/gain": 0.5}  # type: ignore[union-attr]


def test_it_keeps_by_itself_and_removes_what_killed_ones_left(tone: Path, tmp_path: Path) -> None:
    (tmp_path / ".state.json.12345678.tmp").write_text("half of a")
    (tmp_path / ".other.json.12345678.tmp").write_text("somebody else's")
    session = Session(Patch.open(tone))
    keeper = Keeper(Snapshots(session), tmp_path / "state.json", lambda *line: None, every_s=0.01)
    keeper.start()
    until(lambda: (tmp_path / "state.json").exists(), "the file")
    session.set("level.gain", 0.5)
    until(lambda: read(tmp_path / "state.json").values, "the value")  # type: ignore[union-attr]
    keeper.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.json.12345678.tmp", "state.json", "tone.ng"]
    json.loads((tmp_path / "state.json").read_text())
