"""What a node does with a model file that lies: it says why, and runs what it ran; what passed is checked but once."""

import json
from pathlib import Path

import pytest
from dibble_tools.machines.vms import run_unix
from mutants import with_library
from node_helpers import soil_model

HOSTILE = Path(__file__).parents[1] / "model" / "hostile"
GUEST = """\
import json
import os
import sys
from dibble import classifier
from dibble.storage.slots import Slots


class Sensors:
    names = ["soil_moisture_permille", "air_temperature_centi_c"]
    units = ["permille", "centi_c"]
    values = [0, 0]


def read(name):
    with open(name, "rb") as file:
        return file.read()


def put(name):
    with open("model.dib", "wb") as file:
        file.write(read(name))


def boot():
    notes = [classifier.install("model.dib", slots, 0, Sensors, 60000)]
    it = classifier.recall("model.dib", slots, 0, Sensors, 60000, notes)
    loaded = [name for name in sys.modules if name.endswith("checks") or name.endswith("bounds")]
    found.append([it and it.model.name, notes, loaded])


def kept():
    content = read("model.dib.ok")
    return [content[i : i + 4] == read(name)[-4:] for i, name in ((0, "new.dib"), (4, "old.dib"))]


slots = Slots("model")
found = []
put("old.dib")
boot()
for name in json.loads(read("names.json")):
    put(name)
    boot()
put("new.dib")
boot()
boot()
asked = []
real = classifier.Classifier
classifier.Classifier = lambda *of: asked.append(of[4:]) or real(*of)
boot()
found.append([list(asked), kept()])
asked.clear()
os.remove("model.dib.ok")
boot()
boot()
found.append([list(asked), kept()])
slots.write(read("lies.dib"))  # by a firmware that didn't look
os.remove("model.dib")
boot()
print(json.dumps(found))
"""
OLD, NEW = soil_model(300), soil_model(400)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = with_library(tmp_path_factory.mktemp("node"))
    files = {"old.dib": OLD, "new.dib": NEW} | {path.name: path.read_bytes() for path in HOSTILE.glob("*.dib")}
    files["lies.dib"] = files["min_loop.dib"]
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "names.json").write_text(json.dumps(sorted(path.name for path in HOSTILE.glob("*.dib"))))
    (folder / "guest.py").write_text(GUEST)
    return json.loads(run_unix(folder, "guest.py").stdout)


def test_a_file_that_lies_is_not_used_and_the_slot_runs_on(found):
    names = sorted(path.stem for path in HOSTILE.glob("*.dib"))
    assert found[0] == ["dry below 300", ["model model.dib: generation 1"], []]
    for name, (model, (note,), loaded) in zip(names, found[1:], strict=False):
        assert model == "dry below 300" and loaded == [], name
        why = "expected a sensor" if name == "name_with_escapes" else "the model file contradicts itself: "
        assert note.startswith("model model.dib isn't used: " + why), (name, note)


def test_what_passed_is_checked_once(found):
    installed, again, third, (asked, kept) = found[-8:-4]
    assert installed == ["dry below 400", ["model model.dib: generation 2"], []]
    assert again == third == ["dry below 400", [""], []]
    assert asked == [[True]]
    assert kept == [True, True]


def test_a_slot_without_a_pass_is_checked_and_keeps_it(found):
    first, second, (asked, kept) = found[-4:-1]
    assert first == second == ["dry below 400", [""], []]
    assert asked == [[], [True]]
    assert kept == [True, False]


def test_a_slot_that_lies_is_not_used(found):
    model, (note, why), loaded = found[-1]
    assert model is None and loaded == [] and note == ""
    assert why.startswith(
        "model generation 3 isn't used: the model file contradicts itself: later node of the page that a node leads to"
    )
