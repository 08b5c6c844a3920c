"""URLs: which ones are opened, which are refused, and what of them no log shows."""

import pytest

from minihost.errors import DataError
from minihost.folders.urls import is_remote, parsed, secrets_in


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3a://bucket/", "s3://bucket"),
        ("S3://Bucket/a/b.csv", "s3://Bucket/a/b.csv"),
        ("gcs://bucket/a b%20c/", "gs://bucket/a b%20c"),
        ("abfss://box/ü#?.csv", "az://box/ü#?.csv"),
        ("memory://x/y", "memory://x/y"),
    ],
)
def test_urls_that_are_opened(text, meant):
    assert str(parsed(text, "Folder a")) == meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file:///etc", "Give its path"),
        ("local://etc", "Give its path"),
        ("simplecache::s3://b/c", "chain"),
        ("zip://a.csv::https://host/b.zip", "chain"),
        ("reference::memory://a", "chain"),
        ("https://host/a.csv", "nothing that is installed opens 'https://host/a.csv'"),
        ("http://169.254.169.254/latest", "nothing that is installed opens"),
        ("github://a:b@/c", "nothing that is installed opens"),
        ("ssh://user:secret@host/a", "*****"),
        ("s4://bucket/a", "Built in are s3://"),
        ("s3://bucket/../a", "plain key"),
        ("s3://bucket/a//b", "plain key"),
        ("s3://bucket/a/./b", "plain key"),
        ("s3://bucket/a\nb", "plain key"),
        ("s3://bucket/a?versionId=1", "plain key"),
        ("s3://", "names no bucket"),
        ("s3:///a", "names no bucket"),
        ("s3://key:secret@bucket/a", "holds a password"),
    ],
)
def test_urls_that_are_refused(text, words):
    with pytest.raises(DataError) as caught:
        parsed(text, "Folder a")
    assert str(caught.value).startswith("Folder a: ")
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_paths_and_databases_are_no_storages():
    assert is_remote("s3://b")
    assert is_remote("drive://photos")
    for place in ("photos", "/a/b", "a:b", "sqlite:///a.db", "postgresql+psycopg://host/db", "DuckDB://a"):
        assert not is_remote(place)


def test_secrets_are_found_by_name_wherever_they_stand():
    options = {
        "key": "K1",
        "secret": "S1",
        "endpoint_url": "http://x",
        "anon": True,
        "client_kwargs": {"aws_session_token": "T1", "region_name": "r"},
        "token": {"private_key": "P1", "client_email": "e"},
        "account_key": "${AZURE_KEY}",
    }
    assert sorted(secrets_in("sftp://me:PW@host", options)) == ["K1", "P1", "PW", "S1", "T1"]
