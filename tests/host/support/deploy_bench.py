"""A virtual board with an old firmware, configuration and model, and a deploy of new ones that is cut short."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import serial
from dibble_tools.deploy import request
from dibble_tools.deploy.board_state import OnBoard, look
from dibble_tools.deploy.deploying import deploy
from dibble_tools.deploy.plan import UPDATE
from dibble_tools.deploy.request import Request
from dibble_tools.link.session import Session
from dibble_tools.model.host_model import HostModel
from dibble_tools.node import files as node_files
from dibble_tools.node.console_lines import Event, Header, LineReader, Row
from dibble_tools.virtual_board.board import VirtualBoard
from node_helpers import soil_model
from patience import PATIENCE_S
from virtual_helpers import raw_repl

CHANGED = ("app", "node", "classifier", "sensors", "inference/model", "storage/slots", "report/serial_line", "setup")
OLD_VERSION = "0.0.1"
OLD_ONLY = "lib/dibble/storage/old.py"
OLD_FOLDER = "lib/dibble/inference/"  # in whose way its new file would be
SPEED = 50
CUTS = 3  # tries
MOVABLE = 25  # operations at the end that depend on how the node boots
_BANNER = re.compile(r"dibble (\S+): Ctrl-C")
_DECISION = re.compile(rb"(?:^|\n)\d+,\d+,[^\r\n]*\*[0-9A-F]{8}\r?\n")
# Of the node's own making, or of a deploy that isn't done.
NOT_COMPARED = re.compile(r"(model|config|boot|sent|written|gate)\.[ab]|log/.*|.*\.staged")
SILENCE_S = 5  # in place of half a minute: after it a board whose host has gone resets itself
DEPLOY = (
    f"import sys; from dibble_tools.link import session; session.SILENCE_S = {SILENCE_S}; "
    "from dibble_tools.cli.main import main; sys.argv = ['dibble', *sys.argv[1:]]; main()"
)


@dataclass(frozen=True)
class Running:
    """What a node runs, as its console tells: version of the library, its configuration's name, its model."""

    version: str
    node: str
    model: str


