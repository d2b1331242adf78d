"""Requests that change something: where controls stand, what the patch is, whether it plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nodegraph.core.commands import commands
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import quoted
from nodegraph.session.naming import PATCH, named
from nodegraph.session.requests import ANY, BYTES, COUNT, FLAG, LIST, NUMBER, OBJECT, TEXT, Field, needed, request
from nodegraph.session.sheets import sheet_data

if TYPE_CHECKING:
    from pathlib import Path

    from nodegraph.session.protocol import Client
    from nodegraph.session.session import Session

Asked = Mapping[str, Any]
SOURCE = Field(lambda value: value is None or isinstance(value, str), "a text, or nothing")


@request("set", values=needed(OBJECT), ms=NUMBER)
def set_values(client: Client, asked: Asked) -> Asked:
    """Move controls, or send messages, at one instant, all or none; with `ms`, controls take so long on their way."""
    from nodegraph.session.protocol import message_of

    ramp_s = None if "ms" not in asked else max(0.0, asked["ms"] / 1000.0)
    values = {address: message_of(value) for address, value in asked["values"].items()}
    return {"values": client.session.set_all(values, ramp_s=ramp_s, by=client.name)}


@request("move", layout=needed(COUNT), at=BYTES, to=needed(BYTES))
def move(client: Client, asked: Asked) -> Asked:
    """Move many controls at one instant, by the numbers that `layout` gave them; without `at`, all of them."""
    layout, to = client.layout, asked["to"]
    if layout is None or asked["layout"] != layout.number or not layout.holds(client.session.parameters):
        raise PatchError(Problem("bad-layout", "The patch is another than when this layout was made.", "Ask anew."))
    if len(to) % 4 or len(asked.get("at", b"")) % 2:
        raise PatchError(Problem("bad-layout", "Values are float32 and numbers uint16.", "Send whole ones."))
    chosen = layout.all if "at" not in asked else layout.chosen(asked["at"])
    values = np.frombuffer(to, "<f4")
    if len(values) != len(chosen.addresses):
        what = f"There are {len(values)} values for {len(chosen.addresses)} parameters."
        raise PatchError(Problem("bad-layout", what, "Send as many as there are numbers."))
    client.session.set_many(chosen, chosen.held(values.astype(np.float64)), by=client.name)
    return {}


@request("edit", slow=True, commands=needed(LIST), label=TEXT, merge=ANY, sheet=TEXT)
def edit(client: Client, asked: Asked) -> Asked:
    """Carry out commands as one step, all or none."""
    session, sheet = client.session, asked.get("sheet")
    merge = None if asked.get("merge") is None else repr(asked["merge"])
    made = commands(_listed(asked["commands"]))
    with session.turn:
        if sheet is None:
            done = session.edit(made, label=asked.get("label", ""), merge=merge, by=client.name)
        else:
            done = session.sheets.edit(sheet, made, label=asked.get("label", ""), merge=merge, by=client.name)
        return {"revision": _revision(session, sheet), "commands": [command.as_data() for command in done]}


def _revision(session: Session, sheet: str | None) -> int:
    return session.revision if sheet is None else session.sheets.get(sheet).revision


def _listed(data: Any) -> Any:
    return list(data) if isinstance(data, tuple) else data


@request("undo", slow=True, sheet=TEXT)
def undo(client: Client, asked: Asked) -> Asked:
    """Take the last step back, whoever did it."""
    session, sheet = client.session, asked.get("sheet")
    with session.turn:
        label = session.undo(by=client.name) if sheet is None else session.sheets.undo(sheet, by=client.name)
        return {"label": label, "revision": _revision(session, sheet)}


@request("redo", slow=True, sheet=TEXT)
def redo(client: Client, asked: Asked) -> Asked:
    """Do again what was taken back last."""
    session, sheet = client.session, asked.get("sheet")
    with session.turn:
        label = session.redo(by=client.name) if sheet is None else session.sheets.redo(sheet, by=client.name)
        return {"label": label, "revision": _revision(session, sheet)}


@request("keep", slow=True)
def keep(client: Client, asked: Asked) -> Asked:
    """Take what was moved into the patch."""
    return {"addresses": client.session.keep(by=client.name), "revision": client.session.revision}


@request("play", slow=True)
def play(client: Client, asked: Asked) -> Asked:
    """Begin to play."""
    client.session.play()
    return {"playing": True}


@request("stop", slow=True)
def stop(client: Client, asked: Asked) -> Asked:
    """Fade out and stop."""
    client.session.stop()
    return {"playing": False}


@request("transport", tempo=NUMBER, play=FLAG, locate=NUMBER)
def transport(client: Client, asked: Asked) -> Asked:
    """Another tempo (beats a minute), go on or stand still, go to a beat."""
    client.session.transport(**asked)
    return {}


@request("follow", slow=True, source=SOURCE, offset_s=NUMBER, port=TEXT)
def follow(client: Client, asked: Asked) -> Asked:
    """Have the clock follow ``midi``, ``mtc``, ``link`` or ``jack``; without a source it goes by itself."""
    client.session.follow(asked.get("source"), **{key: asked[key] for key in ("offset_s", "port") if key in asked})
    return {"source": asked.get("source")}


@request("open", slow=True, path=needed(TEXT))
def open_patch(client: Client, asked: Asked) -> Asked:
    """Another patch takes the place of this one: a file in its folder, or in the media folders."""
    session = client.session
    session.open(named(session, asked["path"], PATCH), by=client.name)
    return {"title": session.patch.title, "revision": session.revision}


@request("sheet", slow=True, kind=needed(TEXT), within=TEXT, text=TEXT)
def sheet(client: Client, asked: Asked) -> Asked:
    """A patch file that is a node kind, to be edited: its text, and the name under which `edit` and so on take it;
    `text` begins one that is not there yet."""
    session = client.session
    with session.turn:
        opened = session.sheets.open(asked["kind"], asked.get("within"), asked.get("text"), by=client.name)
        return sheet_data(opened)


@request("save", slow=True, path=TEXT, sheet=TEXT, overwrite=FLAG)
def save(client: Client, asked: Asked) -> Asked:
    """Write the patch to its file, or to another in its folder or in the media folders, and its sheets to theirs; with
    `sheet`, that one alone. Another file that is there already is replaced with `overwrite` alone."""
    session = client.session
    if "sheet" in asked:
        with session.turn:
            return {"path": str(session.sheets.save(asked["sheet"], by=client.name))}
    if "path" not in asked and session.patch.path is None:
        raise PatchError(Problem("no-file", "The patch has no file yet.", "Give it one: a path in its folder."))
    path = named(session, asked["path"], PATCH, writes=True) if "path" in asked else None
    if path is not None and path.exists() and not asked.get("overwrite") and not _is_own(session, path):
        what = f"{quoted(asked['path'])} is there already, and is another patch."
        raise PatchError(Problem("file-exists", what, "Take another name, or replace it with overwrite: true."))
    return {"path": str(session.save(path, by=client.name))}


def _is_own(session: Session, path: Path) -> bool:
    """Whether a file that is there is the one of the patch."""
    own = session.patch.path
    return own is not None and own.exists() and path.samefile(own)
