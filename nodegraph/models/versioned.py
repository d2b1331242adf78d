"""The part of the store that makes faster versions of models, and says which of them nodes get."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from nodegraph.core.errors import ModelError, Problem
from nodegraph.core.hints import did_you_mean
from nodegraph.models.disk import sha256, write
from nodegraph.models.making import make_version
from nodegraph.models.manifest import Manifest
from nodegraph.models.optimize import TO, To
from nodegraph.models.sources import Progress
from nodegraph.models.users import users_of
from nodegraph.models.versions import REPORT, Figures, Version, found_at, origins, set_use, spot, versions_of

NO_GAIN = frozenset({"nothing-to-gain", "quantised-already"})
COPIES = 4
"""A version is made beside so many copies of its original, at worst."""


class Versioned(ABC):
    """What a store must have for it, and what it gets."""

    root: Path

    @abstractmethod
    def _known(self, name: str) -> tuple[Manifest, bool]: ...

    @abstractmethod
    def _originals(self, name: str) -> dict[str, Path]: ...

    @abstractmethod
    def _disk(self, name: str) -> contextlib.AbstractContextManager[None]: ...

    @abstractmethod
    def _locked(self, name: str, progress: Progress) -> contextlib.AbstractContextManager[None]: ...

    def versions(self, name: str) -> tuple[Version, ...]:
        """The faster versions of a model that are here. Raises ModelError (``unknown-model``)."""
        return versions_of(self.root, self._known(name)[0])

    def optimize(
        self, name: str, to: str, progress: Progress, *, sounds: Path | None = None, again: bool = False
    ) -> Version:
        """Make a faster version of every ONNX file of a stored model, and measure it. No node gets it before `use`.

        `sounds`: a folder of sound files; over them it is measured, and ``static`` is scaled by them. One that is here
        is not made again, unless with `again`. Raises ModelError (``nothing-to-gain``, ``cannot-be-made``,
        ``no-sounds``, ``no-space`` …), WeightsMissing.
        """
        what = _checked(to)
        manifest, _ = self._known(name)
        if manifest.kind != "model":
            raise ModelError(Problem("not-a-model", f"'{name}' is a sound.", "Name a model."))
        if what == "static" and sounds is None:
            do = "Give a folder of sounds that are like what will be heard: --sounds FOLDER."
            raise ModelError(Problem("no-sounds", "static is scaled by what the model is fed.", do))
        files = self._originals(name)
        keys = [key for key in origins(manifest) if key in files]
        if not keys:
            do = "There are versions of ONNX models alone."
            raise ModelError(Problem("not-onnx", f"model '{name}' has no ONNX file.", do))
        problems: list[Problem] = []
        fresh = False
        with self._disk(name), self._locked(name, progress):
            for key in keys:
                if not again and found_at(self.root, spot(manifest, key, what)):
                    continue  # made before, or by another process while this one waited
                try:
                    self._make(manifest, key, what, files, sounds, progress)
                    fresh = True
                except ModelError as error:
                    problems += [
                        replace(problem, what=f"'{name}', {key}: {problem.what}") for problem in error.problems
                    ]
        found = [version for version in versions_of(self.root, manifest) if version.to == what]
        if not found or any(problem.code not in NO_GAIN for problem in problems):
            raise ModelError(problems)
        return replace(found[0], fresh=fresh)

    def _make(
        self, manifest: Manifest, key: str, to: To, files: dict[str, Path], sounds: Path | None, progress: Progress
    ) -> None:
        """Make and measure one file, aside; it gets its name when it is whole."""
        source = files[key]
        size = sum(path.stat().st_size for path in source.parent.iterdir() if path.suffix in (".onnx", ".data"))
        incoming = self.root / ".incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        for left in incoming.glob(f"{manifest.name}@*"):  # by a process that was killed: the lock is ours now
            shutil.rmtree(left, ignore_errors=True)
        room = shutil.disk_usage(self.root).free
        if room < COPIES * size:
            raise OSError(errno.ENOSPC, f"{COPIES * size} bytes are needed and {room} are free")
        scratch = Path(tempfile.mkdtemp(prefix=f"{manifest.name}@", dir=incoming))
        try:
            target = scratch / "model.onnx"
            asked = [{"kind": user.kind, "settings": dict(user.settings)} for user in users_of(manifest)]
            request = {
                "to": to, "key": key, "files": {name: str(path) for name, path in files.items()}, "target": str(target),
                "sounds": "" if sounds is None else str(sounds.expanduser().absolute()),
                "users": asked,
            }  # fmt: skip
            measured = make_version(request, scratch, lambda text: progress(0, None, f"{manifest.name}: {text}"))
            self._publish(manifest, key, to, target, size, measured)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _publish(
        self, manifest: Manifest, key: str, to: To, target: Path, was_bytes: int, measured: dict[str, Any]
    ) -> None:
        digest, size = sha256(target), target.stat().st_size
        figures = Figures(key=key, was_bytes=was_bytes, is_bytes=size, **measured)
        folder = self.root / ".derived" / spot(manifest, key, to)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"model-{digest[:12]}.onnx"
        with target.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(target, folder / name)
        report = {"to": to, "file": name, "size": size, "sha256": digest, "figures": asdict(figures)}
        write(folder / REPORT, json.dumps(report, indent=2) + "\n")
        for old in folder.glob("model-*.onnx"):
            if old.name != name:
                old.unlink(missing_ok=True)

    def use(self, name: str, to: str, *, anyway: bool = False) -> Version | None:
        """Let nodes get a version from now on, or ``original`` again (gives None then).

        Raises ModelError: ``no-version`` when it was not made, ``not-better`` when it is slower or worse than the
        bounds of `models.optimize`, unless `anyway`.
        """
        manifest, _ = self._known(name)
        if to != "original":
            what = _checked(to, "original")
            found = next((version for version in versions_of(self.root, manifest) if version.to == what), None)
            if found is None:
                do = f"Run: nodegraph models optimize {name} --to {to}"
                raise ModelError(Problem("no-version", f"there is no {to} version of '{name}'.", do))
            if found.complaints and not anyway:
                text = f"the {to} version of '{name}' is no gain: {'; '.join(found.complaints)}."
                do = f"To use it all the same: nodegraph models use {name} {to} --anyway"
                raise ModelError(Problem("not-better", text, do))
        with self._disk(name), self._locked(f"use-{name}", progress=lambda *_: None):
            set_use(self.root, manifest, None if to == "original" else to)
        return None if to == "original" else replace(found, used=True) if found else None


def _checked(to: str, *more: str) -> To:
    for one in TO:
        if to == one:
            return one
    do = did_you_mean(to, (*TO, *more), f"There are {', '.join((*TO, *more))}.")
    raise ModelError(Problem("unknown-version", f"There is no version '{to}'.", do))
