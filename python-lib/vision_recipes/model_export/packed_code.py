"""Some modules of this package as a zip: those that a module imports, and those that they import."""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "vision_recipes"
_ROOT = Path(__file__).resolve().parents[2]
_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(module: str) -> bytes:
    """Return a zip with a module's file and all that it needs of this package; the same code gives the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(needed_files(module)):
            info = zipfile.ZipInfo(path.relative_to(_ROOT).as_posix(), _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())
    return target.getvalue()


def needed_files(module: str) -> set[Path]:
    """Return the files of a module and of all modules of this package that it imports, in functions too."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        for path in _files(waiting.pop()):
            if path not in found:
                found.add(path)
                waiting += _imports(path)
    return found


def _files(module: str) -> Iterator[Path]:
    """Yield the file of a module and those of the packages that it lies in; nothing for what is no module of ours."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        place = _ROOT.joinpath(*parts[:count])
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path


def _imports(path: Path) -> Iterator[str]:
    """Yield the names of this package that a file imports, also those that are no modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in names if name.split(".")[0] == PACKAGE)
