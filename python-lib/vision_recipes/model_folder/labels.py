"""The labels of a model: `id,className`, one row per output, names being text as written."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from vision_recipes.errors import ModelFolderError

MAX_LENGTH = 10_000
MAX_BYTES = 64 << 20


def read_labels(content: bytes, where: str, n_classes: int | None = None) -> tuple[str, ...]:
    """Return the class names in output order; ids must be exactly 0 .. n-1, each once, in any order of rows.

    Without `n_classes`, as many as there are rows. Names may repeat; nothing is read as missing or as a number.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as err:
        raise ModelFolderError(f"{where} cannot be read as UTF-8 CSV: {err}. Write it again as id,className.") from err
    if not rows or [cell.strip() for cell in rows[0]] != ["id", "className"]:
        found = f"it starts with {','.join(rows[0])[:60]!r}" if rows else "it is empty"
        raise ModelFolderError(f"{where} must start with the line id,className; {found}.")
    names: dict[int, str] = {}
    for number, row in enumerate((row for row in rows[1:] if row), start=2):
        if len(row) != 2 or not row[0].strip().isascii() or not row[0].strip().isdigit() or len(row[0]) > 9:
            raise ModelFolderError(f"{where}, row {number}: {row[:3]} is not a number from 0 and a name.")
        if len(row[1]) > MAX_LENGTH:
            raise ModelFolderError(f"{where}, row {number}: the name has {len(row[1])} characters, over {MAX_LENGTH}.")
        if int(row[0]) in names:
            raise ModelFolderError(f"{where}, row {number}: the id {int(row[0])} is given twice.")
        names[int(row[0])] = row[1]
    expected = len(names) if n_classes is None else n_classes
    missing = [i for i in range(min(expected, len(names) + 1)) if i not in names]
    if len(names) != expected or missing:
        gap = f"; the first missing id is {missing[0]}" if missing else ""
        raise ModelFolderError(
            f"{where} names {len(names)} classes, but the network gives {expected} scores "
            f"(ids 0 to {expected - 1}){gap}."
        )
    return tuple(names[i] for i in range(expected))


def write_labels(names: Sequence[str]) -> bytes:
    """Return the CSV of the names, in output order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "className"])
    writer.writerows(enumerate(names))
    return text.getvalue().encode()


def unique_keys(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names made unique: one that occurs more than once gets its id, as in `crane (134)`."""
    counts = Counter(names)
    taken = {name for name in names if counts[name] == 1}
    keys = []
    for i, name in enumerate(names):
        key = name if counts[name] == 1 else f"{name} ({i})"
        while counts[name] > 1 and key in taken:
            key += f" ({i})"
        taken.add(key)
        keys.append(key)
    return tuple(keys)
