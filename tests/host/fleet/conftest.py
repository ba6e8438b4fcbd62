"""The database of a fleet: an SQLite file, and a real PostgreSQL server."""

import tempfile
from pathlib import Path

import pytest
from dibble_tools.fleet.database import TABLES, open_database
from postgres import Postgres


@pytest.fixture(scope="session")
def postgres_url():
    with tempfile.TemporaryDirectory() as folder:  # short: a socket's path has 107 characters at most
        Path(folder).chmod(0o755)
        with Postgres(Path(folder)) as server:
            yield server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    """Return an empty database."""
    if request.param == "sqlite":
        made = open_database(str(tmp_path / "fleet.db"))
    else:
        made = open_database(request.getfixturevalue("postgres_url"))
        TABLES.drop_all(made)
        made = open_database(request.getfixturevalue("postgres_url"))
    yield made
    made.dispose()
