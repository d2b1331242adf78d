"""What nodes share that keep what comes to them, each thing with its frame, and say it again."""

from __future__ import annotations

from nodegraph.core import BANG, EventNode, MediaError, Moment, inlet, outlet, setting


class Keeping(EventNode):
    """Keeps from the beginning of the patch, or from when `on` becomes 1, until `on` becomes 0 or the patch ends.

    Subclasses call `where` for the place of what came, `excuse` when it cannot be kept, and have `empty` and `finish`.
    """

    on = inlet.control(1.0, "1 records, 0 does not", span=(0.0, 1.0), curve="switch")

    def start(self, when: Moment) -> None:
        self.began = when.frame
        self.said = False
        self.running = True
        self.forget()

    def stop(self) -> None:
        if getattr(self, "running", False) and not self.empty():
            self.finish()

    def on_on(self, message: float, when: Moment) -> None:
        if message and self.empty():
            self.began = when.frame
        elif not message and not self.empty():
            try:
                self.finish()
            except MediaError as error:
                self.host.log(self, str(error))
            self.forget()

    def where(self, when: Moment) -> int:
        """Frames since it began."""
        return when.frame - self.began

    def excuse(self, what: str) -> None:
        """Say once that something was not kept, and why."""
        if not self.said:
            self.said = True
            self.host.log(self, f"It was not kept: {what}")

    def forget(self) -> None:
        """Have nothing any more."""
        raise NotImplementedError

    def empty(self) -> bool:
        """Whether nothing has been kept."""
        raise NotImplementedError

    def finish(self) -> None:
        """Make of it what it is kept for. Raises MediaError."""
        raise NotImplementedError


class Replaying(EventNode):
    """Says what was kept, each thing at its frame, once or in a loop.

    Subclasses set `length` (frames) where they have something to say, and have `count`, `due` and `say`.
    """

    loop = setting.flag(False, "begin again at the end")
    again = inlet.event("begin again, now")
    on = inlet.control(1.0, "1 plays, 0 does not", span=(0.0, 1.0), curve="switch")
    done = outlet.event("bang at the end, and at the end of each loop")

    def start(self, when: Moment) -> None:
        self.ticket: object = None
        self.length = 0
        self.load()
        if self.on:
            self._begin(when)

    def on_again(self, when: Moment) -> None:
        if self.on:
            self._begin(when)

    def on_on(self, message: float, when: Moment) -> None:
        if message and self.ticket is None:
            self._begin(when)
        elif not message:
            self._rest()

    def load(self) -> None:
        """Get what is to be said, and set `length` when there is something."""
        raise NotImplementedError

    def count(self) -> int:
        """How many things there are."""
        raise NotImplementedError

    def due(self, index: int) -> int:
        """When one of them is due: frames from the beginning."""
        raise NotImplementedError

    def say(self, index: int) -> None:
        """Send one of them."""
        raise NotImplementedError

    def _begin(self, when: Moment) -> None:
        self._rest()
        if self.length:
            self.index, self.origin = 0, when.frame
            self._go_on(when)

    def _go_on(self, when: Moment) -> None:
        """Say what is due now, and come back when the next is."""
        self.ticket = None
        while True:
            over = self.index == self.count()
            due = self.origin + (self.length if over else self.due(self.index))
            if due > when.frame:
                self.ticket = self.host.after(self, (due - when.frame) / self.host.rate, self._go_on)
                return
            if not over:
                self.say(self.index)
                self.index += 1
                continue
            self.done(BANG)
            if not self.loop:
                return
            self.index, self.origin = 0, self.origin + self.length

    def _rest(self) -> None:
        self.host.cancel(self.ticket)
        self.ticket = None
