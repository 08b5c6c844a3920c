"""Flows with SQL tables: what flow.yaml says about them, and which steps are up to date."""

import sqlite3

import pytest
from component_plugins import opened, put, role, write_components
from one_recipe import COPY

from minihost.errors import JobError
from minihost.projects import project
from minihost.runs.running import Options

FLOW = """
plugins: [plugin]
connections:
  warehouse: sqlite:///data.db
datasets:
  people: {connection: warehouse}
  copies: {url: "sqlite:///other.db", table: "the copies"}
steps:
  - {recipe: do, inputs: {in: people}, outputs: {out: copies}}
  - {recipe: do, name: again, inputs: {in: copies}, outputs: {out: "sqlite:///data.db::again"}}
"""


@pytest.fixture
def flow(tmp_path):
    pytest.importorskip("sqlalchemy", reason="SQL tables need the extra sql")
    descriptor = {"inputRoles": [role("in")], "outputRoles": [role("out")]}
    code = "rows, done = None, None\n" + COPY
    write_components(tmp_path / "plugin", {"do": (descriptor, code)})
    put(tmp_path / "flow.yaml", FLOW)
    run(tmp_path / "data.db", "CREATE TABLE people (name text)", "INSERT INTO people VALUES ('Ada')")
    return tmp_path


def run(file, *statements):
    with sqlite3.connect(file) as connection:
        found = [connection.execute(statement).fetchall() for statement in statements]
    connection.close()
    return found[-1]


def build(place):
    lines = []
    made = opened(place)
    made.run([], Options(quiet=True, in_process=True), force=False, report=lines.append)
    return lines


def states(place):
    return [state.state for state in opened(place).states()]


def test_steps_are_up_to_date_until_the_rows_change(flow):
    assert states(flow) == ["missing", "missing"]
    build(flow)
    assert states(flow) == ["up to date", "up to date"]
    assert run(flow / "data.db", "SELECT * FROM again") == [("Ada",)]
    run(flow / "data.db", "UPDATE people SET name = 'Eva'")
    assert states(flow) == ["stale", "stale"]
    build(flow)
    assert run(flow / "data.db", "SELECT * FROM again") == [("Eva",)]
    run(flow / "other.db", 'DROP TABLE "the copies"')
    assert states(flow)[0] == "missing"


@pytest.mark.network
def test_rows_of_a_server_are_summed_there(tmp_path, flow, postgresql):
    text = FLOW.replace("sqlite:///data.db\n", f"{postgresql.url}\n").replace(
        "connection: warehouse", f"connection: warehouse, schema: {postgresql.schema}"
    )
    put(flow / "flow.yaml", text)
    postgresql.run("CREATE TABLE people AS SELECT 'Ada' AS name, 1 AS at")
    build(flow)
    assert states(flow) == ["up to date", "up to date"]
    postgresql.run("UPDATE people SET name = 'Eva'")
    assert states(flow) == ["stale", "stale"]


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("connection: warehouse}", "connection: warehous}", "no connection 'warehous'. Did you mean 'warehouse'?"),
        ("connection: warehouse}", "connection: warehouse, url: 'sqlite:///a.db'}", "both given"),
        ("connection: warehouse}", "table: t}", "`table` belongs to a `url` or a `connection`"),
        ("connection: warehouse}", "connection: warehouse, format: csv}", "`format` is for files"),
        (
            'url: "sqlite:///other.db"',
            "url: other.db",
            "`url` is no URL of a storage such as s3://bucket/key or a database",
        ),
        ("warehouse: sqlite:///data.db", "warehouse: data.db", "connections > warehouse: this is not the URL"),
        ("warehouse: sqlite:///data.db", "warehouse: 'mysql://u:geheim@h/d'", "mysql are not supported"),
        ('"the copies"', "[1]", "datasets > copies > table"),
    ],
)
def test_mistakes_in_a_flow_are_said(flow, was, now, says):
    put(flow / "flow.yaml", FLOW.replace(was, now, 1))
    with pytest.raises(JobError) as caught:
        build(flow)
    assert says in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_password_in_a_flow_is_never_repeated(flow):
    put(flow / "flow.yaml", FLOW.replace("sqlite:///data.db\n", "postgresql://u:geheim@127.0.0.1:1/d\n", 1))
    with pytest.raises(JobError, match=r"u:\*\*\*\*\*@127.0.0.1"):
        build(flow)
    found = project.open(flow)
    assert "geheim" not in repr(found)


def test_the_command_line_takes_tables(flow, capsys):
    from minihost.cli import main

    command = ["run", "do", "--project", str(flow), "-q", "-i", "in=sqlite:///data.db::people"]
    assert main([*command, "-o", "out=people.csv"]) == 0
    assert (flow / "people.csv").read_text() == "name\nAda\n"
    assert main([*command, "-o", "out=sqlite:///data.db"]) == 2
    assert "Role 'out': sqlite:///data.db: which table?" in capsys.readouterr().err


def test_missing_packages_are_named(flow, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(JobError, match=r"SQLite needs packages that are not installed.*pip install 'SQLAlchemy>=2'"):
        build(flow)


def test_missing_packages_for_an_output_are_named_before_the_run(flow, monkeypatch, capsys):
    import sys

    from minihost.cli import main

    put(flow / "people.csv", "name\nAda\n")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    command = ["run", "do", "--project", str(flow), "-q", "-i", "in=people.csv", "-o", "out=sqlite:///new.db::x"]
    assert main(command) == 2
    assert "SQLite needs packages that are not installed" in capsys.readouterr().err
    assert not (flow / "new.db").exists()


def test_a_run_without_tables_imports_no_driver(flow):
    import subprocess
    import sys

    put(flow / "people.csv", "name\nAda\n")
    code = (
        "import sys; from minihost.cli import main; main(sys.argv[1:]); "
        "print([name for name in ('sqlalchemy', 'sqlite3', 'psycopg') if name in sys.modules])"
    )
    told = "import sys\nprint([name for name in ('sqlalchemy', 'sqlite3', 'psycopg') if name in sys.modules])\n"
    recipe = flow / "plugin" / "custom-recipes" / "do" / "recipe.py"
    recipe.write_text(COPY + told)
    command = [
        sys.executable,
        "-c",
        code,
        "run",
        "do",
        "--plugin",
        str(flow / "plugin"),
        "--project",
        str(flow / "plugin"),
    ]
    done = subprocess.run(
        [*command, "-i", f"in={flow / 'people.csv'}", "-o", "out=out.csv"], capture_output=True, text=True, check=True
    )
    assert (done.stdout + done.stderr).count("\n[]\n") + done.stderr.startswith("[]\n") == 2
