"""Keeps an engine playing, whatever becomes of the device.

A device that vanishes is replaced by the null driver at once: time, messages and models go on, and so does a recording,
without a gap. The supervisor then looks for the device, less and less often, and goes back to it, faded in. A change
that is asked for is the same the other way round: the new device is opened and running, silent behind its shut gate,
before the old one is given up; a device that does not open twice is given up first, and taken back when the new one is
refused. Everything here runs on threads of its own, never on the audio thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from nodegraph.core.errors import DeviceError, Fault
from nodegraph.runtime.drivers import Driver
from nodegraph.runtime.drivers.devices import look_again
from nodegraph.runtime.drivers.gate import FADE_S
from nodegraph.runtime.drivers.null import NullDriver
from nodegraph.runtime.engine import Engine

LOOK_S: Final = 0.02
FIRST_TRY_S: Final = 0.25
LAST_TRY_S: Final = 4.0
"""The longest between two looks for a device that is away; each one takes twice as long to come as the last."""
CLOSE_S: Final = 5.0
COMES_S: Final = 3.0
"""How long a device may take to ask for its first block."""

Opener = Callable[..., Driver]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for."""

    kind: str = "auto"
    device: Any = None
    input_device: Any = None
    block: int = 256
    exact: bool = False
    """Whether JACK must have this block; else its own is taken."""
    patient: bool = False
    """Whether to begin without the device when it is not there yet, and to look for it."""

    def opened(self, opener: Opener, engine: Engine) -> Driver:
        """A driver for it. Raises DeviceError."""
        driver = opener(self.kind, engine, device=self.device, input_device=self.input_device, block=self.block)
        found = getattr(driver, "block", self.block)
        if self.kind == "jack" and self.exact and found != self.block:
            driver.stop()
            raise DeviceError(f"the JACK server's blocks are of {found} frames.", "Change them in the server.")
        return driver


