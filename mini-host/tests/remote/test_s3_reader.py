"""Reads of S3 by obstore: one request for a file, the same answers as s3fs gives, and s3fs wherever it cannot."""

import pytest

from minihost.folders import open_folder, s3_reader
from minihost.job import Reference

pytest.importorskip("obstore")
pytestmark = pytest.mark.network

HOSTILE = [
    "a b.jpg",
    "ü/日本.jpg",
    "a%2Fb.jpg",
    "a#b?c.jpg",
    "a*b~c^d|e.jpg",
    "{x}[y]<z>\\.jpg",
    "a+b&c=d'\".jpg",
    "del\x7f.jpg",
]


def folder(url, **options):
    return open_folder(Reference("role", "MANAGED_FOLDER", "photos", "PROJ", url, {"options": options}))


def s3fs_alone(url, **options):
    found = folder(url, **options)
    found.storage._readers.append(None)
    return found


def test_a_folder_costs_one_listing_and_each_file_one_request(bucket, proxy):
    for number in range(5):
        bucket[f"photos/{number}.jpg"] = b"picture"
    found = folder(bucket.url("photos"), **proxy.options)
    found.check_input()
    assert found.facts("/0.jpg").size == 7
    assert [found.open(path).read() for path in found.paths()] == [b"picture"] * 5
    assert proxy.count("HEAD") == 0
    assert proxy.count("GET") == 3 + 5


@pytest.mark.parametrize("names", [HOSTILE, HOSTILE[:-1], ["a.jpg", "sub/", "sub/b.jpg", "empty"]])
def test_answers_are_those_of_s3fs(bucket, names):
    for name in names:
        bucket[f"photos/{name}"] = b"" if name in ("sub/", "empty") else name.encode()
    found, other = folder(bucket.url("photos")), s3fs_alone(bucket.url("photos"))
    assert found.storage._reader is not None
    assert found.paths() == other.paths() == sorted(f"/{name}" for name in names if name != "sub/")
    assert found.sums() == other.sums()
    for path in found.paths():
        assert found.look(path) == other.look(path)
        assert found.open(path).read() == bucket.content()[f"photos{path}"]


@pytest.mark.parametrize("how", [(503, "SlowDown"), "reset", "cut"])
def test_failures_are_left_to_s3fs_and_after_some_it_is_not_asked_again(bucket, proxy, how, monkeypatch):
    monkeypatch.setattr(s3_reader, "MOST_FAILURES", 2)
    bucket["photos/a.jpg"] = b"the whole picture"
    found = folder(bucket.url("photos"), **proxy.options)
    found.paths()
    for _ in range(2):
        proxy.fail(lambda method, path: method == "GET" and "a.jpg" in path, how, times=1)
        assert found.open("/a.jpg").read() == b"the whole picture"
    assert found.storage._reader is None
    assert found.open("/a.jpg").read() == b"the whole picture"


def test_what_only_botocore_knows_is_left_to_s3fs(bucket, tmp_path, monkeypatch):
    assert folder(bucket.url("x"), requester_pays=True).storage._reader is None
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    assert folder(bucket.url("x")).storage._reader is None
    monkeypatch.delenv("AWS_USE_FIPS_ENDPOINT")
    (tmp_path / "config").write_text("[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = http://x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert folder(bucket.url("x")).storage._reader is None
    monkeypatch.delenv("AWS_CONFIG_FILE")
    assert folder(bucket.url("x"), profile="nobody").storage._reader is None


def test_what_is_written_or_deleted_is_seen_at_once(bucket):
    bucket["photos/a.jpg"] = b"a"
    found = folder(bucket.url("photos"))
    assert found.facts("/a.jpg").size == 1
    found.put("/a.jpg", b"longer")
    assert found.facts("/a.jpg").size == 6
    found.delete("/a.jpg")
    assert found.facts("/a.jpg") is None
