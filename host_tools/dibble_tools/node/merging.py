"""Several modules of the firmware as the source of one: fewer files, and each name is in the heap once.

What one of them imports from another is that other's name at once; what only one knows has no other's place. A whole
number that has a name stands where it's used. What others ask for is there under its own name.
"""

import ast
import builtins
import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dibble_tools.common.errors import InputError
from dibble_tools.node.short_names import PrivateNames, Shorten, named_in_calls

_BUILTINS = frozenset(dir(builtins))
_PURE = ("array", "bytes", "bytearray", "const", "hasattr", "getattr", "range", "tuple")  # calls that do nothing else


class _Hidden(Exception):
    """Some local variable has the name that was chosen for what its function uses."""


@dataclass
class Module:
    """A module as it is written.

    Attributes:
        name: dotted.
        tree: without docstrings.
        defined: names that it gives a value to, beside plain imports.
        numbers: those that always are one whole number.
    """

    name: str
    tree: ast.Module
    defined: list[str]
    numbers: dict[str, int]
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def parsed(cls, name: str, source: str) -> "Module":
        tree = ast.parse(source)
        _drop_docstrings(tree)
        module = cls(name, tree, [], {})
        counts: dict[str, int] = {}
        for statement in tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                module.imports |= {bound: (source, wanted) for source, wanted, bound in _imported(statement)}
                continue
            for bound in _bound(statement):
                counts[bound] = counts.get(bound, 0) + 1
        module.defined = list(counts)
        rebound = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
        for statement in tree.body:
            for name, node in _assigned(statement):
                value = _number(node, module.numbers)
                if value is not None and counts[name] == 1 and name not in rebound:
                    module.numbers[name] = value
        return module


def _assigned(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
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
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])


def _imported(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str]]:
    """Yield (module, name in it, "" for itself; name that is bound)."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            if "." in alias.name and not alias.asname:
                raise InputError(f"expected `from … import …`, got import {alias.name}")
            yield alias.name, "", alias.asname or alias.name
    else:
        for alias in statement.names:
            yield statement.module or "", alias.name, alias.asname or alias.name


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement binds in its own scope."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp):
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (bound for _, _, bound in _imported(node))
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id
    if isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)


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


class Shipment:
    """The modules of a firmware, and the files that they are merged into.

    Args:
        sources: module -> source, of all that are shipped.
        files: name of a file's module -> modules that it is made of; a module that isn't named is its own file.
        asked: (module, name) that programs beside these ask for; "" for name: all that it defines.
        spaces: module -> names that others ask it for as an object, under its own name, wherever it is merged.
        aliases: module -> file whose import lets others find it under its own name.
        beside: all names in the programs beside these.
    """

    def __init__(
        self,
        sources: Mapping[str, str],
        files: Mapping[str, Iterable[str]],
        asked: Iterable[tuple[str, str]] = (),
        spaces: Mapping[str, Iterable[str]] | None = None,
        aliases: Mapping[str, str] | None = None,
        beside: Iterable[str] = (),
    ) -> None:
        parsed = {name: Module.parsed(name, source) for name, source in sources.items()}
        self.modules = {name: module for name, module in parsed.items() if module.tree.body}
        placed = {part: name for name, parts in files.items() for part in parts}
        self.files: dict[str, list[str]] = {}
        for name in self.modules:
            self.files.setdefault(placed.get(name, name), []).append(name)
        self.file_of = {part: name for name, parts in self.files.items() for part in parts}
        self.spaces = {name: tuple(names) for name, names in (spaces or {}).items() if name in self.modules}
        self.aliases = {name: file for name, file in (aliases or {}).items() if name in self.modules}
        self.asked: dict[str, set[str]] = {name: set() for name in self.modules}
        self.reexported: dict[str, set[str]] = {name: set() for name in self.modules}
        for module, name in asked:
            self._ask(module, name)
        self._between_files()
        trees = [module.tree for module in self.modules.values()]
        self.private = PrivateNames(trees, beside)
        self.named = named_in_calls(trees) | set(beside)
        self.avoided: set[str] = set()  # names that some local variable hides
        self.final: dict[str, dict[str, str]] = {}
        for name in self.files:
            self._name_in(name)

    def _ask(self, module: str, name: str) -> None:
        """Keep what others ask a module for."""
        if module not in self.modules:
            return
        if name and f"{module}.{name}" in self.modules:
            return self._ask(f"{module}.{name}", "")
        target, found = self.origin(module, name) if name else (module, "")
        if target in self.modules and (not found or found in self.modules[target].defined):
            self.asked[target] |= {found} if found else set(self.modules[target].defined)
            if name and self.file_of[target] != self.file_of[module]:
                self.reexported[module].add(name)

    def origin(self, module: str, name: str) -> tuple[str, str]:
        """Return where a name is defined: (module, name there), "" for a module itself; another's as it is."""
        while name:
            if f"{module}.{name}" in self.modules:
                return f"{module}.{name}", ""
            if module not in self.modules:
                break
            if name in self.modules[module].defined or name not in self.modules[module].imports:
                return module, name
            module, name = self.modules[module].imports[name]
        return module, name

    def _between_files(self) -> None:
        """Find what the files ask of each other, by name or of a module as an object."""
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    for source, wanted, bound in _imported(node):
                        target, name = self.origin(source, wanted)
                        if self.file_of.get(target, module.name) == self.file_of[module.name]:
                            continue
                        for each in [name] if name else _attributes(module.tree, bound):
                            if self.value(target, each) is None:
                                self._ask(target, each)

    def _name_in(self, file: str) -> None:
        """Give each name of a file's modules one that no other has."""
        parts = [self.modules[name] for name in self.files[file]]
        taken = set(_BUILTINS) | self.avoided
        for part in parts:
            for name in sorted(self.asked[part.name]):
                if name in taken - _BUILTINS:
                    raise InputError(f"expected names that differ of what is merged into {file}, got {name} twice")
                taken.add(name)
        for part in parts:
            own = self.final[part.name] = {}
            for name in part.defined:
                own[name] = name if name in self.asked[part.name] else _free(name, taken)
                taken.add(own[name])

    def value(self, module: str, name: str) -> int | None:
        return self.modules[module].numbers.get(name) if module in self.modules else None

    def source(self, file: str) -> str:
        """Return the source of a file."""
        while True:
            try:
                return _Merge(self, file).source()
            except _Hidden as hidden:
                self.avoided.add(str(hidden))
                self._name_in(file)


