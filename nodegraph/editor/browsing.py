"""What can be brought into a patch: nodes, patches, sounds, models. What of it is shown, chosen, carried, and let go.

Files and models are those of the engine, which may be on another machine: they are asked for over the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.commands import Add
from nodegraph.core.spec import NodeSpec

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

SECTIONS: Final = ("Nodes", "Patches", "Samples", "Models")
SLACK: Final = 6.0
"""So many points of the screen are no drag yet."""
STATES: Final = {"missing": "not here", "altered": "altered", "fetching": "on its way", "ending": "ending"}
MOST_FOUND: Final = 60
POINTS: Final = 256
SECTION_OF: Final = {"patch": "Patches", "node": "Patches", "sound": "Samples", "midi": "Samples", "model": "Models"}
TAKES: Final = {
    "sound": ("play~",), "midi": ("midifile",), ".ts": ("nn~",), ".onnx": ("tagger~", "spikes~"),
}  # fmt: skip
"""The nodes that take a file as their setting `file`; of patches and nodes of one's own the file is the kind."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the browser. `key` tells it from all others; `group` is the heading below which it stands."""

    section: str
    group: str
    name: str
    words: str
    key: str
    what: NodeSpec | Mapping[str, Any]


@dataclass(slots=True)
class Carried:
    """What the hand takes from the browser to the canvas: from where, and whether it has moved."""

    row: Row
    start: tuple[float, float] | None = None
    moved: bool = False


