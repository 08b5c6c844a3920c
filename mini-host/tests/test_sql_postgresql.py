"""What only a PostgreSQL server can show: its types, rights, passwords, and runs that are killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from one_recipe import COPY
from test_sql_tables import COPY_FRAMES, declare, run, typed_project

from minihost.errors import ComponentFailed, HostError, JobError

pytestmark = pytest.mark.network

TYPES = """
    n152 numeric(15, 2), n18 numeric(18, 0), n30 numeric(30, 10), n numeric, u uuid, j jsonb, a int[], c char(3),
    v varchar(3), t time, i interval, b bytea, r real, m money
"""
VALUES = (
    "(1234567890123.45, 123456789012345678, 12345678901234567890.0123456789, 0.10, "
    "'00000000-0000-0000-0000-000000000001', '{\"a\": [1, null]}', '{1,NULL,3}', 'x', 'äöü', '10:00:01', '1 day', "
    "'\\x00ff', 0.1, 12.5)"
)
KINDS = {
    "n152": "double", "n18": "bigint", "n30": "string", "n": "string", "u": "string", "j": "object", "a": "array",
    "c": "string", "v": "string", "t": "string", "i": "string", "b": "string", "r": "float", "m": "string",
}  # fmt: skip


def test_types_of_the_server_are_read_without_loss(project, postgresql):
    made = typed_project(project, postgresql, COPY)
    postgresql.run(f"CREATE TABLE source ({TYPES})")
    postgresql.run(f"INSERT INTO source VALUES {VALUES}, ({', '.join(['NULL'] * len(KINDS))})")
    assert {one["name"]: one["type"] for one in made.table("rows").columns()} == KINDS
    first, second = made.table("rows").values()
    read = dict(zip(KINDS, first, strict=True))
    assert read["n152"] == 1234567890123.45
    assert (read["n18"], read["n30"], read["n"]) == (123456789012345678, "12345678901234567890.0123456789", "0.10")
    assert (read["j"], read["a"], read["b"]) == ('{"a": [1, null]}', "[1,null,3]", "\\x00ff")
    assert set(second) == {None}
    run(made)  # into a new table
    assert list(made.table("done").values()) == list(made.table("rows").values())
    postgresql.run("DROP TABLE target")
    postgresql.run(f"CREATE TABLE target ({TYPES.replace('a int[]', 'a json')})")
    run(made)  # into a table of other types, which take the texts
    assert postgresql.run("SELECT n30, u::text, i::text, m::text FROM target") == postgresql.run(
        "SELECT n30, u::text, i::text, m::text FROM source"
    )


def test_rows_lie_in_the_order_in_which_they_were_written(project, postgresql):
    made = typed_project(project, postgresql, COPY_FRAMES.replace("chunksize=3", "chunksize=5000"))
    numbered = "SELECT i, repeat('x', (i * 7919) % 300) AS t FROM generate_series(20000, 1, -1) AS i"
    postgresql.run(f"CREATE TABLE source AS {numbered}")
    for _ in range(2):  # into a new table, and into the same again
        run(made)
        assert [row[0] for row in postgresql.run("SELECT i FROM target")] == list(range(20000, 0, -1))


@pytest.mark.parametrize(
    ("target", "value", "says"),
    [
        ("t text", "a\0b", "row 1: column 't' holds a NUL character"),
        ("t varchar(3)", "long", r"value too long for type character varying\(3\) \(row 1, column t\)"),
        ("t text CHECK (t <> 'no')", "no", "violates check constraint"),
        ("t uuid", "no", r"invalid input syntax for type uuid: \"no\" \(row 1, column t\)"),
    ],
)
def test_what_the_server_refuses_is_said_and_nothing_is_written(project, postgresql, target, value, says):
    made = typed_project(project, postgresql, COPY)
    made.add_dataset("rows", [{"t": value}])
    postgresql.run(f"CREATE TABLE target ({target})")
    with pytest.raises(HostError, match=says) as caught:
        run(made)
    assert "as they were before" in str(caught.value)
    assert postgresql.run("SELECT * FROM target") == []


def test_other_outputs_stay_too_when_the_server_refuses(project, postgresql):
    from component_plugins import role

    code = """
