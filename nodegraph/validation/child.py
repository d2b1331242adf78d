"""The process in which nodes are validated: ``python -m nodegraph.validation.child``, started by `pool`.

A node may crash it or hang in it: the parent knows which check was under way, and starts another. Orders come on stdin,
one JSON object a line, and what happens goes to stdout in the same way.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any, TextIO

from nodegraph.core.errors import NodegraphError
from nodegraph.validation.naming import Named, load
from nodegraph.validation.running import run, wanted


class Child:
    """Takes orders until the parent hangs up."""

    def __init__(self, answers: TextIO) -> None:
        self.answers = answers
        self.orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def say(self, say: str, **more: Any) -> None:
        """A line to the parent."""
        self.answers.write(json.dumps({"say": say, **more}) + "\n")
        self.answers.flush()

    def listen(self) -> None:
        """On a thread of its own: when the parent is gone, whatever is under way ends."""
        for line in sys.stdin:
            self.orders.put(json.loads(line))
        os._exit(0)

    def work(self) -> None:
        """For ever."""
        threading.Thread(target=self.listen, name="orders", daemon=True).start()
        while True:
            self.heed(self.orders.get())

    def heed(self, order: dict[str, Any]) -> None:
        """Validate one node."""
        named = Named.from_dict(order["named"])
        try:
            loaded = load(named)
        except NodegraphError as error:
            self.say("refused", problems=[problem.describe() for problem in error.problems])
            return
        options = {name: order[name] for name in ("level", "seed", "only", "but")}
        names = [check.name for check in wanted(loaded.spec, options["level"], options["only"], options["but"])]
        self.say("node", role=loaded.spec.role.value, checks=names)
        run(
            loaded,
            named,
            **options,
            begun=lambda name: self.say("begun", check=name),
            done=lambda outcome: self.say("outcome", outcome=outcome.as_dict()),
        )
        self.say("done")


def main() -> None:
    """Take orders."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a node prints is no answer
    sys.stdout = sys.stderr
    try:
        Child(answers).work()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
