"""Fixtures that several test files share."""

import pytest

from host_tools.datasets import read_dataset

# Files of few tests that take long: begun first, so that no worker is left with them while the others are done.
LONG = (
    *("test_studio_journey", "test_train", "test_deploy", "test_small_node", "test_journey", "test_power_cuts"),
    *("test_season", "test_end_to_end", "test_mqtt_outages", "test_deploy_romfs", "test_tuner", "test_cost_baseline"),
)


def pytest_collection_modifyitems(items):
    """Put the LONG ones first; all else stays in its order."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


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
