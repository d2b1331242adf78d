"""What every test starts from: repeatable examples, a kernel cache of its own, and nobody's trust."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No deadline and no slowness check: the machine may be busy, and a slow example is not a wrong one.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun with `&`; Ctrl-C is tried on programs that inherit this
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = (
    "validation/test_every_", "soak/test_hours", "soak/test_edits", "headless/test_living", "soak/test_life",
    "runtime/test_portaudio", "patches/test_feedback", "listeners/test_notes", "runtime/test_drift",
    "api/test_watching", "usernodes/test_trying", "validation/test_command", "api/test_pictures",
)  # fmt: skip
"""Files that take longest, the longest first: begun last, they would be waited for by an idle processor."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, the others in their order (`scripts/test` keeps it so)."""

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(LONGEST) if f"tests/{name}" in item.path.as_posix()), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def kernel_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A kernel cache that is empty when the tests begin, so that no test runs on yesterday's code. The processes among
    which the tests are divided share it, as the programs of one user do."""
    base = tmp_path_factory.getbasetemp()
    path = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "kernels"
    path.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODEGRAPH_CACHE", str(path))
        yield path


@pytest.fixture(scope="session", autouse=True)
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty config folder for this test process and those it starts: no test sees or changes what a user trusts."""
    path = tmp_path_factory.mktemp("config")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODEGRAPH_CONFIG", str(path))
        yield path
