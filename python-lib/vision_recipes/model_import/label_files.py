"""Labels as other tools write them: tables, JSON, one name per line, Teachable Machine's numbered lines."""

from __future__ import annotations

import codecs
import csv
import io
import re

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.labels import MAX_LENGTH, read_labels
from vision_recipes.model_import.label_json import has_names, names_in_json

_NUMBERS = ("id", "index", "idx", "number", "class_id", "classid", "class_index", "label_id", "label_index", "output")
_NAMES = ("classname", "class_name", "name", "label", "class", "label_name", "category", "title")
_SEPARATORS = ",;\t|"
_EITHER = [(0, 1), (1, 0)]


def read_foreign_labels(content: bytes, where: str, n_classes: int) -> tuple[str, ...]:
    """Return one name per class, in output order, from a table, JSON or a list of names.

    Lines that all start with their own number, as in `0 Cat`, lose it. Names are text as written.
    """
    text = decode(content, where)
    if [cell.strip() for cell in text.split("\n", 1)[0].split(",")] == ["id", "className"]:
        return read_labels(text.encode(), where, n_classes)
    if text.lstrip()[:1] in ("{", "["):
        names = names_in_json(text, where)
    else:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        while lines and not lines[-1].strip():
            lines.pop()
        if lines and (lines[0].startswith("#") or lines[0].rstrip().endswith(":")):
            raise ModelFolderError(
                f"{where} starts with {lines[0][:60]!r}, which is no label but a comment or a heading. Write one label "
                "per line and nothing else, or a table with the columns id,className."
            )
        names = _of_table("\n".join(lines), where) or _of_lines(lines, n_classes)
    if len(names) != n_classes:
        raise ModelFolderError(
            f"{where} has {len(names)} names, but the network gives {n_classes} scores: one line per class is needed, "
            "or a table with the columns id,className. Give the right file as labels_file."
        )
    if any(len(name) > MAX_LENGTH for name in names):
        raise ModelFolderError(f"{where} has a name of more than {MAX_LENGTH} characters.")
    return tuple(names)


def has_labels(content: bytes) -> bool:
    """Return whether a JSON file, which may be about something else, has labels among other things."""
    try:
        return has_names(decode(content, ""))
    except ModelFolderError:
        return False


def decode(content: bytes, where: str) -> str:
    """Return the text of a file in UTF-8, UTF-16 or Windows-1252, without a byte-order mark."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ModelFolderError(f"{where} is not text in UTF-8, UTF-16 or Windows-1252. Save the labels as UTF-8 text.")


def _of_table(text: str, where: str) -> list[str]:
    """Return the names of a table of numbers and names, in any order of rows and columns; [] for what is none."""
    for separator in _SEPARATORS:
        rows = _rows(text, separator)
        if len(rows) < 2 or len({len(row) for row in rows}) > 1 or len(rows[0]) < 2:
            continue
        columns = _columns(rows[0])
        names = _in_order(rows[1:] if columns else rows, columns or _EITHER)
        if names:
            return names
        if columns:
            raise ModelFolderError(
                f"{where} is a table of {', '.join(map(repr, rows[0][:6]))} whose numbers are not 0 to "
                f"{len(rows) - 2}, each once, so its names cannot be given to the scores. Write it as id,className."
            )
    return []


def _columns(head: list[str]) -> list[tuple[int, int]]:
    """Return the columns (number, name) that the head of a table tells; both ways where it could be either, or []."""
    cells = [cell.strip().lower().replace(" ", "_") for cell in head]
    if len(cells) == 2 and cells[0] in ("", "unnamed:_0"):  # pandas writes its index so
        return [(0, 1)]
    numbers = [place for place, cell in enumerate(cells) if cell in _NUMBERS]
    names = [place for place, cell in enumerate(cells) if cell in _NAMES]
    if numbers and names:
        return [(numbers[0], names[0])]
    return _EITHER if names == [0, 1] and len(cells) == 2 else []


def _rows(text: str, separator: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if row]
    except csv.Error:
        return []


def _in_order(rows: list[list[str]], columns: list[tuple[int, int]]) -> list[str]:
    """Return the names by the numbers beside them, which are those from 0 or 1, each once; [] when they are not."""
    for number, name in columns if len(rows[0]) == 2 or len(columns) == 1 else []:
        cells = [row[number].strip() for row in rows]
        if all(cell.isascii() and cell.isdigit() and len(cell) < 10 for cell in cells):
            named = {int(cell): row[name] for cell, row in zip(cells, rows, strict=True)}
            for first in (0, 1):
                if sorted(map(int, cells)) == list(range(first, first + len(rows))):
                    return [named[place] for place in sorted(named)]
    return []


def _of_lines(lines: list[str], n_classes: int) -> list[str]:
    """Return one name per line, without the number when every line starts with its own, from 0."""
    if len(lines) == n_classes + 1 and lines[0].strip().strip('"').lower() in _NAMES:
        lines = lines[1:]
    numbered = [re.fullmatch(r"\s*(\d+)[ \t:.)-]+(.+)", line) for line in lines]
    if lines and all(match and int(match[1]) == number for number, match in enumerate(numbered)):
        return [match[2] for match in numbered if match]
    return lines
