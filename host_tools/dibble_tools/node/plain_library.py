"""The library for plain models of one family, in one file: what no such model asks for is cut from its sources.

Plain is a model without windows and optional parts that doesn't tell what is novel. What is cut is found, not listed:
an import of a module that isn't there raises ImportError with its name, and nothing after it can run; what has a
name of ALWAYS is that; an attribute that nothing sets is what its class says; a method that nobody calls goes.
"""

import ast
from collections.abc import Collection, Iterable, Mapping
from keyword import iskeyword

from dibble_tools.node.merging import Shipment
from dibble_tools.node.modules import parsed_source, walk
from dibble_tools.node.short_names import short_names

_INFERENCE = "dibble.inference"
PLAIN = f"{_INFERENCE}.plain"
OF_MAPS = f"{_INFERENCE}.pages"  # no file of another family is read in pages
# Modules that no plain model of whatever family needs.
LEFT_OUT = ("windows", "features", "parts", "checks", "golden", "description", "pages", "errors")
# What variables, parameters and attributes of these names always are.
ALWAYS: dict[str, bool | int | None] = {"windows": None, "push": None, "both": 0, "checked": True}
ALWAYS_IN_BYTECODE = ALWAYS | {"raw": False, "in_place": False}
# What programs ask a model and its decision for.
ASKED = ("predict", "restart", "readings", "decision", "class_index", "margin", "flags", "channel", "held_index")


def plain_shipment(
    sources: Mapping[str, str], others: Iterable[str], kind: str, asked: Iterable[tuple[str, str]]
) -> Shipment:
    """Return the library of these modules as one file.

    Args:
        sources: module -> source, of what plain models of one family need.
        others: families that they aren't of.
        kind: of kernels.
        asked: (module, name) that programs ask for.
    """
    aliases = dict.fromkeys((_INFERENCE, f"{_INFERENCE}.decision"), "dibble")
    asked = [*((module, name) for module, name in asked if module != _INFERENCE), (PLAIN, "load")]
    return Shipment(plain_sources(sources, others, kind), {"dibble": sorted(sources)}, asked, aliases=aliases)


def plain_sources(sources: Mapping[str, str], others: Iterable[str], kind: str) -> dict[str, str]:
    """Return module -> source of what is left."""
    trees = {name: parsed_source(source) for name, source in sources.items()}
    for tree in trees.values():
        _Cut(trees).visit(tree)
    only_raise = {
        node.name: node.body[0]
        for tree in trees.values()
        for node in walk(tree)
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[0], ast.Raise)
    }
    for tree in trees.values():
        _Ended(only_raise).visit(tree)
        _Without(ALWAYS_IN_BYTECODE if kind == "bytecode" else ALWAYS).visit(tree)
    folding = _Folding(_never_set(trees.values()), others, kind)
    for tree in trees.values():
        folding.visit(tree)
    while _drop_unasked(trees.values()):
        pass
    _shorten_attributes(trees.values())
    return {name: ast.unparse(ast.fix_missing_locations(tree)) + "\n" for name, tree in trees.items()}


class _Cut(ast.NodeTransformer):
    """Puts an ImportError in the place of each import, in a function, of what isn't there; what follows it goes."""

    def __init__(self, there: Collection[str]) -> None:
        self.there = there
        self.depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if any(isinstance(each, ast.ImportFrom) and each.module == OF_MAPS for each in node.body):
            return node.orelse
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if not self.depth:
            return node
        name = node.names[0].name
        if (node.module, name) == (_INFERENCE, "errors"):
            return ast.ImportFrom(_INFERENCE, [ast.alias("plain", node.names[0].asname or "errors")], 0)
        missing = node.module if node.module != _INFERENCE else f"{_INFERENCE}.{name}"
        if not missing or not missing.startswith(_INFERENCE) or missing in self.there:
            return node
        text = ast.Constant(missing.rpartition(".")[2])
        return ast.Raise(ast.Call(ast.Name("ImportError", ast.Load()), [text], []), None)

    def visit_Raise(self, node: ast.Raise) -> ast.Raise:
        if isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) == "ValueError":
            node.exc = node.exc.func  # what exactly is wrong, the whole library tells
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        return _without_unreachable(node)


class _Ended(ast.NodeTransformer):
    """Puts what a method raises, which does nothing else, in the place of a statement that calls it."""

    def __init__(self, only_raise: Mapping[str, ast.stmt]) -> None:
        self.only_raise = only_raise

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        called = node.value.func if isinstance(node.value, ast.Call) else None
        return self.only_raise.get(called.attr, node) if isinstance(called, ast.Attribute) else node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        return _without_unreachable(node)


class _Without(ast.NodeTransformer):
    """Puts in the place of names what they always are, and takes parameters, arguments and assignments of them out."""

    def __init__(self, values: Mapping[str, bool | int | None]) -> None:
        self.values = values

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if any("micropython" in ast.unparse(each) for each in node.decorator_list):
            return node  # push is an instruction there
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.arguments:
        defaults = [None] * (len(node.args) - len(node.defaults)) + node.defaults
        left = [pair for pair in zip(node.args, defaults, strict=True) if pair[0].arg not in self.values]
        node.args = [argument for argument, _ in left]
        node.defaults = [default for _, default in left if default]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        if any(getattr(each, "id", getattr(each, "attr", "")) in self.values for each in node.targets):
            return None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [each for each in node.args if not self._is_known(each)]
        node.keywords = [each for each in node.keywords if each.arg not in self.values]
        return self.generic_visit(node)

    def _is_known(self, node: ast.expr) -> bool:
        """Tell whether an argument is such a variable, or `windows and windows.push`."""
        first = node.values[0] if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else node
        return isinstance(first, ast.Name) and first.id in self.values and not self.values[first.id]

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.values[node.id]) if node.id in self.values else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr in self.values:
            return ast.Constant(self.values[node.attr])
        self.generic_visit(node)
        return node


