"""What only SQLite has: files that need not exist, names without case, and cells of other types than their column."""

import pytest
from component_plugins import role
from one_recipe import COPY
from sql_databases import Database

from minihost.errors import DataError, JobError


@pytest.fixture
def sqlite(tmp_path):
    pytest.importorskip("sqlalchemy", reason="SQL tables need the extra sql")
    return Database("sqlite", f"sqlite:///{tmp_path}/data.db")


def declare(made, name, reference):
    made.project.flow.datasets[name] = {"path": reference}


def of_tables(project, sqlite):
    made = project(COPY)
    declare(made, "rows", sqlite.at("source"))
    declare(made, "done", sqlite.at("target"))
    return made


def run(made):
    made.run("do", inputs={"in": "rows"}, outputs={"out": "done"}, in_process=True)


def test_names_that_differ_in_case_are_one_in_sqlite(project, sqlite):
    made = of_tables(project, sqlite)
    sqlite.run("CREATE TABLE Source (a int PRIMARY KEY)")
    sqlite.run("INSERT INTO Source VALUES (3), (1)")
    sqlite.run("CREATE VIEW Target AS SELECT * FROM Source")
    assert made.rows("rows") == [{"a": 1}, {"a": 3}]
    assert sorted(row["a"] for row in made.rows("done")) == [1, 3]
    with pytest.raises(JobError, match="target is a view"):
        run(made)
    made = project(COPY, outputs=[role("out"), role("more")])
    declare(made, "first", sqlite.at("new"))
    declare(made, "second", sqlite.at("NEW"))
    with pytest.raises(JobError, match="are the same place"):
        made.run("do", inputs={"in": "rows"}, outputs={"out": "first", "more": "second"}, in_process=True)


def test_folders_of_a_new_file_are_made(project, sqlite, tmp_path):
    made = project(COPY)
    declare(made, "done", f"sqlite:///{tmp_path}/new/deep/\udcff.db::t")
    run(made)
    assert made.rows("done") == [{"a": 1}]
    declare(made, "done", f"sqlite:///{tmp_path}/plugin/plugin.json/data.db::t")
    with pytest.raises(JobError, match=r"plugin\.json is a file, not a folder"):
        run(made)
    declare(made, "done", f"sqlite:///{tmp_path}/data.db::SQLite_x")
    with pytest.raises(JobError, match="begin with `sqlite_`"):
        run(made)


def test_cells_of_sqlite_lose_nothing(project, sqlite):
    made = of_tables(project, sqlite)
    sqlite.run("CREATE TABLE source (image blob, number numeric)")
    sqlite.run("INSERT INTO source VALUES (x'ff00', 1.5)")
    assert made.rows("rows") == [{"image": r"\xff00", "number": 1.5}]
    sqlite.run(f"INSERT INTO source VALUES (NULL, {2**53 + 1})")
    with pytest.raises(DataError, match=f"row 2, column 'number' .*{2**53 + 1} has more digits than a double"):
        made.rows("rows")
