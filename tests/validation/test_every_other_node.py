"""Every node passes `nodegraph validate`: the second half of them."""

from __future__ import annotations

import pytest

from tests.validation.every_node import half, keeps_its_promises, validated

KINDS = half(1)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return validated(KINDS, tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_its_promises(kind, said):
    keeps_its_promises(said[kind])
