"""The pages of docs/ keep their word: their programs run, their figures are those of the engine, their links lead
somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nodegraph import Patch
from nodegraph.core.flatten import MOST_NODES
from nodegraph.core.registry import registry
from nodegraph.core.subpatches import DEEPEST, FACTORS
from nodegraph.runtime.compile.crossing import crossing_frames
from nodegraph.runtime.messages import Messages
from nodegraph.runtime.player import LOOKAHEAD_S, TRIGGER_S

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ("channels", "loops-and-latency", "message-order", "subpatches", "time")


def text(page: str) -> str:
    return (DOCS / f"{page}.md").read_text(encoding="utf-8")


def programs(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text(page), re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "patches").symlink_to(ROOT / "patches")
    monkeypatch.chdir(tmp_path)
    yield


@pytest.mark.parametrize("page", PAGES)
def test_its_programs_run_one_after_another(page: str) -> None:
    space: dict[str, object] = {}
    found = programs(page)
    assert len(found) >= 3
    for number, program in enumerate(found):
        assert "assert" in program or number == 0, "each shows that it is so"
        exec(compile(program, f"{page}.md", "exec"), space)


@pytest.mark.parametrize("page", sorted(path.stem for path in DOCS.glob("*.md")))
def test_its_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", text(page)):
        assert (DOCS / link).is_file(), link
    for path in re.findall(r"`((?:patches|tests|docs)/[\w./-]+)`", text(page)):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES)
def test_the_kinds_that_it_names_exist(page: str) -> None:
    for kind in re.findall(r"`([a-z]\w*~)`", text(page)):
        assert kind in registry(), kind


def ranks(patch: Patch) -> dict[str, int]:
    messages = Messages(48_000, *([lambda *_: None] * 4))
    messages.follow(patch.graph.view)
    return messages._rank


def drawn(picture: str) -> dict[str, int]:
    tree = ElementTree.parse(DOCS / "pictures" / f"{picture}.svg")
    return {item.get("id", ""): int(item.get("data-order", "0")) for item in tree.iter() if item.get("data-order")}


@pytest.mark.parametrize(("picture", "number"), [("message-diamond", 0), ("message-cycle", 3)])
def test_its_pictures_show_the_order_of_the_runtime(picture: str, number: int) -> None:
    """The patch that stands beside a picture is asked in which order its nodes act."""
    space: dict[str, object] = {}
    for program in programs("message-order")[: number + 1]:
        exec(compile(program, "message-order.md", "exec"), space)
    patch = space["patch"]
    assert isinstance(patch, Patch)
    found, shown = ranks(patch), drawn(picture)
    assert len(shown) >= 3
    assert sorted(shown, key=lambda id: shown[id]) == sorted(shown, key=lambda id: found[id])


def test_messages_of_two_cables_into_one_inlet_come_in_the_order_of_the_file() -> None:
    for first, second in (("a", "b"), ("b", "a")):
        patch = Patch()
        patch.add("metro", "clock", interval=1)
        for id in (first, second):
            patch.add("message", id, text=id)
        patch.add("print", "p")
        patch.add("switch", "both", pick=1)
        for id in (first, second):
            patch.connect("clock.bang", f"{id}.x")
            patch.connect(f"{id}.y", "both.a")
        assert [event.value for event in patch.render(seconds=0.1)["both.y"]] == ["a", "b"]


def test_its_figures_are_those_of_the_engine() -> None:
    table = dict(re.findall(r"^\| (\d) \| (\d+) \|$", text("loops-and-latency"), re.MULTILINE))
    factors = [int(factor) for factor in FACTORS if factor != "1"]
    assert table == {str(factor): str(2 * crossing_frames(1, factor)) for factor in factors}
    assert f"handled {LOOKAHEAD_S * 1_000:g} ms before" in text("time")
    assert f"{TRIGGER_S * 1_000:g} ms after what they heard" in text("time")
    assert f"more than {DEEPEST} patches" in text("subpatches") and f"more than {MOST_NODES} nodes" in text(
        "subpatches"
    )