import dataiku
for name in ("file", "done"):
    dataiku.Dataset(name).write_with_schema(dataiku.Dataset("rows").get_dataframe())
"""
    made = project(code, outputs=[role("out"), role("more")])
    declare(made, "done", postgresql.at("target"))
    postgresql.run("CREATE TABLE target (a bigint CHECK (a > 5))")
    with pytest.raises(HostError, match="check constraint"):
        made.run("do", inputs={"in": "rows"}, outputs={"out": "file", "more": "done"}, in_process=True)
    assert not made.table("file").exists()


def test_a_table_that_others_refer_to_is_kept(project, postgresql):
    made = typed_project(project, postgresql, COPY)
    postgresql.run("CREATE TABLE target (a bigint PRIMARY KEY)")
    postgresql.run("CREATE TABLE child (a bigint REFERENCES target)")
    made.add_dataset("rows", [{"a": 1}])
    with pytest.raises(HostError, match=r"cannot truncate a table referenced in a foreign key.*another table"):
        run(made)


@pytest.fixture
def limited(postgresql):
    """A user who may read, with a password, and the password."""
    name, password = f"user_{postgresql.schema}", "geheim/@:%"
    postgresql.run(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'".replace("%", "%%"), ())
    postgresql.run(f"GRANT USAGE ON SCHEMA {postgresql.schema} TO {name}")
    postgresql.run(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {postgresql.schema} GRANT SELECT ON TABLES TO {name}")
    place = Path(postgresql.run("SHOW hba_file")[0][0])
    before = place.read_text()
    place.write_text(f"local all {name} scram-sha-256\n{before}")
    postgresql.run("SELECT pg_reload_conf()")
    time.sleep(0.3)
    yield name, password
    place.write_text(before)
    postgresql.run("SELECT pg_reload_conf()")
    postgresql.run(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_passwords_are_used_and_shown_nowhere(project, postgresql, limited, monkeypatch):
    others = {key: value for key, value in os.environ.items() if "PASSWORD" not in key}
    monkeypatch.setattr(os, "environ", others)
    name, password = limited
    code = COPY + "\nimport os\nprint('the password is', [v for k, v in os.environ.items() if 'PASSWORD' in k])\n"
    made = typed_project(project, postgresql, code)
    postgresql.run("CREATE TABLE source AS SELECT 1 AS a")
    for written in ("geheim%2F%40%3A%25", "${WAREHOUSE_PASSWORD}"):
        monkeypatch.setenv("WAREHOUSE_PASSWORD", password)
        url = postgresql.url.replace("postgres@", f"{name}:{written}@")
        declare(made, "rows", f"{url}::{postgresql.schema}.source")
        declare(made, "done", "done.csv")
        done = run(made, in_process=False)
        assert made.rows("done") == [{"a": 1}]
        assert "the password is ['*****" in done.log
        kept = "".join(path.read_text() for path in done.folder.rglob("*") if path.is_file() and path.suffix != ".csv")
        assert "geheim" not in kept
        declare(made, "rows", f"{url.replace(name, 'postgres' + name)}::{postgresql.schema}.source")
        with pytest.raises(JobError) as caught:
            run(made)
        assert "geheim" not in str(caught.value)
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "wrong")
    declare(made, "rows", f"{url}::{postgresql.schema}.source")
    with pytest.raises(JobError, match="password authentication failed.*Check the user and the password"):
        run(made)


def test_missing_rights_are_said_before_the_run(project, postgresql, limited, monkeypatch):
    name, password = limited
    monkeypatch.setenv("WAREHOUSE_PASSWORD", password)
    url = postgresql.url.replace("postgres@", f"{name}:${{WAREHOUSE_PASSWORD}}@")
    made = typed_project(project, postgresql, COPY)
    made.add_dataset("rows", [{"a": 1}])
    declare(made, "done", f"{url}::{postgresql.schema}.target")
    with pytest.raises(JobError, match="may not make tables in the schema"):
        run(made)
    postgresql.run("CREATE TABLE target (a int)")
    with pytest.raises(JobError, match="may not replace the rows"):
        run(made)
    declare(made, "done", f"{postgresql.url}::nosuch.target")
    with pytest.raises(JobError, match="no schema 'nosuch'"):
        run(made)


@pytest.mark.parametrize("what", ["MATERIALIZED VIEW target AS SELECT 1 AS a", "SEQUENCE target"])
def test_what_is_no_table_is_refused_before_the_run(project, postgresql, what):
    made = typed_project(project, postgresql, COPY)
    made.add_dataset("rows", [{"a": 1}])
    postgresql.run(f"CREATE {what}")
    with pytest.raises(JobError, match=r"target is not a table that can be written"):
        run(made)


def test_servers_that_do_not_answer_are_named(project, postgresql):
    made = typed_project(project, postgresql, COPY)
    declare(made, "rows", "postgresql://me:geheim@127.0.0.1:1/data::t")
    with pytest.raises(JobError, match=r"me:\*\*\*\*\*@127.0.0.1:1/data::t.*refused.*that the server runs"):
        run(made)
    declare(made, "rows", postgresql.url.replace("/postgres?", "/nosuch?") + "::t")
    with pytest.raises(JobError, match='database "nosuch" does not exist.*Check the name of the database'):
        run(made)


WRITES_SLOWLY = """
import dataiku
target = dataiku.Dataset("target")
target.write_schema([{"name": "a", "type": "int"}])
with target.get_writer() as writer:
    for number in range(300000):
        writer.write_tuple((number,))
