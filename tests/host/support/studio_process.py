"""A real `dibble studio` on a free port, and a headless Chromium to look at it; both ended by their process ids."""

import http.client
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S

INSTALL = "apt-get install chromium chromium-driver"


class StudioProcess:
    """The command, running; a context manager.

    Args:
        folder: a project.
        runtime: folder of its own registry of virtual boards.
        more: arguments.
    Attributes:
        port: of its page.
    """

    def __init__(self, folder: Path, runtime: Path, *more: str) -> None:
        command = [sys.executable, "-c", "from dibble_tools.cli.main import main; main()"]
        self.process = subprocess.Popen(
            [*command, "studio", str(folder), "--http", "0", "--no-browser", *more],
            env={**os.environ, "XDG_RUNTIME_DIR": str(runtime), "COLUMNS": "200"},
            stderr=subprocess.PIPE,
        )
        self.port = 0
        self.token = ""

    def __enter__(self) -> "StudioProcess":
        assert self.process.stderr
        said = b""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if select.select([self.process.stderr], [], [], 0.2)[0]:
                piece = os.read(self.process.stderr.fileno(), 4096)
                said += piece
                if found := re.search(rb"http://127\.0\.0\.1:(\d+)/\?token=(\w+) ", said):
                    self.port, self.token = int(found[1]), found[2].decode()
                    return self
                if not piece:
                    break
        self.__exit__()
        raise AssertionError(f"expected the studio's address, it said {said.decode()!r}")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stderr
        self.process.stderr.close()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return the status, headers and body of an answer; headers are given with _ for -.

        It carries the token, unless another Authorization is given.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            named = {"Authorization": f"token {self.token}"} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def do(self, action: str, **request: Any) -> tuple[int, str]:
        """Press a button; return the status, and the problem in words, "" if there is none."""
        status, _, body = self.ask(
            "POST", f"/do/{action}", json.dumps(request).encode(), Content_Type="application/json"
        )
        return status, json.loads(body).get("problem", "")

    def states(self) -> Iterator[dict[str, Any]]:
        """Yield what a tab is told, from now on; close it, or leave the loop."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", "/events", headers={"Authorization": f"token {self.token}"})
            for line in connection.getresponse():
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        finally:
            connection.close()


@contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """Yield a Selenium driver of a headless Chromium; a missing one fails with what to install."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.fail(f"expected chromium and chromedriver, found {browser} and {driver}; install them with: {INSTALL}")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-first-run"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--user-data-dir={folder}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield opened
    finally:
        opened.quit()


def write_project(folder: Path) -> Path:
    """Write what a project needs, with sensors that are simulated too."""
    folder.mkdir()
    sensors = [{"driver": "sht4x"}, {"driver": "soil_adc", "pin": 26, "probe_curve": [2300, 1200]}]
    config = {"node": folder.name, "interval_s": 600, "i2c": {"sda": 4, "scl": 5}, "sensors": sensors}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "features.toml").write_text('[features]\n"*" = ["last"]\n')
    return folder
