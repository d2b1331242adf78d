"""What a session is at a moment, as a file: so much that it sounds the same when it is opened again.

The patch stands in it as text, with the edits that were never saved, and beside it what is no part of the patch: where
controls were moved to, the clock, how it plays. The file is replaced in one step (`core.replacing`): whatever happens,
it is whole.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nodegraph.api.patch import Patch
from nodegraph.core.errors import PatchFileError, Problem
from nodegraph.core.patchfile import dumps, loads
from nodegraph.core.registry import registry
from nodegraph.core.replacing import replace_file
from nodegraph.core.subpatches import PatchKinds
from nodegraph.runtime.acts import Act

if TYPE_CHECKING:
    from nodegraph.session.session import Session

FORMAT: Final = 1
MOST_BYTES: Final = 128 * 1024 * 1024
POSITIONS: Final = ("begin", "kept", "onward")
"""Where the clock of the patch stands after a restart: at the first beat; where it stood; where it would be by now."""


@dataclass(frozen=True, slots=True)
class State:
    """A session at a moment.

    `path` is the patch's file and `source` the hash of what that held, `unsaved` whether `patch` is another text.
    `given` and `asked` are what the session was begun with: a patch's path, and a hash of what was asked for it.
    `values`: address → number of controls that were moved. `clock`: ``on``, ``tempo``, ``beat`` of the patch's clock.
    `at` is when that was, in seconds since 1970. `sheets`: path → text of patch files in it that are not saved.
    """

    patch: str
    path: str | None = None
    source: str | None = None
    unsaved: bool = False
    given: str | None = None
    asked: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    clock: Mapping[str, float] | None = None
    preset: str | None = None
    playing: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    at: float = 0.0
    sheets: Mapping[str, str] = field(default_factory=dict)

    def same_as(self, other: State | None, *, beat: bool) -> bool:
        """Whether keeping it would tell nothing new. Time passes; `beat`: so does the place of the clock."""
        if other is None:
            return False
        return self._lasting(beat) == other._lasting(beat)

    def _lasting(self, beat: bool) -> dict[str, Any]:
        found = asdict(self)
        found.pop("at")
        if found["clock"] is not None and not beat:
            found["clock"] = {name: value for name, value in found["clock"].items() if name != "beat"}
        return found

    def write(self, path: Path) -> None:
        """Keep it in a file. Raises OSError, and leaves the file as it was."""
        text = json.dumps({"nodegraph_state": FORMAT, **asdict(self)}, ensure_ascii=True, indent=1)
        replace_file(path, text.encode())


def read(path: Path) -> State | None:
    """The state that a file keeps; None when there is no file. Raises PatchFileError when it cannot be understood."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error.strerror or "it cannot be read") from error
    try:
        if len(data) > MOST_BYTES:
            raise ValueError("it is too large")
        found = json.loads(data)
        if not isinstance(found, dict) or found.pop("nodegraph_state", None) != FORMAT:
            raise ValueError("it is of another version")
        return _state(found)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise unreadable(path, str(error)) from error


def _state(found: dict[str, Any]) -> State:
    known = {name: found[name] for name in State.__dataclass_fields__ if name in found}
    state = State(**known)
    if not isinstance(state.patch, str) or not all(
        isinstance(item, dict) for item in (state.values, state.options, state.sheets)
    ):
        raise ValueError("it holds no patch")
    for values in (state.values, state.clock or {}):
        for name, value in values.items():
            if not isinstance(value, (int, float)) or not math.isfinite(value):
                raise ValueError(f"{name} is no number")
    return state


def unreadable(path: Path, why: str) -> PatchFileError:
    """A state that is of no use."""
    return PatchFileError(Problem("unreadable-state", f"The kept state cannot be read: {why}.", file=str(path)))


def hash_of(path: str | Path | None) -> str | None:
    """A hash of what a file holds; None when it cannot be read."""
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


# from a session and back


