"""SQL tables as inputs and outputs of recipes, on each database that is supported."""

import datetime as dt

import pandas as pd
import pytest
from component_plugins import role
from one_recipe import COPY

from minihost.errors import ComponentFailed, HostError, JobError

COPY_FRAMES = """
import dataiku
source, target = dataiku.Dataset("rows"), dataiku.Dataset("done")
target.write_schema(source.read_schema())
with target.get_writer() as writer:
    for frame in source.iter_dataframes(chunksize=3):
        writer.write_dataframe(frame)
"""
TYPES = {
    "tiny": "tinyint", "small": "smallint", "whole": "int", "big": "bigint", "single": "float", "double": "double",
    "yes": "boolean", "at": "date", "local": "datetimenotz", "day": "dateonly", "text": "string",
}  # fmt: skip
ROW = {
    "tiny": 7, "small": -300, "whole": 2**31 - 1, "big": 2**53 + 1, "single": 0.5, "double": 65535.666666666664, "yes": True,
    "at": dt.datetime(2026, 12, 31, 23, 59, 59, 123456, dt.UTC), "local": dt.datetime(2026, 1, 2, 3, 4, 5, 6),
    "day": dt.date(1890, 2, 3), "text": "é \\ \"'\n%s :x",
}  # fmt: skip


def run(made, *, in_process=True):
    """Run the recipe from `rows` to `done`, in the test's own process where no other is needed."""
    return made.run("do", inputs={"in": "rows"}, outputs={"out": "done"}, in_process=in_process)


def declare(made, name, reference, **options):
    made.project.flow.datasets[name] = {"path": reference, **options}


def typed_project(project, database, code=COPY):
    made = project(code)
    declare(made, "rows", database.at("source"))
    declare(made, "done", database.at("target"))
    return made


WRITE = f"""
import dataiku, datetime
target = dataiku.Dataset("done")
target.write_schema([{{"name": name, "type": kind}} for name, kind in {TYPES!r}.items()])
row = {ROW!r}
with target.get_writer() as writer:
    writer.write_row_dict(row)
    writer.write_row_dict({{}})
    writer.write_row_dict({{**row, "text": "", "yes": False, "double": float("-inf")}})
"""
WRITTEN = [ROW, dict.fromkeys(TYPES), {**ROW, "text": "", "yes": False, "double": float("-inf")}]


def kept(kind, database):
    return "smallint" if kind == "tinyint" and database.kind == "postgresql" else kind


@pytest.fixture
def written(project, database):
    """A project whose dataset `rows` is a SQL table with every type."""
    made = typed_project(project, database, WRITE)
    declare(made, "done", database.at("source"))
    made.add_dataset("none", [{"a": 1}])
    made.run("do", inputs={"in": "none"}, outputs={"out": "done"}, in_process=True)
    declare(made, "done", database.at("target"))
    return made


def recipe(made, code):
    (made.root.parent / "plugin" / "custom-recipes" / "do" / "recipe.py").write_text(code)
    return made


def test_types_and_values_are_kept(written, database):
    table = written.table("rows")
    assert {one["name"]: one["type"] for one in table.columns()} == {k: kept(v, database) for k, v in TYPES.items()}
    assert [dict(zip(TYPES, row, strict=True)) for row in table.values()] == WRITTEN


@pytest.mark.parametrize("code", [COPY, COPY_FRAMES], ids=["rows", "frames"])
def test_a_copy_is_the_same(written, database, code):
    recipe(written, code)
    run(written)
    first, second = written.table("rows"), written.table("done")
    assert second.columns() == first.columns()
    same = list(second.values())
    if code == COPY_FRAMES:  # frames do not tell an empty text from a missing one, here as in files
        same[2] = same[2][:-1] + ("",) if same[2][-1] is None else same[2]
    wanted = list(first.values())
    if code == COPY_FRAMES:
        same = [tuple(None if place == 3 else cell for place, cell in enumerate(row)) for row in same]
        wanted = [tuple(None if place == 3 else cell for place, cell in enumerate(row)) for row in wanted]
    assert same == wanted


