"""What may not be in the code: floats on the board, hardware in inference, imports the wrong way.

One test a rule, which lists all that breaks it.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from dibble_tools.common.extras import EXTRA_OF

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "firmware/lib"
PACKAGE = ROOT / "host_tools/dibble_tools"
GUESTS = {"guest", "guest_circuitpython"}
ON_A_PC = "scikit_learn_model.py"  # the one example that makes a model
FIRMWARE = sorted(path for path in (ROOT / "firmware").rglob("*.py") if path.name != ON_A_PC)
INFERENCE = sorted((LIBRARY / "dibble/inference").rglob("*.py"))
SENSES = sorted((LIBRARY / "dibble/senses").rglob("*.py"))
HOST_TOOLS = sorted(path for path in PACKAGE.rglob("*.py") if not GUESTS & set(path.parts))
GUEST_FILES = sorted(path for path in PACKAGE.rglob("*.py") if GUESTS & set(path.parts))

# The rooms of dibble_tools from the roof down. A room imports from those below it only; rooms of one line have no
# business with each other.
FLOORS: list[list[str]] = [
    ["cli"],
    ["demo", "studio"],
    ["log", "project", "deploy", "fleet"],
    ["console"],
    ["link"],
    ["bench"],
    ["training"],
    ["boards"],
    ["virtual_board"],
    ["simulator"],
    ["machines"],
    ["export", "report", "radio"],
    ["model"],
    ["families", "node"],
    ["data"],
    ["common"],
]

# They start fast, and without the packages that train; of their files, those that don't.
LIGHT_ROOMS = {
    "",
    "cli",
    "boards",
    "deploy",
    "console",
    "link",
    "log",
    "project",
    "export",
    "radio",
    "node",
    "common",
}
HEAVY_FILES = {"dibble_tools.log.join", "dibble_tools.log.suggest"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of all that a file imports, anywhere in it; a relative import as it is written."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def offenders(paths: Iterable[Path], found: Callable[[Path], Iterable[tuple[int, str]]]) -> str:
    """Return all that a rule finds in files, a line each: path:line: what."""
    paths = list(paths)
    assert paths, "expected files to look at, got none: have they moved?"
    return "\n".join(f"{path.relative_to(ROOT)}:{line}: {what}" for path in paths for line, what in found(path))


def module_of(path: Path, root: Path) -> str:
    """Return the dotted name under which a file is imported from `root`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def arrows(paths: Iterable[Path], root: Path) -> dict[str, set[str]]:
    """Return the modules that each module imports, of those in `paths`."""
    modules = {module_of(path, root): path for path in paths}
    found: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = {name if name in modules else name.rpartition(".")[0] for _, name in imports_of(path)}
        found[module] = names & set(modules) - {module}
    return found


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Return the knots of a graph, each as the names that all reach each other."""

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        to_visit = [start]
        while to_visit:
            more = graph[to_visit.pop()] - found
            found |= more
            to_visit += more
        return found

    reach = {node: reached(node) for node in graph}
    knots = {tuple(sorted(o for o in known if node in reach[o])) for node, known in reach.items() if node in known}
    return sorted(" <-> ".join(knot) for knot in knots)


def test_a_circle_is_found() -> None:
    """The rules below would pass on nothing: this one says that they can see."""
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b <-> c"]


def test_imports_are_absolute() -> None:
    """A guest's too: relative imports aren't found by the rules below."""
    every = (path for folder in ("firmware", "host_tools", "tests") for path in (ROOT / folder).rglob("*.py"))
    assert not offenders(sorted(every), lambda path: (one for one in imports_of(path) if one[1].startswith(".")))


def test_inference_has_no_float() -> None:
    """Neither a number with a point nor a function that returns one."""

    def found(path: Path) -> Iterator[tuple[int, str]]:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
                yield node.lineno, repr(node.value)
            if isinstance(node, ast.Name) and node.id in ("float", "complex", "round"):
                yield node.lineno, node.id

    assert not offenders(INFERENCE + SENSES, found)


def test_inference_has_no_true_division() -> None:
    """Nor a power that may have a negative exponent, which is one."""

    def found(path: Path) -> Iterator[tuple[int, str]]:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
                yield node.lineno, ast.unparse(node)
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.right, ast.UnaryOp):
                yield node.lineno, ast.unparse(node)

    assert not offenders(INFERENCE + SENSES, found)


def test_inference_imports_nothing_of_the_hardware() -> None:
    """It runs on every interpreter, and on the host."""
    known = {"array", "sys", "micropython", "uctypes", "dibble"}
    assert not offenders(
        INFERENCE + SENSES, lambda p: (one for one in imports_of(p) if one[1].partition(".")[0] not in known)
    )


def test_inference_imports_inference_only() -> None:
    """Of dibble it knows its own room and the error it raises; senses know inference."""

    def found(path: Path) -> Iterator[tuple[int, str]]:
        for line, name in imports_of(path):
            own = name.startswith(
                ("dibble.inference", "dibble.ModelError", *(["dibble.senses"] if path in SENSES else []))
            )
            if name.partition(".")[0] == "dibble" and not own:
                yield line, name

    assert not offenders(INFERENCE + SENSES, found)


def test_inference_uses_no_array_of_floats() -> None:
    """Arrays have a type that is written where they are made, and it is of integers."""

    def found(path: Path) -> Iterator[tuple[int, str]]:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "array":
                code = node.args[0]
                codes = [n.value for n in ast.walk(code) if isinstance(n, ast.Constant) and type(n.value) is str]
                if not isinstance(code, ast.Constant | ast.IfExp) or not set(codes) <= set("BHhi"):
                    yield node.lineno, ast.unparse(node)

    assert not offenders(INFERENCE + SENSES, found)


def test_firmware_never_imports_the_host() -> None:
    """A node doesn't know that there is one."""
    host = ("dibble_tools", "host_tools")
    assert not offenders(FIRMWARE, lambda p: (one for one in imports_of(p) if one[1].partition(".")[0] in host))