class Snapshots:
    """Takes the state of one session, again and again. The text of the patch is written only when it has changed."""

    def __init__(self, session: Session, *, given: str | None = None, asked: str = "") -> None:
        self.session = session
        self.given, self.asked = given, asked
        self.clock: Mapping[str, float] | None = None
        """The clock as it was last, also when nothing plays now."""
        self._text: tuple[object, str] = (None, "")
        self._source: tuple[object, str | None] = (None, None)
        self._saves = 0
        session.news.listen(self._hear, ("saved",))

    def close(self) -> None:
        """Listen no more."""
        self.session.news.leave(self._hear, ("saved",))

    def _hear(self, topic: str, data: Mapping[str, Any]) -> None:
        self._saves += 1

    def take(self) -> State:
        """The state now. From any thread but the player's."""
        session = self.session
        with session.turn:
            patch, playing = session.patch, session.playing
            mark = id(patch), session.revision
            if self._text[0] != mark:
                self._text = mark, dumps(patch.document)
            unsaved = session.unsaved
            sheets = {str(path): text for path, text in session.sheets.drafts}
            values = dict(session.live)
        path = None if patch.path is None else os.path.abspath(patch.path)
        place = path, id(patch), self._saves
        if self._source[0] != place:
            self._source = place, hash_of(path)
        on = playing is not None and playing.running
        options = {name: value for name, value in session.options.items() if _plain(value)}
        if playing is not None and on:
            clock, frame = playing.player.messages.clock, playing.player.engine.done
            self.clock = {
                "on": float(clock.playing), "tempo": clock.tempo_at(frame), "beat": clock.beat_at(frame)
            }  # fmt: skip
            wanted = playing.supervisor.wanted
            options |= {
                "driver": wanted.kind, "device": wanted.device, "input_device": wanted.input_device,
                "rate": playing.rate, "block": wanted.block,
            }  # fmt: skip
        return State(
            self._text[1], path, self._source[1], unsaved, self.given, self.asked, values, self.clock,
            session.presets.recalled, on, options, time.time(), sheets,
        )  # fmt: skip


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def patch_of(state: State, media: list[Path] | None = None) -> Patch:
    """The patch that a state holds, under the path of its file. Raises PatchFileError."""
    kinds = PatchKinds(registry(), media=[] if media is None else list(media))
    if state.path is not None:
        kinds.lie_in(Path(state.path))
    for name, text in state.sheets.items():
        kinds.drafts.put(Path(name), str(text))
    document = loads(state.patch, file=state.path, kinds=kinds)
    document.path = None if state.path is None else Path(state.path)
    patch = Patch(document=document)
    if state.unsaved:
        patch.history.unsaved()
    return patch


def put_back(state: State, session: Session, position: str = "begin") -> None:
    """Move what was moved, and let the clock begin as it was. Before the session plays.

    Parameters that the patch does not have any more are left out.
    """
    session.sheets.restore(state.sheets)
    known = session.parameters
    for address, value in state.values.items():
        if address in known and known[address].control is not None:
            session.live[address] = float(value)
    session.at_first = clock_acts(state, position)
    session.presets.recalled = state.preset if state.preset in session.presets.names else None


def clock_acts(state: State, position: str) -> list[Act]:
    """What puts the clock of a patch where it is to be."""
    clock = state.clock
    if clock is None:
        return []
    tempo, on, beat = float(clock.get("tempo", 120.0)), bool(clock.get("on", 1.0)), float(clock.get("beat", 0.0))
    if position == "onward" and on:
        beat += max(0.0, time.time() - state.at) * tempo / 60.0
    acts = [] if position == "begin" else [Act(0, "clock", ("locate", beat))]
    # before the nodes begin, so that none of them sees another tempo; and after, for a transport node has its own
    for frame in (0, 1):
        acts += [Act(frame, "clock", ("go", tempo)), Act(frame, "clock", ("run", on))]
    return acts