"""


@pytest.mark.parametrize("when", ["writing", "loading"])
def test_a_killed_run_leaves_the_old_table(project, postgresql, when):
    made = typed_project(project, postgresql, WRITES_SLOWLY)
    made.add_dataset("rows", [{"a": 1}])
    postgresql.run("CREATE TABLE target AS SELECT 7 AS a")
    command = [sys.executable, "-m", "minihost", "run", "do", "-q", "--project", str(made.root)]
    command += ["--plugin", str(made.plugins[0]), "-i", f"in={made.project.find('DATASET', 'rows').path}"]
    host = subprocess.Popen([*command, "-o", f"out={postgresql.at('target')}"])
    begun = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY%%' AND state = 'active'"
    stage = made.root / ".minihost" / "jobs"
    while host.poll() is None:
        if when == "loading" and postgresql.run(begun, ()):
            break
        if when == "writing" and list(stage.glob("*/stages/*/data/rows.sqlite.part")):
            break
        time.sleep(0.02)
    assert host.poll() is None
    host.send_signal(signal.SIGKILL)
    host.wait()
    assert [row[0] for row in postgresql.run("SELECT a FROM target")] == [7]
    assert postgresql.run("SELECT relname FROM pg_class WHERE relname LIKE 'minihost_new%%'", ()) == []


@pytest.mark.slow
@pytest.mark.parametrize("code", [COPY, COPY_FRAMES.replace("chunksize=3", "chunksize=10000")], ids=["rows", "frames"])
def test_memory_is_constant(project, postgresql, code):
    peak = "\nimport resource\nprint('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    made = typed_project(project, postgresql, code + peak)
    peaks = []
    for count in (20_000, 200_000):
        postgresql.run("DROP TABLE IF EXISTS source")
        numbers = f"generate_series(1, {count}) AS i"
        postgresql.run(f"CREATE TABLE source AS SELECT i, i / 3.0::float8 AS x, 'é ' || i AS t FROM {numbers}")
        peaks.append(int(run(made, in_process=False).log.split("PEAK")[1]))
        assert postgresql.run("SELECT * FROM target") == postgresql.run("SELECT * FROM source")
    assert peaks[1] - peaks[0] < 25_000, peaks


def test_a_failing_component_does_not_touch_the_server(project, postgresql):
    made = typed_project(project, postgresql, COPY + "\nimport os; os._exit(3)\n")
    postgresql.run("CREATE TABLE source AS SELECT 1 AS a")
    with pytest.raises(ComponentFailed, match="exited early"):
        run(made, in_process=False)
    assert not made.table("done").exists()
