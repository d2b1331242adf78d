"""Patterns match what OSC 1.0 and 1.1 say, against an oracle, and never take long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.osc.addresses import MOST_STATES, Addresses, Pattern, is_pattern
from nodegraph.osc.packets import OscError

YES = [
    ("/a/b", "/a/b"), ("/a/?", "/a/b"), ("/a/*", "/a/b"), ("/a/*", "/a/"), ("/*/b", "/a/b"), ("/a*c/b", "/abbc/b"),
    ("/a*c/b", "/ac/b"), ("/[a-c]", "/b"), ("/[!a-c]", "/d"), ("/[abx-z]", "/y"), ("/[-a]", "/-"), ("/[a-]", "/-"),
    ("/{foo,bar}", "/bar"), ("/{foo,foobar}/x", "/foobar/x"), ("/x{,y}", "/x"), ("/x{,y}", "/xy"),
    ("//gain", "/patch/a/gain"), ("//gain", "/gain"), ("/patch//gain", "/patch/gain"),
    ("/patch//gain", "/patch/a/b/gain"), ("//*", "/any/thing"), ("/a//", "/a/b/"), ("/*.*", "/a.b"),
    ("/(a|b)+", "/(a|b)+"),
    ("/**", "/abc"), ("/*a*", "/banana"), ("/{a*,b}", "/a*"),
]  # fmt: skip
NO = [
    ("/a/b", "/a/c"), ("/a/?", "/a/"), ("/a/?", "/a/bc"), ("/a/*", "/a/b/c"), ("/*", "/a/b"), ("/a?b", "/a/b"),
    ("/[a-c]", "/d"), ("/[!a-c]", "/b"), ("/[!a]", "//"), ("/{foo,bar}", "/foobar"), ("//gain", "/again"),
    ("/patch//gain", "/patchgain"), ("/patch//gain", "/patch/again"), ("/a*c", "/ab"), ("/[]", "/a"), ("/.", "/a"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "address"), YES)
def test_it_matches(pattern: str, address: str) -> None:
    assert Pattern(pattern).matches(address)


@pytest.mark.parametrize(("pattern", "address"), NO)
def test_it_does_not_match(pattern: str, address: str) -> None:
    assert not Pattern(pattern).matches(address)


@pytest.mark.parametrize("pattern", ["", "a", "*", "/[a", "/{a", "/a]", "/}", "/" + "a" * 600])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(OscError, match="no pattern") as caught:
        Pattern(pattern)
    assert caught.value.problems[0].code == "bad-pattern" and caught.value.problems[0].do


LETTERS = st.sampled_from(["a", "b", "/", "?", "*", "//", "[ab]", "[!a]", "{a,bb}", "{,b}"])


def oracle(pattern: str) -> re.Pattern[str]:
    """The same as a regular expression, for short texts only: it may take for ever."""
    signs = {"?": "[^/]", "*": "[^/]*", "//": "/(?:[^/]+/)*", "[ab]": "[ab]", "[!a]": "[^a/]", "{a,bb}": "(?:a|bb)"}
    signs |= {"{,b}": "(?:|b)"}
    parts = re.findall(r"//|\[ab\]|\[!a\]|\{a,bb\}|\{,b\}|.", pattern)
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts))


@given(st.lists(LETTERS, max_size=6), st.text("ab/", max_size=10))
def test_it_matches_what_a_regular_expression_matches(parts: list[str], rest: str) -> None:
    pattern, address = "/" + "".join(parts), "/" + rest
    assert Pattern(pattern).matches(address) == bool(oracle(pattern).fullmatch(address))


@pytest.mark.parametrize("pattern", ["/" + "*a" * 200 + "b", "/" + "{a,aa,aaa}" * 40 + "b", "/" + "*?" * 200 + "b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    """A backtracking matcher would take longer than the universe: here each is asked in well under a second."""
    made, address = Pattern(pattern), "/" + "a" * 500
    begins = time.thread_time()
    assert not made.matches(address)
    assert time.thread_time() - begins < 5.0
    assert len(made._known) <= MOST_STATES


def test_many_addresses_are_matched_in_their_order_and_kept() -> None:
    addresses = Addresses(f"/patch/g{k}/{port}" for k in range(100) for port in ("gain", "x"))
    assert addresses.matching("/patch/g7/gain") == ("/patch/g7/gain",)
    assert addresses.matching("/patch/g700/gain") == ()
    found = addresses.matching("/patch/g[1-3]/gain")
    assert found == ("/patch/g1/gain", "/patch/g2/gain", "/patch/g3/gain")
    assert addresses.matching("/patch/g[1-3]/gain") is found
    assert len(addresses.matching("//gain")) == 100
    for number in range(1_000):
        addresses.matching(f"/*{number}")
    assert len(addresses._found) <= 256
    assert not is_pattern("/a/b") and is_pattern("/a//b") and is_pattern("/a/{b}")