def test_frames_are_those_of_files(written):
    columns = ", ".join(map(repr, ["whole", "double", "at", "text"]))
    code = f"""
import dataiku
source = dataiku.Dataset("rows")
frame = source.get_dataframe(columns=[{columns}], limit=2)
print([str(kind) for kind in frame.dtypes], list(frame.columns), len(frame))
print(len(source.get_dataframe(sampling="random", ratio=1.0)), len(list(source.iter_tuples(limit=1, columns=["day"]))))
print(next(source.iter_rows(columns=["day", "tiny"])))
dataiku.Dataset("done").write_with_schema(frame)
"""
    log = run(recipe(written, code)).log
    assert "['float64', 'float64', 'datetime64[ns, UTC]', 'object'] ['whole', 'double', 'at', 'text'] 2" in log
    assert "\n3 1\n" in log
    assert "{'day': datetime.date(1890, 2, 3), 'tiny': 7}" in log
    assert [one["type"] for one in written.table("done").columns()] == ["double", "double", "date", "string"]


def test_rows_come_in_the_order_of_the_primary_key(project, database):
    made = typed_project(project, database)
    database.run("CREATE TABLE source (a int, b int, t text, PRIMARY KEY (b, a))")
    database.run("INSERT INTO source VALUES (2, 1, 'y'), (1, 2, 'z'), (1, 1, 'x')")
    run(made)
    assert [row["t"] for row in made.rows("done")] == ["x", "y", "z"]


def test_an_output_is_replaced_and_keeps_its_indexes_while_columns_stay(project, database):
    made = typed_project(project, database)
    database.run("CREATE TABLE source (a int, t text)")
    database.run("INSERT INTO source VALUES (2, 'b'), (1, 'a')")
    database.run("CREATE TABLE target (a int PRIMARY KEY, t text DEFAULT 'none')")
    database.run("INSERT INTO target VALUES (9, 'old')")
    run(made)
    assert [tuple(row) for row in database.run("SELECT * FROM target")] == [(2, "b"), (1, "a")]
    database.run("INSERT INTO target (a) VALUES (3)")
    assert [tuple(row) for row in database.run("SELECT t FROM target WHERE a = 3")] == [("none",)]
    database.run("ALTER TABLE source ADD COLUMN c int")
    run(made)
    assert [one["name"] for one in made.table("done").columns()] == ["a", "t", "c"]


def test_rows_are_appended(project, database):
    made = typed_project(project, database)
    declare(made, "done", database.at("target"), append=True)
    database.run("CREATE TABLE source (a int, t text)")
    database.run("INSERT INTO source VALUES (1, 'a')")
    run(made, in_process=False)
    run(made)
    assert [row["a"] for row in made.rows("done")] == [1, 1]
    database.run("ALTER TABLE source ADD COLUMN c int")
    with pytest.raises(HostError, match="has no column 'c'. Columns: a, t"):
        run(made)
    assert len(made.rows("done")) == 2


TWICE = """
import dataiku
import pandas as pd

dataset = dataiku.Dataset("done")
dataset.spec_item["appendMode"] = True
dataset.write_with_schema(pd.DataFrame({"a": [1]}))
dataset.write_dataframe(pd.DataFrame({"a": [2]}))
"""


SEVERAL = """
import dataiku
import pandas as pd

dataset = dataiku.Dataset("done")
for frame in ({"a": ["x"]}, {"a": [1]}, {"a": ["y"], "b": [2]}, {"b": [3]}):
    dataset.write_with_schema(pd.DataFrame(frame))
    assert dataset.get_dataframe().to_dict("list") == frame, (dataset.get_dataframe(), frame)
"""


def test_a_table_is_written_several_times_in_one_run(project, database):
    made = typed_project(project, database, SEVERAL)
    database.run("CREATE TABLE source (a int)")
    run(made)
    assert [dict(row) for row in made.rows("done")] == [{"b": 3}]


