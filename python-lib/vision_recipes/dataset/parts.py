"""The tables that the shards of a folder wrote, gathered and proved to be one table: one row for each picture.

Which shard wrote a row is never asked: each row is found by its path, so parts come in any order, of any number of
shards, also several of them in one table, as the partitions of a dataset.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.dataset.row_spool import RowSpool
from vision_recipes.errors import PartsError, columns_listed, listed
from vision_recipes.rows import IMAGES, Column
from vision_recipes.shards import crc32
from vision_recipes.stores import DescribedTable
from vision_recipes.wording import counted

NUMBER = "number"
"""The column of tables that need not have every picture: the row's place among those that there are, from 1."""

_NEEDED = (IMAGES.name, "error", "reason")
_SHOWN = 3
_LOOKED_AT = 1000


def common_columns(parts: Sequence[DescribedTable]) -> tuple[Column, ...]:
    """Return the columns that all parts have; raises PartsError naming the part that differs from the first."""
    for part in parts:
        missing = [name for name in _NEEDED if name not in part.columns]
        if not part.columns:
            raise PartsError(f"Part {part.name!r} has no columns and no rows yet: run its shard, then merge again.")
        if missing:
            raise PartsError(
                f"Part {part.name!r} has no column {listed(map(repr, missing), _SHOWN)}, so it is not what "
                f"vision-classify, -extract or -explain writes; it has {columns_listed(part.columns)}. Connect the "
                "table of a shard."
            )
        require_numbers(part, ["error"])
    first = parts[0]
    for part in parts[1:]:
        if _described(part) != _described(first):
            differing = [pair for pair in _described(part) if pair not in _described(first)]
            lacking = [pair for pair in _described(first) if pair not in _described(part)]
            differences = [f"has {_columns(differing)}"] * bool(differing) + [f"lacks {_columns(lacking)}"] * bool(
                lacking
            )
            how = " and ".join(differences) or "has them in another order"
            raise PartsError(
                f"Part {part.name!r} has other columns than {first.name!r}: it {how}. Run all shards with the same "
                "parameters and model, then merge again."
            )
    return tuple(Column(name, first.types[name], first.comments.get(name, "")) for name in first.columns)


def require_numbers(part: DescribedTable, names: Iterable[str]) -> None:
    """Raise PartsError where columns, as far as there are such, hold text in place of numbers."""
    text = [name for name in names if part.types.get(name) == "string"]
    if text:
        raise PartsError(
            f"Part {part.name!r} has text in the column {listed(map(repr, text), _SHOWN)}, where numbers must be: a "
            "CSV file has lost its types without the schema that was written with it. Put the .schema.json of the "
            "shard beside it, or have shards write Parquet."
        )


def place_of(path: str, listing: Sequence[str]) -> int | None:
    """Return where a path is in a folder's listing, which is sorted; None when it is not there."""
    place = bisect_left(listing, path)
    return place if place < len(listing) and listing[place] == path else None


def _described(part: DescribedTable) -> list[tuple[str, str]]:
    return [(name, part.types[name]) for name in part.columns]


def _columns(pairs: Sequence[tuple[str, str]]) -> str:
    return listed((f"{name!r} ({kind})" for name, kind in pairs), _SHOWN)


@dataclass
class _Run:
    """A piece of a part whose rows are in the folder's order: all of them, unless it holds those of several shards.

    `modulus` is the greatest number that all CRC-32 of its paths leave the same remainder for; 0 for one path.
    """

    part: DescribedTable
    crc: int
    modulus: int = 0


