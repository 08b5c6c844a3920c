"""Says what is wrong with the Python files of a plugin: read as text, never imported or run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minihost.lenient_json import LenientJsonError, read_text
from minihost.plugins.findings import Finding

_PYTHON_2 = re.compile(
    r"""^\s*print\s+[\w"'%(]   # print as a statement
    | ^\s*print\s*$
    | ^\s*except\s+[\w.()\s,]+?,\s*\w+\s*:
    | ^\s*raise\s+[\w.]+\s*,
    | ^\s*exec\s+["'\w]
    | <>
    | \bur["']
    | \b0[0-7]+\b(?![.\w])
    | \b\d+[lL]\b
    | `[^`]+`""",
    re.VERBOSE,
)
"""What Python 2 allowed and Python 3 does not, seen in one line."""


def check_python(path: Path, where: str, needed: str = "") -> Iterator[Finding]:
    """A file that is missing, does not compile, or lacks the `do` function or the `class` it must have."""
    if not path.is_file():
        yield Finding("code-missing", where, "there is no such file")
        return
    tree = _compiled(path)
    if isinstance(tree, _NotCompiled):
        yield Finding("code-python-2" if tree.is_python_2 else "code-syntax", where, str(tree))
    elif needed == "do" and not _names(tree) & {"do", "*"}:
        yield Finding("code-do", where, "has no function do(payload, config, plugin_config, inputs)")
    elif needed == "class" and not _has_class(tree):
        yield Finding("code-class", where, "has no class that derives from dataiku.runnables.Runnable")


def check_library(folder: Path) -> Iterator[Finding]:
    """Modules of `python-lib` that do not compile: whether any component imports them is not known."""
    for path in sorted(folder.rglob("*.py")) if folder.is_dir() else ():
        tree = _compiled(path)
        if isinstance(tree, _NotCompiled):
            yield Finding("library-syntax", f"{folder.name}/{path.relative_to(folder).as_posix()}", str(tree))


@dataclass(frozen=True)
class _NotCompiled:
    """Why a file does not compile."""

    reason: str
    is_python_2: bool = False

    def __str__(self) -> str:
        return f"{'is Python 2: ' if self.is_python_2 else ''}does not compile: {self.reason}"


def _compiled(path: Path) -> ast.Module | _NotCompiled:
    try:
        text = read_text(path)
        with warnings.catch_warnings(action="ignore"):  # of escapes in texts of others
            return ast.parse(text.removeprefix("\ufeff"))  # Python takes a byte order mark
    except SyntaxError as err:
        return _NotCompiled(f"{err.msg} in line {err.lineno}", is_python_2(text, err))
    except (ValueError, RecursionError, LenientJsonError) as err:
        return _NotCompiled(str(err).removeprefix(f"{path}: "))


def _names(tree: ast.Module) -> set[str]:
    """The names that a module may give to others: what it defines, assigns or imports; `*` for what it cannot say."""
    nodes = list(ast.walk(tree))
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {
        alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def _has_class(tree: ast.Module) -> bool:
    """Whether a module defines a class that derives from another, or may import one from a module of the plugin."""
    if any(isinstance(node, ast.ClassDef) and node.bases for node in ast.walk(tree)):
        return True
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return any(module.partition(".")[0] != "dataiku" for module in modules)


def is_python_2(text: str, err: SyntaxError) -> bool:
    """Whether what Python 3 does not compile was written for Python 2: seen in the line where it gave up."""
    lines = text.splitlines()
    line = lines[err.lineno - 1] if err.lineno and err.lineno <= len(lines) else ""
    return isinstance(err, TabError) or bool(_PYTHON_2.search(line))
