"""A module of the firmware as it is written: what it gives names to, and what it imports."""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from dibble_tools.common.errors import InputError

_LEFT_OUT = ("ctx", "op", "ops", "id", "attr", "arg")


def parsed_source(source: str) -> ast.Module:
    """Return a source's syntax tree, without docstrings."""
    tree = ast.parse(source)
    _drop_docstrings(tree)
    return tree


@cache
def tree_of(source: str) -> ast.Module:
    """Return a source's syntax tree without docstrings, to be read only."""
    return parsed_source(source)


@cache
def nodes_of(tree: ast.AST) -> list[ast.AST]:
    """Return all nodes of a tree that isn't changed any more."""
    return walk(tree)


def walk(tree: ast.AST) -> list[ast.AST]:
    """Return a node and all below, but for contexts and operators; ast.walk() takes four times as long."""
    found = [tree]
    for node in found:  # which grows
        found += children(node)
    return found


def children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right below one, but for contexts and operators."""
    found: list[ast.AST] = []
    for name in _looked_at(node._fields):
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


@cache
def _looked_at(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in fields if name not in _LEFT_OUT)


@dataclass
class Module:
    """A module as it is written.

    Attributes:
        name: dotted.
        source: as it is written.
        tree: without docstrings, to be read only.
        defined: names that it gives a value to, beside plain imports.
        numbers: those that always are one whole number.
        texts: those that always are one text.
    """

    name: str
    source: str
    tree: ast.Module
    defined: list[str]
    numbers: dict[str, int]
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parsed(cls, name: str, source: str) -> "Module":
        tree = tree_of(source)
        module = cls(name, source, tree, [], {})
        counts: dict[str, int] = {}
        for statement in tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                module.imports |= {bound: (source, wanted) for source, wanted, bound in imported(statement)}
                continue
            for bound in bound_names(statement):
                counts[bound] = counts.get(bound, 0) + 1
        module.defined = list(counts)
        rebound = {name for node in nodes_of(tree) if isinstance(node, ast.Global) for name in node.names}
        for statement in tree.body:
            for name, node in assigned(statement):
                if counts[name] != 1 or name in rebound:
                    continue
                value = _number(node, module.numbers)
                if value is not None:
                    module.numbers[name] = value
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    module.texts[name] = node.value
        return module


def assigned(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    """Return (name, what it is given) of each of an assignment's names; none of what is no plain assignment."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return []
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if not isinstance(target, ast.Tuple) or not all(isinstance(each, ast.Name) for each in target.elts):
        return []
    names = [each.id for each in target.elts if isinstance(each, ast.Name)]
    values: list[ast.expr] = []
    if isinstance(value, ast.Tuple):
        values = value.elts
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "range":
        bounds = [each.value for each in value.args if isinstance(each, ast.Constant) and type(each.value) is int]
        values = [ast.Constant(number) for number in range(*bounds)] if len(bounds) == len(value.args) else []
    return list(zip(names, values, strict=True)) if len(names) == len(values) else []


def _drop_docstrings(tree: ast.Module) -> None:
    for node in walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])


def imported(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str]]:
    """Yield (module, name in it, "" for itself; name that is bound)."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            if "." in alias.name and not alias.asname:
                raise InputError(f"expected `from … import …`, got import {alias.name}")
            yield alias.name, "", alias.asname or alias.name
    else:
        for alias in statement.names:
            yield statement.module or "", alias.name, alias.asname or alias.name


def bound_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement binds in its own scope."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp):
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (bound for _, _, bound in imported(node))
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id
    if isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name
    for child in children(node):
        yield from bound_names(child)


_FOLDED: Mapping[type, Callable[[int, int], int]] = {
    ast.Add: int.__add__,
    ast.Sub: int.__sub__,
    ast.Mult: int.__mul__,
    ast.LShift: int.__lshift__,
    ast.RShift: int.__rshift__,
    ast.BitOr: int.__or__,
    ast.BitAnd: int.__and__,
}


def _number(node: ast.expr, known: Mapping[str, int]) -> int | None:
    """Return the whole number that an expression always is, None where it's another."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _number(node.operand, known)
        return None if value is None else -value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const":
        return _number(node.args[0], known)
    if isinstance(node, ast.BinOp) and type(node.op) in _FOLDED:
        left, right = _number(node.left, known), _number(node.right, known)
        return None if left is None or right is None else _FOLDED[type(node.op)](left, right)
    return None


def executed(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """Yield what runs when a module is imported: all but the bodies of functions."""
    for statement in body:
        waiting: list[ast.AST] = [statement]
        for node in waiting:  # which grows
            if not isinstance(node, ast.FunctionDef | ast.Lambda):
                waiting += children(node)
        yield from waiting


def attributes_of(tree: ast.AST, bound: str) -> set[str] | None:
    """Return the attributes that are asked of a name; None where it is used in another way."""
    based = {id(node.value): node.attr for node in nodes_of(tree) if isinstance(node, ast.Attribute)}
    names = [id(node) for node in nodes_of(tree) if isinstance(node, ast.Name) and node.id == bound]
    return {based[name] for name in names} if all(name in based for name in names) else None
