"""Prints what was asked for in an environment and the modules to import of each: `{"faiss-cpu 1.7.3": ["faiss"]}`.

The environment's own Python runs this file, isolated; it needs nothing but the standard library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import PurePosixPath

NO_MODULES = {"test", "tests", "testing", "example", "examples", "doc", "docs", "script", "scripts", "benchmarks"}
NO_MODULES |= {"setup", "conftest", "build", "dist", "tools", "demo", "demos", "samples"}
"""Names that packages leave beside their modules by mistake."""
ENOUGH = 20


def modules_of(name: str, files: Iterable[PurePosixPath]) -> list[str]:
    """Return the importable modules among a distribution's files: those of its own name if there are, else all.

    A folder without `__init__` is a namespace that others share, so what lies below it counts.
    """
    packages, found = set(), set()
    for file in files:
        stem = file.name.partition(".")[0]
        if file.suffix not in (".py", ".so", ".pyd") or not file.parts:
            continue
        if stem == "__init__":
            packages.add(file.parent.parts)
        elif len(file.parts) == 1:
            found.add((stem,))
    tops = {parts for parts in packages if not any(parts[:length] in packages for length in range(1, len(parts)))}
    dotted = sorted(".".join(parts) for parts in found | tops if _is_public(parts))
    same = [module for module in dotted if _plain(module) == _plain(name)]
    return (same or dotted)[:ENOUGH]


def requested() -> dict[str, list[str]]:
    """Return the distributions that somebody asked pip for, with version, and their modules."""
    found = {}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name and one.read_text("REQUESTED") is not None:
            files = [PurePosixPath(str(file)) for file in one.files or ()]
            found[f"{name} {one.version}"] = modules_of(name, files)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _is_public(parts: tuple[str, ...]) -> bool:
    return all(part.isidentifier() and not part.startswith("_") for part in parts) and parts[0] not in NO_MODULES


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    print(json.dumps(requested()))
