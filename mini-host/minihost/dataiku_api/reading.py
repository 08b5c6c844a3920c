"""Reading a dataset for a component: which rows and columns, and as what."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from minihost.dataiku_api.missing_names import misuse
from minihost.datasets import Table, cells, frames
from minihost.errors import DataError, counted

log = logging.getLogger(__name__)
BY_COLUMN = ("random-column", "sort-column")
"""The ways of sampling that look at one column."""


@dataclass(frozen=True)
class ReadOptions:
    """What a call asked for; the fields are the arguments of `Dataset.get_dataframe`."""

    columns: list[str] | None = None
    sampling: str = "head"
    sampling_column: str | None = None
    limit: int | None = None
    ratio: float | None = None
    ascending: bool = True
    infer_with_pandas: bool = True
    parse_dates: bool = True
    bool_as_str: bool = False
    int_as_float: bool = False
    use_nullable_integers: bool = False
    categoricals: Any = None
    float_precision: Any = None
    na_values: Any = None
    keep_default_na: bool = True
    date_parser: Any = None
    override_dtypes: Any = None
    pandas_read_kwargs: Any = None

    @classmethod
    def of(cls, arguments: dict[str, Any]) -> ReadOptions:
        """Return the options that a method's arguments stand for."""
        names = {field.name for field in fields(cls)}
        found = {name: value for name, value in arguments.items() if name in names}
        if found.get("columns") is not None:
            found["columns"] = [*found["columns"]]  # an index or array of pandas and numpy too
        return cls(**found)

    def read(self) -> list[str] | None:
        """The columns to read, None for all: those asked for, and the one that decides about the rows."""
        if self.columns is None or self.sampling_column is None or self.sampling not in BY_COLUMN:
            return None if self.columns is None else [*self.columns]
        return [*dict.fromkeys([*self.columns, self.sampling_column])]


def frame(data: Table, options: ReadOptions) -> Any:
    """Return one frame."""
    _check(data, options)
    data = _narrowed(data, options)
    whole = options.sampling == "head"
    arguments = _arguments(data, options)
    if whole and options.limit is not None:
        arguments["nrows"] = int(options.limit)
    found = frames.read(data.pandas_source(), data.columns(), arguments)
    return _finished(found if whole else _sampled(found, options).copy(), data, options)


def chunks(data: Table, options: ReadOptions, size: int) -> Iterator[Any]:
    """Yield frames of at most `size` rows; sampling other than by head or ratio reads everything first."""
    _check(data, options)
    data = _narrowed(data, options)
    by_ratio = options.sampling == "random" and options.ratio is not None and options.limit is None
    if options.sampling != "head" and not by_ratio:
        found = frame(data, options)
        for start in range(0, len(found), size):
            yield found.iloc[start : start + size].copy()
        return
    arguments = {**_arguments(data, options), "chunksize": int(size)}
    if options.limit is not None:
        arguments["nrows"] = int(options.limit)
    for chunk in frames.read(data.pandas_source(), data.columns(), arguments):
        yield _finished(chunk.sample(frac=options.ratio) if by_ratio else chunk, data, options)


def _check(data: Table, options: ReadOptions) -> None:
    if not data.exists():
        raise DataError(f"Dataset {data.path} has no data yet. Build it first.")
    names = [column["name"] for column in data.columns()]
    missing = [name for name in options.read() or [] if name not in names]
    if missing:
        raise DataError(
            f"Dataset {data.path} has no column {', '.join(map(repr, missing))}. Columns: {', '.join(names)}."
        )


def _arguments(data: Table, options: ReadOptions) -> dict[str, Any]:
    """The arguments of pandas.read_csv that make these types."""
    columns = data.columns()
    dtypes: dict[str, Any] = {}
    if not options.infer_with_pandas:
        dtypes = frames.dtypes(
            columns,
            nullable=options.use_nullable_integers,
            bool_as_str=options.bool_as_str,
            int_as_float=options.int_as_float,
        )
    for column in columns:
        if column["type"] in cells.DATES or (column["type"] == "boolean" and options.bool_as_str):
            dtypes[column["name"]] = "object"
    names = [column["name"] for column in columns]
    chosen = names if options.categoricals == "all" else options.categoricals or []
    dtypes.update(dict.fromkeys(chosen, "category"))
    dtypes.update(options.override_dtypes or {})
    arguments = {"dtype": dtypes, "na_values": options.na_values, "keep_default_na": options.keep_default_na}
    if options.float_precision is not None:
        arguments["float_precision"] = options.float_precision
    if (wanted := options.read()) is not None:
        arguments["usecols"] = wanted
        arguments["dtype"] = {name: kind for name, kind in dtypes.items() if name in wanted}
    return {**arguments, **(options.pandas_read_kwargs or {})}


def _finished(found: Any, data: Table, options: ReadOptions) -> Any:
    """Return a frame that is the component's own: pandas 2 warns of changes in a slice of another."""
    if options.columns is not None:
        found = found.reindex(columns=options.columns)
    if options.parse_dates:
        found = frames.with_dates(found, data.columns())
    return frames.unescaped(found) if data.escaped else found


