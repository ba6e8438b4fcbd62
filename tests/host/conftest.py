"""Fixtures that several test files share."""

import pytest

from host_tools.datasets import read_dataset


@pytest.fixture
def read(tmp_path):
    """Return a function that writes text or bytes to a file and reads it as a dataset."""

    def write_and_read(content, name="farm.csv", **roles):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return read_dataset(tmp_path / name, **roles)

    return write_and_read
