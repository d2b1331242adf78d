"""Lanes with real worker processes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph.runtime.lane import Lane
from tests.lane.company import RATE, Company


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.txt"
    path.write_text("bell", encoding="utf-8")
    return path


@pytest.fixture
def make(weights: Path) -> Iterator[Callable[..., Company]]:
    """Makes lanes whose worker knows the fake listeners, and ends them."""
    made: list[Company] = []

    def new(resolve: Callable[[str], Any] = lambda name: {"text": weights}, **options: Any) -> Company:
        company = Company(Lane(RATE, resolve, modules=["tests.lane.fake_listeners"], **options))
        made.append(company)
        return company

    yield new
    for company in made:
        company.lane.close()
        for ring in company.rings.values():
            ring.close()
