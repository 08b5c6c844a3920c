"""`dataiku.SQLExecutor2`: queries of a component against the database of a dataset or connection of the project."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from minihost.dataiku_api import session
from minihost.dataiku_api.dataset import Dataset
from minihost.dataiku_api.missing_names import Telling, misuse
from minihost.datasets import cells, frames
from minihost.datasets.sql import Location, is_sql, located
from minihost.errors import DataError
from minihost.suggestions import did_you_mean, one_of


class SQLExecutor2(Telling):
    """Runs statements in one database. What they change stays only after a `COMMIT` among the post queries."""

    _dss_name = "dataiku.SQLExecutor2"

    def __init__(self, connection=None, dataset=None):
        self._location = _location(connection, dataset)

    def query_to_df(
        self,
        query,
        pre_queries=None,
        post_queries=None,
        extra_conf=None,
        infer_from_schema=False,
        parse_dates=True,
        bool_as_str=False,
        dtypes=None,
        script_steps=None,
        script_input_schema=None,
        script_output_schema=None,
    ):
        """Return the rows of a query as a frame, without columns for a statement that has none."""
        from minihost.dataiku_api.query_answer import Answer

        with self._carried_out(query, pre_queries, post_queries) as found:
            rows = Answer(found, self._location) if found.returns_rows else None
            if rows is None:
                import pandas as pd

                return pd.DataFrame()
            columns = rows.columns()
            kinds = dict(dtypes or {})
            if infer_from_schema and not kinds:
                kinds = frames.dtypes(columns, nullable=False, bool_as_str=bool_as_str, int_as_float=False)
            kinds |= {one["name"]: "object" for one in columns if one["type"] in cells.DATES}
            frame = frames.read(rows.pandas_source(), columns, {"dtype": kinds})
            return frames.with_dates(frame, columns) if parse_dates else frame

    def query_to_iter(
        self,
        query,
        pre_queries=None,
        post_queries=None,
        extra_conf=None,
        script_steps=None,
        script_input_schema=None,
        script_output_schema=None,
    ):
        """Return a reader of the rows of a query, one at a time."""
        return QueryReader(self, query, pre_queries, post_queries)

    @staticmethod
    def exec_recipe_fragment(
        output_dataset,
        query,
        pre_queries=None,
        post_queries=None,
        overwrite_output_schema=True,
        drop_partitioned_on_schema_mismatch=False,
    ):
        """Replace the rows of an output by those of a query to the database that it lies in."""
        from minihost.dataiku_api.query_answer import Answer

        output = output_dataset if isinstance(output_dataset, Dataset) else Dataset(output_dataset)
        executor = SQLExecutor2(dataset=output)
        with executor._carried_out(query, pre_queries, post_queries) as found:
            if not found.returns_rows:
                raise DataError(f"exec_recipe_fragment: a query that answers rows is wanted, a SELECT, got {query!r}.")
            rows = Answer(found, executor._location)
            if overwrite_output_schema:
                output.write_schema(rows.columns())
            with output.get_writer() as writer:
                for row in rows.values():
                    writer.write_tuple(row)

    @contextlib.contextmanager
    def _carried_out(self, query: str, before: Any, after: Any, *, streamed: bool = False) -> Iterator[Any]:
        """The answer of a query, with the statements before it; those after it are carried out at the end.

        A streamed answer of a SELECT does not come into memory as a whole.
        """
        from minihost.datasets.sql.connections import connected

        with connected(self._location) as connection:
            connection = connection.execution_options(no_parameters=True)
            if self._location.database == "SQLite":
                connection.exec_driver_sql("BEGIN")
            for statement in [before] if isinstance(before, str) else before or []:
                connection.exec_driver_sql(statement)
            if streamed and query.lstrip("( \n\t").lower().startswith(("select", "with")):
                yield connection.execution_options(yield_per=1000).exec_driver_sql(query)
            else:
                yield connection.exec_driver_sql(query)
            for statement in [after] if isinstance(after, str) else after or []:
                connection.exec_driver_sql(statement)


class QueryReader(Telling):
    """The rows of a query, for a loop."""

    _dss_name = "QueryReader"

    def __init__(self, executor: SQLExecutor2, query: str, before: Any, after: Any) -> None:
        self._asked = (query, before, after)
        self._executor = executor

    def iter_tuples(self, log_every=-1, no_header=False, timeout=None):
        """Yield each row as a tuple."""
        from minihost.dataiku_api.query_answer import plain

        with self._executor._carried_out(*self._asked, streamed=True) as found:
            for row in found if found.returns_rows else ():
                yield tuple(map(plain, row))

    def iter_rows(self, log_every=-1, timeout=None):
        """Yield each row as a dict."""
        from minihost.dataiku_api.query_answer import distinct, plain

        with self._executor._carried_out(*self._asked, streamed=True) as found:
            names = distinct(found.keys()) if found.returns_rows else []
            for row in found if names else ():
                yield dict(zip(names, map(plain, row), strict=True))

    def get_schema(self):
        """Return the columns of the answer as a list of dicts with `name` and `type`."""
        from minihost.dataiku_api.query_answer import Answer

        with self._executor._carried_out(*self._asked) as found:
            return Answer(found, self._executor._location).columns() if found.returns_rows else []


def _location(connection: Any, dataset: Any) -> Location:
    """The database of a dataset, or that of a connection which flow.yaml names."""
    known = session.current().everything(session.DATASET)
    if dataset is not None:
        name = getattr(dataset, "full_name", dataset)
        reference = session.current().find(name, session.DATASET, ignore_flow=True)
        if not is_sql(reference.path):
            raise misuse(
                f"Dataset {reference.name} is not a SQL table but {reference.path}. Give the component a table as that "
                "dataset (URL::TABLE, see docs/outputs.md), or read it with dataiku.Dataset."
            )
        return located(reference.path)
    for reference in known:
        if is_sql(reference.path) and reference.options.get("connection") == connection:
            return located(reference.path)
    names = sorted({str(one.options["connection"]) for one in known if one.options.get("connection")})
    near = did_you_mean(str(connection), names)
    raise misuse(
        f"There is no connection {connection!r}.{near} Connections with datasets in flow.yaml: {one_of(names)}."
    )