class DeployBench:
    """One board, and images of its flash before and after a deploy.

    Attributes:
        old, new: (what runs, files that are compared) of each.
        seconds, operations: that a whole deploy takes, of the computer's time and of the flash.
    """

    def __init__(self, folder: Path, name: str, *, whole: bool = True) -> None:
        """
        Args:
            whole: deploy what is new once without a cut, first; else there is no new, seconds, operations.
        """
        self.image = folder / "flash"
        self.board = VirtualBoard.start(self.image, name=name, flash="1m", speed=SPEED, sensors=True)
        self.folder = folder
        assert self.board.config
        sensors = {sensor["driver"]: sensor for sensor in self.board.config["sensors"]}
        # No watchdog: the session that stops the node needn't reset the board, which would call off a cut.
        config = {
            **self.board.config,
            "watchdog_ms": 0,
            "sensors": [sensors["sht4x"], sensors["soil_adc"]],
            "actions": [],
        }
        self._write("old", config, 300)
        self._write("new", {**config, "sensors": [*config["sensors"], sensors["battery"]]}, 500)
        with old_firmware(folder / "firmware"):
            deploy(self.board.port, self.request("old"))
        self.save()  # before it boots more often without a cycle than a node may
        self.old = self.what_runs(), self.compared()
        self.restore()
        if not whole:
            self.new: tuple[Running, dict[str, OnBoard]] = Running("", "", ""), {}
            return
        before = self.board.state()["operations"]
        started = time.monotonic()
        self.start_deploy().wait()
        self.seconds = time.monotonic() - started
        self.operations = self.board.state()["operations"] - before
        self.new = self.what_runs(), self.compared()

    def close(self) -> None:
        self.board.stop()

    def save(self) -> None:
        """Keep the flash as it is now."""
        self.board.cut()
        shutil.copy(self.image, self.folder / "saved")
        self.board.power()

    def restore(self) -> None:
        """Put the old flash in, and let it boot."""
        self.board.cut()
        shutil.copy(self.folder / "saved", self.image)
        self.board.power()

    def start_deploy(self) -> subprocess.Popen[bytes]:
        """Begin to deploy what is new, by a process of its own."""
        arguments = ["--model", str(self.folder / "new.dib"), "--config", str(self.folder / "new.json")]
        command = [sys.executable, "-c", DEPLOY, "deploy", "--port", self.board.port, *arguments]
        with open(self.folder / "said", "wb") as said:
            return subprocess.Popen(command, stdout=said, stderr=said)

    def kill_host(self, after_s: float, number: signal.Signals = signal.SIGKILL) -> None:
        """Deploy, and end the process that does it after so many seconds; its node has to decide without a hand."""
        process = self.start_deploy()
        try:
            process.wait(timeout=after_s)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, number)
            process.wait()
        assert self.hears_a_decision(), f"the node is dead, {after_s:.2f} s after its deploy began"

    def kill_host_at(self, operations: int) -> None:
        """Deploy, and end the process that does it after so many operations of the flash."""
        before = self.board.state()["operations"]
        process = self.start_deploy()
        deadline = time.monotonic() + PATIENCE_S
        while self.board.state()["operations"] - before < operations and time.monotonic() < deadline:
            assert process.poll() is None, self.said()
            time.sleep(0.05)
        process.kill()
        process.wait()
        assert self.hears_a_decision(), f"the node is dead, {operations} operations after its deploy began"

    def cut_power(self, after: int, torn: float) -> None:
        """Deploy, and cut the board's power at an operation of its flash.

        A busy computer may say nothing for so long that the board resets itself, which calls off the cut: once more.
        """
        for _ in range(CUTS):
            before = self.board.state()["operations"]
            self.board.cut(after=after, torn=torn)
            self.start_deploy().wait(timeout=PATIENCE_S)
            state = self.board.state()
            if not state["power"] or after > self.operations - MOVABLE:
                return
            assert state["operations"] - before >= after, self.said()
            self.restore()
        raise AssertionError(f"expected a cut, and the board reset itself before it {CUTS} times: {self.said()}")

    def repair(self) -> None:
        """Deploy again, to the end."""
        assert self.start_deploy().wait(timeout=PATIENCE_S) == 0, self.said()

    def said(self) -> str:
        """Return what the last deploy printed."""
        return (self.folder / "said").read_text(encoding="utf-8")

    def hears_a_decision(self) -> bool:
        """Tell whether the node decides, without a hand on the board; its header may have come before one listens."""
        text = b""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                with serial.Serial(os.path.realpath(self.board.port), timeout=0.1) as port:
                    while time.monotonic() < deadline:
                        text = text[-500:] + port.read(1) + port.read(port.in_waiting)
                        if _DECISION.search(text):
                            return True
            except (OSError, serial.SerialException):  # its port goes with a reset, and comes back
                time.sleep(0.1)
        return False

    def what_runs(self) -> Running:
        """Give the board power; return what its node says that it runs."""
        reader = LineReader()
        text = ""
        node = model = ""
        deadline = time.monotonic() + PATIENCE_S
        if self.board.state()["power"]:
            self.board.cut()
        self.board.power()
        while time.monotonic() < deadline:
            ran = False
            with (
                contextlib.suppress(OSError, serial.SerialException),  # its port goes with a reset, and comes back
                serial.Serial(os.path.realpath(self.board.port), timeout=0.1) as port,
            ):
                while time.monotonic() < deadline and not ran:
                    data = port.read(1) + port.read(port.in_waiting)
                    text = text + data.decode("utf-8", "replace")
                    for line in reader.feed(data):
                        if isinstance(line, Header):
                            node = line.node
                        elif isinstance(line, Event) and line.kind == "model":
                            model = line.text
                        elif isinstance(line, Row):
                            ran = True
            if ran:
                banners = _BANNER.findall(text)
                version = banners[-1] if banners else self.version()
                if node and model:
                    return Running(version, node, model)
                self.board.cut()  # it had begun before its port was open here
                self.board.power()
            time.sleep(0.1)
        raise AssertionError(f"expected the node to complete a cycle, it said: {text[-2000:]}")

    def version(self) -> str:
        """Stop the node, which then counts no failed boot; return the version of its library."""
        with raw_repl(self.board) as repl:
            return repl.exec("from dibble import __version__\nprint(__version__)").decode().strip()

    def compared(self) -> dict[str, OnBoard]:
        """Return the board's files that a deploy answers for."""
        with Session.open(self.board.port) as session:
            files = look(session).files
        return {path: found for path, found in files.items() if not NOT_COMPARED.fullmatch(path)}

    def verdict(self) -> str:
        """Return "old" or "new", as which the board is whole; raise AssertionError where it's a mixture."""
        runs, files = self.what_runs(), self.compared()
        for name, (its_runs, its_files) in (("old", self.old), ("new", self.new)):
            if runs == its_runs:
                wrong = {
                    path: (files.get(path), its_files.get(path))
                    for path in files.keys() | its_files.keys()
                    if files.get(path) != its_files.get(path)
                }
                if name == "old":
                    wrong.pop(UPDATE, None)  # the first that a deploy writes: what follows its list
                assert not wrong, wrong
                return name
        raise AssertionError(f"expected {self.old[0]} or {self.new[0]}, got {runs}")

    def _write(self, name: str, config: dict[str, object], dry_below: int) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps({**config, "node": name}))
        (self.folder / f"{name}.dib").write_bytes(soil_model(dry_below, hysteresis=1))

    def request(self, name: str) -> Request:
        return Request(HostModel.open(self.folder / f"{name}.dib"), self.folder / f"{name}.json")


