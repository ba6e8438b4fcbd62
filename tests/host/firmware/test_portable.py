"""The portable tests, on CPython and on each real VM. A missing VM fails."""

import ast
import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dibble
import pytest
from dibble_tools.machines.microbit import Microbit
from dibble_tools.machines.microbit_replay import strip
from dibble_tools.machines.replay import MACHINE_CODE
from dibble_tools.machines.vms import run_unix, run_wasi

PORTABLE = Path(__file__).parents[3] / "tests" / "portable"
LIBRARY = Path(dibble.__path__[0])
FILES = sorted(path.stem for path in PORTABLE.glob("test_*.py"))
SUPPORT = tuple(
    PORTABLE / f"{name}.py" for name in ("support", "vm_predictor", "layers", "sums_oracle")
)  # imported by some of them
FOREST = ("kernels/generator", "kernels/forest_bytecode")
# What each file needs of the library on the micro:bit, in the order of importing.
SMALL = {
    "test_fixed_point": ("fixed_point",),
    "test_crc32": ("crc32",),
    "test_decision": ("decision",),
    "test_cursor": ("format", "strings"),
    "test_scale": ("kernels/generator", "scale"),
    "test_scaler": ("format", "kernels/generator", "scale"),
    "test_top_two": FOREST,
    "test_update_sums": ("../update/sums",),
}
# Cases that the board's 9 KB of heap and its small stack don't hold.
TOO_LARGE = {
    "test_many_channels",
    "test_one_byte_thresholds_at_their_boundaries",
    "test_255_thresholds_reach_code_255",
    "test_more_than_255_trees_are_counted",
    "test_random_layers_of_both_widths",
    "test_sums_bring_most_of_many",
    "test_lines_of_many_pieces",
}
KIND = """\
from dibble.inference import additive, forest, mlp
from dibble.inference.kernels import additive_plan, choice, coded_plan, coded_viper, forest_plan, forest_viper, mlp_plan
assert additive.additive is additive_plan.additive
assert forest.forest is forest_plan.forest
assert mlp.mlp is mlp_plan.mlp
assert forest_plan.classify is forest_viper.classify
assert coded_plan.classify is coded_viper.classify
print(choice.KIND)
"""
RUNNER = """\
import {module}
for name in sorted(dir({module})):
    if name.startswith("test_"):
        getattr({module}, name)()
        print(name)
"""


sys.path.insert(0, str(PORTABLE))


def load(name: str) -> object:
    spec = importlib.util.spec_from_file_location(name, PORTABLE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names_of_tests(name: str) -> list[str]:
    return sorted(test for test in dir(load(name)) if test.startswith("test_"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("portable"))


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("plain"), *MACHINE_CODE)


def lay_out(root: Path, *hidden: str) -> Path:
    """Copy the library, less what is hidden, and the portable tests to a folder for VMs."""
    shutil.copytree(LIBRARY, root / "lib" / "dibble", ignore=shutil.ignore_patterns("__pycache__", *hidden))
    for path in SUPPORT:
        shutil.copy(path, root)
    for name in FILES:
        shutil.copy(PORTABLE / f"{name}.py", root)
        (root / f"run_{name}.py").write_text(RUNNER.format(module=name))
    (root / "kind.py").write_text(KIND)
    return root


@pytest.fixture(scope="module")
def board() -> Iterator[Microbit]:
    with Microbit() as machine:
        yield machine


@pytest.mark.parametrize(("name", "test"), [(name, test) for name in FILES for test in names_of_tests(name)])
def test_on_cpython(name: str, test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where some write files
    function: Callable[[], None] = getattr(load(name), test)
    function()


@pytest.mark.parametrize("name", FILES)
def test_on_unix(folder: Path, name: str) -> None:
    assert run_unix(folder, f"run_{name}.py").stdout.split() == names_of_tests(name)


@pytest.mark.parametrize("name", FILES)
def test_on_unix_without_viper(plain_folder: Path, name: str) -> None:
    assert run_unix(plain_folder, f"run_{name}.py").stdout.split() == names_of_tests(name)


@pytest.mark.parametrize("name", FILES)
def test_on_wasi(folder: Path, name: str) -> None:
    run = run_wasi(folder, f"run_{name}.py", heap="48m", memory_bytes=128 << 20)
    assert run.stdout.split() == names_of_tests(name)


def test_unix_compares_viper_with_bytecode(folder: Path) -> None:
    assert run_unix(folder, "kind.py").stdout == "viper\n"


@pytest.mark.parametrize("name", SMALL)
def test_on_microbit(board: Microbit, name: str) -> None:
    board.restart()
    source = (PORTABLE / f"{name}.py").read_text()
    parts = [LIBRARY / "inference" / f"{part}.py" for part in SMALL[name]]
    parts += [path for path in SUPPORT if path.stem in source]
    for part in parts:
        board.put_file(part.name, strip(part.read_text()).encode())
    common, cases = divide_cases(source)
    board.put_file("common.py", common.encode())
    for case in sorted(cases.keys() - TOO_LARGE):
        board.reset()
        board.put_file("case.py", cases[case].encode())
        for module in (*[part.stem for part in parts], "common", "case"):
            board.exec(f"import {module}")
        board.exec(f"case.{case}()")
    assert sorted(cases) == names_of_tests(name)


def divide_cases(source: str) -> tuple[str, dict[str, str]]:
    """Return what all cases of a file share, and a module for each: the board's heap holds one at a time."""
    tree = ast.parse(source)
    cases = {}
    shared = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            cases[node.name] = "from common import *\n" + strip(ast.unparse(node))
        elif not (isinstance(node, ast.FunctionDef) and node.name == "by_machine_code"):  # which the board has none of
            shared.append(node)
    tree.body = shared
    return strip(ast.unparse(tree)), cases
