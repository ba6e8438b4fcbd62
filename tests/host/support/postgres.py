"""A real PostgreSQL server of one's own, at a socket in a folder; ended by its process id."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from patience import PATIENCE_S


class Postgres:
    """A server; a context manager.

    Args:
        folder: for its data and its socket; its path has to be short.
    """

    def __init__(self, folder: Path) -> None:
        found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), *filter(None, [_folder_of("postgres")])]
        if not found:
            pytest.fail("expected PostgreSQL, found none; install it with: apt-get install postgresql")
        self._bin = found[-1]
        self._folder = folder
        self.url = f"postgresql+psycopg://dibble@/postgres?host={folder}"
        self._user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Postgres":
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(self._folder, entry.pw_uid, entry.pw_gid)
        data = self._folder / "data"
        made = [str(self._bin / "initdb"), "-D", str(data), "-U", "dibble", "-A", "trust", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, timeout=PATIENCE_S, user=self._user, cwd="/")
        # Its counterpart on a network is left out, and so is what only a crash of the machine would need.
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self._folder}", "-c", "fsync=off"]
        with (self._folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(data), *options], stderr=log, user=self._user, cwd="/"
            )
        end = time.monotonic() + PATIENCE_S
        while not (self._folder / ".s.PGSQL.5432").exists():
            assert self._process.poll() is None and time.monotonic() < end, (self._folder / "server.log").read_text()
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE_S)


def _folder_of(command: str) -> Path | None:
    found = shutil.which(command)
    return Path(found).parent if found else None