def _sampled(found: Any, options: ReadOptions) -> Any:
    if options.sampling == "random":
        if options.ratio is not None:
            found = found.sample(frac=options.ratio)
            return found if options.limit is None else found.head(int(options.limit))
        return found.sample(n=min(len(found), int(options.limit if options.limit is not None else len(found))))
    if options.sampling in BY_COLUMN and options.sampling_column not in found.columns:
        raise DataError(f"sampling={options.sampling!r} needs sampling_column, got {options.sampling_column!r}.")
    if options.sampling == "sort-column":
        found = found.sort_values(options.sampling_column, ascending=options.ascending, kind="stable")
        return found if options.limit is None else found.head(int(options.limit))
    if options.sampling != "random-column":
        raise DataError(f"sampling={options.sampling!r} is not known: head, random, random-column or sort-column.")
    counts = found[options.sampling_column].value_counts(dropna=False, sort=False).to_dict()
    return found[found[options.sampling_column].isin(_chosen(counts, options))]


def _chosen(counts: dict[Any, int], options: ReadOptions) -> list[Any]:
    """Values of the sampling column, at random: a part of them, or as many as have together `limit` rows."""
    values = list(counts)
    random.shuffle(values)
    if options.ratio is not None:
        return values[: round(len(values) * options.ratio)]
    chosen, rows = [], 0
    for value in values:
        if options.limit is not None and rows >= options.limit:
            break
        chosen.append(value)
        rows += counts[value]
    return chosen


def tuples(data: Table, options: ReadOptions, log_every: int = -1) -> Iterator[tuple[Any, ...]]:
    """Yield each row, values cast by the types of the schema; raises `DataError` naming the cell that does not fit."""
    _check(data, options)
    data = _narrowed(data, options)
    columns = data.columns()
    names = [column["name"] for column in columns]
    positions = [names.index(name) for name in (options.columns or names)]
    readers = [(position, cells.reader(columns[position]["type"])) for position in positions]
    is_typed = hasattr(data, "values")
    for number, row in enumerate(_rows(data, options)):
        try:
            if is_typed:
                values = [row[position] for position in positions]
            else:
                values = [read(row[position]) for position, read in readers]
        except ValueError as err:
            raise DataError(
                f"Dataset {data.path}, row {number + 1}: {err}. Correct the cell, or declare the column as string."
            ) from err
        yield tuple(values)
        if log_every > 0 and (number + 1) % log_every == 0:
            log.info("read %s of %s", counted(number + 1, "row"), data.path)


def _narrowed(data: Any, options: ReadOptions) -> Any:
    """A database hands out only the columns and rows that are asked for."""
    if not hasattr(data, "narrowed"):
        return data
    limit = int(options.limit) if options.sampling == "head" and options.limit is not None else None
    return data.narrowed(list(dict.fromkeys(options.read() or ())) or None, limit)


def _rows(data: Any, options: ReadOptions) -> Iterator[Any]:
    """Rows as they are stored, sampled: texts, or typed values of what has such."""
    limit = None if options.limit is None else int(options.limit)
    if options.sampling == "random-column":
        yield from _rows_of_values(data, options)
        return
    rows = _stored(data)
    if options.sampling == "random":
        if options.ratio is not None:
            rows = (row for row in rows if random.random() < options.ratio)
        elif limit is not None:
            rows = iter(_reservoir(rows, limit))
    elif options.sampling != "head":
        raise DataError(f"sampling={options.sampling!r} is for frames; rows are read with head, random, random-column.")
    for number, row in enumerate(rows):
        if limit is not None and number >= limit:
            return
        yield row


def _stored(data: Any) -> Iterator[Any]:
    """Rows of typed values, of texts and numbers, or of texts alone: the first that the data offers."""
    for offered in ("values", "stored_rows", "text_rows"):
        if hasattr(data, offered):
            return iter(getattr(data, offered)())
    raise TypeError(f"{data!r} has no rows")


def _rows_of_values(data: Any, options: ReadOptions) -> Iterator[Any]:
    """The rows of some values of a column; the data is read twice, so that memory holds the values alone."""
    names = [column["name"] for column in data.columns()]
    if options.sampling_column not in names:
        raise DataError(f"sampling={options.sampling!r} needs sampling_column, got {options.sampling_column!r}.")
    place = names.index(options.sampling_column)
    chosen = {*_chosen(Counter(row[place] for row in _stored(data)), options)}
    yield from (row for row in _stored(data) if row[place] in chosen)


def _reservoir(rows: Iterator[list[str]], size: int) -> list[list[str]]:
    kept: list[list[str]] = []
    for number, row in enumerate(rows):
        if number < size:
            kept.append(row)
        elif (place := random.randint(0, number)) < size:
            kept[place] = row
    return kept


def check_frame(df: Any) -> None:
    """Refuse what is no data frame, by what it offers; raises `DataError` with the line that gave it."""
    if not hasattr(df, "iloc") or not hasattr(df, "columns"):
        raise misuse(f"A pandas DataFrame is expected, got {type(df).__name__}: {df!r:.60}.")
