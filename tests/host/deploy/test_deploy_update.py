"""What completes a deploy on the board: cut at every operation of its flash, and given every damaged list."""

import importlib.util
import zlib
from pathlib import Path

import pytest
from dibble_tools.common.shipped import FIRMWARE
from dibble_tools.deploy.plan import Plan
from dibble_tools.simulator.node.flash import Flash
from dibble_tools.simulator.node.vm import FieldVm
from dibble_tools.simulator.node.wire import POWER_ON, Hardware

APP = """
def run(port):
    from dibble import __version__
    from dibble.ports import part
    print("runs", __version__, part.VERSION, port.VERSION, open("config.json").read())
"""
PART = "VERSION = {}\n"
OLD = {
    "config.json": "1",
    "lib/dibble/__init__.py": "__version__ = 1\n",
    "lib/dibble/app.py": APP,
    "lib/dibble/ports/__init__.py": "",
    "lib/dibble/ports/micropython.py": PART.format(1),
    "lib/dibble/ports/part.py": PART.format(1) + "#" * 900,
}
NEW = {
    "config.json": "2",
    "lib/dibble/__init__.py": "__version__ = 2\n",
    "lib/dibble/ports/micropython.py": PART.format(2),
    "lib/dibble/ports/part_two.py": "",
    "lib/dibble/app.py": APP.replace("part.VERSION", "2").replace("import part", "import part_two"),
    "dibble_update.py": (FIRMWARE / "dibble_update.py").read_text(),
    "main.py": (FIRMWARE / "main.py").read_text() + "print('as new')\n",
}
OLD |= {"dibble_update.py": NEW["dibble_update.py"] + "# old\n", "main.py": (FIRMWARE / "main.py").read_text()}
PLAN = Plan({path: text.encode() for path, text in NEW.items()}, ["lib/dibble/ports/part.py", "boot.a"], 0)


def lay_out(folder: Path) -> Path:
    """Write a board's files as a deploy leaves them with its commit."""
    staged = {PLAN.target(path): text for path, text in NEW.items()}
    for path, text in {**OLD, **staged, "dibble_update.txt": PLAN.listing().decode()}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def boot(vm: FieldVm) -> str:
    """Switch on until the program ends; return what it printed."""
    vm.console = b""
    while vm.power(POWER_ON) == "reset":
        pass
    return vm.text()


def test_a_cut_at_any_operation_leaves_a_board_that_completes_the_deploy(tmp_path):
    vm = FieldVm(Hardware(Flash(32), 0))
    vm.install(lay_out(tmp_path))
    image = bytes(vm.flash.image)
    for torn in (0.0, 0.5):
        cut = 0
        while True:
            cut += 1
            vm.flash.image[:] = image
            vm.flash.cut_at([cut], torn=torn)
            if vm.power(POWER_ON) != "cut":
                break
            vm.flash.cut_at([])
            assert boot(vm) == "runs 2 2 2 2\nas new\n", f"cut {cut}, torn {torn}"
        assert cut > len(PLAN.writes)


@pytest.fixture
def update(tmp_path, monkeypatch):
    """The module, with the files of a committed deploy around it."""
    spec = importlib.util.spec_from_file_location("dibble_update", FIRMWARE / "dibble_update.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(lay_out(tmp_path))
    return module


def content(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_new_files_are_there_and_the_old_ones_gone(update, tmp_path):
    assert update.complete()
    assert content(tmp_path) == {path: text for path, text in {**OLD, **NEW}.items() if "part.py" not in path}


@pytest.mark.parametrize("damage", ["flipped", "cut short"])
def test_a_damaged_list_changes_nothing(update, tmp_path, damage):
    path = tmp_path / "dibble_update.txt"
    before, whole = content(tmp_path), path.read_bytes()
    del before[path.name]
    for i in range(len(whole) - 1):
        path.write_bytes(whole[:i] + (bytes([whole[i] ^ 0x81]) + whole[i + 1 :] if damage == "flipped" else b""))
        assert not update.complete()
        assert content(tmp_path) == before


def test_a_list_of_another_format_changes_nothing(update, tmp_path):
    lines = b"dibble update 3\n- main.py\n"
    (tmp_path / "dibble_update.txt").write_bytes(lines + b"%08x 2 .\n" % zlib.crc32(lines))
    assert not update.complete()
    assert (tmp_path / "main.py").exists()
