"""The Python modules of a plugin as syntax trees: what they define and import, found by name, never run."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minihost.lenient_json import LenientJsonError, read_text

Function = ast.FunctionDef | ast.AsyncFunctionDef
MAX_DEPTH = 8
"""Imports of imports are followed so far."""


@dataclass
class Module:
    """One file: its functions, classes and texts at the top, and what its names are imported from."""

    path: Path
    name: str
    tree: ast.Module
    definitions: dict[str, Function | ast.ClassDef] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name -> (module, name in it); an empty name stands for the module itself."""
    stars: list[str] = field(default_factory=list)

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Definition:
    """A function or class, and the module that it stands in."""

    module: Module
    node: Function | ast.ClassDef


class Library:
    """The modules under some folders, read when they are asked for."""

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self._read: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """The module of that name; None where it is not among the folders or does not compile."""
        if name not in self._read:
            self._read[name] = None
            places = [folder / name.replace(".", "/") for folder in self.folders]
            files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
            found = next((file for file in files if name and file.is_file()), None)
            self._read[name] = read_module(found, name) if found else None
        return self._read[name]

    def definition(self, module: Module, dotted: str, depth: int = 0) -> Definition | None:
        """What a name such as `load` or `settings.load` means in a module, imports followed."""
        head, _, rest = dotted.partition(".")
        if head in module.definitions and not rest:
            return Definition(module, module.definitions[head])
        if depth > MAX_DEPTH:
            return None
        if head in module.imported:
            origin, name = module.imported[head]
            inner = ".".join(part for part in (name, rest) if part)
            return self._inside(origin, inner, depth)
        if dotted in module.imported or rest:
            longest = next((known for known in module.imported if dotted.startswith(f"{known}.")), "")
            return self._inside(module.imported[longest][0], dotted[len(longest) + 1 :], depth) if longest else None
        for star in module.stars:
            if found := self._inside(star, dotted, depth):
                return found
        return None

    def _inside(self, origin: str, dotted: str, depth: int) -> Definition | None:
        module = self.module(origin)
        if module is not None and dotted and (found := self.definition(module, dotted, depth + 1)):
            return found
        head, _, rest = dotted.partition(".")
        return self._inside(f"{origin}.{head}", rest, depth + 1) if rest and depth < MAX_DEPTH else None

    def text(self, module: Module, dotted: str, depth: int = 0) -> str | None:
        """The text that a constant such as `KEY`, `Keys.NAME` or `Keys.NAME.value` holds."""
        dotted = dotted.removesuffix(".value")
        if dotted in module.texts:
            return module.texts[dotted]
        head, _, rest = dotted.partition(".")
        if depth > MAX_DEPTH:
            return None
        for origin, name in (
            [module.imported[head]] if head in module.imported else [(star, "") for star in module.stars]
        ):
            inner = ".".join(part for part in (name, rest if head in module.imported else dotted) if part)
            for place, rest_of in ((origin, inner), (f"{origin}.{name}", rest)):
                found = self.module(place)
                if found and (answer := self.text(found, rest_of, depth + 1)) is not None:
                    return answer
        return None


def read_module(path: Path, name: str) -> Module | None:
    """Read one file; None where it cannot be read or does not compile."""
    try:
        tree = ast.parse(read_text(path))
    except (SyntaxError, ValueError, RecursionError, LenientJsonError):
        return None
    module = Module(path, name, tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            _add_import_from(module, node)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module.imported[alias.asname or alias.name] = (alias.name, "")
    for node in tree.body:
        _add_definition(module, node, "")
    return module


def _add_import_from(module: Module, node: ast.ImportFrom) -> None:
    origin = node.module or ""
    if node.level:
        parts = module.package.split(".") if module.package else []
        base = parts[: len(parts) - node.level + 1]
        origin = ".".join([*base, *([origin] if origin else [])])
    for alias in node.names:
        if alias.name == "*":
            module.stars.append(origin)
        else:
            module.imported[alias.asname or alias.name] = (origin, alias.name)


def _add_definition(module: Module, node: ast.stmt, prefix: str) -> None:
    """Note a function, a class or a text; those under `if` and `try` at the top too."""
    if isinstance(node, Function | ast.ClassDef) and not prefix:
        module.definitions[node.name] = node
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            _add_definition(module, inner, f"{prefix}{node.name}.")
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        for target in node.targets:
            if isinstance(target, ast.Name):
                module.texts[prefix + target.id] = node.value.value
    if isinstance(node, ast.If | ast.Try):
        for inner in [*node.body, *node.orelse]:
            _add_definition(module, inner, prefix)


def literal(node: ast.expr) -> Any:
    """The value that is written down; None for anything else."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str | int | float | bool | list | dict) else None
