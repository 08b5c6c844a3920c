"""Says what is wrong with the Python files of a plugin: read as text, never imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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
    try:
        text = read_text(path)
        tree = ast.parse(text, filename=where)
    except SyntaxError as err:
        reason = f"does not compile: {err.msg} in line {err.lineno}"
        is_old = is_python_2(text, err)
        yield Finding(
            "code-python-2" if is_old else "code-syntax", where, f"is Python 2: {reason}" if is_old else reason
        )
        return
    except (ValueError, RecursionError, LenientJsonError) as err:
        yield Finding("code-syntax", where, f"does not compile: {err}")
        return
    if needed == "do" and not _names(tree) & {"do", "*"}:
        yield Finding("code-do", where, "has no function do(payload, config, plugin_config, inputs)")
    if needed == "class" and not _has_class(tree):
        yield Finding("code-class", where, "has no class (a subclass of dataiku.runnables.Runnable)")


def _names(tree: ast.Module) -> set[str]:
    """The names that a module may give to others: what it defines, assigns or imports; `*` for what it cannot say."""
    nodes = list(ast.walk(tree))
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {
        alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def _has_class(tree: ast.Module) -> bool:
    """Whether a module defines a class, or may import one from another module of the plugin."""
    if any(isinstance(node, ast.ClassDef) for node in ast.walk(tree)):
        return True
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return any(module.partition(".")[0] != "dataiku" for module in modules)


def is_python_2(text: str, err: SyntaxError) -> bool:
    """Whether what Python 3 does not compile was written for Python 2: seen in the line where it gave up."""
    lines = text.splitlines()
    line = lines[err.lineno - 1] if err.lineno and err.lineno <= len(lines) else ""
    return bool(_PYTHON_2.search(line))