def test_rows_are_appended_within_a_run(project, database):
    made = typed_project(project, database, TWICE)
    database.run("CREATE TABLE source (a int)")
    with pytest.raises(HostError, match="where flow.yaml says `append: true`"):
        run(made)
    declare(made, "done", database.at("target"), append=True)
    run(made)
    assert [row["a"] for row in made.rows("done")] == [1, 2]


FAILS = COPY + "\nraise ValueError('too late')\n"
REFUSED = COPY.replace("writer.write_tuple(row)", "writer.write_tuple(row)\n    writer.write_tuple((1, None))")


@pytest.mark.parametrize(("code", "says"), [(FAILS, "too late"), (REFUSED, "(?i)not.null|unique")])
def test_a_failing_run_leaves_the_old_table(project, database, code, says):
    made = typed_project(project, database, code)
    database.run("CREATE TABLE source (a int, t text)")
    database.run("INSERT INTO source VALUES (1, 'new')")
    database.run("CREATE TABLE target (a int, t text NOT NULL)")
    database.run("INSERT INTO target VALUES (7, 'old')")
    with pytest.raises(HostError, match=says):
        run(made)
    assert [tuple(row) for row in database.run("SELECT * FROM target")] == [(7, "old")]


def test_names_are_quoted(project, database):
    made = project(COPY_FRAMES)
    odd = ['we"ird', "select", "Größe %s :x", "a b", 'x"; DROP TABLE source; --', "table.column"]
    listed = ", ".join('"' + name.replace('"', '""') + '" int' for name in odd)
    source = 'na"me of; DROP TABLE x'
    quoted = '"' + source.replace('"', '""') + '"'
    database.run(f"CREATE TABLE {quoted} ({listed})")
    database.run(f"INSERT INTO {quoted} VALUES (1, 2, 3, 4, 5, 6)")
    schema = {"schema": database.schema} if database.schema else {}
    made.project.flow.datasets["rows"] = {"url": database.url, "table": source, **schema}
    made.project.flow.datasets["done"] = {"url": database.url, "table": "Select", **schema}
    run(made)
    assert made.rows("done") == [dict(zip(odd, range(1, 7), strict=True))]
    assert made.rows("rows") == made.rows("done")


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (["x" * 64], "has 64 bytes; PostgreSQL has at most 63"),
        (["a\0b"], "no name for a database"),
        ([""], "no name for a database"),
        (["a", "A"], "are one column for SQLite"),
        (["a", "a"], "two columns are called 'a'"),
    ],
)
def test_names_that_a_database_cannot_have_are_refused(project, database, columns, says):
    listed = [{"name": name, "type": "int"} for name in columns]
    made = typed_project(project, database, f"import dataiku\ndataiku.Dataset('done').write_schema({listed!r})\n")
    made.add_dataset("rows", [{"a": 1}])
    if says.split()[-1] in ("SQLite", "63") and database.kind not in says.lower():
        says = "without writing its output"  # the other database has no objection
    with pytest.raises(ComponentFailed, match=says):
        run(made)


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("int", 2**40, "too large for int"),
        ("int", 1.5, "not a whole number"),
        ("bigint", "seven", "invalid literal"),
        ("date", "yesterday", "Invalid isoformat"),
        ("string", "\udcff", "not UTF-8"),
    ],
)
def test_cells_that_do_not_fit_are_named(project, database, kind, value, says):
    code = f"""
import dataiku
target = dataiku.Dataset("done")
target.write_schema([{{"name": "cell", "type": {kind!r}}}])
with target.get_writer() as writer:
    writer.write_row_dict({{"cell": {value!r}}})
"""
    made = typed_project(project, database, code)
    made.add_dataset("rows", [{"a": 1}])
    with pytest.raises(ComponentFailed, match=says):
        run(made)
    assert not made.table("done").exists()


def test_what_is_not_there_is_said(project, database):
    made = typed_project(project, database)
    database.run("CREATE TABLE sources (a int)")
    with pytest.raises(JobError, match=r"no table 'source'. Did you mean 'sources'\? Tables: sources"):
        run(made)


