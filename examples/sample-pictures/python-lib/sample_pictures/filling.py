"""A folder filled with sample pictures, and what to tell the user about it."""

from __future__ import annotations

import html
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sample_pictures import houses, uploads
from sample_pictures.drawing import draw
from sample_pictures.errors import UserError
from sample_pictures.settings import Settings

log = logging.getLogger("sample_pictures")

TABLES = {"photo-uploads": uploads, "house-prices": houses}
"""The samples with a table, and the module that writes it."""


def fill(
    folder: Any, settings: Settings, progress: Callable[[int], object], table_folder: Any = None
) -> dict[str, object]:
    """Draw pictures into a `dataiku.Folder`, beside what is there, and return facts to show, by their names.

    `progress` is called with each whole percent once. `table_folder` takes the table of the samples in TABLES. Raises
    UserError when a file cannot be written.
    """
    started, drawn, reported = time.monotonic(), Counter[str](), 0
    paths: list[str] = []
    name, before = folder.get_name(), set(folder.list_paths_in_partition())
    for path, jpeg in draw(settings.sample, settings.count, settings.seed):
        _write(folder, path, jpeg)
        paths.append(path)
        before.discard(path)
        drawn[_label(path)] += 1
        percent = 100 * drawn.total() // settings.count
        if percent > reported:
            reported = percent
            progress(percent)
    if settings.sample in TABLES:
        tables = TABLES[settings.sample]
        _write(table_folder, tables.TABLE, tables.table(paths, settings.seed))
    seconds = time.monotonic() - started
    log.info("drew %d pictures of %s into %s, %.1f s", drawn.total(), settings.sample, name, seconds)
    return {
        "Sample": settings.sample,
        "Folder": name,
        "Pictures": drawn.total(),
        "Beside them, from before": len(before),
        "Of each kind": ", ".join(f"{label} {number}" for label, number in sorted(drawn.items())),
        "Seed": settings.seed,
        "Hint": "Another seed draws other pictures, under other names.",
    }


def _write(folder: Any, path: str, content: bytes) -> None:
    try:
        folder.upload_data(path, content)
    except Exception as err:  # hosts raise their own types for storage errors
        name = folder.get_name()
        raise UserError(f"Could not write {path} into folder {name}: {err}. Check rights and space.") from err


def summary(facts: Mapping[str, object]) -> str:
    """Return facts as an HTML table of names and values, escaped."""
    rows = (f"<tr><th>{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>" for name, value in facts.items())
    return f'<table class="table table-condensed"><tbody>{"".join(rows)}</tbody></table>'


def _label(path: str) -> str:
    folder, _slash, name = path.strip("/").rpartition("/")
    if name.startswith("house_"):
        return name.rpartition("_")[2].removesuffix(".jpg")
    return folder or (name.split("_pic_")[0] if "_pic_" in name else "photo")
