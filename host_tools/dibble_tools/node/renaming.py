"""A module's statements in the names of the file that they are merged into."""

import ast
from collections.abc import Iterator
from typing import Any, Protocol

from dibble_tools.common.errors import InputError
from dibble_tools.node.merging import Shipment
from dibble_tools.node.modules import Module, assigned, bound_names, executed, imported, walk


class MergedFile(Protocol):
    """A file in the making, as far as those who write for it see it.

    Attributes:
        classes: of this file -> as each is written.
    """

    shipment: Shipment
    file: str
    classes: dict[str, str]

    def global_name(self, module: str, name: str) -> str:
        """Return what something that isn't of this file is called here; it's imported at the top."""
        ...


class Hidden(Exception):
    """Some local variable has the name that was chosen for what its function uses."""


def import_of(module: str, wanted: str, bound: str) -> ast.stmt:
    """Return the import of a module, or of what it has, by a name of one's own."""
    if not wanted:
        package, _, last = module.rpartition(".")
        if not package:
            return ast.Import([ast.alias(module, None if bound == module else bound)])
        module, wanted = package, last
    return ast.ImportFrom(module, [ast.alias(wanted, None if bound == wanted else bound)], 0)


class Rename(ast.NodeTransformer):
    """Gives a module's statements the names of the file that they go to."""

    def __init__(self, merge: MergedFile, module: Module) -> None:
        self.merge = merge
        self.shipment = merge.shipment
        self.module = module
        self.scopes: list[tuple[set[str], dict[str, tuple[str, str]]]] = []  # locals; local imports by name
        self.assembly = False  # in a function of inline assembler, where calls are instructions

    def top(self, statement: ast.stmt) -> list[ast.stmt]:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            asked = self.shipment.reexported[self.module.name]
            return [
                self._named(bound, source, wanted) for source, wanted, bound in imported(statement) if bound in asked
            ]
        names = {name for name, _ in assigned(statement)}
        if names and names <= set(self.module.numbers) - self.shipment.asked[self.module.name]:
            return []
        done = self.visit(statement)
        return done if isinstance(done, list) else [done] if done is not None else []

    def _named(self, bound: str, source: str, wanted: str) -> ast.stmt:
        """Return what gives something that is defined elsewhere a name here, for others to ask for."""
        value = self.outside(source, wanted)
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
            return self.outside(*module.imports[name])
        return None

    def outside(self, source: str, wanted: str) -> ast.expr:
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
                return self._seen(node.id, self.outside(*name_in))
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
        """Return an expression for a name; raise Hidden where a local variable is called so."""
        if isinstance(found, ast.Name) and found.id != written and any(found.id in bound for bound, _ in self.scopes):
            raise Hidden(found.id)
        return found

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        module = self._module_of(node.value)
        if not module or not isinstance(node.value, ast.Name):
            self.generic_visit(node)
            return node
        target, name = self.shipment.origin(module, node.attr)
        here = self.shipment.file_of[module] == self.merge.file
        if here or self.shipment.value(target, name) is not None or not self._is_local(node.value.id):
            return self._seen("", self.outside(module, node.attr))
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """A module's name as text becomes that of its file."""
        if isinstance(node.value, str) and "." in node.value:
            node.value = self.shipment.file_of.get(node.value, node.value)
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.Tuple:
        """Names of modules as texts become those of their files, each once, less what isn't there."""
        node.elts = self._files_named(node.elts)
        return node

    def _files_named(self, nodes: list[ast.expr]) -> list[ast.expr]:
        names = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        if not names or len(names) < len(nodes) or not all(map(_is_module, names)):
            return [self.visit(node) for node in nodes]
        return [ast.Constant(name) for name in dict.fromkeys(map(self.shipment.file_of.get, names)) if name]

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Return what a comparison of a text with a name for one always is."""
        known = self._text(node.left)
        other = node.comparators[0]
        if known is not None and len(node.ops) == 1 and isinstance(other, ast.Constant):
            if isinstance(node.ops[0], ast.Eq):
                return ast.Constant(known == other.value)
            if isinstance(node.ops[0], ast.NotEq):
                return ast.Constant(known != other.value)
        self.generic_visit(node)
        return node

    def _text(self, node: ast.expr) -> str | None:
        """Return the text that a name always is."""
        if not isinstance(node, ast.Name) or any(node.id in bound for bound, _ in self.scopes):
            return None
        target, name = self.module.name, node.id
        if name not in self.module.defined:
            target, name = self.shipment.origin(*(self._found(name) or ("", "")))
        return self.shipment.modules[target].texts.get(name) if target in self.shipment.modules else None

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        """Return the branch that always runs, where that is known."""
        node.test = self.visit(node.test)
        all_of = node.test.values if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And) else []
        if any(isinstance(each, ast.Constant) and each.value is False for each in all_of):
            node.test = ast.Constant(False)
        if isinstance(node.test, ast.Constant) and isinstance(node.test.value, bool):
            chosen = node.body if node.test.value else node.orelse
            return self._until_return(chosen) or [ast.Pass()]
        node.body = [made for each in node.body for made in _listed(self.visit(each))]
        node.orelse = [made for each in node.orelse for made in _listed(self.visit(each))]
        return node

    def _until_return(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return what statements become, as far as they can be reached."""
        made: list[ast.stmt] = []
        for statement in body:
            made += _listed(self.visit(statement))
            if made and isinstance(made[-1], ast.Return | ast.Raise):
                break
        return made

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test: ast.expr = self.visit(node.test)
        if isinstance(test, ast.Constant) and isinstance(test.value, bool):
            chosen: ast.expr = self.visit(node.body if test.value else node.orelse)
            return chosen
        node.test, node.body, node.orelse = test, self.visit(node.body), self.visit(node.orelse)
        return node

    def visit_Global(self, node: ast.Global) -> ast.Global:
        final = self.shipment.final[self.module.name]
        return ast.Global([final.get(name, name) for name in node.names])

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        if node.name and not self.scopes:
            node.name = self.shipment.final[self.module.name].get(node.name, node.name)
        self.generic_visit(node)
        return node

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        return self._inner_import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        return self._inner_import(node)

    def _inner_import(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        """Import what isn't of this file where it's needed; what is has its name already."""
        if not self.scopes:
            return self._conditional(node)
        left: list[ast.stmt] = []
        for source, wanted, bound in imported(node):
            if bound in self.scopes[-1][1]:
                continue  # of this file: it has its name already
            target, name = self.shipment.origin(source, wanted)
            if self.shipment.file_of.get(target) == self.merge.file or self.shipment.value(target, name) is not None:
                value = self.outside(source, wanted)
                if isinstance(value, ast.Name) and value.id == bound:
                    raise InputError(f"{self.module.name}: expected {bound} under another name where it's one of two")
                left.append(ast.Assign([ast.Name(bound, ast.Store())], value))
                continue
            if target in self.shipment.modules and name:
                name = self.shipment.final[target].get(name, name)
            target = self.shipment.file_of.get(target, target)
            left.append(import_of(target, name, bound))
        return left or [ast.Pass()]

    def _conditional(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        """Return assignments for an import under a condition, in the module's own scope."""
        made: list[ast.stmt] = []
        for source, wanted, bound in imported(node):
            target, name = self.shipment.origin(source, wanted)
            final = self.shipment.final[self.module.name][bound]
            number = self.shipment.value(target, name)
            if number is None and self.shipment.file_of.get(target) != self.merge.file:
                if target in self.shipment.modules and name:
                    name = self.shipment.final[target].get(name, name)
                made.append(import_of(self.shipment.file_of.get(target, target), name, final))
                continue
            value = self.outside(source, wanted)
            if not (isinstance(value, ast.Name) and value.id == final):
                made.append(ast.Assign([ast.Name(final, ast.Store())], value))
        return made or [ast.Pass()]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.args.defaults = [self.visit(each) for each in node.args.defaults]
        node.args.kw_defaults = [self.visit(each) if each else None for each in node.args.kw_defaults]
        if not self.scopes:
            node.name = self.shipment.final[self.module.name].get(node.name, node.name)
        before, self.assembly = self.assembly, any("asm_thumb" in ast.dump(each) for each in node.decorator_list)
        self.scopes.append(self._scope(node.args, node.body))
        node.body = self._until_return(node.body)
        self.scopes.pop()
        self.assembly = before
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if not self.assembly:
            if isinstance(node.func, ast.Name) and node.func.id == "forget":
                node.args = self._files_named(node.args)
            return self.generic_visit(node)  # type: ignore[return-value]
        node.args = [self.visit(each) for each in node.args]
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
        brought: list[str] = []
        assigned: set[str] = set(parameters)
        shared: set[str] = set()
        for statement in body:
            for node in executed([statement]):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    for source, wanted, bound in imported(node):
                        brought.append(bound)
                        target, name = self.shipment.origin(source, wanted)
                        file = self.shipment.file_of.get(target)
                        if file == self.merge.file or self.shipment.value(target, name) is not None:
                            inner[bound] = (source, wanted)
                elif isinstance(node, ast.Global):
                    shared |= set(node.names)
            assigned |= set(_bound_without_imports(statement))
        for bound in list(inner):
            if bound in assigned or brought.count(bound) > 1:
                del inner[bound]
        return (assigned | set(brought)) - shared - set(inner), inner

    def _comprehension(self, node: Any) -> Any:
        generators: list[ast.comprehension] = node.generators
        generators[0].iter = self.visit(generators[0].iter)
        names = {each.id for g in generators for each in walk(g.target) if isinstance(each, ast.Name)}
        self.scopes.append((names, {}))
        first = generators[0].iter
        generators[0].iter = ast.Constant(None)
        self.generic_visit(node)
        generators[0].iter = first
        self.scopes.pop()
        return node

    visit_ListComp = visit_GeneratorExp = visit_SetComp = visit_DictComp = _comprehension

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.bases = [self.visit(each) for each in node.bases]
        if not self.scopes:
            written, node.name = node.name, self.shipment.final[self.module.name].get(node.name, node.name)
            self.merge.classes[node.name] = written
        names: set[str] = set()
        body: list[ast.stmt] = []
        for statement in node.body:
            bound = set(bound_names(statement))
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

    def _in(self, names: set[str], node: Any) -> Any:
        self.scopes.append((set(names), {}))
        done = self.visit(node)
        self.scopes.pop()
        return done


def _bound_without_imports(statement: ast.stmt) -> Iterator[str]:
    brought = {
        bound
        for node in executed([statement])
        if isinstance(node, ast.Import | ast.ImportFrom)
        for _, _, bound in imported(node)
    }
    stored = {
        node.id
        for node in executed([statement])
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del)
    }
    for name in bound_names(statement):
        if name not in brought or name in stored:
            yield name


def _listed(made: ast.AST | list[ast.stmt] | None) -> list[ast.stmt]:
    return made if isinstance(made, list) else [] if made is None else [made]  # type: ignore[list-item]


def _is_module(text: str) -> bool:
    """Tell whether a text is the name of a module, there or not."""
    return text.startswith("dibble.") and all(map(str.isidentifier, text.split(".")))


def _constant(value: int) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))
