"""Modules merged into files: what runs is what was written, under the names that others ask for."""

import ast
import sys
import types
from itertools import chain

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import LIBRARY
from dibble_tools.node.files import OPTIONAL, MpyFormat, made_for, node_files, shipped
from dibble_tools.node.merged_file import merged_source
from dibble_tools.node.merging import Shipment
from dibble_tools.node.modules import bound_names
from dibble_tools.node.shipment import FILES, GUESTS, OF_DRIVERS
from dibble_tools.node.short_names import PrivateNames, Shorten

PLANTS = {
    "farm": "",
    "farm.units": """
LIMIT = 40
HALF, DOUBLE = 1, 2
STEP = LIMIT << DOUBLE
def scaled(value):
    return value * LIMIT
""",
    "farm.soil": """
from farm.units import DOUBLE, LIMIT, scaled as bigger
_seen = []
count = 0
def read(value):
    global count
    count += 1
    scaled = value + LIMIT
    _seen.append(scaled)
    return bigger(scaled) + DOUBLE
def unused():
    return 1
""",
    "farm.air": """
from farm import soil, units
from array import array
_seen = array("i")
def read(value):
    from farm.late import tail
    if units.scaled(value) < 0:
        return 0
    _seen.append(units.scaled(value))
    return tail(soil.read(value)) + soil.count * units.STEP
class Air:
    name = "air"
    same = name
    def __init__(self, soil):
        self._soil = soil
    def read(self, units=3):
        return [units * each for each in self._soil if each]
""",
    "farm.late": """
try:
    from farm.nowhere import tail
except ImportError:
    def tail(value):
        return value + KIND
from farm.units import HALF as KIND
""",
}
FARM = {"farm.fields": ["farm.soil", "farm.air", "farm.units"], "farm.rest": ["farm.late"]}


def run(shipment: Shipment, monkeypatch: pytest.MonkeyPatch) -> dict[str, types.ModuleType]:
    """Import a shipment's files; return them."""
    package = types.ModuleType("farm")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "farm", package)
    done: dict[str, types.ModuleType] = {}
    for name in sorted(shipment.files, reverse=True):
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(package, name.rpartition(".")[2], module, raising=False)
        exec(compile(merged_source(shipment, name), name, "exec"), module.__dict__)
        done[name] = module
    return done


def merged(**how: object) -> Shipment:
    asked = [("farm.air", "read"), ("farm.air", "Air"), ("farm.units", "LIMIT")]
    return Shipment(PLANTS, FARM, asked, **how)


def test_merged_modules_do_what_the_modules_did(monkeypatch):
    files = run(merged(), monkeypatch)
    air = files["farm.fields"]
    # (2 + 40) * 40 + 2, and 1 of the tail; read once: 160
    assert air.read(2) == 1680 + 2 + 1 + 160
    assert air.read(3) == 43 * 40 + 2 + 1 + 320
    assert air.Air([1, 0, 2]).read() == [3, 6] and air.Air.same == "air"


def test_names_of_two_modules_stay_apart_and_numbers_stand_where_they_are_used():
    source = merged_source(merged(), "farm.fields")
    assert source.count("_seen") == 0 and source.count(" = []") == source.count(" = array(") == 1
    assert (
        source.count("def read(") == 2 and source.count("\ndef read(") == 1
    )  # that of the class, and what is asked for
    assert "160" in source and "STEP" not in source and "LIMIT = 40" in source  # which others ask for
    assert "unused" not in source and "from farm.units" not in source


def test_classes_and_what_others_name_keep_their_names():
    source = merged_source(merged(beside=["scaled"]), "farm.fields")
    assert "def scaled_2(" in source and "class Air:" in source and "def read(" in source


def test_a_variable_hides_nothing_that_its_function_uses(monkeypatch):
    """farm.soil calls farm.units.scaled bigger, as a variable of its own is called scaled."""
    shipment = merged(beside=["scaled"])
    assert "scaled_2" in merged_source(shipment, "farm.fields")
    assert run(shipment, monkeypatch)["farm.fields"].read(2) == 1680 + 2 + 1 + 160


def test_two_modules_of_a_file_may_not_be_asked_for_one_name():
    with pytest.raises(InputError, match="got read twice"):
        Shipment(PLANTS, FARM, [("farm.air", "read"), ("farm.soil", "read")])


