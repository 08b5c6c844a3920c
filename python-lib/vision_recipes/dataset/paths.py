"""Cells of a table as text, and paths that somebody wrote as paths of the folder's listing."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any


def label_text(cell: Any) -> str | None:
    """Return a cell as text as written (`NA` and `007` are text like any other), or None when it is missing."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    text = ("true" if cell else "false") if isinstance(cell, bool) else str(cell)
    return text if text.strip() else None


def path_finder(paths: Iterable[str]) -> Callable[[Any], str | None]:
    """Return a function from a path as someone wrote it to the path of the listing that it means, or None."""
    exact = {_bare(path): path for path in paths}
    folded: dict[str, str | None] = {}
    for bare, path in exact.items():
        composed = unicodedata.normalize("NFC", bare)
        folded[composed] = None if composed in folded else path

    def find(cell: Any) -> str | None:
        written = label_text(cell)
        if written is None:
            return None
        bare = _bare(written)
        if (path := exact.get(bare) or folded.get(unicodedata.normalize("NFC", bare))) is not None:
            return path
        return exact.get(_bare(written.replace("\\", "/")))

    return find


def _bare(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/".join(parts)
