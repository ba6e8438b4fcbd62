"""Fixtures that several test files share."""

import pytest
from dibble_tools.data.datasets import read_dataset


@pytest.fixture
def read(tmp_path):
    """Return a function that writes text or bytes to a file and reads it as a dataset."""

    def write_and_read(content, name="farm.csv", **roles):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return read_dataset(tmp_path / name, **roles)

    return write_and_read


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory):
    """Keep what commands remember apart from what the user's own do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
