"""Datasets as tables: rows stream in and out, text stays as written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dataiku

from dss_ports.recipes import input_name, input_names, output_name
from vision_recipes.errors import LabelsError, OutputError
from vision_recipes.rows import Column


class InputDataset:
    """A dataset of the host, as the core's Table."""

    def __init__(self, dataset: dataiku.Dataset) -> None:
        self._dataset = dataset
        self.name = str(dataset.short_name)
        schema = dataset.read_schema(raise_if_empty=False)
        self.columns = [str(column["name"]) for column in schema]
        self.types = {str(column["name"]): str(column.get("type") or "string") for column in schema}
        self.comments = {str(column["name"]): str(column.get("comment") or "") for column in schema}

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield every row as a dict; cells are typed by the dataset's schema, and text is never reinterpreted."""
        for row in self._dataset.iter_rows():
            yield dict(row)


class OutputDataset:
    """A dataset of the host to write, as the core's OutputTable."""

    def __init__(self, dataset: dataiku.Dataset) -> None:
        self._dataset = dataset

    def write(self, columns: Iterable[Column], rows: Iterable[Mapping[str, Any]]) -> int:
        """Write the schema, then the rows as they come; return how many."""
        self._dataset.write_schema([_described(column) for column in columns])
        written = 0
        with self._dataset.get_writer() as writer:
            for row in rows:
                writer.write_row_dict(row)
                written += 1
        return written


class EditableDataset:
    """A dataset of the host that is read and replaced in turn, as the core's EditableTable."""

    def __init__(self, name: str) -> None:
        self._dataset = dataiku.Dataset(name)
        self.name = str(self._dataset.short_name)

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order; none of a dataset that was never written. Raises LabelsError."""
        return [str(column["name"]) for column in self._schema()]

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield every row as a dict; cells are typed by the dataset's schema. Raises LabelsError."""
        try:
            yield from InputDataset(self._dataset).rows()
        except Exception as err:  # hosts raise types of their own for storage errors
            raise self._unreadable(err) from err

    def rewrite(self, more: Iterable[Column], rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace all rows; the columns stay, and `more` come after them. Raises OutputError."""
        try:
            if added := [_described(column) for column in more]:
                self._dataset.write_schema([*self._schema(), *added])
            with self._dataset.get_writer() as writer:
                for row in rows:
                    writer.write_row_dict(row)
        except Exception as err:  # hosts raise types of their own for storage errors
            words = (isinstance(err, OSError) and err.strerror) or err
            raise OutputError(f"Dataset {self.name} could not be written: {words}. Check rights and space.") from err

    def _schema(self) -> list[dict[str, Any]]:
        try:
            return [dict(column) for column in self._dataset.read_schema(raise_if_empty=False)]
        except Exception as err:
            raise self._unreadable(err) from err

    def _unreadable(self, err: Exception) -> LabelsError:
        return LabelsError(f"Dataset {self.name} could not be read: {err} Check it, or choose another.")


def input_table(role: str) -> InputDataset | None:
    """Return the dataset that fills an input role, or None when the role is empty."""
    name = input_name(role)
    return InputDataset(dataiku.Dataset(name)) if name else None


def input_tables(role: str) -> list[InputDataset]:
    """Return the datasets that fill an input role which takes several, in order."""
    return [InputDataset(dataiku.Dataset(name)) for name in input_names(role)]


def table_to_read(project_key: str, chosen: str) -> InputDataset | None:
    """Return the dataset that a macro reads, or None when none was chosen."""
    return InputDataset(dataiku.Dataset(chosen, project_key=project_key)) if chosen else None


def optional_output_table(role: str) -> OutputDataset | None:
    """Return the dataset that fills an output role, or None when the role is empty."""
    return output_table(role) if output_name(role) else None


def output_table(role: str) -> OutputDataset:
    """Return the dataset that fills an output role; raises OutputError when the role is empty."""
    name = output_name(role)
    if not name:
        raise OutputError(f"Output role {role!r} is empty. Choose a dataset for it.")
    return OutputDataset(dataiku.Dataset(name))


def _described(column: Column) -> dict[str, Any]:
    content = {"arrayContent": {"type": "double"}} if column.type == "array" else {}
    return {"name": column.name, "type": column.type, "comment": column.comment, **content}
