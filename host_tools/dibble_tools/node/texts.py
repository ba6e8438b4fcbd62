"""Texts of what goes wrong, taken out of merged firmware: a file has them, and dibble.texts reads what is told."""

import ast
import zlib
from collections.abc import Iterable
from functools import cache

from dibble_tools.common.errors import InputError
from dibble_tools.node.modules import parsed_source, walk

TEXTS = "lib/dibble/texts.txt"
READER = ("dibble.texts", "stored_text")
LEAST = 24  # characters; a shorter one takes no more heap than what asks for it
_TOLD_BY = ("append", "tell", "fail")  # methods that take what is told


def number_of(text: str) -> int:
    """Return the number by which a text is found: the same in all firmware."""
    return zlib.crc32(text.encode()) & 0xFFFFF


@cache
def taken_out(source: str) -> tuple[str, frozenset[str]]:
    """Return a module's source that asks for its texts by their numbers, and these texts.

    They are those in its functions which are raised, or handed to a list of notes or an event, and all that say what
    was expected.
    """
    tree = parsed_source(source)
    rewriting = _Rewriting()
    tree = rewriting.visit(tree)
    if not rewriting.texts:
        return source, frozenset()
    tree.body.insert(0, ast.ImportFrom(READER[0], [ast.alias(READER[1])], 0))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n", frozenset(rewriting.texts)


def texts_file(texts: Iterable[str]) -> bytes:
    """Return the file of texts; raise InputError where two have one number."""
    lines: dict[int, str] = {}
    for text in sorted(texts):
        if lines.setdefault(number_of(text), text) != text:
            raise InputError(f"expected another wording of {text!r}, got the number of {lines[number_of(text)]!r}")
    return "".join(f"{number} {text}\n" for number, text in lines.items()).encode()


class _Rewriting(ast.NodeTransformer):
    """Puts calls in the place of a module's texts, in its own tree."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.depth = 0  # of functions
        self.told: set[int] = set()  # id of each node that is told

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if any("micropython" in ast.unparse(each) for each in node.decorator_list):
            return node  # machine code has no room for it
        self.depth += 1
        node.body = [self.visit(each) for each in node.body]
        self.depth -= 1
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.told |= set(map(id, walk(node)))
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Attribute) and node.func.attr in _TOLD_BY:
            self.told |= {id(each) for argument in node.args for each in walk(argument)}
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and self._is_taken(node.left):
            return self._asked(str(node.left.value), self.visit(node.right))
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return self._asked(str(node.value)) if self._is_taken(node) else node

    def _is_taken(self, node: ast.Constant) -> bool:
        text = node.value
        if not self.depth or not isinstance(text, str) or len(text) < LEAST or " " not in text or "\n" in text:
            return False
        return id(node) in self.told or "expected " in text

    def _asked(self, text: str, *told: ast.expr) -> ast.expr:
        self.texts.add(text)
        return ast.Call(ast.Name(READER[1], ast.Load()), [ast.Constant(number_of(text)), *told], [])