def test_host_tools_import_only_inference_and_formats_of_the_firmware() -> None:
    """What both sides must agree on, not what a node does with it."""

    def found(path: Path) -> Iterator[tuple[int, str]]:
        for line, name in imports_of(path):
            package, _, rest = name.partition(".")
            known = rest in (
                "",
                "__version__",
                "config",
                "drivers",
                "drivers.bme680_scan",  # names of heater profiles, and what one is
                "drivers.driver",
                "drivers.channels_of",
                "sensors.Sensors",  # made on paper: its settings are held against their drivers
            ) or rest.endswith("Error")
            formats = ("inference.", "senses.", "storage.", "report.", "update.", "config.")
            if package == "dibble" and not known and not rest.startswith(formats):
                yield line, name

    assert not offenders(HOST_TOOLS, found)


def test_one_file_reads_a_models_bytes() -> None:
    """Everybody else asks Content for what a model holds, and HostModel for what it decides."""
    readers = {f"dibble.inference.{name}" for name in ("model", "description", "forest", "additive", "mlp", "novelty")}
    known = {PACKAGE / "model" / name for name in ("reader.py", "writer.py", "tables_bytes.py", "host_model.py")}

    def found(path: Path) -> Iterator[tuple[int, str]]:
        yield from (one for one in imports_of(path) if one[1] in readers or one[1].rpartition(".")[0] in readers)
        for node in ast.walk(tree_of(path)):
            place = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
            if place and ast.unparse(node.value).endswith("blob"):
                yield node.lineno, ast.unparse(node)

    assert not offenders(set(HOST_TOOLS) - known, found)


def room_of(module: str) -> str:
    """Return the room of dibble_tools that a module lies in; "" is the package's own __init__."""
    return (module + "..").split(".")[1]


def test_arrows_between_rooms_run_down() -> None:
    """So that there is no circle of rooms either. The package's face stands above them all."""
    floor = {room: i for i, rooms in enumerate([[""], *FLOORS]) for room in rooms}
    modules = arrows(HOST_TOOLS, PACKAGE.parent)
    assert {room_of(module) for module in modules} == set(floor), "FLOORS names each room, and no other"
    wrong = [
        f"{module} imports {other}"
        for module, others in modules.items()
        for other in others
        if room_of(module) != room_of(other) and floor[room_of(module)] >= floor[room_of(other)]
    ]
    assert not sorted(wrong)


def test_no_circle_between_files() -> None:
    """An import inside a function closes a circle as one at the top does."""
    assert not circles(arrows(HOST_TOOLS, PACKAGE.parent))
    assert not circles(arrows((LIBRARY / "dibble").rglob("*.py"), LIBRARY))


def test_one_module_finds_shipped_files() -> None:
    """So that a wheel in an empty folder works as the clone does."""

    def found(path: Path) -> Iterator[tuple[int, str]]:
        if path != PACKAGE / "common" / "shipped.py":
            yield from (one for one in imports_of(path) if one[1].startswith("importlib.resources"))
            nodes = ast.walk(tree_of(path))
            yield from ((n.lineno, n.id) for n in nodes if isinstance(n, ast.Name) and n.id == "__file__")

    assert not offenders(HOST_TOOLS, found)


