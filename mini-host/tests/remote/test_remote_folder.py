"""Folders in buckets: what a folder offers, with few requests, and keys of every kind."""

import io

import pytest

from minihost.errors import DataError
from minihost.folders import open_folder
from minihost.folders.remote_streams import BLOCK
from minihost.job import Reference

pytestmark = pytest.mark.network


def folder(url, **options):
    return open_folder(Reference("role", "MANAGED_FOLDER", "photos", "PROJ", url, {"options": options}))


def test_a_folder_in_a_bucket(bucket):
    bucket["photos/a.txt"] = b"hello"
    bucket["photos/deep/er/b.txt"] = b""
    bucket["photosynthesis.txt"] = b"another"
    found = folder(bucket.url("photos/"))
    assert found.paths() == ["/a.txt", "/deep/er/b.txt"]
    assert found.children("/") == ["a.txt", "deep"]
    assert found.children("/deep") == ["er"]
    assert found.children("/nothing") == []
    assert found.open("/a.txt").read() == b"hello"
    assert found.open("deep/er/b.txt").read() == b""
    assert found.facts("/a.txt").size == 5
    assert found.facts("/a.txt").modified > 1.7e9
    assert found.facts("/deep").folder
    assert found.facts("/missing") is None
    with pytest.raises(FileNotFoundError, match=r"missing"):
        found.open("/missing")
    with pytest.raises(DataError):
        found.open("/../photosynthesis.txt")
    found.write("/deep/c.txt", io.BytesIO(b"c"))
    found.delete("/deep")
    found.delete("/missing")
    assert bucket.content() == {"photos/a.txt": b"hello", "photosynthesis.txt": b"another"}
    found.clear()
    assert bucket.content() == {"photosynthesis.txt": b"another"}


def test_a_whole_bucket_is_a_folder(bucket):
    bucket["a.txt"] = b"a"
    found = folder(bucket.url())
    found.write("/b/c.txt", io.BytesIO(b"c"))
    assert found.paths() == ["/a.txt", "/b/c.txt"]
    found.check_input()


def test_keys_of_every_kind(bucket, caplog):
    fine = ["A.txt", "a.txt", "a b+c%20&=.txt", "späß ☃.txt", "[1]*?.txt", "-", "x" * 300]
    for key in fine:
        bucket["in/" + key] = key.encode()
    odd = ["in//twice.txt", "in/../out.txt", "in/./same.txt", "in/a?versionId=1"]
    for key in [*odd, "in/folder/", "in/"]:
        bucket[key] = b""
    found = folder(bucket.url("in"))
    assert found.paths() == sorted("/" + key for key in fine)
    assert "4 objects left out" in caplog.text
    assert [found.open("/" + key).read().decode() for key in fine] == fine
    found.delete("/[1]*?.txt")
    found.delete("/-")
    assert found.paths() == sorted("/" + key for key in fine if key not in ("[1]*?.txt", "-"))


def test_many_objects_are_listed_by_the_page_and_each_is_read_with_one_request(bucket, proxy):
    for number in range(2500):
        bucket[f"many/{number}.txt"] = b"x"
    found = folder(bucket.url("many"), **proxy.options)
    assert len(found.paths()) == 2500
    assert len(proxy.requests) <= 4
    before = len(proxy.requests)
    for number in range(5):
        assert found.open(f"/{number}.txt").read() == b"x"
    assert len(proxy.requests) == before + 5


def test_large_objects_are_read_in_pieces(bucket):
    content = bytes(range(256)) * (2 * BLOCK // 256) + b"end"
    bucket["large.bin"] = content
    found = folder(bucket.url())
    with found.open("/large.bin") as stream:
        assert stream.read(3) == content[:3]
        assert stream.read() == content[3:]


def test_an_object_that_is_replaced_while_it_is_read_is_an_error(bucket):
    bucket["large.bin"] = bytes(2 * BLOCK)
    found = folder(bucket.url())
    with found.open("/large.bin") as stream:
        stream.read(1)
        bucket["large.bin"] = b"1" * 2 * BLOCK
        with pytest.raises(OSError, match=r"large\.bin was replaced"):
            stream.read()


def test_an_object_that_grew_since_it_was_listed_is_read_whole(bucket):
    bucket["a.txt"] = b"old"
    found = folder(bucket.url())
    found.paths()
    bucket["a.txt"] = b"new and longer"
    assert found.open("/a.txt").read() == b"new and longer"


def test_a_file_that_is_being_written_appears_when_it_is_closed(bucket):
    found = folder(bucket.url())
    stream = found.writing("/a.txt")
    stream.write(b"half")
    assert bucket.content() == {}
    stream.abandon()
    with pytest.raises(ZeroDivisionError), found.writing("/a.txt") as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    assert bucket.content() == {}
    with found.writing("/a.txt") as stream:
        stream.write(b"whole")
    assert bucket.content() == {"a.txt": b"whole"}
    with found.writing("/large") as stream:
        stream.write(bytes(BLOCK + 1))
    assert len(bucket.content()["large"]) == BLOCK + 1


def test_files_are_written_in_parts(bucket, tmp_path):
    (tmp_path / "large").write_bytes(bytes(BLOCK) + b"end")
    (tmp_path / "empty").write_bytes(b"")
    found = folder(bucket.url())
    sent = found.upload({"/a/large": tmp_path / "large", "/empty": tmp_path / "empty"})
    assert bucket.content() == {}
    sent.place()
    assert bucket.content() == {"a/large": bytes(BLOCK) + b"end", "empty": b""}
    assert bucket.unfinished() == []


def test_memory():
    found = folder("memory://bucket/photos")
    assert found.paths() == []
    found.write("/a/b.txt", io.BytesIO(b"hello"))
    found.write("/c.txt", io.BytesIO(b""))
    assert found.paths() == ["/a/b.txt", "/c.txt"]
    assert found.children("/") == ["a", "c.txt"]
    assert found.open("/a/b.txt").read() == b"hello"
    assert found.facts("/a/b.txt").size == 5
    found.delete("/a")
    assert found.paths() == ["/c.txt"]
    found.clear()
    assert found.paths() == []
