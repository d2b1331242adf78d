"""Every node passes `nodegraph validate --level 10`: the first half of them."""

from __future__ import annotations

import pytest

from nodegraph.core import registry
from tests.validation.every_node import half, keeps_its_promises, validated

KINDS = half(0)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return validated(KINDS, tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_its_promises_at_level_10(kind, said):
    keeps_its_promises(said[kind])


def test_no_kind_is_left_out():
    assert sorted(half(0) + half(1)) == sorted(spec.kind for spec in registry())
