"""Tiny codecs in a store of their own, as if they had been fetched."""

from pathlib import Path
from typing import Any

import pytest

from tests.codecs.tiny import of_golden, shelved, stored, write_audioldm


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a store that tiny models are put into."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def encodec_files(shelf: Path) -> dict[str, Path]:
    return stored(shelf, "encodec-24khz", *of_golden("encodec-24khz"))


@pytest.fixture(scope="session")
def encodec32_files(shelf: Path) -> dict[str, Path]:
    return stored(shelf, "encodec-32khz", *of_golden("encodec-32khz"))


@pytest.fixture(scope="session")
def encodec48_files(shelf: Path) -> dict[str, Path]:
    """With windows of a second, as the published model has them."""
    config, arrays = of_golden("encodec-48khz")
    return stored(shelf, "encodec-48khz", config | {"chunk_length_s": 1.0}, arrays)


@pytest.fixture(scope="session")
def dac_files(shelf: Path) -> dict[str, Path]:
    return stored(shelf, "dac-44khz", *of_golden("dac-44khz"))


@pytest.fixture(scope="session")
def oobleck_files(shelf: Path) -> dict[str, Path]:
    return stored(shelf, "oobleck", *of_golden("oobleck"))


@pytest.fixture(scope="session")
def audioldm_files(shelf: Path) -> dict[str, Path]:
    return shelved(shelf, "audioldm2", write_audioldm(shelf / "made" / "audioldm2"))


@pytest.fixture
def in_patches(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Patches use the tiny models."""
    monkeypatch.setenv("NODEGRAPH_MODELS", str(shelf))
    return shelf
