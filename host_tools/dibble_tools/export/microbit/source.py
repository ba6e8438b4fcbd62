"""The firmware's sources for a board with 9 KB of heap: the same instructions in less room.

Left out are comments, docstrings, what errors say, and what a minimal node never calls. Constants stand
as numbers, and locals and private attributes as letters: MicroPython 1.9 keeps every name in the heap.
"""

import ast
from collections.abc import Sequence
from pathlib import Path
from types import CodeType

from dibble_tools.common.shipped import LIBRARY

LETTERS = "abcdefgnrwxyz" + "hijklmopqstuv"  # the first are names that the firmware has in its flash
SHORT = {"check_and_score": "check", "fast_path": "fast", "finish": "end"}  # what no node's program names
FLATTENED = ("dibble.inference.", "dibble.update.")  # packages whose modules lie in the board's one folder


def strip(source: str) -> str:
    """Return the same code less comments and docstrings; imports flattened."""
    tree = ast.parse(source)
    _bare(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            node.module = node.module.rpartition(".")[2] if node.module.startswith(FLATTENED) else node.module
    return _narrow(ast.unparse(tree))


def definitions(
    path: Path, keep: Sequence[str], without: Sequence[str] = (), left_out: Sequence[str] = ()
) -> list[str]:
    """Return the source of each definition `keep` of a file and of what they need of that file.

    They are for one namespace that holds those of other files, too: of imports only those from outside
    the library are left.

    Args:
        keep: functions, classes and constants.
        without: methods to leave out.
        left_out: statements of methods that begin with these, or ask for them, also in an elif, are left out.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    _bare(tree, without, left_out)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.bases = [
                ast.Name("Predictor", ast.Load()) if ast.unparse(base) == "Model" else base for base in node.bases
            ]
    tree = _Silent().visit(_Constants(constants_of(path)).visit(tree))
    named = {name: node for node in tree.body for name in names_of(node)}
    missing = [name for name in keep if name not in named]
    if missing:
        raise AssertionError(f"{path}: expected definitions of {', '.join(missing)}")
    needed: set[str] = set()
    todo = list(keep)
    while todo:
        name = todo.pop()
        if name in named and name not in needed:
            needed.add(name)
            todo += [node.id for node in ast.walk(named[name]) if isinstance(node, ast.Name)]
    # The short ones together: each text that is compiled costs the board some heap of its own.
    texts = []
    short: list[ast.stmt] = []
    tree.body = [node for node in tree.body if not needed.isdisjoint(names_of(node))]
    for node in letter_locals(tree).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dibble":
            continue
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            texts.append(_narrow(ast.unparse(node)))
        else:
            short.append(node)
    if short:
        texts.append(_narrow(ast.unparse(ast.Module(short, []))))
    return texts


class _Silent(ast.NodeTransformer):
    """Leaves out what errors say, which nobody reads there, and marks of what is needed for a start only."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list = [each for each in node.decorator_list if ast.unparse(each) != "start_only"]
        self.generic_visit(node)
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.Raise:
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        return node


class _Constants(ast.NodeTransformer):
    """Puts values in the place of the library's constant integers, as its compiler would for const()."""

    def __init__(self, values: dict[str, int]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Load) and node.id in self.values:
            return ast.Constant(self.values[node.id])
        return node


def constants_of(path: Path) -> dict[str, int]:
    """Return the constant integers >= 0 that a file of the library defines or imports from another.

    MISSING isn't one: written in one piece, 1.9 would make a long int of it before the minus.
    """
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("dibble."):
            there = LIBRARY.parent / f"{node.module.replace('.', '/')}.py"
            known = constants_of(there) if there.is_file() else {}
            found.update({alias.name: known[alias.name] for alias in node.names if alias.name in known})
        elif isinstance(node, ast.Assign) and all(name.isupper() for name in names_of(node)):
            code = compile(ast.Expression(node.value), "", "eval")
            if not code.co_names:
                value = eval(code, {})
                found.update({name: value for name in names_of(node) if type(value) is int and value >= 0})
    return found


def letter_locals(tree: ast.Module) -> ast.Module:
    """Return the module with a, b, c ... for each function's parameters and locals, and for private attributes.

    An interpreter addresses locals by number, so nothing else changes: that is checked here.

    Raises:
        AssertionError: this compiler's instructions changed, too.
    """
    lettered = ast.parse(ast.unparse(tree))
    for function in [node for node in ast.walk(lettered) if isinstance(node, ast.FunctionDef)]:
        alone = compile(ast.Module([function], []), "", "exec")
        code = next(part for part in alone.co_consts if isinstance(part, CodeType))
        free = [letter for letter in LETTERS if letter not in code.co_names]
        own = [name for name in code.co_varnames if name != "self"]
        new = dict(zip(own, free[: len(own)], strict=True))
        for node in ast.walk(function):
            if isinstance(node, ast.Name):
                node.id = new.get(node.id, node.id)
            elif isinstance(node, ast.arg):
                node.arg = new.get(node.arg, node.arg)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                node.name = new.get(node.name, node.name)
    if instructions(lettered) != instructions(tree):
        raise AssertionError("expected the same instructions after renaming local variables")
    private = dict.fromkeys(n.attr for n in ast.walk(lettered) if isinstance(n, ast.Attribute) and n.attr[0] == "_")
    new = SHORT | dict(zip(private, LETTERS, strict=False))
    for node in ast.walk(lettered):
        if isinstance(node, ast.Attribute):
            node.attr = new.get(node.attr, node.attr)
        elif isinstance(node, ast.FunctionDef):
            node.name = new.get(node.name, node.name)
        elif isinstance(node, ast.Name):
            node.id = SHORT.get(node.id, node.id)
    return lettered


def instructions(tree: ast.Module) -> list[tuple]:
    """Return what a module compiles to on this computer, all but the names of locals and places in the source."""
    found = []
    todo = [compile(ast.parse(ast.unparse(tree)), "", "exec")]
    while todo:
        code = todo.pop()
        constants = [part for part in code.co_consts if not isinstance(part, CodeType)]
        todo += [part for part in code.co_consts if isinstance(part, CodeType)]
        found.append((code.co_name, code.co_code, code.co_names, constants, code.co_argcount, code.co_nlocals))
    return found


def names_of(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.Assign):
        return [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    return []


def _bare(tree: ast.Module, without: Sequence[str] = (), left_out: Sequence[str] = ()) -> None:
    """Remove docstrings, the functions `without` and the statements `left_out`."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef):
            node.body = body = [part for part in node.body if getattr(part, "name", None) not in without]
        if isinstance(node, ast.FunctionDef) and left_out:
            node.body = body = [part for part in node.body if not _begin(part).startswith(tuple(left_out))]
            for choice in (part for part in body if isinstance(part, ast.If)):
                choice.orelse = [part for part in choice.orelse if not _begin(part).startswith(tuple(left_out))]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            assert body is not None
            body[:] = body[1:] or [ast.Pass()]


def _begin(part: ast.stmt) -> str:
    """Return the source of what a statement assigns to or, if it is an if, asks."""
    return ast.unparse(part.test if isinstance(part, ast.If) else part)


def _narrow(text: str) -> str:
    """Return code indented by one space a level, without empty lines."""
    lines = [line.lstrip(" ") for line in text.splitlines()]
    depths = [(len(line) - len(line.lstrip(" "))) // 4 for line in text.splitlines()]
    return "".join(" " * depth + line + "\n" for depth, line in zip(depths, lines, strict=True) if line)
