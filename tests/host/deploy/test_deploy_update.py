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
FOLLOWERS = ("main.py", "dibble_update.py")  # of a list: at no moment missing
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
    cut = 0
    while True:
        cut += 1
        vm.flash.image[:] = image
        vm.flash.cut_at([cut], torn=0.5 * (cut & 1))
        if vm.power(POWER_ON) != "cut":
            break
        vm.flash.cut_at([])
        assert boot(vm) == "runs 2 2 2 2\nas new\n", f"cut {cut}"
    assert cut > len(PLAN.writes)


def listing(*lines: str) -> str:
    text = "".join(f"{line}\n" for line in ("dibble update 2", *lines))
    return f"{text}{zlib.crc32(text.encode()):08x} {len(lines) + 1} .\n"


def test_a_cut_at_any_operation_of_a_trial_leaves_what_came_or_what_was(tmp_path):
    """Files are replaced, added and taken away on trial; the fourth start brings back what was before."""
    changed = [path for path in NEW if path in OLD]
    added = [path for path in NEW if path not in OLD]
    undo = listing(*(f"< {path}" for path in (*changed, "lib/dibble/ports/part.py")), *(f"- {path}" for path in added))
    there = lay_out(tmp_path)
    (there / "dibble_undo.txt.staged").write_text(undo)
    for path in FOLLOWERS:
        (there / f"{path}.before").write_text(OLD[path])
    lines = ["+ dibble_undo.txt", *(f"{'+' if path in {*added, *FOLLOWERS} else '~'} {path}" for path in NEW)]
    (there / "dibble_update.txt").write_text(listing(*lines, "> lib/dibble/ports/part.py"))
    vm = FieldVm(Hardware(Flash(40), 0))
    vm.install(there)
    new, old = "runs 2 2 2 2\nas new\n", "runs 1 1 1 1\n"
    for starts in range(4):  # the first of the commit itself
        image = bytes(vm.flash.image)
        cut = 100 if starts == 1 else 0  # it does what the next one does, and is the longer one
        while True:
            cut += 1
            vm.flash.image[:] = image
            vm.flash.cut_at([cut], torn=0.5 * (cut & 1))
            ended = ""
            while ended in ("", "reset"):
                vm.console = b""
                ended = vm.power(POWER_ON)
            vm.flash.cut_at([])
            if ended != "cut":
                break
            assert boot(vm) == (old if starts == 3 else new), f"start {starts}, cut {cut}"
        assert vm.text() == (old if starts == 3 else new)
    vm.extract("", tmp_path / "flash")
    found = {path: text for path, text in content(tmp_path / "flash").items() if not path.endswith(".staged")}
    assert found == OLD


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
