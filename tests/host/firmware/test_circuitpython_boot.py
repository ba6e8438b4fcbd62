"""boot.py, safemode.py, the boot state and the drive of a node on CircuitPython, on a real VM with stand-ins."""

import contextlib
import re

import pytest
from circuitpython_node import Node
from dibble.storage.nvm import NvmCell
from dibble_tools.machines.vms import VmError
from dibble_tools.node.manifest import write_manifest
from dibble_tools.simulator.node.flash import BLOCK_BYTES

pytestmark = pytest.mark.long

BROWNOUT, WATCHDOG_SAFE_MODE, HARD_FAULT, PROGRAMMATIC = 6, 7, 8, 9  # as the stand-in for supervisor has them
MINUTE = 60


def nvm(node):
    return NvmCell(node.hardware.flash.image[-BLOCK_BYTES:])


def test_unconfirmed_boots_end_in_safe_mode_by_nvm(tmp_path):
    """Also where the computer has the drive: the boot state is no file."""
    node = Node(tmp_path / "drive", files={"settings.toml": "DIBBLE_USB_WRITES = 1\n"})
    for boots in (1, 2, 3):
        node.live(30)
        assert node.lines(f"boot {boots} since the last good one: normal")
    assert node.live(700) == "reset"
    assert node.lines("safe mode: Ctrl-C leaves the REPL free")
    node.live(5 * MINUTE)
    assert node.lines("boot 3 since the last good one: normal")
    assert nvm(node).newest()[0] == 0  # confirmed


def test_good_reading_and_a_minute_confirm_a_boot(tmp_path):
    node = Node(tmp_path / "drive")
    node.live(30)
    assert nvm(node).newest()[0] == 1
    node.live(3 * MINUTE)
    assert nvm(node).newest()[0] == 0


@pytest.mark.parametrize(
    "files",
    [
        {"settings.toml": "DIBBLE_USB_WRITES = true\n"},
        {"usb_writes": ""},
        {"settings.toml": 'DIBBLE_USB_PIN = "GP22"\n'},
    ],
)
def test_node_says_so_where_the_computer_has_the_drive_and_decides(tmp_path, files):
    node = Node(tmp_path / "drive", files=files)
    node.hardware.inputs[22] = 0
    node.live(10 * MINUTE)
    assert len(node.decisions()) == 10
    assert any("OSError(30" in line for line in node.lines("!log"))


@pytest.mark.parametrize("setting", ["DIBBLE_USB_WRITES = 0\n", 'DIBBLE_USB_PIN = "GP22"\n'])
def test_node_has_the_drive_where_nobody_wants_it(tmp_path, setting):
    node = Node(tmp_path / "drive", files={"settings.toml": setting})
    node.live(5 * MINUTE)
    assert node.lines("!log") == []


def test_board_without_nvm_keeps_its_boot_state_in_files(tmp_path, monkeypatch):
    monkeypatch.setenv("DIBBLE_LACKS", "nvm")
    node = Node(tmp_path / "drive")
    for boots in (1, 1, 2):  # the model is new to the second
        node.live(30)
        assert node.lines("boot ")[-1] == f"boot {boots} since the last good one: normal"


def test_safe_mode_after_a_brown_out_is_left_again_and_again_later_each_time(tmp_path):
    node = Node(tmp_path / "drive")
    pauses = []
    for _ in range(9):
        before_us = node.hardware.now_us
        assert node.live(3600, BROWNOUT) == "reset"
        pauses.append(round((node.hardware.now_us - before_us) / 1e6))
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 640, 640]
    node.live(5)  # a boot was counted
    before_us = node.hardware.now_us
    node.live(3600, BROWNOUT)
    assert round((node.hardware.now_us - before_us) / 1e6) == 10


@pytest.mark.parametrize("cause", [WATCHDOG_SAFE_MODE, HARD_FAULT])
def test_safe_mode_after_faults_gives_up_when_the_node_never_starts(tmp_path, cause):
    node = Node(tmp_path / "drive")
    assert [node.live(3600, cause) for _ in range(6)] == ["reset"] * 5 + ["end"]
    assert node.lines("safe mode: REPL")
    node.live(5)
    assert node.live(3600, cause) == "reset"


def test_safe_mode_that_was_asked_for_stays(tmp_path):
    assert Node(tmp_path / "drive").live(3600, PROGRAMMATIC) == "end"


def test_lost_and_damaged_files_are_told_at_boot(tmp_path):
    def finish(folder):
        write_manifest(folder)
        (folder / "lib/dibble/drivers/sgp30.py").unlink()
        path = folder / "lib/dibble/drivers/ens160.py"
        path.write_bytes(path.read_bytes().replace(b"def", b"dfe", 1))
        (folder / "lib/dibble/drivers/sht3x.py").write_bytes(b"")

    for port in ("circuitpython", "micropython"):
        node = Node(tmp_path / port, port, finish=finish)
        node.live(2 * MINUTE)
        told = node.lines("!files")
        assert [re.sub(r".*drivers/(\w+)\.py.*", r"\1", line) for line in told] == ["ens160", "sgp30", "sht3x"]
        assert "CRC" in told[0] and "OSError(2" in told[1] and "bytes" in told[2]
        assert len(node.decisions()) == 2


def test_whole_firmware_says_nothing_of_its_files(tmp_path):
    node = Node(tmp_path / "drive", finish=write_manifest)
    node.live(2 * MINUTE)
    assert node.lines("!files") == []


@pytest.mark.parametrize("sectors", [0, 3])  # of padding: what shares a block with what
def test_power_cuts_leave_a_node_that_runs_or_tells_what_it_lost_or_no_drive_at_all(tmp_path, sectors):
    """A block of the flash is erased whole: a cut takes neighbours of what was written, or all directories."""
    node = Node(tmp_path / "drive", finish=write_manifest, files={"pad": "x" * (1 + 512 * sectors)})
    flash = node.hardware.flash
    node.live(5 * MINUTE)  # the model is installed, the boot confirmed
    image = bytes(flash.image)
    flash.operations = 0
    node.live(5 * MINUTE)
    last = flash.operations
    ran = lost = 0
    for cut in range(1, last + 1):
        flash.image[:] = image
        node.vm.console = b""
        flash.cut_at([cut], torn=0.5)
        assert node.live(5 * MINUTE) == "cut"
        flash.cut_at([])
        node.vm.console = b""
        with contextlib.suppress(VmError):
            node.live(5 * MINUTE)
        if node.lines("dibble"):  # the app began
            assert len(node.decisions()) == 5 or node.lines("!files"), cut
            ran += 1
        else:
            lost += 1
        assert nvm(node).newest() is None or nvm(node).newest()[0] <= 2
    assert last >= 8 and ran > lost
