"""What a headless engine begins with: the kept state if it is of the same patch, else the patch's file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodegraph.api.patch import Patch
from nodegraph.commands.options import Post, open_patch
from nodegraph.core.errors import NodegraphError
from nodegraph.headless.running import Plan
from nodegraph.headless.state import State, hash_of, patch_of, put_back, read
from nodegraph.session.session import Session

Say = Callable[[str, str], None]


@dataclass
class Found:
    """A patch to play and how; `state` is what is put back into its session."""

    patch: Patch
    options: dict[str, Any]
    state: State | None = None
    restored: bool = False
    """Whether the patch itself is that of the state."""
    posts: list[Post] = field(default_factory=list)

    @property
    def played(self) -> bool:
        """Whether it played when the state was kept."""
        return self.state is not None and self.state.playing

    def put_back(self, session: Session, position: str) -> None:
        """Move what was moved."""
        if self.state is not None:
            put_back(self.state, session, position)


def opened(plan: Plan, path: Path, say: Say, *, safe: bool = False) -> Found:
    """Open what `plan` asks for, as it was. In `safe` mode nothing is moved on the disk, and something is opened
    whatever there is. Raises PatchError and so on when neither state nor patch can be opened."""
    state = kept(plan, path, say, safe)
    try:
        patch, posts, input = open_patch(plan.patch, list(plan.sets), plan.input)
    except NodegraphError as error:
        if state is None and not safe:
            raise
        for problem in error.problems:
            say("warning", problem.describe())
        patch, posts, input = Patch(plan.patch.stem), [], plan.input
        if state is None:
            return Found(patch, _options(plan, input))
        say("warning", "the patch's file cannot be opened; it is played from the kept state.")
        return _restored(plan, state, patch, posts, input)
    if state is None:
        return Found(patch, _options(plan, input), posts=posts)
    if _is_of_now(plan, state):
        try:
            return _restored(plan, state, patch, posts, input)
        except NodegraphError as error:
            say("warning", f"the kept state does not open: {error.problems[0].describe()}")
            if not safe:
                set_aside(path, say)
            return Found(patch, _options(plan, input), posts=posts)
    say("info", "the patch, or what is asked for it, is another than when the state was kept: it begins with that.")
    if state.unsaved and not safe:
        say("warning", "there were edits that were never saved; they stay in the state that is put aside.")
        set_aside(path, say)
    return Found(patch, _options(plan, input), state, posts=posts)


def kept(plan: Plan, path: Path, say: Say, safe: bool) -> State | None:
    """The state of this patch, if one was kept."""
    try:
        state = read(path)
    except NodegraphError as error:
        say("error", error.problems[0].describe())
        if not safe:
            set_aside(path, say)
        return None
    if state is not None and state.given != plan.given:
        say("info", f"the kept state is that of another patch, {state.given}; it is put aside.")
        if not safe:
            set_aside(path, say)
        return None
    return state


def _is_of_now(plan: Plan, state: State) -> bool:
    """Whether nobody has put another file in the place of the patch, or asked for something else, since."""
    found = hash_of(state.path)
    return state.asked == plan.asked and (found is None or found == state.source)


def _restored(plan: Plan, state: State, patch: Patch, posts: list[Post], input: Path | None) -> Found:
    options = _options(plan, input)
    for name in ("driver", "device", "input_device", "rate", "block"):
        if name in state.options:
            options[name] = state.options[name]
    return Found(patch_of(state, patch.media), options, state, True, posts)


def _options(plan: Plan, input: Path | None) -> dict[str, Any]:
    return {**plan.options, "input": input, "patient": True}


def set_aside(path: Path, say: Say) -> None:
    """Put a state where it is not read any more, but can be looked at; the last such one is kept."""
    aside = path.with_name("state-aside.json")
    with contextlib.suppress(OSError):
        os.replace(path, aside)
        say("info", f"the old state lies in {aside}.")