def _attributes(tree: ast.AST, bound: str) -> Iterable[str]:
    """Return the attributes that are asked of a name; "" where it is used in another way."""
    based = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == bound]
    if any(id(node) not in based for node in names):
        return [""]
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.value in names}


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


class _Merge:
    """One file in the making."""

    def __init__(self, shipment: Shipment, file: str) -> None:
        self.shipment = shipment
        self.file = file
        self.body: list[ast.stmt] = []
        self.imports: dict[tuple[str, str], str] = {}  # of what is no part of this file -> name in it
        self.done: set[str] = set()
        self.taken = set(_BUILTINS) | shipment.avoided
        self.taken |= {name for part in shipment.files[file] for name in shipment.final[part].values()}

    def source(self) -> str:
        for part in self.shipment.files[self.file]:
            self._add(part)
        tail = [*self._spaces(), *self._aliases()]
        self.body = _used(self.body, tail, self._kept())
        if tail and "sys" not in self.imports.values():
            self.global_name("sys", "")
        used = _loaded([*self.body, *tail])
        head = [self._import(*key, name) for key, name in self.imports.items() if name in used]
        tree = ast.Module([*head, *self.body, *tail], [])
        tree = Shorten(self.shipment.private, self.shipment.named).visit(tree)
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    def _kept(self) -> set[str]:
        """Return the names that others ask for."""
        parts = self.shipment.files[self.file]
        return {name for part in parts for name in (*self.shipment.asked[part], *self.shipment.reexported[part])}

    def _import(self, module: str, wanted: str, bound: str) -> ast.stmt:
        if not wanted:
            package, _, last = module.rpartition(".")
            if not package:
                return ast.Import([ast.alias(module, None if bound == module else bound)])
            module, wanted = package, last
        return ast.ImportFrom(module, [ast.alias(wanted, None if bound == wanted else bound)], 0)

    def _spaces(self) -> list[ast.stmt]:
        """Return what makes modules that others want as objects: a class is one that costs little."""
        made: list[ast.stmt] = []
        for module in self.shipment.files[self.file]:
            if module not in self.shipment.spaces:
                continue
            last = module.rpartition(".")[2]
            body: list[ast.stmt] = []
            for name in self.shipment.spaces[module]:
                target, found = self.shipment.origin(module, name)
                if found in self.shipment.modules[target].defined:
                    value = _Rename(self, self.shipment.modules[module])._outside(target, found)
                    body.append(ast.Assign([ast.Name(name, ast.Store())], self._taken_out(value)))
            made.append(ast.ClassDef(last, [], [], body or [ast.Pass()], []))
            made += ast.parse(f"sys.modules[{module!r}] = {last}").body
        return made

    def _taken_out(self, value: ast.expr) -> ast.expr:
        """Return what a name of this file stands for, and give up the name, where nobody else asks for it."""
        if not isinstance(value, ast.Name) or value.id in self._kept():
            return value
        given = [each for each in self.body if value.id == _only_names(each)]
        uses = sum(value.id in _loaded([each]) for each in self.body)
        if uses or len(given) != 1 or not isinstance(given[0], ast.Assign):
            return value
        self.body.remove(given[0])
        return given[0].value

    def _aliases(self) -> list[ast.stmt]:
        """Return what lets others find modules that are merged under their own names."""
        found = {name: self.shipment.file_of[name] for name, by in self.shipment.aliases.items() if by == self.file}
        lines = [f"sys.modules[{name!r}] = sys.modules[{file!r}]" for name, file in found.items()]
        lines += [f"{name.rpartition('.')[2]} = sys.modules[{file!r}]" for name, file in found.items() if "." in name]
        return ast.parse("\n".join(lines)).body

    def _add(self, name: str) -> None:
        """Add a module's statements after those of what it needs first."""
        if name in self.done:
            return
        self.done.add(name)
        module = self.shipment.modules[name]
        for node in _executed(module.tree.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for source, wanted, _ in _imported(node):
                    target, _ = self.shipment.origin(source, wanted)
                    if self.shipment.file_of.get(target) == self.file:
                        self._add(target)
        rename = _Rename(self, module)
        for statement in module.tree.body:
            self.body += rename.top(copy.deepcopy(statement))

    def global_name(self, module: str, name: str) -> str:
        """Return what something that isn't of this file is called here; it's imported at the top."""
        key = (module, name)
        if key not in self.imports:
            self.imports[key] = _free(name or module.rpartition(".")[2], self.taken)
            self.taken.add(self.imports[key])
        return self.imports[key]


def _loaded(statements: Iterable[ast.stmt]) -> set[str]:
    """Return the names that statements use."""
    found: set[str] = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.Global):
                found |= set(node.names)
    return found