@dataclass
class Gathered:
    """Rows of all parts, each found by its place: that of its path in the folder's listing, or its own number."""

    listing: Sequence[str]
    spool: RowSpool
    numbered: bool = False
    _runs: list[_Run] = field(default_factory=list)
    _owners: array[int] = field(default_factory=lambda: array("i"))
    _last: int = -1

    def __post_init__(self) -> None:
        if not self.numbered:
            self._owners = array("i", [-1]) * len(self.listing)

    def __len__(self) -> int:
        return len(self._owners)

    @property
    def run(self) -> int:
        """The number of the piece of a part that the last row was in: that of its shard, where each is a part."""
        return len(self._runs) - 1

    def take(self, part: DescribedTable) -> Iterator[dict[str, Any]]:
        """Yield the rows of a part as they are put away; raises PartsError for one that is foreign or doubled."""
        self._last = len(self.listing)
        for row in part.rows():
            path = str(row[IMAGES.name])
            place = self._place(path, row, part)
            self._claim(place, path, part)
            self.spool.add(row)
            yield dict(row)

    def require_all(self, count: int) -> None:
        """Raise PartsError when a row is missing; `count` is how many parts were taken."""
        absent = [place for place, owner in enumerate(self._owners) if owner < 0]
        if self.numbered:
            self._require_numbers(absent, count)
        elif absent:
            paths = [self.listing[place] for place in absent[:_LOOKED_AT]]
            raise PartsError(
                f"{counted(len(absent), 'file has', 'files have')} no row in any part: "
                f"{listed(map(repr, paths[:_SHOWN]), _SHOWN)}{' …' if len(absent) > _SHOWN else ''}. "
                f"{self._which_shard(paths)}"
            )

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield all rows by their places; `require_all` has found none missing."""
        streams = self.spool.streams()
        for owner in self._owners:
            yield next(streams[owner])

    def _place(self, path: str, row: Any, part: DescribedTable) -> int:
        place = place_of(path, self.listing)
        if place is None:
            raise PartsError(
                f"Part {part.name!r} has a row of {path!r}, which is not in the picture folder. Connect the folder "
                "that the shards saw; if files were removed since, run all shards again."
            )
        if not self.numbered:
            return place
        number = row[NUMBER]
        if not isinstance(number, int) or not 1 <= number <= len(self.listing):
            raise PartsError(
                f"Part {part.name!r}, {path!r}: the column {NUMBER} holds {number!r}, where a number from 1 to "
                f"{len(self.listing)} must be. Run its shard again."
            )
        while len(self._owners) < number:
            self._owners.append(-1)
        return number - 1

    def _claim(self, place: int, path: str, part: DescribedTable) -> None:
        owner = self._owners[place]
        if owner >= 0:
            other = self._runs[owner].part
            if other is part:
                raise PartsError(f"{path!r} is twice in part {part.name!r}. Run its shard again.")
            if other.name == part.name:
                raise PartsError(f"Part {part.name!r} is connected twice. Connect the part of each shard once.")
            raise PartsError(
                f"{path!r} is in parts {other.name!r} and {part.name!r}: is one of them of another number of shards, "
                "or a copy of the other? Connect the part of each shard once."
            )
        crc = crc32(path)
        if place <= self._last:
            self.spool.start()
            self._runs.append(_Run(part, crc))
        run, self._last = self._runs[-1], place
        run.modulus = math.gcd(run.modulus, crc - run.crc)
        self._owners[place] = len(self._runs) - 1

    def _require_numbers(self, absent: Sequence[int], count: int) -> None:
        if absent:
            rows = counted(len(absent), "row is", "rows are")
            raise PartsError(
                f"{rows} missing, the first is number {absent[0] + 1} of at least {len(self._owners)}: not all shards "
                "are connected, or not all have run. Run those that are missing, then merge again."
            )
        if len({id(run.part) for run in self._runs}) == len(self._runs) and self._modulus() % count:
            raise PartsError(
                f"{counted(count, 'part is', 'parts are')} connected, but their rows are not those of {count} shards: "
                "connect the part of every shard, also of those without rows."
            )

    def _modulus(self) -> int:
        """Return the greatest number of shards that the rows may come from, or a multiple of it; 0 when any may be."""
        return math.gcd(*(run.modulus for run in self._runs))

    def _which_shard(self, absent: Sequence[str]) -> str:
        """Return a sentence that names the shards without rows, if some path of each is in `absent` and none other."""
        modulus, crcs = self._modulus(), [crc32(path) for path in absent]
        for count in _divisors(modulus):
            present = {run.crc % count for run in self._runs}
            missing = sorted({crc % count for crc in crcs})
            if present.isdisjoint(missing):
                numbers = listed((str(number + 1) for number in missing), 10)
                noun, it = ("shard", "it") if len(missing) == 1 else ("shards", "them")
                return f"There are no rows of {noun} {numbers} of {count}: run {it}, then merge again."
        return "Run the shards that they are in again, or connect their parts, then merge again."


def _divisors(number: int) -> Iterator[int]:
    """Yield the divisors of a number, from 2 to a number of shards that may be."""
    for divisor in range(2, min(number, 100_000) + 1):
        if number % divisor == 0:
            yield divisor