class Supervisor:
    """One engine's driver, watched. `start`, `switch` and `stop` may be called from any thread but the audio thread's.

    `report` is told what becomes of the device, on the supervisor's thread.
    """

    def __init__(
        self,
        engine: Engine,
        wanted: Wanted,
        opener: Opener,
        report: Callable[[str], None],
        *,
        driver: Driver | None = None,
    ) -> None:
        """Opens the driver, unless one is given; it is started by `start`, or taken by `take`. Raises DeviceError."""
        self.engine = engine
        self.wanted = wanted
        self._away: float | None = None
        self._next = self._pause = 0.0
        self._late = ""
        self.driver = self._first(opener) if driver is None else driver
        self.losses = self.returns = 0
        self.error: DeviceError | None = None
        """What made it give up."""
        self.opener = opener
        self.report = report
        self._turn = threading.Lock()
        self._over = threading.Event()
        self.given_up = False
        """Whether the device was given up for a trial that is not decided yet."""
        self._endings: list[threading.Thread] = []
        self._thread: threading.Thread | None = None

    def _first(self, opener: Opener) -> Driver:
        """The driver to begin with; a patient one begins without its device. Raises DeviceError."""
        wanted = self.wanted
        if not wanted.patient or wanted.kind == "null":
            return wanted.opened(opener, self.engine)
        try:
            driver = wanted.opened(opener, self.engine)
            if not isinstance(driver, NullDriver):
                return driver
            why = driver.why
        except DeviceError as error:
            why = error.problems[0].what.rstrip(".")
            driver = NullDriver(self.engine, wanted.block, why)
        self._late = why
        return driver

    def start(self) -> None:
        """Begin to play. Raises DeviceError."""
        try:
            self.driver.start()
            connect(self.driver)
        except DeviceError as error:
            if not self.wanted.patient:
                raise
            self._late = error.problems[0].what.rstrip(".")
            self.driver.gate.shut()
            self._end(self.driver)
            self._alone(self._late)
        if self._late:
            self._missed()
        self._watched()

    def _missed(self) -> None:
        """The device is not there yet: look for it from now on."""
        self._away, self._pause = time.monotonic(), FIRST_TRY_S
        self._next = self._away + self._pause
        why = f"the sound device is not there ({self._late}); the patch plays without it until it comes."
        self.report(Fault(why))

    def take(self) -> None:
        """Begin to play with a driver that is running behind its shut gate, faded in."""
        self.driver.gate.open()
        self._watched()

    def _watched(self) -> None:
        for notice in self.driver.notices:
            self.report(notice)
        self._thread = threading.Thread(target=self._watch, name="driver supervisor", daemon=True)
        self._thread.start()

    def rest(self) -> None:
        """Let no device play this engine any more, and watch no longer; `stop` ends the driver."""
        self._over.set()
        with self._turn:
            self.engine.waiting = False
            self.driver.gate.shut()

    def stop(self) -> None:
        """End the driver. More than once does no harm."""
        self._over.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with self._turn:
            self.engine.waiting = False
            self.driver.gate.shut()
            self._end(self.driver)
        until = time.monotonic() + CLOSE_S
        for ending in self._endings:
            ending.join(max(0.0, until - time.monotonic()))

    def status(self) -> dict[str, Any]:
        """The driver that runs now, its latency, and what became of the device: plain data."""
        driver, away = self.driver, self._away
        return {
            "driver": driver.describe(),
            "latency_s": driver.latency_s,
            "block": getattr(driver, "block", self.wanted.block),
            "unheard": self._unheard(),
            "device": {
                "state": "gone" if away is not None else "playing",
                "gone_s": 0.0 if away is None else time.monotonic() - away,
                "losses": self.losses,
                "returns": self.returns,
            },
            **getattr(driver, "status", dict)(),
        }

    def _unheard(self) -> str:
        """Why nobody hears it although somebody should; empty when a device plays, or none was wanted."""
        driver = self.driver
        return driver.why if isinstance(driver, NullDriver) and self.wanted.kind != "null" else ""

    # -- a device that vanishes

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            with self._turn:
                if self._over.is_set():
                    return
                if not self.driver.alive:
                    self._lost()
                elif self._away is not None and time.monotonic() >= self._next:
                    self._try_back()
                else:
                    tend = getattr(self.driver, "tend", None)  # a device for the inputs alone comes and goes, too
                    if tend is not None:
                        tend(self.report)

    def _lost(self) -> None:
        """Go on without the device."""
        gone = self.driver
        self.engine.waiting = False  # a server that ran ahead waits for nobody any more
        try:
            gone.gate.shut()
        except DeviceError as error:
            self.error = error  # its thread is in the engine: nobody else may be
            self._over.set()
            return
        name = gone.describe()
        self._alone("the device has gone")
        if self._away is None:
            self.losses += 1
            self._away = time.monotonic()
            why = f"the sound device has gone after {self._seconds:.1f} s ({name}); the patch plays on without it."
            self.report(Fault(why))
        self._pause = FIRST_TRY_S
        self._next = time.monotonic() + self._pause
        self._end(gone)

    @property
    def _seconds(self) -> float:
        return self.engine.done / self.engine.rate

    def _alone(self, why: str) -> None:
        """The null driver plays from now on, in the place of one whose gate is shut."""
        null = NullDriver(self.engine, self.wanted.block, why)
        null.gate.take_after(self.driver.gate)
        self.driver = null
        null.start()

    def _try_back(self) -> None:
        """Look whether the device is there again, and if so return to it."""
        wanted = self.wanted
        if wanted.kind == "auto":  # a device there was: the null driver, which auto may come to, is not what is missed
            wanted = Wanted("portaudio", wanted.device, wanted.input_device, wanted.block)
        try:
            if wanted.kind == "portaudio":
                look_again()
            new = standing_by(lambda: wanted.opened(self.opener, self.engine), self._over)
        except DeviceError:
            self._pause = min(2.0 * self._pause, LAST_TRY_S)
            self._next = time.monotonic() + self._pause
            return
        self._hand_over(new)
        assert self._away is not None
        away, self._away = time.monotonic() - self._away, None
        self.returns += 1
        self.report(f"the sound device is back after {away:.1f} s ({new.describe()}).")

    # -- a change that is asked for

    def switch(self, wanted: Wanted) -> None:
        """Play on another device, or with another block. Raises DeviceError, and plays on as before then."""
        with self._turn:
            new = self._trial(wanted, self.engine)
            self._hand_over(new)
            self._away, self.given_up = None, False
            self.wanted = wanted
            for notice in new.notices:
                self.report(notice)

    def trial(self, wanted: Wanted, engine: Engine) -> Driver:
        """A driver for another engine, running behind its shut gate. Raises DeviceError, and plays on as before then.

        A device that does not open twice is given up for it: this engine then goes on without one, and `give_back`
        brings it back.
        """
        with self._turn:
            return self._trial(wanted, engine)

    def give_back(self, driver: Driver) -> None:
        """The driver of a trial is not taken: end it, and play on as before."""
        with self._turn:
            close(driver)
            if self.given_up and not self._over.is_set():
                self._return()

    def fade_out(self) -> None:
        """Fade the device out; the engine plays on, unheard."""
        self.driver.gate.fade_out()

    def _trial(self, wanted: Wanted, engine: Engine) -> Driver:
        def opened() -> Driver:
            return standing_by(lambda: wanted.opened(self.opener, engine), self._over)

        try:
            return opened()
        except DeviceError as error:
            if error.problems[0].code != "device-busy" or isinstance(self.driver, NullDriver):
                raise
        old = self.driver
        self._fade_out()
        old.gate.shut()
        self._alone("the device is being changed")
        self.given_up = True
        close(old)
        try:
            return opened()
        except DeviceError:
            self._return()
            raise

    def _return(self) -> None:
        """Back to the device that was given up; if it has gone meanwhile, look for it."""
        self.given_up = False
        try:
            self._hand_over(standing_by(lambda: self.wanted.opened(self.opener, self.engine), self._over))
        except DeviceError:
            self._away, self._pause = time.monotonic(), FIRST_TRY_S
            self.losses += 1
            self.report(Fault("the sound device does not open again; the patch plays on without it."))

    def _fade_out(self) -> None:
        """Fade the device out and wait for that, unless it has stopped asking."""
        self.driver.gate.fade_out()
        until = time.monotonic() + 10 * FADE_S + 4 * self.wanted.block / self.engine.rate
        while not self.driver.gate.silent and time.monotonic() < until:
            time.sleep(0.001)

    def _hand_over(self, new: Driver) -> None:
        """From the device that plays to one that stands by: one fades out, the other in."""
        old = self.driver
        self._fade_out()
        old.gate.shut()
        self.driver = new
        new.gate.open()
        self._end(old)

    def _end(self, driver: Driver) -> None:
        """End a driver that plays no more, without waiting for its library."""
        self._endings = [ending for ending in self._endings if ending.is_alive()]
        self._endings.append(close(driver, wait_s=0.0))


def standing_by(opened: Callable[[], Driver], over: threading.Event) -> Driver:
    """A driver that is running behind its shut gate: it has asked for sound and got silence.

    Raises DeviceError when it does not open, start or ask.
    """
    driver = opened()
    try:
        driver.gate.shut()
        driver.start()
        connect(driver)
        until = time.monotonic() + COMES_S
        while not driver.gate.calls:
            if not driver.alive or over.is_set() or time.monotonic() > until:
                raise DeviceError(f"{driver.describe()}: it opens, but does not ask for sound.")
            time.sleep(0.001)
        if not driver.alive:
            raise DeviceError(f"{driver.describe()}: it opens, and is gone again.")
    except BaseException:
        close(driver)
        raise
    return driver


def connect(driver: Driver) -> None:
    """JACK leaves it to its clients where the sound goes."""
    call = getattr(driver, "connect", None)
    if call is not None:
        call()


def close(driver: Driver, wait_s: float = CLOSE_S) -> threading.Thread:
    """End a driver; one that hangs in its library is left there: it is not in the engine any more."""
    ending = threading.Thread(target=driver.stop, name="driver's end", daemon=True)
    ending.start()
    ending.join(wait_s)
    return ending
