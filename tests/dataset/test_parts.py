"""Tables of shards, gathered: what is wrong is named by path and part; rows come back as they went in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from vision_recipes.dataset.parts import Gathered, common_columns
from vision_recipes.dataset.row_spool import RowSpool
from vision_recipes.errors import PartsError
from vision_recipes.rows import CLASSIFIED, Column
from vision_recipes.shards import Shard

UNTYPED = tuple(Column(column.name, "string") for column in CLASSIFIED)
LISTING = [f"/{number:03}.png" for number in range(60)]


class Part:
    """The table of a shard, in memory."""

    def __init__(self, name: str, paths: list[str], columns: tuple[Column, ...] = CLASSIFIED, **cells: Any) -> None:
        self.name, self._paths, self._cells = name, paths, cells
        self.columns = [column.name for column in columns]
        self.types = {column.name: column.type for column in columns}
        self.comments = {column.name: column.comment for column in columns}

    def rows(self) -> Iterator[dict[str, Any]]:
        for path in self._paths:
            number = {"number": LISTING.index(path) + 1} if "number" in self.columns and path in LISTING else {}
            yield {"images": path, "error": 0, "reason": None, **number, **self._cells}


def shards(count: int, listing: list[str] = LISTING, **options: Any) -> list[Part]:
    return [Part(f"part{number}", Shard(number, count).of(listing), **options) for number in range(1, count + 1)]


def merged(parts: list[Part], workdir: Path, *, numbered: bool = False) -> list[str]:
    with RowSpool(workdir / "rows", common_columns(parts)) as spool:
        gathered = Gathered(LISTING, spool, numbered=numbered)
        for part in parts:
            for _ in gathered.take(part):
                pass
        gathered.require_all(len(parts))
        return [row["images"] for row in gathered.rows()]


def test_parts_come_in_any_order_and_several_in_one(tmp_path: Path) -> None:
    one, two, three = shards(3)
    assert merged([three, one, two], tmp_path) == LISTING
    both = Part("both", [*Shard(3, 3).of(LISTING), *Shard(1, 3).of(LISTING)])
    assert merged([both, two], tmp_path) == LISTING


def test_a_missing_shard_is_named_by_its_number(tmp_path: Path) -> None:
    parts = shards(4)
    with pytest.raises(PartsError, match=r"files have no row in any part: '/.*There are no rows of shard 3 of 4: run"):
        merged([parts[0], parts[1], parts[3]], tmp_path)
    with pytest.raises(PartsError, match=r"no rows of shards 1, 2 of 4"):
        merged(parts[2:], tmp_path)
    cut = Part("cut", Shard(3, 4).of(LISTING)[:-1])
    lost = Shard(3, 4).of(LISTING)[-1]
    with pytest.raises(PartsError, match=f"1 file has no row in any part: '{lost}'. Run the shards that they are in"):
        merged([*parts[:2], cut, parts[3]], tmp_path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (Part("other", ["/000.png"]), "'/000.png' is in parts 'part1' and 'other'|'part2' and 'other'"),
        (Part("other", ["/new.png"]), "Part 'other' has a row of '/new.png', which is not in the picture folder"),
        (Part("other", [], columns=()), "Part 'other' has no columns and no rows yet"),
        (Part("other", [], columns=CLASSIFIED[:3]), "Part 'other' has no column 'reason'"),
        (Part("other", [], columns=(*CLASSIFIED, Column("x", "int"))), r"than 'part1': it has 'x' \(int\)\. Run all"),
        (Part("other", [], columns=(*CLASSIFIED[:-2], Column("probability", "string"), CLASSIFIED[-1])), "lacks 'pro"),
        (Part("other", [], columns=CLASSIFIED[::-1]), "it has them in another order"),
        (Part("other", [], columns=UNTYPED), "has text in the column 'error', where numbers must be: a CSV"),
    ],
    ids=("doubled", "foreign", "empty", "another table", "more columns", "other types", "order", "no types"),
)
def test_what_does_not_fit_is_named(more: Part, message: str, tmp_path: Path) -> None:
    with pytest.raises(PartsError, match=message):
        merged([*shards(2), more], tmp_path)


def test_a_row_twice_in_one_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartsError, match="'/004.png' is twice in part 'part1'"):
        merged([Part("part1", [*LISTING, "/004.png"])], tmp_path)
    one, two = shards(2)
    with pytest.raises(PartsError, match="Part 'part2' is connected twice"):
        merged([one, two, shards(2)[1]], tmp_path)


def test_numbered_rows_have_no_gap(tmp_path: Path) -> None:
    columns, some = (*CLASSIFIED, Column("number", "int")), LISTING[:20]
    parts = shards(2, some, columns=columns)
    assert merged(parts, tmp_path, numbered=True) == some
    with pytest.raises(PartsError, match=r"rows are missing, the first is number \d+ of at least \d+"):
        merged(parts[:1], tmp_path, numbered=True)
    with pytest.raises(PartsError, match="3 parts are connected, but their rows are not those of 3 shards"):
        merged([*shards(2, some, columns=columns), Part("none", [], columns)], tmp_path, numbered=True)


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    columns = [Column("images", "string"), Column("prediction", "array"), Column("day", "date"), Column("n", "double")]
    rows: list[dict[str, Any]] = [
        {"images": "a\n\udcff", "prediction": None, "day": datetime(2024, 2, 29, 1, 2, 3, 4000, UTC), "n": 0.1},
        {"images": "", "prediction": [0.5, -1.0], "day": date(2024, 2, 29), "n": 1e-320},
        {"images": None, "prediction": [0.1, 1e300], "day": "2024", "n": None},
        {"images": "x" * 50_000, "prediction": [float(number) for number in range(20_000)], "day": None, "n": -0.0},
    ]
    with RowSpool(tmp_path / "rows", columns, "prediction") as spool:
        assert spool.start() == 0
        spool.add(rows[0])
        spool.add(rows[1])
        assert spool.start() == 1
        spool.add(rows[2] | {"prediction": "[0.1, 1e300]"})
        spool.add(rows[3])
        first, second = spool.streams()
        assert repr([next(second), next(first), next(second), next(first)]) == repr(
            [rows[2], rows[0], rows[3], rows[1]]
        )
        assert list(first) == list(second) == []
