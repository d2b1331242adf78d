"""Cables: how they are written, what is wrong with one that is not, and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.core import Cable, PatchError
from nodegraph.core.cable import ID, MOST_ID, natural, why_not_an_id

ids = st.from_regex(ID, fullmatch=True).filter(lambda text: len(text) <= MOST_ID)
ports = st.from_regex(r"[a-z_][a-z0-9_]{0,10}", fullmatch=True)


@given(ids, ports, ids, ports)
def test_a_cable_reads_back_from_its_text(a, out, b, into):
    cable = Cable(a, out, b, into)
    assert Cable.parse(str(cable)) == cable


@pytest.mark.parametrize("text", ["osc.y -> cut.x", "osc.y->cut.x", "  osc.y\t->  cut.x "])
def test_spaces_around_the_arrow_do_not_matter(text):
    assert Cable.parse(text) == Cable("osc", "y", "cut", "x")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no arrow"),
        ("osc.y cut.x", "has no arrow"),
        ("a.y -> b.x -> c.x", "has 2 arrows"),
        ("-> cut.x", "names nothing before the arrow"),
        ("osc.y ->", "names nothing after the arrow"),
        ("osc -> cut.x", "'osc' names no outlet"),
        ("osc.y -> cut", "'cut' names no inlet"),
        ("osc.y.z -> cut.x", "more than one dot"),
        ("o sc.y -> cut.x", "'o sc' is no node id"),
        ("osc.y -> -cut.x", "'-cut' is no node id"),
        (".y -> cut.x", "it is empty"),
        ("osc.1 -> cut.x", "'1' is no name of an outlet"),
        ("osc.y -> cut.x-y", "'x-y' is no name of an inlet"),
        ("o" * 65 + ".y -> cut.x", "65 characters"),
        ("osc.y -> cut." + "x" * 65, "is no name of an inlet"),
        ("osc\n.y -> cut\x00.x", "is no node id"),
    ],
)
def test_a_text_that_is_no_cable_is_told_which_part_is_wrong(text, says):
    with pytest.raises(PatchError) as caught:
        Cable.parse(text)
    (problem,) = caught.value.problems
    assert problem.code == "bad-cable"
    assert says in problem.what
    assert '"osc.y -> cut.x"' in problem.do


@given(st.text())
def test_any_text_is_a_cable_or_a_problem(text):
    try:
        Cable.parse(text)
    except PatchError as error:
        assert error.problems[0].what


def test_numbers_in_ids_sort_as_numbers():
    names = ["osc10", "osc9", "osc", "osc2b1", "osc02", "osc2", "b", "808", "9"]
    assert sorted(names, key=natural) == ["9", "808", "b", "osc", "osc02", "osc2", "osc2b1", "osc9", "osc10"]


@given(st.lists(ids, min_size=2, max_size=2))
def test_only_equal_ids_share_a_sort_key(pair):
    a, b = pair
    assert (natural(a) == natural(b)) == (a == b)
    assert (natural(a) < natural(b)) != (natural(b) < natural(a)) or a == b


def test_a_number_of_many_digits_sorts_without_being_read():
    assert natural("a" + "9" * 10_000) < natural("a1" + "0" * 10_000)


@given(st.lists(st.builds(Cable, ids, ports, ids, ports)))
def test_comparing_cables_agrees_with_their_key(cables):
    assert sorted(cables) == sorted(cables, key=lambda cable: cable.key)
    assert sorted(cables, reverse=True) == sorted(cables, key=lambda cable: cable.key, reverse=True)


def test_cables_compare_in_all_four_ways():
    two, ten = Cable("osc2", "y", "a", "x"), Cable("osc10", "y", "a", "x")
    assert two < ten and two <= ten and ten > two and ten >= two and two <= two and two >= two
    assert len({two, Cable(*two)}) == 1


@pytest.mark.parametrize("id", ["a", "1", "größe", "snare-2", "_x", "a" * 64])
def test_legal_ids(id):
    assert why_not_an_id(id) == ""


@pytest.mark.parametrize("id", ["", "a b", "a.b", "-a", "a-", "a/b", "a" * 65, "a\n", "sine~"])
def test_illegal_ids(id):
    assert why_not_an_id(id)
