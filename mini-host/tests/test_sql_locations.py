"""What a reference to a SQL table means, and that no password stays in it."""

import os

import pytest

from minihost.datasets.sql import guarded, is_sql, located, secrets
from minihost.errors import DataError


@pytest.fixture(autouse=True)
def no_password(monkeypatch):
    monkeypatch.setattr(os, "environ", {key: one for key, one in os.environ.items() if "PASSWORD" not in key})


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("postgresql://u@h/d::t", True),
        ("POSTGRES://h/d::t", True),
        ("postgresql+psycopg://h/d::t", True),
        ("sqlite:///x.db::t", True),
        ("mysql://h/d::t", True),
        ("s3://bucket/key.csv", False),
        ("memory://x", False),
        ("people.csv", False),
        ("sqlite.csv", False),
    ],
)
def test_databases_are_known_by_their_scheme(text, yes):
    assert is_sql(text) is yes


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("postgres://u@h:5/d::t", "postgresql://u@h:5/d::t"),
        ("postgresql+psycopg://u@h/d::s.t", "postgresql://u@h/d::s.t"),
        ("postgresql://u@[::1]:5/d::s.t", "postgresql://u@[::1]:5/d::s.t"),
        ("postgresql://u@/d?host=/run/x::a%2Eb", "postgresql://u@/d?host=/run/x::a%2Eb"),
        ("sqlite:////a/b.db::t", "sqlite:////a/b.db::t"),
        ("sqlite+pysqlite:////a/b.db::main.t", "sqlite:////a/b.db::t"),
    ],
)
def test_a_location_has_one_text(text, path):
    assert located(text).path == path
    assert located(path) == located(text)


def test_names_may_hold_anything(tmp_path):
    place = located("postgresql://h/d", table='we."ird::/%', schema="a.b")
    assert (place.schema, place.table) == ("a.b", 'we."ird::/%')
    assert located(place.path) == place


def test_the_file_is_relative_to_the_project(tmp_path):
    assert located("sqlite:///data.db::t", tmp_path).file == tmp_path / "data.db"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("postgresql://u@h/d", "which table"),
        ("postgresql://u@[::1]/d", "which table"),
        ("sqlite:///x.db", "which table"),
        ("sqlite://::t", "is a file here"),
        ("sqlite:///:memory:::t", "is a file here"),
        ("sqlite:///x.db::other.t", "no schema 'other'"),
        ("sqlite:///x.db?mode=ro::t", r"settings after '\?' are for PostgreSQL"),
        ("sqlite:///x\0.db::t", "no NUL character"),
        ("mysql://h/d::t", "mysql are not supported"),
        ("${NO_SUCH_VARIABLE}", "NO_SUCH_VARIABLE is not set"),
    ],
)
def test_what_is_no_location_is_refused(text, says):
    with pytest.raises(DataError, match=says):
        located(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:geh%C3%A9im@h/d::t",
        "postgresql+psycopg://u:geh%C3%A9im@h/d",
        "postgresql://h/d?user=u&password=geh%C3%A9im&x=1::t",
        "postgresql://h/d?sslpassword=geh%C3%A9im::t",
    ],
)
def test_a_password_moves_to_the_environment(text):
    once = guarded(text)
    assert "geh" not in once
    assert guarded(once) == once
    if "::" in text:
        place = located(text)
        assert place.path == once.replace("+psycopg", "")
        assert place.secrets() == secrets([place.path, "x.csv"]) == ["gehéim"]
        assert "*****" in place.shown
        assert place.full_url() == text.rpartition("::")[0]


def test_a_named_variable_stays(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "secret of libpq")
    monkeypatch.setenv("WAREHOUSE", "p@ss/word")
    place = located("postgresql://u:${WAREHOUSE}@h/d::t")
    assert place.path == "postgresql://u:${WAREHOUSE}@h/d::t"
    assert place.secrets() == ["p@ss/word", "secret of libpq"]
    assert place.full_url() == "postgresql://u:p%40ss%2Fword@h/d"


def test_a_variable_that_is_not_set_is_said_when_it_is_needed():
    place = located("postgresql://u:${NO_SUCH_VARIABLE}@h/d::t")
    assert place.secrets() == []
    with pytest.raises(DataError, match="NO_SUCH_VARIABLE is not set"):
        place.full_url()


def test_a_whole_url_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("DATABASE", "postgres://u:geheim@h/d")
    place = located("${DATABASE}", table="t")
    assert "geheim" not in place.path
    assert place.secrets() == ["geheim"]


def test_every_password_of_a_url_moves():
    place = located("postgresql://u:geheim@h/d?password=a:geheim&sslpassword=geheim&x=1::t")
    assert "geheim" not in place.path
    assert place.secrets() == ["geheim", "a:geheim", "geheim"]
    assert place.full_url() == "postgresql://u:geheim@h/d?password=a%3Ageheim&sslpassword=geheim&x=1"
    assert located("postgresql://u:geheim@h/d?password=a:geheim&sslpassword=geheim&x=1::other").url == place.url


def test_one_table_is_one_place_however_it_is_written():
    assert located("sqlite:///x.db::Some").place == located("sqlite:///./x.db::sOME").place
    assert located("postgresql://h/d::Some").place != located("postgresql://h/d::some").place