def test_a_view_is_read_and_not_written(project, database):
    made = typed_project(project, database)
    database.run("CREATE TABLE base (a int)")
    database.run("INSERT INTO base VALUES (3)")
    database.run("CREATE VIEW source AS SELECT a + 1 AS a FROM base")
    run(made)
    assert [row["a"] for row in made.rows("done")] in ([4], ["4"])
    declare(made, "done", database.at("source"))
    declare(made, "rows", database.at("base"))
    with pytest.raises(JobError, match="is a view, which cannot be written"):
        run(made)


def test_columns_that_the_database_computes_are_read_and_kept(project, database):
    made = typed_project(project, database)
    for name in ("source", "target"):
        database.run(f"CREATE TABLE {name} (a int, twice int GENERATED ALWAYS AS (a * 2) STORED)")
    database.run("INSERT INTO source (a) VALUES (3)")
    assert made.rows("rows") == [{"a": 3, "twice": 6}]
    run(
        recipe(
            made,
            COPY_FRAMES.replace("source.read_schema()", "[{'name': 'a', 'type': 'int'}]").replace(
                "chunksize=3", "chunksize=3, columns=['a']"
            ),
        )
    )
    assert made.rows("done") == [{"a": 3, "twice": 6}]


def test_two_tables_of_one_database_appear_together(project, database):
    code = """
import dataiku
for name in ("first", "second"):
    dataiku.Dataset(name).write_with_schema(dataiku.Dataset("rows").get_dataframe())
"""
    made = project(code, outputs=[role("out"), role("more")])
    declare(made, "first", database.at("first"))
    declare(made, "second", database.at("second"))
    made.run("do", inputs={"in": "rows"}, outputs={"out": "first", "more": "second"}, in_process=True)
    assert made.rows("first") == made.rows("second") == [{"a": 1}]


def test_a_table_may_be_changed_in_place(project, database):
    code = """
import dataiku
table = dataiku.Dataset("rows")
frame = table.get_dataframe()
frame["a"] += 1
dataiku.Dataset("done").write_dataframe(frame)
"""
    made = typed_project(project, database, code)
    declare(made, "done", database.at("source"))
    database.run("CREATE TABLE source (a int)")
    database.run("INSERT INTO source VALUES (1)")
    run(made, in_process=False)
    assert made.rows("rows") == [{"a": 2}]


def test_a_macro_writes_tables(project, database):
    code = """
import dataiku
from dataiku.runnables import Runnable

class Fill(Runnable):
    def __init__(self, project_key, config, plugin_config):
        self.fails = config.get("fails")

    def get_progress_target(self):
        return None

    def run(self, progress_callback):
        table = dataiku.Dataset("filled")
        table.write_with_schema(dataiku.Dataset("rows").get_dataframe())
        assert len(table.get_dataframe()) == 1
        if self.fails:
            raise ValueError("too late")
        return "done"
"""
    params = [{"name": "fails", "type": "BOOLEAN", "defaultValue": False}]
    made = project(macro=({"params": params}, code))
    declare(made, "filled", database.at("filled"))
    with pytest.raises(ComponentFailed, match="too late"):
        made.run("act", params={"fails": True})
    assert not made.table("filled").exists()
    made.run("act")
    assert made.rows("filled") == [{"a": 1}]


def test_the_platform_is_told_where_it_lies(written, database):
    code = """
import dataiku
source = dataiku.Dataset("rows")
config, info = source.get_config(), source.get_location_info()
print(config["type"], config["params"]["table"], info["locationInfoType"], info["info"]["table"])
dataiku.Dataset("done").write_with_schema(source.get_dataframe(limit=0))
"""
    log = run(recipe(written, code)).log
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database.kind]
    assert f"{kind} source SQL source" in log
    assert list(written.table("done").values()) == []
    assert pd.api.types.is_object_dtype(written.frame("rows")["text"])
