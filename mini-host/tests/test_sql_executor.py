"""`dataiku.SQLExecutor2` on the databases of a project's datasets."""

import pytest
from test_sql_tables import declare, run, typed_project

from minihost.errors import ComponentFailed

QUERIES = """
import dataiku
from dataiku import SQLExecutor2
from dataiku.core.sql import SQLExecutor2 as again
source = dataiku.Dataset("rows")
place = source.get_location_info()["info"]["quotedResolvedTableName"]
by_dataset, by_name = SQLExecutor2(dataset=source), again(connection="warehouse")
frame = by_dataset.query_to_df(f"SELECT a, t, a * 1.5 AS x FROM {place} WHERE t LIKE 'b%' ORDER BY a")
print(frame.to_dict("records"))
print(list(by_name.query_to_iter(f"SELECT count(*) AS n FROM {place}").iter_tuples()))
print(list(by_name.query_to_iter(f"SELECT max(a) AS n FROM {place}").iter_rows()))
print(by_name.query_to_df(f"DELETE FROM {place}").shape, by_name.query_to_df(f"SELECT * FROM {place}").shape)
by_name.query_to_df(f"DELETE FROM {place} WHERE a = 1", post_queries=["COMMIT"])
print(by_name.query_to_df(f"SELECT * FROM {place}", pre_queries=["SELECT 1"]).shape)
dataiku.Dataset("done").write_with_schema(frame)
"""


def test_queries_answer_with_frames_and_rows(project, database):
    made = typed_project(project, database, QUERIES)
    declare(made, "rows", database.at("source"), connection="warehouse")
    database.run("CREATE TABLE source (a int, t text)")
    database.run("INSERT INTO source VALUES (1, 'a'), (2, 'b'), (3, 'bc')")
    log = run(made).log
    assert "[{'a': 2, 't': 'b', 'x': 3.0}, {'a': 3, 't': 'bc', 'x': 4.5}]" in log
    assert "[(3,)]\n[{'n': 3}]\n(0, 0) (3, 2)\n(2, 2)" in log


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("SQLExecutor2(dataset='done')", "is not a SQL table"),
        ("SQLExecutor2(connection='lake')", "no connection 'lake'. Connections with datasets in flow.yaml: warehouse"),
        ("SQLExecutor2(dataset='rows').query_to_df('SELECT nothing')", "nothing"),
        ("SQLExecutor2(dataset='rows').query_to_df('SELEC')", "syntax"),
    ],
)
def test_what_cannot_be_asked_is_said(project, database, call, says):
    made = typed_project(project, database, f"from dataiku import SQLExecutor2\n{call}\n")
    declare(made, "rows", database.at("source"), connection="warehouse")
    declare(made, "done", "done.csv")
    database.run("CREATE TABLE source (a int)")
    with pytest.raises(ComponentFailed, match=says):
        run(made)


FRAGMENT = """
import dataiku
from dataiku.core.sql import SQLExecutor2
source, output = dataiku.Dataset("rows"), dataiku.Dataset("done")
place = source.get_location_info()["info"]["quotedResolvedTableName"]
query = f"SELECT a AS b, t, a > 1 AS more FROM {place} ORDER BY a"
SQLExecutor2(dataset=source).exec_recipe_fragment(output, query=query, overwrite_output_schema=True)
columns = output.read_schema()
columns[0]["comment"] = "the number"
output.write_schema(columns)
SQLExecutor2.exec_recipe_fragment(output, query, [], [], False)
"""


def test_a_query_makes_an_output(project, database):
    made = typed_project(project, database, FRAGMENT)
    database.run("CREATE TABLE source (a int, t text)")
    database.run("INSERT INTO source VALUES (2, 'é'), (1, NULL)")
    run(made)
    assert [(row["b"], row["t"], bool(row["more"])) for row in made.rows("done")] == [(1, None, False), (2, "é", True)]


def test_a_statement_without_rows_makes_no_output(project, database):
    code = "import dataiku\ndataiku.SQLExecutor2.exec_recipe_fragment('done', 'DELETE FROM {}')\n"
    made = typed_project(
        project, database, code.format("source" if database.kind == "sqlite" else database.schema + ".source")
    )
    database.run("CREATE TABLE source (a int, t text)")
    with pytest.raises(ComponentFailed, match="a query that answers rows is wanted"):
        run(made)


def test_columns_of_one_name_and_single_statements(project, database):
    code = """
from dataiku import SQLExecutor2
ask = SQLExecutor2(dataset="rows")
print(ask.query_to_df("SELECT 1 AS a, 2 AS a, 3 AS a", pre_queries="SELECT 1", post_queries="SELECT 1").to_dict("list"))
print(list(ask.query_to_iter("SELECT 1 AS a, 2 AS a").iter_rows()))
import dataiku
dataiku.Dataset("done").write_with_schema(dataiku.Dataset("rows").get_dataframe())
"""
    made = typed_project(project, database, code)
    database.run("CREATE TABLE source (a int)")
    assert "{'a': [1], 'a.1': [2], 'a.2': [3]}\n[{'a': 1, 'a.1': 2}]" in run(made).log
