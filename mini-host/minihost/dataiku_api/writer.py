"""The writer of a dataset: rows or frames, streamed; the schema is looked up at the first write."""

from __future__ import annotations

import logging
from typing import Any

from minihost.dataiku_api.missing_names import Telling, misuse
from minihost.errors import counted

log = logging.getLogger(__name__)


class DatasetWriter(Telling):
    """Writes one dataset. Its data appear when it is closed; closing without a write makes an empty dataset."""

    _dss_name = "DatasetWriter"

    def __init__(self, dataset: Any, columns: list[dict[str, Any]] | None = None) -> None:
        self._dataset = dataset
        self._given = columns
        self._writer: Any = None
        self._columns: list[dict[str, Any]] = []
        self._closed = False
        self._warned = False

    def write_row_dict(self, row_dict):
        """Write a row given as a dict; columns that it lacks stay empty, keys that are no columns do not count."""
        writer = self._open()
        writer.write([[row_dict.get(column["name"]) for column in self._columns]])

    def write_row_array(self, row):
        """Write a row given as its values in the order of the schema."""
        writer = self._open()
        if len(row) != len(self._columns):
            raise misuse(
                f"Dataset {self._dataset.full_name} has {counted(len(self._columns), 'column')}, "
                f"the row has {counted(len(row), 'value')}."
            )
        writer.write([list(row)])

    def write_tuple(self, row):
        """Write a row given as its values in the order of the schema."""
        self.write_row_array(row)

    def write_dataframe(self, df):
        """Write a frame by position: it has as many columns as the schema. One without rows and columns is nothing."""
        from minihost.dataiku_api.reading import check_frame

        check_frame(df)
        if df.shape == (0, 0):
            return
        writer = self._open()
        if len(df.columns) != len(self._columns):
            raise misuse(
                f"Dataset {self._dataset.full_name} has {counted(len(self._columns), 'column')} "
                f"({_names(self._columns)}), the frame has {len(df.columns)}. "
                "Use write_with_schema, or write the schema first."
            )
        self._warn_of_order([str(name) for name in df.columns])
        writer.write_frame(df)

    def close(self):
        """Put the data in place; a second call does nothing."""
        if self._closed:
            return
        if self._writer is None:
            self._begin()
        self._end()
        written = False
        try:
            self._writer.close()
            written = True
        finally:
            self._settle(keep=written)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        elif self._writer is not None and not self._closed:
            self._end()
            self._writer.abandon()
            self._settle(keep=False)

    def _open(self) -> Any:
        if self._closed:
            raise misuse(f"The writer of dataset {self._dataset.full_name} is closed already.")
        if self._writer is None:
            self._begin()
            if not self._columns:
                self._drop()
                raise misuse(
                    f"Dataset {self._dataset.full_name} has no schema yet. Call write_schema or "
                    "write_schema_from_dataframe before writing rows."
                )
        return self._writer

    def _warn_of_order(self, given: list[str]) -> None:
        """Say, once, where a frame has columns of the schema at other positions: the platform swaps them in silence."""
        wanted = [column["name"] for column in self._columns]
        moved = [(name, place) for name, place in zip(given, wanted, strict=True) if name != place and name in wanted]
        if not moved or self._warned:
            return
        self._warned = True
        log.warning(
            "Dataset %s is written by position, as in DSS: column %r of the frame becomes %r. "
            "Order the frame like the schema if that is not meant.",
            self._dataset.full_name,
            *moved[0],
        )

    def _end(self) -> None:
        self._closed = True
        self._dataset._session.unclosed.pop(self._dataset.full_name, None)

    def _settle(self, *, keep: bool) -> None:
        self._dataset._session.settle(self._dataset._reference, keep=keep)

    def _drop(self) -> None:
        self._dataset._session.unclosed.pop(self._dataset.full_name, None)
        self._writer.abandon()
        self._writer = None

    def _begin(self) -> None:
        self._columns = self._given or list(self._dataset._columns_to_write())
        self._writer = self._dataset._writing().writer(self._columns, append_to=self._dataset._previous())
        self._dataset._session.unclosed[self._dataset.full_name] = None


def _names(columns: list[dict[str, Any]]) -> str:
    return ", ".join(column["name"] for column in columns)
