"""Where a node takes its model from: its slot; the same bytes in a ROMFS; the same model as code."""

import json
import re

import pytest
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.deploy.partition import romfs_image
from dibble_tools.export.unrolled import unrolled_source
from dibble_tools.machines.vms import run_unix
from dibble_tools.model.host_model import HostModel
from node_helpers import soil_model

GOLDEN = [[100, 2000], [390, 2000], [900, 2000]]
OLD, NEW = soil_model(300, golden=GOLDEN), soil_model(400, golden=GOLDEN)
GUEST = """\
import json
import sys
import vfs
from dibble import classifier
from dibble.storage.slots import Slots


class Sensors:
    names = ["soil_moisture_permille", "air_temperature_centi_c"]
    units = ["permille", "centi_c"]
    values = [0, 0]


def read(name):
    with open(name, "rb") as file:
        return file.read()


slots = Slots("model")
for name in ("old", "new"):
    classifier.install(name + ".dib", slots, 0, Sensors, 60000)
assert slots.generations() == (2, 1)
assert classifier.install("new.dib", slots, 0, Sensors, 60000) == ""
found = []
for rom, code, rejected in json.loads(read("cases.json")):
    if rom:
        image = read(rom)
        vfs.mount(vfs.VfsRom(image), "/rom")
    with open("model_code.py", "w") as file:
        file.write(read(code).decode())
    notes = []
    it = classifier.recall("model.dib", slots, rejected, Sensors, 60000, notes)
    found.append([it.model.name, it.kernel, it.in_place, notes])
    if rom:
        vfs.umount("/rom")
    sys.modules.pop("model_code", None)
print(json.dumps(found))
"""
DAMAGED = bytearray(NEW)
DAMAGED[len(NEW) // 2] ^= 4
CODE = unrolled_source(HostModel(NEW))
FILES = {
    "same.rom": romfs_image("model.dib", {"model.dib": NEW}),
    "damaged.rom": romfs_image("model.dib", {"model.dib": bytes(DAMAGED)}),
    "other.rom": romfs_image("model.dib", {"model.dib": soil_model(500)}),
    "empty.rom": romfs_image("other", {"other": b""}),
    "none.py": b"raise ImportError",
    "right.py": CODE.encode(),
    "older.py": unrolled_source(HostModel(OLD)).encode(),
    "wrong.py": CODE.replace("d.class_index = w", "d.class_index = 1 - w").encode(),
    "torn.py": CODE[: len(CODE) // 2].encode(),
    "strange.py": b"print",
}
IS_NEW, IS_OLD = "dry below 400", "dry below 300"
CASES = {
    "the slot alone": (("", "none.py", 0), (IS_NEW, "viper", False, [])),
    "the same in ROMFS": (("same.rom", "none.py", 0), (IS_NEW, "viper", True, [])),
    "damaged in ROMFS": (
        ("damaged.rom", "none.py", 0),
        (IS_NEW, "viper", False, ["/rom/model.dib isn't used: the model file's CRC-32 .*"]),
    ),
    "another in ROMFS": (("other.rom", "none.py", 0), (IS_NEW, "viper", False, [])),
    "none in ROMFS": (("empty.rom", "none.py", 0), (IS_NEW, "viper", False, [])),
    "a rejected one in ROMFS": (("same.rom", "right.py", 2), (IS_OLD, "viper", False, [])),
    "its code": (("", "right.py", 0), (IS_NEW, "code", False, [])),
    "its code, and in ROMFS": (("same.rom", "right.py", 0), (IS_NEW, "code", True, [])),
    "damaged in ROMFS, and its code": (
        ("damaged.rom", "right.py", 0),
        (IS_NEW, "code", False, ["/rom/model.dib isn't used: .*"]),
    ),
    "another's code": (("", "older.py", 0), (IS_NEW, "viper", False, [])),
    "the code of the one before, and that runs": (("", "older.py", 2), (IS_OLD, "code", False, [])),
    "wrong code": (
        ("same.rom", "wrong.py", 0),
        (IS_NEW, "viper", True, [r"model_code isn't used: ModelError\('golden vector 0: expected .*"]),
    ),
    "torn code": (("", "torn.py", 0), (IS_NEW, "viper", False, ["model_code isn't used: .*"])),
    "another program": (("", "strange.py", 0), (IS_NEW, "viper", False, ["model_code isn't used: AttributeError.*"])),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Return what a VM found in each case, all of them in one run."""
    folder = tmp_path_factory.mktemp("places")
    (folder / "lib").mkdir()
    (folder / "lib" / "dibble").symlink_to(LIBRARY, target_is_directory=True)
    for name, content in {**FILES, "old.dib": OLD, "new.dib": NEW, "guest.py": GUEST.encode()}.items():
        (folder / name).write_bytes(content)
    (folder / "cases.json").write_text(json.dumps([case for case, _ in CASES.values()]))
    return dict(zip(CASES, json.loads(run_unix(folder, "guest.py").stdout), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_the_model_that_runs_is_the_slots_wherever_its_bytes_and_its_kernel_come_from(found, name):
    *expected, notes = CASES[name][1]
    assert found[name][:3] == expected
    assert len(found[name][3]) == len(notes)
    assert all(map(re.fullmatch, notes, found[name][3]))
