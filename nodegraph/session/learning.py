"""Learning what moves a parameter: a knob by MIDI, an address by OSC.

A session knows its learners by name (``midi``, ``osc``): whoever opens such a door for it puts one there. What all of
them have learned, and what waits, is told under the topic ``learned``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import listed, quoted
from nodegraph.session.requests import TEXT, Field, is_number, needed, request

if TYPE_CHECKING:
    from nodegraph.session.protocol import Client
    from nodegraph.session.session import Session

Asked = Mapping[str, Any]
PAIR = Field(
    lambda value: isinstance(value, (list, tuple)) and len(value) == 2 and all(map(is_number, value)), "two numbers"
)
DO = {
    "midi": "Play it with MIDI: without --no-midi.",
    "osc": "Open a port for OSC: --osc.",
}
"""What to do when there is no such learner."""


class Learner(Protocol):
    """Binds what comes in by one door to parameters."""

    ways: tuple[str, ...]
    """What `learn` takes besides the address."""

    @property
    def waiting(self) -> str | None:
        """The address that waits for something to move."""

    @property
    def learned(self) -> list[dict[str, Any]]:
        """What was learned, as it stands in the patch's file."""

    @property
    def learn(self) -> Callable[..., None]:
        """Called with an address, and `ways` by name: bind what moves next to a parameter. Raises PatchError."""

    def stop_learning(self) -> None:
        """Wait no more."""

    def unlearn(self, address: str) -> int:
        """Forget what moves a parameter; gives how many bonds it were. Raises PatchError."""


def state(session: Session) -> dict[str, Any]:
    """Of all learners: what waits, and what was learned."""
    return {
        name: {"waiting": learner.waiting, "learned": learner.learned}
        for name, learner in sorted(session.learners.items())
    }


def tell(session: Session, by: str = "") -> None:
    """Tell who listens what is learned now. `by` is the learner that has bound something."""
    if session.news.wanted("learned"):
        session.news.tell("learned", {"by": by, "learners": state(session)})


def _learner(session: Session, name: str) -> Learner:
    found = session.learners.get(name)
    if found is None:
        what = f"Nothing can be learned by {quoted(name)}: here it is {listed(sorted(session.learners), 'nothing')}."
        raise PatchError(Problem("no-learner", what, DO.get(name, f"There are {', '.join(DO)}.")))
    return found


@request("learned", slow=True)
def learned(client: Client, asked: Asked) -> Asked:
    """What was learned, by which door, and what waits."""
    return {"learners": state(client.session)}


@request(
    "learn", slow=True, by=needed(TEXT), address=needed(TEXT), span=PAIR, curve=TEXT, takeover=TEXT, port=TEXT,
    came=PAIR,
)  # fmt: skip
def learn(client: Client, asked: Asked) -> Asked:
    """Bind what moves next, by ``midi`` or ``osc``, to a parameter."""
    learner = _learner(client.session, asked["by"])
    how = {name: value for name, value in asked.items() if name not in ("by", "address")}
    odd = [name for name in how if name not in learner.ways]
    if odd:
        what = f"To learn by {quoted(asked['by'])} takes no {quoted(odd[0])}."
        raise PatchError(Problem("bad-request", what, f"It takes {', '.join(learner.ways)}."))
    learner.learn(asked["address"], **how)
    return {"learners": state(client.session)}


@request("stop_learning", slow=True)
def stop_learning(client: Client, asked: Asked) -> Asked:
    """Let nothing wait any more."""
    for learner in list(client.session.learners.values()):
        learner.stop_learning()
    return {"learners": state(client.session)}


@request("unlearn", slow=True, address=needed(TEXT))
def unlearn(client: Client, asked: Asked) -> Asked:
    """Forget whatever was learned to move a parameter."""
    address = client.session.parameter(asked["address"]).address
    for learner in list(client.session.learners.values()):
        learner.unlearn(address)
    return {"learners": state(client.session)}
