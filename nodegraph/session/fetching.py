"""Requests about models: which there are, which of them are here, and bringing one here.

Nothing is fetched but by `fetch_model`, which somebody asked for: opening a patch never does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import NodegraphError, Problem
from nodegraph.session.requests import FLAG, TEXT, needed, request

if TYPE_CHECKING:
    from nodegraph.models import Entry, Manifest
    from nodegraph.session.protocol import Client
    from nodegraph.session.session import Session

Asked = Mapping[str, Any]
TELL_S: Final = 0.2
"""So often at most is told how far it is."""


class _Ended(Exception):
    """Somebody does not want it any more."""


class Fetching:
    """The models that are being brought here for one session: each on a thread of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._under_way: dict[str, dict[str, Any]] = {}
        self._ended: set[str] = set()

    def state(self, name: str) -> dict[str, Any] | None:
        """How far a model is that is being fetched; None for any other."""
        with self._lock:
            found = self._under_way.get(name)
            return None if found is None else dict(found)

    def begin(self, name: str, accept_licence: bool) -> None:
        """Fetch a model, unless that is under way. Raises ModelError for one that there is not, or whose licence
        nobody has accepted."""
        from nodegraph.models import Store

        store = Store()
        entry = store.info(name)
        store.check_licence(entry.manifest, accept_licence)
        with self._lock:
            if name in self._under_way:
                return
            self._under_way[name] = {"name": name, "state": "fetching", "done": 0, "total": entry.manifest.size}
            self._ended.discard(name)
        self._tell(name)
        threading.Thread(
            target=self._fetch, args=(store, name, accept_licence), name=f"fetch {name}", daemon=True
        ).start()  # fmt: skip

    def end(self, name: str) -> None:
        """Fetch it no further: it ends at the next piece. What came of it is not kept as a model."""
        with self._lock:
            if name not in self._under_way:
                return
            self._ended.add(name)
            self._under_way[name]["state"] = "ending"
        self._tell(name)

    def end_all(self) -> None:
        """Nothing is wanted any more."""
        with self._lock:
            self._ended.update(self._under_way)

    def _fetch(self, store: Any, name: str, accept_licence: bool) -> None:
        told = 0.0

        def progress(done: int, total: int | None, text: str) -> None:
            nonlocal told
            with self._lock:
                if name in self._ended:
                    raise _Ended
                self._under_way[name] |= {"done": done, "total": total, "text": text}
            if time.monotonic() >= told + TELL_S:
                told = time.monotonic()
                self._tell(name)

        news: dict[str, Any] = {"name": name, "state": "missing"}
        try:
            store.fetch(name, progress, accept_licence=accept_licence)
        except _Ended:
            pass
        except NodegraphError as error:
            news["error"] = [problem.as_dict() for problem in error.problems]
        except Exception as error:  # a mistake of ours, or the disk's: whoever waits must hear of it
            text = f"{type(error).__name__}: {error}"
            news["error"] = [Problem("internal", f"Fetching failed: {text}.").as_dict()]
        try:
            with suppress(NodegraphError, OSError):  # the store may be what is broken
                news["state"] = store.info(name).state
        finally:
            with self._lock:
                del self._under_way[name]
                self._ended.discard(name)
            self._session.news.tell("models", news)

    def _tell(self, name: str) -> None:
        found = self.state(name)
        if found is not None:
            self._session.news.tell("models", found)


@request("models", slow=True)
def models(client: Client, asked: Asked) -> Asked:
    """Every model that the store knows: its size, its licence, the node kinds that use it, and whether it is here."""
    from nodegraph.models import Store

    return {"models": [_plain(client.session, entry) for entry in Store().list()]}


def _plain(session: Session, entry: Entry) -> dict[str, Any]:
    from nodegraph.models.users import kinds_of

    manifest = entry.manifest
    return {
        "name": entry.name, "kind": manifest.kind, "title": manifest.title, "about": manifest.about,
        "bytes": manifest.size, "licence": manifest.licence, "non_commercial": manifest.non_commercial,
        "licence_note": manifest.licence_note, "nodes": list(kinds_of(manifest)),
        "node": _node(manifest), "state": entry.state,
        **(session.errands.fetching.state(entry.name) or {}),
    }  # fmt: skip


def _node(manifest: Manifest) -> dict[str, Any] | None:
    """A node that uses the model: its kind and the values with which it does."""
    from nodegraph.core.registry import registry
    from nodegraph.models.users import users, users_of

    found = users_of(manifest)
    if not found:
        return None
    values = dict(found[0].settings)
    spec = registry().get(found[0].kind)
    if spec is not None and manifest.name not in users():  # one of the user's own, which is named
        values = {spec.cls.weights.own: manifest.name}  # type: ignore[attr-defined]
    return {"kind": found[0].kind, "values": values}


@request("fetch_model", slow=True, name=needed(TEXT), accept_licence=FLAG)
def fetch_model(client: Client, asked: Asked) -> Asked:
    """Begin to bring a model here; ``models`` tells how far it is. One that forbids commercial use wants
    `accept_licence`."""
    client.session.errands.fetching.begin(asked["name"], bool(asked.get("accept_licence", False)))
    return {"name": asked["name"]}


@request("cancel_fetch", name=needed(TEXT))
def cancel_fetch(client: Client, asked: Asked) -> Asked:
    """Bring it no further."""
    client.session.errands.fetching.end(asked["name"])
    return {"name": asked["name"]}
