"""The source of a file that modules are merged into.

What one of them imports from another is that other's name at once; a whole number that has a name stands where it's
used; what nobody asks for isn't there.
"""

import ast
from collections.abc import Iterable
from functools import cache

from dibble_tools.node.merging import BUILTINS, Shipment, free_name
from dibble_tools.node.modules import executed, imported, parsed_source, walk
from dibble_tools.node.renaming import Hidden, Rename, import_of
from dibble_tools.node.short_names import Shorten

_PURE = ("array", "bytes", "bytearray", "const", "hasattr", "getattr", "range", "tuple")  # calls that do nothing else


@cache
def merged_source(shipment: Shipment, file: str) -> str:
    """Return the source of a shipment's file."""
    while True:
        try:
            return _Merge(shipment, file).source()
        except Hidden as hidden:
            shipment.avoided.add(str(hidden))
            shipment.name_in(file)


class _Merge:
    """One file in the making."""

    def __init__(self, shipment: Shipment, file: str) -> None:
        self.shipment = shipment
        self.file = file
        self.body: list[ast.stmt] = []
        self.imports: dict[tuple[str, str], str] = {}  # of what is no part of this file -> name in it
        self.done: set[str] = set()
        self.classes: dict[str, str] = {}  # of this file -> as it is written
        self.used: set[str] | None = None
        self.taken = set(BUILTINS) | shipment.avoided
        self.taken |= {name for part in shipment.files[file] for name in shipment.final[part].values()}

    def source(self) -> str:
        for part in self.shipment.files[self.file]:
            self._add(part)
        tail = [*self._spaces(), *self._aliases()]
        self.body = _used(self.body, tail, self._kept())
        if tail and "sys" not in self.imports.values():
            self.global_name("sys", "")
        in_use = _loaded([*self.body, *tail])
        head = [import_of(*key, name) for key, name in self.imports.items() if name in in_use]
        tree = ast.Module([*head, *self.body, *tail], [])
        tree = Shorten(self.shipment.private, self.shipment.named, self.classes).visit(tree)
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    def _kept(self) -> set[str]:
        """Return the names that others ask for."""
        parts = self.shipment.files[self.file]
        return {name for part in parts for name in (*self.shipment.asked[part], *self.shipment.reexported[part])}

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
                    value = Rename(self, self.shipment.modules[module]).outside(target, found)
                    body.append(ast.Assign([ast.Name(name, ast.Store())], self._taken_out(value)))
            made.append(ast.ClassDef(last, [], [], body or [ast.Pass()], []))
            made += ast.parse(f"sys.modules[{module!r}] = {last}").body
        return made

    def _taken_out(self, value: ast.expr) -> ast.expr:
        """Return what a name of this file stands for, and give up the name, where nobody else asks for it."""
        if not isinstance(value, ast.Name) or value.id in self._kept():
            return value
        given = [each for each in self.body if value.id == _only_names(each)]
        if len(given) != 1 or not isinstance(given[0], ast.Assign) or value.id in self._names_used():
            return value
        self.body.remove(given[0])
        return given[0].value

    def _names_used(self) -> set[str]:
        """Return the names that the file's statements use; of one that is taken out, nothing is missed."""
        if self.used is None:
            self.used = _loaded(self.body)
        return self.used

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
        for node in executed(module.tree.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for source, wanted, _ in imported(node):
                    target, _ = self.shipment.origin(source, wanted)
                    if self.shipment.file_of.get(target) == self.file:
                        self._add(target)
        rename = Rename(self, module)
        for statement in parsed_source(module.source).body:  # its tree is to be read only
            self.body += rename.top(statement)

    def global_name(self, module: str, name: str) -> str:
        """Return what something that isn't of this file is called here; it's imported at the top."""
        key = (module, name)
        if key not in self.imports:
            self.imports[key] = free_name(name or module.rpartition(".")[2], self.taken)
            self.taken.add(self.imports[key])
        return self.imports[key]


def _loaded(statements: Iterable[ast.stmt]) -> set[str]:
    """Return the names that statements use."""
    found: set[str] = set()
    for statement in statements:
        for node in walk(statement):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.Global):
                found |= set(node.names)
    return found


def _used(body: list[ast.stmt], tail: list[ast.stmt], kept: set[str]) -> list[ast.stmt]:
    """Return the statements less what gives a name to something nobody asks for."""
    found = {id(statement): _loaded([statement]) for statement in (*body, *tail)}
    while True:
        uses = [found[id(statement)] for statement in (*body, *tail)]
        count: dict[str, int] = {}
        for names in uses:
            for each in names:
                count[each] = count.get(each, 0) + 1
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
        calls = [node for node in walk(statement.value) if isinstance(node, ast.Call)]
        if all(isinstance(call.func, ast.Name) and call.func.id in _PURE for call in calls):
            return statement.targets[0].id
    return None
