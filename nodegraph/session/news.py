"""What a session tells those who listen to it.

===========  ===================================================================================================
topic        its data
===========  ===================================================================================================
``changed``  ``revision``, ``by``, ``commands`` that were carried out (none when something was learned), ``undo`` and
             ``redo``: what those would do, ``unsaved``: whether the file is another, ``settled``: addresses that stand
             no more where they were moved to; of a step in a sheet also ``sheet``, its name, and ``under``: what
             stands before the ids of its nodes at each place where it plays (``voice/``); without it the step is one
             in the patch itself, which stands under ``""``. A ``revision`` that is not the next one: the whole is to
             be asked for anew
``opened``   ``revision``, ``by``, ``patch``: another patch has taken the place of the last
``values``   ``by``, ``values``: address → number, of parameters that moved
``events``   ``events``: a list of ``[address, seconds, message]``
``playing``  ``playing``: whether it does from now on, and the ``error`` that ended it
``log``      ``at`` (seconds since 1970), ``node``, ``text``, and ``fault``: true where something went wrong
``presets``  ``by``, ``presets``: the list of their names; ``recalled``: the one that was recalled last
``saved``    ``path``, ``by``, and ``sheet``, its name, when it is the file of one
``follows``  ``source``: what the clock of the patch follows from now on
``learned``  ``by``: who has bound something; ``learners``: what each of them has learned, and what waits
``models``   ``name``, ``state``: fetching or ending, with ``done`` and ``total`` bytes and ``text``: what is done
             now; in the end here, missing or altered (a file is not what was stored), and the ``error`` if one
             ended it: a list of problems
``preview``  ``path``: the sound that is heard beside the patch; None: nothing any more
===========  ===================================================================================================
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

TOPICS: Final = (
    "changed", "opened", "values", "events", "playing", "log", "presets", "saved", "follows", "learned", "models",
    "preview",
)  # fmt: skip
Data = Mapping[str, Any]
Ear = Callable[[str, Data], None]


class News:
    """Hands news to whoever asked for their topic, on the thread on which they arise: an ear must not block."""

    def __init__(self) -> None:
        self._ears: dict[str, tuple[Ear, ...]] = dict.fromkeys(TOPICS, ())
        self._lock = threading.Lock()

    def listen(self, call: Ear, topics: Iterable[str] = TOPICS) -> None:
        """Have ``call(topic, data)`` called with what comes from now on."""
        with self._lock:
            for topic in topics:
                if call not in self._ears[topic]:
                    self._ears[topic] = (*self._ears[topic], call)

    def leave(self, call: Ear, topics: Iterable[str] = TOPICS) -> None:
        """The inverse of `listen`."""
        with self._lock:
            for topic in topics:
                self._ears[topic] = tuple(ear for ear in self._ears[topic] if ear != call)

    def wanted(self, topic: str) -> bool:
        """Whether anybody listens to it."""
        return bool(self._ears[topic])

    def tell(self, topic: str, data: Data) -> None:
        """Tell those who listen."""
        for call in self._ears[topic]:
            call(topic, data)
