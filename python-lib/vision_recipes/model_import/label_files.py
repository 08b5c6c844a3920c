"""Labels as other tools write them: id,className tables, one name per line, Teachable Machine's numbered lines."""

from __future__ import annotations

import csv
import io
import re

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.labels import MAX_LENGTH, read_labels


def read_foreign_labels(content: bytes, where: str, n_classes: int) -> tuple[str, ...]:
    """Return one name per class, in output order, from a table with id and className or a list of names.

    Lines that all start with their own number, as in `0 Cat`, lose it. Names are text as written.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise ModelFolderError(f"{where} is not UTF-8 text: {err}. Save it as UTF-8.") from err
    first = text.split("\n", 1)[0].strip()
    if [cell.strip() for cell in first.split(",")] == ["id", "className"]:
        return read_labels(content, where, n_classes)
    lines = [line.rstrip("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if _are_rows(lines):
        return read_labels(("id,className\n" + "\n".join(lines)).encode(), where, n_classes)
    numbered = [re.fullmatch(r"\s*(\d+)[ \t:]+(.+)", line) for line in lines]
    if lines and all(match and int(match[1]) == number for number, match in enumerate(numbered)):
        lines = [match[2] for match in numbered if match]
    if len(lines) != n_classes:
        raise ModelFolderError(
            f"{where} has {len(lines)} names, but the network gives {n_classes} scores: one line per class is needed, "
            "or a table with the columns id,className."
        )
    if any(len(line) > MAX_LENGTH for line in lines):
        raise ModelFolderError(f"{where} has a name of more than {MAX_LENGTH} characters.")
    return tuple(lines)


def _are_rows(lines: list[str]) -> bool:
    """Return whether all lines are `number,name` with the numbers from 0, in any order."""
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines), newline=""), strict=True))
    except csv.Error:
        return False
    numbers = {row[0].strip() for row in rows if len(row) == 2}
    return bool(rows) and numbers == {str(number) for number in range(len(rows))}