class old_firmware:
    """While this is open, the firmware is an older one: another version, other modules, one that has gone since.

    Each module is a file of its own, in its package's folder, and lists of updates are those before there were folders.
    """

    def __init__(self, folder: Path) -> None:
        self.before = node_files.FIRMWARE, node_files.LIBRARY, request.node_files
        shutil.copytree(node_files.FIRMWARE, folder, ignore=shutil.ignore_patterns("__pycache__"))
        package = folder / "lib" / "dibble"
        init = package / "__init__.py"
        init.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{OLD_VERSION}"', init.read_text()))
        for name in CHANGED:
            with open(package / f"{name}.py", "a") as file:
                file.write("\nimport gc as old_gc\n\nold_gc.collect()\n")
        (folder / OLD_ONLY).write_text("OLD = True\n")
        with open(package / "app.py", "a") as file:
            file.write("from dibble.storage import old\n")
        update = folder / UPDATE
        update.write_text(update.read_text().replace("dibble update 2", "dibble update 1"))
        self.folder = folder

    def __enter__(self) -> None:
        self._set(self.folder, self.folder / "lib" / "dibble", self._apart)

    def __exit__(self, *_: object) -> None:
        self._set(*self.before)

    def _set(self, firmware: Path, library: Path, files_of: Callable[..., dict[str, bytes]]) -> None:
        node_files.FIRMWARE, node_files.LIBRARY, request.node_files = firmware, library, files_of
        node_files._imports.cache_clear()

    def _apart(self, drivers: Iterable[str], mpy: node_files.MpyFormat, **_: object) -> dict[str, bytes]:
        """As node_files(), in bytecode, a file a module."""
        sources = node_files.node_files(drivers, None)
        library = {path: data for path, data in sources.items() if path.startswith("lib/")}
        texts = {path: node_files.compiled_text(data.decode(), Path(path).stem, "") for path, data in library.items()}
        return {path: data for path, data in sources.items() if path not in library} | {
            str(Path(path).with_suffix(".mpy")): data for path, data in texts.items()
        }


def moments(bench: DeployBench, count: int, seed: int):
    """Yield what to do to a deploy: half are kills of the host, half are cuts of the power."""
    chance = random.Random(seed)
    for i in range(count):
        if i % 2:
            after = chance.randint(1, bench.operations)
            torn = chance.choice((0.0, 0.25, 0.5, 0.75, 1.0))
            yield f"power cut at operation {after}, {torn:g} of it done", lambda a=after, t=torn: bench.cut_power(a, t)
        else:
            after_s = chance.uniform(0, bench.seconds)
            number = chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP))
            what = f"host killed by {number.name} after {after_s:.2f} s"
            yield what, lambda s=after_s, n=number: bench.kill_host(s, n)