def _without_unreachable(node: ast.AST) -> ast.AST:
    """Drop what follows a statement that always leaves its block."""
    for name in ("body", "orelse"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            ends = [i for i, each in enumerate(block) if isinstance(each, ast.Raise | ast.Return)]
            setattr(node, name, block[: ends[0] + 1] if ends else block)
    return node


def _never_set(trees: Iterable[ast.Module]) -> dict[str, ast.expr]:
    """Return attribute -> value, of those that some class gives an empty value and nothing else sets."""
    nodes = [node for tree in trees for node in walk(tree)]
    given = [
        (target.id, statement.value)
        for node in nodes
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]
    stored = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    names = [name for name, _ in given]
    return {name: value for name, value in given if name not in stored and names.count(name) == 1 and _is_empty(value)}


def _is_empty(node: ast.AST) -> bool:
    if isinstance(node, ast.Dict):
        return not node.keys
    if isinstance(node, ast.Tuple):
        return not node.elts
    return isinstance(node, ast.Constant) and node.value in (None, False)


class _Folding(ast.NodeTransformer):
    """Puts the values of attributes in their place, and leaves out what never runs for them."""

    def __init__(self, fixed: Mapping[str, ast.expr], others: Iterable[str], kind: str) -> None:
        self.fixed = fixed
        self.kind = kind
        self.others = {f"format.{name.upper()}" for name in others}  # as model.py has their numbers

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        node.body = [
            each
            for each in node.body
            if not isinstance(each, ast.Assign) or getattr(each.targets[0], "id", "") not in self.fixed
        ] or [ast.Pass()]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        own = isinstance(node.value, ast.Name) and node.value.id == "self"
        return self.fixed[node.attr] if own and node.attr in self.fixed else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        other = node.comparators[0]
        if ast.unparse(node.left) == "KIND" and isinstance(
            other, ast.Constant
        ):  # of kernels: the board tells it before
            return ast.Constant((other.value == self.kind) == isinstance(node.ops[0], ast.Eq))
        never = (isinstance(node.ops[0], ast.In) and _is_empty(other)) or ast.unparse(other) in self.others
        return ast.Constant(False) if never else node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        never = isinstance(node.op, ast.And) and any(map(_is_empty, node.values))
        return ast.Constant(False) if never else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        never = isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant) and node.operand.value is True
        return ast.Constant(False) if never else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return node.orelse if _is_empty(node.test) else node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        always = isinstance(node.test, ast.Constant) and node.test.value is True
        return node.body if always else node.orelse if _is_empty(node.test) else node


def _drop_unasked(trees: Iterable[ast.Module]) -> bool:
    """Drop methods and attributes that nobody asks for; return whether there were some."""
    nodes = [node for tree in trees for node in walk(tree)]
    asked = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}
    asked |= set(ASKED)
    dropped = False
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.For | ast.If):
            left = [each for each in node.body if _is_asked(each, asked)]
            dropped |= len(left) < len(node.body)
            node.body = left or [ast.Pass()]
    return dropped


def _is_asked(statement: ast.stmt, asked: Collection[str]) -> bool:
    """Tell whether a statement stays; of a chain of assignments, leave the targets that do."""
    if isinstance(statement, ast.FunctionDef) and statement.args.args and statement.args.args[0].arg == "self":
        if statement.name.startswith("__"):
            return not isinstance(statement.body[0], ast.Raise)  # __getattr__, whose description isn't there
        return statement.name in asked
    if isinstance(statement, ast.Assign):
        left = [each for each in statement.targets if not isinstance(each, ast.Attribute) or each.attr in asked]
        if not left and not any(isinstance(each, ast.Call) for each in walk(statement.value)):
            return False
        statement.targets = left or statement.targets
    return True


def _shorten_attributes(trees: Iterable[ast.Module]) -> None:
    """Give the shortest names to attributes and methods that no program asks for."""
    nodes = [node for tree in trees for node in walk(tree)]
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    members = [each for node in nodes if isinstance(node, ast.ClassDef) for each in node.body]
    methods = [each for each in members if isinstance(each, ast.FunctionDef)]
    values = [target for each in members if isinstance(each, ast.Assign) for target in each.targets]
    variables = [each for each in values if isinstance(each, ast.Name)]
    own = {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    own |= {each.name for each in methods} | {each.id for each in variables}
    taken = {node.id for node in nodes if isinstance(node, ast.Name)} | {node.attr for node in attributes}
    wanted = sorted(name for name in own - set(ASKED) if not name.startswith("__"))
    free = (name[1:] for name in short_names(set()))  # not private: several classes know them
    names = dict(zip(wanted, (name for name in free if name not in taken and not iskeyword(name)), strict=False))
    for node in attributes:
        node.attr = names.get(node.attr, node.attr)
    for method in methods:
        method.name = names.get(method.name, method.name)
    for variable in variables:
        variable.id = names.get(variable.id, variable.id)
