import io
import os
import struct
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minihost.plugins.archives import MAX_FILES, BadArchive, opened, unpack_cached

FILE = 0o100644 << 16


def make(path, entries, **more):
    """A zip of (name or ZipInfo, content) pairs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content, **more)
    return path


def named(name, mode=FILE, utf8=True):
    """An entry whose name the zipfile module would otherwise tidy."""
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    info.external_attr = mode
    return info


def refusal(path):
    with pytest.raises(BadArchive) as error, opened(path) as archive:
        for info in archive.files:
            archive.read(info)
    return str(error.value)


def test_a_plain_zip_is_read(tmp_path):
    content = os.urandom(10_000)
    path = make(tmp_path / "a.zip", [("plugin.json", "{}"), ("resource/b.bin", content), ("resource/ü.txt", "x")])
    with opened(path) as archive:
        assert [info.filename for info in archive.files] == ["plugin.json", "resource/b.bin", "resource/ü.txt"]
        assert archive.read(archive.files[1]) == content
        assert archive.size == 10_003
        assert len(archive.sha256) == 64


def test_a_zip_with_a_comment_and_streamed_entries_is_read(tmp_path):
    stream = io.BytesIO()
    stream.seekable = lambda: False
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("plugin.json", "{}" * 100)
        archive.writestr("empty/", "")
        archive.comment = b"0123456789abcdef0123456789abcdef01234567"  # what `git archive` leaves
    (tmp_path / "a.zip").write_bytes(stream.getvalue())
    with opened(tmp_path / "a.zip") as archive:
        assert archive.read(archive.files[0]) == b"{}" * 100


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.py", "climbs"),
        ("a/../../evil.py", "climbs"),
        ("/etc/passwd", "absolute"),
        ("a//b", "absolute"),
        ("./a", "climbs"),
        ("a/./b", "climbs"),
        ("C:evil", "colon"),
        ("a\\b", "backslash"),
        ("..\\..\\evil", "backslash"),
        ("a\x00b", "differently"),
        ("a\nb", "control"),
        ("a ", "not allowed"),
        ("dir./b", "not allowed"),
        ("nul.txt", "not allowed"),
        ("x" * 300, "too long"),
        ("a/" * 600 + "b", "too long"),
    ],
)
def test_tricky_names(tmp_path, name, reason):
    path = make(tmp_path / "a.zip", [(named(name), "x")])
    assert reason in refusal(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "pair",
    [
        ("a.py", "a.py"),
        ("a.py", "A.py"),
        ("lib/a.py", "LIB/b.py"),
        ("caf\u00e9", "cafe\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("a", "a/b"),
        ("a/b", "a"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_names_for_one_file(tmp_path, pair):
    assert "refused" in refusal(make(tmp_path / "a.zip", [(name, "x") for name in pair]))


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644, 0o060644, 0o140644])
def test_links_and_special_files(tmp_path, mode):
    assert "link or special" in refusal(make(tmp_path / "a.zip", [(named("a", mode << 16), "/etc/passwd")]))


def test_a_folder_that_is_a_file(tmp_path):
    assert "folder and a file" in refusal(make(tmp_path / "a.zip", [(named("a", 0o040755 << 16), "x")]))


def test_bombs(tmp_path):
    assert "times its size" in refusal(make(tmp_path / "a.zip", [("a", bytes(20_000_000))]))
    many = [(f"f{number}", bytes(900_000)) for number in range(20)]
    assert "times its size" in refusal(make(tmp_path / "b.zip", many))
    assert "entries" in refusal(make(tmp_path / "c.zip", [(f"f{number}", "") for number in range(MAX_FILES + 1)]))


def test_too_much_in_all(tmp_path):
    block = os.urandom(20_000) * 50  # packs well, but not as a bomb does
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(101):
            archive.writestr(f"f{number}", block)
    assert "unpacked" in refusal(path)


def test_a_size_that_lies(tmp_path):
    path = make(tmp_path / "a.zip", [("a", b"x" * 1000)])
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.find(mark)
        struct.pack_into("<I", content, at + offset, 10)
    path.write_bytes(content)
    assert "cannot be unpacked" in refusal(path)


@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_damage_is_refused_or_harmless(tmp_path, data):
    contents = [("plugin.json", b"{}" * 40), ("a/b.py", b"x = 1\n" * 30)]
    content = bytearray(make(tmp_path / "good.zip", contents).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.zip"
    path.write_bytes(content)
    try:
        with opened(path) as archive:
            found = [(info.filename, archive.read(info)) for info in archive.files]
    except BadArchive:
        return
    assert [text for _, text in found] == [text for _, text in contents]


@pytest.mark.parametrize("side", ["both", "local"])
def test_a_second_name_in_the_extra_field(tmp_path, side):
    info = zipfile.ZipInfo("good.py")
    info.extra = struct.pack("<HHBI", 0x7075, 5 + 7, 1, 0) + b"evil.py"
    path = make(tmp_path / "a.zip", [(info, "x")])
    if side == "local":  # take it out of the directory
        content = path.read_bytes()
        at = content.find(b"PK\x01\x02")
        directory = bytearray(content[at : content.find(b"PK\x05\x06")].replace(info.extra, b""))
        struct.pack_into("<H", directory, 30, 0)
        end = bytearray(content[content.find(b"PK\x05\x06") :])
        struct.pack_into("<I", end, 12, len(directory))
        path.write_bytes(content[:at] + directory + end)
    assert "second name" in refusal(path)


def test_overlapping_entries(tmp_path):
    path = make(tmp_path / "a.zip", [("a", os.urandom(500)), ("b", os.urandom(500))])
    content = bytearray(path.read_bytes())
    second = content.find(b"PK\x01\x02", content.find(b"PK\x01\x02") + 1)
    struct.pack_into("<I", content, second + 42, 0)
    path.write_bytes(content)
    assert "refused" in refusal(path)


def test_the_two_directories_disagree(tmp_path):
    path = make(tmp_path / "a.zip", [("good.py", b"x" * 50)])
    path.write_bytes(path.read_bytes().replace(b"good.py", b"evil.py", 1))
    assert "do not agree" in refusal(path)


def test_bytes_that_belong_to_no_entry(tmp_path):
    one = make(tmp_path / "one.zip", [("a", "1")]).read_bytes()
    two = make(tmp_path / "two.zip", [("a", "2")]).read_bytes()
    for number, content in enumerate((one + two, b"#!/bin/sh\n" + one, one + b"tail", one[:-1])):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        assert "refused" in refusal(path)


def test_an_archive_inside_the_comment(tmp_path):
    inner = make(tmp_path / "inner.zip", [("a", "inner")]).read_bytes()
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "outer")
        archive.comment = inner
    assert "refused" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 100, b"PK\x05\x06" + bytes(18)[:10]])
def test_what_is_no_zip(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    assert "not a complete zip" in refusal(tmp_path / "a.zip")


def test_broken_content(tmp_path):
    path = make(tmp_path / "a.zip", [("a", os.urandom(2000))])
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)
    assert "cannot be unpacked" in refusal(path)


def test_encrypted_and_other_methods(tmp_path):
    path = make(tmp_path / "a.zip", [("a", "secret")])
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "encrypted" in refusal(path)
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", "x")
    assert "method" in refusal(tmp_path / "b.zip")


def test_places_that_are_no_files(tmp_path):
    assert "cannot be read" in refusal(tmp_path / "nothing.zip")
    os.mkfifo(tmp_path / "pipe.zip")
    assert "not a regular file" in refusal(tmp_path / "pipe.zip")
    assert "not a regular file" in refusal(tmp_path)


def test_unpacking_to_the_cache_happens_once(tmp_path):
    path = make(tmp_path / "a.zip", [("plugin.json", "{}"), ("a/b", "x")])
    folder = unpack_cached(path, tmp_path / "cache")
    assert (folder / "a" / "b").read_text() == "x"
    assert [item.name for item in (tmp_path / "cache").iterdir()] == [folder.name]
    (folder / "a" / "b").write_text("kept")
    assert unpack_cached(path, tmp_path / "cache") == folder
    assert (folder / "a" / "b").read_text() == "kept"


def test_a_broken_zip_leaves_nothing_in_the_cache(tmp_path):
    path = make(tmp_path / "a.zip", [("plugin.json", "{}"), ("a", os.urandom(2000))])
    content = bytearray(path.read_bytes())
    content[300] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(BadArchive):
        unpack_cached(path, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_directory_that_is_too_large_is_never_read(tmp_path, monkeypatch):
    path = make(tmp_path / "a.zip", [(f"{'n' * 200}{number}", "") for number in range(100)])
    monkeypatch.setattr("minihost.plugins.zip_layout.MAX_DIRECTORY", 10_000)
    monkeypatch.setattr("zipfile.ZipFile", None)
    assert "larger than 10,000 bytes" in refusal(path)
