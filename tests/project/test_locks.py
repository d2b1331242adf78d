"""The locks pin everything, name no place, and agree with pyproject.toml and with one another."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = {"run": (), "test": ("dev", "midi", "announce", "link", "editor"), "bench": ("bench",)}


def entries(name: str) -> list[str]:
    """The lock's requirements, each with its hashes, on one line."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def pins(name: str) -> dict[str, str]:
    pinned = {}
    for entry in entries(name):
        requirement = Requirement(entry.split("--hash")[0])
        pinned[canonicalize_name(requirement.name)] = str(requirement.specifier)
    return pinned


@pytest.mark.parametrize("name", [*LOCKS, "torch"])
def test_every_entry_is_one_version_with_hashes(name: str) -> None:
    loose = [line[:60] for line in entries(name) if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)]
    assert not loose, f"not pinned by version and hash: {loose}"


@pytest.mark.parametrize("name", [*LOCKS, "torch"])
def test_it_names_neither_a_host_nor_a_path(name: str) -> None:
    places = [line[:80] for line in entries(name) if re.search(r"://|file:|--(extra-)?index|--find-links| @ ", line)]
    assert not places, f"a lock must install from whatever index the user has: {places}"


@pytest.mark.parametrize("name", LOCKS)
def test_it_holds_all_that_pyproject_asks_for(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    for extra in LOCKS[name]:
        wanted += project["project"]["optional-dependencies"][extra]
    pinned = pins(name)
    for requirement in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(requirement.name), "").removeprefix("==")
        assert version, f"{requirement.name} is missing from requirements/{name}.lock: run `make lock`"
        assert requirement.specifier.contains(version, prereleases=True), (
            f"requirements/{name}.lock has {requirement.name} {version}, pyproject.toml wants {requirement.specifier}:"
            " run `make lock`"
        )


@pytest.mark.parametrize("name", ["test", "bench"])
def test_what_is_tested_and_measured_is_what_runs(name: str) -> None:
    pinned = pins(name)
    other = {package: (version, pinned.get(package)) for package, version in pins("run").items()}
    differing = {package: pair for package, pair in other.items() if pair[0] != pair[1]}
    assert not differing, f"(run, {name}) differ: {differing}"


def test_torch_stays_out_of_the_locks() -> None:
    """Its default build brings gigabytes of CUDA; who wants it installs the torch extra on purpose. The tests of nn~
    have a lock of their own, of the build for the processor alone, which goes into no environment (scripts/torch)."""
    found = [(name, package) for name in LOCKS for package in pins(name) if re.match(r"torch|nvidia|triton", package)]
    assert not found


def test_the_lock_of_torch_has_what_the_extra_wants_and_no_cuda() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pinned = pins("torch")
    assert sorted(pinned) == ["cached-conv", "nn-tilde", "torch"]
    wanted = next(Requirement(item) for item in project["project"]["optional-dependencies"]["torch"])
    assert wanted.name == "torch" and wanted.specifier.contains(pinned["torch"].removeprefix("=="))