def _used(body: list[ast.stmt], tail: list[ast.stmt], kept: set[str]) -> list[ast.stmt]:
    """Return the statements less what gives a name to something nobody asks for."""
    while True:
        uses = [_loaded([statement]) for statement in (*body, *tail)]
        count: dict[str, int] = {}
        for names in uses:
            for name in names:
                count[name] = count.get(name, 0) + 1
        left = [
            statement
            for statement, names in zip(body, uses, strict=False)
            if (name := _only_names(statement)) is None or name in kept or count.get(name, 0) > (name in names)
        ]
        if len(left) == len(body):
            return left
        body = left


def _only_names(statement: ast.stmt) -> str | None:
    """Return the name that a statement gives to something, where it does nothing else."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.name
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        calls = [node for node in ast.walk(statement.value) if isinstance(node, ast.Call)]
        if all(isinstance(call.func, ast.Name) and call.func.id in _PURE for call in calls):
            return statement.targets[0].id
    return None


def _executed(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """Yield what runs when a module is imported: all but the bodies of functions."""
    for statement in body:
        waiting: list[ast.AST] = [statement]
        while waiting:
            node = waiting.pop(0)
            yield node
            if not isinstance(node, ast.FunctionDef | ast.Lambda):
                waiting += ast.iter_child_nodes(node)


class _Rename(ast.NodeTransformer):
    """Gives a module's statements the names of the file that they go to."""

    def __init__(self, merge: _Merge, module: Module) -> None:
        self.merge = merge
        self.shipment = merge.shipment
        self.module = module
        self.scopes: list[tuple[set[str], dict[str, tuple[str, str]]]] = []  # locals; local imports by name

    def top(self, statement: ast.stmt) -> list[ast.stmt]:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            asked = self.shipment.reexported[self.module.name]
            return [self._named(bound, source, wanted) for source, wanted, bound in _imported(statement) if bound in asked]
        names = {name for name, _ in _assigned(statement)}
        if names and names <= set(self.module.numbers) - self.shipment.asked[self.module.name]:
            return []
        done = self.visit(statement)
        return done if isinstance(done, list) else [done] if done is not None else []

    def _named(self, bound: str, source: str, wanted: str) -> ast.stmt:
        """Return what gives something that is defined elsewhere a name here, for others to ask for."""
        value = self._outside(source, wanted)
        return ast.Assign([ast.Name(bound, ast.Store())], value)

    # What a name means

    def _global(self, name: str) -> ast.expr | None:
        """Return the expression that a name of the module's own scope is in the file; None: as it is."""
        module = self.module
        if name in module.defined:
            value = module.numbers.get(name)
            if value is not None:
                return _constant(value)
            return ast.Name(self.shipment.final[module.name][name], ast.Load())
        if name in module.imports:
            return self._outside(*module.imports[name])
        return None

    def _outside(self, source: str, wanted: str) -> ast.expr:
        target, name = self.shipment.origin(source, wanted)
        value = self.shipment.value(target, name)
        if value is not None:
            return _constant(value)
        if target in self.shipment.modules:
            file = self.shipment.file_of[target]
            if not name:
                if file != self.merge.file:
                    return ast.Name(self.merge.global_name(file, ""), ast.Load())
                raise InputError(f"{self.module.name}: expected the names of {target}, got the module as an object")
            final = self.shipment.final[target].get(name, name)
            if file == self.merge.file:
                return ast.Name(final, ast.Load())
            return ast.Name(self.merge.global_name(file, final), ast.Load())
        return ast.Name(self.merge.global_name(target, name), ast.Load())

    def _module_of(self, node: ast.expr) -> str | None:
        """Return the merged module that an expression is; None: it's something else."""
        found = self._found(node.id) if isinstance(node, ast.Name) else None
        if found is None:
            return None
        target, name = self.shipment.origin(*found)
        return target if target in self.shipment.modules and not name else None

    def _found(self, name: str) -> tuple[str, str] | None:
        """Return what an imported name was imported from."""
        for bound, imports in reversed(self.scopes):
            if name in imports:
                return imports[name]
            if name in bound:
                return None
        return None if name in self.module.defined else self.module.imports.get(name)

    def _is_local(self, name: str) -> bool:
        return any(name in bound or name in imports for bound, imports in self.scopes)

    # Statements and expressions

    def visit_Name(self, node: ast.Name) -> ast.expr:
        for bound, imports in reversed(self.scopes):
            if name_in := imports.get(node.id):
                return self._seen(node.id, self._outside(*name_in))
            if node.id in bound:
                return node
        found = self._global(node.id)
        if found is None:
            return node
        self._seen(node.id, found)
        if isinstance(node.ctx, ast.Load):
            return found
        final = self.shipment.final[self.module.name].get(node.id, node.id)
        return ast.Name(final, node.ctx)

    def _seen(self, written: str, found: ast.expr) -> ast.expr:
        """Return an expression for a name; raise _Hidden where a local variable is called so."""
        if isinstance(found, ast.Name) and found.id != written and any(found.id in bound for bound, _ in self.scopes):
            raise _Hidden(found.id)
        return found

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        module = self._module_of(node.value)
        if not module or not isinstance(node.value, ast.Name):
            self.generic_visit(node)
            return node
        target, name = self.shipment.origin(module, node.attr)
        here = self.shipment.file_of[module] == self.merge.file
        if here or self.shipment.value(target, name) is not None or not self._is_local(node.value.id):
            return self._seen("", self._outside(module, node.attr))
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """A module's name as text becomes that of its file."""
        if isinstance(node.value, str) and "." in node.value:
            node.value = self.shipment.file_of.get(node.value, node.value)
        return node

    def visit_Global(self, node: ast.Global) -> ast.Global:
        final = self.shipment.final[self.module.name]
        return ast.Global([final.get(name, name) for name in node.names])

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        if node.name and not self.scopes:
            node.name = self.shipment.final[self.module.name].get(node.name, node.name)
        self.generic_visit(node)
        return node

    def visit_Import(self, node: ast.Import) -> ast.stmt | None:
        return self._inner_import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | None:
        return self._inner_import(node)

    def _inner_import(self, node: ast.Import | ast.ImportFrom) -> ast.stmt | None:
        """Import what isn't of this file where it's needed; what is has its name already."""
        if not self.scopes:
            return self._conditional(node)
        left: list[ast.stmt] = []
        for source, wanted, bound in _imported(node):
            if bound in self.scopes[-1][1]:
                continue  # of this file: it has its name already
            target, name = self.shipment.origin(source, wanted)
            if self.shipment.file_of.get(target) == self.merge.file or self.shipment.value(target, name) is not None:
                left.append(ast.Assign([ast.Name(bound, ast.Store())], self._outside(source, wanted)))
                continue
            if target in self.shipment.modules and name:
                name = self.shipment.final[target].get(name, name)
            target = self.shipment.file_of.get(target, target)
            left.append(self.merge._import(target, name, bound))
        return left or ast.Pass()  # type: ignore[return-value]

    def _conditional(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        """Return assignments for an import under a condition, in the module's own scope."""
        made: list[ast.stmt] = []
        for source, wanted, bound in _imported(node):
            target, name = self.shipment.origin(source, wanted)
            final = self.shipment.final[self.module.name][bound]
            number = self.shipment.value(target, name)
            if number is None and self.shipment.file_of.get(target) != self.merge.file:
                if target in self.shipment.modules and name:
                    name = self.shipment.final[target].get(name, name)
                made.append(self.merge._import(self.shipment.file_of.get(target, target), name, final))
                continue
            value = self._outside(source, wanted)
            if not (isinstance(value, ast.Name) and value.id == final):
                made.append(ast.Assign([ast.Name(final, ast.Store())], value))
        return made or [ast.Pass()]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.args.defaults = [self.visit(each) for each in node.args.defaults]
        node.args.kw_defaults = [self.visit(each) if each else None for each in node.args.kw_defaults]
        if not self.scopes:
            node.name = self.shipment.final[self.module.name].get(node.name, node.name)
        self.scopes.append(self._scope(node.args, node.body))
        node.body = [made for each in node.body for made in _listed(self.visit(each))]
        self.scopes.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        node.args.defaults = [self.visit(each) for each in node.args.defaults]
        self.scopes.append(self._scope(node.args, []))
        node.body = self.visit(node.body)
        self.scopes.pop()
        return node

    def _scope(self, args: ast.arguments, body: list[ast.stmt]) -> tuple[set[str], dict[str, tuple[str, str]]]:
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
        parameters = {each.arg for each in every}
        inner: dict[str, tuple[str, str]] = {}
        imported: list[str] = []
        assigned: set[str] = set(parameters)
        shared: set[str] = set()
        for statement in body:
            for node in _executed([statement]):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    for source, wanted, bound in _imported(node):
                        imported.append(bound)
                        target, name = self.shipment.origin(source, wanted)
                        file = self.shipment.file_of.get(target)
                        if file == self.merge.file or self.shipment.value(target, name) is not None:
                            inner[bound] = (source, wanted)
                elif isinstance(node, ast.Global):
                    shared |= set(node.names)
            assigned |= set(_bound_without_imports(statement))
        for bound in list(inner):
            if bound in assigned or imported.count(bound) > 1:
                del inner[bound]
        return (assigned | set(imported)) - shared - set(inner), inner

    def _comprehension(self, node: ast.AST) -> ast.AST:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        generators[0].iter = self.visit(generators[0].iter)
        names = {each.id for g in generators for each in ast.walk(g.target) if isinstance(each, ast.Name)}
        self.scopes.append((names, {}))
        first = generators[0].iter
        generators[0].iter = ast.Constant(None)
        self.generic_visit(node)
        generators[0].iter = first
        self.scopes.pop()
        return node

    visit_ListComp = visit_GeneratorExp = visit_SetComp = visit_DictComp = _comprehension  # type: ignore[assignment]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.bases = [self.visit(each) for each in node.bases]
        if not self.scopes:
            node.name = self.shipment.final[self.module.name].get(node.name, node.name)
        names: set[str] = set()
        body: list[ast.stmt] = []
        for statement in node.body:
            bound = set(_bound(statement))
            if isinstance(statement, ast.FunctionDef):  # which doesn't see the names of its class
                statement.decorator_list = [self._in(names, each) for each in statement.decorator_list]
                kept, statement.decorator_list = statement.decorator_list, []
                name = statement.name
                self.scopes.append((set(), {}))
                body += _listed(self.visit(statement))
                self.scopes.pop()
                statement.name, statement.decorator_list = name, kept
            elif isinstance(statement, ast.Assign):
                statement.value = self._in(names, statement.value)
                body.append(statement)
            else:
                body += _listed(self._in(names | bound, statement))
            names |= bound
        node.body = body
        return node

    def _in(self, names: set[str], node: ast.AST) -> ast.AST:  # type: ignore[misc]
        self.scopes.append((set(names), {}))
        done = self.visit(node)
        self.scopes.pop()
        return done


def _bound_without_imports(statement: ast.stmt) -> Iterator[str]:
    imported = {
        bound
        for node in _executed([statement])
        if isinstance(node, ast.Import | ast.ImportFrom)
        for _, _, bound in _imported(node)
    }
    stored = {
        node.id
        for node in _executed([statement])
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del)
    }
    for name in _bound(statement):
        if name not in imported or name in stored:
            yield name


def _listed(made: ast.AST | list[ast.stmt] | None) -> list[ast.stmt]:
    return made if isinstance(made, list) else [] if made is None else [made]  # type: ignore[list-item]


def _constant(value: int) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))
