"""Another driver, device, rate or block while a patch plays.

A patch is compiled for one rate. So another rate means another player, which begins at the second at which the old one
ends: the values of all controls and the musical time are handed over, and everything else begins anew. Both are ready
before the sound fades, and the old player plays on when anything is refused.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nodegraph.api.places import weights
from nodegraph.api.rendering import check_numbers
from nodegraph.api.sounds import heard_sound
from nodegraph.core.errors import DeviceError, NodegraphError, PatchError, Problem
from nodegraph.runtime.capture import feed
from nodegraph.runtime.compile.places import begin_with, live_value
from nodegraph.runtime.drivers.gate import FADE_S
from nodegraph.runtime.drivers.supervisor import Supervisor, Wanted
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.player import Player

if TYPE_CHECKING:
    from nodegraph.api.playing import Playing
    from nodegraph.core.messages import Event
    from nodegraph.runtime.drivers import Driver

LEAD_S: Final = 0.15
"""From the making of the new player to its first frame; as long again each time that it was not enough."""
MOST_LEAD_S: Final = 5.0
READY_S: Final = 2.0
"""How long listeners may take to load their models again."""
ROOM_S: Final = 0.015
"""Between the end of the fade and the change."""


def wanted(now: Wanted, driver: str | None, device: Any, input_device: Any, block: int | None) -> Wanted:
    """What is wanted, given what plays: what is not named stays, but a device belongs to its driver."""
    kind = now.kind if driver is None else driver
    if driver is None and device is not None and kind == "null":
        kind = "portaudio"
    same = kind == now.kind
    return Wanted(
        kind,
        device if device is not None else now.device if same else None,
        input_device if input_device is not None else now.input_device if same else None,
        now.block if block is None else block,
        exact=block is not None,
        patient=now.patient,
    )


def switch(playing: Playing, asked: Wanted, rate: int | None) -> None:
    """Play as it is asked. Raises DeviceError, and the patch plays on as before then."""
    try:
        check_numbers(None, rate or playing.rate, asked.block)
    except PatchError as error:
        raise DeviceError(error.problems) from error
    if not playing.running:
        raise PatchError(Problem("not-playing", "The patch does not play any more."))
    with playing.changing:
        if rate in (None, playing.rate):
            playing.supervisor.switch(asked)
        else:
            _change_rate(playing, asked, int(rate))


def _change_rate(playing: Playing, asked: Wanted, rate: int) -> None:
    old, supervisor = playing.player, playing.supervisor
    while old.editing and playing.running:  # the fades of an edit come first
        time.sleep(0.002)
    heard = None if playing.input is None else heard_sound(playing.input, rate)
    # the device is tried with an engine that only has the shape of the one to come
    shape = Engine(rate, old.engine.inputs, old.engine.outputs)
    feed(shape, heard)
    driver = supervisor.trial(asked, shape)
    change = None
    try:
        change = _prepared(playing, asked, driver, rate)
        if heard is not None:
            feed(change.new.engine, heard)
        change.take_place()
    except BaseException:
        supervisor.give_back(driver)
        if change is not None:
            change.new.close()
        raise


def _prepared(playing: Playing, asked: Wanted, driver: Driver, rate: int) -> Change:
    """The new player, for a frame that the old one has not reached yet."""
    old = playing.player
    lead = LEAD_S + (READY_S if old.lanes is not None else 0.0)
    while lead < MOST_LEAD_S:
        begins = time.monotonic()
        frame = old.engine.done + round(lead * old.rate)
        new = Player(
            old._goal, rate, inputs=old.engine.inputs, outputs=old.engine.outputs, resolve=old.engine.resources.resolve,
            weights=weights, report=playing.say, patch_text=getattr(old.messages, "patch_text", ""),
            start=round(frame / old.rate * rate), threads=old.engine.threads, books=old.messages.books,
            lookahead_s=old.lookahead_s, workers=old.workers,
        )  # fmt: skip
        if new.lanes is not None:
            new.lanes.wait_ready(max(0.0, READY_S - (time.monotonic() - begins)))
        if old.engine.done < frame - round((FADE_S + ROOM_S + 2 * old.lookahead_s) * old.rate):
            return Change(playing, asked, driver, new, frame)
        new.close()
        lead *= 2
    raise DeviceError("the patch cannot be made ready for another rate in time.", "Stop it and play it again.")


class Change:
    """From one player to another, at a frame of the old one."""

    def __init__(self, playing: Playing, asked: Wanted, driver: Driver, new: Player, frame: int) -> None:
        self.playing, self.new, self.frame = playing, new, frame
        self.old, self.before = playing.player, playing.supervisor
        driver.gate.lead_to(new.engine)
        driver.engine = new.engine
        opener, report = self.before.opener, self.before.report
        self.after = Supervisor(new.engine, asked, opener, report, driver=driver)
        self.after.losses, self.after.returns = self.before.losses, self.before.returns
        self.done = threading.Event()
        self.error: NodegraphError | None = None

    def take_place(self) -> None:
        """Wait for the change. Raises what hinders it."""
        told = self.old.messages.everything

        def tell(event: Event) -> None:  # what comes later the new player says
            if told is not None and event.frame < self.frame:
                told(event)

        self.old.messages.everything = tell
        engine = self.old.engine
        fade_at = self.frame - round((FADE_S + ROOM_S) * engine.rate)
        while engine.done < fade_at and self.playing.running:
            time.sleep(0.001)
        self.before.fade_out()
        self.playing.change = self
        while not self.done.wait(0.05):
            if not self.playing.running:
                self.playing.change = None
                raise PatchError(Problem("not-playing", "The patch does not play any more."))
        if self.error is not None:
            raise self.error

    @property
    def due(self) -> bool:
        """Whether the old player has come to its last frame."""
        return self.old.engine.done >= self.frame

    def carry_out(self) -> None:
        """On the player's thread: the old player ends, the new one begins."""
        playing, old, new = self.playing, self.old, self.new
        playing.recording.write(self.frame)
        self.before.rest()
        if playing.performance is not None:
            playing.performance.change_rate(self.frame, new.rate)
        with playing.setting:
            playing.player = new
        old.advance()
        self._let_act()
        self._hand_over()
        playing.recording.go_on(new.engine)
        playing.rate = new.rate
        playing.heard.player, new.messages.everything = new, playing.heard._take
        new.messages.watchers, new.messages.moved = old.messages.watchers, old.messages.moved
        new.messages.moved_all = old.messages.moved_all
        new.messages.outside.take_over(old.messages.outside)
        new.acts.noted, new.acts.asked = old.acts.noted, old.acts.asked
        new.lines, old.lines = old.lines, []
        new.advance()
        self.after.take()
        playing.supervisor, playing.change = self.after, None
        threading.Thread(target=self._end, name="old player's end").start()
        self.done.set()

    def _let_act(self) -> None:
        """Let everything act that was handled ahead of the sound: unheard, so that the values are the last ones."""
        engine = self.old.engine
        engine.waiting = False
        engine.process(None, np.zeros((engine.outputs, round(2 * self.old.lookahead_s * engine.rate)), np.float32))

    def _hand_over(self) -> None:
        old, new = self.old, self.new
        before, after = old.engine.schedule, new.engine.schedule
        assert before is not None and after is not None
        for key in after.places.keys_of(None):
            place, was = after.places.of(key), before.places.of(key)
            if place is None or was is None or was.ran.about.spec is not place.ran.about.spec:
                continue
            for name in place.ran.about.controls:
                value = live_value(was, name)
                if value is not None:
                    begin_with(place, name, value)
        for id, node in new.messages.nodes.items():
            if id in old.messages.nodes:
                node.controls.update(old.messages.nodes[id].controls)
        start = new.messages.now
        for _ in range(2):  # a transport that starts sets the clock by its controls, and may have been stopped since
            new.messages.clock.go_on_for(old.messages.clock, self.frame, start)
            new.messages.run(start + 1)

    def _end(self) -> None:
        """Close what played before. It is heard no more, so that it may take its time."""
        self.before.stop()
        try:
            self.old.close()
        except NodegraphError as error:
            self.playing.say("", str(error))
