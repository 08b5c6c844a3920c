"""The page of a dataset: its first rows with their types, and thumbnails where a column holds pictures of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask, render_template

from minihost.datasets.partitioned import PartitionedTable
from minihost.datasets.previews import Preview, preview
from minihost.errors import HostError
from minihost.ui.objects import places, provenance
from minihost.ui.objects.addresses import address, asked
from minihost.ui.objects.dataset_place import table_of
from minihost.ui.objects.media import PICTURES, ending
from minihost.ui.objects.path_columns import PathColumn, picture_columns
from minihost.ui.objects.places import Place
from minihost.ui.objects.table_cells import NUMBERS, Cell, cell_of
from minihost.ui.workspace import Opened, Workspace

ROWS = 200
COLUMNS = 60
"""Columns that are shown at once: a page of thousands would be slow in any browser."""

MOST_PARTITIONS = 200
SAMPLE = 30
"""Rows by which columns of pictures are found."""


@dataclass(frozen=True)
class TableView:
    """What the address of a page asks for: a partition, and the number of the first column."""

    ref: str
    partition: str = ""
    column: int = 0

    def at(self, page: str, **changes: Any) -> str:
        """Return the address of a page with this view and some changes."""
        facts: dict[str, Any] = {"ref": self.ref, "partition": self.partition, "column": self.column or ""}
        return address(page, **{**facts, **changes})


@dataclass(frozen=True)
class Rows:
    """A page of rows as it is shown: columns with name, type and whether they are numbers; cells of each row."""

    columns: list[dict[str, Any]]
    rows: list[list[Cell]]
    found: Preview
    n_columns: int


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/dataset` and `/dataset/rows`."""

    def asked_for() -> tuple[Opened, Place, TableView]:
        opened, query = workspace.opened(), asked()
        column = query.get("column", "")
        number = int(column) if column.isascii() and column.isdigit() and len(column) < 6 else 0
        view = TableView(query.get("ref", ""), query.get("partition", ""), number)
        return opened, places.found(opened, "dataset", view.ref), view

    @app.get("/dataset")
    def dataset() -> str:
        opened, place, view = asked_for()
        facts: dict[str, Any] = {"place": place, "about": provenance.about(opened, place)}
        try:
            view, facts["partitions"], rows = _rows(opened, place, view, "")
            facts["table"] = rows
        except HostError as err:
            facts["mistake"] = str(err)
        return render_template(
            "dataset.html",
            view=view,
            size=provenance.size(place, provenance.QUICK) if place.is_local else None,
            **facts,
        )

    @app.get("/dataset/rows")
    def rows() -> str:
        opened, place, view = asked_for()
        view, _partitions, found = _rows(opened, place, view, asked().get("after", ""))
        return render_template("rows.html", place=place, view=view, table=found)


def _rows(opened: Opened, place: Place, view: TableView, mark: str) -> tuple[TableView, list[str], Rows]:
    """A page of rows, of the partition that is asked for or else the last one, and the names of the partitions."""
    found = table_of(place)
    partitions: list[str] = []
    if isinstance(found, PartitionedTable):
        partitions = found.partitions()
        chosen = view.partition if view.partition in partitions else partitions[-1]
        view, found = replace(view, partition=chosen), found.partition(chosen)
    return view, partitions, _shown(opened, place, preview(found, mark, ROWS), view.column)


def _shown(opened: Opened, place: Place, found: Preview, first: int) -> Rows:
    first = first if first < len(found.columns) else 0
    part = slice(first, first + COLUMNS)
    rows = [row[part] for row in found.rows]
    pictures = _pictures(opened, place, rows)
    columns = [{**column, "is_number": column["type"] in NUMBERS} for column in found.columns[part]]
    shown = [
        [
            _cell(value, column["type"], pictures.get(number))
            for number, (value, column) in enumerate(zip(row, columns, strict=True))
        ]
        for row in rows
    ]
    return Rows(columns, shown, found, len(found.columns))


def _pictures(opened: Opened, place: Place, rows: Sequence[Sequence[Any]]) -> dict[int, PathColumn]:
    """The columns of pictures, by the folders of the project: those near in the flow first."""
    sample = [[cell if isinstance(cell, str) else "" for cell in row] for row in rows[:SAMPLE]]
    folders = [one for one in places.every(opened, "folder") if one.is_local]
    near = _near(opened, place)
    return picture_columns(sample, sorted(folders, key=lambda one: one.id not in near))


def _near(opened: Opened, place: Place) -> set[str]:
    """The ids of what the steps around a dataset read and make."""
    graph = opened.graph
    steps = {node.id for node in (*graph.makers(place.id), *graph.readers(place.id))}
    return {edge.source for edge in graph.edges if edge.target in steps} | {
        edge.target for edge in graph.edges if edge.source in steps
    }


def _cell(value: Any, column_type: str, pictures: PathColumn | None) -> Cell:
    cell = cell_of(value, column_type)
    if pictures is None or not isinstance(value, str) or ending(value) not in PICTURES:
        return cell
    path = pictures.path(value)
    return (
        replace(cell, kind="picture", source=address("/picture", ref=pictures.folder.ref, path=path)) if path else cell
    )