def test_a_local_name_for_one_of_two_is_no_global_one():
    plants = {
        "farm": "",
        "farm.units": "def scaled(value):\n    return value\n",
        "farm.either": "def one(x):\n    from farm.units import scaled\n    if x:\n        scaled = 2\n",
    }
    asked = [("farm.units", "scaled"), ("farm.either", "one")]
    with pytest.raises(InputError, match=r"farm\.either: expected scaled under another name"):
        merged_source(Shipment(plants, {"farm.all": ["farm.units", "farm.either"]}, asked), "farm.all")


def test_an_instruction_of_inline_assembler_is_no_function_of_its_name():
    plants = {
        "farm": "",
        "farm.sums": """
import micropython
STEP = 4
def add(x, y):
    return fast(x) + y
@micropython.asm_thumb
def fast(r0):
    add(r0, r0, STEP)
""",
    }
    asked = [("farm.sums", "fast")]
    source = merged_source(Shipment(plants, {"farm.all": ["farm.sums"]}, [*asked, ("farm.sums", "add")]), "farm.all")
    assert "add(r0, r0, 4)" in source
    source = merged_source(
        Shipment(
            plants | {"farm.x": "from farm.sums import add\ndef go():\n    return add(1, 2)\n"},
            {"farm.all": ["farm.sums", "farm.x"]},
            [*asked, ("farm.x", "go")],
        ),
        "farm.all",
    )
    assert "add(r0, r0, 4)" in source and "def add(" not in source


@pytest.mark.parametrize("architecture", ["", "armv6m", "armv7em", "xtensawin", "rv32imc"])
def test_every_file_of_a_board_compiles(architecture):
    mpy = made_for(architecture) if architecture else MpyFormat(6)
    files = node_files(["sht4x", "bme680", "mlx90640_raw"], mpy)
    assert len(files) > 10 and all(name.endswith((".mpy", ".py", ".txt")) for name in files)


def test_a_merged_module_is_found_under_its_own_name_where_that_is_asked_for(monkeypatch):
    shipment = merged(spaces={"farm.soil": ("read", "count")}, aliases={"farm.units": "farm.fields"})
    for name in ("farm.soil", "farm.units"):
        monkeypatch.setitem(sys.modules, name, None)
    files = run(shipment, monkeypatch)
    assert sys.modules["farm.units"] is files["farm.fields"]
    assert sys.modules["farm.soil"].read(1) == 41 * 40 + 2


def test_private_attributes_of_related_classes_get_names_that_differ():
    tree = ast.parse("""
class Sensor:
    def __init__(self, pin, limit):
        self._pin = pin
        self._told = limit
    def _fail(self):
        return self._told
class Soil(Sensor):
    def read(self, times=1):
        self._last = self._pin * times
        return self._fail() + self._last
class Port:
    def __init__(self, pin):
        self._line = self._told_by = pin
def look(soil, port):
    return soil.read(times=2), port._told_by
""")
    private = PrivateNames([tree])
    assert private.of("Soil") == private.of("Sensor") == {"_fail": "_a", "_pin": "_b", "_told": "_c", "_last": "_d"}
    assert private.of("Port") == {"_line": "_a"}  # the other is known outside
    short = ast.unparse(Shorten(private, {"times"}, {}).visit(tree))
    space: dict[str, object] = {}
    exec(short + "\nfound = look(Soil(20, 3), Port(9))", space)
    assert space["found"] == (43, 9)
    assert "def __init__(self, a, b):" in short and "times=1" in short and "def _a(self)" in short


def test_classes_get_short_names_but_for_exceptions():
    shipment = Shipment(
        {
            "m": "class Wrong(Exception):\n    pass\nclass Worse(Wrong):\n    pass\nclass Probe:\n    pass\n"
            "def look():\n    Probe()\n    raise Worse\n"
        },
        {},
        [("m", "look")],
    )
    source = merged_source(shipment, "m")
    assert "class Worse(Wrong)" in source and "Probe" not in source


