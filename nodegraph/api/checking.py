"""Everything that stands between a patch and its sound, found before the first sample: what `core.check` finds, and
whether its sound files open, its models are in the store, and node kinds from elsewhere can be compiled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nodegraph.api.places import folders, placed, stored_sound, weights
from nodegraph.core.check import check
from nodegraph.core.declare import InferenceNode
from nodegraph.core.document import Document
from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.flatten import document_of, flatten, subpatches
from nodegraph.core.listening import OwnModel
from nodegraph.core.media import resolve_media
from nodegraph.core.spec import Role
from nodegraph.core.subpatches import PatchKinds
from nodegraph.core.view import NodeEntry
from nodegraph.midi.files import SUFFIXES as MIDI_SUFFIXES
from nodegraph.midi.files import read_song

OURS = "nodegraph.nodes."
SILENT = frozenset({"untrusted-model", "no-torch"})
"""Problems of a node that stays silent, and says why, while the others play."""
SOUND_SUFFIXES = frozenset({".wav", ".wave", ".flac", ".aif", ".aiff", ".ogg", ".oga", ".mp3", ".opus", ".au", ".caf"})


def problems(document: Document, media: Iterable[Path] = (), *, models: bool = True) -> list[Problem]:
    """Every problem of a patch, in the order of the lines of its file. None means that it can be played.

    Nodes of the user's own that he trusts are tried and loaded by this. `models`: look into the model store, too.
    """
    bring(document)
    roots = folders(media)
    found = check(document, media_folders=roots, sounds=stored_sound if models else None)
    bad: set[tuple[str | None, ...]] = {(item.file, item.node, item.port) for item in found}
    entries = list(_flat_entries(document))
    for entry in entries:
        if entry.spec is None:
            continue
        found += _sounds(entry, document, roots, bad)
        if models and entry.spec.role is Role.INFERENCE:
            found += _weights(entry, document, roots)
    found += _kernels(entries)
    if any(item.code == "unknown-kind" for item in found):
        found += document.graph.registry.problems  # the package that should bring it may have failed to load
    found = list(dict.fromkeys(placed(item, document) for item in found))
    return sorted(found, key=lambda item: (item.line is None, item.line or 0))


def bring(document: Document) -> None:
    """Load the nodes of the user's own that the patch names and he trusts, as their files are now.

    Nothing is imported for a patch without such nodes.
    """
    if any(kinds.has_own() for kinds in _kinds_of(document)):
        document.graph.refresh()
        from nodegraph.usernodes.bringing import bring as bring_own

        bring_own(document)


def _kinds_of(document: Document) -> Iterable[PatchKinds]:
    return (document.graph.registry, *(inner.graph.registry for inner in subpatches(document)))


def require(document: Document, media: Iterable[Path] = ()) -> None:
    """Raises PatchError (or what the only problem's error is) with every problem of a patch."""
    found = [item for item in problems(document, media) if item.code not in SILENT]
    if found:
        from nodegraph.core.errors import MediaError, WeightsMissing

        codes = {item.code for item in found}
        if codes == {"weights-missing"}:
            raise WeightsMissing(found)
        if codes <= {"missing-file", "outside-file", "bad-sound", "empty-sound", "no-file", "unwritable-file",
                     "bad-midi", "no-mido", "bad-codes", "wrong-codec"}:  # fmt: skip
            raise MediaError(found)
        raise PatchError(found)


def _sounds(
    entry: NodeEntry, document: Document, roots: tuple[Path, ...], bad: set[tuple[str | None, ...]]
) -> Iterable[Problem]:
    """What is wrong with the sound files that a node plays, and has not been said."""
    owner, id = document_of(document, entry.id)
    for item in entry.spec.settings if entry.spec else ():
        if item.type != "file" or (owner.file, id, item.name) in bad:
            continue
        text = entry.value(item.name)
        if not text and item.optional:
            continue
        if not text:
            what = f"'{entry.kind}' has no file."
            yield Problem("no-file", what, f"Set '{item.name}' to {item.legal()}.", node=entry.id, port=item.name)
            continue
        if not isinstance(text, str):
            continue
        try:
            path = resolve_media(document.folder, text, roots, writes=item.writes, sounds=stored_sound)
        except NodegraphError:
            continue  # said by core.check, or not to be looked into
        problem = _unwritable(entry, path) if item.writes else _unreadable(entry, path)
        if problem:
            yield replace(problem, node=entry.id, port=item.name)


def _unwritable(entry: NodeEntry, path: Path) -> Problem | None:
    """Whether the format of a recording can be written."""
    from nodegraph.nodes.soundfiles import check_target

    own = getattr(entry.spec and entry.spec.cls, "check_target", None)
    if own is None and entry.parameter("bits") is None:
        return None
    try:
        if own is not None:
            own(path)
        else:
            check_target(path, 1, entry.value("bits"))
    except NodegraphError as error:
        return error.problems[0]
    return None


def _unreadable(entry: NodeEntry, path: Path) -> Problem | None:
    """Whether a sound file opens, or a MIDI file is whole, or what the node itself finds wrong. A sound's header is
    read; one that breaks off later is found when it is loaded."""
    own = getattr(entry.spec and entry.spec.cls, "check_source", None)
    if own is not None:
        try:
            own(path, entry.value)
        except NodegraphError as error:
            return error.problems[0]
    if path.suffix.lower() in MIDI_SUFFIXES:
        try:
            read_song(path)
        except NodegraphError as error:
            return error.problems[0]
    if path.suffix.lower() not in SOUND_SUFFIXES:
        return None
    import soundfile

    do = "Give a WAV, FLAC, AIFF, OGG or MP3 file that plays elsewhere."
    try:
        info = soundfile.info(str(path))
    except (OSError, RuntimeError) as error:
        reason = str(error).rpartition(": ")[2].rstrip(".") or type(error).__name__
        return Problem("bad-sound", f"The file '{path.name}' cannot be read as sound ({reason}).", do)
    if not info.frames:
        return Problem("empty-sound", f"The file '{path.name}' holds no sound.", "Give one with at least a frame.")
    return None


def _flat_entries(document: Document) -> Iterable[NodeEntry]:
    """The nodes that are played, those inside subpatches too; none when there are too many."""
    try:
        return flatten(document).nodes.values()
    except PatchError:  # said by core.check
        return ()


def _kernels(entries: Iterable[NodeEntry]) -> Iterable[Problem]:
    """What cannot be compiled in node kinds from elsewhere, told once a kind, at the author's line. Ours are tested."""
    told: set[str] = set()
    for entry in entries:
        spec = entry.spec
        if spec is None or spec.role not in (Role.KERNEL, Role.BLOCK) or spec.cls.__module__.startswith(OURS):
            continue
        if spec.kind in told:
            continue
        told.add(spec.kind)
        from nodegraph.runtime.kernels import forms

        try:
            for lanes in (1, forms.LANES) if spec.role is Role.KERNEL else (1,):
                forms.module(spec, forms.still_form(spec), lanes)
        except NodegraphError as error:
            for item in error.problems:
                yield replace(item, node=entry.id)


def _weights(entry: NodeEntry, document: Document, roots: tuple[Path, ...]) -> Iterable[Problem]:
    spec = entry.spec
    assert spec is not None and issubclass(spec.cls, InferenceNode)
    given = {item.name: entry.value(item.name) for item in spec.settings}
    if isinstance(spec.cls.weights, OwnModel):
        text = given[spec.cls.weights.name]
        if spec.cls.weights.code and isinstance(text, str) and text:
            yield from _own_model(entry, document, roots, text)
        return
    try:
        weights(spec.cls.weights.of(given))
    except NodegraphError as error:
        for item in error.problems:
            yield replace(item, node=entry.id)


def _own_model(entry: NodeEntry, document: Document, roots: tuple[Path, ...], text: str) -> Iterable[Problem]:
    """Whether a model that is code may run, and can."""
    from importlib.util import find_spec

    from nodegraph.core import trust

    assert entry.spec is not None and issubclass(entry.spec.cls, InferenceNode)
    port = entry.spec.cls.weights.name
    try:
        path = resolve_media(document.folder, text, roots, sounds=stored_sound)
        trusted = not path.is_file() or trust.is_trusted(path, trust.digest_of_file(path))
    except (NodegraphError, OSError):
        return  # said by core.check
    if not trusted:
        yield replace(trust.untrusted_model(path), node=entry.id, port=port)
    elif entry.spec.extra == "torch" and find_spec("torch") is None:
        yield replace(trust.no_torch(), node=entry.id, port=port)
