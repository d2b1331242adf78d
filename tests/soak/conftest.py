"""The soak tests play through a JACK server too."""

from tests.runtime.conftest import jack_server

__all__ = ["jack_server"]