class Browsing:
    """The browser of one editor, without its panel."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.version = 0
        """Another one whenever the browser shows something else."""
        self.search = ""
        self.chosen: Row | None = None
        self.carried: Carried | None = None
        self.folders: list[Mapping[str, Any]] = []
        self.whole = True
        """Whether all files are listed that there are."""
        self.models: dict[str, dict[str, Any]] = {}
        self.peaks: dict[str, Mapping[str, Any]] = {}
        """Of sounds that were chosen, by path: their length, rate, channels and waveform, or ``error``."""
        self.heard: str | None = None
        """The sound that is being previewed."""
        self.accepting: str | None = None
        """The model that would be fetched if its licence is accepted."""
        self._wanted = False
        self._rows: list[Row] = []
        self._look: tuple[object, ...] = ()
        editing.joined.append(self._again)
        editing.hear("opened", lambda data: self._again())
        editing.hear("saved", lambda data: self._again())
        editing.hear("models", self._model_moves)
        editing.hear("preview", self._previewed)

    # -- what there is

    def want(self) -> None:
        """Somebody looks: ask what there is, unless that is known."""
        if not self._wanted:
            self._wanted = True
            self.refresh()

    def refresh(self) -> None:
        """Ask anew."""
        self.editing.link.ask("files", self._files_came)
        self.editing.link.ask("models", self._models_came)

    def _again(self) -> None:
        self.peaks.clear()
        self._read(self.chosen)
        if self._wanted and self.editing.link.up:
            self.refresh()

    def _files_came(self, answer: Mapping[str, Any]) -> None:
        if "ok" in answer:
            self.folders, self.whole = list(answer["ok"]["folders"]), bool(answer["ok"]["whole"])
            self.version += 1

    def _models_came(self, answer: Mapping[str, Any]) -> None:
        if "ok" in answer:
            self.models = {item["name"]: dict(item) for item in answer["ok"]["models"]}
            self.version += 1

    def _model_moves(self, data: Mapping[str, Any]) -> None:
        model = self.models.get(data["name"])
        if model is not None:
            model.pop("error", None)
            model |= {key: value for key, value in data.items() if key != "on"}
        self.editing.tell_problems(data)
        if data["state"] == "here":
            self.editing.say(f"The model {data['name']} is here.")
        self.version += 1

    def _previewed(self, data: Mapping[str, Any]) -> None:
        self.heard = data["path"]
        self.version += 1

    # -- what of it is shown

    def find(self, text: str) -> None:
        """Show what has to do with some words; all without."""
        if text != self.search:
            self.search = text
            self.version += 1

    @property
    def rows(self) -> list[Row]:
        """What is found, section by section."""
        kinds = self.editing.mirror.document.graph.registry
        look = (self.version, id(kinds))
        if look != self._look:
            self._look = look
            self._rows = [*self._nodes(), *self._files("Patches"), *self._files("Samples"), *self._files("Models"),
                          *self._known_models()]  # fmt: skip
            if self.chosen is not None:  # the same line, with what is known of it now
                self.chosen = next((row for row in self._rows if row.key == self.chosen.key), self.chosen)
        return self._rows

    def _nodes(self) -> Iterator[Row]:
        kinds = self.editing.mirror.document.graph.registry
        words = self.search.strip()
        if words:
            found = [(spec, "") for spec in kinds.search(words)[:MOST_FOUND]]
        else:
            found = sorted(((spec, family_of(spec)) for spec in kinds), key=lambda pair: pair[1])
        for spec, family in found:
            yield Row("Nodes", family, spec.kind, spec.summary, f"node {spec.kind}", spec)

    def _files(self, section: str) -> Iterator[Row]:
        for folder in self.folders:
            for item in folder["files"]:
                if SECTION_OF.get(item["kind"]) == section and self._fits(item["name"]):
                    words = size_text(item["bytes"])
                    yield Row(section, folder["folder"], item["name"], words, f"file {item['path']}", item)

    def _known_models(self) -> Iterator[Row]:
        for name, model in self.models.items():
            if self._fits(name, model["title"], " ".join(model["nodes"])):
                words = f"{STATES.get(model['state'], model['state'])}, {size_text(model['bytes'])}"
                yield Row("Models", "known to nodegraph", name, words, f"model {name}", model)

    def _fits(self, *texts: str) -> bool:
        text = " ".join(texts).casefold()
        return all(word in text for word in self.search.casefold().split())

    def choose(self, row: Row | None) -> None:
        """Show all about one line."""
        if row is self.chosen:
            return
        self.chosen, self.accepting = row, None
        self.version += 1
        self._read(row)

    def _read(self, row: Row | None) -> None:
        """Ask what a sound looks like, unless that is known."""
        path = self.sound_of(row)
        if path is not None and path not in self.peaks:
            self.peaks[path] = {}
            self.editing.link.ask("peaks", partial(self._peaks_came, path), path=path, points=POINTS)

    def step(self, by: int) -> None:
        """Choose the next line, or the one before."""
        rows = self.rows
        if rows:
            keys = [row.key for row in rows]
            at = keys.index(self.chosen.key) if self.chosen is not None and self.chosen.key in keys else None
            self.choose(rows[(0 if by > 0 else -1) if at is None else max(0, min(len(rows) - 1, at + by))])

    def _peaks_came(self, path: str, answer: Mapping[str, Any]) -> None:
        wrong = answer.get("error")
        self.peaks[path] = {"error": wrong[0]["what"]} if wrong else answer["ok"]
        self.version += 1

    @staticmethod
    def sound_of(row: Row | None) -> str | None:
        """The path of the sound that a line stands for."""
        if row is not None and not isinstance(row.what, NodeSpec) and row.what.get("kind") == "sound":
            return None if row.section == "Models" else str(row.what["path"])
        return None

    def licences(self, spec: NodeSpec) -> list[Mapping[str, Any]]:
        """The models that a kind of node uses."""
        return [model for model in self.models.values() if spec.kind in model["nodes"]]

    # -- bringing it into the patch

    def node_of(self, row: Row) -> tuple[str, dict[str, Any]] | None:
        """The kind and the values of the node that a line becomes; None where it becomes none."""
        what = row.what
        if isinstance(what, NodeSpec):
            return what.kind, {}
        if row.key.startswith("model "):
            return (what["node"]["kind"], dict(what["node"]["values"])) if what["node"] else None
        if what["kind"] in ("patch", "node"):
            return self._kind_of(str(what["path"])), {}
        found = TAKES.get(what["kind"]) or TAKES.get(PurePath(what["path"]).suffix.lower())
        if found is None:
            return None
        values, kinds = {"file": what["path"]}, self.editing.mirror.document.graph.registry
        fits = (kind for kind in found if not kinds.why_not_shaped(kind, values))
        return next(fits, found[0]), values

    def _kind_of(self, path: str) -> str:
        """The kind that a file is in the sheet on top: files are listed as the patch itself names them."""
        sheet, home = self.editing.mirror.sheet, self.editing.sheets.open[0].mirror.file
        if sheet is None or home is None:
            return path
        file, folder = PurePath(home).parent / path, PurePath(sheet).parent
        return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else path

    def add(self, row: Row | None = None, at: tuple[float, float] | None = None) -> bool:
        """Make a line's node, at a place of the patch or in the middle of what is seen. False when it cannot be."""
        row = self.chosen if row is None else row
        made = None if row is None else self.node_of(row)
        if made is None:
            return False
        kind, values = made
        editing = self.editing
        if editing.modes.refuses():
            return False
        x, y = editing.free(*(editing.middle() if at is None else at))
        graph = editing.mirror.document.graph
        id = graph.free_id(graph.registry.resolve(kind))
        command = Add(id, kind, values, (round(x), round(y)))
        if kind not in graph.registry:  # a file that only the engine has: it makes the node, and tells
            fields: dict[str, Any] = {"commands": [command.as_data()], "label": f"Add {id}"}
            if editing.mirror.sheet is not None:
                fields["sheet"] = editing.mirror.sheet
            editing.link.ask("edit", editing.tell_problems, **fields)
            return True
        if not editing.do([command], f"Add {id}"):
            return False
        editing.selection.only([id])
        return True

    # -- the hand

    def take(self, row: Row) -> None:
        """The hand closes on a line."""
        self.choose(row)
        self.carried = Carried(row)

    def carry(self, at: tuple[float, float]) -> None:
        """The hand moves; places are counted from the corner of the canvas, and may lie outside of it."""
        carried = self.carried
        if carried is None:
            return
        if carried.start is None:
            carried.start = at
        elif abs(at[0] - carried.start[0]) + abs(at[1] - carried.start[1]) > SLACK:
            carried.moved = True

    def let_go(self, at: tuple[float, float]) -> bool:
        """The hand opens: over the canvas, a node is made there. Whether it was."""
        carried, self.carried = self.carried, None
        width, height = self.editing.size
        if carried is None or not carried.moved or not (0.0 <= at[0] < width and 0.0 <= at[1] < height):
            return False
        return self.add(carried.row, self.editing.viewport.patch(*at))

    # -- sounds, patches, models

    def preview(self, row: Row | None = None) -> None:
        """Hear the chosen sound beside the patch; once more, silence."""
        path = self.sound_of(self.chosen if row is None else row)
        if path is None:
            return
        fields: dict[str, Any] = {} if self.heard == path else {"path": path}
        self.editing.link.ask("preview", self.editing.tell_problems, **fields)

    def open(self) -> None:
        """Open the chosen patch in the place of the one that is open. What is unsaved is asked about first."""
        row = self.chosen
        if row is not None and not isinstance(row.what, NodeSpec) and row.what["kind"] == "patch":
            self.editing.files.exchange(str(row.what["path"]))

    def fetch(self, name: str, *, accept_licence: bool = False) -> None:
        """Bring a model to the engine. A licence that forbids commercial use is asked about first."""
        if self.models[name]["non_commercial"] and not accept_licence:
            self.accepting = name
            self.version += 1
            return
        self.accepting = None
        self.version += 1
        self.editing.link.ask("fetch_model", self.editing.tell_problems, name=name, accept_licence=accept_licence)

    def cancel(self, name: str) -> None:
        """Bring it no further."""
        self.editing.link.ask("cancel_fetch", self.editing.tell_problems, name=name)

    def act(self) -> None:
        """What can be done with the chosen line besides making its node: help of a node, a sound heard, a patch opened,
        a model fetched. Where it asks before, once more is yes.
        """
        row = self.chosen
        if row is None:
            return
        if isinstance(row.what, NodeSpec):
            self.editing.helping.open(row.what.kind)
        elif row.key.startswith("model "):
            state = row.what["state"]
            if state in ("missing", "altered"):
                self.fetch(row.name, accept_licence=self.accepting == row.name)
            elif state == "fetching":
                self.cancel(row.name)
        elif row.what["kind"] == "patch":
            self.open()
        else:
            self.preview()


def family_of(spec: NodeSpec) -> str:
    """The heading below which a kind stands."""
    return spec.family.split(".")[0].replace("_", " ")


def flowing(text: str) -> str:
    """Help as it stands in a docstring, for a place that breaks lines itself."""
    parts = text.replace("`", "").split("\n\n")
    return "\n\n".join(part if "\n " in part else " ".join(part.split("\n")) for part in parts)


def size_text(size: float) -> str:
    """A size for people."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
