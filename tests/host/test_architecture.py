"""What may not be in the code: floats on the board, hardware in inference, imports the wrong way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIRMWARE = sorted((ROOT / "firmware").rglob("*.py"))
INFERENCE = sorted((ROOT / "firmware/lib/dibble/inference").rglob("*.py"))
HOST_TOOLS = sorted(
    path for path in (ROOT / "host_tools").rglob("*.py") if not {"guest", "guest_circuitpython"} & set(path.parts)
)
ALL = sorted(path for folder in ("firmware", "host_tools", "tests") for path in (ROOT / folder).rglob("*.py"))


def each(paths: list[Path]) -> pytest.MarkDecorator:
    assert paths
    return pytest.mark.parametrize("path", paths, ids=[str(path.relative_to(ROOT)) for path in paths])


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted name of all that a file imports, anywhere in it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@each(INFERENCE)
def test_inference_has_no_float(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        where = f"{path}:{getattr(node, 'lineno', 0)}"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float | complex)), where
        assert not (isinstance(node, ast.Name) and node.id in ("float", "complex", "round")), where


@each(INFERENCE)
def test_inference_has_no_true_division(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        operator = getattr(node, "op", None)
        assert not isinstance(operator, ast.Div), f"{path}:{node.lineno}"
        negative = isinstance(operator, ast.Pow) and isinstance(node.right, ast.UnaryOp)
        assert not negative, f"{path}:{node.lineno}"


@each(INFERENCE)
def test_inference_imports_nothing_of_the_hardware(path: Path) -> None:
    assert {name.partition(".")[0] for name in imports_of(path)} <= {"array", "micropython", "uctypes", "dibble"}


@each(INFERENCE)
def test_inference_imports_inference_only(path: Path) -> None:
    own = [name for name in imports_of(path) if name.startswith("dibble")]
    assert [name for name in own if not name.startswith(("dibble.inference", "dibble.ModelError"))] == []


@each(INFERENCE)
def test_inference_uses_no_array_of_floats(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "array":
            assert isinstance(node.args[0], ast.Constant | ast.IfExp), f"{path}:{node.lineno}"
            codes = [n.value for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant) and type(n.value) is str]
            assert set(codes) <= set("BHi"), f"{path}:{node.lineno}"


@each(FIRMWARE)
def test_firmware_never_imports_the_host(path: Path) -> None:
    assert [name for name in imports_of(path) if name.startswith("dibble_tools")] == []


@each(HOST_TOOLS)
def test_host_tools_import_only_inference_and_formats_of_the_firmware(path: Path) -> None:
    for name in imports_of(path):
        if name.startswith("dibble"):
            package, _, rest = name.partition(".")
            assert package == "dibble" and (
                rest in ("", "__version__", "config.check", "drivers.driver")
                or rest.endswith("Error")
                or rest.startswith(("inference.", "storage.", "report."))
            ), name


@each(ALL)
def test_file_is_shorter_than_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


def test_dibble_itself_holds_a_version_and_errors_only() -> None:
    body = tree_of(ROOT / "firmware/lib/dibble/__init__.py").body
    kinds = [type(node) for node in body]
    assert set(kinds) <= {ast.Expr, ast.Assign, ast.ClassDef}
    assert all(ast.unparse(base).endswith("Exception") for n in body if isinstance(n, ast.ClassDef) for base in n.bases)