def imported_at_start(path: Path) -> Iterator[str]:
    """Yield the dotted name of all that a file imports while it is imported itself: not what functions import."""
    to_visit: list[ast.AST] = [tree_of(path)]
    while to_visit:
        node = to_visit.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif not isinstance(node, ast.FunctionDef) and not (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            to_visit += ast.iter_child_nodes(node)


def test_what_serves_a_node_starts_light() -> None:
    """No file of these rooms imports, by way of whatever others, a package that only an extra brings."""
    modules = {module_of(path, PACKAGE.parent): path for path in HOST_TOOLS}
    starts = [m for m in modules if room_of(m) in LIGHT_ROOMS or m == "dibble_tools.model.host_model"]
    wrong = []
    for start in set(starts) - HEAVY_FILES:
        way: dict[str, str] = {start: start}
        to_visit = [start]
        while to_visit:
            module = to_visit.pop()
            for name in imported_at_start(modules[module]):
                other = name if name in modules else name.rpartition(".")[0]
                if name.partition(".")[0] in EXTRA_OF:
                    wrong.append(f"{way[module]} > {name}")
                elif other in modules and other not in way:
                    way[other] = f"{way[module]} > {other}"
                    to_visit.append(other)
    assert not sorted(wrong)


def test_the_readme_has_the_rooms_as_they_are() -> None:
    """Its table is the floors, top down."""
    text = (ROOT / "host_tools/README.md").read_text(encoding="utf-8")
    table = text[text.index("## Rooms") : text.index("## A family")].splitlines()
    cells = [line.split("|")[1] for line in table if line.startswith("| `")]
    assert [[name.strip(" `") for name in cell.split(",")] for cell in cells] == FLOORS


def test_what_is_printed_is_not_taken_for_markup() -> None:
    """rich eats `dibble[train]` and a path's brackets: a text made of values is escaped, or printed without markup."""

    def found(path: Path) -> Iterator[tuple[int, str]]:
        for node in ast.walk(tree_of(path)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "print"):
                continue
            plain = any(word.arg == "markup" for word in node.keywords)
            for text in [] if plain else [arg for arg in node.args if isinstance(arg, ast.JoinedStr)]:
                values = [part.value for part in text.values if isinstance(part, ast.FormattedValue)]
                escaped = [v for v in values if isinstance(v, ast.Call) and ast.unparse(v.func).endswith("escape")]
                if len(escaped) < len(values):
                    yield node.lineno, ast.unparse(text)

    assert not offenders(HOST_TOOLS, found)


def test_no_flat_files_in_dibble_tools() -> None:
    """Everything lies in a room."""
    assert [path.name for path in PACKAGE.glob("*.py")] == ["__init__.py"]


def test_each_room_says_what_it_is() -> None:
    """In its __init__'s docstring; a guest's folder has none, as what it holds is sent or mounted file by file."""

    def found(path: Path) -> Iterator[tuple[int, str]]:
        if path.name == "__init__.py" and not ast.get_docstring(tree_of(path)):
            yield 1, "no docstring"

    assert not offenders(HOST_TOOLS, found)
    folders = {path.parent for path in HOST_TOOLS}
    assert not [str(f.relative_to(ROOT)) for f in sorted(folders) if not (f / "__init__.py").is_file()]


def test_guests_lie_beside_their_hosts() -> None:
    """A folder of guests has host files beside it, and these don't import it: they send or mount it."""
    homes = {folder.parent for path in GUEST_FILES for folder in path.parents if folder.name in GUESTS}
    assert homes and not [str(home.relative_to(ROOT)) for home in sorted(homes) if not list(home.glob("[!_]*.py"))]
    hosts = [p for p in HOST_TOOLS if any(GUESTS & set(name.split(".")) for _, name in imports_of(p))]
    assert not [str(path.relative_to(ROOT)) for path in hosts]


def test_guests_never_import_the_host() -> None:
    """They run on a board or in a VM that doesn't have it."""
    assert not offenders(
        GUEST_FILES, lambda p: (one for one in imports_of(p) if one[1].partition(".")[0] == "dibble_tools")
    )


def test_a_class_has_a_name_of_its_own() -> None:
    """One word for one thing; a guest's are those of the board's own modules."""
    homes: dict[str, list[str]] = {}
    for path in HOST_TOOLS:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert not {name: paths for name, paths in homes.items() if len(paths) > 1}


def test_dibble_itself_holds_a_version_and_errors_only() -> None:
    """Whatever imports a part of it on a board pays for this."""
    body = tree_of(LIBRARY / "dibble/__init__.py").body
    kinds = [type(node) for node in body]
    assert set(kinds) <= {ast.Expr, ast.Assign, ast.ClassDef}
    assert all(ast.unparse(base).endswith("Exception") for n in body if isinstance(n, ast.ClassDef) for base in n.bases)
