"""Requests of who wants to see how it plays: what nodes cost, what is wrong and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodegraph.session.problems import problems_of
from nodegraph.session.requests import request

if TYPE_CHECKING:
    from nodegraph.session.protocol import Client

Asked = Mapping[str, Any]


@request("costs", slow=True)
def costs(client: Client, asked: Asked) -> Asked:
    """What every node costs, and how late it is, by its id; counted since the last look, as long as it is asked for.

    ``cpu`` is the share of one core (1.0: all of it) that its part of the sound took, over ``counted_s`` seconds of
    sound; ``among``: what it is an equal part of was counted for so many nodes together. ``latency_ms`` is what the
    node adds, ``late_ms`` how late its sound is in all. ``model_ms`` is what its model takes for an answer (the
    median), ``model_cpu`` the share of its worker's time.
    """
    return client.session.costs.read()


@request("problems", slow=True)
def problems(client: Client, asked: Asked) -> Asked:
    """Everything that is wrong with the patch as it is now, as ``nodegraph check`` says it."""
    return problems_of(client.session)
