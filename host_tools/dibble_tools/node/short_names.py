"""Names that only a firmware itself knows, shortened: each that a board hasn't got yet takes some 20 bytes of its heap.

Parameters that nobody names in a call, a class's private attributes and methods, and what a file keeps to itself.
Exceptions, public methods and what others ask for keep their names: tracebacks tell them.
"""

import ast
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dibble_tools.node.modules import nodes_of, walk

_OWN = ("self", "_")


def named_in_calls(trees: Iterable[ast.AST]) -> set[str]:
    """Return the parameters that some call names."""
    return {node.arg for tree in trees for node in nodes_of(tree) if isinstance(node, ast.keyword) and node.arg}


@dataclass
class _Family:
    """Classes that inherit from each other.

    Attributes:
        private: attributes that only their own methods know, by `self`.
        known: all other names of theirs.
    """

    classes: set[str]
    private: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)


class PrivateNames:
    """What each class's private attributes are called.

    Args:
        trees: modules, which don't have two classes of one name.
        others: further names that no attribute may be given up for: of programs beside these.
    """

    def __init__(self, trees: Iterable[ast.Module], others: Iterable[str] = ()) -> None:
        trees = list(trees)
        classes = [node for tree in trees for node in nodes_of(tree) if isinstance(node, ast.ClassDef)]
        known = set(others)
        for tree in trees:
            known |= {name for node in _outside_classes(tree) for name in _attributes(node)}
            known |= {
                node.value for node in nodes_of(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
        families: list[_Family] = []
        for each in classes:
            names = {each.name, *(base.id for base in each.bases if isinstance(base, ast.Name))}
            joined = _Family(names)
            for family in [one for one in families if one.classes & names]:
                families.remove(family)
                joined.classes |= family.classes
            families.append(joined)
        self._of: dict[str, dict[str, str]] = {}
        for family in families:
            own = [each for each in classes if each.name in family.classes]
            self._of |= dict.fromkeys((each.name for each in own), self._names(own, known))

    def _names(self, classes: list[ast.ClassDef], known: set[str]) -> dict[str, str]:
        private: list[str] = []
        taken: set[str] = set()
        for each in classes:
            methods = [node.name for node in each.body if isinstance(node, ast.FunctionDef)]
            private += [name for name in methods if _is_private(name)]
            taken |= {name for name in methods if not _is_private(name)}
            taken |= {node.id for node in walk(each) if isinstance(node, ast.Name)}  # its own variables
            for node in walk(each):
                if isinstance(node, ast.Attribute):
                    own = isinstance(node.value, ast.Name) and node.value.id == "self" and _is_private(node.attr)
                    private += [node.attr] if own else []
                    taken |= set() if own else {node.attr}
        free = short_names(taken)
        return {name: next(free) for name in dict.fromkeys(private) if name not in taken | known}

    def of(self, class_name: str) -> dict[str, str]:
        """Return private attribute -> what it is called, of a class."""
        return self._of.get(class_name, {})


def short_names(taken: set[str]) -> Iterator[str]:
    """Yield the shortest private names that aren't taken by then: the same ones for everybody, as each is kept once."""
    return (name for name in map("_{}".format, _letters()) if name not in taken)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _attributes(node: ast.AST) -> Iterator[str]:
    return (each.attr for each in walk(node) if isinstance(each, ast.Attribute))


def _outside_classes(tree: ast.Module) -> Iterator[ast.stmt]:
    return (node for node in tree.body if not isinstance(node, ast.ClassDef))


def _letters() -> Iterator[str]:
    yield from string.ascii_lowercase
    yield from string.ascii_uppercase
    for first in string.ascii_lowercase:
        yield from (first + second for second in string.ascii_lowercase)


class Shorten(ast.NodeTransformer):
    """Shortens the names of one tree, in place.

    Args:
        private: of all that is shipped.
        named: parameters that keep their names.
        classes: name of each class in this tree -> as it is written.
    """

    def __init__(self, private: PrivateNames, named: set[str], classes: Mapping[str, str]) -> None:
        self.private = private
        self.named = named
        self.classes = classes
        self.attributes: list[dict[str, str]] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        names = self.private.of(self.classes.get(node.name, node.name))
        self.attributes.append(names)
        self.generic_visit(node)
        self.attributes.pop()
        for each in node.body:
            if isinstance(each, ast.FunctionDef):
                each.name = names.get(each.name, each.name)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        if self.attributes and isinstance(node.value, ast.Name) and node.value.id == "self":
            node.attr = self.attributes[-1].get(node.attr, node.attr)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        if any("micropython" in ast.unparse(each) for each in node.decorator_list):
            return node  # machine code: its parameters are registers, or typed
        inside = walk(node)
        used = {each.id for each in inside if isinstance(each, ast.Name)}
        used |= {each.arg for each in inside if isinstance(each, ast.arg)}
        used |= {name for each in inside if isinstance(each, ast.Global | ast.Nonlocal) for name in each.names}
        free = (letter for letter in _letters() if letter not in used)
        names = {
            each.arg: next(free)
            for each in (*node.args.posonlyargs, *node.args.args, *filter(None, (node.args.vararg,)))
            if each.arg not in self.named and each.arg not in _OWN and len(each.arg) > 1
        }
        if names and not _rebinds(node, set(names)):
            _Parameters(names).visit_body(node)
        return node


def _rebinds(function: ast.FunctionDef, names: set[str]) -> bool:
    """Tell whether something inside a function has a scope with such a name of its own."""
    inner = [node for node in walk(function) if node is not function]
    bound = {
        each.arg
        for node in inner
        if isinstance(node, ast.FunctionDef | ast.Lambda)
        for each in (*node.args.args, *node.args.kwonlyargs)
    }
    bound |= {
        each.id
        for node in inner
        if isinstance(node, ast.comprehension)
        for each in walk(node.target)
        if isinstance(each, ast.Name)
    }
    for node in inner:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound |= {e.id for e in walk(node) if isinstance(e, ast.Name) and isinstance(e.ctx, ast.Store)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return bool(bound & names)


class _Parameters(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_body(self, node: ast.FunctionDef) -> None:
        arguments = node.args
        for each in (*arguments.posonlyargs, *arguments.args, *filter(None, (arguments.vararg,))):
            each.arg = self.names.get(each.arg, each.arg)
        node.body = [self.visit(each) for each in node.body]

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node
