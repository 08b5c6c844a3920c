"""The recipe from the tables of a folder's shards to the table that one run would have written."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vision_recipes import rows
from vision_recipes.classify import MAX_REVIEW, Flagged
from vision_recipes.dataset.parts import Gathered, common_columns, place_of, require_numbers
from vision_recipes.dataset.row_spool import RowSpool
from vision_recipes.errors import PartsError, SettingsError, listed
from vision_recipes.images.reading import list_pictures
from vision_recipes.local_folders import work_folder
from vision_recipes.report_columns import EXPLAINED
from vision_recipes.stores import DescribedTable, OutputTable, Store
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

Row = dict[str, Any]

_MAPS = "overlay"


@dataclass(frozen=True)
class Parts:
    """What the shards wrote: their tables, what each flagged for review, and folders of saliency maps."""

    tables: Sequence[DescribedTable]
    reviews: Sequence[DescribedTable] = ()
    folders: Sequence[Store] = ()


@dataclass(frozen=True)
class MergeOutputs:
    """Where the whole goes; `review` and `folder` if their parts are connected."""

    merged: OutputTable
    review: OutputTable | None = None
    folder: Store | None = None


def merge(pictures: Store, parts: Parts, outputs: MergeOutputs) -> None:
    """Write the table of the whole folder, and with it what is to be reviewed and the saliency maps.

    It has one row for each file, in the folder's order; that of vision-explain has those that were explained, by their
    numbers. Every part is read once, from start to end, and nothing is written before all are proved to fit: raises
    PartsError, PictureFolderError, SettingsError, OutputError.
    """
    started = time.perf_counter()
    _require_outputs(parts, outputs)
    listing = list_pictures(pictures)
    columns = common_columns(parts.tables)
    numbered = [column.name for column in columns] == [column.name for column in EXPLAINED]
    holds_vectors = (columns[1].name, columns[1].type) == (rows.VECTOR.name, rows.VECTOR.type)
    maps = _Maps(parts.folders) if outputs.folder is not None else None
    with (
        work_folder("vision-merge-") as workdir,
        RowSpool(workdir / "rows", columns, rows.VECTOR.name if holds_vectors else "") as spool,
    ):
        gathered = Gathered(listing, spool, numbered=numbered)
        flagged, reasons = _gather(parts, gathered, maps)
        review = None if outputs.review is None else _review(parts, listing, flagged)
        written = outputs.merged.write(columns, (_restored(row, numbered) for row in gathered.rows()))
    if review is not None and outputs.review is not None:
        outputs.review.write(rows.REVIEW, review)
    if maps is not None and outputs.folder is not None:
        maps.copy(outputs.folder)
    words = (counted(written, "row"), counted(len(parts.tables), "part"), time.perf_counter() - started)
    log.info("merged %s of %s in %.1f s: every row is there, and none twice", *words)
    if reasons:
        counts = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
        log.info("%s no result: %s", counted(reasons.total(), "file has", "files have"), counts)


def _gather(parts: Parts, gathered: Gathered, maps: _Maps | None) -> tuple[int, Counter[str]]:
    """Take the rows of all parts; return how many were listed for review, and why some have no result."""
    flagged, reasons = Counter[int](), Counter[str]()
    for part in parts.tables:
        for row in gathered.take(part):
            flagged[gathered.run] += row.get(rows.VERDICT.name) in (rows.UNSURE, rows.UNKNOWN)
            if row["error"]:
                reasons[str(row["reason"])] += 1
            if maps is not None:
                maps.require(row, part.name)
    gathered.require_all(len(parts.tables))
    return sum(min(count, MAX_REVIEW) for count in flagged.values()), reasons


def _require_outputs(parts: Parts, outputs: MergeOutputs) -> None:
    if not parts.tables:
        raise SettingsError("part_datasets: no part is connected. Connect the tables that the shards wrote.")
    for role, given, output, chosen in (
        ("review_parts", parts.reviews, "review_dataset", outputs.review),
        ("part_folders", parts.folders, "merged_folder", outputs.folder),
    ):
        if given and chosen is None:
            raise SettingsError(f"{output}: {role} has parts, but there is nothing to write them to. Choose an output.")
        if chosen is not None and not given:
            raise SettingsError(f"{role}: {output} is to be written, but no parts of it are connected.")


def _restored(row: Row, explained: bool) -> Row:
    """Return a row as its shard wrote it: beside a result, some text is empty, and comes back as None from a table."""
    if row["error"]:
        return row
    return row | {name: row[name] or "" for name in (("reason", "warning") if explained else ("reason",))}


def _review(parts: Parts, listing: Sequence[str], expected: int) -> list[Row]:
    """Return what one run would list for review; `expected` is how many rows all parts must have."""
    seen, flagged, count = set[str](), Flagged(), 0
    for part in parts.reviews:
        missing = [column.name for column in rows.REVIEW if column.name not in part.columns]
        if missing:
            raise PartsError(
                f"Part {part.name!r} of review_parts has no column {listed(map(repr, missing), 3)}, so it is not the "
                "review_dataset of vision-classify. Connect that of a shard."
            )
        require_numbers(part, (column.name for column in rows.REVIEW if column.type != "string"))
        for row in part.rows():
            path = str(row[rows.IMAGES.name])
            if path in seen or place_of(path, listing) is None:
                raise PartsError(
                    f"Part {part.name!r} of review_parts has a row of {path!r}, which is not in the picture folder, or "
                    "in another part too. Connect the part of each shard once."
                )
            seen.add(path)
            flagged.add(dict(row))
            count += 1
    if count != expected:
        raise PartsError(
            f"The parts of review_parts have {counted(count, 'row')}, but {expected} are flagged as unsure or unknown "
            "in those of part_datasets. Connect the review_dataset of every shard, of the same runs."
        )
    return flagged.highest_first()


class _Maps:
    """The saliency maps in the folders of the shards, each known by its path; copied when all rows are found."""

    def __init__(self, folders: Sequence[Store]) -> None:
        self._places: dict[str, Store] = {path: folder for folder in folders for path in folder.paths()}
        self._needed: list[str] = []

    def require(self, row: Mapping[str, Any], part: str) -> None:
        """Note the file of a row; raises PartsError when no folder has it."""
        path = row.get(_MAPS)
        if not path:
            return
        if path not in self._places:
            raise PartsError(
                f"Part {part!r} says that {path} is the saliency map of {row[rows.IMAGES.name]!r}, but no folder of "
                "part_folders has such a file. Connect the heat_folder of every shard."
            )
        self._needed.append(path)

    def copy(self, target: Store) -> None:
        """Write the files of all rows into a folder."""
        for path in sorted(self._needed):
            with self._places[path].open(path) as stream:
                target.write(path, stream)
