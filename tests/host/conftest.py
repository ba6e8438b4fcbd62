"""Fixtures that several test files share."""

import os
import signal

import pytest
from dibble_tools.data.datasets import read_dataset
from hypothesis import settings


@pytest.fixture
def read(tmp_path):
    """Return a function that writes text or bytes to a file and reads it as a dataset."""

    def write_and_read(content, name="farm.csv", **roles):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return read_dataset(tmp_path / name, **roles)

    return write_and_read


def pytest_configure():
    """Let Ctrl-C reach what tests start: a shell that runs them in the background makes all of it ignore SIGINT.

    And let no example of hypothesis fail by the clock: its own limit is a wall time.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("dibble", deadline=None)
    settings.load_profile("dibble")


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, so that at the end no worker has one alone before it."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory):
    """Keep what commands remember, and virtual boards, apart from the user's own and from other workers'.

    What they make again and again, all workers of a run keep together.
    """
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        patch.setenv("XDG_CACHE_HOME", str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"))
        yield