def test_names_of_modules_become_those_of_their_files_once_and_only_if_they_are_there():
    source = (
        'def forget(*names):\n    pass\nLATE = ("dibble.a", "dibble.b", "dibble.gone")\n'
        'def look(told):\n    forget(*LATE)\n    forget("dibble.a", "dibble.gone")\n    told("dibble.gone")\n'
    )
    plants = {
        "dibble": "",
        "dibble.a": "def one():\n    pass\n",
        "dibble.b": "def two():\n    pass\n",
        "dibble.m": source,
    }
    files = {"dibble.both": ["dibble.a", "dibble.b"]}
    made = merged_source(
        Shipment(plants, files, [("dibble.m", "look"), ("dibble.a", ""), ("dibble.b", "")]), "dibble.m"
    )
    assert "= ('dibble.both',)" in made and made.count("'dibble.both'") == 2 and "('dibble.gone')" in made


def test_what_is_forgotten_lies_in_files_of_its_own():
    """A file that is given up after the start holds nothing else."""
    names: set[str] = set()
    for path in LIBRARY.rglob("*.py"):
        tree = ast.parse(path.read_text())
        texts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        called = any(isinstance(node, ast.Name) and node.id == "forget" for node in ast.walk(tree))
        if called or path.stem == "forgetting":
            names |= {text for text in texts if (LIBRARY.parent / f"{text.replace('.', '/')}.py").is_file()}
    assert "dibble.config" in names and "dibble.inference.checks" in names
    given_up = [set(parts) for parts in FILES.values() if names & set(parts)]
    assert len(given_up) == 21 and set().union(*given_up) == names


def test_every_name_that_drivers_are_asked_for_is_known():
    asked = set()
    for name in ("sensors.py", "drivers/__init__.py", "setup.py"):
        for node in ast.walk(ast.parse((LIBRARY / name).read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).split("(")[0] in ("module", "driver"):
                asked.add(node.attr)
            if isinstance(node, ast.Call) and ast.unparse(node).startswith(("getattr(module,", "hasattr(module,")):
                asked.add(node.args[1].value)
    assert asked == set(OF_DRIVERS)


@pytest.mark.parametrize("mpy", [MpyFormat(6), made_for("armv6m"), made_for("xtensawin")], ids=["", "thumb", "viper"])
@pytest.mark.parametrize("without", [(), OPTIONAL], ids=["all", "few"])
def test_what_a_merged_file_imports_is_there(mpy, without):
    """Every name that some file imports of another is defined there; what isn't shipped is imported at need only."""
    shipment = shipped(["sht4x", "ds18b20", "wind_vane", "bme680_adafruit"], mpy, without=without)
    trees = {name: ast.parse(merged_source(shipment, name)) for name in shipment.files}
    given = {name: set(chain.from_iterable(map(bound_names, tree.body))) for name, tree in trees.items()}
    missing = []
    for name, tree in trees.items():
        at_once = set(map(id, tree.body))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("dibble"):
                for alias in node.names:
                    there = alias.name in given.get(node.module, ()) or f"{node.module}.{alias.name}" in given
                    optional = any(node.module == each for each in OPTIONAL) and id(node) not in at_once
                    if not there and not optional:
                        missing.append(f"{name}: from {node.module} import {alias.name}")
    assert missing == []


def test_what_the_host_runs_on_a_board_finds_what_it_asks_for():
    """In a merged firmware, too: where a module has no file of its own there, the guest names the one it lies in."""
    shipment = shipped(["sht4x"], MpyFormat(6))
    trees = {name: ast.parse(merged_source(shipment, name)) for name in shipment.files}
    given = {name: set(chain.from_iterable(map(bound_names, tree.body))) for name, tree in trees.items()}
    given |= {name: given[shipment.file_of[name]] for name in shipment.aliases}

    def missing(node: ast.AST) -> list[str]:
        if isinstance(node, ast.Try) and len(node.handlers) == 1 and "ImportError" in ast.unparse(node.handlers[0]):
            either = [list(chain.from_iterable(map(missing, part))) for part in (node.body, node.handlers[0].body)]
            return min(either, key=len)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "dibble":
            names = [alias.name for alias in node.names if f"{node.module}.{alias.name}" not in given]
            return [f"from {node.module} import {name}" for name in names if name not in given.get(node.module, ())]
        return list(chain.from_iterable(map(missing, ast.iter_child_nodes(node))))

    wrong = {path.name: missing(ast.parse(path.read_text(encoding="utf-8"))) for path in GUESTS.glob("*.py")}
    assert {name: found for name, found in wrong.items() if found} == {
        name: ["from dibble.ports import circuitpython"] for name in ("clock.py", "readings.py", "sound.py")
    }
