"""A module of the firmware in which every result of an operator has to be a small int of a 32-bit VM."""

import ast
from pathlib import Path
from types import ModuleType
from typing import Any

from dibble.inference.fixed_point import MISSING, READING_LIMIT


def _within(value: Any, line: int) -> Any:
    if type(value) is int:
        assert MISSING <= value <= READING_LIMIT, f"line {line}: {value} has more than 31 bits"
    return value


class _Checked(ast.NodeTransformer):
    def _call(self, node: ast.expr) -> ast.expr:
        checked = ast.Call(ast.Name("_within", ast.Load()), [node, ast.Constant(node.lineno)], [])
        return ast.copy_location(checked, node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return self._call(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return self._call(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        self.generic_visit(node)
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        value = ast.copy_location(ast.BinOp(target, node.op, node.value), node)
        return ast.copy_location(ast.Assign([node.target], self._call(value)), node)


def within_31_bits(path: Path) -> ModuleType:
    """Return a module made of a file; an operator's result beyond 31 bits is an AssertionError with its line."""
    tree = ast.fix_missing_locations(_Checked().visit(ast.parse(path.read_text(encoding="utf-8"))))
    module = ModuleType(path.stem)
    module.__dict__["_within"] = _within
    exec(compile(tree, str(path), "exec"), module.__dict__)
    return module
