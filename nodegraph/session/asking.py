"""Requests that change nothing: what there is, how it plays, what is told from now on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodegraph import __version__
from nodegraph.api.versions import revision_text, stored_text
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import quoted
from nodegraph.session.layout import Layout
from nodegraph.session.naming import PATCH, named
from nodegraph.session.requests import COUNT, FLAG, OBJECT, TEXT, TEXTS, Field, needed, request
from nodegraph.session.sheets import sheet_data

if TYPE_CHECKING:
    from nodegraph.session.protocol import Client

Asked = Mapping[str, Any]
MOST_NUMBERED = 1 << 16
NAME = Field(lambda value: isinstance(value, str) and 0 < len(value) <= 60 and value.isprintable(), "a short text")


@request("hello", name=NAME)
def hello(client: Client, asked: Asked) -> Asked:
    """Who is there. `name` is how others hear of this client."""
    from nodegraph.session.protocol import VERSION

    client.name = asked.get("name", client.name)
    session, playing = client.session, client.session.playing
    return {
        "nodegraph": __version__, "protocol": VERSION, "you": client.name, "title": session.patch.title,
        "about": session.patch.about, "file": session.patch.document.file, "revision": session.revision,
        "playing": playing is not None and playing.running, "live": dict(session.live),
    }  # fmt: skip


@request("document", slow=True, sheet=TEXT)
def document(client: Client, asked: Asked) -> Asked:
    """The text of the patch, or of a sheet, and what undo and redo would do."""
    session = client.session
    with session.turn:
        if "sheet" in asked:
            return sheet_data(session.sheets.get(asked["sheet"]))
        history = session.patch.history
        return {
            "text": str(session.patch), "revision": session.revision, "changed": history.changed,
            "undo": history.undo_label, "redo": history.redo_label,
        }  # fmt: skip


@request("version", slow=True, sheet=TEXT, path=TEXT, revision=TEXT)
def version(client: Client, asked: Asked) -> Asked:
    """The text of another version of the patch, or of a sheet: the file as saved, as a `revision` of git has it, or
    another file."""
    session = client.session
    if "path" in asked:
        return {"text": stored_text(named(session, asked["path"], PATCH)), "of": asked["path"]}
    with session.turn:
        path = session.sheets.get(asked["sheet"]).path if "sheet" in asked else session.patch.path
    if path is None:
        raise PatchError(Problem("no-file", "The patch has no file yet.", "Save it first, or name another file."))
    if "revision" in asked:
        return {"text": revision_text(path, asked["revision"]), "of": f"{path.name} at {asked['revision']}"}
    return {"text": stored_text(path), "of": f"{path.name} as saved"}


@request("kinds", slow=True, kinds=TEXTS)
def kinds(client: Client, asked: Asked) -> Asked:
    """The node kinds with all that an editor wants to know of them; of `kinds`, only those."""
    found = client.session.patch.graph.registry
    if "kinds" not in asked:
        return {"kinds": [spec.as_dict() for spec in found]}
    specs = []
    for kind in asked["kinds"]:
        spec = found.get(found.resolve(kind))
        if spec is None:
            raise PatchError(Problem("unknown-kind", f"There is no node kind {quoted(kind)}.", "Ask for all kinds."))
        specs.append(spec.as_dict())
    return {"kinds": specs}


@request("parameters", slow=True, under=TEXT)
def parameters(client: Client, asked: Asked) -> Asked:
    """Every parameter with its unit, its span and where it stands; with `under`, those whose address begins so."""
    session, under = client.session, asked.get("under", "")
    found = []
    for item in session.parameters.values():
        if item.address.startswith(under):
            data = item.as_data()
            if item.control is not None:
                data["value"] = session.live.get(item.address, item.stored)
            found.append(data)
    return {"parameters": found, "revision": session.revision}


@request("panel", slow=True)
def panel(client: Client, asked: Asked) -> Asked:
    """What the performer's panel shows."""
    from nodegraph.session.panel import panel_of

    return panel_of(client.session)


@request("get", addresses=needed(TEXTS))
def get(client: Client, asked: Asked) -> Asked:
    """Where controls stand."""
    session = client.session
    return {"values": {address: session.get(address) for address in asked["addresses"]}}


@request("status", slow=True)
def status(client: Client, asked: Asked) -> Asked:
    """How it plays."""
    return client.levels.status(client)


@request("log", most=COUNT)
def log(client: Client, asked: Asked) -> Asked:
    """The last lines of the log."""
    lines = list(client.session.lines)
    most = int(asked.get("most", 100))
    return {"lines": lines[max(0, len(lines) - most) :]}


@request("subscribe", topics=needed(TEXTS), periods=OBJECT, echo=FLAG)
def subscribe(client: Client, asked: Asked) -> Asked:
    """Be told of these topics; `periods` says how often of ``meters``, ``status`` and ``cables``, in seconds; without
    `echo` nothing is told of what the client moved itself."""
    from nodegraph.session.requests import is_number

    periods = asked.get("periods", {})
    for topic, period in periods.items():
        if not is_number(period) or topic not in asked["topics"]:
            what = f"The period of {quoted(topic)} cannot be {period!r}."
            raise PatchError(Problem("bad-request", what, "Give seconds, for a topic that is asked for."))
    client.subscribe(set(asked["topics"]), periods)
    client.echo = asked.get("echo", client.echo)
    return {"topics": sorted(client.topics)}


@request("unsubscribe", topics=needed(TEXTS))
def unsubscribe(client: Client, asked: Asked) -> Asked:
    """Be told of these no more."""
    client.unsubscribe(set(asked["topics"]))
    return {"topics": sorted(client.topics)}


@request("probe", node=needed(TEXT), port=needed(TEXT), stop=FLAG)
def probe(client: Client, asked: Asked) -> Asked:
    """Look closely at an outlet, or with `stop` no more: what flows there is told under ``probe``, 15 times a second,
    until it is stopped."""
    if asked.get("stop", False):
        client.stop_probing(asked["node"], asked["port"])
        return {}
    return {"kind": client.probe(asked["node"], asked["port"]).value}


@request("layout", addresses=TEXTS)
def layout(client: Client, asked: Asked) -> Asked:
    """Number controls, from 0: those with these addresses, in that order, or all. Then ``{"do": "move", "layout": …,
    "at": …, "to": …}`` moves them, and ``moved`` tells of them, by number: uint16 and float32, little end first."""
    session, known = client.session, client.session.parameters
    if "addresses" in asked:
        found = [session.parameter(address) for address in asked["addresses"]]
    else:
        found = [item for item in known.values() if item.control is not None]
    if len(found) > MOST_NUMBERED:
        raise PatchError(Problem("bad-layout", f"A layout numbers at most {MOST_NUMBERED} parameters.", "Name fewer."))
    number = 1 if client.layout is None else client.layout.number + 1
    client.layout = Layout(number, found, known)
    return {"layout": number, "addresses": list(client.layout.all.addresses), "revision": session.revision}
