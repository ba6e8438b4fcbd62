"""Which module goes to which file of a firmware, and what each name is called there.

Several modules become one source: fewer files, and each name is in the heap once. What others ask for keeps its name.
"""

import ast
import builtins
from collections.abc import Iterable, Mapping

from dibble_tools.common.errors import InputError
from dibble_tools.node.modules import Module, attributes_of, imported, nodes_of
from dibble_tools.node.short_names import PrivateNames, named_in_calls, short_names

BUILTINS = frozenset(dir(builtins))


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
        self.errors = _errors(trees)
        self.told = set(beside)
        self.avoided: set[str] = set()  # names that some local variable hides
        self.final: dict[str, dict[str, str]] = {}
        for name in self.files:
            self.name_in(name)

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
            for node in nodes_of(module.tree):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    for source, wanted, bound in imported(node):
                        target, name = self.origin(source, wanted)
                        if self.file_of.get(target, module.name) == self.file_of[module.name]:
                            continue
                        for each in [name] if name else attributes_of(module.tree, bound) or [""]:
                            if self.value(target, each) is None:
                                self._ask(target, each)

    def name_in(self, file: str) -> None:
        """Give each name of a file's modules one that no other has."""
        parts = [self.modules[name] for name in self.files[file]]
        taken = set(BUILTINS) | self.avoided
        for part in parts:
            for name in sorted(self.asked[part.name]):
                if name in taken - BUILTINS:
                    raise InputError(f"expected names that differ of what is merged into {file}, got {name} twice")
                taken.add(name)
        short = short_names(taken)
        for part in parts:
            own = self.final[part.name] = {}
            for name in part.defined:
                if name in self.asked[part.name]:
                    own[name] = name
                elif name in self.errors or name in self.told or name.startswith("__"):
                    own[name] = free_name(name, taken)
                else:
                    own[name] = next(short)
                taken.add(own[name])

    def value(self, module: str, name: str) -> int | None:
        return self.modules[module].numbers.get(name) if module in self.modules else None


def _errors(trees: Iterable[ast.Module]) -> set[str]:
    """Return the classes that are exceptions, whose names people see."""
    classes = [node for tree in trees for node in nodes_of(tree) if isinstance(node, ast.ClassDef)]
    found = {
        name
        for name in BUILTINS
        if isinstance(made := getattr(builtins, name), type) and issubclass(made, BaseException)
    }
    while more := {each.name for each in classes if any(ast.unparse(base) in found for base in each.bases)} - found:
        found |= more
    return found


def free_name(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
