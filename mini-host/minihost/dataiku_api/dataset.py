"""`dataiku.Dataset`: reading and writing a dataset as frames, rows or raw text."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from minihost.dataiku_api import reading, session, sql_places
from minihost.dataiku_api.definitions import custom_fields, definition
from minihost.dataiku_api.exports import raw_stream
from minihost.dataiku_api.handle import Handle
from minihost.dataiku_api.metrics import ComputedMetrics
from minihost.dataiku_api.missing_names import Telling
from minihost.dataiku_api.writer import DatasetWriter
from minihost.datasets import Table, cells, frames, schema, table
from minihost.datasets.remote import fetched
from minihost.datasets.sql import is_sql
from minihost.errors import DataError, UnfitDataError
from minihost.folders import is_remote


class Schema(Telling, list):
    """The columns of a dataset: a list of dicts with `name`, `type` …"""

    _dss_name = "Schema"


class Dataset(Handle):
    """A handle on a dataset, by short or full name."""

    _dss_name = "dataiku.Dataset"
    _kind = session.DATASET

    def __init__(self, name, project_key=None, ignore_flow=False):
        super().__init__(name, project_key, ignore_flow)
        self.cols = None  # what older releases keep of a schema that nobody asked for yet
        self.read_partitions = None if self._is_output else self._partitions or None
        self.writePartition = self._partitions[0] if self._is_output and self._partitions else ""
        options = self._known.options if self._known is not None else {}
        self.spec_item = {"appendMode": bool(options.get("append", False))}

    @staticmethod
    def list(project_key=None):
        """Return the names of the project's datasets."""
        return [reference.name for reference in session.current().everything(session.DATASET)]

    def get_config(self):
        """Return the definition of the dataset: type, params, schema, partitioning …"""
        return definition(self._reference, self._reading().columns())

    def get_location_info(self, sensitive_info=False):
        """Return where the data lies."""
        return sql_places.location_info(self._reference)

    def get_files_info(self, partitions=()):
        """Return the files of the dataset with their size and date."""
        from minihost.folders.local import LocalFolder

        place = Path(self._there([]).path if is_remote(self._reference.path) else self._reference.path)
        root, names = (place, LocalFolder(place).paths()) if place.is_dir() else (place.parent, [f"/{place.name}"])
        found = [(name, LocalFolder(root).facts(name)) for name in names]
        files = [{"path": name, "size": at.size, "lastModified": int(at.modified * 1000)} for name, at in found if at]
        return {"globalPaths": files, "pathsByPartition": {}}

    def read_metadata(self):
        """Return the notes kept with the dataset: tags, checklists, custom fields."""
        notes = {"checklists": {"checklists": []}, "tags": [], "custom": {"kv": {}}}
        notes["customFields"] = custom_fields(self._reference)
        return copy.deepcopy(self._reference.options.get("metadata", notes))

    def write_metadata(self, meta):
        """Keep notes with the dataset, for as long as the run lasts."""
        self._reference.options["metadata"] = copy.deepcopy(meta)

    def list_partitions(self, raise_if_empty=True):
        """Return the partitions, `["NP"]` for a dataset that has none."""
        found = self._reading()
        partitions = found.partitions() if hasattr(found, "partitions") else ["NP"]
        if raise_if_empty and not partitions:
            raise DataError(f"Dataset {self.full_name} has no partitions yet.")
        return partitions

    def set_write_partition(self, spec):
        """Choose the partition to write; inside a recipe the job chooses."""
        if self._session.job.kind == "recipe" and not self._ignore_flow:
            raise DataError("You cannot explicitly set partitions when running within a recipe: the job chooses them.")
        self.writePartition = spec

    def add_read_partitions(self, spec):
        """Add a partition to read; inside a recipe the job chooses."""
        if self._session.job.kind == "recipe" and not self._ignore_flow:
            raise DataError("You cannot explicitly set partitions when running within a recipe: the job chooses them.")
        self.read_partitions = [*(self.read_partitions or []), spec]

    def read_schema(self, raise_if_empty=True):
        """Return the columns as a list of dicts; raises when there are none, unless `raise_if_empty` is False."""
        columns = Schema(copy.deepcopy(self._reading().columns()))
        if raise_if_empty and not columns:
            raise DataError(f"Dataset {self.full_name} has no schema yet. Build it, or write_schema first.")
        return columns

    def get_dataframe(
        self,
        columns=None,
        sampling="head",
        sampling_column=None,
        limit=None,
        ratio=None,
        ascending=True,
        infer_with_pandas=True,
        parse_dates=True,
        bool_as_str=False,
        int_as_float=False,
        use_nullable_integers=False,
        categoricals=None,
        float_precision=None,
        na_values=None,
        keep_default_na=True,
        print_deep_memory_usage=True,
        skip_additional_data_checks=False,
        date_parser=None,
        override_dtypes=None,
        pandas_read_kwargs=None,
    ):
        """Return the data as one frame. By default pandas infers the types, except of dates; see the contract, 13.2."""
        return reading.frame(self._reading(), reading.ReadOptions.of(locals()))

    def iter_dataframes(
        self,
        chunksize=10000,
        infer_with_pandas=True,
        sampling="head",
        sampling_column=None,
        parse_dates=True,
        limit=None,
        ratio=None,
        columns=None,
        bool_as_str=False,
        int_as_float=False,
        use_nullable_integers=False,
        categoricals=None,
        ascending=True,
        float_precision=None,
        na_values=None,
        keep_default_na=True,
        date_parser=None,
        override_dtypes=None,
        pandas_read_kwargs=None,
    ):
        """Yield the data as frames of at most `chunksize` rows, with the rules of `get_dataframe` for each."""
        yield from reading.chunks(self._reading(), reading.ReadOptions.of(locals()), chunksize)

    def iter_dataframes_forced_types(
        self,
        names,
        dtypes,
        parse_date_columns,
        chunksize=10000,
        sampling="head",
        sampling_column=None,
        limit=None,
        ratio=None,
        ascending=True,
        float_precision=None,
        na_values=None,
        keep_default_na=True,
        date_parser=None,
        pandas_read_kwargs=None,
    ):
        """Yield the data as frames whose columns have these dtypes."""
        options = {**locals(), "columns": names, "infer_with_pandas": True, "override_dtypes": dtypes}
        options["parse_dates"] = bool(parse_date_columns)
        yield from reading.chunks(self._reading(), reading.ReadOptions.of(options), chunksize)

    @staticmethod
    def get_dataframe_schema_st(
        schema, columns=None, parse_dates=True, infer_with_pandas=False, bool_as_str=False, int_as_float=False
    ):
        """Return (names, dtypes, date columns) with which `get_dataframe` reads data of this schema."""
        chosen = [column for column in schema if columns is None or column["name"] in columns]
        dates = [column["name"] for column in chosen if column["type"] in cells.DATES] if parse_dates else []
        kinds = frames.dtypes(chosen, nullable=False, bool_as_str=bool_as_str, int_as_float=int_as_float)
        return [column["name"] for column in chosen], None if infer_with_pandas else kinds, dates

    def iter_rows(
        self, sampling="head", sampling_column=None, limit=None, ratio=None, log_every=-1, timeout=30, columns=None
    ):
        """Yield each row as a dict, values cast by the types of the schema; empty cells are None."""
        options = reading.ReadOptions.of(locals())
        names = options.columns or [column["name"] for column in self._reading().columns()]
        for row in reading.tuples(self._reading(), options, log_every):
            yield dict(zip(names, row, strict=True))

    def iter_tuples(
        self, sampling="head", sampling_column=None, limit=None, ratio=None, log_every=-1, timeout=30, columns=None
    ):
        """Yield each row as a tuple, values cast by the types of the schema; empty cells are None."""
        yield from reading.tuples(self._reading(), reading.ReadOptions.of(locals()), log_every)

    def raw_formatted_data(
        self, sampling=None, columns=None, format="tsv-excel-noheader", format_params=None, read_session_id=None
    ):
        """Return the data as a closable binary stream: excel, json, tsv-excel-header or tsv-excel-noheader."""
        return raw_stream(self._reading(), columns, format)

    def write_with_schema(self, df, drop_and_create=False, **kwargs):
        """Replace the schema by that of the frame, then the data."""
        reading.check_frame(df)
        columns = schema.checked(frames.columns_of(df), self.full_name)
        if not columns:
            self.write_schema(columns)
        self._writing()
        with DatasetWriter(self, columns) as writer:  # what is there is replaced at once, so it need not fit the schema
            writer.write_dataframe(df)

    def write_dataframe(self, df, infer_schema=False, drop_and_create=False, **kwargs):
        """Replace the data, by position, and keep the schema (unless it is to be inferred)."""
        reading.check_frame(df)
        if infer_schema:
            self.write_schema_from_dataframe(df, drop_and_create, **kwargs)
        with self.get_writer() as writer:
            writer.write_dataframe(df)

    def write_from_dataframe(self, df, infer_schema=False, write_direct=False, drop_and_create=False):
        """Write a frame (the older name of `write_dataframe`)."""
        self.write_dataframe(df, infer_schema, drop_and_create)

    def write_schema(self, columns, drop_and_create=False, **kwargs):
        """Replace the schema by these columns. Rows of this run that cannot have them count as not written."""
        written = self._writing()
        try:
            written.set_columns(columns)
        except UnfitDataError:
            if self._session.stage(self._reference, ignore_flow=self._ignore_flow) is None:
                raise
            written.discard()
            written.set_columns(columns)

    def write_schema_from_dataframe(self, df, drop_and_create=False, **kwargs):
        """Replace the schema by that of a frame."""
        reading.check_frame(df)
        self.write_schema(frames.columns_of(df))

    def get_writer(self):
        """Return a writer of rows and frames, for `with`; the schema is looked up at the first write."""
        self._writing()
        return DatasetWriter(self)

    def get_last_metric_values(self, partition=""):
        """Return the metrics computed so far in this run."""
        return ComputedMetrics(self._reference.options.get("metrics", []))

    def _reading(self) -> Table:
        """The data as this run sees it: what it wrote, else what was there."""
        stage = self._session.current_stage(self._reference)
        wanted = list(self.read_partitions or [])
        if stage is not None:
            staged = sql_places.staged(stage, self._reference, wanted)
            if staged.exists() or staged.columns():
                return staged
        return self._there(wanted)

    def _writing(self) -> Any:
        """The data as this run writes it."""
        stage = self._session.stage(self._reference, ignore_flow=self._ignore_flow)
        wanted = [self.writePartition] if self.writePartition else []
        return self._there(wanted) if stage is None else sql_places.staged(stage, self._reference, wanted)

    def _previous(self) -> Table | None:
        """The data to append to, if this run appends: what it wrote already, else what was there."""
        if not self.spec_item.get("appendMode"):
            return None
        if (sql := is_sql(self._reference.path)) and not self._reference.options.get("append"):
            raise DataError(
                f"Dataset {self.full_name}: rows are added to a SQL table where flow.yaml says `append: true`; "
                "`appendMode` alone does not do it."
            )
        written = self._writing()
        if written.exists():
            return written
        return None if sql else self._there([self.writePartition] if self.writePartition else [])

    def _there(self, partitions: Sequence[str]) -> Table:
        """The data as it was before the run; of a remote dataset a copy, which goes with the working directory."""
        if is_remote(self._reference.path) and not is_sql(self._reference.path):
            return fetched(self._reference, self._session.fetched)
        return table(self._reference.path, self._reference.options, [*partitions])

    def _columns_to_write(self) -> Iterator[dict[str, Any]]:
        columns = self._writing().columns()
        if not columns:
            with contextlib.suppress(DataError):  # what is replaced need not be a table
                columns = self._there([]).columns()
        yield from columns
