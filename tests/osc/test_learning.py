"""What was learned stands in the patch's file, readable, and whatever else stands there does no harm."""

from __future__ import annotations

from typing import Any

import pytest

from nodegraph import Patch, PatchError
from nodegraph.core.patchfile import dumps, loads
from nodegraph.osc.learning import MOST, Binding, Learned


def test_a_binding_goes_over_the_span_as_its_curve_does() -> None:
    straight = Binding("/1/fader", "/patch/a/b", 0.0, 127.0, -1.0, 1.0)
    assert [straight.value(number) for number in (0, 63.5, 127, -9, 999)] == [-1.0, 0.0, 1.0, -1.0, 1.0]
    log = Binding("/1/fader", "/patch/a/b", 0.0, 1.0, 20.0, 20_000.0, log=True)
    assert [log.value(number) for number in (0, 0.5, 1)] == pytest.approx([20.0, 632.4555, 20_000.0])
    backwards = Binding("/1/fader", "/patch/a/b", 1.0, 0.0, 0.0, 10.0)
    assert backwards.value(0.25) == 7.5
    assert Binding("/x", "/patch/a/b").value(42.0) == 42.0


def test_it_is_kept_in_the_file_and_found_again() -> None:
    patch = Patch()
    patch.add("sine~", "osc")
    patch.document.extra["learned"] = {"midi": [{"cc": 7}]}
    learned = Learned([
        Binding("/1/a", "/patch/osc/freq", 0, 1, 20, 2_000, True), Binding("/xy", "/patch/osc/phase", arg=1),
    ])  # fmt: skip
    learned.keep_in(patch.document)
    again = loads(dumps(patch.document))
    assert again.extra["learned"]["midi"] == [{"cc": 7}]
    found, problems = Learned.of_document(again)
    assert not problems and list(found) == list(learned)
    assert found.of("/1/a")[0].value(1.0) == pytest.approx(2_000)
    found.forget()
    found.keep_in(again)
    assert again.extra["learned"] == {"midi": [{"cc": 7}]}
    again.extra["learned"].pop("midi")
    Learned().keep_in(again)
    assert "learned" not in again.extra


def test_it_can_be_forgotten_by_either_end() -> None:
    learned = Learned([Binding("/a", "/patch/x/y"), Binding("/a", "/patch/x/z"), Binding("/b", "/patch/x/y")])
    learned.add(Binding("/a", "/patch/x/y", 0.0, 1.0, 0.0, 2.0))
    assert len(learned) == 3, "one between the same two takes the place of the last"
    assert learned.forget("/a", "/patch/x/z") == 1 and learned.forget(to="/patch/x/y") == 2
    assert learned.forget("/nowhere") == 0 and not len(learned)


@pytest.mark.parametrize(
    "item",
    [None, 3, [], {}, {"address": "/a"}, {"address": "a", "to": "/b"}, {"address": "/a", "to": 3},
     {"address": "/a", "to": "/b", "span": [0, 1]}, {"address": "/a", "to": "/b", "span": [0], "from": [0, 1]},
     {"address": "/a", "to": "/b", "span": [0, 1], "from": [1, 1]}, {"address": "/a", "to": "/b", "arg": -1},
     {"address": "/a", "to": "/b", "span": [0, 1], "from": [0, 1], "curve": "log"},
     {"address": "/a", "to": "/b", "span": ["x", 1], "from": [0, 1]}],
)  # fmt: skip
def test_what_is_no_binding_is_told_and_the_rest_counts(item: Any) -> None:
    patch = Patch()
    patch.document.extra["learned"] = {"osc": [item, {"address": "/a", "to": "/b"}]}
    found, problems = Learned.of_document(patch.document)
    assert len(found) == 1 and [problem.code for problem in problems] == ["bad-learned"]


@pytest.mark.parametrize("part", [None, 3, "x", [1], {"osc": 3}, {"osc": None}])
def test_a_part_of_the_file_that_is_nothing_holds_nothing(part: Any) -> None:
    patch = Patch()
    patch.document.extra["learned"] = part
    found, problems = Learned.of_document(patch.document)
    assert not len(found) and not problems


def test_there_is_an_end_to_what_is_learned() -> None:
    learned = Learned()
    learned._by_address = {f"/{k}": (Binding(f"/{k}", "/b"),) for k in range(MOST)}
    with pytest.raises(PatchError, match="Forget some"):
        learned.add(Binding("/one/more", "/b"))
