"""Has a patch be played as it is now, with as little as that takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from nodegraph.api.patch import Patch
from nodegraph.api.playing import Playing
from nodegraph.core.commands import Command, Set
from nodegraph.core.history import History
from nodegraph.core.patchfile import dumps
from nodegraph.session.parameters import ROOT


def sounds_otherwise(commands: Iterable[Command]) -> bool:
    """Whether one of them may change what is heard; the others change how the patch looks."""
    return any(command.sounds for command in commands)


def stored(commands: Iterable[Command], prefixes: Collection[str] = ("",)) -> Iterator[str]:
    """The addresses of what they store, at every place where the edited patch stands (`core.flatten.places`)."""
    for command in commands:
        if isinstance(command, Set):
            for prefix in prefixes:
                yield from (f"{ROOT}/{prefix}{command.node}/{name}" for name in command.values)


def update(patch: Patch, playing: Playing | None, sounds: bool) -> None:
    """Play what is there now. Without `sounds` it only looks otherwise, and the engine is left alone: a box has moved,
    a note has come. A performance that is kept or played hears of that, too.
    """
    if playing is None or not playing.running:
        if sounds:
            patch.graph.refresh()
    elif sounds or playing.performance is not None or playing.player.score is not None:
        playing.update()
    else:
        playing.player.messages.patch_text = dumps(patch.document)  # type: ignore[attr-defined]


def renames(news: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Old id and new id of the nodes that a step has renamed, one after another, as they are called in the patch that
    is played.
    """
    return [
        (under + command["node"], under + command["to"])
        for command in news.get("commands", ())
        if command.get("do") == "rename"
        for under in news.get("under", ("",))
    ]


def change_of(history: History, revision: int, settled: list[str], by: str) -> dict[str, Any]:
    """What is told of a step; `settled` are the addresses that stand no more where they were moved to."""
    return {
        "revision": revision, "by": by, "commands": [command.as_data() for command in history.last],
        "settled": settled, "undo": history.undo_label, "redo": history.redo_label, "unsaved": history.changed,
    }  # fmt: skip
