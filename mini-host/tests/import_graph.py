"""Reads which file of a package imports which: every import counts, also those in functions and for type checkers."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Yield the full dotted names that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    waiting = set()
    for node in ast.walk(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            waiting |= {id(child) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if top_level_only and id(node) in waiting:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def touches(names, forbidden) -> list[str]:
    """Return those of some dotted names that are one of the forbidden packages or lie in one."""
    return sorted(name for name in names if any(name == bad or name.startswith(bad + ".") for bad in forbidden))


def graph(package: Path) -> dict[str, set[str]]:
    """Return module -> the modules of the same package that its file imports, for every file of a package."""
    modules = {_module(path, package): path for path in sorted(package.rglob("*.py"))}
    return {module: set(_own(path, modules)) - {module} for module, path in modules.items()}


def cycles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Return every group of modules that import each other in a circle, directly or by way of others."""
    reached = {module: _reached(module, arrows) for module in arrows}
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in arrows
        if module in reached[module]
    }
    return sorted(list(group) for group in groups)


def _module(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _own(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Yield the modules that a file imports: `from a.b import c` is the module `a.b.c` where there is one, else `a.b`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (
                name if name in modules else node.module for name in names if {name, node.module} & set(modules)
            )


def _reached(module: str, arrows: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(arrows[module])
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += arrows[here]
    return found
