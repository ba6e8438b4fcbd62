"""Texts of merged firmware lie in a file: what is told is what was written."""

import ast
import types

import pytest
from dibble import texts
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.node.files import MpyFormat, node_files, shipped
from dibble_tools.node.merged_file import merged_source
from dibble_tools.node.texts import READER, TEXTS, number_of, taken_out, texts_file

PROBE = """
import micropython
def check(pin, mv, notes):
    if mv < 0:
        raise ValueError("expected a voltage at pin %s, got %d mV: unplugged?" % (pin, mv))
    if mv > 3300:
        notes.append("pin %s is near the supply {…}: 100 %%" % pin)
    if mv == 1:
        notes.append("nothing to tell of at this pin")
    return "%s has %d mV, which is no text of a fault" % (pin, mv)
@micropython.viper
def quick(x: int):
    raise ValueError("expected machine code to stay as it is")
"""


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Return a module as it would be shipped, whose texts lie in a file beside the package."""
    source, told = taken_out(PROBE)
    (tmp_path / texts.NAME).write_bytes(texts_file(told))
    monkeypatch.setattr(texts, "__file__", str(tmp_path / "__init__.mpy"))
    module = types.ModuleType("probe")
    exec(source.replace("import micropython\n", "").replace("@micropython.viper\n", ""), module.__dict__)
    return module, source, tmp_path


def test_texts_are_told_as_they_were_written(reader):
    module, source, _ = reader
    notes: list[str] = []
    with pytest.raises(ValueError, match=r"^expected a voltage at pin A0, got -3 mV: unplugged\?$"):
        module.check("A0", -3, notes)
    assert module.check(4, 3400, notes) == "4 has 3400 mV, which is no text of a fault"
    module.check(4, 1, notes)
    assert notes == ["pin 4 is near the supply {…}: 100 %", "nothing to tell of at this pin"]
    assert "unplugged" not in source and "stay as it is" in source


def test_a_text_that_is_lost_tells_its_number_and_what_it_would_have_told(reader):
    module, _, folder = reader
    number = number_of("expected a voltage at pin %s, got %d mV: unplugged?")
    told = f"text {number} of texts.txt, which is lost: \\('A0', -3\\)"
    for damage in (b"", None):
        (folder / texts.NAME).write_bytes(damage) if damage is not None else (folder / texts.NAME).unlink()
        with pytest.raises(ValueError, match=told):
            module.check("A0", -3, [])


def test_a_source_without_texts_stays_as_it_is():
    source = "def f(x):\n    # so it was written\n    return x\n"
    assert taken_out(source) == (source, frozenset())


def test_two_texts_of_one_number_are_told(monkeypatch):
    monkeypatch.setattr("dibble_tools.node.texts.number_of", len)
    with pytest.raises(InputError, match="expected another wording of 'b', got the number of 'a'"):
        texts_file(["a", "b"])


def test_all_texts_of_the_firmware_have_numbers_of_their_own():
    every = {text for path in LIBRARY.rglob("*.py") for text in taken_out(path.read_text(encoding="utf-8"))[1]}
    lines = texts_file(every).splitlines()
    assert len(lines) == len(every) > 200


def test_a_node_has_the_texts_that_its_files_ask_for():
    mpy = MpyFormat(6)
    file = node_files(["soil_adc"], mpy)[TEXTS].decode()
    numbers = {int(line.split(" ", 1)[0]) for line in file.splitlines()}
    shipment = shipped(["soil_adc"], mpy)
    asked = {
        call.args[0].value
        for name in shipment.files
        for call in ast.walk(ast.parse(merged_source(shipment, name)))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == READER[1]
        and isinstance(call.args[0], ast.Constant)
    }
    assert len(asked) > 40 and asked <= numbers
